package sql

import (
	"context"

	"github.com/postern/postern/adapters"
)

// Delete implements adapters.Adapter. The record's rows in join tables go first.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	if a.caps.NoDelete {
		return &adapters.Error{Kind: adapters.Denied, Op: "delete"}
	}
	p, err := a.plan(ctx, "delete")
	if err != nil {
		return err
	}
	return a.change(ctx, "delete", p, nil, func(ctx context.Context, s session) error {
		at, err := p.locate(ctx, s, key)
		if err != nil {
			return err
		}
		if own := a.table.Own; own != nil && own.Delete != nil {
			return a.ownDelete(ctx, s, p, at)
		}
		if len(a.table.Stamps.Delete) > 0 {
			return a.retire(ctx, s, p, at)
		}
		if err := p.forget(ctx, s, at); err != nil {
			return err
		}
		err = a.referred(ctx, s, func(l *link) error { return l.forget(ctx, s, l.member, at[0]) })
		if err != nil {
			return err
		}
		b := newBuilder().add(p.dialect.deletion(p.dialect.relation(p.schema.name), "t"), " WHERE ")
		p.keyIs(b, keyOf(at)) // the row is locked, and in scope
		_, err = s.exec(ctx, string(b.text), b.args...)
		return err
	})
}

// forget removes what other tables hold of a record.
func (p *plan) forget(ctx context.Context, s session, key []any) error {
	for i, l := range p.links {
		if l != nil {
			if err := l.forget(ctx, s, l.owner, key[0]); err != nil {
				return err
			}
		}
		if c := p.children[i]; c != nil {
			if err := c.forget(ctx, s, key); err != nil {
				return err
			}
		}
	}
	for _, side := range p.owned() {
		if err := side.forget(ctx, s, key); err != nil {
			return err
		}
	}
	return nil
}
