package rules

import (
	"fmt"

	"github.com/postern/postern/scim/schema"
)

// A Text is a scalar of the configuration and the place where it stands.
type Text struct {
	Value        string
	Line, Column int
}

// A Spec is one line of `attributes:`: what one SCIM attribute is made of.
type Spec struct {
	Path Text // userName, emails[type eq "work"].value, enterprise:department

	Field  Text    // the backend's field, for a rename, a table, or the goal of Out
	Values []Coded // table: backend value and SCIM value
	In     Text    // expression over record and value: backend to SCIM
	Out    Text    // expression over resource and value: SCIM to backend
	Split  Text    // separator: one field holds all values of a multi-valued attribute
	Format Text    // how a dateTime is stored: unix, date, or a Go layout

	Relation *Relation    // membership
	Rows     *Rows        // the elements are rows of a table
	Lookup   *LookupTable // the field holds a key, the attribute the name that goes with it
	Refers   Text         // the resource type that the value is a reference to

	Kept   bool // the attribute is kept beside the record
	KeptAt Text // where that is said

	Default *Text // assigned on create when the client said nothing

	Mutability Text // readOnly, immutable: stricter than the schema says
	Uniqueness Text
	Required   bool
	Sensitive  bool // its values must not stand in URLs
}

// A Coded is one row of a table rule.
type Coded struct{ Backend, SCIM Text }

// A Relation is a join table: rows of owner and member.
type Relation struct{ Table, Owner, Member Text }

// Rows are the elements of a multi-valued attribute in a table of their own. The
// path of a column is a sub-attribute.
type Rows struct {
	Table   Text
	Owner   []Text     // its columns with the record's key
	Where   []Constant // what all rows hold that count
	Order   Text
	Key     []Text
	Columns []Spec
}

// A LookupTable is a table of keys and names.
type LookupTable struct {
	Table, Key, Name Text
	Where            []Constant
	Create           bool // a name that is not there is added
}

// An Input is what one resource type is compiled from.
type Input struct {
	Name, Endpoint, Description string

	At         Text // the resource's name in the configuration
	Schema     *schema.Schema
	Extensions []schema.Extension
	Aliases    map[string]string // short name of an extension to its URN
	Attributes []Spec
	Key        []Text  // the fields that make the key
	Scope      Text    // over record: the records that provisioning may see
	Managed    Text    // over record: those of them that it may change
	Birth      Text    // a field that never changes, by which a record is told from another one with its key
	When       Text    // over resource: the resources that this backend takes
	Places     []Place // where resources live beside the target
	Correlate  []Text  // the attributes by which a create is known to be about a record that is there
	Ends       Text    // the attribute after whose time a resource is set inactive
	Reactivate Text    // where it says that inactive records are for those who create them
	NewKey     Text    // over resource: the key of a new record
	Constants  []Constant
	Types      map[string]string // every resource type's name and endpoint
	Tenant     string            // whose mapping it is; "": expressions know none
	Params     map[string]string // the values of parameters: params.NAME
	Joins      []string          // the names of rows beside a record: record.NAME.column
	Lists      bool              // a field of the backend can hold several keys
	Texts      bool              // and several plain values
}

// A Constant is a field that Postern sets on every record it creates.
type Constant struct{ Field, Value Text }

// A Problem is a mistake in the configuration. Offset and Width count bytes
// within the Text's value; without a Width the Text as a whole is meant.
type Problem struct {
	At            Text
	Offset, Width int
	Message       string
	Hint          string
	Warning       bool
}

func (p Problem) Error() string {
	return fmt.Sprintf("%d:%d: %s", p.At.Line, p.At.Column, p.Message)
}

type problems []Problem

func (p *problems) add(at Text, hint, format string, args ...any) {
	*p = append(*p, Problem{At: at, Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// inside reports a mistake at a place within a text.
func (p *problems) inside(at Text, offset, width int, hint, format string, args ...any) {
	*p = append(*p, Problem{At: at, Offset: offset, Width: max(1, width), Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// Broken reports whether there is more than warnings.
func Broken(ps []Problem) bool {
	for _, p := range ps {
		if !p.Warning {
			return true
		}
	}
	return false
}
