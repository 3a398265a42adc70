package file

import (
	"context"
	"slices"
	"sync"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
)

// A link is a field whose values stand in a file of pairs, as one of its two ends
// sees it.
type link struct {
	Link
	at   int // in the shape
	file *source

	mu   sync.Mutex
	seen *pairs
}

// Pairs are what a file of pairs holds.
type pairs struct {
	c   *content
	bad []Problem
	by  map[string][]pair // by owner
}

// A pair is one row.
type pair struct {
	row           *row
	owner, member string
}

// current is what the file holds now.
func (l *link) current(ctx context.Context) (*pairs, error) {
	c, err := l.file.current(ctx)
	if err != nil {
		return nil, err
	}
	p := l.of(c)
	return p, p.whole()
}

// of reads a content, once.
func (l *link) of(c *content) *pairs {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil || l.seen.c != c {
		l.seen = l.look(c)
	}
	return l.seen
}

func (l *link) look(c *content) *pairs {
	p := &pairs{c: c, bad: slices.Clone(c.bad), by: map[string][]pair{}}
	columns := []string{l.Owner, l.Member}
	for _, name := range columns {
		if len(c.bad) == 0 && !c.form.has(c, name) {
			p.bad = append(p.bad, Problem{File: c.name, Line: 1, Text: "there is no column " + quoted(name), Column: name})
		}
	}
	if len(p.bad) > len(c.bad) {
		return p
	}
	for r := range c.records {
		values, err := c.form.read(c, r, columns)
		if err != nil {
			p.bad = append(p.bad, Problem{File: c.name, Line: r.line, Text: err.Error()})
			continue
		}
		one := pair{r, adapters.Text(values[0]), adapters.Text(values[1])}
		if one.owner == "" || one.member == "" {
			p.bad = append(p.bad, Problem{File: c.name, Line: r.line, Text: "one of the two is missing"})
			continue
		}
		p.by[one.owner] = append(p.by[one.owner], one)
	}
	return p
}

func (p *pairs) whole() error { return (&view{bad: p.bad}).whole() }

// members are the values that belong to a key, each once, in the order of keys.
func (p *pairs) members(key string) []string {
	var out []string
	for _, one := range p.by[key] {
		out = append(out, one.member)
	}
	slices.SortFunc(out, func(x, y string) int { return order.Keys(adapters.Key(x), adapters.Key(y)) })
	return slices.Compact(out)
}

// A pairings is what the files of pairs hold, for each link; nil for those that
// nobody asked for.
type pairings []*pairs

func (p *pairs) of(key string) []string {
	if p == nil {
		return nil
	}
	return p.members(key)
}

func (a *Adapter) wanted(want adapters.Fields) func(*link) bool {
	return func(l *link) bool { return want.Has(l.at) }
}

// linked reads the files of pairs that are needed.
func (a *Adapter) linked(ctx context.Context, needed func(*link) bool) (pairings, error) {
	all := make(pairings, len(a.links))
	for i, l := range a.links {
		if !needed(l) {
			continue
		}
		var err error
		if all[i], err = l.current(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// relate changes the pairs of a key: those of the members in remove go, and those in
// add come, unless they are there.
func (l *link) relate(now holding, op, key string, add, remove []string) error {
	c := now.content(l.file)
	p := l.look(c)
	if err := p.whole(); err != nil {
		return err
	}
	instead, there := map[*row]*row{}, map[string]bool{}
	for _, one := range p.by[key] {
		if slices.Contains(remove, one.member) {
			instead[one.row] = nil
		} else {
			there[one.member] = true
		}
	}
	var added []*row
	for _, m := range add {
		if there[m] || m == "" {
			continue
		}
		there[m] = true
		text, bad := c.form.write(c, nil, []cell{{column: l.Owner, value: key}, {column: l.Member, value: m}})
		if bad != nil {
			return fieldError(adapters.Invalid, op, l.Field, "%s", bad.why)
		}
		added = append(added, &row{text: text})
	}
	if len(instead)+len(added) > 0 {
		return now.replace(l.file, c, instead, added)
	}
	return nil
}

// rename gives the pairs of a key to another one. With "" they go.
func (l *link) rename(now holding, from, to string) error {
	c := now.content(l.file)
	p := l.look(c)
	if err := p.whole(); err != nil {
		return err
	}
	instead := map[*row]*row{}
	for _, one := range p.by[from] {
		if to == "" {
			instead[one.row] = nil
			continue
		}
		text, bad := c.form.write(c, one.row, []cell{{column: l.Owner, value: to}})
		if bad != nil {
			return fieldError(adapters.Invalid, "update", l.Field, "%s", bad.why)
		}
		instead[one.row] = &row{line: one.row.line, text: text, end: one.row.end}
	}
	if len(instead) > 0 {
		return now.replace(l.file, c, instead, nil)
	}
	return nil
}
