package provision

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// The records of a type may live in several places (rules.Place). A write after which
// a record belongs to another one moves it: it is created there as it is to be, the
// link follows, whoever refers to it refers to the new record, and the old one goes.
// The intent is written down first and stays until all of that is done. Until the
// link has followed, the record is where it was, whatever happens; from then on it is
// in its new place, and the old record a further one of the same identity, which no
// list shows.

// Moving is what becomes of records that go to another place.
type Moving struct {
	// Left is what becomes of the record where it was: RecordDelete, RecordDeactivate
	// or RecordKeep.
	Left string
	// WithoutPassword lets a resource go without what cannot be read, such as its
	// password. Otherwise the request must set it.
	WithoutPassword bool
}

// A relocation is a record on its way to another place.
type relocation struct {
	into   string
	record adapters.Record // as it is to be there
	writes func(field string) bool
	there  adapters.Record // the identity's further record in that place, if it has one
}

// moved works out whether a change brings the record to another place, and refuses
// what cannot go there before anything is changed.
func (u *update) moved(ctx context.Context, d *adapters.Delta) (*relocation, error) {
	if !u.t.Mapping.HasPlaces() || !u.pretended && u.e.Identity == "" {
		return nil, nil
	}
	into := u.t.Mapping.PlaceOf(u.after)
	if into == u.t.Mapping.IsIn(u.rec) {
		return nil, nil
	}
	whole := u.rec
	if !u.pretended {
		var err error
		if whole, err = u.wholly(ctx); err != nil {
			return nil, err
		}
	}
	r := &relocation{into: into, writes: u.t.Mapping.Writes}
	var unread []*scim.Attribute
	var err error
	if r.record, unread, err = u.t.Mapping.Moved(whole, *d, into); err != nil {
		return nil, err
	}
	if len(unread) > 0 && !u.pretended && !u.t.Moving.WithoutPassword {
		return nil, scim.Bad(scim.InvalidValue, "With this change the %s would have to move to where it belongs then, and its %s cannot be read to be taken along: "+
			"set %s in the same request.", u.t.name, unread[0].Path(), unread[0].Path())
	}
	d.After = d.After.Clone()
	d.After.Set(adapters.PlaceField, into)
	if u.pretended {
		return nil, nil
	}
	if err := u.unbound(ctx); err != nil {
		return nil, err
	}
	return r, u.vacant(ctx, r)
}

// wholly reads all of the record, which must still be what the change was decided on.
func (u *update) wholly(ctx context.Context) (adapters.Record, error) {
	rec, err := u.read(adapters.WithoutCache(ctx), u.t, u.e, adapters.AllFields)
	if err != nil {
		return rec, err
	}
	for i := range rec.Values() {
		if u.plan.Want.Has(i) && !adapters.Same(rec.At(i), u.rec.At(i)) {
			return rec, adapters.Errorf(adapters.Conflict, "get", "the record has changed meanwhile")
		}
	}
	return rec, nil
}

// unbound refuses to move a record to which others refer that could not refer to it
// in another place.
func (u *update) unbound(ctx context.Context) error {
	n := u.Identities(u.c.Caller.Tenant, nil)
	for _, owner := range u.targets {
		for _, r := range owner.Mapping.Rules() {
			can, _ := owner.caps.Field(r.Field())
			if typ, _ := r.Refers(); typ != u.t.name || !can.Bound || !r.Writable() {
				continue
			}
			held := 0
			err := n.referring(ctx, owner, r, u.rec.Key, func(rec adapters.Record) error {
				if owner.inScope(rec) {
					held++
				}
				return nil
			})
			if err != nil {
				return err
			}
			if held > 0 {
				return scim.Errorf(409, "", "With this change the %s would have to move to where it belongs then, and %s of a %s refers to it that cannot follow it there: "+
					"take it out first.", u.t.name, r.Holder().Path(), owner.name)
			}
		}
	}
	return nil
}

// vacant sees to it that the place has no record with the same unique values, and
// finds the one that an earlier move has left there.
func (u *update) vacant(ctx context.Context, r *relocation) error {
	ctx = adapters.WithoutCache(ctx)
	own := u.t.keys(u.e)
	if len(own) > 1 {
		recs, err := u.t.fetch(ctx, own[1:], adapters.AllFields)
		if err != nil {
			return err
		}
		for _, k := range own[1:] {
			if rec, ok := recs[k]; ok && u.t.Mapping.IsIn(rec) == r.into && u.leftHere(ctx, rec) {
				r.there = rec
			}
		}
	}
	for _, a := range u.t.newValues(u.after, nil) {
		in := identity.Intent{Domain: u.c.Caller.domain(), Attribute: a.Path(), Value: u.after.Get(a).String()}
		if u.t.Mapping.KeptName(a) != "" {
			continue
		}
		found, err := u.correlated(ctx, u.t, in, u.t.scope.Want)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found, func(rec adapters.Record) bool { return !slices.Contains(own, rec.Key) }) {
			return taken(u.t, a.Path(), nil)
		}
	}
	return nil
}

// leftHere reports whether a further record of the identity is one that a move has
// left, and not somebody's whom a merge has made the same.
func (u *update) leftHere(ctx context.Context, rec adapters.Record) bool {
	res, _ := u.t.Mapping.Read(rec, u.t.Mapping.Plan(func(a *scim.Attribute) bool { return slices.Contains(u.t.unique, a) }), u.warner(ctx, u.t))
	return slices.ContainsFunc(u.t.unique, func(a *scim.Attribute) bool {
		v := coarse(res.Get(a).String())
		return v != "" && (v == coarse(u.before.Get(a).String()) || v == coarse(u.after.Get(a).String()))
	})
}

// relocate moves the record.
func (u *update) relocate(ctx context.Context, in identity.Intent, free func() error, want adapters.Fields) (stored adapters.Record, at time.Time, err error) {
	r := u.moves
	if err := u.mark(&in, r); err != nil {
		return stored, at, err
	}
	if in, err = u.begin(ctx, u.t, in, u.rec.Key, free); err != nil {
		return stored, at, err
	}
	stored, err = u.arrive(ctx, r, want)
	if unsure(err) {
		stored, err = u.arrivedAfterAll(ctx, in, want, err)
	}
	if err != nil {
		err = u.unfinished(ctx, in, err)
		if adapters.Is(err, adapters.NotFound) { // what was left there is gone: once more without it
			err = cmp.Or(u.ids.ForgetOf(ctx, in.Domain.Tenant, in.Identity, u.t.link(r.there.Key)),
				error(adapters.Errorf(adapters.Conflict, "update", "the record left there is gone")))
		}
		return stored, at, err
	}
	settle := context.WithoutCancel(ctx) // it is there: the rest must not stop halfway
	u.t.recall.forget(u.rec.Key, stored.Key)
	if r.there.IsZero() && (!u.t.inScope(stored) || !u.t.Mapping.Managed(stored)) {
		u.takeBack(settle, u.t, in, stored.Key)
		return stored, at, scim.Bad(scim.InvalidValue, "With this change the %s would be outside what provisioning may manage here.", u.t.name)
	}
	u.t.moves.Add(1) // who begins to list after this finds the new record
	if in, at, err = u.ids.Relocate(settle, in, string(stored.Key)); err != nil {
		if errors.Is(err, identity.ErrUnknown) {
			u.takeBack(settle, u.t, in, stored.Key)
			err = notFound(u.t)
		}
		return stored, at, err // otherwise the intent is there still
	}
	u.e.Backend, u.e.Key, u.e.Birth = u.t.Backend, string(stored.Key), ""
	u.remember(settle, u.c, u.t, []identity.Entry{u.e}, []adapters.Record{stored})
	u.log.InfoContext(ctx, "a record was moved to another place", "type", u.t.name, "identity", u.e.Identity, "client", u.c.Caller.Client)
	u.leaveBehind(settle, in)
	return stored, at, nil
}

// mark makes an intent one to move a record: by what it is found again in its new
// place, or by what it shows that the record which is there has been changed.
func (u *update) mark(in *identity.Intent, r *relocation) error {
	a, err := u.t.telling("")
	if err != nil || !u.after.Get(a).Present() {
		return scim.Errorf(501, "", "A %s without a unique value cannot be moved to where it belongs with this change.", u.t.name)
	}
	in.Kind, in.Attribute, in.Value = identity.IntentRename, a.Path(), u.after.Get(a).String()
	if !a.CaseExact {
		in.Value = scim.Fold(in.Value)
	}
	in.Sole = slices.Contains(u.t.unique, a) // nobody may take it while it is in neither place for whoever looks
	in.Follow.Into, in.Follow.Fields, in.Follow.Before = &r.into, nil, ""
	if !r.there.IsZero() {
		in.Keys = append(in.Keys, string(r.there.Key))
		in.Follow.Fields = u.t.telltales(r.back())
		in.Follow.Before = digest("", r.there, in.Follow.Fields)
	}
	return nil
}

// back is how the record that is in the place already must change.
func (r *relocation) back() adapters.Delta {
	d := adapters.Delta{Before: r.there, After: r.there.Clone()}
	for i, name := range r.there.Shape().Names() {
		was, is := r.there.At(i), r.record.At(i)
		if name == adapters.PlaceField || adapters.Same(was, is) || !r.writes(name) {
			continue
		}
		d.After.SetAt(i, is)
		d.Set = append(d.Set, adapters.Change{Field: name, Old: was, New: is})
	}
	return d
}

// arrive creates the record in its new place, or changes the one that is there.
func (u *update) arrive(ctx context.Context, r *relocation, want adapters.Fields) (adapters.Record, error) {
	if r.there.IsZero() {
		return u.t.Adapter.Create(ctx, r.record, want)
	}
	if d := r.back(); !d.Empty() {
		return u.t.Adapter.Update(ctx, r.there.Key, d, want)
	}
	return u.t.Adapter.Get(adapters.WithoutCache(ctx), r.there.Key, want)
}

// arrivedAfterAll asks a place that gave no answer whether it has the record.
func (u *update) arrivedAfterAll(ctx context.Context, in identity.Intent, want adapters.Fields, cause error) (adapters.Record, error) {
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	key, _, err := u.arrived(settle, u.t, in)
	if err != nil || key == "" {
		return adapters.Record{}, cause
	}
	rec, err := u.t.Adapter.Get(adapters.WithoutCache(settle), key, want)
	if err != nil {
		return adapters.Record{}, cause
	}
	return rec, nil
}

// leaveBehind does what is to be done about the old record, now or later.
func (u *update) leaveBehind(ctx context.Context, in identity.Intent) {
	err := u.left(ctx, u.t, in)
	if err == nil {
		err = u.ids.Drop(ctx, in.Nr)
	}
	if err == nil {
		return
	}
	u.log.WarnContext(ctx, "what a moved record has left behind is still to be dealt with", "type", u.t.name, "entry", in.Nr, "reason", reasonOf(err))
	if err := u.ids.Put(ctx, in.Nr, identity.IntentWaiting, reasonOf(err)); err != nil {
		u.log.ErrorContext(ctx, "the mapping table", "error", err)
	}
}

// left deals with a record that a move has left where it was: who refers to it is to
// refer to the new one, and it goes, or is set inactive. Doing it twice does no harm.
func (s *Service) left(ctx context.Context, t *target, in identity.Intent) error {
	tenant := in.Domain.Tenant
	n := s.Identities(tenant, nil)
	old, now := adapters.Key(in.Keys[0]), adapters.Key(in.Follow.At)
	found, err := s.ids.Find(ctx, identity.Domain{Tenant: tenant}, []identity.Link{t.link(old)})
	if err != nil || found[0].Identity != in.Identity || found[0].Primary {
		return err // it is gone, or again the one to use
	}
	if err := n.exchange(ctx, t, old, now); err != nil {
		return err
	}
	switch t.Moving.Left {
	case RecordKeep:
		return nil
	case RecordDeactivate:
		err := n.deactivate(ctx, tenant, t, old)
		if adapters.Is(err, adapters.NotFound) {
			return n.unreachable(ctx, t, old)
		}
		return err
	}
	return n.discard(ctx, t, old)
}

// exchange makes whoever refers to one record refer to another.
func (n *Identities) exchange(ctx context.Context, t *target, from, into adapters.Key) error {
	for _, owner := range n.targets {
		for _, r := range owner.Mapping.Rules() {
			can, _ := owner.caps.Field(r.Field())
			if typ, list := r.Refers(); typ != t.name || !list || can.Bound || !r.Writable() {
				continue
			}
			err := n.referring(ctx, owner, r, from, func(rec adapters.Record) error { return n.swap(ctx, owner, rec, r, string(from), string(into)) })
			if err != nil {
				return err
			}
		}
	}
	return n.repoint(ctx, t, from, into)
}

// swap puts one member in the place of another.
func (n *Identities) swap(ctx context.Context, owner *target, rec adapters.Record, r *rules.Rule, from, into string) error {
	field := r.Field()
	var d adapters.Delta
	if f, _ := owner.caps.Field(field); f.Delta {
		d.Members = []adapters.MemberChange{{Field: field, Add: []string{into}, Remove: []string{from}}}
	} else {
		keys := slices.DeleteFunc(slices.Clone(r.Keys(rec.Get(field))), func(k string) bool { return k == from || k == into })
		whole, err := r.Hold(append(keys, into))
		if err != nil {
			return err
		}
		d.Before, d.After = rec, rec.Clone()
		d.After.Set(field, whole)
		d.Set = []adapters.Change{{Field: field, Old: rec.Get(field), New: whole}}
	}
	_, err := owner.Adapter.Update(ctx, rec.Key, d, owner.scope.Want)
	owner.recall.forget(rec.Key)
	return ignore(adapters.NotFound, err)
}
