package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// Create implements adapters.Adapter.
func (a *Adapter) Create(ctx context.Context, in adapters.Record, want adapters.Fields) (adapters.Record, error) {
	const op = "create"
	in = in.Clone()
	if err := a.checkRecord(&in); err != nil {
		return adapters.Record{}, err
	}
	var rec adapters.Record
	err := a.d.use(ctx, op, func(s *session) error {
		dn, err := a.add(ctx, s, in)
		if err != nil {
			return err
		}
		e, err := s.base(dn, a.classes, a.attributes(want))
		switch {
		case err != nil:
			return err
		case e == nil || a.target.keyOf(s.server, e) == "":
			return adapters.Errorf(adapters.Internal, "", "the directory made an entry, and does not show it")
		}
		recs, err := a.records(s, []*ldap.Entry{e}, want)
		if err == nil {
			rec = recs[0]
		}
		return err
	})
	return rec, err
}

// checkRecord refuses what no directory can hold, before anything is sent.
func (a *Adapter) checkRecord(in *adapters.Record) error {
	switch at := a.caps.Shape.Index(a.target.Key); {
	case a.target.Given && in.Key == "" && at >= 0:
		in.Key = adapters.Key(adapters.Text(in.At(at)))
	case !a.target.Given && in.Key != "":
		return adapters.Errorf(adapters.Invalid, "create", "the directory makes the keys")
	case a.target.Given && at >= 0 && adapters.NoValue(in.At(at)):
		in.SetAt(at, string(in.Key))
	}
	if a.target.Given && !plausible(in.Key) {
		return &adapters.Error{Kind: adapters.Invalid, Op: "create", Field: a.target.Key, Err: errors.New("this can be no key")}
	}
	for i, name := range a.caps.Shape.Names() {
		if err := a.checkValue("create", name, in.At(i)); err != nil {
			return err
		}
	}
	return nil
}

func (a *Adapter) checkValue(op, name string, v any) error {
	list, several := v.([]string)
	f := a.fields[a.caps.Shape.Index(name)]
	switch {
	case adapters.NoValue(v):
		return nil
	case several != f.list:
		return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: name, Err: errors.New("a list, or no list where one is needed")}
	case f.refers != nil && (f.refers.From != "" || strings.EqualFold(f.attribute, "memberOf")):
		return &adapters.Error{Kind: adapters.Unsupported, Op: op, Field: name, Err: errors.New("it is worked out of other entries")}
	}
	if text, ok := v.(string); ok {
		list = []string{text}
	}
	for _, s := range list {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: name, Err: errors.New("the value is no text")}
		}
	}
	return nil
}

// add makes an entry and answers its name.
func (a *Adapter) add(ctx context.Context, s *session, in adapters.Record) (string, error) {
	name, values, err := a.name(in)
	if err != nil {
		return "", err
	}
	if err := a.free(s, in); err != nil {
		return "", err
	}
	dn := below(name, a.target.Container)
	request := ldap.NewAddRequest(dn, nil)
	request.Attribute("objectClass", slices.Concat(a.target.Classes, a.target.Auxiliary))
	all, password, err := a.stored(s, in)
	if err != nil {
		return "", err
	}
	for attribute, v := range values { // what names an entry must be in it
		if !slices.ContainsFunc(all, func(x ldap.Attribute) bool { return s.same(x.Type, attribute) }) {
			all = append(all, ldap.Attribute{Type: attribute, Vals: []string{v}})
		}
	}
	for _, x := range all {
		request.Attribute(x.Type, x.Vals)
	}
	if err := s.change(func() error { return s.c.Add(request) }, added(request), "add", dn); err != nil {
		return "", a.blame(s, err, a.nameField())
	}
	if password != "" {
		if err := s.setPassword(dn, password); err != nil {
			s.undo(func(s *session) error { return s.c.Del(ldap.NewDelRequest(dn, nil)) })
			return "", a.blame(s, err, passwordField(a))
		}
	}
	return dn, nil
}

// free refuses a given key that another entry has.
func (a *Adapter) free(s *session, in adapters.Record) error {
	if !a.target.Given {
		return nil
	}
	_, err := a.find(s, in.Key, a.attributes(adapters.Fields{}))
	switch {
	case err == nil:
		return &adapters.Error{Kind: adapters.Exists, Field: a.target.Key, Err: errors.New("the key is taken")}
	case adapters.Is(err, adapters.NotFound):
		return nil
	}
	return err
}

// stored are the attributes of a new entry, and the password that goes a way of its
// own.
func (a *Adapter) stored(s *session, in adapters.Record) (out []ldap.Attribute, password string, err error) {
	put := func(attribute string, values []string) {
		if len(values) > 0 {
			out = append(out, ldap.Attribute{Type: s.sent(attribute), Vals: values})
		}
	}
	for i, f := range a.fields {
		v := in.At(i)
		switch {
		case f.mask > 0:
		case f.refers != nil && f.refers.From == "":
			values, err := a.referenceValues(s, f, in, i)
			if err != nil {
				return nil, "", err
			}
			put(f.attribute, values)
		case f.secret && !adapters.NoValue(v):
			encoded, apart := s.password(f.attribute, adapters.Text(v))
			if apart {
				password = encoded
			} else {
				put(f.attribute, []string{encoded})
			}
		case f.refers == nil:
			put(f.attribute, s.encodedAll(f.attribute, v))
		}
	}
	return a.withBits(out, in), password, nil
}

// referenceValues are the values of a reference of a new entry: of a list that must not be
// empty, the placeholder.
func (a *Adapter) referenceValues(s *session, f field, in adapters.Record, i int) ([]string, error) {
	keys, several := in.At(i).([]string)
	if k, ok := in.At(i).(string); ok && k != "" {
		keys = []string{k}
	}
	values, err := f.refers.values(s, a.caps.Shape.Names()[i], keys, true)
	if err == nil && len(values) == 0 && (several || f.list) && a.target.Placeholder != "" {
		values = []string{a.target.Placeholder}
	}
	return values, err
}

// withBits sets the bits of attributes of which fields are bits.
func (a *Adapter) withBits(out []ldap.Attribute, in adapters.Record) []ldap.Attribute {
	for i, f := range a.fields {
		v := adapters.Text(in.At(i))
		if f.mask == 0 || v == "" {
			continue
		}
		at := slices.IndexFunc(out, func(x ldap.Attribute) bool { return strings.EqualFold(x.Type, f.attribute) })
		if at < 0 {
			out, at = append(out, ldap.Attribute{Type: f.attribute, Vals: []string{"0"}}), len(out)
		}
		out[at].Vals = []string{withBit(out[at].Vals[0], f.mask, v)}
	}
	return out
}

// Delete implements adapters.Adapter. References to the entry are taken away first: what
// is called like it later must not find itself in its groups.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	const op = "delete"
	unlock, err := a.d.locks.lock(ctx, string(key))
	if err != nil {
		return fault(ctx, op, err, false)
	}
	defer unlock()
	return a.d.use(ctx, op, func(s *session) (err error) {
		e, err := a.find(s, key, a.attributes(adapters.Fields{}, a.namedBy()...))
		if err != nil {
			return err
		}
		var back []func(*session) error
		err = a.forget(s, e, &back)
		defer func() {
			if err != nil && len(back) > 0 {
				s.undo(func(s *session) error { return rejoin(s, e.DN, back) })
			}
		}()
		if err != nil {
			return err
		}
		err = s.change(func() error { return s.c.Del(ldap.NewDelRequest(e.DN, a.is(s, key))) }, "", "delete", e.DN)
		if code(err) == ldap.LDAPResultAssertionFailed && err != nil { // the name is another entry's now
			return &adapters.Error{Kind: adapters.NotFound, Err: err}
		}
		return err
	})
}

// rejoin puts an entry that was not deleted, if it is still there, back into what named it.
func rejoin(s *session, dn string, back []func(*session) error) error {
	e, err := s.base(dn, "(objectClass=*)", noAttributes)
	if err != nil || e == nil {
		return err
	}
	return each(s, back)
}

// each does all, whatever fails.
func each(s *session, all []func(*session) error) (err error) {
	for _, f := range all {
		err = errors.Join(err, f(s))
	}
	return err
}

// is is the control that lets a change happen only if the entry with the name is still
// the one with the key, where the server has it.
func (a *Adapter) is(s *session, key adapters.Key) []ldap.Control {
	if a.target.Key == keyDN || a.hasMembers() {
		return nil
	}
	return s.assert(a.target.keyCondition(s.server, string(key)))
}

// hasMembers reports entries that are groups.
func (a *Adapter) hasMembers() bool {
	return slices.ContainsFunc(a.fields, func(f field) bool { return f.list && f.refers != nil && f.refers.From == "" })
}

// assert is the control that lets a change happen only if a condition is true of the
// entry (RFC 4528); none where the server has it not.
func (s *session) assert(condition string) []ldap.Control {
	if !s.has(controlAssertion) || condition == always {
		return nil
	}
	p, err := ldap.CompileFilter(condition)
	if err != nil {
		return nil
	}
	return []ldap.Control{ldap.NewControlString(controlAssertion, true, string(p.Bytes()))}
}
