package provision_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"log/slog"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/route"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// newPlaces is a rig whose users live in two places: r.users is the target, and away
// the other one.
func newPlaces(t *testing.T, m provision.Moving, now func() time.Time) (r *rig, away *probe) {
	t.Helper()
	r = &rig{t: t}
	var err error
	if r.ids, err = identity.Open(context.Background(), filepath.Join(t.TempDir(), "ids.db"), identity.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.ids.Close() })
	user := compile(t, rules.Input{Name: "User", Endpoint: "/Users", Schema: builtin(scim.UserSchema), Key: []rules.Text{at("no")},
		Places: []rules.Place{{Name: at("away"), When: at(`resource.userType == "Guest"`)}},
		Attributes: []rules.Spec{rename("userName", "login"), rename("displayName", "shown"), rename("userType", "kind"),
			{Path: at("nickName"), Kept: true},
			{Path: at("active"), Field: at("status"), Values: []rules.Coded{{Backend: at("A"), SCIM: at("true")}, {Backend: at("L"), SCIM: at("false")}}, Default: &rules.Text{Value: "true"}}}})
	place := func() *probe {
		o := memory.Options{Fields: []memory.Field{{Name: "login"}, {Name: "shown"}, {Name: "kind"}, {Name: "status"}}, GivenKeys: true,
			Restrict: []func(*adapters.Capabilities){func(c *adapters.Capabilities) { c.GivenKeys = false }}}
		return &probe{Adapter: &marked{Adapter: memory.New(o)}}
	}
	r.users, away, r.User = place(), place(), user.Type
	both := route.New(user.Shape(), route.Place{Adapter: r.users}, route.Place{Name: "away", Adapter: away})
	r.svc = provision.New(provision.Options{IDs: r.ids, Scan: 1000, Log: slog.New(slog.DiscardHandler), Recall: -1,
		Targets: []provision.Target{{Mapping: user, Adapter: both, Backend: "hr", Alone: true, Moving: m}}})
	return r, away
}

const toAway = `{"op":"replace","value":{"userType":"Guest","displayName":"Moved","nickName":"N"}}`

// holds is how many records a place has.
func (p *probe) holds(t *testing.T, n int) {
	t.Helper()
	pg, err := p.Adapter.List(t.Context(), adapters.Query{Total: true})
	if err != nil || pg.Total != n {
		t.Errorf("%d records, want %d (%v)", pg.Total, n, err)
	}
}

// TestMoveSeen: who lists while a record is on its way sees it once, under its id.
func TestMoveSeen(t *testing.T) {
	r, away := newPlaces(t, provision.Moving{}, nil)
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	r.user(`{"userName":"bob","userType":"Guest"}`)
	looked := 0
	away.hook(nil, func(op string) {
		if op != "create" {
			return
		}
		looked++
		for _, filter := range []string{"", `userName pr`, `userName eq "ann"`, `displayName co "o" or userName pr`} {
			want := 2
			if filter == `userName eq "ann"` {
				want = 1
			}
			if l := r.list(r.call(r.User, as("okta")), filter); l.Total != want || len(l.Resources) != want {
				t.Errorf("%q: %d of %d", filter, len(l.Resources), l.Total)
			}
		}
		if l := r.list(r.call(r.User, attributes("active")), ""); len(l.Resources) != 1 && len(l.Resources) != 2 || l.Total != len(l.Resources) {
			t.Errorf("without names: %d of %d", len(l.Resources), l.Total) // who is on the way cannot be told from others there
		}
	})
	r.patch(c, id, toAway)
	away.hook(nil, nil)
	equal(t, "looked", looked, 1)
	for _, client := range []string{"entra", "okta"} {
		equal(t, client, r.list(r.call(r.User, as(client)), "").Total, 2)
	}
	ids, err := r.ids.List(t.Context(), "", "", "", 100)
	equal(t, "identities", len(ids), 2)
	equal(t, "listing", err, nil)
	r.users.holds(t, 0)
}

// TestMoveWithoutAnswer: a place that gave no answer is asked, and a move that did not
// begin leaves everything as it was.
func TestMoveWithoutAnswer(t *testing.T) {
	var later atomic.Bool
	r, away := newPlaces(t, provision.Moving{}, func() time.Time {
		if later.Load() {
			return time.Now().Add(time.Minute)
		}
		return time.Now()
	})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	quiet := &silent{Adapter: away.Adapter, op: "create", does: true}
	away.Adapter = quiet
	res := r.patch(c, id, toAway)
	equal(t, "id", res.ID(), id)
	equal(t, "nickName", value(t, c, r.get(c, id), "nickName"), any("N"))
	r.left(0)
	r.users.holds(t, 0)

	bob := r.user(`{"userName":"bob"}`)
	quiet.does = false
	_, err := r.tryPatch(c, bob, toAway)
	equal(t, "no answer", status(err), 503)
	equal(t, "where it was", value(t, c, r.get(c, bob), "displayName"), any(nil))
	_, err = r.tryPatch(c, bob, `{"op":"replace","path":"displayName","value":"B"}`)
	equal(t, "a change must wait", status(err), 503)
	equal(t, "and so must its end", status(r.svc.Delete(t.Context(), c, bob)), 503)
	quiet.op = ""
	later.Store(true)
	r.patch(c, bob, `{"op":"replace","path":"displayName","value":"B"}`)
	r.left(0)
	r.users.holds(t, 1)
	r.patch(c, bob, toAway)
	r.users.holds(t, 0)
	away.holds(t, 2)
}

// TestMoveLate: the record came after all, and the next start finds it.
func TestMoveLate(t *testing.T) {
	r, away := newPlaces(t, provision.Moving{}, nil)
	c := r.call(r.User)
	id := r.user(`{"userName":"ann","externalId":"E"}`)
	inner := away.Adapter
	var late adapters.Record
	away.Adapter = &delayed{Adapter: inner, got: &late}
	_, err := r.tryPatch(c, id, toAway)
	equal(t, "no answer", status(err), 503)
	away.Adapter = inner
	if _, err := inner.Create(t.Context(), late, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	equal(t, "listed", r.list(r.call(r.User, as("okta")), "").Total, 1)
	if done, left, err := r.admin().Resume(t.Context()); done != 1 || left != 0 || err != nil {
		t.Fatal(done, left, err)
	}
	got := r.get(c, id)
	equal(t, "displayName", value(t, c, got, "displayName"), any("Moved"))
	equal(t, "nickName", value(t, c, got, "nickName"), any("N"))
	equal(t, "externalId", value(t, c, got, "externalId"), any("E"))
	r.users.holds(t, 0)
	away.holds(t, 1)
}

// delayed keeps what is to be created, and gives no answer.
type delayed struct {
	adapters.Adapter
	got *adapters.Record
}

func (d *delayed) Create(_ context.Context, rec adapters.Record, _ adapters.Fields) (adapters.Record, error) {
	*d.got = rec
	return adapters.Record{}, &adapters.Error{Kind: adapters.Unavailable, Op: "create", Err: errors.New("late"), Unsure: true}
}

// TestMoveBack: what was left behind is used again, also if it had no answer, and is
// made anew if it is gone.
func TestMoveBack(t *testing.T) {
	r, away := newPlaces(t, provision.Moving{Left: provision.RecordDeactivate}, nil)
	c := r.call(r.User)
	back := func() *scim.Resource {
		return r.patch(c, r.list(c, "").Resources[0].ID(), `{"op":"replace","path":"userType","value":"Own"}`)
	}
	id := r.user(`{"userName":"ann","userType":"Own"}`)
	r.patch(c, id, toAway)
	quiet := &silent{Adapter: r.users.Adapter, op: "update", does: true}
	r.users.Adapter = quiet
	equal(t, "displayName", value(t, c, back(), "displayName"), any("Moved"))
	quiet.op = ""
	r.users.holds(t, 1)
	away.holds(t, 1)
	r.patch(c, id, toAway)
	pg, err := r.users.Adapter.List(t.Context(), adapters.Query{Limit: 10, Want: adapters.AllFields})
	if err != nil || len(pg.Records) != 1 || pg.Records[0].Get("status") != "L" {
		t.Fatalf("%+v %v", pg.Records, err)
	}
	if err := r.users.Adapter.Delete(t.Context(), pg.Records[0].Key); err != nil {
		t.Fatal(err)
	}
	equal(t, "active", value(t, c, back(), "active"), any(true))
	equal(t, "id", r.list(c, "").Resources[0].ID(), id)
	r.users.holds(t, 1)
	equal(t, "delete", r.svc.Delete(t.Context(), c, id), nil)
	r.users.holds(t, 0)
	away.holds(t, 0)
	r.left(0)
}

// TestMoveAndMerge: a merge knows the record that a move has left.
func TestMoveAndMerge(t *testing.T) {
	r, away := newPlaces(t, provision.Moving{Left: provision.RecordKeep}, nil)
	c := r.call(r.User)
	ann, bob := r.user(`{"userName":"ann"}`), r.user(`{"userName":"bob"}`)
	r.patch(c, ann, toAway)
	if _, err := r.admin().Merge(t.Context(), provision.MergeOrder{Keep: bob, Drop: []string{ann}, Reason: identity.Reason{Who: "me", Why: "test"}}); err != nil {
		t.Fatal(err)
	}
	equal(t, "listed", r.list(c, "").Total, 1)
	r.patch(c, bob, toAway)
	equal(t, "listed", r.list(c, "").Total, 1)
	equal(t, "name", value(t, c, r.get(c, bob), "userName"), any("bob"))
	away.holds(t, 2) // what was merged is kept as it was
	equal(t, "delete", r.svc.Delete(t.Context(), c, bob), nil)
	r.users.holds(t, 0)
	away.holds(t, 0)
}

// TestMoveTried: a client that only tries changes nothing.
func TestMoveTried(t *testing.T) {
	r, away := newPlaces(t, provision.Moving{}, nil)
	id := r.user(`{"userName":"ann"}`)
	c := r.call(r.User, func(c *provision.Call) { c.Caller.Access, c.Pretence = provision.Trying, &provision.Pretence{} })
	res := r.patch(c, id, toAway)
	equal(t, "as it would be", value(t, c, res, "displayName"), any("Moved"))
	r.users.holds(t, 1)
	away.holds(t, 0)
	r.left(0)
}
