package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
)

// A NewKey says what makes the keys of new rows; one of the two, or neither.
type NewKey struct {
	Sequence  string // its name, before which there may be that of a schema
	Statement string // a statement without parameters that answers one value
}

func (t *Table) checkNewKey() []error {
	k := t.NewKey
	var errs []error
	if k.Sequence != "" {
		errs = append(errs, checkName("sequence", k.Sequence))
	}
	if k.Statement != "" && k.Sequence != "" {
		errs = append(errs, errors.New("a key is made by a sequence or by a statement, not by both"))
	}
	if strings.ContainsRune(k.Statement, '?') {
		errs = append(errs, errors.New("the statement that makes keys can have no parameters"))
	}
	if (k.Sequence != "" || k.Statement != "") && len(t.Key) != 1 {
		errs = append(errs, fmt.Errorf("table %q: one value is made, and the key has %d columns", t.Name, len(t.Key)))
	}
	return errs
}

// A sequencer is a dialect whose databases have sequences.
type sequencer interface {
	// next is a statement that answers the next value of a sequence.
	next(sequence string) string
}

func (d postgres) next(sequence string) string {
	return "SELECT nextval('" + d.relation(sequence) + "')" // checkName lets no quote through
}

func (d maria) next(sequence string) string { return "SELECT NEXT VALUE FOR " + d.relation(sequence) }

// keyStatement is the statement that answers a new key, "" if none is needed.
func (a *Adapter) keyStatement() (string, error) {
	k := a.table.NewKey
	if k.Sequence == "" {
		return k.Statement, nil
	}
	if d, ok := a.db.dialect.(sequencer); ok {
		return d.next(k.Sequence), nil
	}
	return "", errors.New("this kind of database has no sequences")
}

// makeKey gives a row the key that it was not given.
func (a *Adapter) makeKey(ctx context.Context, s session, p *plan, row *assignment) error {
	statement, err := a.keyStatement()
	if err != nil || statement == "" || row.find(p.key[0]) >= 0 {
		return err
	}
	made, err := a.made(ctx, s, statement)
	if err != nil {
		return err
	}
	v, err := writable(p.dialect, p.key[0], made)
	if err != nil {
		return a.noKey("what makes the keys answered something that the column does not hold")
	}
	row.set(p.key[0], v)
	return nil
}

// made is the one value that a statement answers.
func (a *Adapter) made(ctx context.Context, s session, statement string) (any, error) {
	rows, err := s.query(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var v any
	n := 0
	for rows.Next() {
		if n++; len(names) == 1 {
			if err := rows.Scan(&v); err != nil {
				return nil, err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if raw, ok := v.([]byte); ok {
		v = string(raw)
	}
	if n != 1 || adapters.NoValue(v) {
		return nil, &adapters.Error{Kind: adapters.Internal, Field: adapters.KeyField, Err: errors.New("what makes the keys did not answer one value")}
	}
	return v, nil
}

// newKey has the database look at the statement that makes keys, and not run it.
func (in *inspection) newKey(ctx context.Context) error {
	statement, err := in.a.keyStatement()
	if err == nil && statement == "" {
		return nil
	}
	if err == nil {
		var prepared interface{ Close() error }
		if prepared, err = in.a.db.read.PrepareContext(ctx, in.a.db.dialect.placed(statement)); err == nil {
			return prepared.Close()
		}
		if in.a.db.dialect.classify(err).kind == adapters.Unavailable && ctx.Err() != nil {
			return err
		}
	}
	in.say(in.a.table.Name, in.a.table.Key[0], false, "no key can be made: %v", err)
	return nil
}
