package steps

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim/filter"
)

// A Tongue is how a kind of backend says its calls.
type Tongue[S any] struct {
	Answer Roots                                                      // what expressions see of an answer
	Common func(*S) (w *Written, undo *S)                             // what every step says
	Call   func(c *Compiler, op string, roots Roots, written *S) Call // the call alone
	Values map[string]any                                             // further names for every expression
	Config map[string]any                                             // those of them that are known in Read, too
	Locks  func(kind string) *Locks                                   // of a kind of object of the backend
	Wants  Examples
}

// Examples are shown where something is missing.
type Examples struct{ Record, Records string }

// Compile turns a target into the engine's options.
func Compile[S any](t Tongue[S], w Target[S]) (Options, []Problem) {
	p := compiler[S]{Compiler: &Compiler{}, Tongue: t, fields: w.Fields, known: true, fails: w.Fails, refers: w.Refers}
	if p.Locks == nil {
		p.Locks = func(string) *Locks { return nil }
	}
	o := p.options(w)
	return o, once(p.Problems)
}

// CompileSteps compiles an operation that belongs to no record, as a log-in.
func CompileSteps[S any](c *Compiler, t Tongue[S], op string, roots Roots, written []S) Operation {
	p := compiler[S]{Compiler: c, Tongue: t, op: op, roots: roots}
	return p.operation(written)
}

// compiler turns written steps into steps of the engine.
type compiler[S any] struct {
	*Compiler
	Tongue[S]
	op     string
	roots  Roots
	fields []string // for names in lacks and fails
	known  bool     // the fields are all there are
	fails  []WrittenFail
	refers map[string]string
}

func (p *compiler[S]) rootsOf(names ...string) Roots { return slices.Concat(p.Answer, names) }

func (p *compiler[S]) options(t Target[S]) Options {
	o := Options{Fields: t.Fields, Multi: t.Multi, Key: t.Key, Given: t.Given, Locks: p.Locks(t.Kind), Values: p.Values, Read: map[string]*Expr{}}
	for _, r := range t.Read {
		p.field(r.Name)
		o.Read[r.Name.Value] = p.Expr(r.Value, Roots{"item", "secret"}.With(p.Config))
	}
	for _, w := range t.Write {
		p.field(w.Name)
		if o.Write == nil {
			o.Write = map[string]*Expr{}
		}
		o.Write[w.Name.Value] = p.Expr(w.Value, Roots{"value"})
	}
	o.Clear = p.constant(t.Clear)
	o.Get = p.of("get", p.rootsOf("key"), t.Get)
	o.List = p.of("list", p.rootsOf("page", "filter"), t.List)
	o.Many = p.of("many", p.rootsOf("page", "keys"), t.Many)
	o.Create = p.of("create", p.rootsOf("record", "key"), t.Create)
	o.Update = p.of("update", p.rootsOf("record", "key", "old", "changes"), t.Update)
	o.Delete = p.of("delete", p.rootsOf("record", "key"), t.Delete)
	for _, f := range t.Finds {
		o.Finds = append(o.Finds, p.find(f))
	}
	for _, m := range t.Members {
		if o.Members == nil {
			o.Members = map[string]*Members{}
		}
		o.Members[m.Field.Value] = p.members(m)
	}
	p.check(t, o)
	return o
}

func (p *compiler[S]) find(f WrittenFind[S]) *Find {
	out := &Find{Steps: p.of("list", p.rootsOf("page", "filter"), f.Steps), Exact: f.Exact, IgnoresCase: f.IgnoresCase, Answers: map[string]filter.Ops{}}
	for _, a := range f.Answers {
		p.field(a.Field)
		out.Answers[a.Field.Value] |= a.Ops
	}
	p.needRecords(f.Steps, out.Steps)
	if len(out.Steps) == 1 { // not whether the step is needed, but whether the find answers
		out.When, out.Steps[0].When = out.Steps[0].When, nil
	}
	return out
}

func (p *compiler[S]) members(m WrittenMembers[S]) *Members {
	p.field(m.Field)
	roots := p.rootsOf("key", "add", "remove")
	return &Members{Of: p.Locks(p.refers[m.Field.Value]), Add: p.of("members", roots, m.Add), Remove: p.of("members", roots, m.Remove), Change: p.of("members", roots, m.Change)}
}

// once leaves out problems that come again: rules of the target are compiled for
// every step.
func once(all []Problem) []Problem {
	seen := map[Problem]bool{}
	return slices.DeleteFunc(all, func(p Problem) bool {
		p.Hint = "" // it may name what is known in one step and not in another
		again := seen[p]
		seen[p] = true
		return again
	})
}

// check finds what one step cannot know.
func (p *compiler[S]) check(t Target[S], o Options) {
	p.needRecords(t.List, o.List)
	p.needRecords(t.Many, o.Many)
	if len(o.Many) > 0 && !slices.ContainsFunc(o.Many, func(st *Step) bool {
		return slices.ContainsFunc(st.exprs(), func(e *Expr) bool { return e.Uses("keys") })
	}) {
		p.Add(p.placeOf(&t.Many[0]), "as in query: {ids: 'join(keys, \",\")'}", "many does not say where the keys go")
	}
	for i, st := range o.Get {
		if len(o.Get) == 1 && st.Record == nil {
			p.Add(p.placeOf(&t.Get[i]), "as in "+p.Wants.Record, "get does not say where the record is")
		}
	}
}

func (p *compiler[S]) placeOf(s *S) Text {
	w, _ := p.Common(s)
	return w.At
}

func (p *compiler[S]) needRecords(written []S, op Operation) {
	if len(op) > 0 && !slices.ContainsFunc(op, func(st *Step) bool { return st.Records != nil }) {
		p.Add(p.placeOf(&written[0]), "as in "+p.Wants.Records, "a list does not say where its records are")
	}
}

func (p *compiler[S]) of(op string, roots Roots, written []S) Operation {
	q := *p
	q.op, q.roots = op, roots
	return q.operation(written)
}

// operation compiles steps; nil for none.
func (p *compiler[S]) operation(written []S) Operation {
	var out Operation
	for i := range written {
		out = append(out, p.step(&written[i]))
	}
	return out
}

func (p *compiler[S]) step(s *S) *Step {
	w, undo := p.Common(s)
	if w.Records.Value != "" && !slices.Contains(p.roots, "page") { // a list that helps
		q := *p
		q.roots = slices.Concat(p.roots, Roots{"page"})
		p = &q
	}
	st := &Step{
		Name: w.Name.Value, When: p.Expr(w.When, p.roots), Each: p.Expr(w.Each, p.roots), Call: p.Call(p.Compiler, p.op, p.roots, s),
		Record: p.Expr(w.Record, p.roots), Records: p.Expr(w.Records, p.roots), Key: p.Expr(w.Key, p.roots),
	}
	st.Total, st.Next, st.Truncated = p.Expr(w.Total, p.roots), p.Expr(w.Next, p.roots), p.Expr(w.Truncated, p.roots)
	st.Size, st.Ordered = w.Size, w.Ordered
	for _, l := range w.Let {
		if st.Let == nil {
			st.Let = map[string]*Expr{}
		}
		st.Let[l.Name.Value] = p.Expr(l.Value, p.roots)
	}
	for _, c := range w.Set {
		if st.Set == nil {
			st.Set = map[string]any{}
		}
		st.Set[c.Name.Value] = p.constant(c.Value)
	}
	for _, f := range w.Lacks {
		p.field(f)
		st.Lacks = append(st.Lacks, f.Value)
	}
	fails := slices.Concat(w.Fails, p.fails)
	if st.Call == (NoCall{}) { // the target's rules are about answers
		fails = w.Fails
	}
	for _, f := range fails {
		st.Fails = append(st.Fails, p.fail(f))
	}
	if undo != nil {
		st.Undo = p.step(undo)
	}
	return st
}

// constant is an expression without names, worked out now.
func (p *compiler[S]) constant(t Text) any {
	e := p.Expr(t, nil)
	v, err := e.Eval(Scope{})
	if err != nil {
		p.Add(t, "write a text in quotes, a number, true or false", "this is no constant")
	}
	return v
}

// field reports a name that is no field of the target.
func (p *compiler[S]) field(t Text) {
	if !p.known || slices.Contains(p.fields, t.Value) {
		return
	}
	hint := "the fields are those that attributes are mapped to"
	if n := Nearest(t.Value, p.fields); n != "" {
		hint = "did you mean " + n + "?"
	}
	p.Add(t, hint, "no attribute is mapped to the field %q", t.Value)
}

// fail compiles a rule about answers. The rules of the target hold for every
// operation, so they see what all have.
func (p *compiler[S]) fail(f WrittenFail) Fail {
	out := Fail{When: p.Expr(f.When, p.rootsOf(p.roots...)), OK: f.Kind.Value == success, Kind: kinds[f.Kind.Value], Field: f.Field.Value}
	if _, known := kinds[f.Kind.Value]; !known && !out.OK && f.Kind.Value != "" {
		hint := "one of " + strings.Join(Kinds(), ", ")
		if n := Nearest(f.Kind.Value, Kinds()); n != "" {
			hint = "did you mean " + n + "?"
		}
		p.Add(f.Kind, hint, "there is no kind of failure %q", f.Kind.Value)
	}
	if f.Field.Value != "" {
		p.field(f.Field)
	}
	return out
}
