package identity

import (
	"crypto/sha256"
	"encoding/hex"
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
	return thisMachine() + "/" + strconv.Itoa(os.Getpid()) + "/" + process
}

// thisMachine names where a process's number means this process: two containers may
// have the same host name, and each a first process.
func thisMachine() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // where there is such a thing
	space, _ := os.Readlink("/proc/self/ns/pid")
	sum := sha256.Sum256([]byte(string(boot) + space))
	return strings.ReplaceAll(host, "/", "_") + "~" + hex.EncodeToString(sum[:6])
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
