package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql/named"
	"github.com/postern/postern/adapters/steps"
)

// An ownCall is one statement of the configuration, compiled.
type ownCall struct {
	op        string
	at        steps.Text
	statement *named.Statement
	kind      named.Kind
	shown     string // with "?" for each value
	sent      string // as the driver wants it
	params    []ownParam
	forgives  bool // a failure may be none: the transaction must outlive it
}

// call compiles the statement of a step.
func (c *ownCompiler) call(p *steps.Compiler, op string, roots steps.Roots, s *Step) steps.Call {
	if s.Statement.Value == "" { // it yields what is known, or its lack is reported
		return steps.NoCall{}
	}
	parsed, wrong := named.Parse(s.Statement.Value, c.kind)
	for _, m := range wrong {
		p.Problems = append(p.Problems, steps.Problem{At: s.Statement, Offset: m.At, Length: m.Length, Message: m.Message, Hint: m.Hint})
	}
	out := &ownCall{op: op, at: s.Statement, statement: parsed, kind: c.kind}
	out.shown = out.counting(parsed.Text(func(int) string { return "?" }))
	out.sent = out.counting(parsed.Text(out.mark()))
	for _, f := range slices.Concat(s.Fails, c.target.Fails) {
		out.forgives = out.forgives || f.Kind.Value == "none"
	}
	with := map[string]*steps.Expr{}
	for _, w := range s.With {
		with[w.Name.Value] = p.Expr(w.Value, roots)
	}
	used := map[string]bool{}
	for _, par := range parsed.Params {
		used[par.Name] = true
		out.params = append(out.params, c.param(p, op, s, par, with))
	}
	for _, w := range s.With {
		if !used[w.Name.Value] {
			p.Add(w.Name, "write :"+w.Name.Value+" in it, or delete this", "the statement does not use the value %q", w.Name.Value)
		}
	}
	return out
}

func (c *ownCall) mark() func(int) string {
	if c.kind == named.Postgres {
		return func(n int) string { return fmt.Sprintf("$%d", n) }
	}
	return func(int) string { return "?" }
}

// counting makes a statement of SQLite tell how many rows it changed: of a view, whose
// triggers change others, the library counts none.
func (c *ownCall) counting(text string) string {
	if c.kind == named.SQLite && c.statement.Changes() && !c.statement.Returning {
		return text + "\nRETURNING 1"
	}
	return text
}

// Exprs implements steps.Call.
func (c *ownCall) Exprs() []*steps.Expr {
	var out []*steps.Expr
	for _, p := range c.params {
		out = append(out, p.expr)
	}
	return out
}

// Reads implements steps.Call: until the transaction ends nothing has been changed.
func (c *ownCall) Reads() bool { return true }

// A work is one operation on one record under way.
type work struct {
	a      *Adapter
	p      *plan
	s      session
	record adapters.Record // as it is to be; of a deletion, as it is
	key    []any           // as it is stored; nil of a new record that has none yet
	item   any             // the member that is added or removed, as it is stored
	fields []string        // that are written
	raw    error           // a failure after which all may be tried again
	idle   bool            // a statement changed no row

	told func(statement string, values map[string]any) // of a rehearsal: nothing is sent
}

type workKey struct{}

// Do implements steps.Call.
func (c *ownCall) Do(ctx context.Context, scope steps.Scope) (steps.Answer, error) {
	w := ctx.Value(workKey{}).(*work)
	if w.told != nil {
		return c.tell(w, scope), nil
	}
	args, err := c.values(w, scope)
	if err != nil {
		return steps.Answer{}, err
	}
	if err := w.mark(ctx, c.forgives, "SAVEPOINT postern_step"); err != nil {
		return steps.Answer{}, w.lost(err)
	}
	got, err := c.send(ctx, w.s, args)
	if err != nil {
		return c.failed(ctx, w, err)
	}
	if err := w.mark(ctx, c.forgives, "RELEASE SAVEPOINT postern_step"); err != nil {
		return steps.Answer{}, w.lost(err)
	}
	a := steps.Answer{Values: got.values()}
	if got.affected == 0 && c.statement.Changes() && c.op != "members" && scope["item"] == nil {
		w.idle = true
		a.Fault = &adapters.Error{Kind: adapters.Conflict, Err: errors.New("the statement changed no row")}
	}
	return a, nil
}

// mark sends what keeps the rest of a transaction if one statement fails.
func (w *work) mark(ctx context.Context, needed bool, statement string) error {
	if !needed {
		return nil
	}
	_, err := w.s.exec(ctx, statement)
	return err
}

// lost notes a failure that is no answer.
func (w *work) lost(err error) error {
	w.raw = err
	return &adapters.Error{Kind: adapters.Unavailable, Err: err}
}

// failed says what a failure means: the rules of the configuration are asked first,
// but for what has nothing to do with the statement.
func (c *ownCall) failed(ctx context.Context, w *work, err error) (steps.Answer, error) {
	d := w.p.dialect
	f := d.classify(err)
	if f.busy || f.kind == adapters.Unavailable && !f.stale || ctx.Err() != nil {
		return steps.Answer{}, w.lost(err)
	}
	if err := w.mark(ctx, c.forgives, "ROLLBACK TO SAVEPOINT postern_step"); err != nil {
		return steps.Answer{}, w.lost(err)
	}
	if f.stale { // what it names is not there
		f.kind = adapters.Internal
	}
	if f.foreign && c.op == "delete" {
		f.kind = adapters.Conflict
	}
	v := (&answer{affected: -1}).values()
	v["code"], v["state"], v["message"] = codeOf(err)
	fault := &adapters.Error{Kind: f.kind, Err: err}
	if f.kind == adapters.Exists || f.kind == adapters.Invalid {
		fault.Field = w.a.blamed(f, err, w.fields)
	}
	return steps.Answer{Values: v, Fault: fault}, nil
}

// blamed is the field at fault. The database speaks of tables that are behind those
// that the configuration names, so that only the names of columns tell.
func (a *Adapter) blamed(f failure, err error, written []string) string {
	names := append(slices.Clone(f.columns), detailColumns(err)...)
	if len(names) == 0 && f.index != "" {
		names = append(names, f.index)
	}
	for _, list := range [][]string{written, a.caps.Shape.Names()} {
		for _, n := range names {
			if i := slices.IndexFunc(list, func(l string) bool { return strings.EqualFold(l, n) }); i >= 0 {
				return list[i]
			}
		}
	}
	if f.kind == adapters.Invalid && len(written) == 1 {
		return written[0]
	}
	return ""
}

// An answer is what a statement answered.
type answer struct {
	sets     [][]any // of rows, each a map
	affected int64   // -1: not known
}

// values are what expressions see of it.
func (a *answer) values() map[string]any {
	v := map[string]any{"row": nil, "rows": []any{}, "sets": []any{}, "affected": nil, "code": nil, "state": nil, "message": nil}
	sets := []any{}
	for _, s := range a.sets {
		sets = append(sets, s)
	}
	v["sets"] = sets
	if len(a.sets) > 0 {
		v["rows"] = a.sets[0]
		if len(a.sets[0]) > 0 {
			v["row"] = a.sets[0][0]
		}
	}
	if a.affected >= 0 {
		v["affected"] = int(a.affected)
	}
	return v
}

// send sends the statement and reads all that it answers.
func (c *ownCall) send(ctx context.Context, s session, args []any) (*answer, error) {
	after, err := s.tells(ctx, c.shown, args, func() bool { return false })
	if err != nil {
		return nil, err
	}
	a, err := c.exchange(ctx, s, args)
	said := ""
	if err == nil && a.affected >= 0 {
		said = changed(a.affected)
	}
	after(said, err)
	return a, err
}

func (c *ownCall) exchange(ctx context.Context, s session, args []any) (*answer, error) {
	if !c.statement.Answers() && c.kind != named.SQLite {
		r, err := s.on.ExecContext(s.within(ctx), c.sent, args...)
		if err != nil {
			return nil, err
		}
		n, err := r.RowsAffected()
		if !c.statement.Changes() {
			n = -1
		}
		return &answer{affected: n}, err
	}
	rows, err := s.on.QueryContext(s.within(ctx), c.sent, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	a := &answer{affected: -1}
	for {
		set, err := readSet(rows)
		if err != nil {
			return nil, err
		}
		if set != nil {
			a.sets = append(a.sets, set)
		}
		if !rows.NextResultSet() {
			break
		}
	}
	if c.statement.Changes() {
		a.affected = int64(len(slices.Concat(a.sets...)))
	}
	return a, rows.Err()
}

// maxAnswer bounds the rows that a statement may answer.
const maxAnswer = 10_000

// readSet reads one set of rows; nil if it has no columns.
func readSet(rows *stdsql.Rows) ([]any, error) {
	names, err := rows.Columns()
	if err != nil || len(names) == 0 {
		return nil, errors.Join(err, rows.Err())
	}
	set := []any{}
	cells, into := make([]any, len(names)), make([]any, len(names))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make(map[string]any, len(names))
		for i, n := range names {
			row[n] = shownValue(cells[i])
		}
		if set = append(set, row); len(set) > maxAnswer {
			return nil, &adapters.Error{Kind: adapters.TooMany, Err: fmt.Errorf("the statement answers more than %d rows", maxAnswer)}
		}
	}
	return set, rows.Err()
}
