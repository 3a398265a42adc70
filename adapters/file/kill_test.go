package file_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
)

// TestMain lets the test's own program be the one that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("POSTERN_FILE_WRITER"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if dir := os.Getenv("POSTERN_FILE_BROKEN_OFF"); dir != "" {
		breakOff(dir)
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled makes, changes and deletes records, and says of each change that
// it was answered.
func writeUntilKilled(dir string) {
	f := inPairs()
	a := f.openIn(quiet{}, dir)
	ctx, shape := context.Background(), a.Capabilities().Shape
	for n := 0; ; n++ {
		name := fmt.Sprintf("n%d-%d %d-of-3", os.Getpid(), n, n%3)
		r, err := a.Create(ctx, adapters.FromMap(shape, "", map[string]any{"name": name, "nick": strings.Repeat("x", n%500), "members": []string{"1", "2"}}), adapters.AllFields)
		if err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("made", r.Key, name)
		if n%3 == 1 {
			if _, err = a.Update(ctx, r.Key, adapters.Delta{Set: []adapters.Change{{Field: "note", New: "it's; changed"}}}, adapters.Fields{}); err == nil {
				fmt.Println("changed", r.Key)
			}
		}
		if n%3 == 2 {
			if err = a.Delete(ctx, r.Key); err == nil {
				fmt.Println("gone", r.Key)
			}
		}
		if err != nil {
			fmt.Println("error", err)
			return
		}
	}
}

// quiet is a test that only writeUntilKilled has.
type quiet struct{ testing.TB }

func (quiet) Helper()          {}
func (quiet) Fatal(all ...any) { fmt.Println(append([]any{"error"}, all...)...); os.Exit(1) }

// TestKilled kills a program again and again while it writes, while another writes the
// same files: they are always whole, and nothing is lost that was answered.
func TestKilled(t *testing.T) {
	dir := folder(t)
	f := inPairs()
	for name, text := range f.files {
		put(t, dir, name, text)
	}
	kills := 25
	if testing.Short() {
		kills = 5
	}
	want := map[string]string{} // key to what was said last
	stays := make(chan []string)
	go func() { stays <- writer(t, dir, time.Duration(kills)*60*time.Millisecond) }()
	for range kills {
		note(want, writer(t, dir, time.Duration(20+rand.IntN(60))*time.Millisecond))
	}
	note(want, <-stays)
	a := f.openIn(t, dir)
	page, err := a.List(t.Context(), adapters.Query{Limit: 1 << 20, Want: adapters.AllFields})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]adapters.Record{}
	for _, r := range page.Records {
		there[string(r.Key)] = r
		if !adapters.Same(r.Get("members"), []string{"1", "2"}) {
			t.Errorf("%s has the members %v", r.Get("name"), r.Get("members"))
		}
	}
	for key, said := range want {
		r, ok := there[key]
		switch {
		case said == "going":
		case ok == (said == "gone"):
			t.Errorf("%s was said to be %s, and is there: %t", key, said, ok)
		case said == "changed" && r.Get("note") != "it's; changed":
			t.Errorf("%s was changed, and holds %v", key, r.Get("note"))
		}
	}
	if err := change(t, a, page.Records[0].Key, "nick", "after"); err != nil {
		t.Error(err)
	}
	if len(want) < kills {
		t.Errorf("only %d records were made", len(want))
	}
	t.Logf("%d kills, %d records made and answered, %d there", kills+1, len(want), len(there))
}

// writer runs the program for a while after its first change and kills it; it gives
// what was said.
func writer(t *testing.T, dir string, life time.Duration) []string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POSTERN_FILE_WRITER="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return nil
	}
	var said []string
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if len(said) == 0 {
			time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		}
		if said = append(said, line); strings.HasPrefix(line, "error") {
			t.Error(line)
			break
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return said
}

func note(want map[string]string, said []string) {
	for _, line := range said {
		if f := strings.Fields(line); len(f) > 1 {
			want[f[1]] = f[0]
			if f[0] == "made" && f[len(f)-1] == "2-of-3" {
				want[f[1]] = "going" // it is deleted next: killed on the way, it may be gone
			}
		}
	}
}

// TestLarge: 100,000 records are looked up and paged through without being read
// again, and a change of one is one.
func TestLarge(t *testing.T) {
	dir := folder(t)
	var b strings.Builder
	b.WriteString("id,login,note,roles\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "%d,user%d,\"some, text\",a|b\n", i, i)
	}
	put(t, dir, "people.csv", b.String())
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "people.csv"), old, old); err != nil {
		t.Fatal(err)
	}
	a := peopleFixture().openIn(t, dir)
	ctx := t.Context()
	began := time.Now()
	if _, err := a.Get(ctx, "99999", adapters.AllFields); err != nil {
		t.Fatal(err)
	}
	first := time.Since(began)
	began = time.Now()
	for i := range 10_000 {
		if _, err := a.Get(ctx, adapters.Key(fmt.Sprint(i*7)), adapters.AllFields); err != nil {
			t.Fatal(err)
		}
	}
	gets := time.Since(began)
	page, err := a.List(ctx, adapters.Query{Offset: 99_990, Limit: 100, Total: true})
	if err != nil || len(page.Records) != 10 || page.Total != 100_000 {
		t.Errorf("%d records, %v", len(page.Records), err)
	}
	began = time.Now()
	for i := range 5 {
		if err := change(t, a, adapters.Key(fmt.Sprint(i)), "login", fmt.Sprintf("new%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("read %v, a get %v, a change %v", first, gets/10_000, time.Since(began)/5)
	if gets > 100*first {
		t.Errorf("10,000 gets took %v, reading the file %v: it is read again", gets, first)
	}
}
