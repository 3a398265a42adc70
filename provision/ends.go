package provision

import (
	"context"
	"errors"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// Ends reports whether resources of any type have an end date.
func (s *Service) Ends() bool {
	for _, t := range s.targets {
		if t.Mapping.Ends() != nil {
			return true
		}
	}
	return false
}

// End sets those resources inactive whose end date is past (GW-25), and answers how
// many they were. One that cannot be changed does not keep others from it.
func (n *Identities) End(ctx context.Context, now time.Time) (int, error) {
	done := 0
	var failed []error
	for _, t := range n.targets {
		if t.Mapping.Ends() == nil {
			continue
		}
		some, err := n.end(ctx, t, now)
		done += some
		failed = append(failed, err)
	}
	return done, errors.Join(failed...)
}

func (n *Identities) end(ctx context.Context, t *target, now time.Time) (int, error) {
	keys, err := n.overdue(adapters.WithoutCache(ctx), t, now)
	failed := []error{err}
	done := 0
	for _, k := range keys {
		if err := ignore(adapters.NotFound, n.deactivate(ctx, n.tenant, t, k)); err != nil {
			failed = append(failed, err)
			continue
		}
		done++
	}
	if done > 0 {
		n.log.InfoContext(ctx, "resources were set inactive because their end date is past", "type", t.name, "resources", done)
	}
	return done, errors.Join(failed...)
}

// overdue finds the managed records whose end date is past, however many others
// there are that stay as they are.
func (n *Identities) overdue(ctx context.Context, t *target, now time.Time) (keys []adapters.Key, err error) {
	due, err := t.due(now)
	if err != nil {
		return nil, err
	}
	note := func(recs []adapters.Record) {
		for _, rec := range recs {
			if t.inScope(rec) && t.Mapping.Managed(rec) {
				keys = append(keys, rec.Key)
			}
		}
	}
	kept, err := n.keptLookup(ctx, n.tenant, t, due)
	if err != nil {
		return nil, err
	}
	pushed, rest := t.Mapping.Push(due, rules.Lookup{Kept: kept})
	if rest != nil || pushed == nil { // then all records are read anyway
		over := func(a *scim.Attribute) bool { return within(a, t.Mapping.Ends()) || a == t.active() }
		found, err := n.satisfying(ctx, n.tenant, t, t.Adapter, due, over, t.scope.Want)
		note(found)
		return keys, err
	}
	for from, more := "", true; more; more = from != "" {
		var pg adapters.Page
		if pg, from, err = t.step(ctx, t.Adapter, from, adapters.Query{Filter: pushed, Limit: scanChunk, Want: t.scope.Want}); err != nil {
			return keys, err
		}
		note(pg.Records)
	}
	return keys, nil
}

// due is true of active resources whose end date is past.
func (t *target) due(now time.Time) (filter.Expr, error) {
	l := t.Mapping.Type.Layout
	return schema.Bind(l, filter.And{
		&filter.Compare{Name: t.active().Path(), Op: filter.Eq, Value: filter.BoolValue(true)},
		&filter.Compare{Name: t.Mapping.Ends().Path(), Op: filter.Le, Value: filter.StringValue(now.UTC().Format(time.RFC3339))},
	}, schema.BindOptions{})
}
