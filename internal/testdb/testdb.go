// Package testdb finds the database servers that tests need, or starts them.
//
// A test is given the server of POSTERN_TEST_POSTGRES, POSTERN_TEST_MARIADB and so on, if
// that is set. Otherwise a private server is started on loopback, with its data in the temporary folder,
// and Debian's package is installed if it is missing and the user is root. All
// tests of a run share it; it ends some seconds after the last of them, and its
// data stay for the next run.
package testdb

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server is a kind of database server and how it is run.
type server struct {
	name     string // of its folder
	variable string // of the environment, that says where one is
	account  string // under which it runs if the tests run as root
	pkg      string // Debian's
	program  string // a pattern of its path
	start    func(s *server, bin, data string, port int) error
	stop     string                // a shell command; $DATA is the folder and $BIN that of the programs
	address  func(port int) string // where it listens; nil: at the port of 127.0.0.1
	once     sync.Once
	port     int
	err      error
}

var errMissing = errors.New("no server, and none can be installed")

// fail skips the test, loudly; where tests must be complete, it fails it.
func (s *server) fail(t testing.TB, err error) {
	t.Helper()
	text := fmt.Sprintf("NOT TESTED against %s: %v. Set %s to the dsn of a server.", s.name, err, s.variable)
	if os.Getenv("CI") == "true" || !errors.Is(err, errMissing) {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, text)
	t.Skip(text)
}

// up answers the port of the server, which runs until this process has ended.
func (s *server) up() (int, error) {
	s.once.Do(func() { s.port, s.err = s.run() })
	return s.port, s.err
}

func (s *server) run() (int, error) {
	dir := s.dir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	// Held for as long as this process lives: the server is in use.
	users, err := lock(filepath.Join(dir, "users"), syscall.LOCK_SH)
	if err != nil {
		return 0, err
	}
	held = append(held, users)
	// One at a time looks whether it runs, and starts it.
	door, err := lock(filepath.Join(dir, "door"), syscall.LOCK_EX)
	if err != nil {
		return 0, err
	}
	defer door.Close()
	if port := s.running(dir); port != 0 {
		return port, nil
	}
	bin, err := s.installed(dir)
	if err != nil {
		return 0, err
	}
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	if err := s.start(s, bin, dir, port); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "port"), []byte(strconv.Itoa(port)), 0o644); err != nil {
		return 0, err
	}
	return port, s.watch(dir, bin)
}

// dir is the folder of the server.
func (s *server) dir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("postern-testdb-%d", os.Getuid()), s.name)
}

// held are files whose locks end with the process.
var held []*os.File

func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// running answers the port of a server that answers there.
func (s *server) running(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "port"))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(string(text))
	if err != nil || !s.listens(port) {
		return 0
	}
	return port
}

func (s *server) listens(port int) bool {
	if s.address != nil {
		return answers(s.address(port))
	}
	return listens(port)
}

func listens(port int) bool { return answers(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) }

func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// installed answers the folder of the server's programs.
func (s *server) installed(dir string) (string, error) {
	if bin := s.find(); bin != "" {
		return bin, nil
	}
	if os.Getuid() != 0 {
		return "", fmt.Errorf("%w: %s is not installed, and only root can install it", errMissing, s.pkg)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", fmt.Errorf("%w: %s is not installed, and there is no apt-get", errMissing, s.pkg)
	}
	fmt.Fprintf(os.Stderr, "testdb: installing %s, once\n", s.pkg)
	// The packages are not to start services of their own.
	const policy = "/usr/sbin/policy-rc.d"
	if _, err := os.Stat(policy); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
			return "", err
		}
		defer os.Remove(policy)
	}
	install := "apt-get install -y -q --no-install-recommends " + s.pkg
	script := install + " || { apt-get update -q && " + install + "; }"
	cmd := exec.Command("flock", filepath.Join(filepath.Dir(dir), "apt"), "sh", "-c", script)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: apt-get install %s: %v\n%s", errMissing, s.pkg, err, tail(out))
	}
	if bin := s.find(); bin != "" {
		return bin, nil
	}
	return "", fmt.Errorf("%w: %s has no %s", errMissing, s.pkg, s.program)
}

func (s *server) find() string {
	found, err := filepath.Glob(s.program)
	if err != nil || len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

func tail(out []byte) string { return string(out[max(0, len(out)-2000):]) }

// as runs a program under the server's account.
func (s *server) as(program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		uid, gid, err := account(s.account)
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return cmd, nil
}

func account(name string) (uid, gid uint32, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	a, errUser := strconv.ParseUint(u.Uid, 10, 32)
	b, errGroup := strconv.ParseUint(u.Gid, 10, 32)
	return uint32(a), uint32(b), errors.Join(errUser, errGroup)
}

// folder makes a folder that belongs to the server's account.
func (s *server) folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil || os.Getuid() != 0 {
		return err
	}
	uid, gid, err := account(s.account)
	if err != nil {
		return err
	}
	return os.Chown(path, int(uid), int(gid))
}

// output runs a program to its end, with what it says in the error.
func output(cmd *exec.Cmd, err error) error {
	if err != nil {
		return err
	}
	// A file, not a pipe: a server that is started keeps it open.
	log, err := os.CreateTemp("", "postern-testdb-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, tail(said))
	}
	return nil
}

// background starts a program that goes on running, and waits until it answers.
func background(cmd *exec.Cmd, port int, log string) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, io.Writer(null), io.Writer(null)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); {
		if listens(port) {
			return nil
		}
		select {
		case err := <-ended:
			said, _ := os.ReadFile(log)
			return fmt.Errorf("%s ended: %v\n%s", filepath.Base(cmd.Path), err, tail(said))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer", filepath.Base(cmd.Path))
}

// watch stops the server when nobody has used it for some seconds. Nobody can
// begin to while it is being stopped.
func (s *server) watch(dir, bin string) error {
	script := strings.Join([]string{
		`exec 8>"$DIR/users" 9>"$DIR/door"`,
		`while sleep 8; do flock -n -x 8 || continue; flock -x 9; ` + s.stop + `; rm -f "$DIR/port"; exit; done`,
	}, "\n")
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "DIR="+dir, "BIN="+bin, "ACCOUNT="+s.account)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, io.Writer(null), io.Writer(null)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// Unique tells the names of this process from those of others in the same server.
func Unique() int64 { return time.Now().UnixNano() }
