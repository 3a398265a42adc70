package plainhttp

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
)

// A body is an answer's. At its end the connection is free.
type body struct {
	c     *conn
	stop  func() bool
	ctx   context.Context
	inner io.ReadCloser
	once  bool // the connection is not to be used again
	ended bool
	err   error
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ended {
		return 0, b.err
	}
	n, err := b.inner.Read(p)
	if err == nil {
		return n, nil
	}
	if b.err = err; errors.Is(err, io.EOF) {
		b.end()
		return n, err
	}
	if ended := b.ctx.Err(); ended != nil {
		b.err = ended
	}
	b.drop()
	return n, b.err
}

// Close implements io.Closer. A body that was not read to its end takes the connection
// with it.
func (b *body) Close() error {
	if !b.ended {
		b.err = http.ErrBodyReadAfterClose
		b.drop()
	}
	return nil
}

func (b *body) end() {
	b.ended = true
	b.c.release(b.stop() && !b.once)
}

func (b *body) drop() {
	b.ended = true
	b.stop()
	b.c.close()
}

// unzip makes an answer one that was not compressed.
func unzip(resp *http.Response) {
	resp.Body = &unzipped{from: resp.Body}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
}

type unzipped struct {
	from io.ReadCloser
	r    *gzip.Reader
	err  error
}

// Read implements io.Reader.
func (u *unzipped) Read(p []byte) (int, error) {
	if u.r == nil && u.err == nil {
		u.r, u.err = gzip.NewReader(u.from)
	}
	if u.err != nil {
		return 0, u.err
	}
	return u.r.Read(p)
}

// Close implements io.Closer.
func (u *unzipped) Close() error { return u.from.Close() }
