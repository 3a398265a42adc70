package ldap

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// ask makes a search, and tells of it.
func (s *session) ask(request *ldap.SearchRequest, what ...string) (*ldap.SearchResult, error) {
	var res *ldap.SearchResult
	err := s.tell(true, "", what, func() (answer string, err error) {
		if res, err = s.c.Search(request); err == nil {
			answer = fmt.Sprintf("%d entries", len(res.Entries))
		}
		return answer, err
	})
	return res, err
}

// change makes a request that changes something, and tells of it.
func (s *session) change(f func() error, body string, what ...string) error {
	return s.tell(false, body, what, func() (string, error) {
		s.wrote = true
		return "", f()
	})
}

// tell tells whoever wants to know what is sent, and what came of it.
func (s *session) tell(reads bool, body string, what []string, f func() (string, error)) error {
	if s.d.cfg.Trace != nil {
		s.d.cfg.Trace(strings.Join(what, " "))
	}
	w := s.d.cfg.Watch
	if w == nil {
		_, err := f()
		return err
	}
	e := &adapters.Exchange{Request: strings.Join(what, " "), Body: body, Reads: reads}
	if err := w.Before(s.ctx, e); err != nil {
		return err
	}
	e.Answer, e.Err = f()
	w.After(s.ctx, e)
	return e.Err
}

// added is a new entry for people.
func added(r *ldap.AddRequest) string {
	var b strings.Builder
	for _, a := range r.Attributes {
		attribute(&b, "", a.Type, a.Vals)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// modified is a change of an entry for people.
func modified(r *ldap.ModifyRequest) string {
	var b strings.Builder
	for _, c := range r.Changes {
		kind := map[uint]string{ldap.AddAttribute: "add ", ldap.DeleteAttribute: "delete ", ldap.ReplaceAttribute: "replace "}[c.Operation]
		attribute(&b, kind, c.Modification.Type, c.Modification.Vals)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// attribute writes the values of an attribute, but for those of passwords, and for
// what is no text.
func attribute(b *strings.Builder, kind, name string, values []string) {
	if len(values) == 0 {
		fmt.Fprintf(b, "%s%s\n", kind, name)
	}
	lower := strings.ToLower(name)
	for _, v := range values {
		switch {
		case strings.Contains(lower, "password") || strings.Contains(lower, "pwd"):
			v = "(hidden)"
		case !utf8.ValidString(v):
			v = fmt.Sprintf("(%d bytes)", len(v))
		}
		fmt.Fprintf(b, "%s%s: %s\n", kind, name, v)
	}
}
