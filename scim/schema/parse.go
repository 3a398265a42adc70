package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// ParseValue reads the value that a client gives an attribute, a multi-valued
// attribute as a whole. null, [], {} and what amounts to them are the absent
// value (S-21, S-23, P-55). Errors are 400 invalidValue and name the attribute.
func ParseValue(a *scim.Attribute, n scim.Node, o Options) (scim.Value, error) {
	p := parser{Options: o}
	v, err := p.attribute(a, n)
	return v, located(a, err)
}

// ParseElement reads one element of a multi-valued attribute.
func ParseElement(a *scim.Attribute, n scim.Node, o Options) (scim.Value, error) {
	p := parser{Options: o}
	v, err := p.single(a, n)
	return v, located(a, err)
}

// A fault is an error whose path grows while it travels up to the attribute at
// which reading began.
type fault struct {
	path string
	typ  scim.Keyword
	text string
}

func (f *fault) Error() string { return f.path + ": " + f.text }

func invalid(format string, args ...any) *fault {
	return &fault{typ: scim.InvalidValue, text: fmt.Sprintf(format, args...)}
}

func under(prefix string, err error) error {
	if f, ok := err.(*fault); ok {
		f.path = prefix + f.path
	}
	return err
}

func located(a *scim.Attribute, err error) error {
	if f, ok := err.(*fault); ok {
		return scim.Bad(f.typ, "%s%s: %s", a.Path(), f.path, f.text)
	}
	return err
}

// A parser turns JSON into values, and takes notes for Decode.
type parser struct {
	Options
	warned  int
	depth   int               // inside elements of a multi-valued attribute if > 0
	nulls   []*scim.Attribute // explicitly unassigned (C-04)
	written []*scim.Attribute // given a value
}

func (p *parser) attribute(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	if a.MultiValued {
		return p.list(a, n)
	}
	if n.Kind != scim.NodeArray {
		return p.single(a, n)
	}
	switch len(n.Items) {
	case 0:
		return scim.Value{}, nil
	case 1: // P-41: Entra wraps the manager in an array
		return p.single(a, n.Items[0])
	}
	return scim.Value{}, invalid("expected a single value, found an array of %d", len(n.Items))
}

func (p *parser) list(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	items := n.Items
	if n.Kind != scim.NodeArray { // P-41: one object is taken as one element
		items = []scim.Node{n}
	}
	p.depth++
	defer func() { p.depth-- }()
	elems, lead, may := make([]scim.Value, 0, len(items)), 0, mayLead(a)
	for i := range items {
		v, err := p.single(a, items[i])
		if err != nil {
			return v, under(fmt.Sprintf("[%d]", i), err)
		}
		if !v.Present() {
			continue
		}
		if may && lead == 0 && isPrimary(items[i]) {
			lead = len(elems)
		}
		elems = append(elems, v)
	}
	toFront(elems, lead)
	elems = distinct(a, elems)
	if err := onePrimary(a, elems); err != nil {
		return scim.Value{}, err
	}
	return scim.List(elems...), nil
}

// Leads reports whether the value that a client gives the multi-valued attribute a
// has a primary element although a has no primary here. Such an element is read as
// the first: where there is room for one only, it is the one that is meant.
func Leads(a *scim.Attribute, n scim.Node) bool {
	if !mayLead(a) {
		return false
	}
	return isPrimary(n) || slices.ContainsFunc(n.Items, isPrimary)
}

// mayLead is false for references, of which none is primary.
func mayLead(a *scim.Attribute) bool {
	value := a.Find("value")
	return a.Type == scim.TypeComplex && a.Find("primary") == nil && (value == nil || value.Mutability != scim.Immutable)
}

func isPrimary(n scim.Node) bool {
	is, _ := n.Find("primary")
	return is.IsTrue() || is.Kind == scim.NodeString && strings.EqualFold(is.Str, "true")
}

func toFront(elems []scim.Value, i int) {
	if i > 0 {
		first := elems[i]
		copy(elems[1:], elems[:i])
		elems[0] = first
	}
}

func (p *parser) single(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	if n.Kind == scim.NodeNull {
		return scim.Value{}, nil
	}
	if a.Type == scim.TypeComplex {
		return p.complex(a, n)
	}
	return p.simple(a, n)
}

func (p *parser) complex(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	v := scim.NewComplex(a)
	value := a.Find("value")
	if n.Kind == scim.NodeString && value != nil && !a.MultiValued { // P-59: the manager's id alone
		id, err := p.simple(value, n)
		v.Set(value, id)
		return v.Compact(), under(".value", err)
	}
	if n.Kind != scim.NodeObject {
		return v, invalid("expected an object, found %s", n.Kind)
	}
	for i := range n.Members {
		m := &n.Members[i]
		sub := a.Find(m.Name)
		if sub == nil {
			if err := p.unknown(a, m.Name); err != nil {
				return v, err
			}
			continue
		}
		if sub.Mutability == scim.ReadOnly && a.Mutability != scim.ReadOnly {
			continue // server-assigned parts of a writable attribute: the manager's displayName
		}
		got, err := p.attribute(sub, m.Value)
		if err != nil {
			return v, under(separator(a)+sub.Name, err)
		}
		v.Set(sub, got)
		p.note(sub, got)
	}
	return v.Compact(), nil
}

func separator(a *scim.Attribute) string {
	if a.IsExtension() {
		return ":"
	}
	return "."
}

// note keeps what Decode reports. Elements of multi-valued attributes come and
// go as a whole: their parts are not noted.
func (p *parser) note(a *scim.Attribute, v scim.Value) {
	switch {
	case p.depth > 0:
	case v.Present():
		p.written = append(p.written, a)
	default:
		p.nulls = append(p.nulls, a)
	}
}

func (p *parser) unknown(a *scim.Attribute, name string) error {
	if p.Reject {
		return &fault{path: separator(a) + printable(name), typ: scim.InvalidSyntax,
			text: "there is no such attribute here" + didYouMean(name, subNames(a))}
	}
	p.ignored(func() string {
		return a.Path() + separator(a) + printable(name) + " is not an attribute here: ignored" + didYouMean(name, subNames(a))
	})
	return nil
}

// mostWarnings bounds what one request can write to the log.
const mostWarnings = 20

// ignored tells about something that was ignored, as long as anybody listens.
func (p *parser) ignored(text func() string) {
	if p.Warn == nil {
		return
	}
	p.warned++
	switch {
	case p.warned <= mostWarnings:
		p.Warn(text())
	case p.warned == mostWarnings+1:
		p.Warn("more was ignored, which is not listed")
	}
}

// printable makes a name that a client sent fit for a log line and an answer.
func printable(name string) string {
	const most = 100
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	q := fmt.Sprintf("%q", name)
	return q[1 : len(q)-1]
}
