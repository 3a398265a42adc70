package provision_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

func (r *rig) survey(o provision.ScanOrder) identity.Scan {
	r.t.Helper()
	o.Type = "User"
	sc, err := r.admin().Scan(context.Background(), o)
	if err != nil {
		r.t.Fatalf("scan: %v", err)
	}
	return sc
}

func (r *rig) found(sc identity.Scan) (lines []string) {
	r.t.Helper()
	fs, err := r.admin().Findings(context.Background(), sc.Nr, 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range fs {
		line := f.Situation + " " + f.Key
		if f.Other != "" {
			line += " like " + f.Other
		}
		if (f.Identity == "") != (f.Situation != "vanished" && !sc.Gives) {
			r.t.Errorf("%s: identity %q", line, f.Identity)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestScan: what a backend holds, compared with what the table knows (GW-26).
func TestScan(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{scope: `record.title != "builtin"`})
	ada := r.user(`{"userName":"ada"}`)
	bob := r.keyOf(r.user(`{"userName":"bob"}`))
	if err := r.users.Adapter.Delete(ctx, bob); err != nil {
		t.Fatal(err)
	}
	eve := r.raw(map[string]any{"login": "eve"})
	double := r.raw(map[string]any{"login": "ADA"})
	r.raw(map[string]any{"login": "root", "title": "builtin"})

	looked := r.survey(provision.ScanOrder{DryRun: true})
	want := []string{"unmanaged " + string(eve), "unmanaged " + string(double), "conflicting " + string(double) + " like " + string(r.keyOf(ada)), "vanished " + string(bob)}
	equal(t, "a dry run", r.found(looked), want)
	if e, err := r.ids.Find(ctx, identity.Domain{Client: "entra"}, []identity.Link{{Type: "User", Backend: "hr", Key: string(eve)}}); err != nil || e[0].Identity != "" {
		t.Errorf("a dry run gave an identity: %+v, %v", e, err)
	}

	pages := 0
	gave := r.survey(provision.ScanOrder{Clients: []string{"okta"}, Progress: func(sc identity.Scan) { pages++ }})
	equal(t, "with ids", r.found(gave), want)
	if gave.Managed != 1 || gave.Outside != 1 || gave.Total != 4 || gave.Ended == nil || pages != 2 || gave.Attribute != "userName" {
		t.Errorf("%+v, %d pages", gave, pages)
	}
	if id, ok := r.known("okta", eve); !ok || r.get(r.call(r.User, as("okta")), id).ID() != id {
		t.Error("GW-26: no id ahead of time")
	}
	if _, ok := r.known("entra", eve); ok {
		t.Error("an id for a client that was not chosen")
	}
	after := r.survey(provision.ScanOrder{})
	equal(t, "again", r.found(after), want[2:])
	if scans, err := r.admin().Scans(ctx, 0, 10); err != nil || len(scans) != 3 || scans[0].Nr != after.Nr {
		t.Errorf("%+v, %v", scans, err)
	}
}

// known is the id that a client has for a record.
func (r *rig) known(client string, key adapters.Key) (string, bool) {
	r.t.Helper()
	e, err := r.ids.Find(context.Background(), identity.Domain{Client: client}, []identity.Link{{Type: "User", Backend: "hr", Key: string(key)}})
	if err != nil {
		r.t.Fatal(err)
	}
	return e[0].ID, e[0].ID != ""
}

// TestScanSurvives breaks the backend off in the middle, and lets it look empty.
func TestScanSurvives(t *testing.T) {
	ctx := context.Background()
	for _, restrict := range []func(*adapters.Capabilities){nil, func(c *adapters.Capabilities) { c.Offset, c.Total = false, false }} {
		o := settings{}
		if restrict != nil {
			o.restrict = append(o.restrict, restrict)
		}
		r := newRig(t, o)
		const records = 1200
		for i := range records {
			r.raw(map[string]any{"login": fmt.Sprintf("u%d", i)})
		}
		lists := 0
		r.users.hook(func(op string) error {
			if op == "list" {
				if lists++; lists == 3 {
					return adapters.Errorf(adapters.Unavailable, op, secret)
				}
			}
			return nil
		}, nil)
		sc, err := r.admin().Scan(ctx, provision.ScanOrder{Type: "User"})
		refused2(t, "a backend that goes down", err, 503)
		if sc.Unmanaged != 1000 {
			t.Fatalf("%+v", sc)
		}
		again, err := r.admin().Scan(ctx, provision.ScanOrder{Type: "User"})
		if err != nil || again.Nr != sc.Nr || again.Unmanaged != records || again.Managed != 0 || again.Ended == nil {
			t.Fatalf("resumed: %+v, %v", again, err)
		}
		if lists != 4 {
			t.Errorf("%d pages were read, and 4 are needed", lists)
		}
		r.users.hook(func(op string) error {
			if op == "probe" {
				return adapters.Errorf(adapters.Denied, op, secret)
			}
			return nil
		}, nil)
		_, err = r.admin().Scan(ctx, provision.ScanOrder{Type: "User"})
		refused2(t, "danger 1: a credential that has expired", err, 502)
	}
}

// TestScanOfManyIsBounded scans 20,000 records and watches the memory; the command does so with 100,000.
func TestScanOfManyIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("20,000 records")
	}
	const records = 20_000
	r := newRig(t, settings{})
	for i := range records {
		r.raw(map[string]any{"login": fmt.Sprintf("user%06d", i)})
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, n := heap(), uint64(0), 0
	sc := r.survey(provision.ScanOrder{Clients: []string{"entra"}, Progress: func(identity.Scan) {
		if n++; n%8 == 0 {
			most = max(most, heap())
		}
	}})
	if sc.Unmanaged != records || sc.Conflicting+sc.Vanished+sc.Outside+sc.Managed != 0 {
		t.Errorf("%+v", sc)
	}
	grown := int64(most) - int64(before)
	t.Logf("%d records in %d steps, the heap grew by %d KiB", records, n, grown/1024)
	if grown > 4<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// renumber gives a record another key, as a migration does.
func (r *rig) renumber(old, now adapters.Key) {
	r.t.Helper()
	ctx := context.Background()
	rec, ok := r.record(old)
	if !ok {
		r.t.Fatalf("there is no %s", old)
	}
	rec = rec.Clone()
	rec.Key = now
	if err := r.users.Adapter.Delete(ctx, old); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.users.Adapter.(*marked).Adapter.Create(ctx, rec, adapters.Fields{}); err != nil {
		r.t.Fatal(err)
	}
}

func rows(report provision.RekeyReport) (lines []string) {
	for _, row := range report.Rows {
		lines = append(lines, fmt.Sprintf("%s>%s %s %v", row.Old, row.New, row.Situation, row.Others))
	}
	slices.Sort(lines)
	return lines
}

// TestRekeyByList follows a migration that comes with a list.
func TestRekeyByList(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{})
	a, b, c := r.user(`{"userName":"ada"}`), r.user(`{"userName":"bob"}`), r.user(`{"userName":"cid"}`)
	ka, kb, kc := r.keyOf(a), r.keyOf(b), r.keyOf(c)
	r.renumber(ka, "M1")
	r.renumber(kb, "M2")
	o := provision.RekeyOrder{Type: "User", Reason: because(), Changes: []provision.KeyChange{
		{Old: string(ka), New: "M1"}, {Old: string(kb), New: "M2"}, {Old: "never", New: "M1"}, {Old: string(kc), New: "M9"}}}
	report, err := r.admin().Rekey(ctx, o)
	refused2(t, "changes that cannot be made", err, 409)
	equal(t, "report", rows(report), []string{string(ka) + ">M1 ready []", string(kb) + ">M2 ready []", string(kc) + ">M9 missing []", "never>M1 unknown []"})
	if r.keyOf(a) != ka {
		t.Fatal("something was changed all the same")
	}
	o.Reason = dry()
	if report, err = r.admin().Rekey(ctx, o); err != nil || report.Applied || report.Ready != 2 {
		t.Fatalf("dry run: %+v, %v", report, err)
	}
	o.Reason, o.Partial = because(), true
	if report, err = r.admin().Rekey(ctx, o); err != nil || !report.Applied {
		t.Fatalf("%+v, %v", report, err)
	}
	for id, key := range map[string]adapters.Key{a: "M1", b: "M2", c: kc} {
		if r.keyOf(id) != key || r.get(r.call(r.User), id).ID() != id {
			t.Errorf("%s stands for %s, want %s", id, r.keyOf(id), key)
		}
	}
	// A key that somebody has got meanwhile says whose it is.
	r.raw(map[string]any{"login": "dan"})
	dan := r.list(r.call(r.User), `userName eq "dan"`).Resources[0].ID()
	o = provision.RekeyOrder{Type: "User", Reason: dry(), Changes: []provision.KeyChange{{Old: string(kc), New: string(r.keyOf(dan))}}}
	report, err = r.admin().Rekey(ctx, o)
	it, _ := r.admin().Show(ctx, dan)
	if err != nil || report.Rows[0].Situation != provision.RekeyTaken || report.Rows[0].Identity != it.ID {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestRekeyByCorrelation follows a migration by comparing logins with what the
// scan before it saw.
func TestRekeyByCorrelation(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, settings{})
	var id [6]string
	var key [6]adapters.Key
	for i, name := range []string{"ada", "bob", "cid", "dan", "eve", "fay"} {
		id[i] = r.user(`{"userName":%q}`, name)
		key[i] = r.keyOf(id[i])
	}
	r.survey(provision.ScanOrder{})
	r.renumber(key[0], "M0")
	r.renumber(key[1], key[0]) // into a key that another one had
	r.renumber(key[2], "M2")
	r.raw(map[string]any{"login": "CID"})
	r.renumber(key[3], "M3")
	r.rawSet("M3", "login", "daniel") // renamed, too: not known again
	r.rawSet(key[4], "login", "eva")  // renamed, under the old key

	o := provision.RekeyOrder{Type: "User", Correlate: true, Reason: dry()}
	report, err := r.admin().Rekey(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{string(key[0]) + ">M0 ready []", string(key[1]) + ">" + string(key[0]) + " ready []",
		string(key[2]) + "> ambiguous [KEY000007 M2]", string(key[3]) + "> unmatched []"}
	equal(t, "report", rows(report), want)
	if r.keyOf(id[0]) != key[0] {
		t.Fatal("a dry run changed something")
	}
	o.Reason = because()
	if report, err = r.admin().Rekey(ctx, o); err != nil || !report.Applied || report.Ready != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	for i, now := range map[int]adapters.Key{0: "M0", 1: key[0], 4: key[4], 5: key[5]} {
		if r.keyOf(id[i]) != now {
			t.Errorf("%d stands for %s, want %s", i, r.keyOf(id[i]), now)
		}
	}
	if name := value(t, r.call(r.User), r.get(r.call(r.User), id[1]), "userName"); name != "bob" {
		t.Errorf("bob's id stands for %v", name)
	}
	if report, err = r.admin().Rekey(ctx, o); err != nil || report.Applied || report.Ready != 0 {
		t.Errorf("a second time: %+v, %v", report, err)
	}
}

// TestRekeyAfterAFailure: a backend that fails during the report changes nothing.
func TestRekeyAfterAFailure(t *testing.T) {
	r := newRig(t, settings{})
	a := r.user(`{"userName":"ada"}`)
	r.users.hook(func(op string) error { return adapters.Errorf(adapters.Unavailable, op, secret) }, nil)
	_, err := r.admin().Rekey(context.Background(), provision.RekeyOrder{Type: "User", Reason: because(),
		Changes: []provision.KeyChange{{Old: string(r.keyOf(a)), New: "M1"}}})
	refused2(t, "a backend that is down", err, 503)
	_, err = r.admin().Rekey(context.Background(), provision.RekeyOrder{Type: "User", Reason: because(), Correlate: true})
	refused2(t, "a backend that is down", err, 503)
	if errors.Is(err, identity.ErrConflict) {
		t.Error(err)
	}
}
