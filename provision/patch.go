package provision

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
)

// Patch changes a resource in part (RFC 7644 section 3.5.2), all or nothing. The
// answer is nil where only members changed and the client asked for no
// attributes: reading a large group back would cost more than the change.
func (s *Service) Patch(ctx context.Context, c Call, id string, ops []patch.Operation) (*scim.Resource, error) {
	t := s.target(c)
	ctx = adapters.ForClient(ctx, c.Caller.Client)
	res, done, err := s.patchMembers(ctx, c, t, id, ops)
	if !done && err == nil {
		touched := patch.Touches(ops)
		p := t.changePlan(c, func(a *scim.Attribute) bool {
			return slices.ContainsFunc(touched, func(x *scim.Attribute) bool { return top(a) == top(x) })
		})
		res, err = s.change(ctx, c, t, id, p, false, func(before *scim.Resource) (*scim.Resource, error) {
			return patch.Apply(before, ops)
		})
		if changes, only := patch.MembersOnly(ops); c.trying() && only && len(changes) > 0 && !c.Body && !c.If.needsVersion() {
			res = nil // as it would be
		}
	}
	if err != nil {
		return nil, s.fail(ctx, t, err)
	}
	return res, nil
}

// patchMembers sends a change that only adds and removes members straight to
// the backend, without reading any (P-64). done is false if the change is more
// than that, or the backend takes no such change.
func (s *Service) patchMembers(ctx context.Context, c Call, t *target, id string, ops []patch.Operation) (res *scim.Resource, done bool, err error) {
	if t.caps.NoUpdate || t.Mapping.HasPlaces() || c.If.needsVersion() || c.Caller.Access != Full {
		return nil, false, nil
	}
	changes, ok := patch.MembersOnly(ops)
	if !ok || len(changes) == 0 {
		return nil, false, nil
	}
	m := &membership{Service: s, c: c, t: t, who: c.cast()}
	err = s.at(ctx, c, t, id, func(e identity.Entry) error {
		if !done { // the first time
			if done, err = m.plan(ctx, changes); !done || err != nil {
				return err
			}
		}
		rec, e, err := m.store(ctx, e)
		if err != nil || !c.Body && e.Primary { // by a secondary id: the answer tells the other one
			return err
		}
		res, err = s.answer(ctx, c, t, rec, e, t.plan(c), m.who)
		return err
	})
	return res, done, err
}

// A membership is a change of members alone.
type membership struct {
	*Service
	c     Call
	t     *target
	who   *cast
	delta adapters.Delta
}

// plan translates the change into the backend's keys. False if it must be worked
// out on the resource after all.
func (m *membership) plan(ctx context.Context, changes []patch.MemberDelta) (bool, error) {
	var named []rules.ID
	for _, d := range changes {
		named = append(named, m.t.Mapping.MemberIDs(d.Attr, d.Add)...)
		named = append(named, m.t.Mapping.MemberIDs(d.Attr, d.Remove)...)
	}
	if len(named) == 0 {
		return false, nil
	}
	all, err := m.meet(ctx, m.c, m.t, m.who, named)
	if err != nil {
		return true, err
	}
	look := rules.Lookup{Key: m.who.key, All: func(typ, id string) []string { return all[rules.ID{Type: typ, ID: id}] }}
	for _, d := range changes {
		ch, ok, err := m.t.Mapping.MemberDelta(d.Attr, m.t.Mapping.MemberIDs(d.Attr, d.Add), m.t.Mapping.MemberIDs(d.Attr, d.Remove), look)
		if !ok || err != nil {
			return ok, err
		}
		if meets(ch.Add, ch.Remove) {
			return false, nil // by two ids of one identity: it depends on the order
		}
		if len(ch.Add)+len(ch.Remove) > 0 {
			m.delta.Members = append(m.delta.Members, ch)
		}
	}
	return true, nil
}

func (m *membership) store(ctx context.Context, e identity.Entry) (adapters.Record, identity.Entry, error) {
	want := m.t.scope.Want
	if m.c.Body {
		want = m.t.plan(m.c).Want
	}
	if m.t.watched() || m.delta.Empty() {
		rec, err := m.read(adapters.WithoutCache(ctx), m.t, e, want)
		if err != nil || m.delta.Empty() {
			return rec, e, err
		}
		if err := m.t.manages(rec); err != nil {
			return rec, e, err
		}
	}
	in := identity.Intent{Domain: m.c.Caller.domain(), Type: m.t.name, Backend: m.t.Backend, Kind: identity.IntentChange, Identity: e.Identity,
		Keys: []string{string(m.t.key(e))}, Follow: identity.Follow{Touch: m.t.modified}}
	rec, at, err := m.carryOut(ctx, m.t, in, nil, m.delta, want)
	return rec, e.ModifiedIn(m.t.Backend, at), err
}

// meets reports whether two lists have an element in common.
func meets(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	in := make(map[string]bool, len(a))
	for _, s := range a {
		in[s] = true
	}
	return slices.ContainsFunc(b, func(s string) bool { return in[s] })
}
