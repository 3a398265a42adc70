package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// maxTries bounds how often a change is worked out again because the entry changed
// meanwhile, in something that the change does not speak of.
const maxTries = 20

// Update implements adapters.Adapter. The entry is read by its key, compared with
// what the delta says it held, and changed by one request, on condition that it is
// still as it was read. A change of the name is a request of its own, and a password
// may be: if a later one fails, the earlier ones are taken back.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	const op = "update"
	var rec adapters.Record
	if err := a.checkDelta(d); err != nil {
		return rec, err
	}
	if len(d.Set)+len(d.Held) > 0 { // changes of members alone need not wait for one another
		unlock, err := a.d.locks.lock(ctx, string(key))
		if err != nil {
			return rec, fault(ctx, op, err, false)
		}
		defer unlock()
	}
	err := a.d.use(ctx, op, func(s *session) error {
		now := key
		if !d.Empty() {
			c := &change{a: a, s: s, key: key, delta: d}
			err := c.run()
			if err != nil {
				return err
			}
			if now, err = c.newKey(); err != nil {
				return err
			}
		}
		var err error
		rec, err = a.get(s, now, want)
		return err
	})
	return rec, err
}

func (a *Adapter) checkDelta(d adapters.Delta) error {
	for _, c := range d.Set {
		if a.caps.Shape.Index(c.Field) < 0 {
			return &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: c.Field, Err: errors.New("no such field")}
		}
		if err := a.checkValue("update", c.Field, c.New); err != nil {
			return err
		}
	}
	for _, m := range d.Members {
		if f, ok := a.caps.Field(m.Field); !ok || !f.Delta {
			return &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: m.Field, Err: errors.New("no member changes")}
		}
		if err := a.checkValue("update", m.Field, slices.Concat(m.Add, m.Remove)); err != nil {
			return err
		}
	}
	return nil
}

// A change is a delta on its way into the directory.
type change struct {
	a     *Adapter
	s     *session
	key   adapters.Key
	delta adapters.Delta

	entry      *ldap.Entry
	now, after adapters.Record
	version    string // the value that a change of the entry changes, if the server keeps one
	mods       []ldap.Change
	back       []ldap.Change // takes mods back
	password   string
	lists      []*membership          // of whole lists that change
	done       []func(*session) error // what takes back what was done, last first
}

// versionAttribute changes with every change of an entry, where the server keeps it.
const versionAttribute = "entryCSN"

func (c *change) run() error {
	for tries := 1; ; tries++ {
		err := c.once()
		if err == nil {
			return nil
		}
		for _, f := range c.done {
			c.s.undo(f)
		}
		if code(err) != ldap.LDAPResultAssertionFailed || tries == maxTries {
			return err
		}
	}
}

func (c *change) once() error {
	c.mods, c.back, c.lists, c.done, c.password, c.version = nil, nil, nil, nil, "", ""
	if err := c.read(); err != nil {
		return err
	}
	if err := c.plan(); err != nil {
		return err
	}
	rdn, err := c.a.renamed(c.s.server, c.entry.DN, c.now, c.after)
	if err != nil {
		return err
	}
	if rdn != "" {
		if err := c.rename(rdn); err != nil {
			return err
		}
	}
	if err := c.modify(); err != nil {
		return err
	}
	if err := c.follow(); err != nil {
		return err
	}
	if c.password != "" {
		if err := c.s.setPassword(c.entry.DN, c.password); err != nil {
			return c.a.blame(c.s, err, passwordField(c.a))
		}
	}
	return nil
}

// follow changes what names the entry by an attribute that has changed.
func (c *change) follow() error {
	for _, by := range c.a.namedBy() {
		for i, f := range c.a.fields {
			was, is := adapters.Text(c.now.At(i)), adapters.Text(c.after.At(i))
			if f.mask > 0 || f.refers != nil || !c.s.same(f.attribute, by) || was == is || was == "" {
				continue
			}
			var back []func(*session) error
			c.takeBack(func(s *session) error {
				if is == "" {
					return each(s, back)
				}
				return c.a.repoint(s, is, was, by, nil)
			})
			if err := c.a.repoint(c.s, was, is, by, &back); err != nil {
				return err
			}
		}
	}
	return nil
}

// newKey is the key after the change.
func (c *change) newKey() (adapters.Key, error) {
	if c.a.target.Key != keyDN {
		for i, f := range c.a.fields {
			if f.attribute == c.a.target.Key && !adapters.Same(c.now.At(i), c.after.At(i)) {
				return adapters.Key(adapters.Text(c.after.At(i))), nil
			}
		}
		return c.key, nil
	}
	e, err := c.s.base(c.entry.DN, c.a.classes, noAttributes) // as the server spells it
	if err != nil || e == nil {
		return c.key, err
	}
	return adapters.Key(e.DN), nil
}

// read finds the entry, and of it what is to be changed.
func (c *change) read() error {
	a := c.a
	names := slices.Clone(c.delta.Held)
	for _, s := range c.delta.Set {
		names = append(names, s.Field)
	}
	compared := len(names) > 0
	if compared {
		for _, p := range a.rdn { // the name may be made of them
			names = append(names, p.fields...)
		}
	}
	want := a.caps.Shape.FieldSet(names...)
	more := a.namedBy()
	if compared {
		more = append(more, versionAttribute)
	}
	if len(a.target.Auxiliary) > 0 {
		more = append(more, "objectClass")
	}
	e, err := a.find(c.s, c.key, a.attributes(want, more...))
	if err != nil {
		return err
	}
	recs, err := a.records(c.s, []*ldap.Entry{e}, want)
	if err != nil {
		return err
	}
	c.entry, c.now = e, recs[0]
	if compared {
		c.version = e.GetEqualFoldAttributeValue(versionAttribute)
	}
	return nil
}

// plan works out the modifications.
func (c *change) plan() error {
	c.after = c.now.Clone()
	for _, set := range c.delta.Set {
		i := c.a.caps.Shape.Index(set.Field)
		f := c.a.fields[i]
		if f.secret {
			c.secret(f, adapters.Text(set.New))
			continue
		}
		if !adapters.Same(c.now.At(i), set.Old) {
			return stale(set.Field)
		}
		c.after.SetAt(i, set.New)
	}
	for _, name := range c.delta.Held {
		if !adapters.Same(c.now.Get(name), c.delta.Before.Get(name)) {
			return stale(name)
		}
	}
	for _, set := range c.delta.Set {
		i := c.a.caps.Shape.Index(set.Field)
		if err := c.set(c.a.fields[i], set); err != nil {
			return err
		}
	}
	c.auxiliary()
	return nil
}

func stale(field string) error {
	return &adapters.Error{Kind: adapters.Conflict, Field: field, Err: errors.New("the value is not what it was when it was read")}
}

// auxiliary adds the classes that the entry lacks.
func (c *change) auxiliary() {
	held := valuesOf(c.s.server, c.entry, "objectClass")
	adds := slices.ContainsFunc(c.mods, func(m ldap.Change) bool {
		return m.Operation != ldap.DeleteAttribute && len(m.Modification.Vals) > 0 && !slices.Contains(secrets, strings.ToLower(m.Modification.Type))
	})
	for _, class := range c.a.target.Auxiliary {
		if adds && !slices.ContainsFunc(held, func(h string) bool { return strings.EqualFold(h, class) }) {
			c.mod(ldap.AddAttribute, "objectClass", []string{class})
		}
	}
}

func (c *change) secret(f field, plain string) {
	if plain == "" {
		c.mods = append(c.mods, modification(ldap.ReplaceAttribute, f.attribute, nil))
		return
	}
	encoded, apart := c.s.password(f.attribute, plain)
	if apart {
		c.password = encoded
	} else {
		c.mods = append(c.mods, modification(ldap.ReplaceAttribute, f.attribute, []string{encoded}))
	}
}

// set changes the values of one field: those that were read go, by name where the schema
// can compare them, so that it fails if they are no longer there, and the new ones come. Of a field with one value,
// further values of the attribute stay behind the new one; they go with the last.
func (c *change) set(f field, set adapters.Change) error {
	if f.secret {
		return nil
	}
	held := valuesOf(c.s.server, c.entry, f.attribute)
	var wanted []string
	switch {
	case f.refers == nil && f.mask == 0 && !f.list && names(c.s.server, c.entry.DN, f.attribute, adapters.Text(c.now.Get(set.Field))) &&
		!spelled(c.s.server, c.entry.DN, f.attribute, adapters.Text(set.New)):
		return nil // the name changes it
	case f.refers != nil:
		return c.setReference(f, set)
	case f.mask > 0:
		if adapters.NoValue(set.New) {
			return &adapters.Error{Kind: adapters.Invalid, Field: set.Field, Err: errors.New("a bit has a value")}
		}
		if wanted = []string{withBit(first(held), f.mask, adapters.Text(set.New))}; len(c.a.bits(f.attribute)) > 1 {
			wanted = c.allBits(f, held)
		}
	case f.list:
		wanted = c.s.sentAll(f.attribute, set.New, held)
	case !adapters.NoValue(set.New):
		wanted = c.s.encodedAll(f.attribute, set.New)
		was := chosen(c.s.server, c.entry, f.attribute, held)
		for _, h := range held {
			if h != was && !c.s.equal(f.attribute, h, wanted[0]) {
				wanted = append(wanted, h)
			}
		}
	}
	c.exchange(f.attribute, held, wanted, !f.list)
	return nil
}

// bits are the fields that are bits of one attribute.
func (a *Adapter) bits(attribute string) []int {
	var out []int
	for i, f := range a.fields {
		if f.mask > 0 && strings.EqualFold(f.attribute, attribute) {
			out = append(out, i)
		}
	}
	return out
}

// allBits is the number with all bits as they should be, once.
func (c *change) allBits(f field, held []string) []string {
	n := first(held)
	for _, i := range c.a.bits(f.attribute) {
		if v := adapters.Text(c.after.At(i)); v != "" {
			n = withBit(n, c.a.fields[i].mask, v)
		}
	}
	return []string{n}
}

// exchange puts values in place of others. ordered says that the first one counts, so
// that all must be written again for a new first.
func (c *change) exchange(attribute string, held, wanted []string, ordered bool) {
	gone, come := without(held, wanted), without(wanted, held)
	if ordered && len(come) > 0 {
		gone, come = held, wanted
	}
	t := c.s.attribute(attribute)
	attribute = c.s.sent(attribute)
	if slices.ContainsFunc(c.mods, func(m ldap.Change) bool { return strings.EqualFold(m.Modification.Type, attribute) }) {
		return // another field of the same attribute did it
	}
	if t != nil && t.Equality == "" && len(gone)+len(come) > 0 { // no value of it can be named
		c.mods = append(c.mods, modification(ldap.ReplaceAttribute, attribute, wanted))
		c.back = slices.Insert(c.back, 0, modification(ldap.ReplaceAttribute, attribute, held))
		return
	}
	if len(gone) > 0 {
		c.mod(ldap.DeleteAttribute, attribute, gone)
	}
	if len(come) > 0 {
		c.mod(ldap.AddAttribute, attribute, come)
	}
}

// mod notes a modification, and what takes it back.
func (c *change) mod(operation uint, attribute string, values []string) {
	c.mods = append(c.mods, modification(operation, attribute, values))
	opposite := uint(ldap.AddAttribute)
	if operation == ldap.AddAttribute {
		opposite = ldap.DeleteAttribute
	}
	c.back = slices.Insert(c.back, 0, modification(opposite, attribute, values))
}

func modification(operation uint, attribute string, values []string) ldap.Change {
	return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: attribute, Vals: values}}
}
