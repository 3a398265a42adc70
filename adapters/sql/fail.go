package sql

import (
	"context"
	"errors"
	"strings"

	"github.com/postern/postern/adapters"
)

// view is Database.view with the table's names in its errors.
func (a *Adapter) view(ctx context.Context, op string, snapshot bool, f func(context.Context, session) error) error {
	return a.db.view(ctx, op, snapshot, func(ctx context.Context, s session) error {
		err := f(ctx, s)
		if err != nil && a.db.dialect.classify(err).stale {
			a.forget()
		}
		return err
	})
}

// change is Database.change with the table's names in its errors. fields are
// those that are being written.
func (a *Adapter) change(ctx context.Context, op string, p *plan, fields []string, f func(context.Context, session) error) error {
	return a.db.changeAs(ctx, op, p.isolation, func(ctx context.Context, s session) error {
		return a.named(ctx, op, p, fields, f(ctx, s))
	})
}

// named gives an error the table's names.
func (a *Adapter) named(ctx context.Context, op string, p *plan, fields []string, err error) error {
	var known *adapters.Error
	var raced *racedError
	if err == nil || errors.As(err, &known) || errors.As(err, &raced) || ctx.Err() != nil {
		return err
	}
	what := a.db.dialect.classify(err)
	if what.stale {
		a.forget()
	}
	if what.busy || what.stale || what.kind == adapters.Unavailable {
		return err
	}
	e := &adapters.Error{Kind: what.kind, Op: op, Field: a.blame(p, what, fields), Err: err}
	if what.kind == adapters.Invalid && op == "delete" {
		e.Kind, e.Field = adapters.Conflict, "" // who deletes sends no value: another record refers to it, or a rule holds it
	}
	return e
}

// blame is the field at fault: of the columns that the database names, the
// first that is being written, else the first that is in the shape.
func (a *Adapter) blame(p *plan, f failure, written []string) string {
	if f.table != "" && !sameTable(a.table.Name, f.table) {
		for i, l := range p.links {
			if l != nil && sameTable(a.relations[i].Table, f.table) {
				return l.field
			}
		}
		return ""
	}
	var inShape, key string
	columns := f.columns
	if f.index != "" {
		columns = p.schema.named[strings.ToLower(f.index)]
	}
	for _, column := range columns {
		for _, w := range written {
			if strings.EqualFold(w, column) {
				return w
			}
		}
		for _, name := range a.caps.Shape.Names() {
			if inShape == "" && strings.EqualFold(name, column) {
				inShape = name
			}
		}
		for _, name := range a.table.Key {
			if strings.EqualFold(name, column) {
				key = adapters.KeyField
			}
		}
	}
	switch {
	case inShape != "":
		return inShape
	case key == "" && f.kind == adapters.Invalid && len(written) == 1:
		return written[0]
	}
	return key
}

// sameTable compares the name of a table, perhaps with its schema, with what the
// database calls it.
func sameTable(configured, found string) bool {
	if strings.EqualFold(configured, found) {
		return true
	}
	i := strings.LastIndexByte(configured, '.')
	return i >= 0 && strings.EqualFold(configured[i+1:], found)
}

// Probe implements adapters.Adapter: the table must be there, with its columns.
func (a *Adapter) Probe(ctx context.Context) error {
	p, err := a.plan(ctx, "probe")
	if err != nil {
		return err
	}
	return a.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		rows, err := s.query(ctx, "SELECT "+p.keys+" FROM "+p.from+" LIMIT 1")
		if err != nil {
			return err
		}
		return drain(rows)
	})
}
