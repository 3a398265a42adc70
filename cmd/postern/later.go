package main

import (
	"io"
	"sync"
	"time"
)

// How long, and how many bytes of, lines wait for others.
const (
	holdTime = 100 * time.Millisecond
	holdSize = 32 << 10
)

// A later writer keeps lines back for a moment, so that many are one write: to write is
// half of what a line costs, and a client waits for it. What is written by release, and
// at the end, is everything, in order.
type later struct {
	to io.Writer

	mu    sync.Mutex
	lines []byte
	waits bool // for the time to be over
}

// Write implements io.Writer. An error is that of lines before; nobody hears of the last.
func (h *later) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line...)
	if len(h.lines) >= holdSize {
		return len(line), h.write()
	}
	if !h.waits {
		h.waits = true
		time.AfterFunc(holdTime, h.over)
	}
	return len(line), nil
}

// release writes what waits.
func (h *later) release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.write()
}

func (h *later) over() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits = false
	_ = h.write()
}

func (h *later) write() error {
	if len(h.lines) == 0 {
		return nil
	}
	_, err := h.to.Write(h.lines)
	h.lines = h.lines[:0]
	return err
}
