package identity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	d1 = Domain{Tenant: "t", Client: "D1"}
	d2 = Domain{Tenant: "t", Client: "D2"}
	ex = Domain{Tenant: "t", Client: "EX", Existing: true}
)

func user(key string) Link  { return Link{"User", "hr", key} }
func group(key string) Link { return Link{"Group", "hr", key} }

func open(t testing.TB, o Options) *Store {
	t.Helper()
	return openAt(t, file(t), o)
}

func openAt(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), at(t, path), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// scripted makes Open use the given ids, in order, and then others.
func scripted(ids ...string) Options {
	n := 0
	return Options{NewID: func() string {
		n++
		if n <= len(ids) {
			return ids[n-1]
		}
		return fmt.Sprintf("id%d", n)
	}}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ensure(t testing.TB, s *Store, d Domain, links ...Link) []Entry {
	t.Helper()
	return must[[]Entry](t)(s.Ensure(context.Background(), d, links))
}

func resolve(t testing.TB, s *Store, d Domain, typ string, ids ...string) []Entry {
	t.Helper()
	return must[[]Entry](t)(s.Resolve(context.Background(), d, typ, ids))
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func TestEnsure(t *testing.T) { onBoth(t, testEnsure) }

func testEnsure(t *testing.T) {
	s := open(t, Options{})
	links := []Link{user("7"), group("7"), {"User", "crm", "7"}, user("8"), user("7")}
	first := ensure(t, s, d1, links...)
	t.Run("S-32 one id per record, unique over all resources, without bulkId", func(t *testing.T) {
		seen := map[string]bool{}
		for i, e := range first[:4] {
			if len(e.ID) != 26 || seen[e.ID] || e.ID == e.Identity || strings.Contains(e.ID, "bulkId") {
				t.Errorf("%d: id %q", i, e.ID)
			}
			seen[e.ID] = true
			if got := (Link{e.Type, e.Backend, e.Key}); got != links[i] {
				t.Errorf("%d: answered %v for %v", i, got, links[i])
			}
			if !e.Primary || e.Created.IsZero() {
				t.Errorf("%d: %+v", i, e)
			}
		}
		if first[4].ID != first[0].ID {
			t.Error("one record asked for twice got two ids")
		}
	})
	t.Run("stable", func(t *testing.T) {
		again := ensure(t, s, d1, links...)
		for i := range again {
			if again[i].ID != first[i].ID || !again[i].Created.Equal(first[i].Created.Truncate(time.Microsecond)) {
				t.Errorf("%d: %+v, was %+v", i, again[i], first[i])
			}
		}
	})
	t.Run("GW-08 another id per client, Y-05 another identity per tenant", func(t *testing.T) {
		other := ensure(t, s, d2, links[0])[0]
		if other.ID == first[0].ID || other.Identity != first[0].Identity {
			t.Errorf("second client: %+v", other)
		}
		tenant := ensure(t, s, Domain{Tenant: "u", Client: "D1"}, links[0])[0]
		if tenant.ID == first[0].ID || tenant.Identity == first[0].Identity {
			t.Errorf("second tenant: %+v", tenant)
		}
	})
	t.Run("empty", func(t *testing.T) {
		if got := ensure(t, s, d1); len(got) != 0 {
			t.Error(got)
		}
	})
}

func TestFindAllocatesNothing(t *testing.T) { onBoth(t, testFindAllocatesNothing) }

func testFindAllocatesNothing(t *testing.T) {
	s := open(t, Options{})
	find := func(d Domain) Entry {
		return must[[]Entry](t)(s.Find(context.Background(), d, []Link{user("1")}))[0]
	}
	if e := find(d1); e.ID != "" || e.Identity != "" {
		t.Errorf("unknown: %+v", e)
	}
	made := ensure(t, s, d1, user("1"))[0]
	if e := find(d1); e.ID != made.ID {
		t.Errorf("known: %+v", e)
	}
	if e := find(d2); e.ID != "" || e.Identity != made.Identity {
		t.Errorf("known to another client only: %+v", e)
	}
}

func TestResolve(t *testing.T) { onBoth(t, testResolve) }

func testResolve(t *testing.T) {
	s := open(t, Options{})
	e := ensure(t, s, d1, user("1"), group("1"))
	cases := []struct {
		name, typ, id string
		d             Domain
		want          string // key
	}{
		{"GW-02 its own id", "User", e[0].ID, d1, "1"},
		{"any type", "", e[1].ID, d1, "1"},
		{"another type", "Group", e[0].ID, d1, ""},
		{"Y-07 another client", "User", e[0].ID, d2, ""},
		{"Y-07 another tenant", "User", e[0].ID, Domain{Tenant: "u", Client: "D1"}, ""},
		{"the identity's id is none", "User", e[0].Identity, d1, ""},
		{"the key is none", "User", "1", d1, ""},
		{"S-32 case-exact", "User", strings.ToUpper(e[0].ID), d1, ""},
		{"empty", "", "", d1, ""},
		{"SQL", "", "' OR 1=1 --", d1, ""},
		{"NUL", "", e[0].ID + "\x00", d1, ""},
		{"invalid UTF-8", "", e[0].ID + "\xff", d1, ""},
		{"wildcards", "", "%", d1, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := resolve(t, s, c.d, c.typ, c.id)[0]
			if got.Key != c.want || (got.ID != "") != (c.want != "") {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("order", func(t *testing.T) {
		got := resolve(t, s, d1, "", "x", e[1].ID, e[0].ID, "", e[1].ID)
		for i, want := range []string{"", e[1].ID, e[0].ID, "", e[1].ID} {
			if got[i].ID != want {
				t.Errorf("%d: %+v", i, got[i])
			}
		}
	})
}

func TestExternalID(t *testing.T) { onBoth(t, testExternalID) }

func testExternalID(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	a := ensure(t, s, d1, user("1"), user("2"), group("1"))
	b := ensure(t, s, d2, user("1"))
	for i := range 2 { // S-33: not unique
		noErr(t, s.SetExternalID(ctx, d1, "User", a[i].ID, "Same"))
	}
	noErr(t, s.SetExternalID(ctx, d1, "Group", a[2].ID, "Same"))
	noErr(t, s.SetExternalID(ctx, d2, "User", b[0].ID, "other"))
	cases := []struct {
		name, typ, value string
		d                Domain
		want             int
	}{
		{"S-33 not unique", "User", "Same", d1, 2},
		{"any type", "", "Same", d1, 3},
		{"case-exact", "User", "same", d1, 0},
		{"Y-06 not another client's", "User", "Same", d2, 0},
		{"its own", "User", "other", d2, 1},
		{"none is not empty", "User", "", d1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := must[[]Entry](t)(s.ByExternalID(ctx, c.d, c.typ, c.value))
			if len(got) != c.want {
				t.Errorf("%+v", got)
			}
			for _, e := range got {
				if e.ExternalID != c.value || e.ID == "" || e.Key == "" {
					t.Errorf("%+v", e)
				}
			}
		})
	}
	t.Run("comes with every entry", func(t *testing.T) {
		if e := ensure(t, s, d2, user("1"))[0]; e.ExternalID != "other" {
			t.Errorf("%+v", e)
		}
		if e := resolve(t, s, d1, "User", a[0].ID)[0]; e.ExternalID != "Same" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("cleared", func(t *testing.T) {
		noErr(t, s.SetExternalID(ctx, d1, "User", a[0].ID, ""))
		if e := resolve(t, s, d1, "User", a[0].ID)[0]; e.ExternalID != "" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		wantErr(t, s.SetExternalID(ctx, d2, "User", a[0].ID, "x"), ErrUnknown)
		wantErr(t, s.SetExternalID(ctx, d1, "Group", a[0].ID, "x"), ErrUnknown)
	})
}

func TestCreate(t *testing.T) { onBoth(t, testCreate) }

func testCreate(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	e := must[Entry](t)(s.Create(ctx, d1, user("1"), "e1"))
	if got := resolve(t, s, d1, "User", e.ID)[0]; got.Key != "1" || got.ExternalID != "e1" {
		t.Errorf("%+v", got)
	}
	seen := ensure(t, s, d1, user("2"))[0] // first sight won the race
	e = must[Entry](t)(s.Create(ctx, d1, user("2"), "e2"))
	if e.ID != seen.ID || e.ExternalID != "e2" {
		t.Errorf("%+v, seen as %+v", e, seen)
	}
	e2 := must[Entry](t)(s.Create(ctx, d2, user("2"), ""))
	if e2.Identity != seen.Identity || e2.ID == seen.ID || e2.ExternalID != "" {
		t.Errorf("%+v", e2)
	}
}

// TestCreateSince: a backend uses a key again, for a record that we made (S-32).
func TestCreateSince(t *testing.T) { onBoth(t, testCreateSince) }

func testCreateSince(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, Options{Now: func() time.Time { return now }})
	ctx := context.Background()
	stale := must[Entry](t)(s.Create(ctx, d1, user("1"), "old"))
	other := ensure(t, s, d2, user("1"))[0]
	now = now.Add(time.Second)
	begun := now
	e := must[Entry](t)(s.CreateSince(ctx, d1, user("1"), "new\x00", begun))
	if e.ID == stale.ID || e.Identity == stale.Identity || e.ExternalID != "new\x00" {
		t.Errorf("a new record has the old one's ids: %+v", e)
	}
	if got := resolve(t, s, d1, "", stale.ID, e.ID); got[0].ID != "" || got[1].ExternalID != "new\x00" {
		t.Errorf("%+v", got)
	}
	if resolve(t, s, d2, "", other.ID)[0].ID != "" {
		t.Error("another client's stale id points at the new record")
	}
	seen := ensure(t, s, d2, user("2"))[0] // since then, by another client
	if e := must[Entry](t)(s.CreateSince(ctx, d1, user("2"), "", begun)); e.Identity != seen.Identity {
		t.Errorf("%+v", e)
	}
}

func TestForget(t *testing.T) { onBoth(t, testForget) }

func testForget(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	a, b := ensure(t, s, d1, user("1"))[0], ensure(t, s, d2, user("1"))[0]
	noErr(t, s.SetExternalID(ctx, d1, "User", a.ID, "e1"))
	noErr(t, s.Forget(ctx, "u", user("1"))) // another tenant's is another record
	if resolve(t, s, d1, "", a.ID)[0].ID == "" {
		t.Fatal("another tenant's delete reached over")
	}
	noErr(t, s.Forget(ctx, "t", user("1"), user("unknown")))
	for _, e := range []Entry{resolve(t, s, d1, "", a.ID)[0], resolve(t, s, d2, "", b.ID)[0]} {
		if e.ID != "" || e.Key != "" {
			t.Errorf("a deleted record still resolves: %+v", e)
		}
	}
	if got := must[[]Entry](t)(s.ByExternalID(ctx, d1, "", "e1")); len(got) != 0 {
		t.Errorf("by externalId: %+v", got)
	}
	again := ensure(t, s, d1, user("1"))[0] // S-32: the backend uses its key again
	if again.ID == a.ID || again.Identity == a.Identity || again.ExternalID != "" {
		t.Errorf("%+v", again)
	}
	if resolve(t, s, d1, "", a.ID)[0].ID != "" {
		t.Error("a stale id points at another record")
	}
}

func TestRekey(t *testing.T) { onBoth(t, testRekey) }

func testRekey(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	a := ensure(t, s, d1, user("a"))[0]
	noErr(t, s.Rekey(ctx, "t", user("a"), "b"))
	noErr(t, s.Rekey(ctx, "t", user("b"), "b"))
	if e := resolve(t, s, d1, "", a.ID)[0]; e.Key != "b" {
		t.Errorf("%+v", e)
	}
	wantErr(t, s.Rekey(ctx, "t", user("a"), "c"), ErrUnknown)
	stale := ensure(t, s, d1, user("c"))[0]
	noErr(t, s.Rekey(ctx, "t", user("b"), "c"))
	if e := resolve(t, s, d1, "", a.ID, stale.ID); e[0].Key != "c" || e[1].ID != "" {
		t.Errorf("%+v", e)
	}
}

func TestRelink(t *testing.T) { onBoth(t, testRelink) }

func testRelink(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	e := ensure(t, s, d1, user("1"), user("2"), user("3"))
	turn := []Change{{user("1"), "2"}, {user("2"), "1"}}
	unknown, taken, err := s.Relink(ctx, "t", turn, Reason{DryRun: true})
	noErr(t, err)
	if len(unknown)+len(taken) > 0 || resolve(t, s, d1, "", e[0].ID)[0].Key != "1" {
		t.Error("a dry run did something")
	}
	_, _, err = s.Relink(ctx, "t", turn, Reason{DryRun: false})
	noErr(t, err)
	if got := resolve(t, s, d1, "", e[0].ID, e[1].ID); got[0].Key != "2" || got[1].Key != "1" {
		t.Errorf("%+v", got)
	}
	unknown, taken, err = s.Relink(ctx, "t", []Change{{user("9"), "10"}, {user("1"), "3"}, {user("2"), "7"}, {user("3"), "7"}}, Reason{DryRun: false})
	noErr(t, err)
	if fmt.Sprint(unknown, taken) != "[0] [3]" { // 3 itself moves, so its key is free
		t.Error(unknown, taken)
	}
	if resolve(t, s, d1, "", e[0].ID)[0].Key != "2" {
		t.Error("half a relinking")
	}
}

func TestExistingIDs(t *testing.T) { onBoth(t, testExistingIDs) }

func testExistingIDs(t *testing.T) { // GW-07
	s := open(t, Options{})
	ctx := context.Background()
	e := ensure(t, s, ex, user("alice"), group("alice"), user("has bulkId in it"), user("bad\xff"))
	if e[0].ID != "alice" || e[1].ID != "alice" || len(e[2].ID) != 26 || len(e[3].ID) != 26 {
		t.Errorf("%+v", e)
	}
	t.Run("of a type", func(t *testing.T) {
		if got := resolve(t, s, ex, "Group", "alice")[0]; got.Type != "Group" || got.Identity != e[1].Identity {
			t.Errorf("%+v", got)
		}
		if got := resolve(t, s, ex, "", "alice")[0]; got.ID != "" {
			t.Errorf("an ambiguous id was resolved: %+v", got)
		}
	})
	t.Run("not met yet", func(t *testing.T) {
		if got := resolve(t, s, ex, "User", "bob")[0]; got.ID != "bob" || got.Key != "bob" || got.Identity != "" {
			t.Errorf("%+v", got)
		}
		if got := resolve(t, s, d1, "User", "bob")[0]; got.ID != "" {
			t.Errorf("of a client with allocated ids: %+v", got)
		}
	})
	t.Run("renamed keeps its id, and nobody else gets it", func(t *testing.T) {
		noErr(t, s.Rekey(ctx, "t", user("alice"), "alicia"))
		if got := ensure(t, s, ex, user("alicia"), user("alice")); got[0].ID != "alice" || got[1].ID != "alice~2" {
			t.Errorf("%+v", got)
		}
		if got := resolve(t, s, ex, "User", "alicia", "alice", "alice~2"); got[0].ID != "" || got[1].Key != "alicia" || got[2].Key != "alice" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("S-32 never again", func(t *testing.T) {
		noErr(t, s.Forget(ctx, "t", user("alicia"), user("alice")))
		if got := resolve(t, s, ex, "User", "alice")[0]; got.ID != "" {
			t.Errorf("%+v", got)
		}
		if got := ensure(t, s, ex, user("alice"), Link{"User", "crm", "alice"}); got[0].ID != "alice~3" || got[1].ID != "alice~4" {
			t.Errorf("%+v", got)
		}
	})
}

func TestAnyKey(t *testing.T) { onBoth(t, testAnyKey) }

func testAnyKey(t *testing.T) {
	s := open(t, Options{})
	keys := []string{"", "0", "00", "a\x00", "a\x00b", "a", "A", "a ", "\xff", "\xfe", "�", "\x01", "\x0161", "\u00e9", "e\u0301", "'; DROP TABLE link; --", `"\`, "<>&\u2028", "🙂"}
	links := make([]Link, len(keys))
	for i, k := range keys {
		links[i] = user(k)
	}
	e := ensure(t, s, d1, links...)
	seen := map[string]bool{}
	for i, again := range ensure(t, s, d1, links...) {
		if seen[again.ID] || again.ID != e[i].ID {
			t.Errorf("key %q: id %q, was %q", keys[i], again.ID, e[i].ID)
		}
		seen[again.ID] = true
		if got := resolve(t, s, d1, "", again.ID)[0]; got.Key != keys[i] {
			t.Errorf("key %q came back as %q", keys[i], got.Key)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, k := range []string{"", "a", "\x00", "\x01", "\x0161", "\xff"} {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		stored := storedKey(key)
		if originalKey(stored) != key || !isText(stored) {
			t.Errorf("%q is stored as %q and comes back as %q", key, stored, originalKey(stored))
		}
	})
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for _, dsn := range []string{"postgres://u:secret@127.0.0.1:1/db", "postgres://u:secret@[/db", "sqlite:", "sqlite:" + filepath.Join(dir, "no", "dir"), ":memory:"} {
		if s, err := Open(ctx, dsn, Options{}); err == nil {
			s.Close()
			t.Errorf("%s was opened", dsn)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("a secret is in the error: %v", err)
		}
	}
	path := filepath.Join(dir, "odd ?&%20#name.db")
	s := openAt(t, path, Options{PowerSafe: true})
	id := ensure(t, s, d1, user("1"))[0].ID
	noErr(t, s.Ping(ctx))
	noErr(t, s.Close())
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
	s, err := Open(ctx, at(t, path), Options{})
	noErr(t, err)
	defer s.Close()
	if ensure(t, s, d1, user("1"))[0].ID != id {
		t.Error("reopened, it has forgotten")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s.Ping(ctx) == nil {
		t.Error("closed, it still answers")
	}
}

func TestNewerSchemaIsRefused(t *testing.T) { onBoth(t, testNewerSchemaIsRefused) }

func testNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	s := openAt(t, path, Options{})
	_, err := s.writer.db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) SELECT 99, is_applied FROM goose_db_version LIMIT 1`)
	noErr(t, err)
	noErr(t, s.Close())
	if s, err := Open(context.Background(), at(t, path), Options{}); err == nil {
		s.Close()
		t.Error("a file of a later version was opened")
	}
}
