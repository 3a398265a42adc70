package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// answerRoots are what is known once a program has ended.
var answerRoots = steps.Roots{"secret", "steps", "status", "stderr", "body", "item"}

// tongue is how steps are said as calls of a program.
func (b *Backend) tongue() steps.Tongue[Step] {
	return steps.Tongue[Step]{
		Answer: answerRoots.With(b.cfg.Values),
		Common: func(s *Step) (*steps.Written, *Step) { return &s.Written, s.Undo },
		Call: func(c *steps.Compiler, op string, roots steps.Roots, s *Step) steps.Call {
			if s.Run == nil && s.Yields() {
				return steps.NoCall{}
			}
			return b.call(c, op, roots, s)
		},
		Values: b.values,
		Config: b.cfg.Values,
		Locks:  b.locks.Of,
		Wants:  steps.Examples{Record: "record: body", Records: "records: body"},
	}
}

// A call is one run of the program, compiled.
type call struct {
	b      *Backend
	op     string // of the operation: decides what an exit status means
	args   []*steps.Template
	send   *steps.Expr
	format format
}

func (b *Backend) call(c *steps.Compiler, op string, roots steps.Roots, s *Step) *call {
	out := &call{b: b, op: op, send: c.Expr(s.Send, roots)}
	name := s.Format.Value
	if name == "" {
		name = b.cfg.Format
	}
	var ok bool
	if out.format, ok = formatOf(name); !ok {
		c.Add(s.Format, "one of "+strings.Join(formats, ", "), "there is no format %q", name)
	}
	ended := b.cfg.Dashes || slices.Contains(b.cfg.Arguments, endOfOptions)
	for _, a := range s.Run {
		t := c.Template(a, roots)
		if t == nil {
			continue
		}
		out.args = append(out.args, t)
		if t.BeginsOpen() && !ended {
			c.Add(a, `write "--" before it, or --name={…}; or, if the program takes such a value as it is, dashes: true in the backend`,
				"a value that begins with a dash would be taken for an option")
		}
		if t.Uses("secret") {
			c.Add(a, "send it on standard input, or put it into the backend's environment", "arguments can be seen by every user of the machine: a secret cannot be one")
		}
		ended = ended || a.Value == endOfOptions
	}
	return out
}

// endOfOptions is the argument after which there are no options (POSIX, utility
// conventions, guideline 10).
const endOfOptions = "--"

// Reads implements steps.Call.
func (c *call) Reads() bool { return slices.Contains([]string{"get", "list", "many", "probe"}, c.op) }

// Exprs implements steps.Call.
func (c *call) Exprs() []*steps.Expr {
	out := []*steps.Expr{c.send}
	for _, a := range c.args {
		out = append(out, a.Exprs()...)
	}
	return out
}

// Do implements steps.Call.
func (c *call) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	if c.b.proof != nil && c.op != "probe" {
		if err := c.b.proof.Lately(ctx); err != nil {
			return steps.Answer{}, err
		}
	}
	args := slices.Clone(c.b.cfg.Arguments)
	for _, a := range c.args {
		more, err := a.Words(s)
		if err != nil {
			return steps.Answer{}, refused(err)
		}
		args = append(args, more...)
	}
	if slices.ContainsFunc(args, func(a string) bool { return strings.ContainsRune(a, 0) }) {
		return steps.Answer{}, refused(errors.New("an argument cannot hold the character NUL"))
	}
	var input []byte
	if c.send != nil {
		v, err := c.send.Eval(s)
		if err != nil {
			return steps.Answer{}, &adapters.Error{Kind: adapters.Internal, Err: err}
		}
		if input, err = c.format.write(v); err != nil {
			return steps.Answer{}, refused(err)
		}
	}
	r, err := c.watched(ctx, args, input)
	if err != nil {
		return steps.Answer{}, err
	}
	return c.answer(r), nil
}

// watched runs the program, and tells whoever watches. Of data that are no JSON, only
// the size is told: nobody knows what of them is a secret.
func (c *call) watched(ctx context.Context, args []string, input []byte) (result, error) {
	w := c.b.cfg.Watch
	if w == nil {
		return c.b.run(ctx, args, input, c.Reads())
	}
	e := &adapters.Exchange{Request: filepath.Base(c.b.path), Reads: c.Reads()}
	for _, a := range args {
		e.Parameters = append(e.Parameters, a)
	}
	if e.Body = string(input); !c.format.json && len(input) > 0 {
		e.Body = fmt.Sprintf("(%d bytes)", len(input))
	}
	if err := w.Before(ctx, e); err != nil {
		return result{}, err
	}
	r, err := c.b.run(ctx, args, input, c.Reads())
	if e.Err = err; err == nil {
		e.Answer = fmt.Sprintf("exit status %d, %d bytes", r.status, len(r.stdout))
		if c.format.json {
			e.AnswerBody = string(r.stdout)
		}
	}
	w.After(ctx, e)
	return r, err
}

func refused(err error) error { return &adapters.Error{Kind: adapters.Invalid, Err: err} }

// answer is what expressions see of a run.
func (c *call) answer(r result) steps.Answer {
	a := steps.Answer{Broken: r.broken, Values: map[string]any{"status": r.status, "stderr": r.stderr, "body": nil}}
	if a.Broken == nil {
		a.Values["body"], a.Broken = c.format.read(r.stdout)
	}
	if kind, failed := c.kind(r.status); failed {
		a.Fault = &adapters.Error{Kind: kind, Err: fmt.Errorf("exit status %d: %s", r.status, clip(r.stderr)), Unsure: kind == adapters.Unavailable && !c.Reads()}
	}
	return a
}

// Exit statuses that programs agree on: those of sysexits.
const (
	exitData        = 65
	exitNoUser      = 67
	exitUnavailable = 69
	exitTemporary   = 75
	exitNoPerm      = 77
)

// kind is what an exit status means where no rule of the configuration says more.
func (c *call) kind(status int) (kind adapters.Kind, failed bool) {
	switch status {
	case 0:
		return 0, false
	case exitData:
		if !c.Reads() {
			return adapters.Invalid, true
		}
	case exitNoUser:
		if slices.Contains([]string{"get", "update", "delete", "members"}, c.op) {
			return adapters.NotFound, true
		}
	case exitUnavailable, exitTemporary, killed:
		return adapters.Unavailable, true
	case exitNoPerm:
		return adapters.Denied, true
	}
	return adapters.Internal, true
}

const maxClip = 200

func clip(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), maxClip)], "?"))
}
