package file

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/postern/postern/adapters"
)

// A source is one file. Adapters whose records or pairs stand in it share it.
type source struct {
	path string // without symbolic links, if it was there at start
	name string // for people
	form format
	enc  encoding

	turn   chan struct{} // whoever reads the file anew has it
	loaded atomic.Pointer[loaded]
	swept  atomic.Bool
}

// A loaded is what was read last. The content stays the same one as long as the file
// holds the same.
type loaded struct {
	*content
	state   state
	sum     uint64
	settled bool
}

var seed = maphash.MakeSeed()

// current is what the file holds now. It is read only if it may have changed.
func (s *source) current(ctx context.Context) (*content, error) {
	if l := s.loaded.Load(); l != nil && l.settled && s.is(l.state) {
		return l.content, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	if l := s.loaded.Load(); l != nil && s.is(l.state) && s.verified(l) {
		return l.content, nil
	}
	f, err := s.lock(ctx, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := s.read(f)
	if err != nil {
		return nil, err
	}
	return l.content, nil
}

// is reports whether the file is in a state.
func (s *source) is(st state) bool {
	info, err := os.Stat(s.path)
	return err == nil && stateOf(info) == st
}

// verified reports whether the file holds what was read, though its state alone does
// not tell. Nobody is waited for.
func (s *source) verified(l *loaded) bool {
	if l.settled {
		return true
	}
	f, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer f.Close()
	now := time.Now()
	data, err := readAll(f, l.state.size)
	info, after := f.Stat()
	if err != nil || after != nil || stateOf(info) != l.state || maphash.Bytes(seed, data) != l.sum {
		return false
	}
	if l.state.settled(now) {
		s.loaded.CompareAndSwap(l, &loaded{content: l.content, state: l.state, sum: l.sum, settled: true})
	}
	return true
}

// read is what a file that was opened holds, while its lock is held.
func (s *source) read(f *os.File) (*loaded, error) {
	for range maxTries {
		info, err := f.Stat()
		if err != nil {
			return nil, failed(err)
		}
		l, st := s.loaded.Load(), stateOf(info)
		if l != nil && l.settled && l.state == st {
			return l, nil
		}
		now := time.Now()
		data, err := readAll(f, info.Size())
		if err != nil {
			return nil, failed(err)
		}
		if info, err = f.Stat(); err != nil {
			return nil, failed(err)
		}
		if stateOf(info) != st {
			continue // somebody is writing
		}
		sum := maphash.Bytes(seed, data)
		next := &loaded{state: st, sum: sum, settled: st.settled(now)}
		if l != nil && l.sum == sum && l.state.size == st.size {
			next.content = l.content // touched, and no more
		} else {
			next.content = s.split(data)
		}
		s.loaded.Store(next)
		return next, nil
	}
	return nil, unavailable(fmt.Errorf("%s is being written all the time", s.name))
}

func (s *source) split(data []byte) *content {
	text, bad := decodeText(s.enc, data)
	c := s.form.split(s.name, text)
	if bad > 0 {
		c.problem(bad, errEncoding.Error())
	}
	return c
}

func readAll(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size+1)
	n, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		return data[:n], nil
	}
	if err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(io.NewSectionReader(f, int64(n), 1<<62))
	return append(data, rest...), err
}

const (
	maxTries = 20
	// patience is how long to wait before asking again for a lock that others hold.
	patience = 5 * time.Millisecond
)

// lock opens the file that has the name now and takes its lock: to read it, or
// alone, to replace it. Closing the file gives the lock back.
func (s *source) lock(ctx context.Context, alone bool) (*os.File, error) {
	for {
		f, err := os.Open(s.path)
		if err != nil {
			return nil, failed(err)
		}
		ok, err := tryLock(f, alone)
		if err == nil && ok && s.still(f) {
			return f, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, failed(err)
		}
		if err := wait(ctx); err != nil {
			return nil, unavailable(fmt.Errorf("%s is locked by somebody else: %w", s.name, ctx.Err()))
		}
	}
}

// wait lets somebody else come to an end.
func wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-time.After(patience):
		return nil
	}
}

// still reports whether an open file is the one that has the name.
func (s *source) still(f *os.File) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(s.path)
	return err == nil && os.SameFile(have, named)
}

// beside is the beginning of the names of files that take the place of this one.
func (s *source) beside() string { return "." + filepath.Base(s.path) + ".postern-" }

// stage writes the new file, whole and on the disk, with the owner and the mode of
// the old one. It has no name that counts yet, and is locked.
func (s *source) stage(old *os.File, data []byte) (*os.File, error) {
	info, err := old.Stat()
	if err != nil {
		return nil, failed(err)
	}
	if err := s.replaceable(info); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), s.beside()+"*")
	if err != nil {
		return nil, failed(err)
	}
	if _, err = tryLock(f, true); err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = own(f, info)
	}
	if err == nil {
		err = f.Chmod(info.Mode())
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		drop(f)
		return nil, failed(err)
	}
	return f, nil
}

// replaceable refuses a file that another one cannot take the place of.
func (s *source) replaceable(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return &adapters.Error{Kind: adapters.Denied, Err: fmt.Errorf("%s is no regular file", s.name)}
	case names(info) > 1:
		return &adapters.Error{Kind: adapters.Denied, Err: fmt.Errorf("%s has several names (hard links), of which only one would have the new content", s.name)}
	}
	return nil
}

// drop throws a staged file away.
func drop(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// sweepOnce is sweep at the first change.
func (s *source) sweepOnce() {
	if s.swept.CompareAndSwap(false, true) {
		s.sweep()
	}
}

// sweep removes what processes left behind that were killed while they wrote: what
// nobody has the lock of.
func (s *source) sweep() {
	left, _ := filepath.Glob(filepath.Join(escape(filepath.Dir(s.path)), escape(s.beside())+"*"))
	for _, path := range left {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		info, err := f.Stat()
		if err == nil && info.ModTime().Add(coarse).Before(time.Now()) {
			if free, err := tryLock(f, true); free && err == nil {
				_ = os.Remove(path)
			}
		}
		_ = f.Close()
	}
}

// escape makes a path a pattern that only it matches.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// failed is what a file's failure means to whoever asked for a record.
func failed(err error) error {
	kind := adapters.Unavailable
	if errors.Is(err, fs.ErrPermission) {
		kind = adapters.Denied
	}
	return &adapters.Error{Kind: kind, Err: err}
}

func unavailable(err error) error { return &adapters.Error{Kind: adapters.Unavailable, Err: err} }
