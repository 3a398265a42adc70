package rest

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/postern/postern/adapters/steps"
)

// answerRoots are what is known once an answer is there.
var answerRoots = steps.Roots{"secret", "session", "steps", "status", "headers", "body", "item"}

// compiler turns written calls into calls of the engine.
type compiler struct {
	*steps.Compiler
	b     *Backend
	op    string
	roots steps.Roots
	free  bool
}

// tongue is how steps are said in HTTP. free: the calls of a log-in.
func (b *Backend) tongue(free bool) steps.Tongue[Step] {
	return steps.Tongue[Step]{
		Answer: answerRoots.With(b.cfg.Values),
		Common: func(s *Step) (*steps.Written, *Step) { return &s.Written, s.Undo },
		Call: func(c *steps.Compiler, op string, roots steps.Roots, s *Step) steps.Call {
			p := compiler{Compiler: c, b: b, op: op, roots: roots, free: free}
			return p.call(s)
		},
		Values: b.values,
		Config: b.cfg.Values,
		Locks:  b.locks.Of,
		Wants:  steps.Examples{Record: "record: body.user", Records: "records: body.users"},
	}
}

// New compiles a target and makes its adapter.
func (b *Backend) New(t Target) (*steps.Adapter, []steps.Problem) {
	o, problems := steps.Compile(b.tongue(false), t)
	if len(problems) > 0 {
		return nil, problems
	}
	if b.proof != nil {
		o.Probe, o.Believe = b.proof.Ask, b.proof.Ask
		if b.session != nil {
			o.Sessions = b.session.lost
		}
	} else if o.List != nil {
		o.Probe = steps.Reacher(o.List, b.values)
	}
	return steps.New(o), nil
}

var verbs = map[string]string{
	"get": http.MethodGet, "post": http.MethodPost, "put": http.MethodPut, "patch": http.MethodPatch,
	"delete": http.MethodDelete, "search": "SEARCH", "rpc": http.MethodPost, "soap": http.MethodPost,
}

func (p *compiler) call(w *Step) steps.Call {
	if w.Verb.Value == "" && w.Yields() {
		return steps.NoCall{}
	}
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
	c.accept = []string{c.codec.accept()}
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
