package gateway

import (
	"errors"
	"net/http"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// rootList answers a query over all resource types (RFC 7644 section 3.4.2.1).
func rootList(x *exchange) error {
	q, err := x.query()
	if err != nil {
		return err
	}
	return x.answerAll(&q)
}

// rootSearch does so for a query in the body (RFC 7644 section 3.4.3).
func rootSearch(x *exchange) error {
	q, err := x.searchRequest()
	if err != nil {
		return err
	}
	return x.answerAll(&q)
}

// answerAll asks every type. An attribute that a type does not have is one that
// has no value there (G-07, G-08); one that no type has is a mistake.
func (x *exchange) answerAll(q *query) error {
	start, count, err := q.window(&x.limits)
	if err != nil {
		return err
	}
	expr, err := x.filterOfAll(q)
	if err != nil {
		return err
	}
	var parts []provision.Part
	var selections []*scim.Selection
	var unknown error
	sorts := false
	for _, col := range x.collections {
		sel, err := col.selection(q)
		if err != nil {
			return err
		}
		p := provision.Part{Call: x.call(col, sel)}
		if p.Search, err = x.partSearch(col, q, expr); err != nil {
			return err
		}
		if q.sortBy.given {
			a, err := schema.SortAttribute(col.t.Layout, q.sortBy.text)
			p.Search.SortBy, unknown, sorts = a, errors.Join(unknown, err), sorts || a != nil
		}
		parts, selections = append(parts, p), append(selections, sel)
	}
	if q.sortBy.given && !sorts {
		var first *scim.Error
		errors.As(unknown, &first)
		return first
	}
	if is, err := x.byCursor(q); err != nil {
		return err
	} else if is {
		return x.answerPage("", q, selections, func(count int, position string) (provision.List, error) {
			return x.provider.ListAllAfter(x.ctx, parts, count, position)
		})
	}
	l, err := x.provider.ListAll(x.ctx, parts, start, count)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, func(dst []byte) []byte {
		return scim.AppendList(dst, l.Total, l.StartIndex, l.Resources, selections...)
	})
	return nil
}

// partSearch is the query as one type understands it.
func (x *exchange) partSearch(col *collection, q *query, expr filter.Expr) (s provision.Search, err error) {
	if s.Descending, err = q.descending(); err != nil || expr == nil {
		return s, err
	}
	o := x.profiles[x.caller.Profile].Bind
	o.IgnoreUnknown = true
	if s.Filter, err = schema.Bind(col.t.Layout, expr, o); err == nil {
		err = q.discreet(s.Filter)
	}
	return s, err
}

// filterOfAll parses the filter and looks for names that no type has.
func (x *exchange) filterOfAll(q *query) (filter.Expr, error) {
	if !q.filter.given {
		return nil, nil
	}
	expr, err := x.parseFilter(q.filter.text)
	if err != nil {
		return nil, err
	}
	layouts := make([]*scim.Layout, len(x.collections))
	for i, col := range x.collections {
		layouts[i] = col.t.Layout
	}
	return expr, schema.KnownSomewhere(layouts, expr)
}
