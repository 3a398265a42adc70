package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A style is a way in which a backend's list is walked.
type style uint8

const (
	whole   style = iota // one answer holds all
	offsets              // page.offset (or page.start) and page.limit
	numbers              // page.number and page.size
	cursors              // page.cursor, from next
	links                // next is a URL
)

func (st *Step) style() style {
	uses := func(name string) bool {
		for _, e := range st.Call.Exprs() {
			if e.Uses("page." + name) {
				return true
			}
		}
		return false
	}
	switch {
	case uses("cursor"):
		return cursors
	case st.Next != nil:
		return links
	case uses("offset"):
		return offsets
	case uses("number"):
		return numbers
	}
	return whole
}

func (st *Step) size() int {
	if st.Size > 0 {
		return st.Size
	}
	return 100
}

// A chunk is one page of the backend.
type chunk struct {
	raws  []map[string]any
	total int // -1: not told
	next  any
	from  any // where the answer came from
}

// page is what expressions see of a page. Offsets count from 0, numbers from 1.
func (st *Step) page(offset, limit int) map[string]any {
	return map[string]any{"offset": offset, "limit": limit, "size": st.size(), "number": offset/st.size() + 1, "cursor": nil, "link": nil}
}

// fetch reads one page.
func (r *run) fetch(ctx context.Context, st *Step, page map[string]any) (chunk, error) {
	c := chunk{total: -1}
	s, err := r.exchange(ctx, st, r.scope.with(map[string]any{"page": page}))
	if err != nil {
		return c, err
	}
	if v, err := st.Truncated.Eval(s); err != nil || v == true {
		return c, &adapters.Error{Kind: adapters.TooMany, Op: r.op, Err: errors.Join(errors.New("the backend left records out"), err)}
	}
	v, err := st.Records.Eval(s)
	list, isList := v.([]any)
	if err != nil || !isList {
		return c, r.internal(fmt.Errorf("the answer holds no list where line %d says; if an empty list may be absent, write `?? []`: %w", st.Records.At.Line, errors.Join(err, errAbsent)))
	}
	for _, item := range list {
		raw, err := st.raw(item)
		if err != nil {
			return c, r.internal(err)
		}
		c.raws = append(c.raws, raw)
	}
	if st.Total != nil {
		if c.total, err = count(st.Total, s); err != nil {
			return c, r.internal(err)
		}
	}
	if c.next, err = st.Next.Eval(s); err != nil {
		c.next = nil // there is none on the last page
	}
	c.from = s[whence]
	return c, nil
}

// raw is an item of a list as an object. A bare value is one under the name "value".
func (st *Step) raw(item any) (map[string]any, error) {
	raw, isMap := item.(map[string]any)
	switch item.(type) {
	case nil, []any:
		return nil, fmt.Errorf("an item of the list is no record: %T", item)
	}
	if !isMap {
		raw = map[string]any{"value": item}
	}
	if len(st.Set) > 0 {
		raw = maps.Clone(raw)
		maps.Copy(raw, st.Set)
	}
	return raw, nil
}

func count(e *Expr, s Scope) (int, error) {
	v, err := e.Eval(s)
	if err != nil {
		return 0, err
	}
	switch v := plain(v).(type) {
	case int64:
		return int(v), nil
	case float64:
		return int(v), nil
	default:
		n, ok := number(adapters.Key(textOf(v)))
		if !ok || n < 0 {
			return 0, fmt.Errorf("line %d tells no total", e.At.Line)
		}
		return int(n), nil
	}
}

// pages walks a list to its end. A list that did not hold what it said it holds
// is walked once more, and refused if it still does not: a part of a list must
// not pass for the whole. identify tells its records apart.
func (r *run) pages(ctx context.Context, st *Step, limit int, identify func(map[string]any) (string, error)) ([]map[string]any, error) {
	for again := false; ; again = true {
		raws, total, err := r.onePass(ctx, st, limit, identify)
		if err != nil {
			return nil, err
		}
		if total < 0 || total == len(raws) {
			return raws, nil
		}
		if again {
			return nil, adapters.Errorf(adapters.Unavailable, r.op, "the backend lists %d records and says that there are %d", len(raws), total)
		}
	}
}

// errLong is a list that is too long to be walked.
var errLong = errors.New("the list has more")

// onePass walks a list once, leaving out what comes twice.
func (r *run) onePass(ctx context.Context, st *Step, limit int, identify func(map[string]any) (string, error)) (all []map[string]any, total int, err error) {
	seen := map[string]bool{}
	w := walker{st: st, style: st.style()}
	for page := st.page(0, st.size()); page != nil; {
		if err := ctx.Err(); err != nil {
			return nil, 0, &adapters.Error{Kind: adapters.Unavailable, Op: r.op, Err: err}
		}
		c, err := r.fetch(ctx, st, page)
		if err != nil {
			return nil, 0, err
		}
		fresh := 0
		for _, raw := range c.raws {
			name, err := identify(raw)
			if err != nil {
				return nil, 0, r.internal(err)
			}
			if !seen[name] {
				seen[name] = true
				all = append(all, raw)
				fresh++
			}
		}
		if total = c.total; len(all) > limit {
			return nil, 0, adapters.Errorf(adapters.TooMany, r.op, "%w than %d records", errLong, limit)
		}
		if page, err = w.following(c, fresh, len(all)); err != nil {
			return nil, 0, r.internal(err)
		}
	}
	return all, total, nil
}

// maxHelp is how many records of another list an operation may need.
const maxHelp = 100_000

// content tells records apart of which no key is known.
func content(raw map[string]any) (string, error) {
	text, err := json.Marshal(raw)
	return string(text), err
}

// helper walks a list whose records are not what the operation is about: later
// steps see them as steps.NAME.records.
func (r *run) helper(ctx context.Context, st *Step, s Scope) (any, error) {
	q := *r
	q.scope = s
	raws, err := q.pages(ctx, st, maxHelp, content)
	out := make([]any, len(raws))
	for i, raw := range raws {
		out[i] = raw
	}
	return out, err
}

// A walker decides what comes after a page.
type walker struct {
	st    *Step
	style style
	read  int // records so far
	pages int
	past  map[string]bool // cursors and links that were followed
}

// following is the next page, nil after the last. Without a total only an empty
// page is an end: a page that is short may have been cut.
func (w *walker) following(c chunk, fresh, all int) (map[string]any, error) {
	w.read += len(c.raws)
	w.pages++
	switch w.style {
	case cursors, links:
		return w.follow(c)
	case whole:
		return nil, nil
	}
	done := len(c.raws) == 0 || c.total >= 0 && all >= c.total
	if done {
		return nil, nil
	}
	if fresh == 0 && w.pages > 1 {
		return nil, errors.New("the same page comes again: the backend does not know the parameter of the page")
	}
	next := w.st.page(w.read, w.st.size())
	next["number"] = w.pages + 1
	return next, nil
}

func (w *walker) follow(c chunk) (map[string]any, error) {
	next := textOf(plain(c.next))
	if next == "" {
		return nil, nil
	}
	if w.past == nil {
		w.past = map[string]bool{}
	}
	if w.past[next] {
		return nil, errors.New("the backend points back to a page that was read")
	}
	w.past[next] = true
	page := w.st.page(w.read, w.st.size())
	if w.style == links {
		page["link"], page[whence] = next, c.from
	} else {
		page["cursor"] = c.next
	}
	return page, nil
}

// through answers a query with the backend's own pages, where the backend's
// order stays and its filter is exact. ok is false where that cannot be done,
// or the answers give reason to look closer.
func (a *Adapter) through(ctx context.Context, q adapters.Query, from *place) (page adapters.Page, total int, ok bool, err error) {
	page.Total = -1
	st, what := a.direct(q)
	if st == nil {
		return page, 0, false, nil
	}
	offset := max(q.Offset, 0)
	if from != nil {
		offset = from.Offset
	}
	r := newRun("list", a.scope(q.Want).with(map[string]any{comparison: what}))
	limit := max(q.Limit, 0)
	raws, total, ok, err := a.window(ctx, r, st, offset, limit)
	if q.Filter != nil && adapters.Is(err, adapters.NotFound) { // matching looks closer
		return page, 0, false, nil
	}
	if !ok || err != nil {
		return page, 0, false, err
	}
	must := a.named(q.Filter)
	items, err := a.items(r, st, raws, q.Want.Union(must))
	if err == nil {
		items, err = a.fill(ctx, "list", items, must)
	}
	if err != nil {
		return page, 0, false, err
	}
	for _, it := range items {
		if q.Filter != nil && !filter.Matches(q.Filter, it.Subject()) {
			return adapters.Page{Total: -1}, 0, false, nil // not exact after all
		}
	}
	if page.Records, err = a.finish(ctx, items, q.Want); err != nil {
		return page, 0, false, err
	}
	if q.Total {
		page.Total = total
	}
	if end := offset + len(raws); limit > 0 && len(raws) > 0 && end < total {
		page.Next = place{Offset: end}.cursor()
	}
	return page, total, true, nil
}

// direct is the step whose pages can be passed through, or nil.
func (a *Adapter) direct(q adapters.Query) (*Step, map[string]any) {
	op, what := a.o.List, map[string]any(nil)
	if q.Filter != nil {
		c, ok := q.Filter.(*filter.Compare)
		if !ok || a.byKey(c) {
			return nil, nil
		}
		f := a.findFor(c)
		if f == nil || !f.Exact {
			return nil, nil
		}
		op, what = f.Steps, filterOf(c)
	}
	if len(op) != 1 || !op[0].Ordered || op[0].Total == nil || op[0].When != nil {
		return nil, nil
	}
	if s := op[0].style(); s != offsets && s != numbers {
		return nil, nil
	}
	return op[0], what
}

// window reads limit records from offset on. ok is false if the pages do not
// fit together.
func (a *Adapter) window(ctx context.Context, r *run, st *Step, offset, limit int) (raws []map[string]any, total int, ok bool, err error) {
	byNumber := st.style() == numbers
	for {
		at, n := offset+len(raws), min(limit-len(raws), st.size())
		skip := 0
		if byNumber {
			skip, n = at%st.size(), st.size()
		}
		c, err := r.fetch(ctx, st, st.page(at-skip, max(n, 1)))
		if err != nil {
			return nil, 0, false, err
		}
		total = c.total
		atEnd := at-skip+len(c.raws) >= total
		if byNumber && len(c.raws) != n && !atEnd {
			return nil, 0, false, nil // the size was not obeyed
		}
		got := c.raws[min(skip, len(c.raws)):]
		if len(got) == 0 && at < total && limit > 0 {
			return nil, 0, false, nil
		}
		raws = append(raws, got[:min(len(got), limit-len(raws))]...)
		if len(raws) >= limit || atEnd {
			return raws, total, true, nil
		}
	}
}
