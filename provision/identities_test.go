package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

func because() identity.Reason { return identity.Reason{Who: "a test", Why: "because"} }

func dry() identity.Reason { return identity.Reason{Who: "a test", DryRun: true} }

func policy(p provision.Secondary) func(*provision.Call) {
	return func(c *provision.Call) { c.Caller.Secondary = p }
}

// admin is the administrator of a rig whose clients are entra and okta.
func (r *rig) admin() *provision.Identities {
	return r.svc.Identities("", []provision.Caller{{Client: "entra"}, {Client: "okta"}})
}

// idOf is how a client knows what entra knows by id.
func (r *rig) idOf(client, id string) string {
	r.t.Helper()
	e, err := r.ids.Ensure(context.Background(), identity.Domain{Client: client}, []identity.Link{{Type: "User", Backend: "hr", Key: string(r.keyOf(id))}})
	if err != nil {
		r.t.Fatal(err)
	}
	return e[0].ID
}

func (r *rig) merge(o provision.MergeOrder) provision.Merged {
	r.t.Helper()
	if o.Reason == (identity.Reason{}) {
		o.Reason = because()
	}
	m, err := r.admin().Merge(context.Background(), o)
	if err != nil {
		r.t.Fatalf("merge: %v", err)
	}
	return m
}

func (r *rig) record(key adapters.Key) (adapters.Record, bool) {
	r.t.Helper()
	rec, err := r.users.Adapter.Get(context.Background(), key, adapters.AllFields)
	if err != nil && !adapters.Is(err, adapters.NotFound) {
		r.t.Fatal(err)
	}
	return rec, err == nil
}

// TestSecondaryPolicies is what a client gets on an id that a merge made
// superfluous (GW-02, GW-10).
func TestSecondaryPolicies(t *testing.T) {
	change := `{"op":"replace","path":"title","value":"Dr"}`
	whole := `{"userName":"ada","title":"Dr"}`
	operations := map[string]func(*rig, provision.Call, string) (string, error){
		"get": func(r *rig, c provision.Call, id string) (string, error) {
			res, err := r.svc.Get(context.Background(), c, id)
			return idIf(res), err
		},
		"patch": func(r *rig, c provision.Call, id string) (string, error) {
			res, err := r.tryPatch(c, id, change)
			return idIf(res), err
		},
		"replace": func(r *rig, c provision.Call, id string) (string, error) {
			res, err := r.tryReplace(c, id, whole)
			return idIf(res), err
		},
	}
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, settings{})
			keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
			r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
			id, err := do(r, r.call(r.User), drop)
			if err != nil || id != keep {
				t.Errorf("GW-02 follow: id %q, %v, want %q", id, err, keep)
			}
			_, err = do(r, r.call(r.User, policy(provision.Redirect)), drop)
			if e := refused(t, "GW-10 redirect", err, 308, ""); e.Location != base+"/Users/"+keep {
				t.Errorf("GW-10: redirected to %q", e.Location)
			}
			_, err = do(r, r.call(r.User, policy(provision.Gone)), drop)
			refused(t, "GW-10 gone", err, 404, "")
			for _, p := range []provision.Secondary{provision.Follow, provision.Redirect, provision.Gone} {
				if id, err := do(r, r.call(r.User, policy(p)), keep); err != nil || id != keep {
					t.Errorf("by the id that stays, policy %d: %q, %v", p, id, err)
				}
			}
		})
	}
}

func idIf(r *scim.Resource) string {
	if r == nil {
		return ""
	}
	return r.ID()
}

// TestDeleteAcknowledges: whatever the policy, a DELETE by a secondary id is about
// the id, and one by the primary id about the person (GW-06).
func TestDeleteAcknowledges(t *testing.T) {
	for _, p := range []provision.Secondary{provision.Follow, provision.Redirect, provision.Gone} {
		r := newRig(t, settings{})
		ctx := context.Background()
		keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
		first, second := r.keyOf(keep), r.keyOf(drop)
		r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
		waiting, err := r.admin().Pending(ctx, "entra", time.Now().Add(time.Minute))
		if err != nil || len(waiting) != 1 || waiting[0].ID != drop || waiting[0].Primary != keep {
			t.Fatalf("pending: %+v, %v", waiting, err)
		}
		c := r.call(r.User, policy(p))
		if err := r.svc.Delete(ctx, c, drop); err != nil {
			t.Fatalf("GW-06, policy %d: %v", p, err)
		}
		if _, ok := r.record(second); !ok {
			t.Error("GW-06: the account went with the id")
		}
		refused(t, "GW-06: a second acknowledgement", r.svc.Delete(ctx, c, drop), 404, "")
		if waiting, _ = r.admin().Pending(ctx, "", time.Now().Add(time.Minute)); len(waiting) != 0 {
			t.Errorf("still pending: %+v", waiting)
		}
		if err := r.svc.Delete(ctx, c, keep); err != nil {
			t.Fatal(err)
		}
		for _, k := range []adapters.Key{first, second} {
			if _, ok := r.record(k); ok {
				t.Errorf("delete goes to all records; %s is left", k)
			}
		}
	}
}

// TestMergedReferences: what clients hold keeps working, by either id and in both
// directions (GW-09).
func TestMergedReferences(t *testing.T) {
	for _, p := range []provision.Secondary{provision.Follow, provision.Redirect, provision.Gone} {
		r := newRig(t, settings{})
		keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
		report := r.user(`{"userName":"cid","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}}`, drop)
		g := r.group(`{"displayName":"g","members":[{"value":%q}]}`, drop)
		r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
		c, cg := r.call(r.User, policy(p)), r.call(r.Group, policy(p))

		equal(t, "GW-09 members after a merge", members(t, cg, r.get(cg, g), "members"), []string{keep})
		if m := value(t, c, r.get(c, report), scim.EnterpriseUserSchema, "manager", "value"); m != keep {
			t.Errorf("GW-09 manager %v, want %s", m, keep)
		}
		for _, id := range []string{keep, drop} {
			equal(t, "GW-09 filter by manager "+id, ids(r.list(c, fmt.Sprintf(`%s:manager.value eq %q`, scim.EnterpriseUserSchema, id))), []string{report})
			equal(t, "GW-09 filter by member "+id, ids(r.list(cg, fmt.Sprintf(`members.value eq %q`, id))), []string{g})
		}
		r.patch(cg, g, `{"op":"remove","path":"members[value eq \"%s\"]"}`, drop)
		equal(t, "GW-09 removed by the secondary id", members(t, cg, r.get(cg, g), "members"), []string{})
		r.patch(cg, g, `{"op":"add","path":"members","value":[{"value":%q}]}`, drop)
		equal(t, "GW-09 added by the secondary id", members(t, cg, r.get(cg, g), "members"), []string{keep})
		r.patch(c, report, `{"op":"replace","path":"%s:manager.value","value":%q}`, scim.EnterpriseUserSchema, drop)
		if m := value(t, c, r.get(c, report), scim.EnterpriseUserSchema, "manager", "value"); m != keep {
			t.Errorf("GW-09 manager set by the secondary id: %v", m)
		}
	}
}

func TestMergedIsListedOnce(t *testing.T) {
	r := newRig(t, settings{})
	keep, drop, other := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`), r.user(`{"userName":"cid"}`)
	r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
	c := r.call(r.User)
	l := r.list(c, "")
	equal(t, "GW-02 list", sorted(ids(l)...), sorted(keep, other))
	equal(t, "GW-02 total", l.Total, 2)
	equal(t, "GW-02 page", r.list(c, "", page(1, 1)).Total, 2)
	equal(t, "by a secondary id", ids(r.list(c, fmt.Sprintf("id eq %q", drop))), []string{keep})
	equal(t, "by a secondary id that is gone for this client", ids(r.list(r.call(r.User, policy(provision.Gone)), fmt.Sprintf("id eq %q", drop))), []string{})
}

// TestRepeatedSecondaryID: a PATCH may repeat the id that it was sent to, and the
// whole resource as the client knows it.
func TestRepeatedSecondaryID(t *testing.T) {
	r := newRig(t, settings{})
	keep, drop, other := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`), r.user(`{"userName":"cid"}`)
	r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
	c := r.call(r.User)
	if res := r.patch(c, drop, `{"op":"replace","value":{"id":%q,"title":"Dr"}}`, drop); res.ID() != keep || value(t, c, res, "title") != "Dr" {
		t.Errorf("%s", text(c, res))
	}
	if loc := value(t, c, r.get(c, drop), "meta", "location"); loc != base+"/Users/"+keep {
		t.Errorf("location %v", loc)
	}
	for _, wrong := range []string{other, "nobody"} {
		_, err := r.tryPatch(c, drop, fmt.Sprintf(`{"op":"replace","value":{"id":%q,"title":"Dr"}}`, wrong))
		refused(t, "P-30 another id", err, 400, scim.Mutability)
	}
	// A change of members by a secondary id answers with the id that stays.
	g1, g2 := r.group(`{"displayName":"g1"}`), r.group(`{"displayName":"g2"}`)
	r.merge(provision.MergeOrder{Keep: g1, Drop: []string{g2}})
	if res := r.patch(r.call(r.Group), g2, `{"op":"add","path":"members","value":[{"value":%q}]}`, other); res == nil || res.ID() != g1 {
		t.Errorf("members by a secondary id: answer %v", res)
	}
}

// TestDisableGoesToAll: an identity with two records in one backend is not
// disabled as long as one of them can log in (section 7 of the design).
func TestDisableGoesToAll(t *testing.T) {
	r := newRig(t, settings{})
	keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
	second := r.keyOf(drop)
	r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
	r.patch(r.call(r.User), keep, `{"op":"replace","path":"title","value":"Dr"}`)
	if rec, _ := r.record(second); rec.Get("status") != "A" || rec.Get("title") != nil {
		t.Errorf("writes go to the primary record alone: %v", rec.Values())
	}
	r.patch(r.call(r.User), drop, `{"op":"replace","path":"active","value":false}`)
	for _, k := range []adapters.Key{r.keyOf(keep), second} {
		if rec, _ := r.record(k); rec.Get("status") != "L" {
			t.Errorf("record %s is still %v", k, rec.Get("status"))
		}
	}
	r.patch(r.call(r.User), keep, `{"op":"replace","path":"active","value":true}`)
	if rec, _ := r.record(second); rec.Get("status") != "L" {
		t.Error("enabling goes to the primary record alone")
	}
}

// TestRecordsThatVanish are deleted behind our back: their ids are retired,
// and a record that gets the same key is somebody else.
func TestRecordsThatVanish(t *testing.T) {
	ctx := context.Background()
	vanish := func(r *rig, key adapters.Key) {
		t.Helper()
		if err := r.users.Adapter.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	again := func(r *rig, key adapters.Key, login string) {
		t.Helper()
		rec := adapters.FromMap(r.users.Capabilities().Shape, key, map[string]any{"login": login, "status": "A"})
		if _, err := r.users.Adapter.(*marked).Adapter.Create(ctx, rec, adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	touch := map[string]func(*rig, string) error{
		"get": func(r *rig, id string) error { _, err := r.svc.Get(ctx, r.call(r.User), id); return err },
		"replace": func(r *rig, id string) error {
			_, err := r.tryReplace(r.call(r.User), id, `{"userName":"x"}`)
			return err
		},
		"patch": func(r *rig, id string) error {
			_, err := r.tryPatch(r.call(r.User), id, `{"op":"remove","path":"title"}`)
			return err
		},
		"delete": func(r *rig, id string) error { return r.svc.Delete(ctx, r.call(r.User), id) },
	}
	for name, f := range touch {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, settings{})
			id := r.user(`{"userName":"ada"}`)
			key := r.keyOf(id)
			vanish(r, key)
			refused(t, "X-08", f(r, id), 404, "")
			again(r, key, "eve")
			refused(t, "GW-10: a stale id", f(r, id), 404, "")
			if l := r.list(r.call(r.User), ""); len(l.Resources) != 1 || l.Resources[0].ID() == id {
				t.Errorf("the new record has the old id: %v", ids(l))
			}
		})
	}
	for name, f := range touch {
		t.Run(name+" with a credential that has expired", func(t *testing.T) {
			r := newRig(t, settings{})
			id := r.user(`{"userName":"ada"}`)
			key := r.keyOf(id)
			r.users.hook(func(op string) error {
				if op == "probe" {
					return adapters.Errorf(adapters.Denied, op, secret)
				}
				return adapters.Errorf(adapters.NotFound, op, "an empty directory")
			}, nil)
			refused(t, "danger 1", f(r, id), 502, "")
			r.users.hook(nil, nil)
			if got := r.get(r.call(r.User), id); got.ID() != id || r.keyOf(id) != key {
				t.Error("danger 1: the id was given up")
			}
		})
	}
	t.Run("one of two records", func(t *testing.T) {
		for name, f := range touch {
			if name == "delete" {
				continue
			}
			r := newRig(t, settings{})
			keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
			key, second := r.keyOf(keep), r.keyOf(drop)
			r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}})
			vanish(r, key)
			if err := f(r, keep); err != nil {
				t.Errorf("%s: the identity has another record: %v", name, err)
			}
			if r.keyOf(keep) != second {
				t.Errorf("%s: the other record did not take over", name)
			}
		}
	})
}

// TestAdoption: a client that creates an identity which was split off, and that it
// cannot see, is correlated with it (GW-03).
func TestAdoption(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{})
	one := r.user(`{"userName":"ada"}`)
	key := r.raw(map[string]any{"login": "ada2", "status": "L", "nick": "Addie", "title": "Prof"})
	m, err := r.admin().Split(ctx, provision.SplitOrder{ID: one, Into: [][]identity.IdentityLink{{{Backend: "hr", Key: string(key)}}}, Reason: because()})
	if err != nil {
		t.Fatal(err)
	}
	split := m.After[len(m.After)-1].ID
	for _, c := range []provision.Call{r.call(r.User), r.call(r.User, as("okta"))} {
		if l := r.list(c, `userName eq "ada2"`); l.Total != 0 {
			t.Errorf("GW-03: %s sees the new one at split time", c.Caller.Client)
		}
	}
	c := r.call(r.User)
	res := r.create(c, `{"userName":"ADA2","externalId":"e7","title":"Dr","active":true,"name":{"givenName":"Ada"}}`)
	for path, want := range map[string]any{"userName": "ADA2", "externalId": "e7", "title": "Dr", "nickName": "Addie", "active": true} {
		if got := value(t, c, res, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if r.keyOf(res.ID()) != key {
		t.Error("GW-03: the create made a record of its own")
	}
	equal(t, "GW-03 list", sorted(ids(r.list(c, ""))...), sorted(one, res.ID()))
	equal(t, "externalId finds it", ids(r.list(c, `externalId eq "e7"`)), []string{res.ID()})
	if l := r.list(r.call(r.User, as("okta")), `userName eq "ada2"`); l.Total != 0 {
		t.Error("GW-03: another client sees it too")
	}
	moves, err := r.admin().Moves(ctx, split, 0, 10)
	if err != nil || len(moves) != 2 || moves[0].Kind != "release" || moves[0].Who != "entra" {
		t.Errorf("history: %+v, %v", moves, err)
	}
	_, err = r.tryCreate(c, `{"userName":"ada2"}`)
	refused(t, "now it is known", err, 409, scim.Uniqueness)
	_, err = r.tryCreate(r.call(r.User, as("okta")), `{"userName":"ada"}`)
	refused(t, "others are not adopted", err, 409, scim.Uniqueness)
}

func TestAdoptionFails(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{scope: `record.status != "X"`})
	one := r.user(`{"userName":"ada"}`)
	key := r.raw(map[string]any{"login": "ada2", "status": "A"})
	if _, err := r.admin().Split(ctx, provision.SplitOrder{ID: one, Into: [][]identity.IdentityLink{{{Backend: "hr", Key: string(key)}}}, Reason: because()}); err != nil {
		t.Fatal(err)
	}
	_, err := r.tryCreate(r.call(r.User), `{"userName":"ada2","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"nobody"}}}`)
	refused(t, "an unknown manager", err, 400, scim.InvalidValue)
	r.users.hook(func(op string) error {
		if op == "update" {
			return adapters.Errorf(adapters.Unavailable, op, secret)
		}
		return nil
	}, nil)
	_, err = r.tryCreate(r.call(r.User), `{"userName":"ada2","title":"Dr"}`)
	refused(t, "a backend that is down", err, 503, "")
	r.users.hook(nil, nil)
	if l := r.list(r.call(r.User), `userName eq "ada2"`); l.Total != 0 {
		t.Error("a create that failed has shown it")
	}
	if res := r.create(r.call(r.User), `{"userName":"ada2","title":"Dr"}`); r.keyOf(res.ID()) != key {
		t.Error("the second try made a record")
	}
	hidden := r.raw(map[string]any{"login": "root", "status": "X"})
	_, err = r.admin().Split(ctx, provision.SplitOrder{ID: one, Into: [][]identity.IdentityLink{{{Backend: "hr", Key: string(hidden)}}}, Reason: because()})
	refused2(t, "GW-25: a record out of scope", err, 404)
}

// refused2 checks an error for administrators, which may name keys.
func refused2(t testing.TB, what string, err error, status int) *scim.Error {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != status || e.Detail == "" || strings.Contains(e.Detail, secret) {
		t.Fatalf("%s: got %v, want %d", what, err, status)
	}
	return e
}

// TestDroppedRecords is what a merge does in the backend.
func TestDroppedRecords(t *testing.T) {
	type world struct {
		*rig
		keep, drop, group string
		from              adapters.Key
		report            adapters.Key
	}
	start := func(t *testing.T) world {
		w := world{rig: newRig(t, settings{})}
		w.keep, w.drop = w.user(`{"userName":"ada"}`), w.user(`{"userName":"bob"}`)
		w.from = w.keyOf(w.drop)
		w.report = w.keyOf(w.user(`{"userName":"cid","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}}`, w.drop))
		w.group = w.w(`{"displayName":"g","members":[{"value":%q}]}`, w.drop)
		return w
	}
	cases := []struct {
		name        string
		order       provision.MergeOrder
		gone        bool
		status      any
		member      bool // ada's own record is in the group
		steps       int
		managerLost bool
	}{
		{"keep", provision.MergeOrder{}, false, "A", false, 0, false},
		{"deactivate", provision.MergeOrder{Record: provision.RecordDeactivate}, false, "L", false, 1, false},
		{"delete", provision.MergeOrder{Record: provision.RecordDelete}, true, nil, false, 1, true},
		{"keep, with memberships", provision.MergeOrder{Memberships: true}, false, "A", true, 1, false},
		{"deactivate, with memberships", provision.MergeOrder{Record: provision.RecordDeactivate, Memberships: true}, false, "L", true, 2, false},
		{"delete, with memberships", provision.MergeOrder{Record: provision.RecordDelete, Memberships: true}, true, nil, true, 3, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := start(t)
			o := c.order
			o.Keep, o.Drop, o.Reason = w.keep, []string{w.drop}, dry()
			before := w.snapshot()
			d := w.merge(o)
			if len(d.Tasks) != c.steps || w.snapshot() != before || len(d.Move.After) != 1 || d.Move.Nr != 0 {
				t.Fatalf("dry run: %d steps, %+v", len(d.Tasks), d.Move)
			}
			if w.get(w.call(w.User), w.drop).ID() != w.drop {
				t.Fatal("a dry run merged")
			}
			o.Reason = because()
			m := w.merge(o)
			if len(m.Failed) > 0 || len(m.Tasks) != c.steps {
				t.Fatalf("%+v", m)
			}
			rec, ok := w.record(w.from)
			if ok == c.gone || ok && rec.Get("status") != c.status {
				t.Errorf("the dropped record: there %t, %v", ok, rec.Get("status"))
			}
			if c.gone {
				refused(t, "undo", w.undo(m.Move.Nr), 409, "")
			} else if err := w.undo(m.Move.Nr); err != nil {
				t.Errorf("undo: %v", err)
			} else {
				m = w.merge(o)
			}
			cg := w.call(w.Group)
			want := []string{w.keep}
			if c.gone && !c.member {
				want = []string{}
			}
			equal(t, "GW-09 members", members(t, cg, w.get(cg, w.group), "members"), want)
			list := w.members(w.group)
			equal(t, "the kept record is a member", slices.Contains(list, string(w.keyOf(w.keep))), c.member)
			boss, _ := w.record(w.report)
			if lost := boss.Get("boss") != string(w.keyOf(w.keep)) && boss.Get("boss") != string(w.from); lost {
				t.Errorf("manager %v", boss.Get("boss"))
			}
			if c.gone && c.member && boss.Get("boss") != string(w.keyOf(w.keep)) {
				t.Errorf("manager %v was not carried over", boss.Get("boss"))
			}
			if open, err := w.admin().Tasks(context.Background()); err != nil || len(open) != 0 {
				t.Errorf("open: %+v, %v", open, err)
			}
		})
	}
}

func (r *rig) w(body string, args ...any) string { return r.group(body, args...) }

func (r *rig) undo(nr int64) error {
	_, err := r.admin().Undo(context.Background(), nr, because())
	return err
}

// members are the keys that a group's record holds.
func (r *rig) members(id string) []string {
	r.t.Helper()
	rec, err := r.groups.Adapter.Get(context.Background(), r.keyOf(id), adapters.AllFields)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range rec.Shape().Names() {
		if strings.HasPrefix(name, "$") {
			list, _ := rec.Get(name).([]string)
			return list
		}
	}
	return nil
}

// TestFailedSteps: the table is merged, and what the backend refused stays open
// until it is done; nothing is done out of order.
func TestFailedSteps(t *testing.T) {
	ctx := context.Background()
	var log bytes.Buffer
	r := newRig(t, settings{log: &log})
	keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
	from := r.keyOf(drop)
	g := r.group(`{"displayName":"g","members":[{"value":%q}]}`, drop)
	r.groups.hook(func(op string) error {
		if op == "update" {
			return adapters.Errorf(adapters.Unavailable, op, secret)
		}
		return nil
	}, nil)
	o := provision.MergeOrder{Keep: keep, Drop: []string{drop}, Record: provision.RecordDelete, Memberships: true, Reason: because()}
	m := r.merge(o)
	if len(m.Failed) != 3 || m.Failed[0].Note != "the backend says: unavailable" || m.Failed[2].Kind != identity.TaskDelete {
		t.Fatalf("%+v", m.Failed)
	}
	if _, ok := r.record(from); !ok {
		t.Fatal("the record was deleted before its memberships were kept")
	}
	if id := r.get(r.call(r.User), drop).ID(); id != keep {
		t.Error("the table did not change first")
	}
	if done, failed, err := r.admin().Work(ctx); err != nil || done != 0 || len(failed) != 3 {
		t.Errorf("%d done, %+v, %v", done, failed, err)
	}
	r.groups.hook(nil, nil)
	again := r.merge(o) // the same order once more
	if len(again.Failed) != 0 || len(again.Tasks) != 3 || again.Move.After[0].ID != m.Move.After[0].ID {
		t.Fatalf("again: %+v", again)
	}
	if _, ok := r.record(from); ok {
		t.Error("the record is still there")
	}
	equal(t, "GW-09", members(t, r.call(r.Group), r.get(r.call(r.Group), g), "members"), []string{keep})
	_, err := r.admin().Merge(ctx, o)
	refused2(t, "nothing left to do", err, 409)
	if strings.Contains(log.String(), keyMark) || strings.Contains(log.String(), secret) {
		t.Errorf("log: %s", log.String())
	}
}

// TestTasksRespectScope: a record that provisioning may not see is not touched.
func TestTasksRespectScope(t *testing.T) {
	for _, kind := range []string{provision.RecordDeactivate, provision.RecordDelete} {
		r := newRig(t, settings{scope: `record.title != "builtin"`})
		keep, drop := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
		from := r.keyOf(drop)
		r.rawSet(from, "title", "builtin")
		m := r.merge(provision.MergeOrder{Keep: keep, Drop: []string{drop}, Record: kind})
		if len(m.Failed) != 1 {
			t.Fatalf("GW-25 %s: %+v", kind, m)
		}
		if rec, ok := r.record(from); !ok || rec.Get("status") != "A" {
			t.Errorf("GW-25: %s touched a record out of scope", kind)
		}
	}
}

func TestOrdersRefused(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{restrict: []func(*adapters.Capabilities){func(c *adapters.Capabilities) { c.NoDelete = true }}})
	a, b := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
	g, h := r.group(`{"displayName":"g"}`), r.group(`{"displayName":"h"}`)
	n := r.admin()
	merge := func(o provision.MergeOrder) func() error {
		return func() error { _, err := n.Merge(ctx, o); return err }
	}
	split := func(id string, r identity.Reason, links ...identity.IdentityLink) func() error {
		return func() error {
			_, err := n.Split(ctx, provision.SplitOrder{ID: id, Into: [][]identity.IdentityLink{links}, Reason: r})
			return err
		}
	}
	cases := map[string]struct {
		status int
		do     func() error
	}{
		"merge without a reason":    {400, merge(provision.MergeOrder{Keep: a, Drop: []string{b}})},
		"merge of nobody":           {404, merge(provision.MergeOrder{Keep: a, Drop: []string{"nobody"}, Reason: because()})},
		"merge with itself":         {409, merge(provision.MergeOrder{Keep: a, Drop: []string{a}, Reason: because()})},
		"merge of a user and group": {409, merge(provision.MergeOrder{Keep: a, Drop: []string{g}, Reason: because()})},
		"record: what else":         {400, merge(provision.MergeOrder{Keep: a, Drop: []string{b}, Record: "burn", Reason: because()})},
		"delete where nobody may":   {400, merge(provision.MergeOrder{Keep: a, Drop: []string{b}, Record: "delete", Reason: because()})},
		"deactivate a group":        {400, merge(provision.MergeOrder{Keep: g, Drop: []string{h}, Record: "deactivate", Reason: because()})},
		"split without a reason":    {400, split(a, identity.Reason{}, identity.IdentityLink{Backend: "hr", Key: "x"})},
		"split off nothing":         {409, split(a, because())},
		"split off a mistyped key":  {404, split(a, because(), identity.IdentityLink{Backend: "hr", Key: "x"})},
		"split off another backend": {400, split(a, because(), identity.IdentityLink{Backend: "crm", Key: "x"})},
		"split off the only record": {409, split(a, because(), identity.IdentityLink{Backend: "hr", Key: string(r.keyOf(a))})},
		"split off somebody else's": {409, split(a, because(), identity.IdentityLink{Backend: "hr", Key: string(r.keyOf(b))})},
		"release to nobody":         {400, func() error { _, err := n.Release(ctx, "nobody", a, because()); return err }},
		"undo nothing":              {404, func() error { _, err := n.Undo(ctx, 99, because()); return err }},
		"nothing to undo":           {404, func() error { _, err := n.Last(ctx, a); return err }},
		"show nobody":               {404, func() error { _, err := n.Show(ctx, "nobody"); return err }},
		"list no type":              {400, func() error { _, err := n.ListIdentities(ctx, "Robot", "", 1); return err }},
		"pending of nobody":         {400, func() error { _, err := n.Pending(ctx, "nobody", time.Now()); return err }},
		"retire of nobody":          {400, func() error { _, err := n.Retire(ctx, "nobody", time.Now(), "x"); return err }},
		"scan no type":              {400, func() error { _, err := n.Scan(ctx, provision.ScanOrder{Type: "Robot"}); return err }},
		"scan for nobody": {400, func() error {
			_, err := n.Scan(ctx, provision.ScanOrder{Type: "User", Clients: []string{"x"}})
			return err
		}},
		"scan by a list":         {400, func() error { _, err := n.Scan(ctx, provision.ScanOrder{Type: "User", By: "emails.value"}); return err }},
		"rekey without a reason": {400, func() error { _, err := n.Rekey(ctx, provision.RekeyOrder{Type: "User"}); return err }},
		"rekey no type": {400, func() error {
			_, err := n.Rekey(ctx, provision.RekeyOrder{Type: "Robot", Reason: because()})
			return err
		}},
		"the federation of a nobody": {404, func() error { _, err := n.Federation(ctx, "nobody"); return err }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { refused2(t, name, c.do(), c.status) })
	}
}

// TestFederation is the extension that only administrators see (GW-11).
func TestFederation(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{})
	a, b := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`)
	okta := r.idOf("okta", a)
	r.merge(provision.MergeOrder{Keep: a, Drop: []string{b}})
	f, err := r.admin().Federation(ctx, okta)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "GW-11", f.LinkedUsers.LinkedUsers, []provision.LinkedUser{{"entra", a, true, false}, {"entra", b, false, true}, {"okta", okta, true, false}})
	if got := text(r.call(r.User), r.get(r.call(r.User), a)); strings.Contains(got, "linkedUsers") || strings.Contains(got, okta) {
		t.Errorf("GW-11: a client sees %s", got)
	}
}

func (p *probe) Probe(ctx context.Context) error {
	var n atomic.Int64
	return p.around("probe", &n, func() error { return p.Adapter.Probe(ctx) })
}

// TestManyRecordsVanish: a backend that hides most records all at once, though it
// answers, is not believed for ever.
func TestManyRecordsVanish(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{})
	var ids []string
	for i := range 120 {
		ids = append(ids, r.user(`{"userName":"u%d"}`, i))
	}
	r.users.hook(func(op string) error {
		if op == "get" {
			return adapters.Errorf(adapters.NotFound, op, "hidden")
		}
		return nil
	}, nil)
	for _, id := range ids {
		_, err := r.svc.Get(ctx, r.call(r.User), id)
		refused(t, "danger 1", err, 404, "")
	}
	r.users.hook(nil, nil)
	kept := 0
	for _, id := range ids {
		if _, err := r.svc.Get(ctx, r.call(r.User), id); err == nil {
			kept++
		}
	}
	equal(t, "danger 1: ids that are kept", kept, 20)
}
