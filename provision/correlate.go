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

// A Correlation says what becomes of a create whose resource the backend has
// already. The zero value refuses it.
type Correlation struct {
	// Adopt gives the client a record that it has no id for yet.
	Adopt bool
	// Reactivate gives the client a record that is inactive, with the id by which it
	// knows it.
	Reactivate bool
	// By are the attributes whose values must be those of the record; those that are
	// unique if there are none.
	By []*scim.Attribute
}

func (c Correlation) given() bool { return c.Adopt || c.Reactivate }

// correlation finds the identity of the one record that a create is about, as the
// configuration says. Its other unique values must be free.
func (s *Service) correlation(ctx context.Context, c Call, t *target, r *scim.Resource) (e identity.Entry, ok bool, err error) {
	e, ok, err = s.counterpart(adapters.WithoutCache(ctx), c, t, r)
	if err != nil || !ok {
		return e, false, err
	}
	return e, true, s.free(ctx, c.Caller.Tenant, t, r, nil, t.key(e))
}

func (s *Service) counterpart(ctx context.Context, c Call, t *target, r *scim.Resource) (identity.Entry, bool, error) {
	none := identity.Entry{}
	alike, err := t.alike(r)
	if err != nil || alike == nil || t.caps.NoUpdate {
		return none, false, err
	}
	active := r.Layout().Find("active")
	plan := t.Mapping.Plan(func(a *scim.Attribute) bool { return a == active })
	found, err := s.satisfying(ctx, c.Caller.Tenant, t, t.Adapter, alike, t.correlates, plan.Want)
	if err != nil {
		return none, false, err
	}
	shown := found[:0]
	for _, rec := range found {
		if t.inScope(rec) && t.Mapping.Managed(rec) {
			shown = append(shown, rec)
		}
	}
	switch len(shown) {
	case 0:
		return none, false, nil
	case 1:
		return s.claimable(ctx, c, t, shown[0], plan)
	}
	return none, false, scim.Errorf(409, scim.Uniqueness, "Several resources have these values already, and it is not said which one of them this is.")
}

// claimable reports whether the client may have the record by creating it.
func (s *Service) claimable(ctx context.Context, c Call, t *target, rec adapters.Record, plan *rules.Plan) (identity.Entry, bool, error) {
	found, err := s.ids.Find(ctx, c.Caller.domain(), []identity.Link{t.link(rec.Key)})
	if err != nil {
		return identity.Entry{}, false, err
	}
	e := found[0]
	switch {
	case !e.Primary || !t.isOf(e, rec):
		return e, false, nil
	case e.Held || t.Correlate.Adopt && e.ID == "":
		return e, true, nil
	case !t.Correlate.Reactivate:
		return e, false, nil
	}
	res, err := s.one(ctx, c, t, rec, e, plan, nil)
	if err != nil {
		return e, false, err
	}
	v := res.Get(res.Layout().Find("active"))
	return e, v.Present() && !v.Bool(), nil
}

// alike is true of what has the values of a resource by which creates are
// correlated; nil if the resource lacks one of them.
func (t *target) alike(r *scim.Resource) (filter.Expr, error) {
	by := t.Correlate.By
	if len(by) == 0 {
		by = t.newValues(r, nil)
	}
	var all filter.And
	for _, a := range by {
		var any filter.Or
		for _, v := range valuesAt(r, a) {
			e, err := schema.Bind(r.Layout(), &filter.Compare{Name: a.Path(), Op: filter.Eq, Value: filter.StringValue(v)}, schema.BindOptions{})
			if err != nil {
				return nil, err
			}
			any = append(any, e)
		}
		switch len(any) {
		case 0:
			return nil, nil
		case 1:
			all = append(all, any[0])
		default:
			all = append(all, any)
		}
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return all, nil
}

// correlates reports whether creates are correlated by the attribute.
func (t *target) correlates(a *scim.Attribute) bool {
	if len(t.Correlate.By) == 0 {
		return slices.Contains(t.unique, a)
	}
	return slices.Contains(t.Correlate.By, a)
}

// valuesAt are the texts that an attribute, or a sub-attribute of all elements, has.
func valuesAt(r *scim.Resource, a *scim.Attribute) []string {
	holders := []scim.Value{r.Get(a)}
	if p := a.Parent(); p != nil && p.MultiValued {
		holders = nil
		for _, element := range r.Get(p).Elems() {
			holders = append(holders, element.Get(a))
		}
	}
	var out []string
	for _, v := range holders {
		if v.Present() && v.String() != "" {
			out = append(out, v.String())
		}
	}
	return out
}
