package provision

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Tasks answers the steps of merges that are still open.
func (n *Identities) Tasks(ctx context.Context) ([]identity.Task, error) {
	open, err := n.ids.Tasks(ctx, n.tenant)
	return open, n.explain(ctx, err)
}

// Work does the open steps of merges, and answers those that failed again.
func (n *Identities) Work(ctx context.Context) (done int, failed []identity.Task, err error) {
	open, err := n.Tasks(ctx)
	if err != nil {
		return 0, nil, err
	}
	failed = n.work(ctx, open)
	return len(open) - len(failed), failed, nil
}

// work does tasks in order. Once one for a record has failed, the further ones for
// that record wait: a record must not be deleted before its memberships are kept.
func (n *Identities) work(ctx context.Context, tasks []identity.Task) (failed []identity.Task) {
	for _, task := range tasks {
		blocked := slices.ContainsFunc(failed, func(f identity.Task) bool {
			return f.Type == task.Type && f.Backend == task.Backend && f.Key == task.Key
		})
		if blocked {
			task.Note = "an earlier step for this record failed"
			failed = append(failed, task)
			continue
		}
		if err := n.perform(ctx, task); err != nil {
			task.Tries++
			task.Note = reasonOf(err)
			failed = append(failed, task)
			n.log.WarnContext(ctx, "a step of a merge failed and will be tried again", "task", task.Nr, "kind", task.Kind, "reason", task.Note)
			err := n.ids.TaskFailed(context.WithoutCancel(ctx), task.Nr, task.Note)
			if err != nil && !errors.Is(err, identity.ErrUnknown) { // another process may have done it
				n.log.ErrorContext(ctx, "the mapping table", "error", err)
			}
			continue
		}
		if err := n.ids.TaskDone(context.WithoutCancel(ctx), task.Nr); err != nil {
			n.log.ErrorContext(ctx, "the mapping table", "error", err)
		}
	}
	return failed
}

// reasonOf is why a step failed, without values of the backend's.
func reasonOf(err error) string {
	var se *scim.Error
	if errors.As(err, &se) {
		return se.Detail
	}
	var ae *adapters.Error
	if errors.As(err, &ae) {
		return "the backend says: " + ae.Kind.String()
	}
	var poison *poisonError
	if errors.As(err, &poison) {
		return poison.why
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "there was no time"
	}
	return "it failed in the gateway"
}

// perform does one task. Doing it twice does no harm.
func (n *Identities) perform(ctx context.Context, task identity.Task) error {
	t, err := n.targetOf(task.Type)
	if err != nil {
		return err
	}
	if t.Backend != task.Backend {
		return scim.Errorf(400, "", "The configuration has no %s in backend %s any more.", task.Type, task.Backend)
	}
	release, err := n.records.take(ctx, n.records.queue(task.Identity))
	if err != nil {
		return err
	}
	defer release()
	defer n.changes.Add(1)
	from, into := adapters.Key(task.Key), adapters.Key(task.Into)
	switch other, err := n.supplantedNow(ctx, t, from); {
	case err != nil:
		return err
	case other:
		return n.ids.Forget(context.WithoutCancel(ctx), n.tenant, t.link(from))
	}
	switch task.Kind {
	case identity.TaskMemberships:
		return n.carry(ctx, t, from, into)
	case identity.TaskReferences:
		return n.repoint(ctx, t, from, into)
	case identity.TaskDeactivate:
		err := n.deactivate(ctx, n.tenant, t, from)
		if adapters.Is(err, adapters.NotFound) {
			return n.unreachable(ctx, t, from)
		}
		return err
	case identity.TaskDelete:
		return n.discard(ctx, t, from)
	}
	return scim.Errorf(400, "", "There is no step %q.", task.Kind)
}

// discard deletes a record for good, and forgets it.
func (n *Identities) discard(ctx context.Context, t *target, key adapters.Key) error {
	if t.scoped || t.Mapping.HasManaged() {
		shown, err := t.fetch(adapters.WithoutCache(ctx), []adapters.Key{key}, t.scope.Want)
		if err != nil {
			return err
		}
		rec, ok := shown[key]
		if !ok {
			return n.unreachable(ctx, t, key)
		}
		if err := t.manages(rec); err != nil {
			return err
		}
	}
	in := identity.Intent{Domain: identity.Domain{Tenant: n.tenant}, Type: t.name, Backend: t.Backend, Kind: identity.IntentDelete, Keys: []string{string(key)}}
	err := t.Adapter.Delete(n.noting(ctx, t, &in), key)
	t.recall.forget(key)
	left := leftOf(err)
	switch {
	case left == nil && err != nil && !adapters.Is(err, adapters.NotFound):
		if in.Nr == 0 {
			return err
		}
		return n.Service.unfinished(ctx, in, err)
	case in.Nr == 0:
		t.gone.Add(1)
		return n.ids.Forget(context.WithoutCancel(ctx), n.tenant, t.link(key))
	}
	t.gone.Add(1)
	forget := func(ctx context.Context) error { return n.ids.ForgetFor(ctx, in) }
	if left != nil { // the journal carries it on: the record itself is gone
		_ = n.leave(ctx, t, in, left, forget)
		return nil
	}
	in.Follow.Rest = nil
	return forget(context.WithoutCancel(ctx))
}

// unreachable says why a record is not shown: it is gone, and there is nothing
// left to do, or out of scope, and then nobody may touch it.
func (n *Identities) unreachable(ctx context.Context, t *target, key adapters.Key) error {
	if err := t.Adapter.Probe(ctx); err != nil {
		return err
	}
	_, err := t.all().Get(adapters.WithoutCache(ctx), key, t.scope.Want)
	switch {
	case adapters.Is(err, adapters.NotFound):
		t.gone.Add(1)
		return n.ids.Forget(context.WithoutCancel(ctx), n.tenant, t.link(key))
	case err != nil:
		return err
	}
	return scim.Errorf(409, "", "The record is outside what provisioning may manage.")
}

// active is the attribute by which a resource is set inactive, nil if there is
// none that can be written.
func (t *target) active() *scim.Attribute {
	for _, r := range t.Mapping.Rules() {
		if a := r.Attribute(); a.Name == "active" && a.Parent() == nil && a.Type == scim.TypeBoolean && r.Writable() {
			return a
		}
	}
	return nil
}

// deactivate sets a record inactive through the mapping.
func (s *Service) deactivate(ctx context.Context, tenant string, t *target, key adapters.Key) error {
	active := t.active()
	if active == nil {
		return nil
	}
	plan := t.changePlan(Call{}, func(*scim.Attribute) bool { return false })
	for try := 1; ; try++ {
		err := s.tryDeactivate(ctx, tenant, t, key, active, plan)
		if try == attempts || !adapters.Is(err, adapters.Conflict) || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Service) tryDeactivate(ctx context.Context, tenant string, t *target, key adapters.Key, active *scim.Attribute, plan *rules.Plan) error {
	rec, err := t.Adapter.Get(adapters.WithoutCache(ctx), key, plan.Want)
	if err != nil {
		return err
	}
	if other, err := s.another(ctx, tenant, t, rec); other || err != nil {
		return cmp.Or(err, error(adapters.Errorf(adapters.NotFound, "get", "there is another record with this key")))
	}
	if !t.inScope(rec) {
		return scim.Errorf(409, "", "The record is outside what provisioning may manage.")
	}
	if err := t.manages(rec); err != nil {
		return err
	}
	before, _ := t.Mapping.Read(rec, plan, s.warner(ctx, t))
	kept, err := s.completed(ctx, Call{Caller: Caller{Tenant: tenant}}, t, []adapters.Record{rec}, []*scim.Resource{before}, plan)
	if err != nil {
		return err
	}
	if v := before.Get(active); v.Present() && !v.Bool() {
		return nil
	}
	after := before.Clone()
	after.Put(active, scim.Bool(false))
	who := newCast()
	beside := append(kept, nil)[0]
	d, err := t.Mapping.DeltaOf(rec, beside, before, after, who.key, who.id)
	if err != nil {
		return err
	}
	in := identity.Intent{Domain: identity.Domain{Tenant: tenant}, Type: t.name, Backend: t.Backend, Kind: identity.IntentChange, Keys: []string{string(key)},
		Follow: identity.Follow{Keep: keepings(t.Mapping.KeptDelta(beside, before, after, d)), Fields: t.telltales(d)}}
	in.Follow.Before = digest("", rec, in.Follow.Fields)
	_, _, err = s.carryOut(ctx, t, in, nil, d, t.scope.Want)
	return err
}

// carry makes one record a member wherever another is, and gives it the members
// that the other has itself. What the other has stays: the merge may be undone.
func (n *Identities) carry(ctx context.Context, t *target, from, into adapters.Key) error {
	for _, owner := range n.targets {
		for _, r := range owner.Mapping.Rules() {
			typ, list := r.Refers()
			if typ != t.name || !list || !r.Writable() {
				continue
			}
			err := n.referring(ctx, owner, r, from, func(rec adapters.Record) error {
				return n.addMembers(ctx, owner, rec, r, []string{string(into)})
			})
			if err != nil {
				return err
			}
		}
	}
	for _, r := range t.Mapping.Rules() {
		if _, list := r.Refers(); !list || !r.Writable() {
			continue
		}
		if err := n.shareMembers(ctx, t, r, from, into); err != nil {
			return err
		}
	}
	return nil
}

// shareMembers gives a record the members of another.
func (n *Identities) shareMembers(ctx context.Context, t *target, r *rules.Rule, from, into adapters.Key) error {
	field := r.Field()
	want := t.caps.Shape.FieldSet(field)
	fresh := adapters.WithoutCache(ctx)
	dropped, err := t.Adapter.Get(fresh, from, want)
	if adapters.Is(err, adapters.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	kept, err := t.Adapter.Get(fresh, into, want)
	if err != nil {
		return err
	}
	return n.addMembers(ctx, t, kept, r, r.Keys(dropped.Get(field)))
}

// addMembers adds to a list of references what it lacks. Where the backend takes
// additions alone, the record need not hold the list.
func (n *Identities) addMembers(ctx context.Context, t *target, rec adapters.Record, r *rules.Rule, members []string) error {
	field := r.Field()
	have := r.Keys(rec.Get(field))
	missing := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return slices.Contains(have, m) })
	if len(missing) == 0 {
		return nil
	}
	var d adapters.Delta
	if f, _ := t.caps.Field(field); f.Delta {
		d.Members = []adapters.MemberChange{{Field: field, Add: missing}}
	} else {
		whole, err := r.Hold(append(slices.Clone(have), missing...))
		if err != nil {
			return err
		}
		d.Before, d.After = rec, rec.Clone()
		d.After.Set(field, whole)
		d.Set = []adapters.Change{{Field: field, Old: rec.Get(field), New: whole}}
	}
	_, err := t.Adapter.Update(ctx, rec.Key, d, t.scope.Want)
	t.recall.forget(rec.Key)
	return ignore(adapters.NotFound, err) // gone meanwhile, with all its members
}

// repoint makes whoever refers to one record alone, as to a manager, refer to
// another.
func (n *Identities) repoint(ctx context.Context, t *target, from, into adapters.Key) error {
	for _, owner := range n.targets {
		for _, r := range owner.Mapping.Rules() {
			if typ, list := r.Refers(); typ != t.name || list || !r.Writable() {
				continue
			}
			field := r.Field()
			err := n.referring(ctx, owner, r, from, func(rec adapters.Record) error {
				to := any(string(into))
				if rec.Key == into {
					to = nil // nobody is their own manager
				}
				d := adapters.Delta{Before: rec, After: rec.Clone(), Set: []adapters.Change{{Field: field, Old: rec.Get(field), New: to}}}
				d.After.Set(field, to)
				_, err := owner.Adapter.Update(ctx, rec.Key, d, owner.scope.Want)
				owner.recall.forget(rec.Key)
				return ignore(adapters.NotFound, err)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func ignore(k adapters.Kind, err error) error {
	if adapters.Is(err, k) {
		return nil
	}
	return err
}

// referring calls f with the records whose field refers to a key. They hold that
// field, unless it takes additions alone. All are found before the first is
// changed, so that no page is skipped.
func (n *Identities) referring(ctx context.Context, t *target, r *rules.Rule, key adapters.Key, f func(adapters.Record) error) error {
	field := r.Field()
	q := adapters.Query{Want: t.caps.Shape.FieldSet(field), Limit: scanChunk}
	can, _ := t.caps.Field(field)
	asked := can.Filter[filter.Exact].Has(filter.Eq) && !r.Joined()
	if asked {
		q.Filter = &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(string(key))}
		if can.Delta {
			q.Want = adapters.Fields{}
		}
	}
	var found []adapters.Record
	err := t.pages(adapters.WithoutCache(ctx), q, func(pg adapters.Page, _ string) error {
		for _, rec := range pg.Records {
			if asked || slices.Contains(r.Keys(rec.Get(field)), string(key)) {
				found = append(found, rec)
			}
		}
		return nil
	})
	for i := 0; i < len(found) && err == nil; i++ {
		err = f(found[i])
	}
	return err
}
