package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// claims finds out how a row is kept from others while statements of the
// configuration change what is behind it. Rows of a view are locked if the engine
// and the credential can; in PostgreSQL, if they cannot, the engine refuses to change
// what was changed since it was read, and all is tried again.
func (a *Adapter) claims(ctx context.Context, s session, p *plan) error {
	if !p.schema.view {
		p.lock = p.dialect.lock()
	}
	if a.table.Own == nil || p.dialect.lock() == "" || a.db.readOnly {
		return nil
	}
	// What is true of no row, and does not look like it: a plan must be made.
	rows, err := s.query(ctx, "SELECT 1 FROM "+p.base+" WHERE (SELECT 1) = 0"+p.dialect.lock())
	if err == nil {
		err = drain(rows)
	}
	if err == nil {
		p.lock = p.dialect.lock()
		return nil
	}
	if f := p.dialect.classify(err); f.busy || f.stale || ctx.Err() != nil {
		return err
	}
	p.lock = ""
	if _, ok := p.dialect.(postgres); ok {
		p.isolation = &stdsql.TxOptions{Isolation: stdsql.LevelRepeatableRead}
	}
	return nil
}

// do runs the steps of an operation on one record.
func (w *work) do(ctx context.Context, op string, o steps.Operation, more map[string]any) (steps.Outcome, error) {
	known := map[string]any{"record": objectOf(w.record), "client": adapters.Client(ctx), "key": string(keyOf(w.key))}
	for name, v := range more {
		known[name] = v
	}
	out, err := steps.Run(context.WithValue(ctx, workKey{}, w), op, o, known)
	if err != nil && w.raw != nil {
		return out, w.raw
	}
	return out, err
}

// objectOf is a record as expressions see it.
func objectOf(r adapters.Record) map[string]any {
	out := map[string]any{}
	if r.IsZero() {
		return out
	}
	for _, name := range r.Shape().Names() {
		if v := r.Get(name); !adapters.NoValue(v) {
			putAt(out, strings.Split(strings.TrimPrefix(name, listPrefix), "."), dataOf(v))
		}
	}
	return out
}

func putAt(m map[string]any, path []string, v any) {
	for _, p := range path[:len(path)-1] {
		next, ok := m[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[p] = next
		}
		m = next
	}
	m[path[len(path)-1]] = v
}

// dataOf is a value of a record as an expression sees it.
func dataOf(v any) any {
	switch v := v.(type) {
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []adapters.Record:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = objectOf(e)
		}
		return out
	}
	return shownValue(v)
}

// ownCreate makes a record by the statements of the configuration, and reads it.
func (a *Adapter) ownCreate(ctx context.Context, s session, p *plan, m *insertion, want adapters.Fields) (adapters.Record, error) {
	row := &assignment{columns: slices.Clone(m.columns), values: slices.Clone(m.values)}
	if err := a.makeKey(ctx, s, p, row); err != nil {
		return adapters.Record{}, err
	}
	w := &work{a: a, p: p, s: s, record: m.record, key: keyIn(p, row), fields: m.fields}
	out, err := w.do(ctx, "create", a.table.Own.Create, nil)
	if err != nil {
		return adapters.Record{}, err
	}
	key := out.Key
	if key == "" {
		key = keyOf(w.key)
	}
	if key == "" {
		return adapters.Record{}, internal("create", errNoKeyTold)
	}
	if err := a.ownLists(ctx, s, p, m, key); err != nil {
		return adapters.Record{}, err
	}
	return a.shows(ctx, s, p, key, want)
}

// shows reads what is there after a write.
func (a *Adapter) shows(ctx context.Context, s session, p *plan, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	r, err := a.find(ctx, s, p, key, want)
	switch {
	case !adapters.Is(err, adapters.NotFound):
		return r, err
	case a.table.Where != nil || len(a.table.Fixed) > 0:
		return r, outside()
	}
	return r, internal("", fmt.Errorf("%s shows no record with the key that the statements told", a.table.Name))
}

// keyIn is the key that a row is given, nil if it is not.
func keyIn(p *plan, row *assignment) []any {
	key := make([]any, len(p.key))
	for i, c := range p.key {
		at := row.find(c)
		if at < 0 || adapters.NoValue(row.values[at]) {
			return nil
		}
		key[i] = row.values[at]
	}
	return key
}

// ownLists adds the members and elements of a new record that its statements leave
// to others.
func (a *Adapter) ownLists(ctx context.Context, s session, p *plan, m *insertion, key adapters.Key) error {
	if !m.lists {
		return nil
	}
	at, err := p.locate(ctx, s, key)
	if err != nil {
		return err
	}
	own := a.table.Own
	for i, name := range a.caps.Shape.Names() {
		if says(own.Create, name) {
			continue
		}
		if l := p.links[i]; l != nil {
			members, _ := m.record.Get(name).([]string)
			if err := a.ownMembers(ctx, s, p, i, "create", at, members, nil); err != nil {
				return err
			}
		}
		if c := p.children[i]; c != nil {
			elems, _ := m.record.Get(name).([]adapters.Record)
			if err := (&rowset{c: c, owner: at}).insert(ctx, s, "create", elems); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownDelete deletes a record, which is locked, by the statements of the configuration.
func (a *Adapter) ownDelete(ctx context.Context, s session, p *plan, at []any) error {
	own := a.table.Own
	old, err := a.find(ctx, s, p, keyOf(at), a.ownWants(own.Delete))
	if err != nil {
		return err
	}
	w := &work{a: a, p: p, s: s, record: old, key: at}
	if _, err := w.do(ctx, "delete", own.Delete, nil); err != nil {
		return w.gone(ctx, err)
	}
	_, err = a.find(ctx, s, p, keyOf(at), adapters.Fields{})
	switch {
	case adapters.Is(err, adapters.NotFound):
		return nil
	case err != nil:
		return err
	}
	return internal("delete", fmt.Errorf("%s still shows the record", a.table.Name))
}

// gone makes the failure of a statement that changed nothing be that there is no such
// record, if there is none any more.
func (w *work) gone(ctx context.Context, err error) error {
	if w.idle && adapters.Is(err, adapters.Conflict) {
		if _, e := w.a.find(ctx, w.s, w.p, keyOf(w.key), adapters.Fields{}); adapters.Is(e, adapters.NotFound) {
			return e
		}
	}
	return err
}

// ownWants are the fields that are read for the steps of an operation: the cheap
// ones, and the lists that they name.
func (a *Adapter) ownWants(op steps.Operation) adapters.Fields {
	var names []string
	for i, name := range a.caps.Shape.Names() {
		root, _, _ := strings.Cut(strings.TrimPrefix(name, listPrefix), ".")
		if !a.caps.Fields[i].Costly || op.Names(root, "record", "old") {
			names = append(names, name)
		}
	}
	return a.caps.Shape.FieldSet(names...)
}

var errChanged = errors.New("the value is not what it was when it was read")
