package ldap

import "strings"

// An attributeType is what the schema says of an attribute (RFC 4512 section 4.1.2).
type attributeType struct {
	Names     []string
	OID       string
	Sup       string
	Equality  string // lower case
	Ordering  string
	Substring string
	Syntax    string
	Single    bool // SINGLE-VALUE
	Fixed     bool // NO-USER-MODIFICATION
	Internal  bool // of no USAGE by applications: kept by the server
	foreign   bool // Active Directory's: not compared as RFC 4518 says
}

// An objectClass is what the schema says of a class (section 4.1.1).
type objectClass struct {
	Names     []string
	OID       string
	Sup       []string
	Kind      string // ABSTRACT, STRUCTURAL, AUXILIARY
	Must, May []string
}

// A schema is what a server knows. An empty one says nothing: it could not be read.
type schema struct {
	attributes map[string]*attributeType // by lower-case name and by OID
	classes    map[string]*objectClass
}

func newSchema() *schema {
	return &schema{attributes: map[string]*attributeType{}, classes: map[string]*objectClass{}}
}

// attribute finds an attribute by name or OID, without its options; nil if the
// schema has none.
func (s *schema) attribute(name string) *attributeType {
	name, _, _ = strings.Cut(name, ";")
	return s.attributes[strings.ToLower(name)]
}

func (s *schema) class(name string) *objectClass { return s.classes[strings.ToLower(name)] }

// same reports whether two names mean one attribute. With other options it is another
// one; "binary" only says how it is sent (RFC 4522).
func (s *schema) same(a, b string) bool {
	nameA, optionsA, _ := strings.Cut(withoutBinary(a), ";")
	nameB, optionsB, _ := strings.Cut(withoutBinary(b), ";")
	if !strings.EqualFold(optionsA, optionsB) {
		return false
	}
	x := s.attribute(nameA)
	return strings.EqualFold(nameA, nameB) || x != nil && x == s.attribute(nameB)
}

func withoutBinary(name string) string {
	if n := len(name) - len(binaryOption); n > 0 && strings.EqualFold(name[n:], binaryOption) {
		return name[:n]
	}
	return name
}

const binaryOption = ";binary"

// sent is how an attribute is called where it is written: of certificates, the
// directory insists on the option (RFC 4523 section 2).
func (v *server) sent(attribute string) string {
	t := v.attribute(attribute)
	if v.active || t == nil || t.Syntax != syntaxCertificate || withoutBinary(attribute) != attribute {
		return attribute
	}
	return attribute + binaryOption
}

// allow adds what content rules allow and demand of entries of a class, with the auxiliary
// classes that they may have (RFC 4512 section 4.1.6).
func (s *schema) allow(rules []string) {
	for _, text := range rules {
		r, ok := parseClass(text)
		if !ok || s.classes[r.OID] == nil {
			continue
		}
		c := s.classes[r.OID]
		c.Must, c.May, c.Sup = append(c.Must, r.Must...), append(c.May, r.May...), append(c.Sup, r.Sup...)
	}
}

// read takes the definitions over. What cannot be read is left out: nothing is then
// known of it.
func (s *schema) read(attributes, classes []string, active bool) {
	for _, text := range attributes {
		if a, ok := parseAttribute(text); ok {
			s.attributes[a.OID] = a
			for _, n := range a.Names {
				s.attributes[strings.ToLower(n)] = a
			}
		}
	}
	for _, text := range classes {
		if c, ok := parseClass(text); ok {
			s.classes[c.OID] = c
			for _, n := range c.Names {
				s.classes[strings.ToLower(n)] = c
			}
		}
	}
	for _, a := range s.attributes {
		s.inherit(a, 0)
		if active {
			a.assume()
		}
	}
}

// inherit completes an attribute by what its supertype says.
func (s *schema) inherit(a *attributeType, depth int) {
	up := s.attribute(a.Sup)
	if a.Sup == "" || up == nil || depth > 20 {
		return
	}
	s.inherit(up, depth+1)
	for _, p := range [][2]*string{{&a.Equality, &up.Equality}, {&a.Ordering, &up.Ordering}, {&a.Substring, &up.Substring}, {&a.Syntax, &up.Syntax}} {
		if *p[0] == "" {
			*p[0] = *p[1]
		}
	}
}

// assume is how Active Directory compares, of which its schema says nothing. It has
// names of its own for some of the usual syntaxes.
func (a *attributeType) assume() {
	a.foreign = true
	if usual, ok := microsoftSyntaxes[a.Syntax]; ok {
		a.Syntax = usual
	}
	switch {
	case a.Equality != "":
	case a.Syntax == syntaxDirectoryString || a.Syntax == syntaxIA5 || a.Syntax == syntaxPrintable:
		a.Equality, a.Substring = "caseignorematch", "caseignoresubstringsmatch"
	case a.Syntax == syntaxCaseExact:
		a.Equality, a.Substring = "caseexactmatch", "caseexactsubstringsmatch"
	case a.Syntax == syntaxInteger:
		a.Equality, a.Ordering = "integermatch", "integerorderingmatch"
	case a.Syntax == syntaxBoolean:
		a.Equality = "booleanmatch"
	case a.Syntax == syntaxTime:
		a.Equality, a.Ordering = "generalizedtimematch", "generalizedtimeorderingmatch"
	case a.Syntax == syntaxDN:
		a.Equality = "distinguishednamematch"
	case a.Syntax == syntaxOctets:
		a.Equality = "octetstringmatch"
	}
}

// Syntaxes (RFC 4517).
const (
	syntaxes              = "1.3.6.1.4.1.1466.115.121.1."
	syntaxBinary          = syntaxes + "5"
	syntaxBoolean         = syntaxes + "7"
	syntaxCertificate     = syntaxes + "8"
	syntaxDN              = syntaxes + "12"
	syntaxDirectoryString = syntaxes + "15"
	syntaxTime            = syntaxes + "24"
	syntaxIA5             = syntaxes + "26"
	syntaxInteger         = syntaxes + "27"
	syntaxJPEG            = syntaxes + "28"
	syntaxOctets          = syntaxes + "40"
	syntaxPrintable       = syntaxes + "44"
)

// microsoftSyntaxes are the large integer, the text that ignores case, and the security
// descriptor, which is no text.
var microsoftSyntaxes = map[string]string{
	"1.2.840.113556.1.4.906": syntaxInteger,
	"1.2.840.113556.1.4.905": syntaxDirectoryString,
	"1.2.840.113556.1.4.907": syntaxBinary,
}

// syntaxCaseExact is Active Directory's text that does not ignore case.
const syntaxCaseExact = "1.2.840.113556.1.4.1362"

// parseAttribute reads a definition of an attribute.
func parseAttribute(text string) (*attributeType, bool) {
	w, ok := words(text)
	if !ok || len(w) == 0 {
		return nil, false
	}
	a := &attributeType{OID: w[0][0]}
	for i := 1; i < len(w); i++ {
		next := func() []string {
			if i+1 < len(w) {
				i++
				return w[i]
			}
			return nil
		}
		switch w[i][0] {
		case "NAME":
			a.Names = next()
		case "SUP":
			a.Sup = first(next())
		case "EQUALITY":
			a.Equality = strings.ToLower(first(next()))
		case "ORDERING":
			a.Ordering = strings.ToLower(first(next()))
		case "SUBSTR":
			a.Substring = strings.ToLower(first(next()))
		case "SYNTAX":
			a.Syntax, _, _ = strings.Cut(first(next()), "{")
		case "SINGLE-VALUE":
			a.Single = true
		case "NO-USER-MODIFICATION":
			a.Fixed = true
		case "USAGE":
			a.Internal = first(next()) != "userApplications"
		case "DESC":
			next()
		}
	}
	return a, true
}

// parseClass reads a definition of an object class.
func parseClass(text string) (*objectClass, bool) {
	w, ok := words(text)
	if !ok || len(w) == 0 {
		return nil, false
	}
	c := &objectClass{OID: w[0][0], Kind: "STRUCTURAL"}
	for i := 1; i < len(w); i++ {
		next := func() []string {
			if i+1 < len(w) {
				i++
				return w[i]
			}
			return nil
		}
		switch w[i][0] {
		case "NAME":
			c.Names = next()
		case "SUP", "AUX": // of a content rule
			c.Sup = next()
		case "MUST":
			c.Must = next()
		case "MAY":
			c.May = next()
		case "ABSTRACT", "STRUCTURAL", "AUXILIARY":
			c.Kind = w[i][0]
		case "DESC":
			next()
		}
	}
	return c, true
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// words takes a definition apart: each word, quoted text or list in parentheses.
// None is empty.
func words(text string) ([][]string, bool) {
	tokens := tokens(text)
	if len(tokens) < 2 || tokens[0] != "(" || tokens[len(tokens)-1] != ")" {
		return nil, false
	}
	var out [][]string
	var list []string
	inside := false
	for _, t := range tokens[1 : len(tokens)-1] {
		switch {
		case t == "(" && !inside:
			inside, list = true, nil
		case t == ")" && inside:
			if len(list) == 0 {
				return nil, false
			}
			inside, out = false, append(out, list)
		case t == "(" || t == ")":
			return nil, false
		case inside && t == "$":
		case inside:
			list = append(list, unquoted(t))
		default:
			out = append(out, []string{unquoted(t)})
		}
	}
	return out, !inside
}

func unquoted(t string) string {
	if len(t) >= 2 && t[0] == '\'' && t[len(t)-1] == '\'' {
		return t[1 : len(t)-1]
	}
	return t
}

// tokens divides at blanks, parentheses and dollar signs, but not within quotes.
func tokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')' || c == '$':
			out = append(out, string(c))
			i++
		case c == '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return append(out, text[i:])
			}
			out = append(out, text[i:i+end+2])
			i += end + 2
		default:
			n := strings.IndexAny(text[i:], " \t\n\r()$'")
			if n < 0 {
				n = len(text) - i
			}
			out = append(out, text[i:i+n])
			i += n
		}
	}
	return out
}
