package provision

import (
	"context"
	"errors"
	"time"

	"github.com/postern/postern/adapters"
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
	due, err := t.due(now)
	if err != nil {
		return 0, err
	}
	over := func(a *scim.Attribute) bool { return within(a, t.Mapping.Ends()) || a == t.active() }
	done := 0
	tried := map[adapters.Key]bool{} // in vain, or the backend would be asked for ever
	var failed []error
	for {
		found, err := n.satisfying(adapters.WithoutCache(ctx), n.tenant, t, t.Adapter, due, over, t.scope.Want)
		if err != nil {
			return done, errors.Join(append(failed, err)...)
		}
		fresh := 0
		for _, rec := range found {
			if tried[rec.Key] {
				continue
			}
			tried[rec.Key] = true
			fresh++
			if !t.inScope(rec) || !t.Mapping.Managed(rec) {
				continue
			}
			if err := ignore(adapters.NotFound, n.deactivate(ctx, n.tenant, t, rec.Key)); err != nil {
				failed = append(failed, err)
				continue
			}
			done++
		}
		if fresh == 0 || ctx.Err() != nil {
			break
		}
	}
	if done > 0 {
		n.log.InfoContext(ctx, "resources were set inactive because their end date is past", "type", t.name, "resources", done)
	}
	return done, errors.Join(failed...)
}

// due is true of active resources whose end date is past.
func (t *target) due(now time.Time) (filter.Expr, error) {
	l := t.Mapping.Type.Layout
	return schema.Bind(l, filter.And{
		&filter.Compare{Name: t.active().Path(), Op: filter.Eq, Value: filter.BoolValue(true)},
		&filter.Compare{Name: t.Mapping.Ends().Path(), Op: filter.Le, Value: filter.StringValue(now.UTC().Format(time.RFC3339))},
	}, schema.BindOptions{})
}
