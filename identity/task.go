package identity

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// The kinds of task.
const (
	TaskMemberships = "memberships" // the record kept becomes a member where the dropped one is
	TaskReferences  = "references"  // whoever refers to the dropped record refers to the one kept
	TaskDeactivate  = "deactivate"  // the dropped record is set inactive
	TaskDelete      = "delete"      // the dropped record is removed
)

// A Task is what a merge has to do in a backend with a record that it dropped. The
// store keeps it until it is done; doing it is not the store's business.
type Task struct {
	Nr       int64  `json:"nr"` // 0 of a dry run
	Move     int64  `json:"move"`
	Kind     string `json:"kind"`
	Identity string `json:"identity"` // the one that was kept
	Type     string `json:"type"`
	Backend  string `json:"backend"`
	Key      string `json:"key"`            // of the dropped record
	Into     string `json:"into,omitempty"` // the key of the record kept
	Tries    int    `json:"tries"`
	Note     string `json:"note,omitempty"` // why it is not done

	Since time.Time `json:"since"`
	link  int64
}

// MergeThen merges as Merge does, and notes a task of each kind for every record
// that was dropped: one that its identity does not use any more, because the one
// kept has its own in that backend.
func (s *Store) MergeThen(ctx context.Context, tenant, keep string, drop, kinds []string, r Reason) (Move, []Task, error) {
	var tasks []Task
	m, err := s.moveAnd(ctx, "merge", 0, r, func(x *session) (before, after snapshot, err error) {
		return x.planMergeOf(tenant, keep, drop)
	}, func(x *session, m Move, before, after snapshot) (err error) {
		tasks, err = x.noteTasks(m, before, after, kinds)
		return err
	})
	return m, tasks, err
}

// noteTasks makes the tasks of a merge. Those that wait for an identity that is
// dropped now wait for the one kept.
func (x *session) noteTasks(m Move, before, after snapshot, kinds []string) ([]Task, error) {
	kept := after.Identities[0]
	if _, err := x.exec(qInheritTasks, kept.ID, list(before.names()[1:])); err != nil {
		return nil, err
	}
	into := map[string]string{}
	for _, l := range after.linksOf(kept.ID) {
		if l.Primary {
			into[l.Backend] = originalKey(l.Key)
		}
	}
	var tasks []Task
	for _, l := range after.linksOf(kept.ID) {
		if l.Primary || before.owner(l.Nr) == kept.ID {
			continue
		}
		for _, kind := range kinds {
			tasks = append(tasks, Task{Move: m.Nr, Kind: kind, Identity: kept.ID, Type: kept.Type, Backend: l.Backend,
				Key: originalKey(l.Key), Into: into[l.Backend], Since: micros(x.now), link: l.Nr})
		}
	}
	if m.Nr == 0 { // a dry run
		return tasks, nil
	}
	for i := range tasks {
		t := &tasks[i]
		var err error
		if t.Nr, err = x.number(qInsertTask, t.Move, kept.Tenant, t.Identity, t.link, t.Kind, x.now); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// owner answers the identity that had a link.
func (s snapshot) owner(nr int64) string {
	for _, l := range s.Links {
		if l.Nr == nr {
			return l.Identity
		}
	}
	return ""
}

// Tasks answers what is open, oldest first. What has become pointless is
// cancelled: the record is gone, or a later move made it the record of somebody.
func (s *Store) Tasks(ctx context.Context, tenant string) ([]Task, error) {
	all, dead, err := s.reading(ctx).openTasks(tenant)
	if err != nil || len(dead) == 0 {
		return all, s.fail("tasks", err)
	}
	err = s.write(ctx, "tasks", func(x *session) (err error) {
		if all, dead, err = x.openTasks(tenant); err != nil {
			return err
		}
		for _, t := range dead {
			if err := x.endTask(t.Nr, "cancelled", t.Note); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func (x *session) openTasks(tenant string) (alive, dead []Task, err error) {
	err = x.each(qTasks, []any{tenant}, func(scan func(...any) error) error {
		var t Task
		var since int64
		var owner, key, into sql.NullString
		var primary, undone bool
		if err := scan(&t.Nr, &t.Move, &t.Kind, &t.Identity, &t.Type, &t.Tries, &t.Note, &since, &t.link,
			&owner, &t.Backend, &key, &primary, &into, &undone); err != nil {
			return err
		}
		t.Since, t.Key, t.Into = micros(since), originalKey(key.String), originalKey(into.String)
		switch {
		case !owner.Valid:
			t.Note = "the record is gone"
		case undone:
			t.Note = "the merge was undone"
		case primary, owner.String != t.Identity:
			t.Note = "a later move made the record that of another identity"
		default:
			alive = append(alive, t)
			return nil
		}
		dead = append(dead, t)
		return nil
	})
	return alive, dead, err
}

// TaskDone closes a task.
func (s *Store) TaskDone(ctx context.Context, nr int64) error {
	return s.write(ctx, "task done", func(x *session) error { return x.endTask(nr, "done", "") })
}

func (x *session) endTask(nr int64, state, note string) error {
	_, err := x.exec(qEndTask, nr, state, note, x.now)
	return err
}

// TaskFailed notes that a try failed, and why. The note must hold no values.
func (s *Store) TaskFailed(ctx context.Context, nr int64, note string) error {
	return s.write(ctx, "task failed", func(x *session) error { return known(x.exec(qFailTask, nr, note)) })
}

// planMergeOf looks the identities of a merge up and plans it.
func (x *session) planMergeOf(tenant, keep string, drop []string) (before, after snapshot, err error) {
	var names []string
	for _, id := range append([]string{keep}, drop...) {
		name, err := x.ref(tenant, id)
		if err != nil {
			return before, after, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		return before, after, fmt.Errorf("%w: all the ids belong to one identity already", ErrConflict)
	}
	if before, err = x.load(names); err != nil {
		return before, after, err
	}
	for _, row := range before.Identities {
		if row.Type != before.Identities[0].Type {
			return before, after, fmt.Errorf("%w: a %s and a %s cannot be one", ErrConflict, before.Identities[0].Type, row.Type)
		}
	}
	return before, planMerge(before), nil
}
