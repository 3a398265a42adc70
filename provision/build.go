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
	r, err := s.looked(ctx, c, t, recs, pg.resources, own, refs, who)
	if err != nil {
		return page{}, err
	}
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

// looked is a roll with its entries. Those that turned out to be entered between two
// looks may be of an identity that has moved from one of its records to another: then
// all are looked up anew, in one moment.
func (s *Service) looked(ctx context.Context, c Call, t *target, recs []adapters.Record, resources []*scim.Resource, own *identity.Entry, refs []rules.Reference, who *cast) (*roll, error) {
	for try := 1; ; try++ {
		r := s.enroll(t, recs, own, refs, who)
		if t.Mapping.HasPlaces() || c.begun > 0 {
			r.fleeting = func(ctx context.Context) (func(int) bool, error) { return s.fleeting(ctx, c, t, r, recs, resources) }
		}
		if err := s.look(ctx, c, r); err != nil || try == attempts || !r.twice() {
			return r, err
		}
	}
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
