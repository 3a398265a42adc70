package provision

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// A scan is a search of which the gateway evaluates a part: it walks the records
// that the backend's part leaves, keeps those that match, sorts and cuts.
type scan struct {
	*Service
	c      Call
	t      *target
	q      Search
	d      division
	plan   *rules.Plan // what must be known of a record to judge it
	stamps bool        // versions are compared
	who    bool        // ids or references are compared, so the mapping table is needed
	hidden veil        // records that the client is not to see in lists
	// everyone: records out of scope too, and without what a client's view adds.
	everyone bool
	seen     int
	found    []candidate
}

// A candidate is a record that satisfies a search.
type candidate struct {
	record adapters.Record
	key    scim.SortKey
}

func (s *Service) scanList(ctx context.Context, c Call, t *target, q Search, d division) (List, error) {
	x := &scan{Service: s, c: c, t: t, q: q, d: d}
	x.prepare()
	var err error
	if x.hidden, err = s.veil(ctx, c, t); err != nil {
		return List{}, err
	}
	if err := x.walk(ctx); err != nil {
		return List{}, err
	}
	if d.sorts {
		x.sort()
	}
	cut := x.found[min(q.StartIndex-1, len(x.found)):]
	cut = cut[:min(q.Count, len(cut))]
	p := t.plan(c)
	recs, err := x.complete(ctx, cut, p)
	if err != nil {
		return List{}, err
	}
	built, err := s.build(ctx, c, t, recs, p, nil, nil)
	if err != nil {
		return List{}, err
	}
	if built.replaced {
		return List{}, errReplaced
	}
	went := len(cut) - len(recs) + len(built.late)
	return List{Total: len(x.found) - went, Resources: listed(built)}, nil
}

// prepare works out what must be known of each record.
func (x *scan) prepare() {
	l := x.c.Type.Layout
	var named []*scim.Attribute
	note := func(ref any) {
		if a, ok := ref.(*scim.Attribute); ok {
			named = append(named, a)
		}
	}
	if x.d.rest != nil {
		filter.Walk(x.d.rest, func(e filter.Expr) bool {
			switch e := e.(type) {
			case *filter.Compare:
				note(e.Ref)
			case *filter.Element:
				note(e.Ref)
			}
			return true
		})
	}
	if x.d.sorts {
		note(x.q.SortBy)
	}
	x.stamps = x.t.whole != nil && slices.ContainsFunc(named, func(a *scim.Attribute) bool { return a == l.Meta.Find("version") || a == l.Meta })
	x.plan = x.t.Mapping.Plan(func(a *scim.Attribute) bool {
		return x.stamps && (x.t.usual.Needs(a) || x.t.whole.Needs(a)) || slices.ContainsFunc(named, func(n *scim.Attribute) bool {
			return within(a, n) || within(n, a) || top(a) == l.Meta && top(n) == l.Meta ||
				n == l.Schemas && top(a).IsExtension() // an extension is listed when it has a value
		})
	})
	x.who = x.stamps || x.plan.Refers || slices.ContainsFunc(named, func(a *scim.Attribute) bool {
		times := top(a) == l.Meta && (x.t.created || x.t.modified)
		return times || a == l.ID || a == l.ExternalID || a == l.Meta.Find("location")
	})
	x.who = x.who || x.t.born && x.plan.Keeping() // what is kept for a record's predecessor is not its own
}

const scanChunk = 1000

// walk reads the records page by page and keeps the matching ones.
func (x *scan) walk(ctx context.Context) error {
	query := adapters.Query{Filter: x.d.pushed, Sort: x.d.sort, Want: x.plan.Want, Total: x.t.caps.Total}
	for {
		query.Limit = min(scanChunk, x.scan-x.seen+1)
		if x.t.caps.Whole && x.seen > 0 { // the first page told whether there are too many
			query.Limit = x.scan - x.seen + 1
		}
		pg, err := x.t.Adapter.List(ctx, query)
		if err != nil {
			return err
		}
		if x.seen += len(pg.Records); max(x.seen, pg.Total) > x.scan {
			return scim.Bad(scim.TooMany, "To answer this query the gateway would have to look at more than %d resources itself. "+
				"Narrow it with a filter that the backend can evaluate, such as userName eq.", x.scan)
		}
		if err := x.keep(ctx, pg.Records); err != nil {
			return err
		}
		query.Total = false
		switch {
		case pg.Next != "":
			query.Cursor, query.Offset = pg.Next, 0
		case len(pg.Records) < query.Limit || query.Cursor != "" || !x.t.caps.Offset:
			return nil
		default:
			query.Offset += len(pg.Records)
		}
	}
}

// keep adds those of the records to found that match.
func (x *scan) keep(ctx context.Context, recs []adapters.Record) error {
	recs = slices.DeleteFunc(recs, func(r adapters.Record) bool { return x.hidden.hides(r.Key) || !x.everyone && !x.t.inScope(r) })
	if x.d.rest == nil && !x.d.sorts {
		for _, r := range recs {
			x.found = append(x.found, candidate{record: r})
		}
		return nil
	}
	resources, err := x.sketch(ctx, recs)
	if err != nil {
		return err
	}
	for i, res := range resources {
		if res == nil || x.d.rest != nil && !filter.Matches(x.d.rest, schema.Subject(res)) {
			continue
		}
		f := candidate{record: recs[i]}
		if x.d.sorts {
			f.key = scim.SortKeyOf(res, x.q.SortBy)
		}
		x.found = append(x.found, f)
	}
	return nil
}

// sketch makes resources that hold only what is being looked at; nil for those
// that turn out to be hidden.
func (x *scan) sketch(ctx context.Context, recs []adapters.Record) ([]*scim.Resource, error) {
	if x.who {
		pg, err := x.build(ctx, x.c, x.t, recs, x.plan, nil, nil)
		if err == nil && pg.replaced {
			err = errReplaced
		}
		for i, e := range pg.entries {
			if !e.Primary || e.ID == "" {
				pg.resources[i] = nil
			}
		}
		if x.stamps {
			x.t.stamp(x.plan, slices.DeleteFunc(slices.Clone(pg.resources), func(r *scim.Resource) bool { return r == nil })...)
		}
		return pg.resources, err
	}
	out := make([]*scim.Resource, len(recs))
	warn := x.warner(ctx, x.t)
	for i, r := range recs {
		out[i], _ = x.t.Mapping.Read(r, x.plan, warn)
		if !x.everyone {
			dressMeta(x.c, out[i])
		}
	}
	_, err := x.completed(ctx, x.c, x.t, recs, out, x.plan)
	return out, err
}

// sort orders by the attribute; what is equal stays in the backend's order, so
// that pages do not overlap (O-06).
func (x *scan) sort() {
	slices.SortStableFunc(x.found, func(a, b candidate) int {
		if x.q.Descending {
			return b.key.Compare(a.key)
		}
		return a.key.Compare(b.key)
	})
}

// complete reads of the records that will be answered what was not needed to
// judge them.
func (x *scan) complete(ctx context.Context, cut []candidate, p *rules.Plan) ([]adapters.Record, error) {
	out := make([]adapters.Record, 0, len(cut))
	if x.plan.Covers(p) {
		for _, f := range cut {
			out = append(out, f.record)
		}
		return out, nil
	}
	keys := make([]adapters.Key, len(cut))
	for i, f := range cut {
		keys[i] = f.record.Key
	}
	recs, err := x.t.fetch(ctx, keys, p.Want)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if r, ok := recs[k]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}
