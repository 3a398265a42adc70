package sql

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A Table describes the table whose rows are records.
type Table struct {
	Name string
	Key  []string // the columns whose values, joined, are a record's key

	// Generated says that the database makes the keys. nil: it does where the
	// key is one column.
	Generated *bool

	// NewKey makes the key of a new row that is given none, where neither the column
	// nor whoever creates does: a sequence, or a statement that answers it.
	NewKey NewKey

	Relations []Relation
	Sides     []Side
	Lookups   []Lookup
	Children  []Child

	// Fixed are columns that hold the same value in every row that is a record.
	// New rows get it.
	Fixed []Fixed

	Stamps Stamps

	// Distinct makes one record of all rows that have the same key: groups that exist
	// only as a name in a table of memberships. Such a record is there as long as it
	// has rows. Vacant is what the row holds that stands for a record without members;
	// none: there can be no such record.
	Distinct bool
	Vacant   []Fixed

	// References are columns of the shape that hold the key of one record of a
	// table in the same database. They have a value only where the record is there,
	// and within its scope. No key and nothing in Where may be one of them.
	References []Reference

	// Texts are columns of the shape that name several records.
	Texts []Text

	// Own are statements that change records in place of those that are derived; nil:
	// there are none.
	Own *Own

	// Where is the table's scope: rows of which it is not true are as if they
	// were not there. Its names are columns, not only those of the shape; its
	// leaves are bound. nil: all rows.
	Where filter.Expr
}

// A Relation is a multi-valued field that a join table keeps.
type Relation struct {
	Field  string // its name in the shape
	Table  string // the join table
	Owner  string // its column with the record's key
	Member string // its column with the other end's key
	Refers *Target

	// OwnerHolds is the column of the record's table that Owner holds, and MemberHolds
	// that of the members'; "": their keys.
	OwnerHolds, MemberHolds string

	table, key string // of the records that have the members
}

// A Reference is a column that refers to one record.
type Reference struct {
	Field  string // its name in the shape: the column
	Refers Target
}

// A Target is the table of a relation's members, or of what a column refers to, in
// the same database. Only those that it holds within its scope count.
type Target struct {
	Table string
	Key   string
	Where filter.Expr

	Distinct bool // as in the Table that it is
}

// An Adapter is a table as an adapters.Adapter.
type Adapter struct {
	db        *Database
	table     Table
	caps      adapters.Capabilities
	relations []*Relation // by position in the shape; nil for what is none
	children  []*Child    // by position in the shape; nil for what is none

	references []*Target // by position in the shape; nil where the column is none

	planning sync.Mutex
	current  atomic.Pointer[plan]
}

var _ adapters.Adapter = (*Adapter)(nil)

// Table makes the adapter of a table. The names of the shape are columns or the
// fields of relations. It does no I/O; all that is wrong is reported at once.
func (db *Database) Table(t Table, shape *adapters.Shape) (*Adapter, error) {
	a := &Adapter{db: db, table: t, relations: make([]*Relation, shape.Len()), children: make([]*Child, shape.Len())}
	errs := t.check()
	for i := range t.Relations {
		r := &t.Relations[i]
		at := shape.Index(r.Field)
		if at < 0 {
			errs = append(errs, fmt.Errorf("relation %q: the shape has no such field", r.Field))
			continue
		}
		a.relations[at] = r
		r.table = t.Name
		if len(t.Key) > 0 {
			r.key = t.Key[0]
		}
	}
	a.references = make([]*Target, shape.Len())
	for i := range t.References {
		r := &t.References[i]
		at := shape.Index(r.Field)
		if at < 0 || a.relations[at] != nil || a.isKey(r.Field) {
			errs = append(errs, fmt.Errorf("reference %q: the shape has no such column, or it is of the key", r.Field))
			continue
		}
		a.references[at] = &r.Refers
	}
	for i := range t.Children {
		c := &t.Children[i]
		at := shape.Index(c.Field)
		if at < 0 {
			errs = append(errs, fmt.Errorf("elements %q: the shape has no such field", c.Field))
			continue
		}
		a.children[at] = c
	}
	looked := map[string]bool{}
	for _, l := range t.Lookups {
		looked[l.Field] = true
	}
	for i, name := range shape.Names() {
		if a.relations[i] == nil && a.children[i] == nil && !looked[name] {
			errs = append(errs, checkName("column", name))
		}
	}
	errs = append(errs, a.checkDistinct(shape)...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a.caps = a.capabilities(shape)
	db.refer(t.Relations)
	db.note(&t)
	return a, nil
}

// check lists what is wrong with a table's description.
func (t *Table) check() []error {
	errs := []error{checkName("table", t.Name)}
	if len(t.Key) == 0 {
		errs = append(errs, fmt.Errorf("table %q has no key", t.Name))
	}
	for _, k := range t.Key {
		errs = append(errs, checkName("key column", k))
	}
	if len(t.Key) > 1 && len(t.Relations) > 0 {
		errs = append(errs, fmt.Errorf("table %q: a table with relations must have a key of one column", t.Name))
	}
	errs = append(errs, checkWhere(t.Where)...)
	errs = append(errs, t.checkNewKey()...)
	errs = append(errs, t.checkShapes()...)
	errs = append(errs, t.checkStamps()...)
	errs = append(errs, t.checkOwn()...)
	for _, r := range t.Relations {
		errs = append(errs, r.check()...)
	}
	for _, r := range t.References {
		errs = append(errs, r.Refers.check()...)
	}
	for _, x := range t.Texts {
		errs = append(errs, checkName("column", x.Field), checkName("table", x.Table), checkName("key column", x.Key))
	}
	return errs
}

func (r *Relation) check() []error {
	errs := []error{
		checkName("join table", r.Table),
		checkName("owner column", r.Owner),
		checkName("member column", r.Member),
	}
	if r.Refers != nil {
		errs = append(errs, r.Refers.check()...)
	}
	for _, name := range []string{r.OwnerHolds, r.MemberHolds} {
		if name != "" {
			errs = append(errs, checkName("column", name))
		}
	}
	if r.MemberHolds != "" && (r.Refers == nil || r.Refers.Distinct) {
		errs = append(errs, fmt.Errorf("relation %q: members are known by %q, which needs a table of them in the same database, with a scope that can be part of a statement", r.Field, r.MemberHolds))
	}
	return errs
}

func (t *Target) check() []error {
	return append(checkWhere(t.Where), checkName("table", t.Table), checkName("key column", t.Key))
}

// checkWhere lists the leaves of a scope that cannot be part of a statement.
func checkWhere(e filter.Expr) []error {
	switch e := e.(type) {
	case nil, filter.True, filter.False:
		return nil
	case filter.And:
		return checkWheres(e)
	case filter.Or:
		return checkWheres(e)
	case filter.Not:
		return checkWhere(e.Term)
	case *filter.Compare:
		if e.Name == adapters.KeyField {
			return nil
		}
		if e.Match == filter.Unbound {
			return []error{fmt.Errorf("scope: %q is not bound", e.Name)}
		}
		return []error{checkName("column", e.Name)}
	}
	return []error{fmt.Errorf("scope: a filter of the form %T cannot be part of a statement", e)}
}

func checkWheres(terms []filter.Expr) []error {
	var errs []error
	for _, t := range terms {
		errs = append(errs, checkWhere(t)...)
	}
	return errs
}

func (a *Adapter) capabilities(shape *adapters.Shape) adapters.Capabilities {
	column := a.db.dialect.fields()
	key := filter.OpsOf(filter.Eq, filter.Ne, filter.Pr)
	keys := map[filter.Match]filter.Ops{filter.Exact: key, filter.Presence: filter.OpsOf(filter.Pr)}
	c := adapters.Capabilities{
		Shape:     shape,
		Fields:    make([]adapters.Field, shape.Len()),
		Key:       adapters.Field{Filter: keys, Unique: true},
		Or:        true,
		Not:       true,
		Offset:    true,
		Total:     true,
		GivenKeys: !a.generated(),
	}
	for i, r := range a.relations {
		c.Fields[i] = column
		if child := a.children[i]; child != nil {
			c.Fields[i] = adapters.Field{Multi: true, Costly: true, Elements: child.elements(column)}
			continue
		}
		if r != nil {
			c.Fields[i] = adapters.Field{Filter: keys, Multi: true, Delta: true, Costly: true, Checked: r.Refers != nil}
		} else if a.references[i] != nil {
			c.Fields[i] = adapters.Field{Filter: keys, Checked: true}
		} else if len(a.table.Key) == 1 && a.table.Key[0] == shape.Names()[i] {
			c.Fields[i].Unique = true
		}
	}
	if own := a.table.Own; own != nil {
		c.NoCreate, c.NoUpdate, c.NoDelete = own.NoCreate, own.NoUpdate && len(own.Members) == 0, own.NoDelete
	}
	if a.db.readOnly {
		c.NoCreate, c.NoUpdate, c.NoDelete = true, true, true
	}
	return c
}

// generated reports whether the database makes the keys, unless a record says.
func (a *Adapter) generated() bool {
	switch {
	case a.table.Distinct:
		return false
	case a.table.Generated != nil:
		return *a.table.Generated
	}
	return len(a.table.Key) == 1
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// Close implements adapters.Adapter. The database stays open for its other
// tables.
func (a *Adapter) Close() error { return nil }

// isKey reports whether a field is one of the key's columns.
func (a *Adapter) isKey(field string) bool { return slices.Contains(a.table.Key, field) }
