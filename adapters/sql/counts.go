package sql

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Counting all rows of a large table for every page costs more than the page. Where
// the configuration says so, a total may be some seconds old: it is kept under the
// condition that it counts, and forgotten with every change that is made here. A
// page is never decided by it: what the page itself tells of the total is believed
// instead, and a total that the page proves wrong is counted again.

// counts are the totals that may be used again. The zero counts keeps none.
type counts struct {
	age time.Duration

	mu     sync.Mutex
	kept   map[string]kept
	writes int // so far: what was counted meanwhile may be of before
}

type kept struct {
	total int
	until time.Time
}

// maxKept bounds how many totals are kept.
const maxKept = 1000

// mark is to be taken before counting.
func (c *counts) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

func (c *counts) get(key string) (int, bool) {
	if c.age == 0 {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.total, ok && time.Now().Before(k.until)
}

// put keeps a total that was counted since a mark. None is not kept: whether there is
// anything at all decides more than a number.
func (c *counts) put(key string, total, mark int) {
	if c.age == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if total <= 0 {
		delete(c.kept, key)
		return
	}
	if c.writes != mark {
		return
	}
	if c.kept == nil || len(c.kept) >= maxKept {
		c.kept = map[string]kept{}
	}
	c.kept[key] = kept{total, time.Now().Add(c.age)}
}

// forget is to be called after every change, also one of which it is not known
// whether it was made.
func (c *counts) forget() {
	if c.age == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.kept = nil
}

// countKey tells conditions apart, with their values.
func (p *plan) countKey(where *builder) string {
	if p.db.counts.age == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(p.from)
	b.Write(where.text)
	for _, v := range where.args {
		fmt.Fprintf(&b, "\x00%T %v", v, v)
	}
	return b.String()
}

// told is the total that a page shows by itself: one that is not full, and not beyond
// the end, is the last. Otherwise, what was kept, if the page does not prove it wrong.
// -1: it must be counted.
func told(rows, limit, total int, from start) int {
	switch {
	case from.after == nil && rows <= limit && (rows > 0 || from.offset == 0):
		return from.offset + rows
	case rows == 0 && from.after == nil, total < from.offset+rows:
		return -1
	}
	return total
}
