package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// An identity that was split off is invisible to a client until it is released to
// it, or until the client creates it: then the unique values of what is created
// are those of its record, and the create is correlated with it. The configuration
// may say that other records are for those who create them too (Correlation).

// adoptable finds the identity that a create is correlated with: every unique
// value that another record has must be that of one record, which provisioning
// may see, and whose identity waits to be seen by this client.
func (s *Service) adoptable(ctx context.Context, c Call, t *target, r *scim.Resource) (identity.Entry, bool, error) {
	var key adapters.Key
	for _, a := range t.newValues(r, nil) {
		e, err := schema.Bind(r.Layout(), &filter.Compare{Name: a.Path(), Op: filter.Eq, Value: filter.StringValue(r.Get(a).String())}, schema.BindOptions{})
		if err != nil {
			return identity.Entry{}, false, err
		}
		pushed, rest := t.Mapping.Push(e, rules.Lookup{})
		if rest != nil || pushed == nil {
			continue // the backend cannot say who has the value
		}
		pg, err := t.Adapter.List(adapters.WithoutCache(ctx), adapters.Query{Filter: pushed, Limit: 2, Want: t.scope.Want})
		if err != nil || len(pg.Records) == 0 {
			if err != nil {
				return identity.Entry{}, false, err
			}
			continue
		}
		other := pg.Records[0]
		if len(pg.Records) > 1 || !t.inScope(other) || key != "" && key != other.Key {
			return identity.Entry{}, false, nil
		}
		key = other.Key
	}
	if key == "" {
		return identity.Entry{}, false, nil
	}
	found, err := s.ids.Find(ctx, c.Caller.domain(), []identity.Link{t.link(key)})
	if err != nil {
		return identity.Entry{}, false, err
	}
	return found[0], found[0].Held && found[0].Primary, nil
}

// errVanished says that the record was deleted since the create was correlated with it.
var errVanished = errors.New("the record is gone")

// adopt gives a client the identity that its create is correlated with: its record
// gets the values that were sent, and the client an id. If it fails halfway the
// client knows nothing yet, and may create again.
func (s *Service) adopt(ctx context.Context, c Call, t *target, e identity.Entry, d *schema.Decoded, who *cast) (*scim.Resource, error) {
	release, err := s.records.take(ctx, s.queue(t, e))
	if err != nil {
		return nil, err
	}
	defer func() { s.changes.Add(1); release() }()
	u := &update{Service: s, c: c, t: t, e: e, plan: t.changePlan(c, func(a *scim.Attribute) bool { return d.Resource.Get(top(a)).Present() }), who: who}
	fresh := adapters.WithoutCache(ctx)
	if u.rec, err = u.read(fresh, t, e, u.plan.Want); err != nil {
		if adapters.Is(err, adapters.NotFound) {
			err = errVanished
		}
		return nil, err
	}
	if err := t.manages(u.rec); err != nil {
		return nil, err
	}
	if err := u.resource(ctx); err != nil {
		return nil, err
	}
	u.after = overlay(u.before, d)
	if active := d.Resource.Layout().Find("active"); t.Correlate.Reactivate && active != nil && !d.Resource.Get(active).Present() {
		u.after.Set(active, scim.Bool(true))
	}
	if c.trying() {
		return u.pretendAdoption(ctx, d)
	}
	if err := u.amend(ctx); err != nil {
		return nil, err
	}
	if err := u.enter(context.WithoutCancel(ctx), d); err != nil {
		return nil, err
	}
	p := t.plan(c)
	if u.rec, err = u.read(fresh, t, u.e, p.Want); err != nil {
		return nil, err
	}
	return u.answer(ctx, c, t, u.rec, u.e, p, who)
}

// enter gives the client its id for what it adopts, if it has none.
func (u *update) enter(ctx context.Context, d *schema.Decoded) error {
	known, what := u.e.ID != "", "a create was correlated with a record that was there already"
	if u.e.Held {
		what = "a create was correlated with an identity that had been split off"
		why := identity.Reason{Who: u.c.Caller.Client, Why: "the client created it: its unique values are those of the record"}
		if _, _, err := u.ids.Release(ctx, u.c.Caller.domain(), u.e.Identity, why); err != nil {
			return err
		}
	}
	var err error
	if u.e, err = u.ids.Create(ctx, u.c.Caller.domain(), u.t.link(u.rec.Key), u.externalID(u.t, d.Resource)); err != nil {
		return err
	}
	u.log.InfoContext(ctx, what, "type", u.t.name, "backend", u.t.Backend, "identity", u.e.Identity, "client", u.c.Caller.Client, "known", known)
	return nil
}

// amend stores what the client sent. Its unique values are known to be free.
func (u *update) amend(ctx context.Context) error {
	if u.t.caps.NoUpdate {
		return nil
	}
	d, err := u.t.Mapping.DeltaOf(u.rec, u.kept, u.before, u.after, u.who.key, u.who.id)
	if err != nil {
		return err
	}
	f := u.follow(d)
	f.ExternalID = nil // it is entered with the client's id
	if d.Empty() && f.Empty() {
		return nil
	}
	if err := u.admissible(d); err != nil {
		return err
	}
	if u.disables() {
		if err := u.spare(ctx, u.c); err != nil {
			return err
		}
	}
	in := identity.Intent{Domain: u.c.Caller.domain(), Type: u.t.name, Backend: u.t.Backend, Kind: identity.IntentChange, Identity: u.e.Identity,
		Keys: []string{string(u.rec.Key)}, Follow: f}
	stored, _, err := u.carryOut(ctx, u.t, in, nil, d, u.t.scope.Want)
	if err == nil && !d.Empty() {
		u.rec.Key, u.e.Key = stored.Key, string(stored.Key)
	}
	return err
}

// admissible refuses an adoption that would take the record out of what
// provisioning may manage.
func (u *update) admissible(d adapters.Delta) error {
	if d.Empty() || u.t.inScope(d.After) && u.t.Mapping.Managed(d.After) {
		return nil
	}
	return scim.Bad(scim.InvalidValue, "This %s would be outside what provisioning may manage here.", u.t.name)
}

// pretendAdoption answers an adoption that is not carried out.
func (u *update) pretendAdoption(ctx context.Context, in *schema.Decoded) (*scim.Resource, error) {
	d, err := u.t.Mapping.DeltaOf(u.rec, u.kept, u.before, u.after, u.who.key, u.who.id)
	if err == nil {
		err = u.admissible(d)
	}
	if err != nil {
		return nil, err
	}
	rec, e := u.rec, u.e
	if !d.Empty() {
		rec = d.After
	}
	if e.ID == "" {
		e.Identity, e.ID = "none", pretendedID()
	}
	if ext := u.externalID(u.t, in.Resource); ext != "" {
		e.ExternalID = ext
	}
	u.c.supposed = u.follow(d).Keep
	u.tried(ctx, u.c, u.t, "create, of a record that is there", u.e.Identity)
	return u.answer(ctx, u.c, u.t, rec, e, u.plan, u.who)
}

// overlay is a resource with the values that were sent: what was not mentioned
// stays.
func overlay(before *scim.Resource, d *schema.Decoded) *scim.Resource {
	after := before.Clone()
	for _, a := range d.Resource.Layout().Attributes() {
		v := d.Resource.Get(a)
		if a.Mutability == scim.ReadOnly || a == before.Layout().ExternalID && !v.Present() {
			continue
		}
		switch {
		case !a.IsExtension():
			if v.Present() || slices.Contains(d.Nulls, a) {
				after.Set(a, v)
			}
		case v.Present():
			for _, sub := range a.Sub {
				if w := v.Get(sub); w.Present() || slices.Contains(d.Nulls, sub) {
					after.Set(sub, w)
				}
			}
		}
	}
	return after
}
