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

// Elements of multi-valued attributes by keys of their own: a proposal, and no
// standard (GW-13). What a key is made of stands in elementkey.go.

// Keyed is a Service that knows elements by keys.
type Keyed struct {
	*Service
	secret []byte
}

// Keyed is the service, with a secret that all nodes share to make keys of.
func (s *Service) Keyed(secret []byte) *Keyed { return &Keyed{s, secret} }

// An Element is one element of a multi-valued attribute.
type Element struct {
	Key     string
	Alike   bool // there are several like it, and the key means none of them
	Value   scim.Value
	Version string // "" if resources have no versions
}

// Elements are those of one attribute of one resource.
type Elements struct {
	ID   string // of the resource, for its client
	Attr *scim.Attribute
	List []Element
}

// Elements lists the elements of an attribute.
func (s *Keyed) Elements(ctx context.Context, c Call, id string, a *scim.Attribute) (out Elements, err error) {
	t := s.target(c)
	p := t.plan(c)
	err = s.at(ctx, c, t, id, func(e identity.Entry) error {
		rec, err := s.read(ctx, t, e, p.Want)
		if err == nil {
			out, err = s.elements(ctx, c, t, rec, e, p, a)
		}
		return err
	})
	return out, s.fail(ctx, t, err)
}

// elements makes the elements of a record.
func (s *Keyed) elements(ctx context.Context, c Call, t *target, rec adapters.Record, e identity.Entry, p *rules.Plan, a *scim.Attribute) (Elements, error) {
	res, err := s.one(ctx, c, t, rec, e, p, nil)
	if err != nil {
		return Elements{}, err
	}
	kept, err := s.kept(ctx, c.Caller.Tenant, t, []adapters.Record{rec})
	if err != nil {
		return Elements{}, err
	}
	return s.keyed(c, t, res, a, readNicknames(kept[0], a)), nil
}

// keyed puts keys to the elements of a resource.
func (s *Keyed) keyed(c Call, t *target, res *scim.Resource, a *scim.Attribute, n nicknames) Elements {
	elems := res.Get(a).Elems()
	out := Elements{ID: res.ID(), Attr: a, List: make([]Element, len(elems))}
	keys := n.keys(s.marks(c, t, res, a))
	often := make(map[string]int, len(keys))
	for _, k := range keys {
		often[k]++
	}
	for i, e := range elems {
		v := visible(a, e)
		out.List[i] = Element{Key: keys[i], Alike: often[keys[i]] > 1, Value: v, Version: t.elementVersion(a, v)}
	}
	return out
}

// Find is the element with the key. One that several elements have is an error: none
// of them is taken by guess.
func (l Elements) Find(key string) (Element, error) {
	for _, e := range l.List {
		switch {
		case e.Key != key:
		case e.Alike:
			return Element{}, alike(l.Attr)
		default:
			return e, nil
		}
	}
	return Element{}, noElement(l.Attr)
}

// An ElementChange is what becomes of one element.
type ElementChange struct {
	Attr *scim.Attribute
	Key  string // "" for a new one
	// Work says what the element should be, from what it is; absent: it goes.
	Work func(was scim.Value) (scim.Value, error)
}

// ChangeElement adds, replaces or removes an element, and answers it as it is stored
// then. The call's condition is about the element.
func (s *Keyed) ChangeElement(ctx context.Context, c Call, id string, ch ElementChange) (ChangedElement, error) {
	t := s.target(c)
	w := &elementWork{ElementChange: ch, s: s, t: t, c: c, when: c.If}
	c.If, c.element = Condition{}, w
	p := t.changePlan(c, func(a *scim.Attribute) bool { return top(a) == top(ch.Attr) })
	res, err := s.change(ctx, c, t, id, p, false, w.apply)
	if err != nil {
		return ChangedElement{}, s.fail(ctx, t, err)
	}
	out := ChangedElement{ID: res.ID(), Added: !w.known}
	out.Element, out.There = w.stored(res)
	return out, nil
}

// A ChangedElement is what has become of an element.
type ChangedElement struct {
	Element
	There bool   // false if it is gone, or the backend has made something else of it
	Added bool   // there was none like it
	ID    string // of the resource, for its client
}

// An elementWork is a change of an element at work on a resource.
type elementWork struct {
	ElementChange
	s     *Keyed
	t     *target
	c     Call
	when  Condition
	names nicknames // as they are kept
	key   string    // what the element is called in the end
	known bool      // it was there before, or another one like it
	was   []string  // the keys of all elements before
}

// begin is told what is kept of the record that is to be changed.
func (w *elementWork) begin(ctx context.Context, u *update) error {
	kept := u.kept
	if !u.plan.Keeping() {
		all, err := w.s.kept(ctx, w.c.Caller.Tenant, w.t, []adapters.Record{u.rec})
		if err != nil {
			return err
		}
		kept = all[0]
	}
	w.names = readNicknames(kept, w.Attr)
	return nil
}

// apply makes of a resource what it should be.
func (w *elementWork) apply(before *scim.Resource) (*scim.Resource, error) {
	w.key = ""
	w.was, w.known = w.names.keys(w.s.marks(w.c, w.t, before, w.Attr)), false
	after, err := w.next(before)
	if err != nil {
		return nil, err
	}
	if lost := w.t.Mapping.Unplaced(after); len(lost) > len(w.t.Mapping.Unplaced(before)) {
		return nil, scim.Bad(scim.InvalidValue, "%s has no place in the backend; see the canonical values in /Schemas.", lost[len(lost)-1])
	}
	return after, nil
}

func (w *elementWork) next(before *scim.Resource) (*scim.Resource, error) {
	if w.Key == "" {
		return w.add(before)
	}
	i, err := w.find()
	if err != nil {
		return nil, err
	}
	was := before.Get(w.Attr).Elems()[i]
	if err := w.when.permitElement(w.t.elementVersion(w.Attr, visible(w.Attr, was))); err != nil {
		return nil, err
	}
	elem, err := w.Work(was)
	switch {
	case err != nil:
		return nil, err
	case !elem.Present():
		return patch.RemoveElement(before, w.Attr, i)
	}
	w.known = true
	after, err := patch.PutElement(before, w.Attr, i, elem)
	if err == nil {
		w.name(after, elem)
	}
	return after, err
}

// name makes sure that an element that was changed keeps its key. A reference that
// names another resource is another element.
func (w *elementWork) name(after *scim.Resource, elem scim.Value) {
	marks := w.s.marks(w.c, w.t, after, w.Attr)
	i := slices.Index(patch.Identities(w.Attr, after.Get(w.Attr)), patch.Identities(w.Attr, scim.List(elem))[0])
	if w.key = w.Key; i < 0 {
		return
	}
	if w.key = w.names.keys(marks)[i]; w.key == w.Key || patch.IsReferences(w.Attr) {
		return
	}
	if names, ok := w.names.with(w.Key, marks[i]); ok {
		w.names, w.key = names, w.Key
	}
}

func (w *elementWork) add(before *scim.Resource) (*scim.Resource, error) {
	elem, err := w.Work(scim.Value{})
	if err != nil {
		return nil, err
	}
	after, err := patch.AddElement(before, w.Attr, elem)
	if err != nil {
		return nil, err
	}
	mine := patch.Identities(w.Attr, scim.List(elem))[0]
	if i := slices.Index(patch.Identities(w.Attr, after.Get(w.Attr)), mine); i >= 0 {
		w.key = w.names.keys(w.s.marks(w.c, w.t, after, w.Attr))[i]
	}
	w.known = slices.Contains(patch.Identities(w.Attr, before.Get(w.Attr)), mine)
	return after, nil
}

// find is where the element with the key stands.
func (w *elementWork) find() (int, error) {
	i := slices.Index(w.was, w.Key)
	switch {
	case i < 0:
		return 0, noElement(w.Attr)
	case slices.Contains(w.was[i+1:], w.Key):
		return 0, alike(w.Attr)
	}
	return i, nil
}

func noElement(a *scim.Attribute) error {
	return scim.Errorf(404, "", "%q has no element with this key.", a.Path())
}

func alike(a *scim.Attribute) error {
	return scim.Errorf(409, "", "Several elements of %q are the same, so that this key means none of them; change the whole attribute.", a.Path())
}

// keeping is what the mapping table is to remember.
func (w *elementWork) keeping() []identity.Keeping {
	if w == nil {
		return nil
	}
	return w.names.keeping(w.Attr)
}

// stored finds the element in what is stored then.
func (w *elementWork) stored(res *scim.Resource) (Element, bool) {
	now := w.s.keyed(w.c, w.t, res, w.Attr, w.names)
	if e, err := now.Find(w.key); err == nil {
		return e, true
	}
	if w.key == "" { // it was removed
		return Element{}, false
	}
	var fresh []Element // the backend may have stored it in its own way
	for _, e := range now.List {
		if !slices.Contains(w.was, e.Key) {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) != 1 {
		return Element{}, false
	}
	return fresh[0], true
}
