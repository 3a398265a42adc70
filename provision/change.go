package provision

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// Replace stores a whole resource in place of another (RFC 7644 section 3.5.1).
func (s *Service) Replace(ctx context.Context, c Call, id string, d *schema.Decoded) (*scim.Resource, error) {
	t := s.target(c)
	p := t.changePlan(c, func(a *scim.Attribute) bool { return top(a).Mutability != scim.ReadOnly })
	res, err := s.change(ctx, c, t, id, p, true, func(before *scim.Resource) (*scim.Resource, error) {
		after := d.Resource.Clone()
		t.Mapping.KeepDefaulted(before, after, nulls(d))
		return after, schema.CheckReplace(before, after)
	})
	if err != nil {
		return nil, s.fail(ctx, t, err)
	}
	return res, nil
}

// changePlan is what a change must read: all that is cheap, and of what costs
// more, members and other references, only what the change touches.
func (t *target) changePlan(c Call, touches func(*scim.Attribute) bool) *rules.Plan {
	touches = t.needs(c, touches)
	return t.Mapping.Plan(func(a *scim.Attribute) bool {
		for _, r := range t.weighty {
			if r.Attribute() == a || r.Holder() == a {
				return touches(a)
			}
		}
		for _, apart := range t.apart { // as a group of which it is part
			if within(apart, a) {
				return touches(a)
			}
		}
		return true
	}).Remembering(t.Mapping)
}

// attempts is how often a change is worked out anew when the record changed
// meanwhile.
const attempts = 5

// change reads a resource, lets work say what it should be, and stores the
// difference. It is whole if what is not said goes.
func (s *Service) change(ctx context.Context, c Call, t *target, id string, p *rules.Plan, whole bool,
	work func(before *scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if err := c.gate(); err != nil {
		return nil, err
	}
	if t.caps.NoUpdate {
		return nil, scim.Errorf(501, "", "This backend lets nobody change a %s.", t.name)
	}
	ctx = adapters.ForClient(ctx, c.Caller.Client)
	if made, ok := c.Pretence.find(t.name, id); ok {
		u := &update{Service: s, c: c, t: t, plan: p, whole: whole, who: c.cast()}
		return u.changePretended(ctx, made, work)
	}
	e, release, err := s.claimSettled(ctx, c, t, id)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := c.admits(t, e); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		u := &update{Service: s, c: c, t: t, e: e, plan: p, whole: whole, who: c.cast()}
		res, err := u.run(ctx, c.as(id, work))
		if errors.Is(err, errEntered) {
			if e, err = s.resolve(ctx, c, t, id); err == nil {
				try = 0
				continue
			}
		}
		if try < attempts && adapters.Is(err, adapters.Conflict) && ctx.Err() == nil {
			continue
		}
		if adapters.Is(err, adapters.NotFound) {
			again, lost := s.lost(ctx, c, t, id, e)
			if lost != nil {
				return nil, lost
			}
			if again && try < attempts {
				if e, err = s.resolve(ctx, c, t, id); err == nil {
					continue
				}
			}
		}
		return res, gone(t, err)
	}
}

// An update is one attempt to change a resource.
type update struct {
	*Service
	c             Call
	t             *target
	e             identity.Entry
	plan          *rules.Plan // what was read of before
	whole         bool        // what is not said goes
	pretended     bool        // rec is nowhere
	open          bool        // of an earlier change something is left to do
	who           *cast
	rec           adapters.Record
	kept          identity.Kept // beside rec
	before, after *scim.Resource
	moves         *relocation // the record goes to another place
}

func (u *update) run(ctx context.Context, work func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	var err error
	if u.rec, err = u.read(adapters.WithoutCache(ctx), u.t, u.e, u.plan.Want); err != nil {
		return nil, err
	}
	return u.on(ctx, work)
}

// on is run on a record that was read.
func (u *update) on(ctx context.Context, work func(*scim.Resource) (*scim.Resource, error)) (res *scim.Resource, err error) {
	if err := u.resource(ctx); err != nil {
		return nil, err
	}
	if err := u.t.manages(u.rec); err != nil {
		return nil, err
	}
	if u.whole && !u.pretended {
		if err := u.entered(ctx); err != nil {
			return nil, err
		}
	}
	if err := u.settled(ctx); err != nil {
		return nil, err
	}
	if err := u.permitted(); err != nil {
		return nil, err
	}
	if u.c.element != nil {
		if err := u.c.element.begin(ctx, u); err != nil {
			return nil, err
		}
	}
	if u.after, err = work(u.before); err != nil {
		return nil, err
	}
	if err := u.placed(ctx, u.c, u.t, u.after); err != nil {
		return nil, err
	}
	return u.store(ctx)
}

// resource makes before of what was read.
func (u *update) resource(ctx context.Context) error {
	pg, err := u.build(ctx, u.c, u.t, []adapters.Record{u.rec}, u.plan, &u.e, u.who)
	if err != nil {
		return err
	}
	if u.before = pg.resources[0]; pg.kept != nil {
		u.kept = pg.kept[0]
	}
	return nil
}

// store carries a change out and answers what is then stored. A change of nothing
// writes nothing (U-11, P-12).
func (u *update) store(ctx context.Context) (*scim.Resource, error) {
	if err := u.introduce(ctx, u.c, u.t, u.who, u.after); err != nil {
		return nil, err
	}
	d, err := u.t.Mapping.DeltaOf(u.rec, u.kept, u.before, u.after, u.who.key, u.who.id)
	if err != nil {
		return nil, err
	}
	if u.moves, err = u.moved(ctx, &d); err != nil {
		return nil, err
	}
	p := u.t.plan(u.c)
	stored, complete := u.rec, u.pretended || u.plan.Covers(p)
	if f := u.follow(d); !d.Empty() || !f.Empty() || u.moves != nil {
		if stored, err = u.apply(ctx, d, f, p.Want); err != nil {
			return nil, err
		}
		complete = complete || !d.Empty() || u.moves != nil
	}
	if !complete {
		if stored, err = u.read(adapters.WithoutCache(ctx), u.t, u.e, p.Want); err != nil {
			return nil, err
		}
	}
	return u.answer(ctx, u.c, u.t, stored, u.e, p, u.who)
}

// permitted carries the call's condition out on what was read.
func (u *update) permitted() error {
	if !u.c.If.Given() {
		return nil
	}
	u.t.stamp(u.plan, u.before)
	return u.c.If.permit(u.t, versionOf(u.before))
}

// held are the fields that the condition was decided on.
func (u *update) held() []string {
	if !u.c.If.needsVersion() {
		return nil
	}
	var out []string
	for i, name := range u.rec.Shape().Names() {
		if u.plan.Want.Has(i) {
			out = append(out, name)
		}
	}
	return out
}

func (u *update) apply(ctx context.Context, d adapters.Delta, f identity.Follow, want adapters.Fields) (adapters.Record, error) {
	was := u.before
	if u.moves != nil { // it has them, and for a moment nobody finds it
		was = nil
	}
	release, err := u.values.take(ctx, u.queues(u.t, u.after, was)...)
	if err != nil {
		return u.rec, err
	}
	defer release()
	free := func() error { return u.free(ctx, u.c.Caller.Tenant, u.t, u.after, u.before, u.rec.Key) }
	if err := free(); err != nil {
		return u.rec, err
	}
	if !d.Empty() && !u.t.inScope(d.After) {
		return u.rec, scim.Bad(scim.InvalidValue, "With this change the %s would be outside what provisioning may manage here.", u.t.name)
	}
	if u.t.Mapping.HasManaged() && !u.t.Mapping.Managed(d.After) {
		return u.rec, scim.Bad(scim.InvalidValue, "With this change the %s would be one that provisioning may not change again.", u.t.name)
	}
	if u.c.trying() {
		return u.tryOut(ctx, d, f)
	}
	if u.disables() {
		if err := u.spare(ctx, u.c); err != nil {
			return u.rec, err
		}
	}
	if err := u.disableFurther(ctx); err != nil {
		return u.rec, err
	}
	d.Held = u.held()
	in := u.intent(d, f)
	if u.open && in.Kind == identity.IntentRename {
		return u.rec, unsettled(u.t)
	}
	stored, at, err := u.carry(ctx, d, in, free, want)
	if err != nil {
		return stored, err
	}
	if f.ExternalID != nil {
		u.e.ExternalID = *f.ExternalID
	}
	if f.Touch {
		u.e = u.e.ModifiedIn(u.t.Backend, at)
	}
	if d.Empty() && u.moves == nil {
		return u.rec, nil
	}
	return stored, nil
}

// carry has the change made where the record is, or where it goes.
func (u *update) carry(ctx context.Context, d adapters.Delta, in identity.Intent, free func() error, want adapters.Fields) (adapters.Record, time.Time, error) {
	if u.moves != nil {
		return u.relocate(ctx, in, free, want)
	}
	return u.carryOut(ctx, u.t, in, free, d, want)
}

// intent is what is written down of a change where it touches more than the backend.
// One by which the record may get another key, of the key's fields or of what a backend
// may make keys of, is a renaming.
func (u *update) intent(d adapters.Delta, f identity.Follow) identity.Intent {
	in := identity.Intent{Domain: u.c.Caller.domain(), Type: u.t.name, Backend: u.t.Backend, Kind: identity.IntentChange, Identity: u.e.Identity,
		Keys: []string{string(u.rec.Key)}, Follow: f}
	a, err := u.t.telling("")
	if err != nil || d.Empty() {
		return in
	}
	renames := slices.ContainsFunc(d.Set, func(ch adapters.Change) bool { return slices.Contains(u.t.Mapping.Key(), ch.Field) })
	for _, n := range u.t.newValues(u.after, u.before) {
		renames = renames || u.t.Mapping.KeptName(n) == ""
	}
	if renames {
		in.Kind, in.Attribute, in.Value = identity.IntentRename, a.Path(), u.after.Get(a).String()
		if !a.CaseExact {
			in.Value = scim.Fold(in.Value)
		}
		in.Sole = slices.Contains(u.t.newValues(u.after, u.before), a)
	}
	return in
}
