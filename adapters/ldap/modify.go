package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// A membership is who comes to and goes from the values of one attribute. Whether they
// are there already does not matter, and is not read.
type membership struct {
	attribute   string
	add, remove []string
	placeholder string // stands in the list where it must not be empty
	stands      bool   // it was found to be needed
}

// changes are the modifications of a membership. A placeholder that is no longer needed
// goes when somebody comes: it is added first, so that it can be taken away.
func (m *membership) changes() []ldap.Change {
	var out []ldap.Change
	add, remove := slices.Clone(m.add), slices.Clone(m.remove)
	switch {
	case m.placeholder == "":
	case m.stands:
		add = append(add, m.placeholder)
	case len(m.add) > 0:
		add, remove = append(add, m.placeholder), append(remove, m.placeholder)
	}
	if len(add) > 0 {
		out = append(out, modification(ldap.AddAttribute, m.attribute, add))
	}
	if len(remove) > 0 {
		out = append(out, modification(ldap.DeleteAttribute, m.attribute, remove))
	}
	return out
}

// modify changes an entry by one request. permissive says that nothing in mods relies
// on failing when a value is not there.
func (s *session) modify(dn string, mods []ldap.Change, members []*membership, controls []ldap.Control, permissive bool) error {
	if permissive && len(members) > 0 {
		controls = append(slices.Clone(controls), ldap.NewControlString(controlPermissive, false, ""))
	}
	for tries := 1; ; tries++ {
		request := ldap.NewModifyRequest(dn, controls)
		request.Changes = slices.Clone(mods)
		for _, m := range members {
			request.Changes = append(request.Changes, m.changes()...)
		}
		if len(request.Changes) == 0 {
			return nil
		}
		err := s.change(func() error { return s.c.Modify(request) }, modified(request), "modify", dn)
		if err == nil || tries == maxTries || len(members) == 0 {
			return err
		}
		switch code := code(err); {
		case code == ldap.LDAPResultObjectClassViolation: // perhaps the list must not be empty
			if !stand(members) {
				return err
			}
		case s.asItIs(code):
			again, failed := s.narrow(dn, members)
			if failed != nil || !again {
				return errors.Join(failed, err)
			}
		default:
			return err
		}
	}
}

// asItIs reports a code that may mean that a value that comes is there already, or that
// one that goes is not. Active Directory has words of its own for members, with and
// without the control that permits it.
func (s *session) asItIs(code uint16) bool {
	switch code {
	case ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists:
		return true
	case ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultUnwillingToPerform:
		return s.active
	}
	return false
}

// stand puts the placeholder into lists that may have become empty.
func stand(members []*membership) bool {
	changed := false
	for _, m := range members {
		if m.placeholder != "" && len(m.remove) > 0 && !m.stands {
			m.stands, changed = true, true
		}
	}
	return changed
}

// narrow leaves out of a membership who is there already, or is not there anyway. Each
// is asked for by itself: the others are not read.
func (s *session) narrow(dn string, members []*membership) (again bool, err error) {
	for _, m := range members {
		keep := func(values []string, there bool) ([]string, error) {
			var out []string
			for _, v := range values {
				is, err := s.holds(dn, m.attribute, v)
				if err != nil {
					return nil, err
				}
				if is == there {
					out = append(out, v)
				} else {
					again = true
				}
			}
			return out, nil
		}
		named := m.stands || len(m.add) > 0
		if m.add, err = keep(m.add, false); err != nil {
			return false, err
		}
		if m.remove, err = keep(m.remove, true); err != nil {
			return false, err
		}
		if m.placeholder != "" && named {
			// As a plain member it comes and goes like any other.
			is, err := s.holds(dn, m.attribute, m.placeholder)
			switch {
			case err != nil:
				return false, err
			case m.stands && !is:
				m.add = append(m.add, m.placeholder)
			case !m.stands && is && len(m.add) > 0:
				m.remove = append(m.remove, m.placeholder)
			}
			m.placeholder, again = "", true
		}
	}
	return again, nil
}

// holds reports whether a value is among those of an attribute. Samba cannot compare
// names in which something is escaped, but finds them.
func (s *session) holds(dn, attribute, value string) (bool, error) {
	if s.active {
		e, err := s.base(dn, equals(attribute, value), noAttributes)
		return e != nil, err
	}
	is, err := s.c.Compare(dn, attribute, value)
	if code(err) == ldap.LDAPResultNoSuchAttribute {
		err = nil
	}
	return is, err
}

// modify sends what was planned, and the members.
func (c *change) modify() error {
	var members []*membership
	for _, d := range c.delta.Members {
		m, err := c.membership(d)
		if err != nil {
			return err
		}
		members = append(members, m)
	}
	members = append(members, c.lists...)
	var controls []ldap.Control
	if len(members) == 0 {
		controls = c.unchanged(len(c.done) == 0)
	}
	if err := c.s.modify(c.entry.DN, c.mods, members, controls, len(c.delta.Set) == 0); err != nil {
		return c.blame(err)
	}
	if back, dn := c.back, c.entry.DN; len(back) > 0 {
		c.takeBack(func(s *session) error { return s.modify(dn, back, nil, nil, false) })
	}
	return nil
}

// unchanged is the control that lets a change happen only if the entry is still the
// one that was read and, with version, has not changed since. It does not go with
// changes of members: OpenLDAP's overlay for memberOf applies it to the members, too,
// and then forgets them.
func (c *change) unchanged(version bool) []ldap.Control {
	condition := always
	if c.a.target.Key != keyDN {
		condition = c.a.target.keyCondition(c.s.server, string(c.key))
	}
	if version && c.version != "" {
		condition = allOf(condition, equals(versionAttribute, c.version))
	}
	return c.s.assert(condition)
}

// blame names the field at fault, if only one can be.
func (c *change) blame(err error) error {
	switch {
	case code(err) == ldap.LDAPResultAssertionFailed:
		return err
	case code(err) == ldap.LDAPResultNoSuchObject:
		return &adapters.Error{Kind: adapters.NotFound, Err: err}
	}
	field := ""
	switch n := len(c.delta.Set) + len(c.delta.Members); {
	case n != 1:
	case len(c.delta.Set) == 1:
		field = c.delta.Set[0].Field
	default:
		field = c.delta.Members[0].Field
	}
	return c.a.blame(c.s, err, field)
}

// membership names the entries of a change of members.
func (c *change) membership(d adapters.MemberChange) (*membership, error) {
	f := c.a.fields[c.a.caps.Shape.Index(d.Field)]
	m := &membership{attribute: f.attribute, placeholder: c.a.target.Placeholder}
	var err error
	if m.add, err = f.refers.values(c.s, d.Field, without(d.Add, nil), true); err != nil {
		return nil, err
	}
	m.remove, err = f.refers.values(c.s, d.Field, without(d.Remove, d.Add), false)
	return m, err
}

// setReference changes a reference, of one value or of a whole list.
func (c *change) setReference(f field, set adapters.Change) error {
	if f.list {
		is, _ := set.New.([]string)
		was, _ := c.now.Get(set.Field).([]string)
		m, err := c.membership(adapters.MemberChange{Field: set.Field, Add: without(is, was), Remove: without(was, is)})
		c.lists = append(c.lists, m)
		return err
	}
	var wanted []string
	if !adapters.NoValue(set.New) {
		var err error
		if wanted, err = f.refers.values(c.s, set.Field, []string{adapters.Text(set.New)}, true); err != nil {
			return err
		}
	}
	c.exchange(f.attribute, valuesOf(c.s.server, c.entry, f.attribute), wanted, true)
	return nil
}

// rename gives the entry another name, and follows with what names it.
func (c *change) rename(rdn string) error {
	old, is := c.entry.DN, below(rdn, parent(c.entry.DN))
	var controls []ldap.Control
	if !c.a.hasMembers() {
		controls = c.unchanged(true)
	}
	err := c.s.change(func() error { return c.s.c.ModifyDN(ldap.NewModifyDNWithControlsRequest(old, rdn, true, "", controls)) }, "newrdn: "+rdn, "rename", old)
	if err != nil {
		if code(err) == ldap.LDAPResultAssertionFailed {
			return err
		}
		return c.a.blame(c.s, err, c.a.nameField())
	}
	first := strings.TrimSuffix(old, ","+parent(old))
	c.takeBack(func(s *session) error {
		err := s.c.ModifyDN(ldap.NewModifyDNRequest(is, first, true, ""))
		return errors.Join(err, c.a.repoint(s, is, old, "", nil))
	})
	c.entry.DN = is
	return c.a.repoint(c.s, old, is, "", nil)
}

// repoint puts another value in place of that by which other entries name this one; in
// place of a DN, if by is empty. Without another one, back notes how it is put there again.
func (a *Adapter) repoint(s *session, was, is, by string, back *[]func(*session) error) error {
	return a.eachReferrer(func(r *referrer) error {
		if r.field.refers.By != by || was == is {
			return nil
		}
		return r.exchange(s, was, is, back)
	})
}

// exchange changes a value wherever it stands; without a new one, back notes how it is
// put there again.
func (r *referrer) exchange(s *session, was, is string, back *[]func(*session) error) error {
	var found []string
	condition := allOf(r.a.classes, equals(r.field.attribute, was))
	err := s.search(&r.a.target.Entries, condition, noAttributes, func(e *ldap.Entry) error {
		found = append(found, e.DN)
		return nil
	})
	for _, dn := range found {
		if err != nil {
			break
		}
		if is == "" {
			if err = r.move(s, dn, nil, []string{was}); err == nil && back != nil {
				*back = append(*back, func(s *session) error { return r.move(s, dn, []string{was}, nil) })
			}
		} else {
			err = r.replace(s, dn, was, is)
		}
		if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultNoSuchAttribute) {
			err = nil // somebody else did it, or it is gone
		}
	}
	return err
}

// move takes values into an entry, or out of it.
func (r *referrer) move(s *session, dn string, add, remove []string) error {
	m := &membership{attribute: r.field.attribute, add: add, remove: remove, placeholder: r.a.target.Placeholder}
	return s.modify(dn, nil, []*membership{m}, nil, true)
}

// replace puts a value in place of another, in this order: for the directory the two
// may be equal. Where the new one stands already, the old one goes alone.
func (r *referrer) replace(s *session, dn, was, is string) error {
	gone := modification(ldap.DeleteAttribute, r.field.attribute, []string{was})
	err := s.modify(dn, []ldap.Change{gone, modification(ldap.AddAttribute, r.field.attribute, []string{is})}, nil, nil, false)
	if err != nil && code(err) == ldap.LDAPResultAttributeOrValueExists {
		err = s.modify(dn, []ldap.Change{gone}, nil, nil, false)
	}
	return err
}

// eachReferrer calls f with the fields whose values name entries of this branch.
func (a *Adapter) eachReferrer(f func(*referrer) error) error {
	a.d.mu.RLock()
	all := slices.Clone(a.d.referrs)
	a.d.mu.RUnlock()
	for _, r := range all {
		to := r.field.refers.To
		if to.Base != a.target.Base || to.Key != a.target.Key || to.Subtree != a.target.Subtree || !slices.Equal(to.Classes, a.target.Classes) {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// namedBy lists the attributes by which other entries name those of this branch.
func (a *Adapter) namedBy() []string {
	var out []string
	_ = a.eachReferrer(func(r *referrer) error { // it cannot fail
		if by := r.field.refers.By; by != "" && !slices.Contains(out, by) {
			out = append(out, by)
		}
		return nil
	})
	return out
}

// forget takes an entry out of what names it, and notes how that is taken back.
func (a *Adapter) forget(s *session, e *ldap.Entry, back *[]func(*session) error) error {
	return a.eachReferrer(func(r *referrer) error {
		value := e.DN
		if by := r.field.refers.By; by != "" {
			value = chosen(s.server, e, by, valuesOf(s.server, e, by))
		}
		if value == "" {
			return nil
		}
		return r.exchange(s, value, "", back)
	})
}

// undoTime bounds what takes a change back.
const undoTime = 5 * time.Second

// takeBack notes how something that was done is taken back.
func (c *change) takeBack(f func(*session) error) { c.done = slices.Insert(c.done, 0, f) }

// undo takes back what was done, also when nobody waits any longer. Its failure is not
// told: that of what it follows is.
func (s *session) undo(f func(*session) error) {
	if !s.c.IsClosing() {
		_ = f(s)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), undoTime)
	defer cancel()
	c, err := s.d.connect(ctx)
	if err != nil {
		return
	}
	defer c.cut()
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	_ = f(&session{ctx: context.WithoutCancel(s.ctx), server: s.server, d: s.d, c: c})
}
