package file

import (
	"io/fs"
	"time"
)

// A state tells one content of a file from another without reading it.
type state struct {
	id       identity
	size     int64
	modified time.Time
}

// stateOf is the state of what is there.
func stateOf(info fs.FileInfo) state {
	return state{id: identityOf(info), size: info.Size(), modified: info.ModTime()}
}

// A change must come later than the one before to be sure to have another time: a
// little, or, where times are whole seconds, two of those.
const (
	tick   = 100 * time.Millisecond
	coarse = 2 * time.Second
)

// settled reports whether a file that was read at a time can not have changed since
// without being in another state.
func (s state) settled(read time.Time) bool {
	if s.modified.Nanosecond() == 0 {
		return s.modified.Add(coarse).Before(read)
	}
	return s.modified.Add(tick).Before(read)
}
