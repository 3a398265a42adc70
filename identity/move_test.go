package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

var because = Reason{Who: "admin", Why: "test"}

// table is the mapping table of one client, as the mailing-list thread draws it:
// "external id -> identity", with the flags.
func table(t *testing.T, s *Store, client string) []string {
	t.Helper()
	var rows []string
	for _, it := range must[[]Identity](t)(s.List(context.Background(), "t", "", "", 100)) {
		for _, e := range it.ExternalIDs {
			if e.Client == client {
				rows = append(rows, fmt.Sprintf("%s -> %s primary=%t delete=%t", e.ID, it.ID, e.Primary, e.DeletionRequired))
			}
		}
	}
	return rows
}

func wantTable(t *testing.T, s *Store, client string, rows ...string) {
	t.Helper()
	if got := table(t, s, client); !reflect.DeepEqual(got, rows) {
		t.Errorf("the table of %s holds\n%s\nwant\n%s", client, strings.Join(got, "\n"), strings.Join(rows, "\n"))
	}
}

// TestFalsePositive is the first worked example of the 2012 thread: one identity
// turns out to be two persons (GW-03).
func TestFalsePositive(t *testing.T) { onBoth(t, testFalsePositive) }

func testFalsePositive(t *testing.T) {
	ctx := context.Background()
	s := open(t, scripted("9caf78aac3d6", "ff487230b3a0", "a99a5feba839", "7a87f27c1dd8"))
	ensure(t, s, d2, user("1"))
	m := must[Move](t)(s.Split(ctx, "t", "9caf78aac3d6", [][]Link{{{"", "hr", "2"}}}, because))
	if len(m.After) != 2 || m.After[0].ID != "9caf78aac3d6" || m.After[1].ID != "a99a5feba839" {
		t.Fatalf("%+v", m)
	}
	wantTable(t, s, "D2", "ff487230b3a0 -> 9caf78aac3d6 primary=true delete=false")
	if e := ensure(t, s, d2, user("2"))[0]; e.ID != "" {
		t.Errorf("D2 sees the new identity before it is released: %+v", e)
	}
	if keys := must[[]string](t)(s.Hidden(ctx, d2, "User", "hr")); !reflect.DeepEqual(keys, []string{"2"}) {
		t.Errorf("hidden: %v", keys)
	}
	// D2 provisions it, and the creation is correlated with the record.
	e := must[Entry](t)(s.Create(ctx, d2, user("2"), ""))
	if e.ID != "7a87f27c1dd8" || e.Identity != "a99a5feba839" {
		t.Errorf("%+v", e)
	}
	wantTable(t, s, "D2",
		"ff487230b3a0 -> 9caf78aac3d6 primary=true delete=false",
		"7a87f27c1dd8 -> a99a5feba839 primary=true delete=false")
	if e := ensure(t, s, d1, user("2"))[0]; e.ID != "" {
		t.Errorf("D1 sees it, although only D2 created it: %+v", e)
	}
	checkInvariants(t, s)
}

// TestFalseNegative is the second worked example: two identities turn out to be
// one person (GW-04, GW-02).
func TestFalseNegative(t *testing.T) { onBoth(t, testFalseNegative) }

func testFalseNegative(t *testing.T) {
	ctx := context.Background()
	s := open(t, scripted("9caf78aac3d6", "273d36e30d09", "ff487230b3a0", "41206cc97c8b"))
	ensure(t, s, d2, user("1"), user("2"))
	m := must[Move](t)(s.Merge(ctx, "t", "ff487230b3a0", []string{"273d36e30d09"}, because))
	if len(m.After) != 1 || len(m.Before) != 2 || m.Nr == 0 {
		t.Errorf("%+v", m)
	}
	wantTable(t, s, "D2",
		"ff487230b3a0 -> 9caf78aac3d6 primary=true delete=false",
		"41206cc97c8b -> 9caf78aac3d6 primary=false delete=true")
	got := resolve(t, s, d2, "User", "41206cc97c8b", "ff487230b3a0")
	if e := got[0]; e.ID != "ff487230b3a0" || e.Key != "1" || e.Primary || !e.DeletionRequired {
		t.Errorf("the secondary id: %+v", e)
	}
	if e := got[1]; e.ID != "ff487230b3a0" || !e.Primary || e.DeletionRequired || len(e.Others) != 1 {
		t.Errorf("the primary id: %+v", e)
	}
	if e := ensure(t, s, d2, user("2"))[0]; e.ID != "ff487230b3a0" || e.Primary {
		t.Errorf("the record that was merged in: %+v", e)
	}
	wantErr(t, s.Acknowledge(ctx, d2, "User", "ff487230b3a0"), ErrUnknown) // is primary
	wantErr(t, s.Acknowledge(ctx, d1, "User", "41206cc97c8b"), ErrUnknown)
	noErr(t, s.Acknowledge(ctx, d2, "User", "41206cc97c8b"))
	wantTable(t, s, "D2", "ff487230b3a0 -> 9caf78aac3d6 primary=true delete=false")
	if e := resolve(t, s, d2, "User", "41206cc97c8b")[0]; e.ID != "" {
		t.Errorf("acknowledged, it still resolves: %+v", e)
	}
	if e := ensure(t, s, d2, user("2"))[0]; e.ID != "ff487230b3a0" { // the account stays
		t.Errorf("%+v", e)
	}
	checkInvariants(t, s)
}

// TestManyAtOnce does both for three identities and three clients (GW-05).
func TestManyAtOnce(t *testing.T) { onBoth(t, testManyAtOnce) }

func testManyAtOnce(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	d3 := Domain{Tenant: "t", Client: "D3"}
	crm := Link{"User", "crm", "9"}
	a := ensure(t, s, d1, user("1"), user("2"), user("3"), crm)
	b := ensure(t, s, d2, user("2"), user("3")) // D2 never saw the first
	dry := because
	dry.DryRun = true
	m := must[Move](t)(s.Merge(ctx, "t", a[0].ID, []string{b[0].ID, a[2].Identity, a[1].ID, a[3].ID}, dry))
	if m.Nr != 0 || len(m.After) != 1 || len(m.After[0].Links) != 4 {
		t.Errorf("dry run: %+v", m)
	}
	if len(table(t, s, "D1")) != 4 || resolve(t, s, d1, "", a[1].ID)[0].ID != a[1].ID {
		t.Fatal("a dry run did something")
	}
	m = must[Move](t)(s.Merge(ctx, "t", a[0].ID, []string{b[0].ID, a[2].Identity, a[1].ID, a[3].ID}, because))
	for i, e := range resolve(t, s, d1, "User", a[0].ID, a[1].ID, a[2].ID, a[3].ID) {
		if e.ID != a[0].ID || e.Primary != (i == 0) || e.DeletionRequired != (i != 0) {
			t.Errorf("D1 %d: %+v", i, e)
		}
		if key, ok := e.KeyIn("crm"); !ok || key != "9" {
			t.Errorf("D1 %d: in crm %q", i, key)
		}
		if _, ok := e.KeyIn("ldap"); ok || len(e.Links()) != 4 {
			t.Errorf("D1 %d: %+v", i, e)
		}
	}
	for i, e := range resolve(t, s, d2, "User", b[0].ID, b[1].ID) {
		if e.ID != b[0].ID || e.Primary != (i == 0) || e.Key != "1" {
			t.Errorf("D2 %d: %+v", i, e)
		}
	}
	if got := ensure(t, s, d3, user("3"), user("1")); got[0].ID != got[1].ID || got[0].Primary || !got[1].Primary {
		t.Errorf("D3: %+v", got)
	}
	if keys := must[[]string](t)(s.Hidden(ctx, d1, "User", "hr")); len(keys) != 2 {
		t.Errorf("hidden: %v", keys)
	}
	checkInvariants(t, s)

	t.Run("split again into three", func(t *testing.T) {
		m := must[Move](t)(s.Split(ctx, "t", a[0].ID, [][]Link{{user("3"), crm}, {user("2")}}, because))
		if len(m.After) != 3 || len(m.After[1].Links) != 2 || len(m.After[2].Links) != 1 {
			t.Fatalf("%+v", m.After)
		}
		if e := resolve(t, s, d1, "User", a[2].ID)[0]; e.ID != a[0].ID {
			t.Errorf("old ids stay where they were: %+v", e)
		}
		e, _, err := s.Release(ctx, d1, m.After[1].ID, because)
		noErr(t, err)
		if got := resolve(t, s, d1, "User", e.ID)[0]; got.Key != "9" && got.Key != "3" || len(got.Others) != 1 {
			t.Errorf("%+v", got)
		}
		if got := ensure(t, s, d2, user("3"))[0]; got.ID != "" {
			t.Errorf("released to D1 only: %+v", got)
		}
		_, _, err = s.Release(ctx, Domain{Tenant: "t"}, m.After[2].ID, because)
		noErr(t, err)
		if got := ensure(t, s, d2, user("2"))[0]; got.ID == "" {
			t.Error("released to all, D2 does not see it")
		}
		checkInvariants(t, s)
	})
	if moves := must[[]Move](t)(s.Moves(ctx, "t", a[0].Identity, 0, 10)); len(moves) != 2 || moves[1].Nr != m.Nr || moves[0].Kind != "split" {
		t.Errorf("%+v", moves)
	}
}

func TestHistory(t *testing.T) { onBoth(t, testHistory) }

func testHistory(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, Options{Now: func() time.Time { return now }})
	a := ensure(t, s, d1, user("1"), user("2"))
	m := must[Move](t)(s.Merge(ctx, "t", a[0].ID, []string{a[1].ID}, Reason{Who: "kim", Why: "same person"}))
	u := must[Move](t)(s.Undo(ctx, "t", m.Nr, Reason{Who: "lee", Why: "namesakes"}))
	moves := must[[]Move](t)(s.Moves(ctx, "t", "", 0, 10))
	if len(moves) != 2 || !moves[1].Undone || moves[0].Undoes != m.Nr || moves[1].Who != "kim" || moves[1].Why != "same person" || !moves[1].At.Equal(now) {
		t.Errorf("%+v", moves)
	}
	m.Undone = true
	if !reflect.DeepEqual(moves[1], m) || !reflect.DeepEqual(moves[0], u) {
		t.Errorf("recorded %+v, returned %+v", moves, []Move{u, m})
	}
	if got := must[[]Move](t)(s.Moves(ctx, "t", "", u.Nr, 10)); len(got) != 1 {
		t.Errorf("paging: %+v", got)
	}
	if got := must[[]Move](t)(s.Moves(ctx, "u", "", 0, 10)); len(got) != 0 {
		t.Errorf("another tenant's: %+v", got)
	}
}

func TestShowForm(t *testing.T) { onBoth(t, testShowForm) }

func testShowForm(t *testing.T) {
	ctx := context.Background()
	s := open(t, scripted("I", "E"))
	ensure(t, s, d1, user("1"))
	for _, id := range []string{"I", "E"} {
		b, err := json.Marshal(must[Identity](t)(s.Show(ctx, "t", id)))
		noErr(t, err)
		want := `{"id":"I","type":"User","links":[{"backend":"hr","key":"1","primary":true}],"externalIds":[{"client":"D1","id":"E","primary":true,"deletionRequired":false}]}`
		if string(b) != want {
			t.Errorf("%s", b)
		}
	}
	_, err := s.Show(ctx, "u", "I")
	wantErr(t, err, ErrUnknown)
	_, err = s.Show(ctx, "t", "1")
	wantErr(t, err, ErrUnknown)
	ensure(t, s, ex, user("7"), group("7"))
	_, err = s.Show(ctx, "t", "7")
	wantErr(t, err, ErrAmbiguous)
}

func TestList(t *testing.T) { onBoth(t, testList) }

func testList(t *testing.T) {
	s := open(t, Options{})
	links := append(page(25), group("1"))
	ensure(t, s, d1, links...)
	ensure(t, s, Domain{Tenant: "u", Client: "D1"}, user("1"))
	var after string
	var seen []string
	for {
		got := must[[]Identity](t)(s.List(context.Background(), "t", "User", after, 10))
		if len(got) == 0 {
			break
		}
		for _, it := range got {
			if it.ID <= after {
				t.Fatalf("%s after %s", it.ID, after)
			}
			after = it.ID
			seen = append(seen, it.ID)
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d listed", len(seen))
	}
}

func TestPending(t *testing.T) { onBoth(t, testPending) }

func testPending(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, Options{Now: func() time.Time { return now }})
	a := ensure(t, s, d1, user("1"), user("2"), user("3"))
	ensure(t, s, d2, user("1"), user("2"))
	must[Move](t)(s.Merge(ctx, "t", a[0].ID, []string{a[1].ID}, because))
	first := now
	now = now.Add(time.Hour)
	must[Move](t)(s.Merge(ctx, "t", a[0].ID, []string{a[2].ID}, because))
	later := now.Add(time.Second)
	pending := func(client string, before time.Time) []Pending {
		return must[[]Pending](t)(s.Pending(ctx, "t", client, before))
	}
	if p := pending("", later); len(p) != 3 {
		t.Errorf("%+v", p)
	}
	p := pending("D1", later)
	if len(p) != 2 || p[0].ID != a[1].ID || p[0].Primary != a[0].ID || !p[0].Since.Equal(first) || p[0].Identity != a[0].Identity {
		t.Errorf("%+v", p)
	}
	if p := pending("D1", now); len(p) != 1 {
		t.Errorf("before the second: %+v", p)
	}
	if p := must[[]Pending](t)(s.Retire(ctx, "t", "D1", now)); len(p) != 1 || p[0].ID != a[1].ID {
		t.Errorf("retired: %+v", p)
	}
	if e := resolve(t, s, d1, "", a[1].ID, a[2].ID); e[0].ID != "" || e[1].ID != a[0].ID {
		t.Errorf("%+v", e)
	}
	if p := must[[]Pending](t)(s.Retire(ctx, "t", "", later)); len(p) != 2 {
		t.Errorf("retired: %+v", p)
	}
	if p := pending("", later); len(p) != 0 {
		t.Errorf("%+v", p)
	}
	checkInvariants(t, s)
}

// TestUndo gives each case a merged pair (or a split identity), lets something
// happen, and undoes.
func TestUndo(t *testing.T) { onBoth(t, testUndo) }

func testUndo(t *testing.T) {
	ctx := context.Background()
	type world struct {
		s    *Store
		a    []Entry // of D1: 1, 2, 3
		move Move
	}
	merged := func(t *testing.T) world {
		s := open(t, Options{})
		w := world{s: s, a: ensure(t, s, d1, user("1"), user("2"), user("3"))}
		w.move = must[Move](t)(s.Merge(ctx, "t", w.a[0].ID, []string{w.a[1].ID}, because))
		return w
	}
	split := func(t *testing.T) world {
		w := merged(t)
		w.move = must[Move](t)(w.s.Split(ctx, "t", w.a[0].ID, [][]Link{{user("2"), user("new")}}, because))
		return w
	}
	cases := []struct {
		name  string
		make  func(*testing.T) world
		then  func(*testing.T, world)
		wants string // "" or part of the refusal
	}{
		{"merge", merged, func(*testing.T, world) {}, ""},
		{"merge, another client saw it since", merged, func(t *testing.T, w world) { ensure(t, w.s, d2, user("2")) }, ""},
		{"merge, a key changed since", merged, func(t *testing.T, w world) { noErr(t, w.s.Rekey(ctx, "t", user("2"), "22")) }, ""},
		{"merge, acknowledged", merged, func(t *testing.T, w world) { noErr(t, w.s.Acknowledge(ctx, d1, "User", w.a[1].ID)) }, `client "D1" has deleted`},
		{"merge, a record deleted", merged, func(t *testing.T, w world) { noErr(t, w.s.Forget(ctx, "t", user("2"))) }, "record of the move was deleted"},
		{"merge, all deleted", merged, func(t *testing.T, w world) { noErr(t, w.s.Forget(ctx, "t", user("1"), user("2"))) }, "was deleted"},
		{"merge, merged further", merged, func(t *testing.T, w world) {
			must[Move](t)(w.s.Merge(ctx, "t", w.a[2].ID, []string{w.a[0].ID}, because))
		}, "came later"},
		{"merge, merged further and back", merged, func(t *testing.T, w world) {
			m := must[Move](t)(w.s.Merge(ctx, "t", w.a[2].ID, []string{w.a[0].ID}, because))
			must[Move](t)(w.s.Undo(ctx, "t", m.Nr, because))
		}, ""},
		{"merge, undone already", merged, func(t *testing.T, w world) { must[Move](t)(w.s.Undo(ctx, "t", w.move.Nr, because)) }, "undone already"},
		{"split", split, func(*testing.T, world) {}, ""},
		{"split, released to a client", split, func(t *testing.T, w world) {
			_, _, err := w.s.Release(ctx, d2, w.move.After[1].ID, because)
			noErr(t, err)
		}, `client "D2" knows the new identity`},
		{"split, released to all", split, func(t *testing.T, w world) {
			_, _, err := w.s.Release(ctx, Domain{Tenant: "t"}, w.move.After[1].ID, because)
			noErr(t, err)
		}, "deleted or released"},
		{"split, the new record deleted", split, func(t *testing.T, w world) { noErr(t, w.s.Forget(ctx, "t", user("new"))) }, "was deleted"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := c.make(t)
			defer checkInvariants(t, w.s)
			c.then(t, w)
			kept := must[[]Identity](t)(w.s.List(ctx, "t", "", "", 100))
			u, err := w.s.Undo(ctx, "t", w.move.Nr, because)
			if c.wants != "" {
				wantErr(t, err, ErrConflict)
				if !strings.Contains(err.Error(), c.wants) {
					t.Errorf("refused with %q, want %q", err, c.wants)
				}
				if got := must[[]Identity](t)(w.s.List(ctx, "t", "", "", 100)); !reflect.DeepEqual(got, kept) {
					t.Error("refused, it changed something")
				}
				return
			}
			noErr(t, err)
			if len(u.After) != len(w.move.Before) {
				t.Errorf("%+v", u)
			}
			if w.move.Kind == "merge" {
				for i, e := range resolve(t, w.s, d1, "User", w.a[0].ID, w.a[1].ID) {
					if e.ID != w.a[i].ID || e.Identity != w.a[i].Identity || !e.Primary || len(e.Others) != 0 {
						t.Errorf("%d: %+v", i, e)
					}
				}
			}
		})
	}
}

func TestMovesRefused(t *testing.T) { onBoth(t, testMovesRefused) }

func testMovesRefused(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	a := ensure(t, s, d1, user("1"), user("2"), group("1"))
	other := ensure(t, s, Domain{Tenant: "u", Client: "D1"}, user("1"))
	merge := func(keep string, drop ...string) func() error {
		return func() error { _, err := s.Merge(ctx, "t", keep, drop, because); return err }
	}
	split := func(id string, into ...[]Link) func() error {
		return func() error { _, err := s.Split(ctx, "t", id, into, because); return err }
	}
	cases := []struct {
		name string
		do   func() error
		want error
	}{
		{"merge with itself", merge(a[0].ID, a[0].Identity), ErrConflict},
		{"merge with nobody", merge(a[0].ID), ErrConflict},
		{"merge a user and a group", merge(a[0].ID, a[2].ID), ErrConflict},
		{"merge over tenants", merge(a[0].ID, other[0].Identity), ErrUnknown},
		{"merge unknown", merge(a[0].ID, "nobody"), ErrUnknown},
		{"split nothing", split(a[0].ID), ErrConflict},
		{"split an empty group", split(a[0].ID, nil), ErrConflict},
		{"split everything", split(a[0].ID, []Link{user("1")}), ErrConflict},
		{"split another's record", split(a[0].ID, []Link{user("2")}), ErrConflict},
		{"split a record twice", split(a[0].ID, []Link{user("n")}, []Link{user("n")}), ErrConflict},
		{"split unknown", split("nobody", []Link{user("n")}), ErrUnknown},
		{"undo unknown", func() error { _, err := s.Undo(ctx, "t", 99, because); return err }, ErrUnknown},
		{"release unknown", func() error { _, _, err := s.Release(ctx, d2, "nobody", because); return err }, ErrUnknown},
	}
	before := must[[]Identity](t)(s.List(ctx, "t", "", "", 100))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { wantErr(t, c.do(), c.want) })
	}
	if got := must[[]Identity](t)(s.List(ctx, "t", "", "", 100)); !reflect.DeepEqual(got, before) {
		t.Error("something changed")
	}
	_, m, err := s.Release(ctx, d2, a[0].ID, because)
	noErr(t, err)
	_, err = s.Undo(ctx, "t", m.Nr, because)
	wantErr(t, err, ErrConflict)
}
