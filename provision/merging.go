package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// What a merge does with the records that it drops.
const (
	RecordKeep       = "keep"
	RecordDeactivate = "deactivate"
	RecordDelete     = "delete"
)

// A MergeOrder says which identities become one.
type MergeOrder struct {
	Keep        string   // its ids stay the ones that are sent
	Drop        []string // all they have goes to Keep
	Record      string   // of the dropped ones, in the backend; "" is RecordKeep
	Memberships bool     // the record kept becomes a member where a dropped one is
	Reason      identity.Reason
}

// A Merged is what a merge did, or with DryRun would do. The table changes first,
// in one transaction that also notes what there is to do in the backends: a step
// that failed is in Failed, stays open, and is tried again by Work.
type Merged struct {
	Move   identity.Move   `json:"move"` // without number where only open steps were done
	Tasks  []identity.Task `json:"tasks"`
	Failed []identity.Task `json:"failed"`
}

// Merge makes one identity of several. Merging again what is one already does the
// steps that are still open.
func (n *Identities) Merge(ctx context.Context, o MergeOrder) (Merged, error) {
	if err := reasoned(o.Reason); err != nil {
		return Merged{}, err
	}
	kinds, err := n.steps(ctx, o)
	if err != nil {
		return Merged{}, err
	}
	m, tasks, err := n.ids.MergeThen(ctx, n.tenant, o.Keep, o.Drop, kinds, o.Reason)
	if errors.Is(err, identity.ErrConflict) && !o.Reason.DryRun {
		if again, open := n.unfinished(ctx, o); open {
			return again, nil
		}
	}
	out := Merged{Move: m, Tasks: tasks}
	if err != nil || o.Reason.DryRun {
		return out, n.explain(ctx, err)
	}
	n.log.InfoContext(ctx, "identities merged", "move", m.Nr, "identity", m.After[0].ID, "of", len(m.Before), "by", o.Reason.Who)
	out.Failed = n.work(ctx, tasks)
	return out, nil
}

// steps are the kinds of task that an order asks for, in the order in which they
// must be done.
func (n *Identities) steps(ctx context.Context, o MergeOrder) (kinds []string, err error) {
	if o.Memberships {
		kinds = append(kinds, identity.TaskMemberships)
	}
	switch o.Record {
	case "", RecordKeep:
	case RecordDeactivate:
		kinds = append(kinds, identity.TaskDeactivate)
	case RecordDelete:
		if o.Memberships {
			kinds = append(kinds, identity.TaskReferences)
		}
		kinds = append(kinds, identity.TaskDelete)
	default:
		return nil, scim.Errorf(400, "", "The dropped record cannot be treated like %q; possible are: %s, %s, %s.", o.Record,
			RecordKeep, RecordDeactivate, RecordDelete)
	}
	if len(kinds) == 0 {
		return nil, nil
	}
	it, err := n.Show(ctx, o.Keep)
	if err != nil {
		return nil, err
	}
	t, err := n.targetOf(it.Type)
	if err != nil {
		return nil, err
	}
	switch {
	case slices.Contains(kinds, identity.TaskDelete) && t.caps.NoDelete:
		return nil, scim.Errorf(400, "", "The backend %s lets nobody delete a %s: choose %s or %s.", t.Backend, t.name, RecordKeep, RecordDeactivate)
	case slices.Contains(kinds, identity.TaskDeactivate) && t.active() == nil:
		return nil, scim.Errorf(400, "", "A %s has no attribute active that could be written: choose %s or %s.", t.name, RecordKeep, RecordDelete)
	}
	return kinds, nil
}

// unfinished does the open steps of an identity that all ids of the order belong
// to; false if there are none.
func (n *Identities) unfinished(ctx context.Context, o MergeOrder) (Merged, bool) {
	var one identity.Identity
	for _, id := range append([]string{o.Keep}, o.Drop...) {
		it, err := n.ids.Show(ctx, n.tenant, id)
		if err != nil || one.ID != "" && one.ID != it.ID {
			return Merged{}, false
		}
		one = it
	}
	open, err := n.ids.Tasks(ctx, n.tenant)
	if err != nil {
		return Merged{}, false
	}
	open = slices.DeleteFunc(open, func(t identity.Task) bool { return t.Identity != one.ID })
	if len(open) == 0 {
		return Merged{}, false
	}
	out := Merged{Tasks: open, Failed: n.work(ctx, open)}
	if it, err := n.ids.Show(ctx, n.tenant, one.ID); err == nil {
		one = it
	}
	out.Move.After = []identity.Identity{one}
	return out, true
}

// A SplitOrder says which records become identities of their own: each element of
// Into is one. A record is one of the identity's, or one that nobody knows yet.
type SplitOrder struct {
	ID     string
	Into   [][]identity.IdentityLink // Backend and Key
	Reason identity.Reason
}

// Split makes new identities of records. No client sees them until they are
// released to it, or until it creates them itself.
func (n *Identities) Split(ctx context.Context, o SplitOrder) (identity.Move, error) {
	if err := reasoned(o.Reason); err != nil {
		return identity.Move{}, err
	}
	it, err := n.Show(ctx, o.ID)
	if err != nil {
		return identity.Move{}, err
	}
	into := make([][]identity.Link, len(o.Into))
	for i, group := range o.Into {
		for _, l := range group {
			into[i] = append(into[i], identity.Link{Type: it.Type, Backend: l.Backend, Key: l.Key})
		}
		if err := n.exist(ctx, it, into[i]); err != nil {
			return identity.Move{}, err
		}
	}
	m, err := n.ids.Split(ctx, n.tenant, it.ID, into, o.Reason)
	if err == nil && !o.Reason.DryRun {
		n.log.InfoContext(ctx, "identity split", "move", m.Nr, "identity", it.ID, "into", len(m.After), "by", o.Reason.Who)
	}
	return m, n.explain(ctx, err)
}

// exist sees to it that records which are not linked yet are there, so that a
// mistyped key does not become a person.
func (n *Identities) exist(ctx context.Context, it identity.Identity, links []identity.Link) error {
	var strange []adapters.Key
	for _, l := range links {
		if slices.ContainsFunc(it.Links, func(have identity.IdentityLink) bool { return have.Backend == l.Backend && have.Key == l.Key }) {
			continue
		}
		t, err := n.targetOf(it.Type)
		if err != nil {
			return err
		}
		if t.Backend != l.Backend {
			return scim.Errorf(400, "", "A %s lives in backend %s, not in %q.", it.Type, t.Backend, l.Backend)
		}
		strange = append(strange, adapters.Key(l.Key))
	}
	if len(strange) == 0 {
		return nil
	}
	t := n.targets[it.Type]
	there, err := t.present(adapters.WithoutCache(ctx), strange)
	if err != nil {
		return n.fail(ctx, t, err)
	}
	for _, k := range strange {
		if !there[k] {
			return scim.Errorf(404, "", "There is no %s that provisioning may see; create it first.", named(t.Backend, string(k)))
		}
	}
	return nil
}
