package trace

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/postern/postern/adapters"
)

// Options say what a Tape does besides keeping.
type Options struct {
	DryRun  bool       // stop before the first change
	Replay  *Recording // answer from it, and never ask a backend
	Secrets []string   // texts to blot out
}

// A Tape keeps the operations of one request. Its methods may be called from many
// goroutines.
type Tape struct {
	dry    bool
	replay *player // nil: backends answer

	mu      sync.Mutex
	blot    blotter
	steps   []*Step
	stopped bool
}

// New makes an empty tape.
func New(o Options) *Tape {
	t := &Tape{dry: o.DryRun}
	for _, s := range o.Secrets {
		t.blot.learn(s)
	}
	if o.Replay != nil {
		t.replay = &player{recording: o.Replay}
	}
	return t
}

// Hide makes a text a secret of this tape.
func (t *Tape) Hide(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blot.learn(text)
}

// Steps are the operations so far, without secrets.
func (t *Tape) Steps() []Step {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Step, len(t.steps))
	for i, s := range t.steps {
		out[i] = t.blot.step(s)
	}
	return out
}

// Blot is a text without the secrets that the tape knows.
func (t *Tape) Blot(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.blot.text(text)
}

// BlotBody is a message's body without secrets, those included that stand under a
// name that looks like a secret's.
func (t *Tape) BlotBody(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.blot.body(text)
}

// Stopped reports whether a dry run came to a change.
func (t *Tape) Stopped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped
}

// Missing lists the requests to which the recording that is replayed had no answer.
func (t *Tape) Missing() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.replay == nil {
		return nil
	}
	var out []string
	for _, m := range t.replay.missing {
		out = append(out, t.blot.text(m))
	}
	return out
}

type stepKey struct{}

// current is the step that ctx belongs to, nil outside of operations.
func current(ctx context.Context) *Step {
	s, _ := ctx.Value(stepKey{}).(*Step)
	return s
}

// begin adds a step, and is what its messages are told with.
func (t *Tape) begin(ctx context.Context, s *Step) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, s)
	return context.WithValue(ctx, stepKey{}, s)
}

// stop ends a step before its change. Of a request that goes on all the same,
// nothing more is kept.
func (t *Tape) stop(s *Step, e *Exchange) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s != nil && !t.stopped {
		s.Stopped = true
		if e != nil {
			e.Stopped = true
			s.Exchanges = append(s.Exchanges, e)
		}
	}
	t.stopped = true
	return errStopped()
}

func errStopped() error {
	return adapters.Errorf(adapters.Unsupported, "", "stopped before the first change, as asked")
}

// add puts a message below its step. What is sent outside of any operation, to
// prove that the backend is there, gets a step of its own.
func (t *Tape) add(ctx context.Context, backend string, e *Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := current(ctx)
	if s == nil {
		s = &Step{Backend: backend, Op: "beside"}
		t.steps = append(t.steps, s)
	}
	s.Exchanges = append(s.Exchanges, e)
}

// Watcher is told the messages of kinds that have texts for them.
func (t *Tape) Watcher(backend string) adapters.Watcher { return watcher{t, backend} }

type watcher struct {
	*Tape
	backend string
}

// Before implements adapters.Watcher. In a dry run, what an operation that changes
// something sends must look as if it only read.
func (w watcher) Before(ctx context.Context, e *adapters.Exchange) error {
	s := current(ctx)
	if w.dry && s != nil && s.writes() && !e.Reads {
		return w.stop(s, exchangeOf(e))
	}
	return nil
}

// After implements adapters.Watcher. Questions about the tables themselves are not
// kept: they are asked once, and have nothing to do with the request.
func (w watcher) After(ctx context.Context, e *adapters.Exchange) {
	if op, _ := adapters.Purpose(ctx); op != "describe" || e.Err != nil {
		w.add(ctx, w.backend, exchangeOf(e))
	}
}

func exchangeOf(e *adapters.Exchange) *Exchange {
	x := &Exchange{Request: strings.TrimSpace(e.Request), Body: e.Body, Answer: e.Answer, AnswerBody: e.AnswerBody, Reads: e.Reads}
	for _, p := range e.Parameters {
		x.Parameters = append(x.Parameters, Value{plain(p)})
	}
	if e.Err != nil {
		x.Error = e.Err.Error()
	}
	return x
}

// plain makes a value of a statement one that can be kept.
func plain(v any) any {
	switch v := v.(type) {
	case nil, string, int64, float64, bool, []byte, []string:
		return v
	case int:
		return int64(v)
	}
	return fmt.Sprint(v)
}
