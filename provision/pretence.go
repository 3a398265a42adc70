package provision

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A Pretence is what dry runs of one request have made so far, and nobody has: later
// operations of the request refer to it, change it and delete it. The zero Pretence is
// empty, and nil is one to which nothing is added.
type Pretence struct {
	mu   sync.Mutex
	made map[rules.ID]pretended
}

// A pretended is one resource that was not made.
type pretended struct {
	entry identity.Entry
	rec   adapters.Record
	kept  []identity.Keeping
	res   *scim.Resource // as it was answered
}

func (p *Pretence) find(typ, id string) (pretended, bool) {
	if p == nil {
		return pretended{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	made, ok := p.made[rules.ID{Type: typ, ID: id}]
	return made, ok
}

func (p *Pretence) put(made pretended) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil {
		p.made = map[rules.ID]pretended{}
	}
	p.made[rules.ID{Type: made.entry.Type, ID: made.entry.ID}] = made
}

func (p *Pretence) drop(typ, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.made, rules.ID{Type: typ, ID: id})
}

// all are those of now.
func (p *Pretence) all() map[rules.ID]pretended {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.made)
}

// cast is who is who at first: what was only pretended is known by its id.
func (c Call) cast() *cast {
	who := newCast()
	for ref := range c.Pretence.all() {
		who.keys[ref], who.ids[ref] = ref.ID, ref.ID
	}
	return who
}

// unclaimed refuses a unique value that something pretended has.
func (p *Pretence) unclaimed(t *target, after, before *scim.Resource, id string) error {
	for ref, made := range p.all() {
		if ref.Type != t.name || ref.ID == id {
			continue
		}
		for _, a := range t.newValues(after, before) {
			v, w := after.Get(a).String(), made.res.Get(a).String()
			if v == w || !a.CaseExact && coarse(v) == coarse(w) {
				return taken(t, a.Path(), nil)
			}
		}
	}
	return nil
}

// pretend answers a create that is not carried out: an id that nobody has, and
// the record as it would be sent to the backend.
func (s *Service) pretend(ctx context.Context, c Call, t *target, rec adapters.Record, who *cast, res *scim.Resource) (*scim.Resource, error) {
	if err := c.Pretence.unclaimed(t, res, nil, ""); err != nil {
		return nil, err
	}
	s.tried(ctx, c, t, "create", "")
	now := time.Now()
	e := identity.Entry{Type: t.name, Backend: t.Backend, Primary: true, Identity: "none", ID: pretendedID(), ExternalID: s.externalID(t, res),
		Made: now, Modified: now}
	e.Key = e.ID
	rec.Key = adapters.Key(e.ID)
	made, err := s.answer(ctx, c, t, rec, e, t.plan(c), who)
	if err == nil {
		c.Pretence.put(pretended{entry: e, rec: rec, kept: c.supposed, res: made})
	}
	return made, err
}

// changePretended is a change of what is not there.
func (u *update) changePretended(ctx context.Context, made pretended, work func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	u.e, u.rec, u.pretended = made.entry, made.rec, true
	u.c.supposed = made.kept
	res, err := u.on(ctx, work)
	if err == nil {
		u.c.Pretence.put(pretended{entry: u.e, rec: u.rec, kept: u.c.supposed, res: res})
	}
	return res, err
}

// tryOut ends a change that is not carried out.
func (u *update) tryOut(ctx context.Context, d adapters.Delta, f identity.Follow) (adapters.Record, error) {
	if err := u.c.Pretence.unclaimed(u.t, u.after, u.before, u.e.ID); err != nil {
		return u.rec, err
	}
	u.tried(ctx, u.c, u.t, "update", u.e.Identity)
	u.c.supposed = slices.Concat(u.c.supposed, f.Keep)
	if f.ExternalID != nil {
		u.e.ExternalID = *f.ExternalID
	}
	if f.Touch {
		u.e = u.e.ModifiedIn(u.t.Backend, time.Now())
	}
	if u.pretended {
		u.rec = d.After
	}
	return d.After, nil
}

// removePretended is a delete of what is not there.
func (s *Service) removePretended(ctx context.Context, c Call, t *target, made pretended) error {
	if t.caps.NoDelete {
		return scim.Errorf(501, "", "This backend lets nobody delete a %s.", t.name)
	}
	if c.If.Given() {
		if err := c.If.permit(t, versionOf(made.res)); err != nil {
			return err
		}
	}
	s.tried(ctx, c, t, "delete", "")
	c.Pretence.drop(t.name, made.entry.ID)
	return nil
}
