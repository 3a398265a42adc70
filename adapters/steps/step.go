package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
)

// A Call is one exchange in a backend's own tongue.
type Call interface {
	// Do makes the exchange. An error means that there was no answer, and is an
	// *adapters.Error; what an answer means is the step's to decide.
	Do(ctx context.Context, s Scope) (Answer, error)
	// Exprs are the expressions that the call is made of.
	Exprs() []*Expr
	// Reads reports whether the call changes nothing in the backend.
	Reads() bool
}

// NoCall is the call of a step that works out what is known already: groups that
// exist in the configuration only, a failure that no answer tells.
type NoCall struct{}

// Do implements Call.
func (NoCall) Do(context.Context, Scope) (Answer, error) { return Answer{}, nil }

// Exprs implements Call.
func (NoCall) Exprs() []*Expr { return nil }

// Reads implements Call.
func (NoCall) Reads() bool { return true }

// An Answer is what came back.
type Answer struct {
	Values map[string]any  // what expressions see: status, headers, body; it may be a Later
	Fault  *adapters.Error // how the protocol itself judges the answer; nil: success
	Broken error           // the body is there but cannot be understood: cut, or HTML
	Whence any             // where it came from: what a relative URL of the next page is relative to
}

// whence is what Answer.Whence is called in a scope, and in what a call sees of a
// page. No expression can name it.
const whence = "\x00whence"

// Whence is what the answer said of itself that told where a page is; nil without one.
func Whence(page map[string]any) any { return page[whence] }

// A Step is one step of an operation.
type Step struct {
	Name  string // later steps see what it yields as steps.NAME
	When  *Expr  // nil: always
	Call  Call
	Fails []Fail
	Each  *Expr // the call is made for every element, as item
	Undo  *Step // made if a later step fails

	Record  *Expr            // the object, in an answer that holds one
	Records *Expr            // the objects, in a list
	Key     *Expr            // the key, where the record does not tell it
	Let     map[string]*Expr // further values for later steps

	Paging
}

// Paging says how a list is walked. Which of page.offset, page.number and
// page.cursor the call names says which way.
type Paging struct {
	Size      int            // records asked for at a time
	Total     *Expr          // how many there are, if that can be believed
	Next      *Expr          // the cursor, or the URL, of the next page
	Truncated *Expr          // true: the backend left records out
	Set       map[string]any // raw fields that every record of this list has
	Lacks     []string       // fields that the records of this list do not have
	Ordered   bool           // the list has the same order every time
}

// A Fail is a rule about answers: the first that is true decides.
type Fail struct {
	When  *Expr
	OK    bool // it is a success, whatever the protocol says
	Kind  adapters.Kind
	Field string
}

// An Operation is steps in order. A nil Operation is one that there is not.
type Operation []*Step

// helps reports whether a later step names what a step yields: in a list, its
// records are a help then, and no part.
func (op Operation) helps(st *Step) bool {
	if st.Name == "" {
		return false
	}
	later := op[slices.Index(op, st)+1:]
	return slices.ContainsFunc(later, func(st2 *Step) bool {
		return slices.ContainsFunc(st2.exprs(), func(e *Expr) bool { return e.Uses("steps." + st.Name) })
	})
}

// A run is one operation under way.
type run struct {
	op    string
	scope Scope
	steps map[string]any
	done  []*Step // with an undo
	undo  []Scope // the scope each of them ended with
	wrote bool
	last  bool // no step follows that must not see what this one's answer says
}

func newRun(op string, s Scope) *run { return freshRun(op, s.with(nil)) }

// freshRun is newRun with a scope that nobody else has.
func freshRun(op string, s Scope) *run {
	r := &run{op: op, steps: map[string]any{}, scope: s}
	s["steps"] = r.steps
	return r
}

// A yield is what an operation brought.
type yield struct {
	record map[string]any // raw; nil if no step says where it is
	own    bool           // record is nobody else's
	key    any
}

// all runs the steps; those that list records are not for it.
func (r *run) all(ctx context.Context, op Operation) (yield, error) {
	var y yield
	for i, st := range op {
		r.last = i == len(op)-1
		if err := r.step(ctx, st, &y); err != nil {
			r.revert(ctx)
			return y, err
		}
	}
	return y, nil
}

func (r *run) step(ctx context.Context, st *Step, y *yield) error {
	if st.When != nil {
		need, err := st.When.Eval(r.scope)
		if err != nil {
			return r.internal(err)
		}
		if b, _ := need.(bool); !b {
			return nil
		}
	}
	scopes := []Scope{r.scope}
	if st.Each != nil {
		items, err := st.Each.Eval(r.scope)
		if err != nil {
			return r.internal(err)
		}
		scopes = nil
		for _, item := range listOf(items) {
			scopes = append(scopes, r.scope.with(map[string]any{"item": item}))
		}
	}
	for _, s := range scopes {
		if st.Records != nil {
			records, err := r.helper(ctx, st, s)
			if err != nil {
				return err
			}
			r.steps[st.Name] = map[string]any{"records": records}
			continue
		}
		if st.Each == nil && !r.last {
			s = s.with(nil)
		}
		after, err := r.exchange(ctx, st, s)
		if err != nil {
			return err
		}
		if st.Undo != nil {
			r.done, r.undo = append(r.done, st), append(r.undo, after)
		}
		if err := r.yields(st, after, y); err != nil {
			return err
		}
	}
	return nil
}

// exchange makes one call and judges its answer. The scope becomes that of the answer.
func (r *run) exchange(ctx context.Context, st *Step, s Scope) (Scope, error) {
	a, err := st.Call.Do(ctx, s)
	wrote := !st.Call.Reads()
	r.wrote = r.wrote || wrote
	if err != nil {
		return s, r.named(err)
	}
	s = s.extend(a.Values)
	if a.Whence != nil && st.Next != nil {
		s[whence] = a.Whence
	}
	ok, err := r.judge(st, s, a)
	if err != nil {
		return s, err
	}
	if a.Broken != nil && !ok && st.readsBody() {
		e := adapters.Errorf(adapters.Unavailable, r.op, "the answer cannot be understood: %w", a.Broken)
		e.Unsure = r.wrote
		return s, e
	}
	return s, nil
}

// judge asks the rules, then the protocol. ok says that a rule called it a
// success.
func (r *run) judge(st *Step, s Scope, a Answer) (ok bool, err error) {
	for _, f := range st.Fails {
		if !f.When.True(s) {
			continue
		}
		if f.OK {
			return true, nil
		}
		e := adapters.Errorf(f.Kind, r.op, "the answer%s fails by the rule in line %d", withStatus(s), f.When.At.Line)
		e.Field = f.Field
		if a.Fault != nil {
			e.RetryAfter = a.Fault.RetryAfter
			e.Err = fmt.Errorf("%w: %w", e.Err, a.Fault)
		}
		return false, e
	}
	if a.Fault != nil {
		return false, r.named(a.Fault)
	}
	return false, nil
}

func withStatus(s Scope) string {
	if status := s["status"]; status != nil {
		return fmt.Sprintf(" with status %v", status)
	}
	return ""
}

// readsBody reports whether something that the step yields is in the body.
func (st *Step) readsBody() bool {
	for _, e := range st.yielded() {
		if e.Uses("body") {
			return true
		}
	}
	return false
}

func (st *Step) yielded() []*Expr {
	out := []*Expr{st.Record, st.Records, st.Key, st.Total, st.Next, st.Truncated}
	for _, e := range st.Let {
		out = append(out, e)
	}
	return out
}

// exprs are all expressions of a step.
func (st *Step) exprs() []*Expr {
	out := append(st.yielded(), st.Call.Exprs()...)
	return append(out, st.When, st.Each)
}

func (r *run) yields(st *Step, s Scope, y *yield) error {
	if err := r.name(st, s); err != nil {
		return err
	}
	if st.Key != nil {
		v, err := st.Key.Eval(s)
		if err != nil || joined(v) == "" {
			return r.internal(fmt.Errorf("the key is not where line %d says: %w", st.Key.At.Line, errors.Join(err, errAbsent)))
		}
		y.key = v
	}
	if st.Record == nil {
		return nil
	}
	v, err := st.Record.Eval(s)
	m, isMap := v.(map[string]any)
	if err != nil || !isMap {
		return r.internal(fmt.Errorf("the answer holds no record where line %d says: %w", st.Record.At.Line, errors.Join(err, errAbsent)))
	}
	if y.record == nil { // as of most operations, whose one step says where it is
		y.record = m
		return nil
	}
	if !y.own {
		y.record, y.own = maps.Clone(y.record), true
	}
	maps.Copy(y.record, m)
	return nil
}

// undoTime is how long taking back may last: the caller may be gone.
const undoTime = 5 * time.Second

// name keeps what a step yielded for later steps; without a name, too, if it lets
// something: for who runs the operation.
func (r *run) name(st *Step, s Scope) error {
	if st.Name == "" && len(st.Let) == 0 {
		return nil
	}
	s.settle([]string{"headers"})
	named := map[string]any{"status": s["status"], "headers": s["headers"], "body": s["body"]}
	for _, root := range []string{"row", "rows", "affected"} {
		if v, known := s[root]; known {
			named[root] = v
		}
	}
	for name, e := range st.Let {
		v, err := e.Eval(s)
		if err != nil {
			return r.internal(err)
		}
		named[name] = v
	}
	r.steps[st.Name] = named
	return nil
}

// revert takes back what was done, last first. What fails then cannot be helped.
func (r *run) revert(ctx context.Context) {
	if len(r.done) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	for i := len(r.done) - 1; i >= 0; i-- {
		_, _ = r.exchange(ctx, r.done[i].Undo, r.undo[i])
	}
}

// internal is an answer or an expression that is not as the configuration says.
func (r *run) internal(err error) error {
	return &adapters.Error{Kind: adapters.Internal, Op: r.op, Err: err, Unsure: r.wrote}
}

// named is an error with the operation's name.
func (r *run) named(err error) error {
	var e *adapters.Error
	if !errors.As(err, &e) {
		return r.internal(err)
	}
	out := *e
	out.Op = r.op
	return &out
}
