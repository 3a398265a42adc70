package provision

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// Create stores a new resource (RFC 7644 section 3.3) and answers what the
// backend then holds.
func (s *Service) Create(ctx context.Context, c Call, d *schema.Decoded) (*scim.Resource, error) {
	t := s.target(c)
	res, err := s.create(ctx, c, t, d)
	return res, s.fail(t, err)
}

func (s *Service) create(ctx context.Context, c Call, t *target, d *schema.Decoded) (*scim.Resource, error) {
	if t.Adapter.Capabilities().NoCreate {
		return nil, scim.Errorf(501, "", "This backend lets nobody create a %s.", c.Type.Name)
	}
	keys, err := s.keys(ctx, c, t.Mapping.ReferencedIDs(d.Resource))
	if err != nil {
		return nil, err
	}
	null := func(a *scim.Attribute) bool { return slices.Contains(d.Nulls, a) }
	rec, err := t.Mapping.NewRecord(d.Resource, null, keys)
	if err != nil {
		return nil, err
	}
	if err := s.placed(ctx, c, t, d.Resource); err != nil {
		return nil, err
	}
	defer s.lock(t, d.Resource, nil)()
	if err := s.taken(ctx, t, d.Resource, nil, ""); err != nil {
		return nil, err
	}
	p := t.plan(c)
	stored, err := t.Adapter.Create(ctx, rec, p.Want)
	if err != nil {
		return nil, err
	}
	if !t.Mapping.InScope(stored) {
		return nil, s.takeBack(ctx, t, stored)
	}
	link := identity.Link{Type: t.name, Backend: t.Backend, Key: string(stored.Key)}
	if _, err := s.ids.Create(ctx, c.Caller.domain(), link, s.externalID(t, d.Resource)); err != nil {
		return nil, err
	}
	return s.one(ctx, c, t, stored)
}

// takeBack removes a record that the scope would hide from its own creator.
func (s *Service) takeBack(ctx context.Context, t *target, stored adapters.Record) error {
	if err := t.Adapter.Delete(ctx, stored.Key); err != nil {
		return err
	}
	return scim.Bad(scim.InvalidValue, "This %s would be outside what provisioning may manage here.", t.name)
}

// externalID is the value to keep in the mapping table.
func (s *Service) externalID(t *target, r *scim.Resource) string {
	if t.Mapping.MapsExternalID() {
		return ""
	}
	return r.Get(r.Layout().ExternalID).String()
}

// placed reports elements of multi-valued attributes that have no place in the
// backend: an error for clients that want to know, a line in the log otherwise.
func (s *Service) placed(ctx context.Context, c Call, t *target, r *scim.Resource) error {
	lost := t.Mapping.Unplaced(r)
	if len(lost) == 0 {
		return nil
	}
	if c.Caller.Reject {
		return scim.Bad(scim.InvalidValue, "%s has no place in the backend; see the canonical values in /Schemas.", lost[0])
	}
	s.log.WarnContext(ctx, "values left out: no rule stores them", "type", t.name, "attributes", lost)
	return nil
}

// lock makes writers of the same unique values wait for each other, since a
// backend's own constraint may tell cases apart that SCIM does not. It returns
// the function that lets go.
func (s *Service) lock(t *target, r, before *scim.Resource) func() {
	var slots []int
	for _, a := range t.unique {
		if v := r.Get(a); v.Present() && (before == nil || !before.Get(a).Equal(v)) {
			slots = append(slots, int(maphash.String(s.seed, t.name+"\x00"+scim.Fold(v.String()))%uint64(len(s.locks))))
		}
	}
	slices.Sort(slots)
	slots = slices.Compact(slots)
	for _, i := range slots {
		s.locks[i].Lock()
	}
	return func() {
		for _, i := range slots {
			s.locks[i].Unlock()
		}
	}
}

// taken refuses a unique value that another record has, by the rule by which
// filters compare (F-37). Records out of scope count: their values are taken too.
func (s *Service) taken(ctx context.Context, t *target, r, before *scim.Resource, key adapters.Key) error {
	for _, a := range t.unique {
		v := r.Get(a)
		if !v.Present() || (before != nil && before.Get(a).Equal(v)) {
			continue
		}
		e, err := schema.Bind(r.Layout(), &filter.Compare{Name: a.Path(), Op: filter.Eq, Value: filter.StringValue(v.String())}, schema.BindOptions{})
		if err != nil {
			return err
		}
		pushed, rest := t.Mapping.Push(e, rules.Lookup{})
		if rest != nil || pushed == nil {
			continue // the backend must refuse it by itself
		}
		pg, err := t.Adapter.List(ctx, adapters.Query{Filter: pushed, Limit: 2})
		if err != nil {
			return err
		}
		for _, other := range pg.Records {
			if other.Key != key {
				return &scim.Error{Status: 409, Type: scim.Uniqueness,
					Detail: "Another " + t.name + " has this " + a.Path() + " already; it must be unique."}
			}
		}
	}
	return nil
}

// Replace stores a whole resource in place of another (RFC 7644 section 3.5.1).
func (s *Service) Replace(ctx context.Context, c Call, id string, d *schema.Decoded) (*scim.Resource, error) {
	t := s.target(c)
	res, err := s.rewrite(ctx, c, t, id, nil, func(before *scim.Resource) (*scim.Resource, error) {
		after := d.Resource.Clone()
		return after, schema.CheckReplace(before, after)
	})
	return res, s.fail(t, err)
}

// attempts is how often a change is worked out anew when the record changed
// meanwhile.
const attempts = 5

// rewrite reads a resource, lets change work out what it should be, and stores
// the difference. Attributes in touched are read even where that is costly; nil
// reads everything that can be written.
func (s *Service) rewrite(ctx context.Context, c Call, t *target, id string, touched []*scim.Attribute,
	change func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if t.Adapter.Capabilities().NoUpdate {
		return nil, scim.Errorf(501, "", "This backend lets nobody change a %s.", c.Type.Name)
	}
	e, err := s.resolve(ctx, c, t, id)
	if err != nil {
		return nil, err
	}
	p := t.writePlan(c, touched)
	for try := 1; ; try++ {
		res, err := s.tryRewrite(ctx, c, t, e, p, change)
		if try < attempts && adapters.Is(err, adapters.Conflict) && ctx.Err() == nil {
			continue
		}
		return res, err
	}
}

// writePlan reads all that the change may look at and all that the answer needs.
func (t *target) writePlan(c Call, touched []*scim.Attribute) *rules.Plan {
	costly := map[*scim.Attribute]bool{}
	for _, r := range t.Mapping.Rules() {
		if r.Costly() {
			costly[r.Top()] = true
		}
	}
	return t.Mapping.Plan(func(a *scim.Attribute) bool {
		top := a
		for top.Parent() != nil {
			top = top.Parent()
		}
		if !costly[top] || c.Select.Needs(a) {
			return true
		}
		if touched == nil {
			return top.Mutability != scim.ReadOnly
		}
		return slices.ContainsFunc(touched, func(x *scim.Attribute) bool {
			for ; x != nil; x = x.Parent() {
				if x == top {
					return true
				}
			}
			return false
		})
	})
}

func (s *Service) tryRewrite(ctx context.Context, c Call, t *target, e identity.Entry, p *rules.Plan,
	change func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	rec, err := s.readRecord(adapters.WithoutCache(ctx), c, t, e, p.Want)
	if err != nil {
		return nil, err
	}
	pg, err := s.build(ctx, c, t, []adapters.Record{rec}, p)
	if err != nil {
		return nil, err
	}
	before := pg.resources[0]
	after, err := change(before)
	if err != nil {
		return nil, err
	}
	if err := s.placed(ctx, c, t, after); err != nil {
		return nil, err
	}
	return s.store(ctx, c, t, update{caller: c.Caller, rec: rec, before: before, after: after, plan: p, entry: pg.entries[0]})
}

// An update is a resource before and after, and who asks.
type update struct {
	caller        Caller
	rec           adapters.Record
	before, after *scim.Resource
	plan          *rules.Plan
	entry         identity.Entry
}

// store carries a change out and answers what is then stored.
func (s *Service) store(ctx context.Context, c Call, t *target, ch update) (*scim.Resource, error) {
	keys, err := s.keys(ctx, c, append(t.Mapping.ReferencedIDs(ch.before), t.Mapping.ReferencedIDs(ch.after)...))
	if err != nil {
		return nil, err
	}
	d, err := t.Mapping.Delta(ch.rec, ch.before, ch.after, keys)
	if err != nil {
		return nil, err
	}
	ext := s.externalID(t, ch.after)
	renamed := ext != s.externalID(t, ch.before)
	if d.Empty() && !renamed {
		return ch.before, nil
	}
	stored := ch.rec
	if !d.Empty() {
		if stored, err = s.apply(ctx, t, ch, d, t.plan(c).Want); err != nil {
			return nil, err
		}
	}
	if renamed {
		if err := s.ids.SetExternalID(ctx, c.Caller.domain(), t.name, ch.entry.ID, ext); err != nil {
			return nil, err
		}
	}
	return s.one(ctx, c, t, stored)
}

func (s *Service) apply(ctx context.Context, t *target, ch update, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	defer s.lock(t, ch.after, ch.before)()
	if err := s.taken(ctx, t, ch.after, ch.before, ch.rec.Key); err != nil {
		return ch.rec, err
	}
	if !t.Mapping.InScope(d.After) {
		return ch.rec, scim.Bad(scim.InvalidValue, "With this change the %s would be outside what provisioning may manage here.", t.name)
	}
	stored, err := t.Adapter.Update(ctx, ch.rec.Key, d, want)
	if err != nil {
		return stored, err
	}
	if stored.Key != ch.rec.Key {
		old := identity.Link{Type: t.name, Backend: t.Backend, Key: string(ch.rec.Key)}
		err = s.ids.Rekey(ctx, ch.caller.Tenant, old, string(stored.Key))
	}
	return stored, err
}

// Delete removes a resource (RFC 7644 section 3.6). Its id is never used again.
func (s *Service) Delete(ctx context.Context, c Call, id string) error {
	t := s.target(c)
	return s.fail(t, s.remove(ctx, c, t, id))
}

func (s *Service) remove(ctx context.Context, c Call, t *target, id string) error {
	if t.Adapter.Capabilities().NoDelete {
		return scim.Errorf(501, "", "This backend lets nobody delete a %s.", c.Type.Name)
	}
	e, err := s.resolve(ctx, c, t, id)
	if err != nil {
		return err
	}
	key, _ := e.KeyIn(t.Backend)
	link := identity.Link{Type: t.name, Backend: t.Backend, Key: key}
	if t.Mapping.HasScope() {
		if _, err := s.readRecord(adapters.WithoutCache(ctx), c, t, e, t.scopes.Want); err != nil {
			return err
		}
	}
	err = t.Adapter.Delete(ctx, adapters.Key(key))
	if err != nil && !adapters.Is(err, adapters.NotFound) {
		return err
	}
	if ferr := s.ids.Forget(ctx, c.Caller.Tenant, link); ferr != nil && !errors.Is(ferr, identity.ErrUnknown) {
		return ferr
	}
	if err != nil {
		return notFound(c)
	}
	return nil
}
