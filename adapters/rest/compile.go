package rest

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

// compiler turns written steps into steps of the engine.
type compiler struct {
	*steps.Compiler
	b      *Backend
	op     string
	roots  steps.Roots
	fields []string // for names in lacks and fails
	fails  []Fail   // of the target
	free   bool
}

// answerRoots are what is known once an answer is there.
var answerRoots = steps.Roots{"secret", "session", "steps", "status", "headers", "body", "item"}

func rootsOf(names ...string) steps.Roots { return slices.Concat(answerRoots, names) }

// New compiles a target and makes its adapter.
func (b *Backend) New(t Target) (*steps.Adapter, []steps.Problem) {
	p := compiler{Compiler: &steps.Compiler{}, b: b, fields: t.Fields, fails: t.Fails}
	o := steps.Options{Fields: t.Fields, Multi: t.Multi, Key: t.Key, Given: t.Given, Values: b.values, Read: map[string]*steps.Expr{}}
	for _, r := range t.Read {
		p.field(r.Name)
		o.Read[r.Name.Value] = p.Expr(r.Value, steps.Roots{"item", "secret"})
	}
	o.Clear = p.constant(t.Clear)
	o.Get = p.of("get", rootsOf("key"), t.Get)
	o.List = p.of("list", rootsOf("page", "filter"), t.List)
	o.Create = p.of("create", rootsOf("record", "key"), t.Create)
	o.Update = p.of("update", rootsOf("record", "key", "old", "changes"), t.Update)
	o.Delete = p.of("delete", rootsOf("record", "key"), t.Delete)
	for _, f := range t.Finds {
		find := &steps.Find{Steps: p.of("list", rootsOf("page", "filter"), f.Steps), Exact: f.Exact, IgnoresCase: f.IgnoresCase, Answers: answers(f)}
		for _, a := range f.Answers {
			p.field(a.Field)
		}
		p.needRecords(f.Steps, find.Steps)
		o.Finds = append(o.Finds, find)
	}
	for _, m := range t.Members {
		p.field(m.Field)
		if o.Members == nil {
			o.Members = map[string]*steps.Members{}
		}
		roots := rootsOf("key", "add", "remove")
		o.Members[m.Field.Value] = &steps.Members{Add: p.of("members", roots, m.Add), Remove: p.of("members", roots, m.Remove), Change: p.of("members", roots, m.Change)}
	}
	p.check(t, o)
	if b.proof != nil {
		o.Probe, o.Believe = b.proof.ask, b.proof.ask
	} else if o.List != nil {
		o.Probe = b.reach(o.List)
	}
	if len(p.Problems) > 0 {
		return nil, once(p.Problems)
	}
	return steps.New(o), nil
}

// once leaves out problems that come again: rules of the target are compiled for
// every step.
func once(all []steps.Problem) []steps.Problem {
	seen := map[steps.Problem]bool{}
	return slices.DeleteFunc(all, func(p steps.Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

// reach is the probe where none is configured: the first page of the list.
func (b *Backend) reach(list steps.Operation) func(context.Context) error {
	return func(ctx context.Context) error { return steps.Reach(ctx, list, b.values) }
}

func answers(f Find) map[string]filter.Ops {
	out := map[string]filter.Ops{}
	for _, a := range f.Answers {
		out[a.Field.Value] |= a.Ops
	}
	return out
}

// check finds what one step cannot know.
func (p *compiler) check(t Target, o steps.Options) {
	p.needRecords(t.List, o.List)
	for i, st := range o.Get {
		if len(o.Get) == 1 && st.Record == nil {
			p.Add(t.Get[i].At, "as in record: body.user", "get does not say where the record is")
		}
	}
}

func (p *compiler) needRecords(written []Step, op steps.Operation) {
	if len(op) > 0 && !slices.ContainsFunc(op, func(st *steps.Step) bool { return st.Records != nil }) {
		p.Add(written[0].At, "as in records: body.users", "a list does not say where its records are")
	}
}

func (p *compiler) of(op string, roots steps.Roots, written []Step) steps.Operation {
	q := *p
	q.op, q.roots = op, roots
	return q.operation(written)
}

// operation compiles steps; nil for none.
func (p *compiler) operation(written []Step) steps.Operation {
	var out steps.Operation
	for i := range written {
		out = append(out, p.step(&written[i]))
	}
	return out
}

func (p *compiler) step(w *Step) *steps.Step {
	st := &steps.Step{
		Name: w.Name.Value, When: p.Expr(w.When, p.roots), Each: p.Expr(w.Each, p.roots), Call: p.call(w),
		Record: p.Expr(w.Record, p.roots), Records: p.Expr(w.Records, p.roots), Key: p.Expr(w.Key, p.roots),
	}
	st.Total, st.Next, st.Truncated = p.Expr(w.Total, p.roots), p.Expr(w.Next, p.roots), p.Expr(w.Truncated, p.roots)
	st.Size, st.Ordered = w.Size, w.Ordered
	for _, l := range w.Let {
		if st.Let == nil {
			st.Let = map[string]*steps.Expr{}
		}
		st.Let[l.Name.Value] = p.Expr(l.Value, p.roots)
	}
	for _, s := range w.Set {
		if st.Set == nil {
			st.Set = map[string]any{}
		}
		st.Set[s.Name.Value] = p.constant(s.Value)
	}
	for _, f := range w.Lacks {
		p.field(f)
		st.Lacks = append(st.Lacks, f.Value)
	}
	for _, f := range slices.Concat(w.Fails, p.fails) {
		st.Fails = append(st.Fails, p.fail(f))
	}
	if w.Undo != nil {
		st.Undo = p.step(w.Undo)
	}
	return st
}

// constant is an expression without names, worked out now.
func (p *compiler) constant(t Text) any {
	e := p.Expr(t, nil)
	v, err := e.Eval(steps.Scope{})
	if err != nil {
		p.Add(t, "write a text in quotes, a number, true or false", "this is no constant")
	}
	return v
}

// field reports a name that is no field of the target.
func (p *compiler) field(t Text) {
	if p.fields == nil || slices.Contains(p.fields, t.Value) {
		return
	}
	hint := "the fields are those that attributes are mapped to"
	if n := steps.Nearest(t.Value, p.fields); n != "" {
		hint = "did you mean " + n + "?"
	}
	p.Add(t, hint, "no attribute is mapped to the field %q", t.Value)
}

// success is the kind of a rule that calls an answer good.
const success = "none"

// Kinds are the words for the kinds of failure.
func Kinds() []string {
	return append(slices.Sorted(maps.Keys(kinds)), success)
}

var kinds = map[string]adapters.Kind{
	"internal": adapters.Internal, "notFound": adapters.NotFound, "exists": adapters.Exists, "conflict": adapters.Conflict,
	"invalid": adapters.Invalid, "denied": adapters.Denied, "unavailable": adapters.Unavailable,
	"unsupported": adapters.Unsupported, "tooMany": adapters.TooMany,
}

func (p *compiler) fail(f Fail) steps.Fail {
	out := steps.Fail{When: p.Expr(f.When, p.failRoots()), OK: f.Kind.Value == success, Kind: kinds[f.Kind.Value], Field: f.Field.Value}
	if _, known := kinds[f.Kind.Value]; !known && !out.OK {
		hint := "one of " + strings.Join(Kinds(), ", ")
		if n := steps.Nearest(f.Kind.Value, Kinds()); n != "" {
			hint = "did you mean " + n + "?"
		}
		p.Add(f.Kind, hint, "there is no kind of failure %q", f.Kind.Value)
	}
	if f.Field.Value != "" {
		p.field(f.Field)
	}
	return out
}

// failRoots are the names in rules about answers: those of the target hold for
// every operation, so they see what all have.
func (p *compiler) failRoots() steps.Roots {
	return slices.Concat(answerRoots, p.roots)
}

var verbs = map[string]string{
	"get": http.MethodGet, "post": http.MethodPost, "put": http.MethodPut, "patch": http.MethodPatch,
	"delete": http.MethodDelete, "search": "SEARCH", "rpc": http.MethodPost, "soap": http.MethodPost,
}

func (p *compiler) call(w *Step) *call {
	c := &call{b: p.b, op: p.op, method: verbs[w.Verb.Value], free: p.free, ids: new(atomic.Int64)}
	path, format := w.Path, w.Format.Value
	if format == "" {
		format = p.b.cfg.Format
	}
	switch w.Verb.Value {
	case "rpc":
		c.name, path, format = w.Path.Value, Text{}, "rpc"
	case "soap":
		if c.name, path = w.Path.Value, (Text{}); format != "soap12" {
			format = "soap"
		}
	}
	if format != "" && !knownFormat(format) {
		p.Add(w.Format, "one of "+strings.Join(formats, ", "), "there is no format %q", format)
	}
	c.codec = codecOf(format)
	if c.method == "" {
		p.Add(w.At, "as in get: /users", "the step makes no call")
	}
	if path.Value != "" && !strings.HasPrefix(path.Value, "/") && !strings.HasPrefix(path.Value, "?") && !p.outside(path) {
		p.Add(path, "it stands behind the backend's url", "a path begins with a slash")
	}
	if c.path = p.Template(path, p.roots); c.path == nil {
		c.path = &steps.Template{}
	}
	for _, q := range w.Query {
		c.query = append(c.query, named{q.Name.Value, p.Expr(q.Value, p.roots)})
	}
	for _, h := range w.Headers {
		c.headers = append(c.headers, named{http.CanonicalHeaderKey(h.Name.Value), p.Expr(h.Value, p.roots)})
	}
	c.send = p.Expr(w.Send, p.roots)
	return c
}

// outside reports whether a path is a whole URL, as the token endpoint of a
// log-in may be. Nothing that comes from a record can name a host.
func (p *compiler) outside(path Text) bool {
	scheme, rest, ok := strings.Cut(path.Value, "://")
	host, _, _ := strings.Cut(rest, "/")
	return p.free && ok && (scheme == "https" || scheme == "http") && !strings.ContainsAny(host, "{}")
}
