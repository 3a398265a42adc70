package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postern/postern/bench/observe"
)

// moduleRoot is the folder with go.mod, of which the working directory is a part.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("run this within Postern's repository")
		}
		dir = filepath.Dir(dir)
	}
}

const observeImport = "package main\n\nimport _ \"github.com/postern/postern/bench/observe\"\n"

// build makes a program of the module. An observed one has package observe in
// it, by way of a file that exists only for this build.
func build(ctx context.Context, root, pkg, out string, observed bool) error {
	args := []string{"build", "-trimpath", "-tags", "nomsgpack", "-o", out} // as make build
	if observed {
		source, overlay := out+".go", out+".json"
		target := filepath.Join(root, filepath.FromSlash(pkg), "observe_for_bench.go")
		replace := fmt.Sprintf(`{"Replace": {%q: %q}}`, target, source)
		if err := errors.Join(os.WriteFile(source, []byte(observeImport), 0o600), os.WriteFile(overlay, []byte(replace), 0o600)); err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// A process is a running server.
type process struct {
	cmd    *exec.Cmd
	base   string // where it serves SCIM
	log    string // the file with what it says
	socket string // of package observe; "" if not observed
	ended  chan struct{}
}

var baseURL = regexp.MustCompile(`http://\S+/scim/v2`)

// start starts a server and waits until it has said where it listens.
func start(ctx context.Context, dir, name string, observed bool, binary string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = dir, log, log, dieWithParent()
	if observed {
		p.socket = filepath.Join(dir, name+".sock")
		_ = os.Remove(p.socket)
		p.cmd.Env = append(os.Environ(), observe.Socket+"="+p.socket)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	if err := p.wait(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s does not start: %w\n%s", name, err, p.said())
	}
	return p, nil
}

func (p *process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if p.base = string(baseURL.Find(text)); p.base != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ended:
			return errors.New("it ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// said is the end of the log.
func (p *process) said() []byte {
	b, _ := os.ReadFile(p.log)
	return bytes.TrimSpace(b[max(0, len(b)-2000):])
}

// stop ends the process, one way or the other.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// resident is the process's memory now and at its largest, in bytes; 0 where the
// system does not say.
func (p *process) resident() (now, peak int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case len(f) < 2:
		case f[0] == "VmRSS:":
			now, _ = strconv.ParseInt(f[1], 10, 64)
		case f[0] == "VmHWM:":
			peak, _ = strconv.ParseInt(f[1], 10, 64)
		}
	}
	return now << 10, peak << 10
}

// tick is the unit of time in /proc/PID/stat, on every Linux of today.
const tick = 10 * time.Millisecond

// cpu is the processor time that the process has used; 0 where the system does
// not say.
func (p *process) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name before may hold anything
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}
