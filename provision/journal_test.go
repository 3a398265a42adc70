package provision_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// silent makes an operation of the users' backend have no answer: done or not.
type silent struct {
	adapters.Adapter
	op   string
	does bool
}

func (s *silent) answer(op string, err error, do func() error) error {
	if s.op != op {
		return do()
	}
	if s.does {
		_ = do()
	}
	return &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: err, Unsure: true}
}

func (s *silent) Create(ctx context.Context, in adapters.Record, w adapters.Fields) (r adapters.Record, err error) {
	err = s.answer("create", context.DeadlineExceeded, func() error { r, err = s.Adapter.Create(ctx, in, w); return err })
	return r, err
}

func (s *silent) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (r adapters.Record, err error) {
	err = s.answer("update", context.DeadlineExceeded, func() error { r, err = s.Adapter.Update(ctx, k, d, w); return err })
	return r, err
}

func (s *silent) Delete(ctx context.Context, k adapters.Key) error {
	return s.answer("delete", context.DeadlineExceeded, func() error { return s.Adapter.Delete(ctx, k) })
}

func (r *rig) silence(op string, does bool) {
	if s, ok := r.users.Adapter.(*silent); ok {
		s.op, s.does = op, does
		return
	}
	r.users.Adapter = &silent{Adapter: r.users.Adapter, op: op, does: does}
}

func status(err error) int {
	var se *scim.Error
	if errors.As(err, &se) {
		return se.Status
	}
	return 0
}

func (r *rig) left(n int) []identity.Intent {
	r.t.Helper()
	all, err := r.admin().Journal(r.t.Context())
	if err != nil || len(all) != n {
		r.t.Fatalf("the journal holds %d entries, want %d: %+v %v", len(all), n, all, err)
	}
	return all
}

// ago is what the mapping table takes for the time: all intents are old.
func ago() time.Time { return time.Now().Add(-time.Minute) }

// TestCreateWithoutAnswer: a create that had no answer is looked up, and not
// repeated before it is sure that it was not done.
func TestCreateWithoutAnswer(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	r.silence("create", true)
	made := r.create(c, `{"userName":"Ann","externalId":"E1"}`)
	equal(t, "externalId", value(t, c, made, "externalId"), any("E1"))
	equal(t, "get", text(c, r.get(c, made.ID())), text(c, made))
	r.left(0)

	r.silence("create", false)
	_, err := r.tryCreate(c, `{"userName":"Bob"}`)
	equal(t, "no answer", status(err), 503)
	equal(t, "state", r.left(1)[0].State, identity.IntentWaiting)
	r.silence("", false)
	_, err = r.tryCreate(c, `{"userName":"bob"}`)
	equal(t, "again", status(err), 503)
	r.user(`{"userName":"carl"}`) // nobody else waits
	key := r.raw(map[string]any{"login": "bob", "status": "A"})
	if done, left, err := r.admin().Resume(t.Context()); done != 1 || left != 0 || err != nil {
		t.Fatal(done, left, err) // the backend was late
	}
	r.left(0)
	if _, err = r.tryCreate(c, `{"userName":"bob"}`); status(err) != 409 {
		t.Fatal(err)
	}
	if _, known := r.known("entra", key); !known {
		t.Error("the record has no id")
	}
}

// TestCreateRepeated: what the backend did not do for long enough may be repeated.
func TestCreateRepeated(t *testing.T) {
	var later atomic.Bool
	r := newRig(t, settings{now: func() time.Time {
		if later.Load() {
			return time.Now()
		}
		return ago()
	}})
	c := r.call(r.User)
	r.silence("create", false)
	_, err := r.tryCreate(c, `{"userName":"bob"}`)
	equal(t, "no answer", status(err), 503)
	r.left(1)
	later.Store(true)
	r.silence("", false)
	r.create(c, `{"userName":"bob"}`)
	r.left(0)
}

// TestChangeBeforeCreateIsEntered: what somebody has set or taken away meanwhile a create
// that was left behind does not bring back.
func TestChangeBeforeCreateIsEntered(t *testing.T) {
	for _, x := range []struct {
		what, sent string
		patch      bool
		want       any
	}{
		{"sets it", `{"userName":"bob","externalId":"E2"}`, false, "E2"},
		{"takes it away", `{"userName":"bob"}`, false, nil},
		{"patches it", `{"op":"replace","path":"externalId","value":"E3"}`, true, "E3"},
		{"patches something else", `{"op":"replace","path":"title","value":"T"}`, true, "E1"},
	} {
		t.Run(x.what, func(t *testing.T) {
			r := newRig(t, settings{})
			c := r.call(r.User)
			r.silence("create", false)
			_, err := r.tryCreate(c, `{"userName":"bob","externalId":"E1"}`)
			equal(t, "no answer", status(err), 503)
			r.silence("", false)
			r.raw(map[string]any{"login": "bob", "status": "A"}) // the backend was late
			seen := r.list(c, "").Resources[0]
			equal(t, "not entered yet", value(t, c, seen, "externalId"), any(nil))
			if x.patch {
				r.patch(c, seen.ID(), "%s", x.sent)
			} else if _, err := r.tryReplace(c, seen.ID(), x.sent); err != nil {
				t.Fatal(err)
			}
			if _, left, err := r.admin().Resume(t.Context()); left != 0 || err != nil {
				t.Fatal(left, err)
			}
			r.left(0)
			equal(t, "externalId", value(t, c, r.get(c, seen.ID()), "externalId"), x.want)
		})
	}
}

// TestDeleteWithoutAnswer: a delete that had no answer is finished.
func TestDeleteWithoutAnswer(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	a, b := r.user(`{"userName":"a"}`), r.user(`{"userName":"b"}`)
	r.silence("delete", true)
	equal(t, "no answer", status(r.svc.Delete(t.Context(), c, a)), 503)
	r.silence("delete", false)
	equal(t, "no answer", status(r.svc.Delete(t.Context(), c, b)), 503)
	r.left(2)
	r.silence("", false)
	if done, left, err := r.admin().Resume(t.Context()); done != 1 || left != 1 || err != nil {
		t.Fatal(done, left, err)
	}
	equal(t, "open", r.left(1)[0].Note, "the backend may still do it")
	r.get(c, b)
	if found, _ := r.ids.Resolve(t.Context(), identity.Domain{Client: "entra"}, "", []string{a}); found[0].ID != "" {
		t.Error("the id of who was deleted lives")
	}
}

// TestRenameWithoutAnswer: an id follows its record to the key that it has by then.
func TestRenameWithoutAnswer(t *testing.T) {
	r := newRig(t, settings{fromName: true})
	c := r.call(r.User)
	a := r.user(`{"userName":"a"}`)
	r.silence("update", true)
	_, err := r.tryPatch(c, a, `{"op":"replace","path":"userName","value":"b"}`)
	equal(t, "no answer", status(err), 503)
	r.left(1)
	r.silence("", false)
	if done, _, err := r.admin().Resume(t.Context()); done != 1 || err != nil {
		t.Fatal(done, err)
	}
	equal(t, "name", value(t, c, r.get(c, a), "userName"), any("b"))
	r.left(0)
}

// TestPoison: what cannot be settled stands in nobody's way, and can be given up.
func TestPoison(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	r.silence("create", false)
	for _, name := range []string{"ann", "bob"} {
		_, err := r.tryCreate(c, `{"userName":"`+name+`"}`)
		equal(t, "no answer", status(err), 503)
	}
	r.silence("", false)
	for range 2 {
		r.raw(map[string]any{"login": "ann", "status": "A"})
	}
	r.raw(map[string]any{"login": "bob", "status": "A"})
	if done, left, err := r.admin().Resume(t.Context()); done != 1 || left != 1 || err != nil {
		t.Fatal(done, left, err)
	}
	in := r.left(1)[0]
	equal(t, "note", in.Note, "several new records could be the one")
	equal(t, "state", in.State, identity.IntentStuck)
	if done, left, err := r.admin().Resume(t.Context()); done+left != 0 || err != nil {
		t.Error("tried by itself again", err)
	}
	if settled, err := r.admin().Retry(t.Context(), in.Nr); settled || status(err) != 409 {
		t.Error(settled, err)
	}
	equal(t, "no reason", status(r.admin().GiveUp(t.Context(), in.Nr, identity.Reason{})), 400)
	if err := r.admin().GiveUp(t.Context(), in.Nr, because()); err != nil {
		t.Fatal(err)
	}
	r.left(0)
	equal(t, "unknown", status(r.admin().GiveUp(t.Context(), in.Nr, because())), 404)
}
