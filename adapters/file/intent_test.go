package file_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/file"
)

// breakOff makes or deletes a record and is killed by itself on the way, at the number
// of files that are in place then.
func breakOff(dir string) {
	at, _ := strconv.Atoi(os.Getenv("POSTERN_FILE_AT"))
	a := inPairs().openIn(quiet{}, dir)
	a.StopAt(func(files int) {
		if files == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	var err error
	if key := os.Getenv("POSTERN_FILE_KEY"); key != "" {
		err = a.Delete(context.Background(), adapters.Key(key))
	} else {
		_, err = a.Create(context.Background(), thing(a, "second"), adapters.AllFields)
	}
	fmt.Println("not killed", err)
}

func thing(a *file.Adapter, name string) adapters.Record {
	return adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"name": name, "members": []string{"1", "2"}})
}

// brokenOff runs breakOff as a program of its own.
func brokenOff(t *testing.T, dir string, at int, key adapters.Key) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POSTERN_FILE_BROKEN_OFF="+dir, "POSTERN_FILE_AT="+strconv.Itoa(at), "POSTERN_FILE_KEY="+string(key))
	if out, err := cmd.CombinedOutput(); err == nil || len(out) > 0 {
		t.Fatalf("it was not killed: %v %s", err, out)
	}
}

// left are the files of a change that are still there.
func left(t *testing.T, dir string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBrokenOff kills a program between the two files of a change: whoever reads next
// finds the whole of it, or nothing.
func TestBrokenOff(t *testing.T) {
	for _, c := range []struct {
		what   string
		at     int
		delete bool
		names  []string
	}{
		{"create, none", 0, false, []string{"first"}}, {"create, the pairs", 1, false, []string{"first", "second"}}, {"create, both", 2, false, []string{"first", "second"}},
		{"delete, none", 0, true, []string{"first"}}, {"delete, the pairs", 1, true, nil}, {"delete, both", 2, true, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, dir := inPairs().open(t)
			first, err := a.Create(t.Context(), thing(a, "first"), adapters.AllFields)
			if err != nil {
				t.Fatal(err)
			}
			key := first.Key
			if !c.delete {
				key = ""
			}
			brokenOff(t, dir, c.at, key)
			if len(left(t, dir)) == 0 {
				t.Error("nothing is left of the change that was broken off")
			}
			for _, who := range []*file.Adapter{a, inPairs().openIn(t, dir)} {
				page, err := who.List(t.Context(), adapters.Query{Limit: 10, Want: adapters.AllFields})
				var names []string
				for _, r := range page.Records {
					if names = append(names, fmt.Sprint(r.Get("name"))); !adapters.Same(r.Get("members"), []string{"1", "2"}) {
						t.Errorf("%s has %v", r.Get("name"), r.Get("members"))
					}
				}
				if slices.Sort(names); err != nil || !slices.Equal(names, c.names) {
					t.Errorf("%q, want %q; %v", names, c.names, err)
				}
			}
			if n := strings.Count(held(t, dir, "pairs.csv"), "\n"); n != 1+2*len(c.names) {
				t.Errorf("%d lines of pairs", n)
			}
			if rest := left(t, dir); len(rest) > 0 {
				t.Errorf("%q is left", rest)
			}
			if _, err := a.Create(t.Context(), thing(a, "third"), adapters.AllFields); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBrokenOffByAnother: what somebody else has written since stays, a change finishes
// what it finds before it begins, and what says nothing is thrown away.
func TestBrokenOffByAnother(t *testing.T) {
	a, dir := inPairs().open(t)
	brokenOff(t, dir, 1, "")
	const theirs = "id;name;nick;note;active\nx;theirs;;;\n"
	put(t, dir, "things.csv", theirs)
	if r, err := a.Get(t.Context(), "x", adapters.AllFields); err != nil || r.Get("name") != "theirs" || held(t, dir, "things.csv") != theirs || len(left(t, dir)) > 0 {
		t.Error(r, err, left(t, dir))
	}
	a, dir = inPairs().open(t)
	brokenOff(t, dir, 1, "")
	if _, err := a.Create(t.Context(), thing(a, "second"), adapters.AllFields); !adapters.Is(err, adapters.Exists) {
		t.Errorf("the name is taken by a change that was broken off: %v", err)
	}
	put(t, dir, ".postern-change", `[{"From":`)
	if _, err := a.List(t.Context(), adapters.Query{Limit: 1}); err != nil || len(left(t, dir)) > 0 {
		t.Error(err, left(t, dir))
	}
}

// TestForeignIntent: a file that only looks like a change that was broken off has no
// other files moved or removed.
func TestForeignIntent(t *testing.T) {
	a, dir := inPairs().open(t)
	elsewhere := t.TempDir()
	victim, bait := filepath.Join(elsewhere, "victim"), filepath.Join(elsewhere, "bait")
	for _, file := range []string{victim, bait} {
		if err := os.WriteFile(file, []byte(filepath.Base(file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte("victim"))
	data, err := json.Marshal([]map[string][]byte{
		{"From": []byte(bait), "To": []byte(victim), "Was": sum[:]},
		{"From": []byte(filepath.Join(elsewhere, "gone")), "To": []byte(victim), "Was": sum[:]},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".postern-change"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Create(t.Context(), thing(a, "first"), adapters.AllFields); err != nil {
		t.Error(err)
	}
	if held(t, elsewhere, "victim") != "victim" || held(t, elsewhere, "bait") != "bait" {
		t.Error("files elsewhere were touched")
	}
}
