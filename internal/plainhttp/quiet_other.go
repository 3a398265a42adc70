//go:build !unix

package plainhttp

const checkable = false

func (c *conn) quiet() bool { return false }
