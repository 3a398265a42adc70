package adapters

import (
	"context"

	"github.com/postern/postern/scim/filter"
)

// An Adapter is one kind of object in one backend: a table, a REST collection,
// a directory subtree. Its methods may be called from many goroutines, honour
// ctx, and fail only with *Error. A Record that was returned is the caller's.
type Adapter interface {
	// Capabilities says what the adapter can do. It does no I/O and never changes.
	Capabilities() Capabilities

	// Get reads the fields in want of one record. NotFound if there is none.
	Get(ctx context.Context, key Key, want Fields) (Record, error)

	// List reads a page. It holds exactly the records that the filter is true of,
	// in the order asked for and by key where that leaves a tie.
	List(ctx context.Context, q Query) (Page, error)

	// Create stores a record and answers what the backend then holds. Where the
	// backend makes the key, r.Key is empty. Exists, with the field, if a unique
	// value is taken.
	Create(ctx context.Context, r Record, want Fields) (Record, error)

	// Update changes what d says and answers what the backend then holds, under
	// a new key if the change renamed the record. A field that no longer holds
	// what d says it held, or is among d.Held and differs from d.Before, is
	// Conflict, and nothing is changed. All or nothing.
	Update(ctx context.Context, key Key, d Delta, want Fields) (Record, error)

	// Delete removes a record. NotFound if there is none.
	Delete(ctx context.Context, key Key) error

	// Probe does the cheapest exchange that proves that the backend answers and
	// that the credential is good.
	Probe(ctx context.Context) error

	// Close lets go of what the adapter holds.
	Close() error
}

// A Key is a record's native identifier as one string. Composite keys are
// joined by JoinKey. Keys never leave Postern unless a client runs with
// `ids: existing`.
type Key string

// KeyField is the name by which a filter or a sort speaks of a record's key.
const KeyField = "$key"

// PlaceField is the name by which records of several places say in which one they
// are: a field as others, that no update changes.
const PlaceField = "$place"

// Capabilities are data, so that a decorator cannot hide one by accident.
type Capabilities struct {
	Shape  *Shape
	Fields []Field // by position in Shape
	Key    Field   // what can be asked about KeyField

	Or, Not   bool // filters with or, not
	Offset    bool // List skips Query.Offset records
	Total     bool // List counts
	Whole     bool // a page costs what the whole list does: who needs many records asks for many at once
	GivenKeys bool // Create takes the key from the record; otherwise the backend makes it

	NoCreate, NoUpdate, NoDelete bool

	// Finish carries on what a write has left undone of the record with the key, from
	// what it noted (Note), and answers the key that the record has then. It may be
	// called again and again. NotFound if the record is gone. late says that nothing that
	// was sent before is still on its way. Nil where writes leave nothing undone: they
	// touch one backend.
	Finish func(ctx context.Context, key Key, rest string, late bool) (Key, error)
}

// A Field says what a backend evaluates exactly on one field: as the in-memory
// evaluation of package filter would, absent values and case included.
type Field struct {
	Filter map[filter.Match]filter.Ops
	Sort   map[filter.Match]bool
	Multi  bool // several values: []string in the record
	Delta  bool // Update takes Adds and Removes for it, without the whole
	Costly bool // not read unless wanted: a join, a further call
	Unique bool // the backend refuses a second equal value
	Apart  bool // it lives in another place than the record: what does not touch it need not read it

	// Elements says of what parts the values are made, where they are more than
	// texts: the field holds []Record. What Filter would say is said of each part.
	Elements *Elements

	// Checked: the values are keys of other records, and the adapter sees to it, in
	// what it reads, filters and writes, that only such count as exist and are in
	// their own target's scope.
	Checked bool

	// Bound: the values are keys of other records, and can only be those of the
	// records of one place (package route), however many places their type has.
	Bound bool
}

// Elements describes the values of a field that are records themselves, such as
// addresses. A filter asks for one of them by filter.Element, whose names are
// parts; a record of which no element is asked for has none to compare.
type Elements struct {
	Shape  *Shape
	Fields []Field // by position in Shape; of these Filter and Unique count
}

// Field answers what is declared about a part, and whether there is such a part.
func (e *Elements) Field(name string) (Field, bool) {
	if e != nil {
		if i := e.Shape.Index(name); i >= 0 {
			return e.Fields[i], true
		}
	}
	return Field{}, false
}

// A Query asks for a page. It holds only what Capabilities declare.
type Query struct {
	Filter filter.Expr // over field names and KeyField; nil: all. Leaves are bound (Match set)
	Sort   []Sort      // none: by key
	Offset int
	Limit  int    // at most so many records; 0: none, as for a count
	Cursor string // Page.Next of the page before, instead of Offset
	Total  bool   // Page.Total is wanted
	Want   Fields
}

// A Sort is one sort key. Records without a value come last when ascending and
// first when descending (RFC 7644 section 3.4.2.3).
type Sort struct {
	Field      string
	Match      filter.Match
	Descending bool
}

// A Page is the answer to a Query.
type Page struct {
	Records []Record
	Total   int    // of all matches; -1 if not asked for or not known
	Next    string // cursor of the next page, "" on the last; opaque, adapter-made
}

// A Delta is a change in both views: the changes, for backends that can apply
// them, and the whole record, for those that replace.
type Delta struct {
	Set     []Change // single-valued fields and whole lists
	Members []MemberChange
	Before  Record // as it was read; empty when only members change
	After   Record // as it should be; empty when only members change

	// Held are fields that do not change and must still hold what Before holds,
	// because the change was decided on the record as a whole (If-Match).
	Held []string
}

// A Change is one field's old and new value; nil is "no value". Of elements, New
// holds under the key of an old one what becomes of it, and what is new under no
// key.
type Change struct {
	Field    string
	Old, New any
}

// A MemberChange adds to and removes from a multi-valued field with Delta set.
// Adding what is there, or removing what is not, is no error.
type MemberChange struct {
	Field       string
	Add, Remove []string
}

// Empty reports whether the delta changes nothing.
func (d Delta) Empty() bool { return len(d.Set) == 0 && len(d.Members) == 0 }
