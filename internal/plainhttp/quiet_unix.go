//go:build unix

package plainhttp

import (
	"errors"
	"syscall"
)

// checkable says that it can be told of a connection whether something came.
const checkable = true

// quiet reports whether a connection is open, and nothing has come that nobody asked
// for: an end, or the complaint of a server that waited too long. It would be taken for
// the answer to the next request.
func (c *conn) quiet() bool {
	if c.raw == nil {
		return false
	}
	nothing := false
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		nothing = errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK)
		return true
	})
	return err == nil && nothing
}
