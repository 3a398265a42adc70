package provision

import (
	"context"
	"net/url"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A page is what several records become: resources, and their entries in the
// mapping table.
type page struct {
	resources []*scim.Resource
	entries   []identity.Entry
	kept      []identity.Kept // nil if the plan needed none
	hides     bool            // there may be records that must stay out of lists
	replaced  bool            // there are records with new ids, for they have the key of another
	late      []adapters.Key  // there are records without ids, for they may be about to be entered
}

// build makes the resources of records: ids, references and meta come from the
// mapping table, for the whole page in one look-up. Records that are seen for the
// first time get their ids here. own is the entry of a single record, if it is
// known already; who, if there is one, learns of all references.
func (s *Service) build(ctx context.Context, c Call, t *target, recs []adapters.Record, p *rules.Plan, own *identity.Entry, who *cast) (page, error) {
	pg := page{resources: make([]*scim.Resource, len(recs))}
	var refs []rules.Reference
	warn := s.warner(ctx, t)
	for i, rec := range recs {
		res, found := t.Mapping.Read(rec, p, warn)
		pg.resources[i] = res
		refs = append(refs, found...)
	}
	r := s.enroll(t, recs, own, refs, who)
	if t.Mapping.HasPlaces() {
		r.arriving = func(ctx context.Context) (func(int) bool, error) {
			return s.arriving(ctx, c.Caller.Tenant, t, recs, pg.resources)
		}
	}
	if err := s.look(ctx, c, r); err != nil {
		return page{}, err
	}
	var err error
	if pg.replaced, err = s.replaced(ctx, c, t, r, recs); err != nil {
		return page{}, err
	}
	pg.entries, pg.hides, pg.late = r.entries[:len(recs)], r.hides, r.late
	s.remember(ctx, c, t, pg.entries, recs)
	if pg.kept, err = s.completed(ctx, c, t, recs, pg.resources, p); err != nil {
		return page{}, err
	}
	for i, res := range pg.resources {
		t.dressTimes(res, pg.entries[i])
		dress(c, res, pg.entries[i])
	}
	for _, f := range refs {
		f.Fill(r.idsOf(f), c.Base)
	}
	who.learn(r)
	return pg, nil
}

// dress adds what the mapping table and the gateway know of a resource.
func dress(c Call, res *scim.Resource, e identity.Entry) {
	l := res.Layout()
	res.Put(l.ID, scim.Str(e.ID))
	if e.ExternalID != "" {
		res.Put(l.ExternalID, scim.Str(e.ExternalID))
	}
	res.Put(l.Meta.Find("location"), scim.Str(c.Base+c.Type.Endpoint+"/"+url.PathEscape(e.ID)))
	dressMeta(c, res)
}

// dressMeta adds what needs no look at the mapping table.
func dressMeta(c Call, res *scim.Resource) {
	l := res.Layout()
	res.Put(l.Meta.Find("resourceType"), scim.Str(c.Type.Name))
	modified := l.Meta.Find("lastModified")
	if m := res.Get(l.Meta); !m.Get(modified).Present() {
		res.Put(modified, m.Get(l.Meta.Find("created"))) // S-35
	}
}
