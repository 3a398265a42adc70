package rules

import (
	"errors"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// A path is the left side of a rule: an attribute, perhaps one element of a
// multi-valued one chosen by constants, perhaps a sub-attribute.
type path struct {
	at     Text
	name   string // with the URN in full
	consts []constant
	sub    string
}

// A constant is a sub-attribute's fixed value: type eq "work".
type constant struct {
	name  string
	value filter.Value
}

func parsePath(at Text, aliases map[string]string, ps *problems) (path, bool) {
	full := at.Value
	if head, rest, ok := strings.Cut(full, ":"); ok && aliases[head] != "" {
		full = aliases[head] + ":" + rest
	}
	t, err := filter.ParsePath(full, filter.Limits{})
	if err != nil {
		p := Problem{At: at, Message: "this is no attribute path: " + err.Error(),
			Hint: `write userName, name.givenName, emails[type eq "work"].value or enterprise:department`}
		var fe *filter.Error
		if errors.As(err, &fe) {
			p.Offset = max(0, fe.Pos-(len(full)-len(at.Value)))
		}
		*ps = append(*ps, p)
		return path{}, false
	}
	consts, ok := conjunction(t.Where)
	if !ok {
		ps.add(at, `as in emails[type eq "work" and primary eq true].value`,
			"the part in brackets may only fix sub-attributes with eq, joined by and")
		return path{}, false
	}
	return path{at: at, name: t.Name, consts: consts, sub: t.Sub}, true
}

func conjunction(e filter.Expr) ([]constant, bool) {
	switch e := e.(type) {
	case nil:
		return nil, true
	case *filter.Compare:
		return []constant{{name: e.Name, value: e.Value}}, e.Op == filter.Eq && e.Value.Kind != filter.Null
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
	consts  []fixed
}

type fixed struct {
	attr  *scim.Attribute
	value scim.Value
}

// resolve finds the place of a path; problems are reported once, so the second
// layout passes nil.
func (p path) resolve(l *scim.Layout, ps *problems) (place, bool) {
	a := l.Resolve(p.name)
	if a == nil {
		if ps != nil {
			ps.add(p.at, nearestAttribute(l, p.at.Value), "no schema of this resource type has the attribute %q", p.at.Value)
		}
		return place{}, false
	}
	pl := place{attr: a}
	if p.sub != "" {
		if pl.attr = a.Find(p.sub); pl.attr == nil {
			ps.report(p.at, "%s has no sub-attribute %q", a.Path(), p.sub)
			return place{}, false
		}
	}
	return p.placeElement(pl, ps)
}

func (p path) placeElement(pl place, ps *problems) (place, bool) {
	around := pl.attr
	if pl.attr.Parent() != nil && !pl.attr.Parent().IsExtension() {
		around = pl.attr.Parent()
	}
	if around.MultiValued && around.Type == scim.TypeComplex && around != pl.attr {
		pl.element = around
	}
	if len(p.consts) > 0 && pl.element == nil {
		ps.report(p.at, "brackets need a multi-valued attribute and a sub-attribute behind them")
		return place{}, false
	}
	for _, c := range p.consts {
		sub := pl.element.Find(c.name)
		if sub == nil {
			ps.report(p.at, "%s has no sub-attribute %q", pl.element.Path(), c.name)
			return place{}, false
		}
		v, ok := literalValue(sub, c.value)
		if !ok {
			ps.report(p.at, "the value of %s must be a %s", sub.Path(), sub.Type)
			return place{}, false
		}
		pl.consts = append(pl.consts, fixed{attr: sub, value: v})
	}
	return pl, true
}

func (p *problems) report(at Text, format string, args ...any) {
	if p != nil {
		p.add(at, "", format, args...)
	}
}

func literalValue(a *scim.Attribute, v filter.Value) (scim.Value, bool) {
	switch {
	case a.Type == scim.TypeBoolean && v.Kind == filter.Bool:
		return scim.Bool(v.Num == 1), true
	case a.Type == scim.TypeInteger && v.Kind == filter.Int:
		return scim.Int(v.Num), true
	case v.Kind == filter.String && a.Type != scim.TypeBoolean && a.Type != scim.TypeInteger && a.Type != scim.TypeComplex:
		return scim.Str(v.Str), true
	}
	return scim.Value{}, false
}

// nearestAttribute proposes the attribute whose path is closest to a mistyped one.
func nearestAttribute(l *scim.Layout, name string) string {
	best, dist := "", len(name)/2+1
	var look func(prefix string, as []*scim.Attribute)
	look = func(prefix string, as []*scim.Attribute) {
		for _, a := range as {
			full := prefix + a.Name
			if a.IsExtension() {
				look("", a.Sub)
				continue
			}
			if d := distance(strings.ToLower(name), strings.ToLower(full)); d < dist {
				best, dist = full, d
			}
			look(full+".", a.Sub)
		}
	}
	look("", l.Attributes())
	if best == "" {
		return ""
	}
	return "did you mean " + strconvQuote(best) + "?"
}
