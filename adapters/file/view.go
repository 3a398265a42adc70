package file

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
	"github.com/postern/postern/scim/filter"
)

// A view is the records of a content, as one adapter reads them. It never changes.
type view struct {
	c      *content
	caps   *adapters.Capabilities
	sorted []*entry // by key
	bad    []Problem

	mu      sync.Mutex
	indexes map[index]map[string][]*entry // made when they are first asked for
}

// An entry is a record and the row that it was read from. Lists that stand in other
// files are not among its values.
type entry struct {
	row     *row
	rec     adapters.Record
	rank    order.Rank
	doubled bool // another has the same key
}

// An index finds entries by the text of a field.
type index struct {
	field  int
	folded bool
}

// settled is view after a change that was broken off has come to its end.
func (a *Adapter) settled(ctx context.Context) (*view, error) {
	if err := a.b.settle(ctx); err != nil {
		return nil, err
	}
	return a.view(ctx)
}

// view is what the file holds now.
func (a *Adapter) view(ctx context.Context) (*view, error) {
	c, err := a.main.current(ctx)
	if err != nil {
		return nil, err
	}
	return a.viewOf(c), nil
}

// viewOf reads the records of a content, once.
func (a *Adapter) viewOf(c *content) *view {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range a.seen {
		if v != nil && v.c == c {
			return v
		}
	}
	v := a.look(c)
	a.seen = [2]*view{v, a.seen[0]}
	return v
}

// becomes keeps what a view is after a change that was worked out here, so that
// nothing is read again; nil stands for no entry.
func (a *Adapter) becomes(v *view, c *content, gone, come *entry) {
	next := &view{c: c, caps: v.caps, sorted: make([]*entry, 0, len(v.sorted)+1)}
	for _, e := range v.sorted {
		if come != nil && e.rank.Compare(come.rank) > 0 {
			next.sorted = append(next.sorted, come)
			come = nil
		}
		switch {
		case e == gone:
		case e.row == c.ended[0]:
			moved := *e
			moved.row = c.ended[1]
			next.sorted = append(next.sorted, &moved)
		default:
			next.sorted = append(next.sorted, e)
		}
	}
	if come != nil {
		next.sorted = append(next.sorted, come)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = [2]*view{next, v}
}

func (a *Adapter) look(c *content) *view {
	v := &view{c: c, caps: &a.caps, bad: slices.Clone(c.bad)}
	v.bad = append(v.bad, a.missing(c)...)
	if len(v.bad) > len(c.bad) {
		return v
	}
	for r := range c.records {
		e, err := a.entry(c, r)
		if err != nil {
			v.bad = append(v.bad, Problem{File: c.name, Line: r.line, Text: err.Error()})
			continue
		}
		v.sorted = append(v.sorted, e)
	}
	slices.SortStableFunc(v.sorted, func(x, y *entry) int { return x.rank.Compare(y.rank) })
	for i, e := range v.sorted {
		if i == 0 || v.sorted[i-1].rec.Key != e.rec.Key {
			continue
		}
		first := v.sorted[i-1]
		e.doubled, first.doubled = true, true
		v.bad = append(v.bad, Problem{File: c.name, Line: e.row.line, Text: fmt.Sprintf("the key is that of line %d", first.row.line)})
	}
	slices.SortStableFunc(v.bad, func(x, y Problem) int { return x.Line - y.Line })
	return v
}

// missing lists the columns that a file lacks.
func (a *Adapter) missing(c *content) []Problem {
	var out []Problem
	if len(c.bad) > 0 && len(c.rows) == 0 {
		return nil // the names could not be read
	}
	for _, name := range a.columns {
		if !c.form.has(c, name) {
			out = append(out, Problem{File: c.name, Line: 1, Text: fmt.Sprintf("there is no column %q", name), Column: name})
		}
	}
	return out
}

// entry reads a row.
func (a *Adapter) entry(c *content, r *row) (*entry, error) {
	values, err := c.form.read(c, r, a.columns)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(values[a.keyAt:])
	if err != nil {
		return nil, err
	}
	e := &entry{row: r, rec: adapters.NewRecord(a.caps.Shape, key), rank: order.RankOf(key)}
	for i, at := range a.positions {
		e.rec.SetAt(at, values[i])
	}
	return e, nil
}

// keyOf is the key that a row holds.
func keyOf(values []any) (adapters.Key, error) {
	parts := make([]string, len(values))
	for i, v := range values {
		if parts[i] = adapters.Text(v); parts[i] == "" {
			return "", errNoKey
		}
	}
	return adapters.JoinKey(parts...), nil
}

var errNoKey = errors.New("the record has no key")

// whole fails if there is something in the file that cannot be read.
func (v *view) whole() error {
	if len(v.bad) == 0 {
		return nil
	}
	more := ""
	if n := len(v.bad) - 1; n > 0 {
		more = fmt.Sprintf(", and %d more", n)
	}
	return unavailable(fmt.Errorf("%s%s", v.bad[0], more))
}

// find is the entry with a key, nil if there is none.
func (v *view) find(key adapters.Key) *entry {
	rank := order.RankOf(key)
	i, ok := slices.BinarySearchFunc(v.sorted, rank, func(e *entry, r order.Rank) int { return e.rank.Compare(r) })
	if !ok {
		return nil
	}
	return v.sorted[i]
}

// candidates are entries among which all are that a filter is true of, by key.
func (v *view) candidates(e filter.Expr) []*entry {
	switch e := e.(type) {
	case filter.False:
		return nil
	case *filter.Compare:
		if found, ok := v.lookup(e); ok {
			return found
		}
	case filter.And:
		for _, t := range e {
			if c, ok := t.(*filter.Compare); ok {
				if found, ok := v.lookup(c); ok {
					return found
				}
			}
		}
	}
	return v.sorted
}

// lookup answers comparisons of texts by an index; false for others.
func (v *view) lookup(c *filter.Compare) ([]*entry, bool) {
	if c.Op != filter.Eq || c.Value.Kind != filter.String || c.Value.Str == "" || c.Match != filter.Exact && c.Match != filter.Folded {
		return nil, false
	}
	if c.Name == adapters.KeyField {
		if e := v.find(adapters.Key(c.Value.Str)); e != nil && c.Match == filter.Exact {
			return []*entry{e}, true
		}
		return nil, c.Match == filter.Exact
	}
	i := index{v.caps.Shape.Index(c.Name), c.Match == filter.Folded}
	if v.caps.Fields[i.field].Multi {
		return nil, false
	}
	return v.index(i)[i.text(c.Value.Str)], true
}

func (i index) text(s string) string {
	if i.folded {
		return filter.Fold(s)
	}
	return s
}

// taken reports whether an entry holds a text. No index is made for that: the next
// change would throw it away.
func (v *view) taken(i index, text string) bool {
	return slices.ContainsFunc(v.sorted, func(e *entry) bool {
		held := adapters.Text(e.rec.At(i.field))
		return held == text || i.folded && strings.EqualFold(held, text)
	})
}

func (v *view) index(i index) map[string][]*entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.indexes == nil {
		v.indexes = map[index]map[string][]*entry{}
	}
	if v.indexes[i] == nil {
		all := make(map[string][]*entry, len(v.sorted))
		for _, e := range v.sorted {
			if text := i.text(adapters.Text(e.rec.At(i.field))); text != "" {
				all[text] = append(all[text], e)
			}
		}
		v.indexes[i] = all
	}
	return v.indexes[i]
}
