package steps

import (
	"context"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
)

// A Proof is a call that shows that the credential really sees the directory. An
// expired one often looks like an empty directory.
type Proof struct {
	step   *Step
	expect *Expr
	every  time.Duration
	values map[string]any

	// Renew ends a session that sees too little, and reports whether there was one:
	// then the call is made once more. nil: there are no sessions.
	Renew func() bool

	mu   sync.Mutex
	good time.Time
}

// NewProof makes a proof of one step that is good for some time; 0: 30 s.
func NewProof(st *Step, expect *Expr, every time.Duration, values map[string]any) *Proof {
	if every == 0 {
		every = 30 * time.Second
	}
	return &Proof{step: st, expect: expect, every: every, values: values}
}

// Ask makes the call.
func (p *Proof) Ask(ctx context.Context) error {
	ok, err := Expect(ctx, "probe", p.step, p.expect, p.values)
	if err == nil && !ok && p.Renew != nil && p.Renew() {
		ok, err = Expect(ctx, "probe", p.step, p.expect, p.values)
	}
	if err == nil && !ok {
		err = adapters.Errorf(adapters.Denied, "probe", "the credential does not see what the configuration expects")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = time.Time{}
	if err == nil {
		p.good = time.Now()
	}
	return err
}

// Lately is good if the last proof is not old.
func (p *Proof) Lately(ctx context.Context) error {
	p.mu.Lock()
	fresh := !p.good.IsZero() && time.Since(p.good) < p.every
	p.mu.Unlock()
	if fresh {
		return nil
	}
	return p.Ask(ctx)
}
