package steps

import (
	"context"
	"errors"
	"maps"
)

// Values runs an operation that belongs to no record, as a log-in, and gives
// everything that its steps let, over what was known before: a session that is
// refreshed keeps what its steps do not say anew.
func Values(ctx context.Context, op string, o Operation, known, before map[string]any) (map[string]any, error) {
	out := map[string]any{}
	maps.Copy(out, before)
	r := newRun(op, Scope(known).with(map[string]any{"session": out}))
	for _, st := range o {
		if err := r.step(ctx, st, &yield{}); err != nil {
			return nil, err
		}
		got, _ := r.steps[st.Name].(map[string]any)
		for name := range st.Let {
			if out[name] = got[name]; textOf(plain(out[name])) == "" {
				return nil, r.internal(errors.New("the answer does not hold " + name))
			}
		}
	}
	return out, nil
}

// Expect makes one call and reports whether an expression is true of its answer.
func Expect(ctx context.Context, op string, st *Step, expect *Expr, known map[string]any) (bool, error) {
	r := newRun(op, Scope(known))
	s, err := r.exchange(ctx, st, r.scope)
	if err != nil {
		return false, err
	}
	return expect == nil || expect.True(s), nil
}

// Reach reads the first page of a list.
func Reach(ctx context.Context, list Operation, known map[string]any) error {
	r := newRun("probe", Scope{"needs": never, "changed": never}.with(known))
	for _, st := range list {
		if st.Records == nil {
			if err := r.step(ctx, st, &yield{}); err != nil {
				return err
			}
			continue
		}
		_, err := r.fetch(ctx, st, st.page(0, 1))
		return err
	}
	return nil
}

// Reacher is Reach as a probe.
func Reacher(list Operation, known map[string]any) func(context.Context) error {
	return func(ctx context.Context) error { return Reach(ctx, list, known) }
}

func never(string) bool { return false }
