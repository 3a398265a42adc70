package filter

// An Op is a comparison operator of RFC 7644 table 3.
type Op uint8

// The operators.
const (
	Eq Op = iota
	Ne
	Co
	Sw
	Ew
	Gt
	Ge
	Lt
	Le
	Pr
)

var opNames = [...]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}

func (o Op) String() string { return opNames[o] }

// Ops is a set of operators.
type Ops uint16

// AllOps is every operator.
const AllOps Ops = 1<<(Pr+1) - 1

// OpsOf makes a set.
func OpsOf(ops ...Op) Ops {
	var s Ops
	for _, o := range ops {
		s |= 1 << o
	}
	return s
}

// Has reports whether the set holds o.
func (s Ops) Has(o Op) bool { return s&(1<<o) != 0 }

// A Match says how the values of a leaf compare; binding sets it.
type Match uint8

// The ways to compare.
const (
	Unbound  Match = iota
	Exact          // strings, references and binaries, byte for byte
	Folded         // strings, by simple Unicode case folding
	Boolean        // eq, ne, pr only
	Integer        // 64-bit integers
	Decimal        // decimals of any size
	DateTime       // instants
	Presence       // complex attributes: pr only
)

var matchNames = [...]string{"unbound", "exact", "folded", "boolean", "integer", "decimal", "dateTime", "presence"}

func (m Match) String() string { return matchNames[m] }

// A Kind tells what a Value holds.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	String
	Bool
	Int
	Number // a JSON number that is no 64-bit integer, as text
)

// A Value is a literal of a filter, or one value that a Subject has.
type Value struct {
	Kind Kind
	Str  string // String, Number
	Num  int64  // Int; Bool: 1 for true
}

// StringValue, BoolValue, IntValue and NumberValue make values.
func StringValue(s string) Value { return Value{Kind: String, Str: s} }
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: Bool, Num: 1}
	}
	return Value{Kind: Bool}
}
func IntValue(n int64) Value        { return Value{Kind: Int, Num: n} }
func NumberValue(text string) Value { return Value{Kind: Number, Str: text} }

// An Expr is a node: And, Or, Not, *Compare or *Element. Trees are immutable.
type Expr interface{ expr() }

// And is true when every term is; it has two or more.
type And []Expr

// Or is true when a term is; it has two or more.
type Or []Expr

// Not negates its term.
type Not struct{ Term Expr }

// A Compare is one comparison: userName eq "bjensen".
type Compare struct {
	Name  string // as written: an attribute path; or a backend's field
	Op    Op
	Value Value // Null for Pr, and for a comparison with null
	Pos   int   // byte offset in the text

	Match Match // how to compare; Unbound as parsed
	Ref   any   // what Name was bound to, for the Subject that reads it
}

// An Element is a value filter: emails[type eq "work" and value co "@x.org"]. It
// is true when one element of the multi-valued attribute satisfies Where, whose
// names are sub-attributes. The form emails[type eq "work"].value eq "x" (F-09)
// is parsed into the same node, its comparison joined to Where with and.
type Element struct {
	Name  string
	Where Expr
	Pos   int
	Ref   any
}

// True matches everything and False nothing. The parser never makes them;
// translation does, when a comparison is decided without looking at a value.
type (
	True  struct{}
	False struct{}
)

func (And) expr()      {}
func (Or) expr()       {}
func (Not) expr()      {}
func (*Compare) expr() {}
func (*Element) expr() {}
func (True) expr()     {}
func (False) expr()    {}

// A Target is the path of a PATCH operation: attribute, value filter,
// sub-attribute (RFC 7644 section 3.5.2, figure 7).
type Target struct {
	Name  string // attribute path with optional URN, as written, without the part after "]"
	Where Expr   // nil without [ ]
	Sub   string // sub-attribute after "]", or ""
}

// A Subject is what a filter is asked about.
type Subject interface {
	// Values calls yield for each value that the leaf's attribute has, until it
	// returns false. An attribute without a value yields nothing. For Presence,
	// and for Pr, what is yielded does not matter.
	Values(c *Compare, yield func(Value) bool)
	// Elements calls yield for each element of the attribute.
	Elements(e *Element, yield func(Subject) bool)
}
