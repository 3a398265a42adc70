package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/gateway/auth"
)

var update = flag.Bool("update", false, "rewrite the golden files, and the output in the documentation")

// command builds the command as it is shipped and answers the folder it is in.
func command(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "postern"), ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// TestScripts runs the command as people do. The scripts in testdata/script are
// meant to be read: each is one session, with everything that is printed.
func TestScripts(t *testing.T) {
	bin := command(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"database": database,
			"hashes":   hashes,
		},
	})
}

// exits runs a command that must end with a status: exits 2 postern frob.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.ExitCode() == want, err == nil && want == 0:
	default:
		ts.Fatalf("the status is not %d: %v", want, err)
	}
}

// database makes one of a script: database hr.db hr.sql.
func database(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open(sql.Config{DSN: "sqlite:" + ts.MkAbs(args[0]), Init: ts.ReadFile(args[1])})
	ts.Check(err)
	ts.Check(errors.Join(db.Ping(context.Background()), db.Close()))
}

// hashes checks what postern token printed into a file.
func hashes(ts *testscript.TestScript, _ bool, args []string) {
	var token, hash string
	_, err := fmt.Sscanf(ts.ReadFile(args[0]), "token: %s\nhash:  %s\n", &token, &hash)
	ts.Check(err)
	if auth.HashToken(token) != hash || len(token) < 43 {
		ts.Fatalf("%s is not the hash of %s", hash, token)
	}
}
