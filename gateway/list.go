package gateway

import (
	"errors"
	"net/http"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// list answers a query on one resource type (RFC 7644 section 3.4.2).
func (col *collection) list(x *exchange) error {
	q, err := x.query()
	if err != nil {
		return err
	}
	return col.answerList(x, &q)
}

func (col *collection) answerList(x *exchange, q *query) error {
	sel, err := col.selection(q)
	if err != nil {
		return err
	}
	s, err := x.search(col, q)
	if err != nil {
		return err
	}
	if is, err := x.byCursor(q); err != nil {
		return err
	} else if is {
		return x.answerPage(col.t.Endpoint, q, []*scim.Selection{sel}, func(count int, position string) (provision.List, error) {
			s.Count = count
			return x.provider.ListAfter(x.ctx, x.call(col, sel), s, position)
		})
	}
	l, err := x.provider.List(x.ctx, x.call(col, sel), s)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, func(dst []byte) []byte {
		return scim.AppendList(dst, l.Total, l.StartIndex, l.Resources, sel)
	})
	return nil
}

// search reads filter, sorting and paging.
func (x *exchange) search(col *collection, q *query) (s provision.Search, err error) {
	if s.StartIndex, s.Count, err = q.window(&x.limits); err != nil {
		return s, err
	}
	if s.Descending, err = q.descending(); err != nil {
		return s, err
	}
	if q.sortBy.given {
		if s.SortBy, err = schema.SortAttribute(col.t.Layout, q.sortBy.text); err != nil {
			return s, err
		}
	}
	if q.filter.given {
		if s.Filter, err = x.filter(col, q.filter.text); err == nil {
			err = q.discreet(s.Filter)
		}
	}
	return s, err
}

// discreet refuses a filter in a URL that compares what must not stand there
// (F-30). Whether there is a value at all may be asked.
func (q *query) discreet(bound filter.Expr) (err error) {
	if !q.inURL {
		return nil
	}
	filter.Walk(bound, func(e filter.Expr) bool {
		c, ok := e.(*filter.Compare)
		if !ok || c.Op == filter.Pr || err != nil {
			return err == nil
		}
		for a, _ := c.Ref.(*scim.Attribute); a != nil; a = a.Parent() {
			if a.Sensitive {
				err = scim.Errorf(http.StatusForbidden, scim.Sensitive, "Values of %s must not stand in a URL; send the filter in the body of a POST to .search.", a.Path())
			}
		}
		return true
	})
	return err
}

func (x *exchange) filter(col *collection, text string) (filter.Expr, error) {
	parsed, err := x.parseFilter(text)
	if err != nil {
		return nil, err
	}
	return schema.Bind(col.t.Layout, parsed, x.profiles[x.caller.Profile].Bind)
}

func (x *exchange) parseFilter(text string) (filter.Expr, error) {
	p := x.profiles[x.caller.Profile]
	parsed, err := filter.Parse(text, filter.Limits{Length: x.limits.Filter, Lenient: p.LenientFilter})
	if err != nil {
		var wrong *filter.Error
		if errors.As(err, &wrong) {
			return nil, scim.Bad(scim.InvalidFilter, "The filter is wrong at character %d: %s.", wrong.Pos, wrong.Msg)
		}
	}
	return parsed, err
}
