package ldap

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// blame names the field at fault: the one that the server names, if it names one, or
// else the one that is likely.
func (a *Adapter) blame(s *session, err error, field string) error {
	kind := kindOf(err)
	if code(err) == ldap.LDAPResultNoSuchObject { // the parent
		kind = adapters.Internal
	}
	if code(err) == ldap.ErrorNetwork {
		return err
	}
	switch named := a.namedIn(err.Error()); {
	case kind != adapters.Exists && kind != adapters.Invalid:
		field = ""
	case named != "":
		field = named
	}
	return &adapters.Error{Kind: kind, Field: field, Err: err}
}

// loginTaken is how Microsoft's server says that another user, group or alias has the
// sAMAccountName, which it does not name.
var loginTaken = []string{"00000524: ", "00000526: ", "00000563: "}

// namedIn is the only field whose attribute stands in what a server said; "" if there is
// none, or are several.
func (a *Adapter) namedIn(said string) string {
	found := ""
	for i, f := range a.fields {
		login := strings.EqualFold(f.attribute, "sAMAccountName") && slices.ContainsFunc(loginTaken, func(c string) bool { return strings.Contains(said, c) })
		switch {
		case f.mask > 0 || !login && !hasWord(said, f.attribute):
		case found != "":
			return ""
		default:
			found = a.caps.Shape.Names()[i]
		}
	}
	return found
}

// hasWord reports whether a name stands in a text by itself.
func hasWord(text, name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}), func(word string) bool { return strings.EqualFold(word, name) })
}
