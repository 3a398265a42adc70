package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// A result is how a run of the program ended.
type result struct {
	status int // killed if it was by a signal
	stdout []byte
	stderr string
	broken error // stdout is not all that the program wrote
}

// killed is the exit status of a program that a signal ended.
const killed = -1

const (
	maxErrors = 16 << 10
	// grace is how long a program that must end may take to do so, and how long the
	// output is waited for of what it left behind.
	grace = time.Second
)

// run starts the program and waits for its end, or kills it when the caller has
// given up. An error means that there is no answer.
func (b *Backend) run(ctx context.Context, args []string, input []byte, reads bool) (result, error) {
	select {
	case b.turns <- struct{}{}:
		defer func() { <-b.turns }()
	case <-ctx.Done():
		return result{}, &adapters.Error{Kind: adapters.Unavailable, Err: ctx.Err()}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out, errs := &limited{max: b.cfg.Size}, &limited{max: maxErrors}
	if reads { // a change is not cut short because it says much
		out.full = func() { stop(errTooLong) }
	}
	cmd := exec.CommandContext(ctx, b.path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = b.cfg.Directory, b.env, out, errs, grace
	if input != nil {
		cmd.Stdin = bytes.NewReader(input)
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return result{}, b.notStarted(ctx, err)
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		killGroup(cmd)
		if cause := context.Cause(ctx); !errors.Is(cause, errTooLong) {
			return result{}, &adapters.Error{Kind: adapters.Unavailable, Unsure: !reads, Err: fmt.Errorf("the program was killed: %w", cause)}
		}
	}
	r := result{status: cmd.ProcessState.ExitCode(), stdout: out.data, stderr: strings.ToValidUTF8(strings.TrimSpace(string(errs.data)), "?")}
	switch {
	case out.over:
		r.broken = fmt.Errorf("%w: more than %d bytes", errTooLong, b.cfg.Size)
		if reads {
			r.status = 0 // it was killed for that
		}
	case errors.Is(err, exec.ErrWaitDelay):
		r.broken = errors.New("the program ended and left its output open")
	}
	return r, nil
}

var errTooLong = errors.New("the output is too long")

// notStarted is a program that could not be started: nothing has happened.
func (b *Backend) notStarted(ctx context.Context, err error) error {
	kind := adapters.Internal
	if ctx.Err() != nil || busy(err) {
		kind = adapters.Unavailable
	}
	return &adapters.Error{Kind: kind, Err: fmt.Errorf("the program cannot be started: %w", errors.Join(context.Cause(ctx), err))}
}

// limited keeps the first bytes of what is written and forgets the rest.
type limited struct {
	max  int
	data []byte
	over bool
	full func() // told once, when more comes
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.max-len(l.data))
	l.data = append(l.data, p[:n]...)
	if n < len(p) && !l.over {
		if l.over = true; l.full != nil {
			l.full()
		}
	}
	return len(p), nil
}
