package schema

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// userNameVariants makes a comparison of userName find a name that is the same
// after PRECIS preparation (F-31, R-02): in the spelling that was sent, with full
// and half width mapped and composed, and decomposed. Case folds anyway. A
// backend need know nothing of this: it is asked for each spelling.
func userNameVariants(a *scim.Attribute, c *filter.Compare) filter.Expr {
	if a.Schema() != scim.UserSchema || a.Parent() != nil || a.Name != "userName" ||
		c.Value.Kind != filter.String || (c.Op != filter.Eq && c.Op != filter.Ne) {
		return c
	}
	var terms []filter.Expr
	for _, s := range spellings(c.Value.Str) {
		v := *c
		v.Value.Str = s
		terms = append(terms, &v)
	}
	switch {
	case len(terms) == 1:
		return c
	case c.Op == filter.Ne:
		return filter.And(terms)
	}
	return filter.Or(terms)
}

func spellings(s string) []string {
	out := []string{s}
	if isASCII(s) {
		return out
	}
	mapped := width.Fold.String(s)
	for _, v := range []string{norm.NFC.String(mapped), norm.NFD.String(mapped)} {
		if !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
