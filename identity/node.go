package identity

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mostAlive is how long a process may be at work on one intent: no request takes
// as long. After that another process carries it on, wherever the first one ran.
const mostAlive = 3 * time.Minute

// process tells this process from an earlier one with its number.
var process = randomID()

// thisNode names the process: the machine, the process's number there, and
// something that no earlier process had.
func thisNode() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return strings.ReplaceAll(host, "/", "_") + "/" + strconv.Itoa(os.Getpid()) + "/" + process
}

// dead reports whether a process is certainly no more: it ran on this machine, and
// its number is free, or is this process's own.
func dead(node, self string) bool {
	host, rest, _ := strings.Cut(node, "/")
	mine, own, _ := strings.Cut(self, "/")
	number, _, _ := strings.Cut(rest, "/")
	if host != mine || node == self {
		return false
	}
	if ownNumber, _, _ := strings.Cut(own, "/"); number == ownNumber {
		return true
	}
	pid, err := strconv.Atoi(number)
	if err != nil {
		return false
	}
	p, err := os.FindProcess(pid)
	return err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
