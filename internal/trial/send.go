package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/postern/postern/gateway"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/patch"
)

// A Request is what a client sends.
type Request struct {
	Method string
	Path   string // below the base URL
	Header http.Header
	Body   []byte
}

// An Outcome is what came of a request.
type Outcome struct {
	Rewrites []Rewrite       `json:"rewrites,omitempty"`
	Filter   string          `json:"filter,omitempty"` // as it was understood
	Notes    []string        `json:"notes,omitempty"`  // what was left out, and why
	Cause    string          `json:"cause,omitempty"`  // of a failure, in the gateway's own words
	Status   int             `json:"status"`
	Location string          `json:"location,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
}

// A Rewrite is a habit of a client that was read as what the RFC wants.
type Rewrite struct {
	Operation int    `json:"operation"` // of the request, from 0
	Name      string `json:"name"`
	Doc       string `json:"doc"`
}

// Send makes a gateway of the options and sends it one request by the principal.
func Send(ctx context.Context, o gateway.Options, who auth.Principal, r Request) (*Outcome, error) {
	s := &spy{Provider: o.Provider, log: &log{}}
	o.Provider, o.Authenticator, o.Logger = s, always{who}, slog.New(s.log)
	door, err := gateway.New(o)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.WithValue(ctx, logKey{}, s.log), r.Method, o.Base+r.Path, strings.NewReader(string(r.Body)))
	if err != nil {
		return nil, fmt.Errorf("this is no request: %w", err)
	}
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	if len(r.Body) > 0 {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for name, v := range r.Header {
		req.Header[name] = v
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, req)
	s.out.Status, s.out.Location = w.Code, w.Header().Get("Location")
	if body := w.Body.Bytes(); json.Valid(body) {
		s.out.Answer = body
	}
	s.log.into(&s.out)
	return &s.out, nil
}

// always lets one principal in.
type always struct{ auth.Principal }

// Authenticate implements gateway.Authenticator.
func (a always) Authenticate(http.Header) (auth.Principal, error) { return a.Principal, nil }

// A spy notes how requests were understood.
type spy struct {
	gateway.Provider
	log *log
	out Outcome
}

// List implements gateway.Provider.
func (s *spy) List(ctx context.Context, c provision.Call, q provision.Search) (provision.List, error) {
	if q.Filter != nil {
		s.out.Filter = filter.Print(q.Filter)
	}
	return s.Provider.List(ctx, c, q)
}

// Patch implements gateway.Provider.
func (s *spy) Patch(ctx context.Context, c provision.Call, id string, ops []patch.Operation) (*scim.Resource, error) {
	docs := map[string]string{}
	for _, r := range patch.Rewrites() {
		docs[r.Name] = r.Doc
	}
	seen := map[Rewrite]bool{}
	for i := range ops {
		for _, name := range ops[i].Rewrites {
			r := Rewrite{Operation: ops[i].Index, Name: name, Doc: docs[name]}
			if !seen[r] {
				seen[r] = true
				s.out.Rewrites = append(s.out.Rewrites, r)
			}
		}
	}
	return s.Provider.Patch(ctx, c, id, ops)
}

type logKey struct{}

// A log keeps what the gateway would log of the request, as notes.
type log struct {
	mu    sync.Mutex
	notes []string
	cause string
}

// Logger is the log for what is behind the door: its lines become notes of the
// request that they are about.
func Logger() *slog.Logger { return slog.New(&log{}) }

// Enabled implements slog.Handler.
func (l *log) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (l *log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *log) WithGroup(string) slog.Handler { return l }

// Handle implements slog.Handler.
func (l *log) Handle(ctx context.Context, r slog.Record) error {
	if of, ok := ctx.Value(logKey{}).(*log); ok {
		l = of
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.Message == "request":
		r.Attrs(func(a slog.Attr) bool {
			if names, ok := a.Value.Any().([]string); ok && a.Key == "ignored" {
				l.notes = append(l.notes, names...)
			}
			return true
		})
	case r.Message == "cause":
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "error" {
				l.cause = a.Value.String()
			}
			return true
		})
	case r.Level >= slog.LevelWarn:
		l.notes = append(l.notes, line(r))
	}
	return nil
}

// line is a line of the log as a sentence.
func line(r slog.Record) string {
	var more []string
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "request" {
			more = append(more, fmt.Sprintf("%s=%v", a.Key, a.Value))
		}
		return true
	})
	if len(more) == 0 {
		return r.Message
	}
	return r.Message + " (" + strings.Join(more, ", ") + ")"
}

func (l *log) into(o *Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.Notes = append(o.Notes, l.notes...)
	var told struct{ Detail string }
	if _ = json.Unmarshal(o.Answer, &told); o.Status >= 500 && !strings.Contains(l.cause, told.Detail) {
		o.Cause = l.cause
	}
}
