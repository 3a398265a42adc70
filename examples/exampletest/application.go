package exampletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cannot is the status with which a script says that the application can neither
// be found nor installed here.
const cannot = 77

// Application starts the application of an example with fresh data, by the script
// that its reader would call, and gives what the script printed: BASE, KEY, and
// so on. It stops when the test ends. Where it cannot be installed the test is
// skipped, loudly; where tests must be complete, it fails.
func Application(t *testing.T) map[string]string {
	t.Helper()
	state, err := os.MkdirTemp("", "postern-app-") // short: sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(state, 0o755); err != nil { // the application may have an account of its own
		t.Fatal(err)
	}
	env := append(os.Environ(), "STATE="+state, "PORT="+strconv.Itoa(freePort(t)), "WATCH="+strconv.Itoa(os.Getpid()))
	t.Cleanup(func() {
		down := exec.CommandContext(context.WithoutCancel(t.Context()), "./app/down")
		down.Env = env
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("app/down: %v\n%s", err, out)
		}
		if err := removeAll(state); err != nil {
			t.Log(err)
		}
	})
	up := exec.CommandContext(t.Context(), "./app/up")
	var out, log bytes.Buffer
	up.Env, up.Stdout, up.Stderr = env, &out, &log
	if err := up.Run(); err != nil {
		missing(t, err, log.String())
	}
	return assignments(out.String())
}

// missing ends the test.
func missing(t *testing.T, err error, log string) {
	t.Helper()
	dir, _ := os.Getwd()
	text := fmt.Sprintf("NOT TESTED against %s: app/up: %v\n%s", filepath.Base(dir), err, log)
	var exit *exec.ExitError
	if os.Getenv("CI") == "true" || !errors.As(err, &exit) || exit.ExitCode() != cannot {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, text)
	t.Skip(text)
}

// assignments are the lines NAME=value of a script's output.
func assignments(out string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			said[name] = value
		}
	}
	return said
}

// removeAll removes a folder in which a program may still be writing.
func removeAll(dir string) (err error) {
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
