package scim

import "strings"

// A Type is a data type of RFC 7643 section 2.3.
type Type uint8

// The data types.
const (
	TypeString Type = iota
	TypeBoolean
	TypeDecimal
	TypeInteger
	TypeDateTime
	TypeBinary
	TypeReference
	TypeComplex
)

var typeNames = [...]string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}

func (t Type) String() string { return typeNames[t] }

// ParseType reads the keyword of a data type.
func ParseType(s string) (Type, bool) { return parseKeyword[Type](typeNames[:], s) }

// A Mutable says who may change an attribute (RFC 7643 section 7).
type Mutable uint8

// The values of mutability.
const (
	ReadWrite Mutable = iota
	ReadOnly
	Immutable
	WriteOnly
)

var mutableNames = [...]string{"readWrite", "readOnly", "immutable", "writeOnly"}

func (m Mutable) String() string { return mutableNames[m] }

// ParseMutable reads a keyword of mutability.
func ParseMutable(s string) (Mutable, bool) { return parseKeyword[Mutable](mutableNames[:], s) }

// A Returned says when an attribute is part of an answer (RFC 7643 section 7).
type Returned uint8

// The values of returned.
const (
	ReturnedDefault Returned = iota
	ReturnedAlways
	ReturnedNever
	ReturnedRequest
)

var returnedNames = [...]string{"default", "always", "never", "request"}

func (r Returned) String() string { return returnedNames[r] }

// ParseReturned reads a keyword of returned.
func ParseReturned(s string) (Returned, bool) { return parseKeyword[Returned](returnedNames[:], s) }

// A Unique says within which bounds a value is unique (RFC 7643 section 7).
type Unique uint8

// The values of uniqueness.
const (
	UniqueNone Unique = iota
	UniqueServer
	UniqueGlobal
)

var uniqueNames = [...]string{"none", "server", "global"}

func (u Unique) String() string { return uniqueNames[u] }

// ParseUnique reads a keyword of uniqueness.
func ParseUnique(s string) (Unique, bool) { return parseKeyword[Unique](uniqueNames[:], s) }

func parseKeyword[T ~uint8](names []string, s string) (T, bool) {
	for i, n := range names {
		if n == s {
			return T(i), true
		}
	}
	return 0, false
}

// An Attribute is the definition of one attribute or sub-attribute, with the
// characteristics of RFC 7643 section 7. It is data until a Layout is compiled
// from it; from then on it must not change.
type Attribute struct {
	Name            string
	Type            Type
	MultiValued     bool
	Description     string
	Required        bool
	CanonicalValues []string
	CaseExact       bool
	Mutability      Mutable
	Returned        Returned
	Uniqueness      Unique
	ReferenceTypes  []string
	Sub             []*Attribute // sub-attributes of a complex attribute

	// EnforceCanonical refuses values outside CanonicalValues (S-05).
	EnforceCanonical bool
	// Sensitive keeps values out of URLs: filters on it belong in the body of a
	// POST .search (RFC 7644 section 7.5.2).
	Sensitive bool

	schema string     // URN of the schema that defines it; "" for common attributes
	parent *Attribute // the complex attribute or extension container it is part of
	slot   int
	key    []byte // `"name":`
	ext    bool   // the container of an extension: its Name is the URN
	byName map[string]*Attribute
}

// Schema is the URN of the schema that defines the attribute, empty for the
// common attributes id, externalId and meta (RFC 7643 section 3.1).
func (a *Attribute) Schema() string { return a.schema }

// Parent is the complex attribute, or the extension container, that a is part
// of; nil at the top level.
func (a *Attribute) Parent() *Attribute { return a.parent }

// IsExtension reports whether a is the container of an extension's attributes.
// Its Name is then the extension's URN, and its Sub are that schema's attributes.
func (a *Attribute) IsExtension() bool { return a.ext }

// Nested reports whether a is an object within an extension that has a URN of its
// own for a name, as RFC 9944 nests the ways of pairing. In paths it is named as an
// extension is.
func (a *Attribute) Nested() bool { return !a.ext && strings.Contains(a.Name, ":") }

// Find returns the sub-attribute with that name, ignoring case, or nil.
func (a *Attribute) Find(name string) *Attribute {
	if s, ok := a.byName[name]; ok {
		return s
	}
	return a.byName[lowerASCII(name)]
}

// Path is the attribute's name from the top of the resource: "name.givenName",
// or with the URN for attributes of an extension.
func (a *Attribute) Path() string {
	switch {
	case a.parent == nil:
		return a.Name
	case a.Nested():
		return a.Name
	case a.parent.ext, a.parent.Nested():
		return a.parent.Name + ":" + a.Name
	default:
		return a.parent.Path() + "." + a.Name
	}
}

// Clone copies a definition, without what compilation added, so that a
// configuration can change a standard attribute's characteristics.
func (a *Attribute) Clone() *Attribute {
	c := *a
	c.schema, c.parent, c.slot, c.key, c.ext, c.byName = "", nil, 0, nil, false, nil
	c.Sub = make([]*Attribute, len(a.Sub))
	for i, s := range a.Sub {
		c.Sub[i] = s.Clone()
	}
	return &c
}
