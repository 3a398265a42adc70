package file

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/postern/postern/adapters"
)

// This file is for changes of several files. Each file is replaced at once, and all of
// them are not: what is going to be replaced by what is written down first, in the
// folder. Whoever finds that somebody was killed on the way finishes the change, before
// anything is read. If no file was replaced yet, the change never was.

// An intent is the file that says which files are being replaced. Whoever replaces
// them has its lock.
type intent struct {
	path string
	ours *atomic.Bool // somebody of this process is at it
}

func intentIn(folder string) intent {
	return intent{filepath.Join(folder, ".postern-change"), new(atomic.Bool)}
}

// A move is a new file that takes the place of another one, which holds Was.
type move struct {
	From, To, Was []byte // the first two are paths, which may be in any encoding
}

// errBusy says that another change of the files is under way.
var errBusy = errors.New("another change of the same files is under way")

// intend writes down what is going to be replaced, to the disk. It waits for the
// change of somebody else, which has all the locks that it needs.
func (b *Backend) intend(ctx context.Context, all []*held) (done func(), err error) {
	moves := make([]move, len(all))
	for i, h := range all {
		sum, err := digest(h.file)
		if err != nil {
			return nil, failed(err)
		}
		moves[i] = move{[]byte(h.staged.Name()), []byte(h.path), sum}
	}
	data, err := json.Marshal(moves)
	if err != nil {
		return nil, err
	}
	f, err := b.intent.make(ctx, b)
	if err != nil {
		return nil, err
	}
	b.intent.ours.Store(true)
	done = func() {
		half := all[0].staged == nil && slices.ContainsFunc(all, func(h *held) bool { return h.staged != nil })
		if half { // it could not be finished: whoever comes next tries again
			keep(all)
		} else {
			_ = os.Remove(b.intent.path)
		}
		_ = f.Close()
		b.intent.ours.Store(false)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	for _, m := range append(moves, move{To: []byte(b.intent.path)}) {
		if err == nil {
			err = syncFolder(filepath.Dir(string(m.To)))
		}
	}
	if err != nil {
		done()
		return nil, failed(err)
	}
	return done, nil
}

// keep leaves the new files where they are.
func keep(all []*held) {
	for _, h := range all {
		if h.staged != nil {
			_ = h.staged.Close()
			h.staged = nil
		}
	}
}

// make makes the file and takes its lock.
func (in intent) make(ctx context.Context, b *Backend) (*os.File, error) {
	for {
		f, err := os.OpenFile(in.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			if free, err := tryLock(f, true); free && err == nil && same(f, in.path) {
				return f, nil
			}
			_ = f.Close() // somebody took it for one that was left behind
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, failed(err)
		}
		if err := b.settle(ctx); err != nil {
			return nil, err
		}
		if err := wait(ctx); err != nil {
			return nil, err
		}
	}
}

// same reports whether an open file is the one that has the name.
func same(f *os.File, path string) bool {
	have, err := f.Stat()
	named, missing := os.Stat(path)
	return err == nil && missing == nil && os.SameFile(have, named)
}

// names reports whether a change is under way that replaces one of the files.
func (in intent) names(all []*held) bool {
	if _, err := os.Lstat(in.path); err != nil {
		return false
	}
	data, err := os.ReadFile(in.path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(readMoves(data), func(m move) bool {
		return slices.ContainsFunc(all, func(h *held) bool { return h.path == string(m.To) })
	})
}

// readMoves is what an intent says; nothing if it is not whole: then it was not begun.
// One that names other files than stage makes is not Postern's: whoever may write in the
// folder must not have files moved that are elsewhere.
func readMoves(data []byte) []move {
	var out []move
	if json.Unmarshal(data, &out) != nil || slices.ContainsFunc(out, func(m move) bool { return !m.staged() }) {
		return nil
	}
	return out
}

func (m move) staged() bool {
	from, to := string(m.From), string(m.To)
	return filepath.Dir(from) == filepath.Dir(to) && strings.HasPrefix(filepath.Base(from), (&source{path: to}).beside())
}

// settle finishes a change whose writer was killed. Who is at it now is not waited for.
func (b *Backend) settle(ctx context.Context) error {
	if _, err := os.Lstat(b.intent.path); err != nil || b.intent.ours.Load() {
		return nil //nolint:nilerr // as a rule there is none
	}
	f, err := os.Open(b.intent.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return failed(err)
	}
	defer f.Close()
	free, err := tryLock(f, true)
	if err != nil {
		return failed(err)
	}
	if !free || !same(f, b.intent.path) {
		return nil
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return failed(err)
	}
	if err := finish(ctx, readMoves(data)); err != nil {
		return err
	}
	if err := os.Remove(b.intent.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	return nil
}

// finish makes the moves that are missing, or throws all new files away if none has
// been made.
func finish(ctx context.Context, moves []move) error {
	begun := slices.ContainsFunc(moves, func(m move) bool {
		_, err := os.Lstat(string(m.From))
		return errors.Is(err, fs.ErrNotExist)
	})
	for _, m := range moves {
		if !begun {
			_ = os.Remove(string(m.From))
		} else if err := m.finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// finish puts the new file in its place, unless somebody has changed the old one since.
func (m move) finish(ctx context.Context) error {
	from, to := string(m.From), string(m.To)
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f, err := (&source{path: to, name: filepath.Base(to)}).lock(ctx, true)
	if err != nil {
		return err
	}
	defer f.Close()
	is, err := digest(f)
	if err != nil {
		return failed(err)
	}
	if !slices.Equal(is, m.Was) {
		_ = os.Remove(from)
		return nil
	}
	if err := os.Rename(from, to); err != nil {
		return failed(err)
	}
	if err := syncFolder(filepath.Dir(to)); err != nil {
		return &adapters.Error{Kind: adapters.Unavailable, Err: err}
	}
	return nil
}

// digest is what tells one content from another after the process is gone.
func digest(f *os.File) ([]byte, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<62))
	return h.Sum(nil), err
}
