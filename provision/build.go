package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// A page is what several records become: resources, and which of their
// identities is primary.
type page struct {
	resources []*scim.Resource
	entries   []identity.Entry
}

// build makes the resources of records: ids, references and meta come from the
// mapping table, for the whole page in one look-up. Records that are seen for
// the first time get their ids here.
func (s *Service) build(ctx context.Context, c Call, t *target, recs []adapters.Record, p *rules.Plan) (page, error) {
	pg := page{resources: make([]*scim.Resource, len(recs))}
	var refs []rules.Reference
	warn := s.ruleWarner(ctx, t)
	links := make([]identity.Link, 0, 2*len(recs))
	for i, rec := range recs {
		res, r := t.Mapping.Read(rec, p, warn)
		pg.resources[i] = res
		refs = append(refs, r...)
		links = append(links, identity.Link{Type: t.name, Backend: t.Backend, Key: string(rec.Key)})
	}
	links = s.appendReferences(links, refs)
	entries, err := s.entries(ctx, c, links, len(recs))
	if err != nil {
		return page{}, err
	}
	pg.entries = entries[:len(recs)]
	for i, res := range pg.resources {
		dress(c, res, pg.entries[i])
	}
	rest := entries[len(recs):]
	for _, f := range refs {
		ids := make([]string, len(f.Keys))
		for i := range ids {
			ids[i] = rest[i].ID
		}
		f.Fill(unrepeated(ids), c.Base)
		rest = rest[len(f.Keys):]
	}
	return pg, nil
}

// unrepeated empties the second appearance of an id: two records of one merged
// identity are one member.
func unrepeated(ids []string) []string {
	if len(ids) < 2 {
		return ids
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		if seen[id] {
			ids[i] = ""
		}
		seen[id] = true
	}
	return ids
}

func (s *Service) appendReferences(links []identity.Link, refs []rules.Reference) []identity.Link {
	for _, f := range refs {
		backend := s.targets[f.Type].Backend
		for _, k := range f.Keys {
			links = append(links, identity.Link{Type: f.Type, Backend: backend, Key: k})
		}
	}
	return links
}

// dress adds what the mapping table and the gateway know of a resource.
func dress(c Call, res *scim.Resource, e identity.Entry) {
	l := res.Layout()
	res.Put(l.ID, scim.Str(e.ID))
	if e.ExternalID != "" {
		res.Put(l.ExternalID, scim.Str(e.ExternalID))
	}
	res.Put(l.Meta.Find("resourceType"), scim.Str(c.Type.Name))
	res.Put(l.Meta.Find("location"), scim.Str(c.Base+c.Type.Endpoint+"/"+e.ID))
	if m := res.Get(l.Meta); !m.Get(l.Meta.Find("lastModified")).Present() {
		res.Put(l.Meta.Find("lastModified"), m.Get(l.Meta.Find("created"))) // S-35
	}
}

// entries looks up links: the first own of them are records in hand and get
// identities at first sight; the others are references, and get one only if
// provisioning may see the record they point to.
func (s *Service) entries(ctx context.Context, c Call, links []identity.Link, own int) ([]identity.Entry, error) {
	found, err := s.ids.Find(ctx, c.Caller.domain(), links)
	if err != nil {
		return nil, err
	}
	var missing []identity.Link
	var at []int
	strangers := map[string][]int{}
	for i := range found {
		switch {
		case found[i].ID != "":
		case i < own:
			missing, at = append(missing, links[i]), append(at, i)
		default:
			strangers[links[i].Type] = append(strangers[links[i].Type], i)
		}
	}
	for typ, idx := range strangers {
		visible, err := s.visible(ctx, s.targets[typ], links, idx)
		if err != nil {
			return nil, err
		}
		for _, i := range idx {
			if visible[links[i].Key] {
				missing, at = append(missing, links[i]), append(at, i)
			}
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	made, err := s.ids.Ensure(ctx, c.Caller.domain(), missing)
	if err != nil {
		return nil, err
	}
	for j, i := range at {
		found[i] = made[j]
	}
	return found, nil
}

// visible asks the backend which of the records that links point to exist and
// are in scope.
func (s *Service) visible(ctx context.Context, t *target, links []identity.Link, idx []int) (map[string]bool, error) {
	out := map[string]bool{}
	keys := make([]adapters.Key, 0, len(idx))
	for _, i := range idx {
		if k := links[i].Key; !out[k] {
			out[k] = true
			keys = append(keys, adapters.Key(k))
		}
	}
	clear(out)
	recs, err := t.fetch(ctx, keys, t.scopes.Want)
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		if t.Mapping.InScope(r) {
			out[string(r.Key)] = true
		}
	}
	return out, nil
}

// fetchChunk is how many keys one query asks for.
const fetchChunk = 500

// fetch reads records by key, in few queries where the backend can.
func (t *target) fetch(ctx context.Context, keys []adapters.Key, want adapters.Fields) ([]adapters.Record, error) {
	caps := t.Adapter.Capabilities()
	if !caps.Key.Filter[filter.Exact].Has(filter.Eq) || !caps.Or || len(keys) == 1 {
		return t.fetchEach(ctx, keys, want)
	}
	var out []adapters.Record
	for len(keys) > 0 {
		n := min(len(keys), fetchChunk)
		terms := make([]filter.Expr, n)
		for i, k := range keys[:n] {
			terms[i] = &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(string(k))}
		}
		pg, err := t.Adapter.List(ctx, adapters.Query{Filter: filter.OrOf(terms...), Limit: n, Want: want})
		if err != nil {
			return nil, err
		}
		out = append(out, pg.Records...)
		keys = keys[n:]
	}
	return out, nil
}

func (t *target) fetchEach(ctx context.Context, keys []adapters.Key, want adapters.Fields) ([]adapters.Record, error) {
	var out []adapters.Record
	for _, k := range keys {
		r, err := t.Adapter.Get(ctx, k, want)
		switch {
		case adapters.Is(err, adapters.NotFound):
		case err != nil:
			return nil, err
		default:
			out = append(out, r)
		}
	}
	return out, nil
}
