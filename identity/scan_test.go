package identity

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// scanAll lets a scan see the records, in pages of two.
func scanAll(t *testing.T, s *Store, want Scan, records ...Seen) Scan {
	t.Helper()
	sc, _, err := s.BeginScan(t.Context(), "t", want, true)
	noErr(t, err)
	for n := 0; ; n += 2 {
		page := records[min(n, len(records)):min(n+2, len(records))]
		next := ""
		if n+2 < len(records) {
			next = fmt.Sprint(n + 2)
		}
		noErr(t, s.ScanRecords(t.Context(), &sc, page, next))
		if next == "" {
			break
		}
	}
	there := map[string]bool{}
	for _, r := range records {
		there[r.Key] = true
	}
	for sc.Stage == ScanLinks {
		keys, next, err := s.ScanUnmet(t.Context(), &sc, 2)
		noErr(t, err)
		noErr(t, s.ScanVanished(t.Context(), &sc, slices.DeleteFunc(keys, func(k string) bool { return there[k] }), next))
	}
	return sc
}

var users = Scan{Type: "User", Backend: "hr", Attribute: "userName", Gives: true, Total: 5}

func situations(t *testing.T, s *Store, sc Scan) []string {
	t.Helper()
	var out []string
	for after := int64(0); ; {
		fs := must[[]Finding](t)(s.Findings(t.Context(), "t", sc.Nr, after, 2))
		for _, f := range fs {
			line := f.Situation + " " + f.Key
			if f.Other != "" {
				line += "=" + f.Other
			}
			out, after = append(out, line), f.Nr
		}
		if len(fs) < 2 {
			return out
		}
	}
}

// backdate makes links older than whatever begins now.
func backdate(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.writer.db.Exec(`UPDATE link SET created = created - 1000000`); err != nil {
		t.Fatal(err)
	}
}

func TestScanReports(t *testing.T) { onBoth(t, testScanReports) }

func testScanReports(t *testing.T) {
	s := open(t, Options{})
	ensure(t, s, d1, user("1"), user("2"), user("9"), user("8"), group("7"), user("\x01odd"))
	backdate(t, s)
	sc := scanAll(t, s, users, Seen{"1", "ada", false}, Seen{"2", "bob", false}, Seen{"3", "ADA", false}, Seen{"4", "ada", false},
		Seen{"5", "", false}, Seen{"6", "bob", true}, Seen{"8", "root", true}, Seen{"\x01odd", "eve", false})
	want := []string{"unmanaged 3", "unmanaged 4", "conflicting 4=1", "unmanaged 5", "vanished 9"}
	if got := situations(t, s, sc); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if sc.Managed != 3 || sc.Unmanaged != 3 || sc.Conflicting != 1 || sc.Vanished != 1 || sc.Outside != 2 || sc.Ended == nil || sc.Looked() != 8 {
		t.Errorf("%+v", sc)
	}
	all := must[[]Scan](t)(s.Scans(t.Context(), "t", 0, 10))
	if len(all) != 1 || !reflect.DeepEqual(all[0], sc) {
		t.Errorf("kept %+v, want %+v", all, sc)
	}
	if others := must[[]Scan](t)(s.Scans(t.Context(), "u", 0, 10)); len(others) != 0 {
		t.Errorf("another tenant sees %+v", others)
	}
	scanAll(t, s, users, Seen{"1", "ada", false})
	if left := situations(t, s, sc); left != nil {
		t.Errorf("findings of an old scan stay: %q", left)
	}
	checkInvariants(t, s)
}

// TestScanOfOneIdentity: records of one identity are not in each other's way, nor where
// a page lies between them.
func TestScanOfOneIdentity(t *testing.T) { onBoth(t, testScanOfOneIdentity) }

func testScanOfOneIdentity(t *testing.T) {
	s := open(t, Options{})
	made := ensure(t, s, d1, user("1"), user("2"), user("3"), user("4"))
	for _, drop := range []int{1, 3} {
		must[Move](t)(s.Merge(t.Context(), "t", made[0].Identity, []string{made[drop].Identity}, because))
	}
	backdate(t, s)
	sc := scanAll(t, s, users, Seen{"1", "ada", false}, Seen{"2", "ada", false}, Seen{"4", "ada", false}, Seen{"3", "ada", false})
	if got := situations(t, s, sc); !slices.Equal(got, []string{"conflicting 3=4"}) || sc.Conflicting != 1 {
		t.Errorf("found %q, %d conflicting", got, sc.Conflicting)
	}
}

// TestScanResumes breaks a scan off after each step and goes on with what the
// store has kept.
func TestScanResumes(t *testing.T) { onBoth(t, testScanResumes) }

func testScanResumes(t *testing.T) {
	s := open(t, Options{})
	ensure(t, s, d1, user("9"))
	backdate(t, s)
	again := func() Scan {
		sc, resumed, err := s.BeginScan(t.Context(), "t", users, false)
		noErr(t, err)
		if !resumed {
			t.Fatal("the scan began anew")
		}
		return sc
	}
	first, resumed, err := s.BeginScan(t.Context(), "t", users, false)
	noErr(t, err)
	if resumed {
		t.Fatal("there was nothing to resume")
	}
	noErr(t, s.ScanRecords(t.Context(), &first, []Seen{{"1", "ada", false}}, "c1"))
	second := again()
	if second.Cursor != "c1" || second.Unmanaged != 1 {
		t.Fatalf("%+v", second)
	}
	noErr(t, s.ScanRecords(t.Context(), &second, []Seen{{"2", "ada", false}}, ""))
	wantErr(t, s.ScanRecords(t.Context(), &first, []Seen{{"2", "ada", false}}, ""), ErrScanned)
	third := again()
	keys, next, err := s.ScanUnmet(t.Context(), &third, 10)
	noErr(t, err)
	if !slices.Equal(keys, []string{"9"}) || next != "" {
		t.Fatalf("unmet %q, next %q", keys, next)
	}
	noErr(t, s.ScanVanished(t.Context(), &third, keys, ""))
	if got := situations(t, s, third); !slices.Equal(got, []string{"unmanaged 1", "unmanaged 2", "conflicting 2=1", "vanished 9"}) {
		t.Errorf("found %q", got)
	}
	other := users
	other.Gives = false
	if _, resumed, err = s.BeginScan(t.Context(), "t", other, false); err != nil || resumed {
		t.Errorf("a finished scan was resumed: %v", err)
	}
	if _, resumed, err = s.BeginScan(t.Context(), "t", users, false); err != nil || resumed {
		t.Errorf("a scan of another kind was resumed: %v", err)
	}
}

// TestMoved is a backend that has renumbered its records: to keys that were free,
// and to keys that others had.
func TestMoved(t *testing.T) { onBoth(t, testMoved) }

func testMoved(t *testing.T) {
	s := open(t, Options{})
	ensure(t, s, d1, user("1"), user("2"), user("3"), user("4"), user("5"))
	backdate(t, s)
	scanAll(t, s, users, Seen{"1", "ada", false}, Seen{"2", "bob", false}, Seen{"3", "cid", false}, Seen{"4", "dan", false}, Seen{"5", "eve", false})
	look := users
	look.Gives = false
	sc := scanAll(t, s, look,
		Seen{"2", "ada", false}, Seen{"3", "bob", false}, // by one, over each other
		Seen{"103", "cid", false}, Seen{"104", "dan", false}, Seen{"204", "dan", false}, // free; not clear which
		Seen{"5", "eve.smith", false}) // a name that changed
	got := must[[]Moved](t)(s.Moved(t.Context(), sc))
	want := []Moved{{"1", []string{"2"}}, {"2", []string{"3"}}, {"3", []string{"103"}}, {"4", []string{"104", "204"}}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("moved %v, want %v", got, want)
	}
	var changes []Change
	for _, m := range got[:3] {
		changes = append(changes, Change{user(m.Key), m.News[0]})
	}
	ids := ensure(t, s, d1, user("1"), user("2"), user("3"))
	unknown, taken, err := s.Relink(t.Context(), "t", changes, because)
	if err != nil || len(unknown)+len(taken) > 0 {
		t.Fatal(unknown, taken, err)
	}
	noErr(t, s.Settle(t.Context(), sc))
	now := ensure(t, s, d1, user("2"), user("3"), user("103"))
	for i := range now {
		if now[i].ID != ids[i].ID {
			t.Errorf("record %d has another id", i)
		}
	}
	if left := must[[]Moved](t)(s.Moved(t.Context(), sc)); len(left) != 1 || left[0].Key != "4" {
		t.Errorf("still moved: %v", left)
	}
	if _, err := s.Moved(t.Context(), Scan{}); err == nil {
		t.Error("an unfinished scan answers")
	}
}

func TestHeldEntries(t *testing.T) { onBoth(t, testHeldEntries) }

func testHeldEntries(t *testing.T) {
	s := open(t, Options{})
	a := ensure(t, s, d1, user("1"))[0]
	must[Move](t)(s.Split(t.Context(), "t", a.ID, [][]Link{{user("2")}}, because))
	e := ensure(t, s, d2, user("2"))[0]
	if !e.Held || e.ID != "" || e.Identity == "" {
		t.Errorf("GW-03: %+v", e)
	}
	if e = must[Entry](t)(s.Create(t.Context(), d2, user("2"), "")); e.Held || e.ID == "" {
		t.Errorf("GW-03: created %+v", e)
	}
	if e = ensure(t, s, d1, user("2"))[0]; !e.Held {
		t.Errorf("GW-03: for another client %+v", e)
	}
}

func TestTasks(t *testing.T) { onBoth(t, testTasks) }

func testTasks(t *testing.T) {
	ctx := t.Context()
	s := open(t, Options{})
	e := ensure(t, s, d1, user("1"), user("2"), user("3"), user("4"), Link{"User", "crm", "c"})
	all := []string{TaskMemberships, TaskDelete}
	open := func() []Task { return must[[]Task](t)(s.Tasks(ctx, "t")) }

	_, dry, err := s.MergeThen(ctx, "t", e[0].ID, []string{e[1].ID}, all, Reason{DryRun: true})
	noErr(t, err)
	if len(dry) != 2 || dry[0].Nr != 0 || dry[0].Key != "2" || dry[0].Into != "1" || len(open()) != 0 {
		t.Fatalf("dry run: %+v, open %+v", dry, open())
	}
	// The record in crm is the only one there: it stays.
	m, tasks, err := s.MergeThen(ctx, "t", e[0].ID, []string{e[1].ID, e[4].ID}, all, because)
	noErr(t, err)
	if len(tasks) != 2 || !reflect.DeepEqual(open(), tasks) {
		t.Fatalf("tasks %+v, open %+v", tasks, open())
	}
	noErr(t, s.TaskFailed(ctx, tasks[0].Nr, "unavailable"))
	if o := open(); o[0].Tries != 1 || o[0].Note != "unavailable" {
		t.Errorf("%+v", o)
	}
	noErr(t, s.TaskDone(ctx, tasks[0].Nr))
	if o := open(); len(o) != 1 || o[0].Kind != TaskDelete {
		t.Errorf("%+v", o)
	}
	// Another merge inherits what is open; the key may change meanwhile.
	m2 := must[Move](t)(s.Merge(ctx, "t", e[2].ID, []string{e[0].ID}, because))
	noErr(t, s.Rekey(ctx, "t", user("2"), "22"))
	if o := open(); len(o) != 1 || o[0].Key != "22" || o[0].Into != "3" || o[0].Identity != e[2].Identity {
		t.Errorf("inherited: %+v", o)
	}
	must[Move](t)(s.Undo(ctx, "t", m2.Nr, because))
	if o := open(); len(o) != 0 {
		t.Errorf("the record of somebody else is to be deleted: %+v", o)
	}
	must[Move](t)(s.Undo(ctx, "t", m.Nr, because))

	_, tasks, err = s.MergeThen(ctx, "t", e[0].ID, []string{e[1].ID}, all, because)
	noErr(t, err)
	must[Move](t)(s.Split(ctx, "t", e[0].ID, [][]Link{{user("22")}}, because))
	if o := open(); len(tasks) != 2 || len(o) != 0 {
		t.Errorf("the record of one that was split off is to be deleted: %+v", o)
	}
	_, _, err = s.MergeThen(ctx, "t", e[2].ID, []string{e[3].ID}, all, because)
	noErr(t, err)
	noErr(t, s.Forget(ctx, "t", user("4")))
	if o := open(); len(o) != 0 {
		t.Errorf("tasks for a record that is gone: %+v", o)
	}
	checkInvariants(t, s)
}

func TestTasksEndWithUndo(t *testing.T) { onBoth(t, testTasksEndWithUndo) }

func testTasksEndWithUndo(t *testing.T) {
	s := open(t, Options{})
	e := ensure(t, s, d1, user("1"), user("2"))
	m, _, err := s.MergeThen(t.Context(), "t", e[0].ID, []string{e[1].ID}, []string{TaskDelete}, because)
	noErr(t, err)
	must[Move](t)(s.Undo(t.Context(), "t", m.Nr, because))
	if open := must[[]Task](t)(s.Tasks(t.Context(), "t")); len(open) != 0 {
		t.Fatalf("an undone merge still deletes: %+v", open)
	}
}

// TestScanOfManyIsLinear compares the first tenth of a scan with the last.
func TestScanOfManyIsLinear(t *testing.T) { onBoth(t, testScanOfManyIsLinear) }

func testScanOfManyIsLinear(t *testing.T) {
	s := open(t, Options{})
	sc, _, err := s.BeginScan(t.Context(), "t", users, true)
	noErr(t, err)
	var took [20]time.Duration
	for n := range took {
		records := make([]Seen, 1000)
		for i := range records {
			records[i] = Seen{Key: fmt.Sprint(n, "-", i), Mark: fmt.Sprint("m", n, "-", i)}
		}
		begun := time.Now()
		noErr(t, s.ScanRecords(t.Context(), &sc, records, fmt.Sprint(n)))
		took[n] = time.Since(begun)
	}
	first, last := took[0]+took[1], took[18]+took[19]
	if last > 10*first+time.Second {
		t.Errorf("2,000 sightings took %s at first, and %s after 18,000", first, last)
	}
}
