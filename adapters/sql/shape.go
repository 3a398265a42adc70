package sql

import (
	"fmt"

	"github.com/postern/postern/adapters"
)

// A Fixed is a column that holds the same value in every row that counts. New
// rows get it.
type Fixed struct{ Column, Value string }

// A Side is one row of another table that belongs to a record. Its columns are
// fields, by the side's name, a dot and the column's.
type Side struct {
	Name  string
	Table string
	On    []string // its columns that hold the record's key, in the key's order
	Where []Fixed

	// Names and Values make a table of one row per attribute of it: a field is the
	// column Values of the row whose column Names holds what stands behind the dot.
	Names, Values string
}

// A Lookup is a field that holds a name where a column of the table holds the
// key by which another table knows it.
type Lookup struct {
	Field  string // its name in the shape
	Column string
	Table  string
	Key    string // the column of Table that Column holds
	Name   string // the column of Table that the field holds
	Where  []Fixed
	Create bool // a name that is not there is added to Table
}

// A Child is a field whose values are rows of another table.
type Child struct {
	Field   string
	Table   string
	Owner   []string // its columns that hold the record's key, in the key's order
	Where   []Fixed
	Order   string   // the column that numbers the rows of a record; ""
	Key     []string // what tells rows apart; nil: a unique index does, or all columns
	Shape   *adapters.Shape
	Lookups []Lookup
}

// checkShapes lists what is wrong with the description of other tables.
func (t *Table) checkShapes() []error {
	errs := checkFixed(t.Fixed)
	for _, s := range t.Sides {
		errs = append(errs, checkName("table", s.Table))
		errs = append(errs, checkAll("column", s.On)...)
		errs = append(errs, checkFixed(s.Where)...)
		if len(s.On) != len(t.Key) {
			errs = append(errs, fmt.Errorf("join %q: %d columns cannot hold a key of %d", s.Name, len(s.On), len(t.Key)))
		}
		if s.Names != "" {
			errs = append(errs, checkName("column", s.Names), checkName("column", s.Values))
		}
	}
	for i := range t.Lookups {
		errs = append(errs, t.Lookups[i].check()...)
	}
	for i := range t.Children {
		errs = append(errs, t.Children[i].check(len(t.Key))...)
	}
	return errs
}

func (l *Lookup) check() []error {
	return append(checkFixed(l.Where), checkName("column", l.Column), checkName("table", l.Table),
		checkName("key column", l.Key), checkName("column", l.Name))
}

func (c *Child) check(key int) []error {
	errs := append(checkFixed(c.Where), checkName("table", c.Table))
	errs = append(errs, checkAll("owner column", c.Owner)...)
	errs = append(errs, checkAll("key column", c.Key)...)
	if len(c.Owner) != key {
		errs = append(errs, fmt.Errorf("table %q: %d owner columns cannot hold a key of %d", c.Table, len(c.Owner), key))
	}
	if c.Order != "" {
		errs = append(errs, checkName("order column", c.Order))
	}
	looked := map[string]bool{}
	for i := range c.Lookups {
		looked[c.Lookups[i].Field] = true
		errs = append(errs, c.Lookups[i].check()...)
	}
	for _, name := range c.Shape.Names() {
		if !looked[name] {
			errs = append(errs, checkName("column", name))
		}
	}
	return errs
}

func checkAll(what string, names []string) []error {
	var errs []error
	for _, n := range names {
		errs = append(errs, checkName(what, n))
	}
	return errs
}

func checkFixed(fixed []Fixed) []error {
	var errs []error
	for _, f := range fixed {
		errs = append(errs, checkName("column", f.Column))
		if f.Value == "" {
			errs = append(errs, fmt.Errorf("column %q: an empty value tells no rows apart", f.Column))
		}
	}
	return errs
}
