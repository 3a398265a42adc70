package sql

import (
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
)

// Bounds of one statement, below those of every database.
const (
	maxParameters = 30000
	maxStatement  = 900_000
	maxDepth      = 150
)

// A builder writes one statement and collects its parameters in their order.
type builder struct {
	text  []byte
	args  []any
	depth int
	deep  bool // nested deeper than maxDepth
}

// newBuilder makes one with room for a usual statement.
func newBuilder() *builder {
	return &builder{text: make([]byte, 0, 512), args: make([]any, 0, 8)}
}

func (b *builder) add(parts ...string) *builder {
	for _, p := range parts {
		b.text = append(b.text, p...)
	}
	return b
}

// bind writes a parameter for each value.
func (b *builder) bind(values ...any) *builder {
	for i, v := range values {
		if i > 0 {
			b.text = append(b.text, ", "...)
		}
		b.text = append(b.text, '?')
		b.args = append(b.args, v)
	}
	return b
}

// include writes what another builder wrote.
func (b *builder) include(o *builder) *builder {
	b.text = append(b.text, o.text...)
	b.args = append(b.args, o.args...)
	b.deep = b.deep || o.deep
	return b
}

// check fails if the statement is more than databases take.
func (b *builder) check(op string) error {
	if b.deep || len(b.args) > maxParameters || len(b.text) > maxStatement {
		return adapters.Errorf(adapters.Unsupported, op, "the filter is too large for one statement")
	}
	return nil
}

// checkName refuses names that no table or column of sound mind has. What it
// lets through is quoted nevertheless.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s has no name", what)
	case len(name) > 128:
		return fmt.Errorf("%s %.20q...: names have at most 128 bytes", what, name)
	case strings.HasPrefix(name, adapters.KeyField):
		return fmt.Errorf("%s %q: this name means the key of a record", what, name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("\"'`[];?\\\uFFFD", r) }):
		return fmt.Errorf("%s %q: a name may not hold quotes, brackets, semicolons, question marks, backslashes or control characters", what, name)
	}
	return nil
}
