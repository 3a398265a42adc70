package sql

import (
	"context"
	"errors"
	"time"

	"github.com/postern/postern/adapters"
)

// Stamps are columns that note what is done to a record, and by whom. They are
// written along with the change, whatever they held.
type Stamps struct {
	Create []Stamp // when a record is created
	Change []Stamp // whenever it is written, also when it is created
	Delete []Stamp // instead of deleting the row, if there are any: the scope must hide it then
}

// A Stamp is one such column.
type Stamp struct {
	Column string
	Kind   StampKind
	Value  string // StampValue
}

// A StampKind says what a stamp is.
type StampKind uint8

// The kinds of stamp.
const (
	StampValue  StampKind = iota // always the same
	StampNow                     // the time
	StampClient                  // the name of the client
)

func (t *Table) checkStamps() []error {
	var errs []error
	for _, list := range [][]Stamp{t.Stamps.Create, t.Stamps.Change, t.Stamps.Delete} {
		for _, s := range list {
			errs = append(errs, checkName("column", s.Column))
		}
	}
	return errs
}

// stamped is what some stamps put into the row of a record.
func (p *plan) stamped(ctx context.Context, lists ...[]Stamp) (*assignment, error) {
	to := &assignment{}
	for _, list := range lists {
		for _, s := range list {
			c := p.schema.column(s.Column)
			if c == nil {
				return nil, errStale
			}
			var v any = s.Value
			switch s.Kind {
			case StampNow:
				v = time.Now().UTC().Truncate(time.Millisecond)
			case StampClient:
				v = adapters.Client(ctx)
			}
			w, err := writable(p.dialect, c, v)
			if err != nil {
				return nil, &adapters.Error{Kind: adapters.Internal, Field: s.Column, Err: err}
			}
			to.add(&assignment{columns: []*column{c}, values: []any{w}})
		}
	}
	return to, nil
}

// retire marks the row of a record, which is locked, instead of deleting it. What
// other tables hold of it stays.
func (a *Adapter) retire(ctx context.Context, s session, p *plan, key []any) error {
	to, err := p.stamped(ctx, a.table.Stamps.Delete, a.table.Stamps.Change)
	if err != nil {
		return err
	}
	b := newBuilder().add("UPDATE ", p.from, " SET ")
	to.sets(b)
	p.keyIs(b.add(" WHERE "), keyOf(key))
	if _, err := s.exec(ctx, string(b.text), b.args...); err != nil {
		return err
	}
	_, err = a.find(ctx, s, p, keyOf(key), adapters.Fields{})
	switch {
	case adapters.Is(err, adapters.NotFound):
		return nil
	case err != nil:
		return err
	}
	return &adapters.Error{Kind: adapters.Internal, Err: errors.New("the scope does not hide what is marked as deleted")}
}
