package ldap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// search reads all entries below a base, page by page. It fails rather than tell a
// part: what is cut short or continues on another server is no answer.
func (s *session) search(t *Entries, condition string, attributes []string, each func(*ldap.Entry) error, controls ...ldap.Control) error {
	scope := ldap.ScopeSingleLevel
	if t.Subtree {
		scope = ldap.ScopeWholeSubtree
	}
	if condition == never {
		return nil
	}
	if condition == always {
		condition = "(objectClass=*)"
	}
	paging := ldap.NewControlPaging(uint32(s.d.cfg.Page))
	request := ldap.NewSearchRequest(t.Base, scope, ldap.NeverDerefAliases, 0, 0, false, condition, attributes, append(controls, paging))
	for n := 0; ; {
		res, err := s.ask(request, "search", t.Base, condition)
		if err == nil {
			err = s.whole(res)
		}
		switch {
		case err != nil && code(err) == ldap.LDAPResultNoSuchObject:
			return adapters.Errorf(adapters.Unavailable, "", "there is no %s, or the credential does not see it", t.Base)
		case err != nil:
			return err
		}
		for _, e := range res.Entries {
			if err := each(e); err != nil {
				return err
			}
		}
		if n += len(res.Entries); n > s.d.cfg.Entries {
			return s.abandon(adapters.Errorf(adapters.TooMany, "", "more than %d entries", s.d.cfg.Entries))
		}
		next, _ := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if next == nil || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
}

// abandon gives up a search whose pages the server keeps: with the connection.
func (s *session) abandon(err error) error {
	s.c.cut()
	return err
}

// whole fails if a part of the answer is on another server.
func (s *session) whole(res *ldap.SearchResult) error {
	if len(res.Referrals) > 0 && !s.d.cfg.Referrals {
		return adapters.Errorf(adapters.Unsupported, "", "a part of the tree is on another server: %s", first(res.Referrals))
	}
	return nil
}

// visible fails unless there is an entry.
func (s *session) visible(dn string) error {
	e, err := s.base(dn, "(objectClass=*)", noAttributes)
	if err == nil && e == nil {
		err = adapters.Errorf(adapters.Unavailable, "", "there is no %s, or the credential does not see it", dn)
	}
	return err
}

var errAmbiguous = errors.New("several entries have the key")

// find looks for the entry with a key. NotFound if there is none, and if that can be
// believed.
func (a *Adapter) find(s *session, key adapters.Key, attributes []string) (*ldap.Entry, error) {
	var found *ldap.Entry
	var err error
	switch {
	case !plausible(key):
	case a.target.Key == keyDN:
		found, err = a.findDN(s, string(key), attributes)
	default:
		condition := allOf(a.classes, a.target.keyCondition(s.server, string(key)))
		err = s.search(&a.target.Entries, condition, attributes, func(e *ldap.Entry) error {
			switch {
			case a.target.keyOf(s.server, e) != key: // another spelling
			case found != nil:
				return &adapters.Error{Kind: adapters.Internal, Err: errAmbiguous}
			default:
				found = e
			}
			return nil
		})
	}
	if err == nil && found == nil {
		if err = s.prove(); err == nil {
			err = &adapters.Error{Kind: adapters.NotFound}
		}
	}
	return found, err
}

func (a *Adapter) findDN(s *session, dn string, attributes []string) (*ldap.Entry, error) {
	if _, err := ldap.ParseDN(dn); err != nil || !s.within(dn, a.target.Base, a.target.Subtree) {
		return nil, nil
	}
	e, err := s.base(dn, a.classes, attributes)
	if code(err) == ldap.LDAPResultInvalidDNSyntax && err != nil || e != nil && e.DN != dn {
		return nil, nil
	}
	return e, err
}

// attributes names what must be read for the fields that are wanted, and for the key.
func (a *Adapter) attributes(want adapters.Fields, more ...string) []string {
	names := more
	if a.target.Key != keyDN {
		names = append(names, a.target.Key)
	}
	for i, f := range a.fields {
		if want.Has(i) && !f.secret {
			names = append(names, f.source())
		}
	}
	if names = without(names, nil); len(names) == 0 {
		return noAttributes
	}
	return names
}

// source is the attribute of an entry that a field is read from, "" if it is worked
// out of other entries alone.
func (f *field) source() string {
	if f.refers != nil && f.refers.From != "" {
		return f.refers.By
	}
	return f.attribute
}

// all are the values of an attribute of an entry. Where the server tells them a
// range at a time, as Active Directory does, the others are fetched.
func (s *session) all(e *ldap.Entry, attribute string) ([]string, error) {
	values := valuesOf(s.server, e, attribute)
	part := e
	for {
		got, next, more := ranged(part, attribute)
		if values = append(values, got...); !more {
			return values, nil
		}
		var err error
		part, err = s.base(e.DN, "(objectClass=*)", []string{attribute + ";range=" + strconv.Itoa(next) + "-*"})
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, &adapters.Error{Kind: adapters.Conflict, Err: errors.New("the entry went away while it was read")}
		}
	}
}

// ranged are the values that came as a range, and where the next one begins.
func ranged(e *ldap.Entry, attribute string) (values []string, next int, more bool) {
	for _, a := range e.Attributes {
		name, option, ok := strings.Cut(a.Name, ";range=")
		if !ok || !strings.EqualFold(name, attribute) {
			continue
		}
		_, end, _ := strings.Cut(option, "-")
		last, err := strconv.Atoi(end)
		return a.Values, last + 1, err == nil && len(a.Values) > 0
	}
	return nil, 0, false
}

// in reports whether an entry is within the scope of a reference's target.
func (t *Entries) in(v *server, e *ldap.Entry) bool {
	if t.Where == nil {
		return true
	}
	rec := adapters.NewRecord(t.shape, t.keyOf(v, e))
	fill(v, e, t.fields, rec, adapters.AllFields)
	return judge{}.matches(t.Where, rec)
}

// needs names the attributes that tell the key and the scope.
func (t *Entries) needs(more ...string) []string {
	names := more
	if t.Key != keyDN {
		names = append(names, t.Key)
	}
	for _, f := range t.fields {
		names = append(names, f.attribute)
	}
	if names = without(names, nil); len(names) == 0 {
		return noAttributes
	}
	return names
}

// chunk is how many names or keys one filter asks for.
const chunk = 200

// chunks calls f with a few of the texts at a time.
func chunks(all []string, f func([]string) error) error {
	for len(all) > 0 {
		n := min(chunk, len(all))
		if err := f(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func missing(field string) error {
	return &adapters.Error{Kind: adapters.Invalid, Field: field, Err: fmt.Errorf("%s names an entry that is not there", field)}
}
