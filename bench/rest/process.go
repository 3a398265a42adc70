package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	base *url.URL
}

// start starts a server and reads from its first line where it listens.
func start(ctx context.Context, dir, name, bin string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, bin, args...)}
	p.cmd.Dir, p.cmd.Env = dir, environment()
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stderr = log // a log is written, as it would be
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	_, at, found := strings.Cut(strings.TrimSpace(line), " at ")
	if err == nil && found {
		p.base, err = url.Parse(at)
	}
	if err != nil || !found {
		p.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s says %q: %w\n%s", name, line, err, said)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return p, nil
}

func (p *process) host() string { return p.base.Host }

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// tick is the unit of time in /proc/PID/stat, on every Linux of today.
const tick = 10 * time.Millisecond

// cpu is the processor time that the process has used; 0 where the system does not
// say.
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
