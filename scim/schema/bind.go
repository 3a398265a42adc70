package schema

import (
	"cmp"
	"fmt"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// BindOptions are the points on which servers differ when they read filters.
// The zero value refuses what it does not understand (F-02).
type BindOptions struct {
	// Lenient takes a literal of the wrong type for what it can only mean, as in
	// active eq "true" (F-28).
	Lenient bool
	// IgnoreUnknown reads an attribute that the type does not have as one that
	// has no value (G-07, G-08), where the default is 400 invalidFilter.
	IgnoreUnknown bool
}

// Bind gives every name in a filter its attribute, and every comparison the way
// its values compare. In the new tree Ref is the *scim.Attribute, Name its path,
// and literals are checked and normalised. Errors are 400 invalidFilter.
func Bind(l *scim.Layout, e filter.Expr, o BindOptions) (filter.Expr, error) {
	b := binder{BindOptions: o, find: func(name string) *scim.Attribute { return resolve(l, name) },
		names: func() []string { return paths(l) }}
	return b.bind(e)
}

// resolve also finds an attribute of an extension by its bare name, if only one
// extension has it: Entra asks for manager eq "26" without the URN (F-21).
func resolve(l *scim.Layout, name string) *scim.Attribute {
	if a := l.Resolve(name); a != nil {
		return a
	}
	var found *scim.Attribute
	for _, e := range l.Extensions {
		a := l.Resolve(e.Name + ":" + name)
		if a != nil && found != nil {
			return nil
		}
		found = cmp.Or(found, a)
	}
	return found
}

// BindElement binds a filter whose names are sub-attributes of a, as between the
// brackets of emails[type eq "work"]. Its subjects are those of ElementSubject.
func BindElement(a *scim.Attribute, e filter.Expr, o BindOptions) (filter.Expr, error) {
	return within(a, o).bind(e)
}

// within resolves names inside one attribute. The elements of a simple
// attribute are called value there.
func within(a *scim.Attribute, o BindOptions) *binder {
	b := &binder{BindOptions: o, element: a, find: a.Find, names: func() []string { return subNames(a) }}
	if a.Type != scim.TypeComplex {
		b.find = func(name string) *scim.Attribute {
			if len(name) == len("value") && scim.Fold(name) == scim.Fold("value") {
				return a
			}
			return nil
		}
	}
	return b
}

func subNames(a *scim.Attribute) []string {
	if a.Type != scim.TypeComplex {
		return []string{"value"}
	}
	names := make([]string, len(a.Sub))
	for i, s := range a.Sub {
		names[i] = s.Name
	}
	return names
}

type binder struct {
	BindOptions
	element *scim.Attribute // whose sub-attributes are named; nil: the resource's
	find    func(name string) *scim.Attribute
	names   func() []string
}

func (b *binder) bind(e filter.Expr) (filter.Expr, error) {
	switch e := e.(type) {
	case filter.And:
		terms, err := b.all(e)
		return filter.And(terms), err
	case filter.Or:
		terms, err := b.all(e)
		return filter.Or(terms), err
	case filter.Not:
		term, err := b.bind(e.Term)
		return filter.Not{Term: term}, err
	case *filter.Compare:
		return b.compare(e)
	case *filter.Element:
		return b.elements(e)
	}
	return e, nil
}

func (b *binder) all(terms []filter.Expr) ([]filter.Expr, error) {
	out := make([]filter.Expr, len(terms))
	for i, t := range terms {
		var err error
		if out[i], err = b.bind(t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *binder) compare(c *filter.Compare) (filter.Expr, error) {
	a, err := b.resolve(c.Name, c.Pos)
	if err != nil {
		return nil, err
	}
	if a == nil { // IgnoreUnknown: an attribute without a value
		return constant(filter.Test(c, filter.Value{})), nil
	}
	bound := *c
	if isPresence := c.Op == filter.Pr || c.Value.Kind == filter.Null; a.Type == scim.TypeComplex && !isPresence {
		value := a.Find("value") // F-20, F-21
		if value == nil || a.IsExtension() {
			return nil, wrong(c.Pos, "%q is complex and has only %q; name one of its sub-attributes", a.Path(), "pr")
		}
		if err := searchable(value, c.Pos); err != nil {
			return nil, err
		}
		a = value
	}
	bound.Ref, bound.Name, bound.Match = a, b.nameOf(a), matchOf(a)
	if bound.Value, err = b.literal(a, &bound); err != nil {
		return nil, wrong(c.Pos, "%s: %s", a.Path(), err)
	}
	return userNameVariants(a, &bound), nil
}

func (b *binder) nameOf(a *scim.Attribute) string {
	switch {
	case b.element == nil:
		return a.Path()
	case a == b.element:
		return "value"
	}
	return a.Name
}

func constant(truth bool) filter.Expr {
	if truth {
		return filter.True{}
	}
	return filter.False{}
}

func (b *binder) resolve(name string, pos int) (*scim.Attribute, error) {
	a := b.find(name)
	switch {
	case a != nil:
		return a, searchable(a, pos)
	case b.IgnoreUnknown:
		return nil, nil
	}
	return nil, wrong(pos, "there is no attribute \"%s\" here%s", printable(name), didYouMean(name, b.names()))
}

// searchable refuses attributes that are never returned: a filter on one would
// tell its value bit by bit (F-29, R-07).
func searchable(a *scim.Attribute, pos int) error {
	if hidden(a) {
		return wrong(pos, "%q cannot be searched, because it is never returned", a.Path())
	}
	return nil
}

func hidden(a *scim.Attribute) bool {
	for ; a != nil; a = a.Parent() {
		if a.Returned == scim.ReturnedNever || a.Mutability == scim.WriteOnly {
			return true
		}
	}
	return false
}

func (b *binder) literal(a *scim.Attribute, c *filter.Compare) (filter.Value, error) {
	v := c.Value
	if b.Lenient {
		v = filter.Coerce(c.Match, v)
	}
	if a.Type != scim.TypeBinary {
		return filter.CheckLiteral(c.Match, c.Op, v)
	}
	if !filter.OpsOf(filter.Eq, filter.Ne, filter.Pr).Has(c.Op) { // F-15, F-17
		return v, fmt.Errorf("%q cannot compare binary values", c.Op)
	}
	if same, ok := normalBase64(v.Str); ok && v.Kind == filter.String {
		v.Str = same
	}
	return filter.CheckLiteral(c.Match, c.Op, v)
}

func (b *binder) elements(e *filter.Element) (filter.Expr, error) {
	if b.element != nil {
		return nil, wrong(e.Pos, "a value filter cannot hold another one")
	}
	a, err := b.resolve(e.Name, e.Pos)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return filter.False{}, nil
	}
	if a.Type != scim.TypeComplex && !a.MultiValued || a.IsExtension() {
		return nil, wrong(e.Pos, "%q has no elements to filter; compare it without brackets", a.Path())
	}
	where, err := within(a, b.BindOptions).bind(e.Where)
	if err != nil {
		return nil, err
	}
	return &filter.Element{Name: a.Path(), Where: where, Pos: e.Pos, Ref: a}, nil
}

// matchOf says how values of an attribute compare (F-13, F-17).
func matchOf(a *scim.Attribute) filter.Match {
	switch a.Type {
	case scim.TypeBoolean:
		return filter.Boolean
	case scim.TypeInteger:
		return filter.Integer
	case scim.TypeDecimal:
		return filter.Decimal
	case scim.TypeDateTime:
		return filter.DateTime
	case scim.TypeComplex:
		return filter.Presence
	}
	if Exact(a) {
		return filter.Exact
	}
	return filter.Folded
}

func wrong(pos int, format string, args ...any) error {
	return scim.Bad(scim.InvalidFilter, "The filter is wrong at character %d: %s.", pos+1, fmt.Sprintf(format, args...))
}

// KnownSomewhere refuses a filter over several types that names an attribute
// which none of them has. What one type has, another may lack (G-07).
func KnownSomewhere(types []*scim.Layout, e filter.Expr) (err error) {
	check := func(name string, pos int) {
		for _, l := range types {
			if err != nil || resolve(l, name) != nil {
				return
			}
		}
		err = wrong(pos, "there is no attribute \"%s\" here%s", printable(name), didYouMean(name, paths(types[0])))
	}
	filter.Walk(e, func(e filter.Expr) bool {
		switch e := e.(type) {
		case *filter.Compare:
			check(e.Name, e.Pos)
		case *filter.Element:
			check(e.Name, e.Pos)
			return false // its parts belong to the attribute
		}
		return true
	})
	return err
}
