package sql

import (
	"context"
	"strings"

	"github.com/postern/postern/scim/filter"
)

// Explain is the condition that a row is a record of which e is true, with its
// parameters: what stands after WHERE when List is asked for e. It reads what the
// database says about its tables, and no row.
func (a *Adapter) Explain(ctx context.Context, e filter.Expr) (condition string, parameters []any, err error) {
	p, err := a.plan(ctx, "explain")
	if err != nil {
		return "", nil, err
	}
	b := newBuilder()
	if err := p.where(b, e); err != nil {
		return "", nil, a.db.fault(ctx, "explain", err)
	}
	return strings.TrimPrefix(string(b.text), " WHERE "), b.args, b.check("explain")
}
