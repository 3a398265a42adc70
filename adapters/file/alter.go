package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// A held file is one whose lock is held.
type held struct {
	*source
	file   *os.File
	read   *loaded
	now    *content // nil: it stays
	staged *os.File
}

// errMoved says that somebody changed a file while it was being changed.
var errMoved = errors.New("the file is changed by somebody else all the time")

// alter changes files. Told what they hold, f puts into holding what they are to
// hold; they are replaced in the order of the list. What somebody else has written
// meanwhile is never overwritten: then all begins again.
func (b *Backend) alter(ctx context.Context, files []*source, f func(now holding) error) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	for tries := 0; tries < maxTries; {
		if err := b.settle(ctx); err != nil {
			return err
		}
		err := b.attempt(ctx, files, f)
		switch {
		case errors.Is(err, errBusy):
			if err := wait(ctx); err != nil {
				return err
			}
		case errors.Is(err, errMoved):
			tries++
		default:
			return err
		}
	}
	return unavailable(errMoved)
}

func (b *Backend) attempt(ctx context.Context, files []*source, f func(now holding) error) error {
	all, err := lockAll(ctx, files)
	defer func() {
		for _, h := range all {
			if h.staged != nil {
				drop(h.staged)
			}
			_ = h.file.Close()
		}
	}()
	if err != nil {
		return err
	}
	if b.intent.names(all) {
		return errBusy
	}
	for _, h := range all {
		if h.read, err = h.source.read(h.file); err != nil {
			return err
		}
	}
	if err := f(holding(all)); err != nil {
		return err
	}
	ordered := holding(all).changed(files)
	if len(ordered) == 0 {
		return nil
	}
	if b.cfg.Watch == nil {
		return b.replace(ctx, ordered)
	}
	e := &adapters.Exchange{Request: said(ordered)}
	if err := b.cfg.Watch.Before(ctx, e); err != nil {
		return err
	}
	if e.Err = b.replace(ctx, ordered); !errors.Is(e.Err, errMoved) {
		b.cfg.Watch.After(ctx, e)
	}
	return e.Err
}

// lockAll locks files in one order for all, so that nobody waits in a circle.
func lockAll(ctx context.Context, files []*source) ([]*held, error) {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(x, y *source) int { return cmp.Compare(x.path, y.path) })
	var all []*held
	for _, s := range slices.Compact(sorted) {
		f, err := s.lock(ctx, true)
		if err != nil {
			return all, err
		}
		all = append(all, &held{source: s, file: f})
	}
	return all, nil
}

// holding is all files of a change.
type holding []*held

func (h holding) of(s *source) *held {
	return h[slices.IndexFunc(h, func(x *held) bool { return x.source == s })]
}

// content is what a file holds, as far as the change has come.
func (h holding) content(s *source) *content {
	if x := h.of(s); x.now != nil {
		return x.now
	}
	return h.of(s).read.content
}

func (h holding) set(s *source, c *content) { h.of(s).now = c }

// replace gives a file other rows than those of a content of it.
func (h holding) replace(s *source, c *content, instead map[*row]*row, added []*row) error {
	next, err := c.with(instead, added)
	if err == nil {
		h.set(s, next)
	}
	return err
}

// changed are the files that are to hold something else, in the order of the list.
func (h holding) changed(files []*source) []*held {
	var out []*held
	for _, s := range files {
		if x := h.of(s); x.now != nil && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// replace writes all files beside the old ones and puts them in their places. Of
// several it is noted before, so that a half of the change does not stay.
func (b *Backend) replace(ctx context.Context, all []*held) error {
	sums := make([]uint64, len(all))
	for i, h := range all {
		h.sweepOnce()
		data, err := encodeText(h.enc, h.now.text())
		if err != nil {
			return &adapters.Error{Kind: adapters.Invalid, Err: err}
		}
		sums[i] = maphash.Bytes(seed, data)
		if h.staged, err = h.stage(h.file, data); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if slices.ContainsFunc(all, func(h *held) bool { return !h.unmoved() }) {
		return errMoved
	}
	if len(all) == 1 {
		return b.swap(all, sums)
	}
	done, err := b.intend(ctx, all)
	if err != nil {
		return err
	}
	defer done()
	return b.swap(all, sums)
}

// swap puts the new files in the places of the old ones.
func (b *Backend) swap(all []*held, sums []uint64) error {
	for i, h := range all {
		b.reached(i)
		if i > 0 && !h.unmoved() {
			return &adapters.Error{Kind: adapters.Unavailable, Unsure: true, Err: fmt.Errorf("%s was changed by somebody else in the last moment", h.name)}
		}
		if err := h.swap(sums[i]); err != nil {
			return &adapters.Error{Kind: adapters.Unavailable, Unsure: true, Err: err}
		}
	}
	b.reached(len(all))
	return nil
}

// reached tells a test how many files have been put in place.
func (b *Backend) reached(files int) {
	if b.stop != nil {
		b.stop(files)
	}
}

// unmoved reports whether the file is still the one that was read, as it was.
func (h *held) unmoved() bool {
	return h.is(h.read.state) && h.verified(h.read)
}

// swap puts the new file in the place of the old one.
func (h *held) swap(sum uint64) error {
	f := h.staged
	if err := os.Rename(f.Name(), h.path); err != nil {
		return err
	}
	h.staged = nil
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		h.loaded.Store(&loaded{content: h.now, state: stateOf(info), sum: sum})
	}
	return syncFolder(filepath.Dir(h.path))
}

// said is what is about to be written, as a person reads it. Rows are not shown: they
// hold more than the fields that anybody asked for.
func said(all []*held) string {
	var b strings.Builder
	for _, h := range all {
		fmt.Fprintf(&b, "replace %s\n", h.name)
		had, has := map[*row]bool{}, map[*row]bool{}
		for _, r := range h.read.rows {
			had[r] = true
		}
		for _, r := range h.now.rows {
			has[r] = true
		}
		for _, r := range h.read.rows {
			if !has[r] && !slices.ContainsFunc(h.now.rows, func(n *row) bool { return n.line == r.line }) {
				fmt.Fprintf(&b, "  line %d goes\n", r.line)
			}
		}
		for _, r := range h.now.rows {
			switch {
			case had[r]:
			case r.line > 0:
				fmt.Fprintf(&b, "  line %d changes\n", r.line)
			default:
				b.WriteString("  a line more\n")
			}
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
