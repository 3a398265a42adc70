package ldap

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A list that is followed page by page would be read as a whole for each of them. So
// its keys are kept for a while: the pages of one walk are of one moment, less what is
// gone or fits no longer when its page comes.
type snapshot struct {
	id    string
	what  string // the filter and the order
	items []item
	until time.Time

	// Behind which offset the page ended that was shown last, when that was, and how
	// many changes had been made here when the list was read.
	end     int
	shown   time.Time
	written int64
}

const (
	snapshotTime = time.Minute // from one page to the next
	maxSnapshots = 4

	// offsetTime is how soon the next page must be asked for by its offset. No cursor
	// says that it belongs to the same walk.
	offsetTime = 10 * time.Second
)

// snapshots are those of one branch, the newest last.
type snapshots struct {
	mu  sync.Mutex
	all []*snapshot
}

// recall finds the list that a cursor goes on in; nil if it is not kept any longer, or
// the cursor is another list's.
func (s *snapshots) recall(id, what string) *snapshot {
	if id == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(x *snapshot) bool { return x.id == id })
	if i < 0 || s.all[i].what != what || time.Now().After(s.all[i].until) {
		return nil
	}
	x := s.all[i]
	x.until = time.Now().Add(snapshotTime)
	s.all = append(slices.Delete(s.all, i, i+1), x)
	return x
}

// goesOn finds the list of which the page before was shown a moment ago, if nothing
// was changed here since it was read; nil without one.
func (s *snapshots) goesOn(what string, offset int, written int64) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range slices.Backward(s.all) {
		if x.what == what && x.end == offset && x.written == written && time.Since(x.shown) < offsetTime {
			return x
		}
	}
	return nil
}

// shows notes where a page of a list ends.
func (s *snapshots) shows(id string, end int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.all {
		if x.id == id {
			x.end, x.shown, x.until = end, time.Now(), time.Now().Add(snapshotTime)
		}
	}
}

// keep notes a list that has further pages.
func (s *snapshots) keep(what string, items []item, written int64) string {
	x := &snapshot{id: newUUID(), what: what, items: make([]item, len(items)), until: time.Now().Add(snapshotTime), written: written}
	for i, it := range items {
		x.items[i].key = it.key
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(x *snapshot) bool { return time.Now().After(x.until) })
	if s.all = append(s.all, x); len(s.all) > maxSnapshots {
		s.all = slices.Delete(s.all, 0, 1)
	}
	return x.id
}

// identity tells the lists of different queries apart.
func identity(q adapters.Query) string {
	text := ""
	if q.Filter != nil {
		filter.Walk(q.Filter, func(e filter.Expr) bool {
			if c, ok := e.(*filter.Compare); ok {
				text += fmt.Sprint(c.Name, c.Op, c.Match, c.Value, "|")
			} else {
				text += fmt.Sprintf("%T|", e)
			}
			return true
		})
	}
	if q.Filter != nil {
		text += filter.Print(q.Filter) // how they are nested
	}
	return text + fmt.Sprint(q.Sort)
}
