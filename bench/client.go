package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// A conn is one keep-alive connection. It does as little as it can, since the
// processor that it uses is taken from the server that is measured.
type conn struct {
	c    net.Conn
	r    *bufio.Reader
	out  []byte
	body []byte // of the last answer
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// A request is what is sent: the path below the base URL.
type request struct {
	method, path string
	body         []byte
}

// do sends a request of the server's and reads the answer.
func (c *conn) do(s *server, q request) (status int, err error) {
	b := append(c.out[:0], q.method...)
	b = append(b, ' ')
	b = append(b, s.path...)
	b = append(b, q.path...)
	b = append(b, s.headers...)
	if q.body != nil {
		b = append(b, "Content-Type: application/scim+json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(q.body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	c.out = append(b, q.body...)
	if _, err := c.c.Write(c.out); err != nil {
		return 0, err
	}
	return c.answer()
}

var contentLength = []byte("content-length:")

func (c *conn) answer() (status int, err error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("no answer of HTTP/1.1: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := 0
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, err
			}
		} else if bytes.HasPrefix(line, []byte("Transfer-Encoding:")) {
			return 0, fmt.Errorf("an answer of unknown length")
		}
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.r, c.body)
	return status, err
}
