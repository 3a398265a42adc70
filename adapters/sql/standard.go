package sql

import "context"

// standard is how databases write that answer what they wrote (RETURNING) and
// whose statements may read the table that they change.
type standard struct{}

func (standard) insert(ctx context.Context, s session, p *plan, m *assignment) ([][]any, error) {
	return p.returned(ctx, s, m.statement(p).add(" RETURNING ", p.keyNames))
}

func (standard) update(ctx context.Context, s session, p *plan, set, where *builder, _ *assignment) ([][]any, error) {
	return p.returned(ctx, s, set.include(where).add(" RETURNING ", p.keyNames))
}

func (standard) deletion(table, alias string) string { return "DELETE FROM " + table + " AS " + alias }

func (standard) unions() bool { return true }

func (standard) put(value string) string { return value }

func (standard) defaults() string { return " DEFAULT VALUES" }
