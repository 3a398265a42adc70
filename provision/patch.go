package provision

import (
	"context"

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
	res, done, err := s.patchMembers(ctx, c, t, id, ops)
	if !done && err == nil {
		res, err = s.rewrite(ctx, c, t, id, nonNil(patch.Touches(ops)), func(before *scim.Resource) (*scim.Resource, error) {
			return patch.Apply(before, ops)
		})
	}
	return res, s.fail(t, err)
}

func nonNil(as []*scim.Attribute) []*scim.Attribute {
	if as == nil {
		return []*scim.Attribute{}
	}
	return as
}

// patchMembers sends a change that only adds and removes members straight to
// the backend, without reading any (P-64). done is false if the change is more
// than that, or the backend takes no such change.
func (s *Service) patchMembers(ctx context.Context, c Call, t *target, id string, ops []patch.Operation) (res *scim.Resource, done bool, err error) {
	deltas, ok := patch.MembersOnly(ops)
	if !ok || len(deltas) == 0 || t.Adapter.Capabilities().NoUpdate {
		return nil, false, nil
	}
	for _, d := range deltas {
		if _, ok := t.Mapping.MemberType(d.Attr); !ok {
			return nil, false, nil
		}
	}
	e, err := s.resolve(ctx, c, t, id)
	if err != nil {
		return nil, true, err
	}
	delta, ok, err := s.memberDelta(ctx, c, t, deltas)
	if !ok || err != nil {
		return nil, ok, err
	}
	rec, err := s.updateMembers(ctx, c, t, e, delta)
	if err != nil || !c.Body {
		return nil, true, err
	}
	res, err = s.one(ctx, c, t, rec)
	return res, true, err
}

func (s *Service) memberDelta(ctx context.Context, c Call, t *target, deltas []patch.MemberDelta) (adapters.Delta, bool, error) {
	var wanted []rules.ID
	for _, d := range deltas {
		typ, _ := t.Mapping.MemberType(d.Attr)
		for _, v := range append(texts(d.Attr, d.Add), texts(d.Attr, d.Remove)...) {
			wanted = append(wanted, rules.ID{Type: typ, ID: v})
		}
	}
	keys, err := s.keys(ctx, c, wanted)
	if err != nil {
		return adapters.Delta{}, true, err
	}
	var out adapters.Delta
	for _, d := range deltas {
		m, ok, err := t.Mapping.MemberDelta(d.Attr, texts(d.Attr, d.Add), texts(d.Attr, d.Remove), keys)
		if !ok || err != nil {
			return out, ok, err
		}
		if len(m.Add)+len(m.Remove) > 0 {
			out.Members = append(out.Members, m)
		}
	}
	return out, true, nil
}

// texts are the values of members.
func texts(a *scim.Attribute, members []scim.Value) []string {
	value := a.Find("value")
	out := make([]string, len(members))
	for i, m := range members {
		if value != nil {
			m = m.Get(value)
		}
		out[i] = m.String()
	}
	return out
}

func (s *Service) updateMembers(ctx context.Context, c Call, t *target, e identity.Entry, d adapters.Delta) (adapters.Record, error) {
	want := t.scopes.Want
	if c.Body {
		want = t.plan(c).Want
	}
	if t.Mapping.HasScope() || d.Empty() {
		rec, err := s.readRecord(adapters.WithoutCache(ctx), c, t, e, want)
		if err != nil || d.Empty() {
			return rec, err
		}
	}
	key, _ := e.KeyIn(t.Backend)
	rec, err := t.Adapter.Update(ctx, adapters.Key(key), d, want)
	if adapters.Is(err, adapters.NotFound) {
		return rec, notFound(c)
	}
	return rec, err
}
