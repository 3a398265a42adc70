package sql

import (
	"context"
	"slices"
	"strings"
)

// shapes compares with the database what is said of other tables.
func (in *inspection) shapes(ctx context.Context) error {
	table := &in.a.table
	if t, err := in.schema(ctx, table.Name); t == nil {
		return err
	} else {
		for _, s := range slices.Concat(table.Stamps.Create, table.Stamps.Change, table.Stamps.Delete) {
			in.column(t, s.Column)
		}
	}
	for i := range table.Sides {
		if err := in.side(ctx, &table.Sides[i]); err != nil {
			return err
		}
	}
	for i := range table.Lookups {
		if err := in.lookup(ctx, table.Name, &table.Lookups[i]); err != nil {
			return err
		}
	}
	for i := range table.Children {
		if err := in.child(ctx, &table.Children[i]); err != nil {
			return err
		}
	}
	return nil
}

// other is another table, with the columns that it must have; nil if it is not
// there.
func (in *inspection) other(ctx context.Context, name string, fixed []Fixed, columns ...string) (*schema, error) {
	t, err := in.schema(ctx, name)
	if t == nil {
		return nil, err
	}
	for _, f := range fixed {
		columns = append(columns, f.Column)
	}
	for _, c := range columns {
		if c != "" {
			in.column(t, c)
		}
	}
	return t, in.rights(ctx, t)
}

func (in *inspection) side(ctx context.Context, s *Side) error {
	t, err := in.other(ctx, s.Table, s.Where, slices.Concat(s.On, []string{s.Names, s.Values})...)
	if t == nil {
		return err
	}
	if s.Names == "" {
		for _, field := range in.a.caps.Shape.Names() {
			if name, column, ok := strings.Cut(field, "."); ok && name == s.Name && !in.a.special(field) {
				in.column(t, column)
			}
		}
	}
	apart := slices.Concat(s.On, fixedColumns(s.Where), []string{s.Names})
	if !t.view && !slices.ContainsFunc(t.unique, func(u []string) bool { return within(u, apart) }) {
		in.say(t.name, s.On[0], true, "one record may have several rows here: no unique index is on this column; a record that does will not be readable")
	}
	return err
}

// special reports a field that is no column.
func (a *Adapter) special(field string) bool {
	i := a.caps.Shape.Index(field)
	return a.relations[i] != nil || a.children[i] != nil || slices.ContainsFunc(a.table.Lookups, func(l Lookup) bool { return l.Field == field })
}

// lies reports a field that is a column of another table.
func (a *Adapter) lies(field string) bool {
	name, _, ok := strings.Cut(field, ".")
	return ok && slices.ContainsFunc(a.table.Sides, func(s Side) bool { return s.Name == name })
}

func (in *inspection) lookup(ctx context.Context, holder string, l *Lookup) error {
	if t, err := in.schema(ctx, holder); t != nil {
		in.column(t, l.Column)
	} else if err != nil {
		return err
	}
	t, err := in.other(ctx, l.Table, l.Where, l.Key, l.Name)
	if t == nil {
		return err
	}
	if !t.view && !slices.ContainsFunc(t.unique, func(u []string) bool { return within(u, []string{l.Key}) }) {
		in.say(t.name, l.Key, true, "several rows may have one key: no unique index is on this column")
	}
	return err
}

func (in *inspection) child(ctx context.Context, c *Child) error {
	t, err := in.other(ctx, c.Table, c.Where, slices.Concat(c.Owner, c.Key, []string{c.Order})...)
	if t == nil {
		return err
	}
	if k := t.column(c.Owner[0]); k != nil && !k.indexed && !t.view {
		in.say(t.name, k.name, true, "no index begins with this column, and rows are looked up by it")
	}
	for _, name := range c.Shape.Names() {
		if !slices.ContainsFunc(c.Lookups, func(l Lookup) bool { return l.Field == name }) {
			in.column(t, name)
		}
	}
	if !t.view && len(c.Key) == 0 && len(t.apart()) == 0 {
		in.say(t.name, "", true, "nothing tells its rows apart: rows that hold the same are one element")
	}
	for i := range c.Lookups {
		if err := in.lookup(ctx, c.Table, &c.Lookups[i]); err != nil {
			return err
		}
	}
	return err
}

func fixedColumns(fixed []Fixed) []string {
	var out []string
	for _, f := range fixed {
		out = append(out, f.Column)
	}
	return out
}
