package sql

import (
	"context"
	"database/sql/driver"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// A watched file is one that may be moved away or replaced. SQLite works on with
// the file that it opened, and would show what no longer counts.
type watched struct {
	path   string
	looked atomic.Int64  // when, in nanoseconds
	turn   atomic.Uint64 // another one for another file

	mu   sync.Mutex
	file os.FileInfo // nil: there is none
}

// lookAgain is how long what was seen of the file is believed.
const lookAgain = 10 * time.Millisecond

// now answers the turn of the file that has the name.
func (w *watched) now() uint64 {
	if at := time.Now().UnixNano(); at-w.looked.Load() > int64(lookAgain) {
		w.look(at)
	}
	return w.turn.Load()
}

func (w *watched) look(at int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	is, err := os.Stat(w.path)
	if err != nil {
		is = nil
	}
	if (is == nil) != (w.file == nil) || is != nil && !os.SameFile(is, w.file) {
		w.turn.Add(1)
	}
	w.file = is
	w.looked.Store(at)
}

// A connection is one to the file that had the name when it was opened.
type connection struct {
	*sqlite3.SQLiteConn
	file *watched
	turn uint64
}

// ResetSession implements driver.SessionResetter: it is asked before a connection
// is used again.
func (c *connection) ResetSession(context.Context) error {
	if c.file.now() != c.turn {
		return driver.ErrBadConn
	}
	return nil
}

// connect opens the file under its name. If the name changes hands meanwhile, the
// connection is not used a second time.
func (w *watched) connect(d *sqlite3.SQLiteDriver, dsn string) (driver.Conn, error) {
	w.look(time.Now().UnixNano())
	turn := w.turn.Load()
	c, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	lite, ok := c.(*sqlite3.SQLiteConn)
	if !ok {
		return c, nil
	}
	return &connection{SQLiteConn: lite, file: w, turn: turn}, nil
}
