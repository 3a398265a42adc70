package provision

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// List queries one resource type (RFC 7644 section 3.4.2). What the backend
// evaluates exactly is pushed down; the remainder is evaluated here on every
// record that is left, within the scan limit, so that the total is true either way.
func (s *Service) List(ctx context.Context, c Call, q Search) (List, error) {
	t := s.target(c)
	look, err := s.lookup(ctx, c, t, q.Filter)
	if err != nil {
		return List{}, s.fail(t, err)
	}
	out, err := s.run(ctx, c, t, q, t.divide(q, look))
	if err != nil {
		return List{}, s.fail(t, err)
	}
	return out, nil
}

// A division is a search taken apart.
type division struct {
	pushed filter.Expr // for the backend, scope included as far as it follows
	rest   filter.Expr // for us
	sort   []adapters.Sort
	here   bool // the gateway must look at the records itself
	sorts  bool // and sort them
	limit  int
}

func (s *Service) run(ctx context.Context, c Call, t *target, q Search, d division) (List, error) {
	if _, none := d.pushed.(filter.False); none {
		return List{StartIndex: q.StartIndex}, nil
	}
	if d.here {
		return s.scanList(ctx, c, t, q, d)
	}
	return s.pushedList(ctx, c, t, q, d)
}

// divide splits a search between the backend and the gateway.
func (t *target) divide(q Search, look rules.Lookup) division {
	var d division
	d.pushed, d.rest = t.Mapping.Push(q.Filter, look)
	caps := t.Adapter.Capabilities()
	d.here = d.rest != nil || !caps.Offset || !caps.Total
	if sc, ok := t.Mapping.ScopeFilter(); !ok {
		d.here = true
	} else if sc != nil {
		d.pushed = conjoin(sc, d.pushed)
	}
	if d.pushed != nil {
		d.pushed = filter.Simplify(d.pushed)
		if _, all := d.pushed.(filter.True); all {
			d.pushed = nil
		}
	}
	if q.SortBy != nil {
		by, ok := t.Mapping.PushSort(q.SortBy, q.Descending)
		d.sorts = !ok
		d.here = d.here || !ok
		if ok {
			d.sort = []adapters.Sort{by}
		}
	}
	return d
}

// pushedList answers a search that the backend evaluates as a whole.
func (s *Service) pushedList(ctx context.Context, c Call, t *target, q Search, d division) (List, error) {
	p := t.plan(c)
	query := adapters.Query{Filter: d.pushed, Sort: d.sort, Offset: q.StartIndex - 1, Limit: q.Count, Total: true, Want: p.Want}
	pg, err := t.Adapter.List(ctx, query)
	if err != nil {
		return List{}, err
	}
	whole := query.Offset == 0 && pg.Total <= len(pg.Records)
	if !whole && pg.Total > 0 {
		hidden, err := s.ids.Hidden(ctx, c.Caller.domain(), t.name, t.Backend)
		if err != nil {
			return List{}, err
		}
		if len(hidden) > 0 {
			if !t.canExclude() {
				d.here = true
				return s.scanList(ctx, c, t, q, d)
			}
			query.Filter = conjoin(d.pushed, except(hidden))
			if pg, err = t.Adapter.List(ctx, query); err != nil {
				return List{}, err
			}
		}
	}
	built, err := s.build(ctx, c, t, s.inScope(ctx, t, pg.Records), p)
	if err != nil {
		return List{}, err
	}
	out := List{Total: pg.Total, StartIndex: q.StartIndex, Resources: visible(built)}
	if whole {
		out.Total = len(out.Resources)
	}
	return out, nil
}

// canExclude reports whether the backend can leave records out by key.
func (t *target) canExclude() bool {
	caps := t.Adapter.Capabilities()
	return caps.Not && caps.Or && caps.Key.Filter[filter.Exact].Has(filter.Eq)
}

// except is true of all records but these.
func except(keys []string) filter.Expr {
	terms := make([]filter.Expr, len(keys))
	for i, k := range keys {
		terms[i] = &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(k)}
	}
	return filter.Not{Term: filter.OrOf(terms...)}
}

// visible drops the further records of merged identities, which are listed once,
// and those of identities that this client is not to see yet.
func visible(pg page) []*scim.Resource {
	out := pg.resources[:0]
	for i, e := range pg.entries {
		if e.Primary && e.ID != "" {
			out = append(out, pg.resources[i])
		}
	}
	return out
}

// inScope drops what the backend should not have returned, and says so: a
// hidden account must not be shown because two systems read a condition
// differently.
func (s *Service) inScope(ctx context.Context, t *target, recs []adapters.Record) []adapters.Record {
	return slices.DeleteFunc(recs, func(r adapters.Record) bool {
		if t.Mapping.InScope(r) {
			return false
		}
		s.log.ErrorContext(ctx, "the backend returned a record outside the scope", "type", t.name)
		return true
	})
}

// A candidate is a record that satisfies a search.
type candidate struct {
	record adapters.Record
	res    *scim.Resource
	key    scim.SortKey
}

// scanList answers a search of which the gateway evaluates a part: it walks
// the records that the backend's part leaves, keeps those that match, sorts and
// cuts.
func (s *Service) scanList(ctx context.Context, c Call, t *target, q Search, d division) (List, error) {
	look := s.looked(c, t, q, d)
	hidden, err := s.ids.Hidden(ctx, c.Caller.domain(), t.name, t.Backend)
	if err != nil {
		return List{}, err
	}
	look.hidden = make(map[string]bool, len(hidden))
	for _, k := range hidden {
		look.hidden[k] = true
	}
	found, err := s.walk(ctx, c, t, d, look)
	if err != nil {
		return List{}, err
	}
	if d.sorts {
		sortCandidates(found, q.SortBy, q.Descending)
	}
	cut := found[min(q.StartIndex-1, len(found)):]
	cut = cut[:min(q.Count, len(cut))]
	recs, err := t.complete(ctx, cut, t.plan(c), look)
	if err != nil {
		return List{}, err
	}
	built, err := s.build(ctx, c, t, recs, t.plan(c))
	if err != nil {
		return List{}, err
	}
	return List{Total: len(found), StartIndex: q.StartIndex, Resources: visible(built)}, nil
}

// sortCandidates orders by the attribute; what is equal stays in the backend's
// order, so that pages do not overlap (O-06).
func sortCandidates(found []candidate, by *scim.Attribute, descending bool) {
	for i := range found {
		found[i].key = scim.SortKeyOf(found[i].res, by)
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if descending {
			return b.key.Compare(a.key)
		}
		return a.key.Compare(b.key)
	})
}

// A looking is what the gateway must know of each record to judge it.
type looking struct {
	plan     *rules.Plan
	identity bool            // ids or references are compared, so the mapping table is needed
	hidden   map[string]bool // keys that the client is not to see in lists
}

func (s *Service) looked(c Call, t *target, q Search, d division) looking {
	l := c.Type.Layout
	attrs := map[*scim.Attribute]bool{}
	identity := false
	note := func(a *scim.Attribute) {
		top := a
		for top.Parent() != nil {
			top = top.Parent()
		}
		attrs[a], attrs[top] = true, true
		identity = identity || top == l.ID || top == l.ExternalID || top == l.Meta || top.Type == scim.TypeComplex || a.Type == scim.TypeReference
	}
	if d.rest != nil {
		filter.Walk(d.rest, func(e filter.Expr) bool {
			switch e := e.(type) {
			case *filter.Compare:
				if a, ok := e.Ref.(*scim.Attribute); ok {
					note(a)
				}
			case *filter.Element:
				if a, ok := e.Ref.(*scim.Attribute); ok {
					note(a)
				}
			}
			return true
		})
	}
	if d.sorts {
		note(q.SortBy)
	}
	need := func(a *scim.Attribute) bool {
		for ; a != nil; a = a.Parent() {
			if attrs[a] {
				return true
			}
		}
		return false
	}
	return looking{plan: t.Mapping.Plan(need), identity: identity}
}

const scanChunk = 1000

// walk reads the records page by page and keeps the matching ones.
func (s *Service) walk(ctx context.Context, c Call, t *target, d division, look looking) ([]candidate, error) {
	var found []candidate
	query := adapters.Query{Filter: d.pushed, Sort: d.sort, Limit: scanChunk, Want: look.plan.Want}
	seen := 0
	for {
		pg, err := t.Adapter.List(ctx, query)
		if err != nil {
			return nil, err
		}
		if seen += len(pg.Records); seen > s.scan {
			return nil, scim.Bad(scim.TooMany, "To answer this query the gateway would have to look at more than %d resources itself. "+
				"Narrow it with a filter that the backend can evaluate, as userName eq.", s.scan)
		}
		if found, err = s.keep(ctx, c, t, d, look, pg.Records, found); err != nil {
			return nil, err
		}
		switch {
		case pg.Next != "":
			query.Cursor = pg.Next
		case len(pg.Records) < scanChunk || query.Cursor != "":
			return found, nil
		default:
			query.Offset += len(pg.Records)
		}
	}
}

func (s *Service) keep(ctx context.Context, c Call, t *target, d division, look looking, recs []adapters.Record, found []candidate) ([]candidate, error) {
	recs = slices.DeleteFunc(recs, func(r adapters.Record) bool { return !t.Mapping.InScope(r) })
	resources, err := s.sketch(ctx, c, t, recs, look)
	if err != nil {
		return nil, err
	}
	for i, res := range resources {
		if res != nil && (d.rest == nil || filter.Matches(d.rest, schema.Subject(res))) {
			found = append(found, candidate{record: recs[i], res: res})
		}
	}
	return found, nil
}

// sketch makes resources that hold only what is being looked at.
func (s *Service) sketch(ctx context.Context, c Call, t *target, recs []adapters.Record, look looking) ([]*scim.Resource, error) {
	if look.identity {
		pg, err := s.build(ctx, c, t, recs, look.plan)
		return withoutSecondary(pg), err
	}
	out := make([]*scim.Resource, len(recs))
	warn := s.ruleWarner(ctx, t)
	for i, r := range recs {
		if !look.hidden[string(r.Key)] {
			out[i], _ = t.Mapping.Read(r, look.plan, warn)
		}
	}
	return out, nil
}

func withoutSecondary(pg page) []*scim.Resource {
	for i, e := range pg.entries {
		if !e.Primary || e.ID == "" {
			pg.resources[i] = nil
		}
	}
	return pg.resources
}

// complete reads of the records that will be answered what was not needed to
// judge them.
func (t *target) complete(ctx context.Context, cut []candidate, p *rules.Plan, look looking) ([]adapters.Record, error) {
	if len(cut) == 0 {
		return nil, nil
	}
	keys := make([]adapters.Key, len(cut))
	for i, f := range cut {
		keys[i] = f.record.Key
	}
	recs, err := t.fetch(ctx, keys, p.Want)
	if err != nil {
		return nil, err
	}
	byKey := make(map[adapters.Key]adapters.Record, len(recs))
	for _, r := range recs {
		byKey[r.Key] = r
	}
	out := make([]adapters.Record, 0, len(cut))
	for _, k := range keys {
		if r, ok := byKey[k]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// lookup resolves the identifiers in a filter, all at once.
func (s *Service) lookup(ctx context.Context, c Call, t *target, e filter.Expr) (rules.Lookup, error) {
	ids, externals := t.Mapping.FilterIDs(e)
	keys, err := s.keys(ctx, c, ids)
	if err != nil {
		return rules.Lookup{}, err
	}
	byExternal := map[string][]string{}
	for _, x := range externals {
		found, err := s.ids.ByExternalID(ctx, c.Caller.domain(), t.name, x)
		if err != nil {
			return rules.Lookup{}, err
		}
		for _, f := range found {
			if k, ok := f.KeyIn(t.Backend); ok {
				byExternal[x] = append(byExternal[x], k)
			}
		}
	}
	return rules.Lookup{Key: keys, ExternalID: func(x string) []string { return byExternal[x] }}, nil
}

// keys translates ids of several types into backend keys.
func (s *Service) keys(ctx context.Context, c Call, ids []rules.ID) (rules.Keys, error) {
	byType := map[string][]string{}
	for _, i := range ids {
		byType[i.Type] = append(byType[i.Type], i.ID)
	}
	found := make(map[rules.ID]string, len(ids))
	for typ, list := range byType {
		entries, err := s.ids.Resolve(ctx, c.Caller.domain(), typ, list)
		if err != nil {
			return nil, err
		}
		for i, e := range entries {
			if k, ok := primaryKey(e, s.targets[typ]); ok {
				found[rules.ID{Type: typ, ID: list[i]}] = k
			}
		}
	}
	return func(typ, id string) (string, bool) {
		k, ok := found[rules.ID{Type: typ, ID: id}]
		return k, ok
	}, nil
}

func primaryKey(e identity.Entry, t *target) (string, bool) {
	if t == nil {
		return "", false
	}
	if e.ID != "" && e.Identity == "" {
		return e.Key, true // ids: existing
	}
	return e.KeyIn(t.Backend)
}

func conjoin(a, b filter.Expr) filter.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return filter.And{a, b}
}
