package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The program as processes: one that is killed, and two at a time.

// childMark makes a test binary the program itself, for tests that kill it.
const childMark = "POSTERN_TEST_SERVES"

// child runs the program instead of the tests if the environment says so.
func child() {
	if os.Getenv(childMark) == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(m.Run(ctx, os.Args[1:]))
}

// A process is the program as a process of its own.
type process struct {
	cmd  *exec.Cmd
	base string
}

// fork starts the program as a process.
func (r *rig) fork() *process {
	r.t.Helper()
	cmd := exec.Command(os.Args[0], "serve", "--config", r.path("postern.yaml"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.Stderr = &heard
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, at, ok := strings.Cut(lines.Text(), "serves SCIM 2.0 at "); ok {
			r.base = at
			return &process{cmd: cmd, base: at}
		}
	}
	r.t.Fatal("the process does not serve")
	return nil
}

// TestKilled kills the program in the middle of creates, three times. Afterwards
// nobody has two identities, and what was acknowledged is there under its id.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("processes")
	}
	r := prepare(t)
	acknowledged := map[string]string{} // userName: id
	var mu sync.Mutex
	for round := range 3 {
		p := r.fork()
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("k%d.%d.%d", round, w, i)
					a, err := r.send("POST", "/Users", user(name, `,"externalId":"`+name+`"`))
					if err != nil {
						return // killed
					}
					if a.status != 201 {
						continue
					}
					mu.Lock()
					acknowledged[name] = fmt.Sprint(a.at("id"))
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(150+100*round) * time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		writers.Wait()
	}
	if len(acknowledged) < 10 {
		t.Fatalf("only %d users were made", len(acknowledged))
	}
	r.serve()
	for name, id := range acknowledged {
		r.get("/Users/"+id).want(200).is("userName", name).is("externalId", name)
	}
	names, ids := map[string]bool{}, map[string]bool{}
	total := 0
	for at := 1; ; at += 1000 {
		a := r.get("/Users", "count", "1000", "startIndex", fmt.Sprint(at))
		for _, u := range a.items("Resources") {
			name, id := fmt.Sprint(u["userName"]), fmt.Sprint(u["id"])
			if names[name] || ids[id] {
				t.Errorf("%s is there twice", name)
			}
			names[name], ids[id] = true, true
			if known := acknowledged[name]; known != "" && known != id {
				t.Errorf("%s has another id than it was told", name)
			}
		}
		if total = a.total(); at+1000 > total {
			break
		}
	}
	if len(names) != total || fmt.Sprint(total) != r.value("SELECT count(*) FROM employee WHERE kind <> 'builtin'") {
		t.Errorf("%d users listed, total %d", len(names), total)
	}
	db := r.open("postern.db")
	for what, query := range map[string]string{
		"records with two identities": "SELECT count(*) FROM (SELECT 1 FROM link GROUP BY tenant, type, backend, key HAVING count(DISTINCT identity) > 1)",
		"ids of two identities":       "SELECT count(*) FROM (SELECT 1 FROM external_id GROUP BY tenant, client, id HAVING count(DISTINCT identity) > 1)",
		"identities with two ids":     "SELECT count(*) FROM (SELECT 1 FROM external_id WHERE state = 'live' GROUP BY identity, client HAVING count(*) > 1)",
	} {
		if n := r.valueIn(db, query); n != "0" {
			t.Errorf("%s: %s", what, n)
		}
	}
}

// TestSecondProcess: two gateways on one mapping table and one backend agree.
func TestSecondProcess(t *testing.T) {
	r := start(t)
	other := &rig{t: t, dir: r.dir, token: r.token, vars: map[string]string{}}
	other.serve()
	ids := map[string]string{}
	var mu sync.Mutex
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			at := r
			if i%2 == 1 {
				at = other
			}
			a, err := at.send("GET", "/Users?count=1000", "")
			if err != nil || a.status != 200 {
				t.Errorf("%v %v", a, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, u := range a.items("Resources") {
				name, id := fmt.Sprint(u["userName"]), fmt.Sprint(u["id"])
				if known := ids[name]; known != "" && known != id {
					t.Errorf("%s has two ids", name)
				}
				ids[name] = id
			}
		})
	}
	readers.Wait()
	if len(ids) != 200 {
		t.Errorf("%d users", len(ids))
	}
}

// TestStateFolder: nobody else on the machine may read the mapping table.
func TestStateFolder(t *testing.T) {
	r := start(t)
	info, err := os.Stat(filepath.Join(r.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the folder is %v", info.Mode())
	}
	if _, err := os.Stat(r.path("state/postern.db")); errors.Is(err, os.ErrNotExist) {
		t.Error("there is no mapping table")
	}
}
