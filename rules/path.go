package rules

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// A path is the left side of a rule: an attribute, perhaps one element of a
// multi-valued one chosen by constants, perhaps a sub-attribute.
type path struct {
	at     Text
	name   string // with the URN in full
	moved  int    // how many bytes longer than what is written
	consts []constant
	sub    string
}

// A constant is a sub-attribute's fixed value: type eq "work".
type constant struct {
	name  string
	pos   int
	value filter.Value
}

func parsePath(at Text, aliases map[string]string, ps *problems) (path, bool) {
	p := path{at: at}
	full := at.Value
	if head, rest, ok := strings.Cut(full, ":"); ok && aliases[head] != "" {
		full = aliases[head] + ":" + rest
		p.moved = len(full) - len(at.Value)
	}
	t, err := filter.ParsePath(full, filter.Limits{})
	if err != nil {
		p.syntax(err, ps)
		return p, false
	}
	var ok bool
	if p.consts, ok = conjunction(t.Where); !ok {
		ps.add(at, `as in emails[type eq "work" and primary eq true].value`,
			"the part in brackets may only fix sub-attributes with eq, joined by and")
		return p, false
	}
	p.name, p.sub = t.Name, t.Sub
	return p, true
}

// syntax reports a path that cannot be read, at the character where it ends to
// make sense.
func (p path) syntax(err error, ps *problems) {
	const hint = `write userName, name.givenName, emails[type eq "work"].value or enterprise:department`
	var fe *filter.Error
	if !errors.As(err, &fe) {
		ps.add(p.at, hint, "this is no attribute path: %s", err)
		return
	}
	offset, _ := byteSpan(p.at.Value, max(0, fe.Pos-1-p.moved), 0)
	ps.inside(p.at, offset, 1, hint, "this is no attribute path: %s", fe.Msg)
}

func conjunction(e filter.Expr) ([]constant, bool) {
	switch e := e.(type) {
	case nil:
		return nil, true
	case *filter.Compare:
		return []constant{{name: e.Name, pos: e.Pos, value: e.Value}}, e.Op == filter.Eq && e.Value.Kind != filter.Null
	case filter.And:
		var all []constant
		for _, t := range e {
			c, ok := conjunction(t)
			if !ok {
				return nil, false
			}
			all = append(all, c...)
		}
		return all, true
	}
	return nil, false
}

// A place is where a path leads in a layout.
type place struct {
	attr    *scim.Attribute // what is mapped
	element *scim.Attribute // the multi-valued complex attribute around it, or nil
	consts  []fixed         // in the order of the element's sub-attributes
}

type fixed struct {
	attr  *scim.Attribute
	value scim.Value
}

// resolve finds the place of a path.
func (p path) resolve(l *scim.Layout, aliases map[string]string, ps *problems) (place, bool) {
	a := l.Resolve(p.name)
	if a == nil {
		written := strings.TrimSpace(p.at.Value)
		ps.add(p.at, p.proposal(l, aliases), "no schema of this resource type has the attribute %q", written)
		return place{}, false
	}
	pl := place{attr: a}
	if p.sub != "" {
		if pl.attr = a.Find(p.sub); pl.attr == nil {
			p.noSub(ps, a, p.sub, strings.LastIndex(p.at.Value, p.sub))
			return place{}, false
		}
	}
	if pl.attr.IsExtension() {
		ps.add(p.at, "as in enterprise:department", "%q is an extension; name one of its attributes", p.at.Value)
		return place{}, false
	}
	if around := pl.attr.Parent(); around != nil && around.MultiValued {
		pl.element = around
	}
	return p.fix(pl, ps)
}

// proposal is the nearest path that there is, with the brackets as written.
func (p path) proposal(l *scim.Layout, aliases map[string]string) string {
	written := p.at.Value
	head, brackets, _ := strings.Cut(written, "[")
	if brackets == "" {
		if hint := didYouMean(written, attributePaths(l, aliases)); hint != "" {
			return hint
		}
		return undeclared(written, aliases)
	}
	if n := nearest(head, attributePaths(l, aliases)); n != "" {
		return "did you mean " + n + "[" + brackets + "?"
	}
	return ""
}

// undeclared is for paths into an extension that the resource type has not got.
func undeclared(path string, aliases map[string]string) string {
	short, _, extended := strings.Cut(path, ":")
	_, declared := aliases[short]
	switch {
	case !extended, declared, strings.HasPrefix(path, "urn:ietf:params:scim:schemas:core:"):
		return ""
	case strings.EqualFold(short, "enterprise"):
		return "add extensions: [EnterpriseUser]"
	}
	return "add its schema to extensions"
}

func (p path) noSub(ps *problems, a *scim.Attribute, name string, offset int) {
	names := make([]string, len(a.Sub))
	for i, s := range a.Sub {
		names[i] = s.Name
	}
	ps.inside(p.at, max(0, offset), len(name), didYouMean(name, names), "%s has no sub-attribute %q", a.Path(), name)
}

// fix finds the sub-attributes that the brackets fix.
func (p path) fix(pl place, ps *problems) (place, bool) {
	if len(p.consts) > 0 && pl.element == nil {
		ps.add(p.at, `as in emails[type eq "work"].value`, "brackets need a multi-valued attribute and a sub-attribute behind them")
		return place{}, false
	}
	for _, c := range p.consts {
		at := max(0, c.pos-p.moved)
		sub := pl.element.Find(c.name)
		if sub == nil {
			p.noSub(ps, pl.element, c.name, at)
			return place{}, false
		}
		v, ok := literalValue(sub, c.value)
		if !ok {
			ps.inside(p.at, at, len(c.name), "", "%s must be fixed to %s", sub.Path(), article(sub))
			return place{}, false
		}
		if sub == pl.attr || slices.ContainsFunc(pl.consts, func(f fixed) bool { return f.attr == sub }) {
			ps.inside(p.at, at, len(c.name), "", "%s cannot be fixed and mapped, or fixed twice", sub.Path())
			return place{}, false
		}
		pl.consts = append(pl.consts, fixed{attr: sub, value: v})
	}
	slices.SortFunc(pl.consts, func(a, b fixed) int { return cmp.Compare(a.attr.Name, b.attr.Name) })
	return pl, true
}

// id is equal for paths that lead to the same place.
func (pl place) id() string { return pl.attr.Path() + pl.constants() }

// constants is equal for brackets that say the same.
func (pl place) constants() string {
	var b strings.Builder
	for _, f := range pl.consts {
		text := f.value.String()
		if !f.attr.CaseExact {
			text = scim.Fold(text)
		}
		fmt.Fprintf(&b, "|%s %q %d", f.attr.Name, text, f.value.Int())
	}
	return b.String()
}

func literalValue(a *scim.Attribute, v filter.Value) (scim.Value, bool) {
	switch {
	case a.Type == scim.TypeBoolean && v.Kind == filter.Bool:
		return scim.Bool(v.Num == 1), true
	case a.Type == scim.TypeInteger && v.Kind == filter.Int:
		return scim.Int(v.Num), true
	case v.Kind == filter.String && v.Str != "" && a.Type != scim.TypeBoolean && a.Type != scim.TypeInteger && a.Type != scim.TypeComplex:
		return scim.Str(v.Str), true
	}
	return scim.Value{}, false
}

// article is an attribute's type in a sentence.
func article(a *scim.Attribute) string {
	switch a.Type {
	case scim.TypeInteger:
		return "an integer"
	case scim.TypeBoolean:
		return "true or false"
	case scim.TypeDateTime:
		return "a dateTime such as 2024-01-31T08:30:00Z"
	case scim.TypeBinary:
		return "base64"
	case scim.TypeComplex:
		return "complex"
	}
	return "a " + a.Type.String()
}
