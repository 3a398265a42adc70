package trace

import (
	"errors"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A Step is one operation of the contract.
type Step struct {
	Backend string           `json:"backend"`
	Type    string           `json:"type,omitempty"` // the resource type
	Op      string           `json:"op"`             // get, list, create, update, delete, probe
	Key     string           `json:"key,omitempty"`
	Query   *Query           `json:"query,omitempty"`
	Create  map[string]Value `json:"create,omitempty"`
	Changes []Change         `json:"changes,omitempty"`
	Members []MemberChange   `json:"members,omitempty"`

	Exchanges []*Exchange `json:"exchanges,omitempty"`

	Records []Record `json:"records,omitempty"`
	Total   *int     `json:"total,omitempty"`
	Next    string   `json:"next,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
	Stopped bool     `json:"stopped,omitempty"` // a dry run ended here

	secret func(field string) bool
}

// A Query is what a list asks for.
type Query struct {
	Filter string   `json:"filter,omitempty"` // in the backend's own fields
	Sort   []string `json:"sort,omitempty"`   // fields; a minus sign before one means descending
	Offset int      `json:"offset,omitempty"`
	Limit  int      `json:"limit"`
	Cursor string   `json:"cursor,omitempty"`
	Total  bool     `json:"total,omitempty"`
}

// A Record is one that the backend answered.
type Record struct {
	Key    string           `json:"key"`
	Fields map[string]Value `json:"fields"`
}

// A Change is what an update does to one field.
type Change struct {
	Field string `json:"field"`
	Old   Value  `json:"old"`
	New   Value  `json:"new"`
}

// A MemberChange is what an update does to one list.
type MemberChange struct {
	Field  string   `json:"field"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// A Failure is a backend's refusal.
type Failure struct {
	Kind  string `json:"kind"`
	Field string `json:"field,omitempty"`
	Text  string `json:"text,omitempty"`
}

// An Exchange is one message to the backend, and its answer.
type Exchange struct {
	Request    string            `json:"request"` // a statement; a method and a URL
	Parameters []Value           `json:"parameters,omitempty"`
	Body       string            `json:"body,omitempty"`
	Answer     string            `json:"answer,omitempty"` // in a few words
	Status     int               `json:"status,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	AnswerBody string            `json:"answerBody,omitempty"`
	Binary     bool              `json:"binary,omitempty"` // AnswerBody is base64
	Error      string            `json:"error,omitempty"`
	Reads      bool              `json:"reads,omitempty"`
	Stopped    bool              `json:"stopped,omitempty"` // a dry run ended before it

	secretive bool // a log-in: of its bodies nothing is shown but their form
	anyBody   bool // it answers the request whatever its body
}

// Answers is an exchange that answers a request with whatever body, for recordings
// that are written by hand.
func Answers(request string, status int, headers map[string]string, body string) *Exchange {
	return &Exchange{Request: request, Status: status, Headers: headers, AnswerBody: body, anyBody: true}
}

func (s *Step) writes() bool { return s.Op == "create" || s.Op == "update" || s.Op == "delete" }

func queryOf(q adapters.Query) *Query {
	out := &Query{Offset: q.Offset, Limit: q.Limit, Cursor: q.Cursor, Total: q.Total}
	if q.Filter != nil {
		out.Filter = filter.Print(q.Filter)
	}
	for _, s := range q.Sort {
		name := s.Field
		if s.Descending {
			name = "-" + name
		}
		out.Sort = append(out.Sort, name)
	}
	return out
}

func fieldsOf(r adapters.Record) map[string]Value {
	out := map[string]Value{}
	if r.IsZero() {
		return out
	}
	for i, name := range r.Shape().Names() {
		if v := r.At(i); !adapters.NoValue(v) {
			out[name] = Value{v}
		}
	}
	return out
}

func (s *Step) change(d adapters.Delta) {
	for _, c := range d.Set {
		s.Changes = append(s.Changes, Change{Field: c.Field, Old: Value{c.Old}, New: Value{c.New}})
	}
	for _, m := range d.Members {
		s.Members = append(s.Members, MemberChange(m))
	}
}

func failureOf(err error) *Failure {
	var e *adapters.Error
	if !errors.As(err, &e) {
		return &Failure{Kind: adapters.Internal.String(), Text: err.Error()}
	}
	f := &Failure{Kind: e.Kind.String(), Field: e.Field}
	if e.Err != nil {
		f.Text = e.Err.Error()
	}
	return f
}

// error is a recorded failure as an adapter has it.
func (f *Failure) error(op string) error {
	e := &adapters.Error{Kind: adapters.Internal, Op: op, Field: f.Field, Err: errors.New(f.Text)}
	for k := adapters.Internal; k <= adapters.TooMany; k++ {
		if k.String() == f.Kind {
			e.Kind = k
		}
	}
	return e
}

// asks reports whether an HTTP request looks as if it changed nothing.
func (e *Exchange) asks() bool {
	method, _, _ := strings.Cut(e.Request, " ")
	return method == "GET" || method == "HEAD"
}
