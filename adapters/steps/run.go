package steps

import (
	"context"

	"github.com/postern/postern/adapters"
)

// This file is for adapters that read, lock and compare by themselves, and whose
// changes only are described by steps.

// An Outcome is what the steps of an operation yielded.
type Outcome struct {
	Key adapters.Key // "" if no step says where it is; of several fields if it is a list
}

// Run runs the steps of an operation. known is what expressions see.
func Run(ctx context.Context, op string, o Operation, known map[string]any) (Outcome, error) {
	s := Scope{"needs": never, "changed": never}.with(known)
	y, err := freshRun(op, s).all(ctx, o)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Key: joined(y.key)}, nil
}

// joined is a key that a step yielded.
func joined(v any) adapters.Key {
	list, several := v.([]any)
	if !several {
		return adapters.Key(textOf(plain(v)))
	}
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = textOf(plain(e))
	}
	return adapters.JoinKey(parts...)
}

// Plain is a value of an expression as a backend that holds single values takes it:
// what is more than one is its JSON.
func Plain(v any) any { return plain(v) }

// Names reports whether an expression of the steps names a member of one of the roots,
// as record.login, or one of the roots as a whole.
func (op Operation) Names(name string, roots ...string) bool {
	for _, st := range op {
		for _, e := range st.exprs() {
			for _, root := range roots {
				if e.Uses(root+"."+name) || e != nil && e.whole[root] {
					return true
				}
			}
		}
	}
	return false
}
