package sql

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Get implements adapters.Adapter.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	p, err := a.plan(ctx, "get")
	if err != nil {
		return adapters.Record{}, err
	}
	var r adapters.Record
	_, links := p.wanted(want)
	err = a.view(ctx, "get", len(links) > 0, func(ctx context.Context, s session) error {
		r, err = a.find(ctx, s, p, key, want)
		return err
	})
	return r, err
}

// find reads one record.
func (a *Adapter) find(ctx context.Context, s session, p *plan, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	columns, links := p.wanted(want)
	b := newBuilder()
	p.selection(b, columns)
	p.source(b, columns, nil)
	p.at(b, key)
	b.add(" LIMIT 2") // the second would be the proof that the key is none
	found, err := a.rows(ctx, s.quick(), p, b, columns, false, 1)
	switch {
	case err != nil:
		return adapters.Record{}, err
	case len(found.records) == 0:
		return adapters.Record{}, &adapters.Error{Kind: adapters.NotFound}
	case len(found.records) > 1:
		return adapters.Record{}, errAmbiguous
	}
	if err := found.relate(ctx, s, p, links); err != nil {
		return adapters.Record{}, err
	}
	return found.records[0], nil
}

var errAmbiguous = &adapters.Error{Kind: adapters.Internal, Err: errors.New("several rows have the key")}

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	if err := a.caps.Check(q); err != nil {
		return page, err
	}
	p, err := a.plan(ctx, "list")
	if err != nil {
		return page, err
	}
	start, err := p.start(q)
	if err != nil {
		return page, err
	}
	q.Filter = p.beyond(q.Filter)
	where, hard := newBuilder(), p.hard(q.Filter)
	if !hard {
		if err := p.where(where, q.Filter); err != nil {
			return page, &adapters.Error{Kind: adapters.Unsupported, Op: "list", Err: err}
		}
	}
	_, links := p.wanted(q.Want)
	err = a.view(ctx, "list", hard || len(links) > 0, func(ctx context.Context, s session) error {
		if hard {
			if where, err = a.resolved(ctx, s, p, q.Filter); err != nil {
				return err
			}
		}
		page, err = a.page(ctx, s, p, q, start, where)
		return err
	})
	return page, err
}

// page reads a page: one statement, and one for each wanted list.
func (a *Adapter) page(ctx context.Context, s session, p *plan, q adapters.Query, from start, where *builder) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	wanted, key, mark := q.Total, p.countKey(where), a.db.counts.mark()
	total, known := a.db.counts.get(key)
	if q.Limit > 0 {
		columns, links := p.wanted(q.Want)
		q.Total = wanted && !known
		found, err := a.found(ctx, s, p, q, from, where, columns)
		if err != nil {
			return page, err
		}
		if page.Total = found.total; known && wanted {
			page.Total = told(len(found.records), q.Limit, total, from)
		}
		if len(found.records) > q.Limit {
			found.cut(q.Limit)
			page.Next = from.next(found.last, q)
		}
		if err := found.relate(ctx, s, p, links); err != nil {
			return page, err
		}
		page.Records = found.records
	} else if known {
		page.Total = total
	}
	switch {
	case !wanted:
		page.Total = -1
	case page.Total >= 0:
	case q.Limit > 0 && from.offset == 0 && from.after == nil && !known:
		page.Total = 0 // the first page is empty
	default:
		if err := p.count(ctx, s, q.Filter, where, &page.Total); err != nil {
			return page, err
		}
	}
	if !known || page.Total != total {
		a.db.counts.put(key, page.Total, mark)
	}
	return page, nil
}

// found reads the rows of a page, and one more if there is one.
func (a *Adapter) found(ctx context.Context, s session, p *plan, q adapters.Query, from start, where *builder, columns []int) (*result, error) {
	if from.after == nil && len(p.key) == 1 && p.pinned(q.Filter) {
		out, err := a.few(ctx, s, p, q, from, where, columns)
		if out != nil || err != nil {
			return out, err
		}
	}
	b, err := p.statement(q, from, where, columns)
	if err != nil {
		return nil, err
	}
	return a.rows(ctx, s, p, b, columns, q.Total, q.Limit)
}

// count counts the records of which a filter is true, of which where is the condition.
func (p *plan) count(ctx context.Context, s session, e filter.Expr, where *builder, into *int) error {
	b := newBuilder().add("SELECT ")
	p.total(b, e, where)
	if err := b.check("list"); err != nil {
		return err
	}
	n, err := values(s.query(ctx, string(b.text), b.args...))
	if err != nil {
		return err
	}
	total, _ := n[0].(int64)
	*into = int(total)
	return nil
}

// statement writes the statement of a page. It asks for one row more, to learn
// whether there is a next page.
func (p *plan) statement(q adapters.Query, from start, where *builder, columns []int) (*builder, error) {
	if (len(q.Sort) > 0 || from.offset > 0 && p.db.remote) && len(p.key) == 1 && p.derived(columns) {
		return p.foundStatement(q, from, where, columns)
	}
	b := newBuilder()
	p.selection(b, columns)
	if q.Total {
		p.total(b.add(", "), q.Filter, where)
	}
	p.source(b, columns, q.Sort)
	b.include(where)
	if from.after != nil {
		b.add(" AND (", p.byKey, ") > (")
		for i, v := range from.after {
			if i > 0 {
				b.add(", ")
			}
			p.dialect.stored(b, p.key[i], v)
		}
		b.add(")")
	}
	return b, errors.Join(p.order(b, q), p.limit(b, q, from))
}

// foundStatement is statement for a page in another order than that of keys, or, on a
// server, far down: it first finds whose turn it is, for whatever is in the select
// list would be worked out for each row that is sorted or passed over.
func (p *plan) foundStatement(q adapters.Query, from start, where *builder, columns []int) (*builder, error) {
	key := p.key[0].ref
	b := newBuilder()
	p.selection(b, columns)
	if q.Total {
		p.total(b.add(", "), q.Filter, where)
	}
	p.source(b, columns, q.Sort)
	b.add(" WHERE ", key, " IN (SELECT turn FROM (SELECT ", key, " AS turn")
	p.source(b, nil, q.Sort)
	b.include(where)
	err := errors.Join(p.order(b, q), p.limit(b, q, from))
	b.add(") AS sorted)")
	return b, errors.Join(err, p.order(b, q), b.check("list"))
}

// derived reports whether some of the columns cost more than to read the row.
func (p *plan) derived(columns []int) bool {
	return slices.ContainsFunc(columns, func(i int) bool { return p.refs[i] != nil || p.links[i] != nil })
}

func (p *plan) order(b *builder, q adapters.Query) error {
	b.add(" ORDER BY ")
	for _, by := range q.Sort {
		c := p.find(by.Field)
		if !p.dialect.sorts(c, by.Match) {
			return &adapters.Error{Kind: adapters.Unsupported, Op: "list", Field: by.Field, Err: errors.New("the column is of no type that can be sorted so")}
		}
		p.dialect.order(b, c, by.Match, by.Descending)
		b.add(", ")
	}
	b.add(p.byKey)
	return nil
}

func (p *plan) limit(b *builder, q adapters.Query, from start) error {
	p.dialect.limit(b, min(q.Limit, math.MaxInt32)+1, from.offset)
	return b.check("list")
}

// A result is what a statement answered.
type result struct {
	records []adapters.Record
	keys    []any // of the records, as the first column of the key holds them
	last    []any // the whole key of the last record of the page
	total   int   // -1 if not known
}

// rows reads the answer to a statement that p.selection began; with total, the
// last column of each row is the count. Of the row beyond the limit no key is
// noted as the last.
func (a *Adapter) rows(ctx context.Context, s session, p *plan, b *builder, columns []int, total bool, limit int) (*result, error) {
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	room := min(limit, 200) + 1
	out := &result{records: make([]adapters.Record, 0, room), keys: make([]any, 0, room), total: -1}
	sc := newScanner(len(p.key), len(columns), total)
	for rows.Next() {
		r, key, err := sc.scan(rows, a.caps.Shape, p, columns)
		if err != nil {
			return nil, err
		}
		out.records = append(out.records, r)
		out.keys = append(out.keys, key[0])
		if len(out.records) <= limit {
			out.last = append(out.last[:0], key...)
		}
	}
	if total && len(out.records) > 0 {
		n, _ := sc.count.(int64)
		out.total = int(n)
	}
	return out, rows.Err()
}

// cut drops what is more than n records.
func (r *result) cut(n int) {
	r.records, r.keys = r.records[:n], r.keys[:n]
}

// relate fills in the lists at positions.
func (r *result) relate(ctx context.Context, s session, p *plan, positions []int) error {
	if len(r.records) == 0 {
		return nil
	}
	for _, i := range positions {
		if c := p.children[i]; c != nil {
			if err := c.fill(ctx, s, r, i); err != nil {
				return err
			}
			continue
		}
		lists, err := p.links[i].members(ctx, s, r.keys)
		if err != nil {
			return err
		}
		for n, list := range lists {
			if list != nil {
				r.records[n].SetAt(i, list)
			}
		}
	}
	return nil
}
