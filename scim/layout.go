package scim

import (
	"fmt"
	"strconv"
	"strings"
)

// An Extension is a schema extension of a resource type (RFC 7643 section 6).
type Extension struct {
	Schema     string // URN
	Required   bool
	Attributes []*Attribute
}

// A Layout is what a resource type's attributes compile to, once, at start: a
// slot for each attribute, the attribute for each name, the JSON for each key.
// The same attributes, compiled twice, give two layouts that must not be mixed.
type Layout struct {
	Schema     string // URN of the base schema
	attrs      []*Attribute
	byName     map[string]*Attribute
	urns       []string // base schema, then extensions
	nested     []*Attribute
	ExternalID *Attribute
	ID         *Attribute
	Meta       *Attribute
	Schemas    *Attribute
	Extensions []*Attribute // containers
	standard   *Selection   // what an answer holds unless the client says otherwise
}

// NewLayout compiles the attributes of a base schema and its extensions. It
// adds the common attributes of RFC 7643 section 3.1 by itself, and takes the
// definitions over: they must not be used in another layout (Clone them).
func NewLayout(urn string, attrs []*Attribute, exts []Extension) (*Layout, error) {
	l := &Layout{Schema: urn, byName: map[string]*Attribute{}, urns: []string{urn}}
	l.Schemas, l.ID, l.ExternalID, l.Meta = commonAttributes()
	for _, a := range []*Attribute{l.Schemas, l.ID, l.ExternalID} {
		if err := l.add(a, ""); err != nil {
			return nil, err
		}
	}
	for _, a := range attrs {
		if err := l.add(a, urn); err != nil {
			return nil, err
		}
	}
	for _, e := range exts {
		c := &Attribute{Name: e.Schema, Type: TypeComplex, Required: e.Required, Sub: e.Attributes, ext: true}
		if err := l.add(c, e.Schema); err != nil {
			return nil, err
		}
		l.urns = append(l.urns, e.Schema)
		l.Extensions = append(l.Extensions, c)
		for _, s := range c.Sub {
			if s.Nested() {
				l.nested = append(l.nested, s)
			}
		}
	}
	if err := l.add(l.Meta, ""); err != nil {
		return nil, err
	}
	l.standard = &Selection{layout: l}
	l.standard.compile()
	return l, nil
}

func (l *Layout) add(a *Attribute, urn string) error {
	name := lowerASCII(a.Name)
	if l.byName[name] != nil {
		return fmt.Errorf("attribute %q is declared twice", a.Name)
	}
	a.slot = len(l.attrs)
	l.attrs = append(l.attrs, a)
	l.byName[a.Name], l.byName[name] = a, a
	return a.compile(urn)
}

func (a *Attribute) compile(urn string) error {
	a.schema = urn
	a.key = append(strconv.AppendQuote(nil, a.Name), ':')
	a.byName = make(map[string]*Attribute, 2*len(a.Sub))
	for i, s := range a.Sub {
		name := lowerASCII(s.Name)
		if a.byName[name] != nil {
			return fmt.Errorf("attribute %q is declared twice in %q", s.Name, a.Name)
		}
		a.byName[s.Name], a.byName[name] = s, s
		s.parent, s.slot = a, i
		if err := s.compile(urn); err != nil {
			return err
		}
	}
	return nil
}

// Attributes lists the top-level attributes in the order in which they are
// written: schemas, id, externalId, the base schema's, the extensions'
// containers, meta. The slice must not be changed.
func (l *Layout) Attributes() []*Attribute { return l.attrs }

// URNs lists the base schema and the extensions. The slice must not be changed.
func (l *Layout) URNs() []string { return l.urns }

// Find returns the top-level attribute, or the extension's container, with that
// name, ignoring case, or nil.
func (l *Layout) Find(name string) *Attribute {
	if a, ok := l.byName[name]; ok {
		return a
	}
	return l.byName[lowerASCII(name)]
}

// Resolve finds the attribute that a name in a path, a filter or a query
// parameter means: "userName", "name.givenName", either with the URN of its
// schema in front, or the URN of an extension alone. URNs hold dots and colons
// themselves, so the longest URN that fits is taken (P-27); a dot after the URN
// is read as a colon, as old Entra jobs write it. Nil if there is none.
func (l *Layout) Resolve(name string) *Attribute {
	if a := l.Find(name); a != nil {
		return a
	}
	if urn, rest := l.splitURN(name); urn != "" {
		if l.isExtension(urn) {
			if a := l.resolveNested(rest); a != nil {
				return a
			}
			return resolveIn(l.Find(urn), rest)
		}
		name = rest
	}
	if a := l.resolveNested(name); a != nil {
		return a
	}
	head, sub, dotted := strings.Cut(name, ".")
	a := l.Find(head)
	if a == nil || !dotted {
		return a
	}
	return resolveIn(a, sub)
}

func (l *Layout) isExtension(urn string) bool {
	a := l.Find(urn)
	return a != nil && a.ext
}

func (l *Layout) splitURN(name string) (urn, rest string) {
	for _, u := range l.urns {
		if len(u) > len(urn) && len(name) > len(u)+1 && strings.EqualFold(name[:len(u)], u) &&
			(name[len(u)] == ':' || name[len(u)] == '.') {
			urn, rest = u, name[len(u)+1:]
		}
	}
	return urn, rest
}

// resolveNested finds an object that is nested in an extension, or a part of it.
func (l *Layout) resolveNested(name string) *Attribute {
	for _, a := range l.nested {
		n := len(a.Name)
		if len(name) < n || !strings.EqualFold(name[:n], a.Name) {
			continue
		}
		if len(name) == n {
			return a
		}
		if name[n] == ':' || name[n] == '.' {
			return a.Find(name[n+1:])
		}
	}
	return nil
}

func resolveIn(a *Attribute, path string) *Attribute {
	head, sub, dotted := strings.Cut(path, ".")
	found := a.Find(head)
	if found == nil || !dotted {
		return found
	}
	return resolveIn(found, sub)
}

func commonAttributes() (schemas, id, externalID, meta *Attribute) {
	schemas = &Attribute{Name: "schemas", Type: TypeReference, MultiValued: true, CaseExact: true, Required: true,
		Mutability: ReadOnly, Returned: ReturnedAlways, ReferenceTypes: []string{"uri"}}
	id = &Attribute{Name: "id", CaseExact: true, Mutability: ReadOnly, Returned: ReturnedAlways, Uniqueness: UniqueServer,
		Description: "The resource's identifier, issued by the service provider."}
	externalID = &Attribute{Name: "externalId", CaseExact: true,
		Description: "The resource's identifier in the provisioning client's own domain."}
	sub := func(name string, t Type) *Attribute {
		return &Attribute{Name: name, Type: t, CaseExact: true, Mutability: ReadOnly}
	}
	meta = &Attribute{Name: "meta", Type: TypeComplex, Mutability: ReadOnly, Sub: []*Attribute{
		sub("resourceType", TypeString), sub("created", TypeDateTime), sub("lastModified", TypeDateTime),
		sub("location", TypeReference), sub("version", TypeString)}}
	return schemas, id, externalID, meta
}

func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; c >= 'A' && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
