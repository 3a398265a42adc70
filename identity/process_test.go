package identity

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

// TestOneIDEach lets many goroutines, over two stores on one file as two
// processes would have them, see the same records first.
func TestOneIDEach(t *testing.T) { onBoth(t, testOneIDEach) }

func testOneIDEach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	stores := []*Store{openAt(t, path, Options{}), openAt(t, path, Options{})}
	links := page(200)
	got := make([][]Entry, 16)
	var wg sync.WaitGroup
	for g := range got {
		wg.Go(func() {
			entries := make([]Entry, len(links))
			for _, i := range rand.Perm(10) { // pages of 20 in any order
				page := links[i*20 : i*20+20]
				e, err := stores[g%2].Ensure(context.Background(), d1, page)
				if err != nil {
					t.Error(err)
					return
				}
				copy(entries[i*20:], e)
			}
			got[g] = entries
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for i := range links {
		for g := range got {
			if got[g] == nil || got[g][i].ID != got[0][i].ID || got[g][i].ID == "" {
				t.Fatalf("record %d has the ids %q and %q", i, got[g][i].ID, got[0][i].ID)
			}
		}
		if seen[got[0][i].ID] {
			t.Fatal("one id for two records")
		}
		seen[got[0][i].ID] = true
	}
	checkInvariants(t, stores[0])
}

// TestOpenAtOnce opens a file that is not there yet from many sides.
func TestOpenAtOnce(t *testing.T) { onBoth(t, testOpenAtOnce) }

func testOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := Open(context.Background(), at(t, path), Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Ensure(context.Background(), d1, []Link{user("1")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestSeenAtOnce: what one store does, another on the same file sees, as the
// commands and the server do.
func TestSeenAtOnce(t *testing.T) { onBoth(t, testSeenAtOnce) }

func testSeenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	server, command := openAt(t, path, Options{}), openAt(t, path, Options{})
	a := ensure(t, server, d1, user("1"), user("2"))
	must[Move](t)(command.Merge(context.Background(), "t", a[0].ID, []string{a[1].ID}, because))
	if e := resolve(t, server, d1, "User", a[1].ID)[0]; e.ID != a[0].ID || e.Primary {
		t.Errorf("%+v", e)
	}
}

// TestFull: a disk that is full is the machine's trouble, which passes, and no defect.
func TestFull(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ids.db"), Options{})
	_, err := s.writer.db.Exec("PRAGMA max_page_count = 1") // which is what there is already
	noErr(t, err)
	for n := 0; err == nil && n < 100; n++ {
		_, err = s.Ensure(t.Context(), d1, page(100*(n+1)))
	}
	wantErr(t, err, ErrAway)
	_, err = s.Begin(t.Context(), Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentCreate, Value: strings.Repeat("x", 1<<20)})
	wantErr(t, err, ErrAway)
	_, err = s.writer.db.Exec("PRAGMA max_page_count = 1000000")
	noErr(t, err)
	ensure(t, s, d1, page(2000)...)
}

// TestCommitFailed: of a commit for which there was no room it is certain what became.
func TestCommitFailed(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ids.db"), Options{})
	for code, want := range map[sqlite3.ErrNo]error{sqlite3.ErrFull: ErrAway, sqlite3.ErrReadonly: ErrAway, sqlite3.ErrIoErr: ErrUnsure, sqlite3.ErrBusy: ErrBusy} {
		err := s.fail("test", s.committed(sqlite3.Error{Code: code}))
		for _, class := range []error{ErrAway, ErrUnsure, ErrBusy} {
			if errors.Is(err, class) != (class == want) {
				t.Errorf("%v: %v", code, err)
			}
		}
	}
}

func TestBusy(t *testing.T) { onBoth(t, testBusy) }

func testBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	patience := 20 * time.Millisecond
	if postgresIs(t) {
		patience = time.Second // in which a connection must be made, too, on a machine that has much to do
	}
	a, b := openAt(t, path, Options{}), openAt(t, path, Options{BusyTimeout: patience})
	known := ensure(t, a, d1, user("1"))[0]
	tx, err := a.writer.db.Begin()
	noErr(t, err)
	defer tx.Rollback()
	if postgresIs(t) {
		_, err = tx.Exec("LOCK TABLE link IN EXCLUSIVE MODE")
		noErr(t, err)
	}
	_, err = b.Ensure(context.Background(), d1, []Link{user("2")})
	wantErr(t, err, ErrBusy)
	if ensure(t, b, d1, user("1"))[0].ID != known.ID { // readers do not wait
		t.Error("a reader saw something else")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err = a.Ensure(ctx, d1, []Link{user("3")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the writer, past the deadline: %v", err)
	}
}

// TestNoKeysInErrors provokes errors of every method, with a key, an externalId
// and ids that would be recognised.
func TestNoKeysInErrors(t *testing.T) { onBoth(t, testNoKeysInErrors) }

func testNoKeysInErrors(t *testing.T) {
	const secret = "sEcReT-kEy"
	s := open(t, Options{})
	e := ensure(t, s, d1, user(secret), user(secret+"2"))
	ctx, cancel := context.WithCancel(context.Background())
	var errs []error
	call := func() {
		l := user(secret)
		_, err1 := s.Ensure(ctx, d1, []Link{user(secret + "3")})
		_, err2 := s.Find(ctx, d1, []Link{l})
		_, err3 := s.Resolve(ctx, ex, "User", []string{secret})
		_, err4 := s.ByExternalID(ctx, d1, "User", secret)
		_, err5 := s.Create(ctx, d1, user(secret+"4"), secret)
		_, err6 := s.Merge(ctx, "t", e[0].ID, []string{secret}, because)
		_, err7 := s.Split(ctx, "t", e[0].ID, [][]Link{{user(secret + "2")}}, because)
		_, _, err8 := s.Relink(ctx, "t", []Change{{l, secret + "2"}}, Reason{DryRun: false})
		_, err9 := s.Show(ctx, "t", secret)
		_, _, err10 := s.Release(ctx, d1, secret, because)
		_, err11 := s.Hidden(ctx, d1, secret, secret)
		_, err12 := s.Undo(ctx, "t", 99, because)
		errs = append(errs, err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12,
			s.SetExternalID(ctx, d1, "User", secret, secret), s.Acknowledge(ctx, d1, "User", secret),
			s.Rekey(ctx, "t", user(secret+"9"), secret), s.Rekey(ctx, "t", l, secret+"2"), s.Forget(ctx, "t", l))
	}
	call()
	cancel()
	call()
	noErr(t, s.Close())
	ctx = context.Background()
	call()
	n := 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		n++
		for _, leak := range []string{secret, e[0].ID, e[0].Identity} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("%q tells %q", err, leak)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d errors were provoked", n)
	}
}

// TestKilled starts this test binary as another process that gives ids and says
// so on its output, kills it with SIGKILL in the middle, and looks for every id
// that it told: none may be lost, and the table must be whole.
func TestKilled(t *testing.T) {
	if dsn := os.Getenv("IDENTITY_KILL_ME"); dsn != "" {
		giveUntilKilled(t, dsn)
		return
	}
	onBoth(t, killed)
}

func killed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	told := map[string]string{} // key -> id
	for round := range 6 {
		for key, id := range runAndKill(t, path, round) {
			if told[key] != "" && told[key] != id {
				t.Fatalf("a record had the id %s before the kill, and %s after", told[key], id)
			}
			told[key] = id
		}
		s, err := Open(context.Background(), at(t, path), Options{})
		noErr(t, err)
		checkInvariants(t, s)
		for key, id := range told {
			if e := resolve(t, s, d1, "User", id)[0]; e.Key != key {
				t.Fatalf("the id of record %s was lost: %+v", key, e)
			}
		}
		noErr(t, s.Close())
	}
	if len(told) == 0 {
		t.Error("the other process told nothing")
	}
}

func runAndKill(t *testing.T, path string, round int) map[string]string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	cmd.Env = append(os.Environ(), "IDENTITY_KILL_ME="+at(t, path))
	out, err := cmd.StdoutPipe()
	noErr(t, err)
	noErr(t, cmd.Start())
	told := map[string]string{}
	enough := 20 + 37*round
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "gave" {
			told[f[1]] = f[2]
		}
		if len(told) == enough {
			noErr(t, cmd.Process.Kill())
			break
		}
	}
	rest, _ := io.ReadAll(out) // what it told before it died counts too
	for line := range strings.Lines(string(rest)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "gave" && strings.HasSuffix(line, "\n") {
			told[f[1]] = f[2]
		}
	}
	_ = cmd.Wait() // killed
	if len(told) < enough {
		t.Fatalf("the other process told only %d ids", len(told))
	}
	return told
}

func giveUntilKilled(t *testing.T, dsn string) {
	s, err := Open(context.Background(), dsn, Options{})
	noErr(t, err)
	for n := 0; ; n++ {
		key := strconv.Itoa(rand.IntN(100_000))
		e, err := s.Create(context.Background(), d1, user(key), "ext"+key)
		noErr(t, err)
		fmt.Printf("gave %s %s\n", key, e.ID)
		links := make([]Link, 30)
		for i := range links {
			links[i] = user(strconv.Itoa(rand.IntN(100_000)))
		}
		for i, e := range ensure(t, s, d1, links...) {
			fmt.Printf("gave %s %s\n", links[i].Key, e.ID)
		}
	}
}
