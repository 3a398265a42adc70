package scim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

// A lister reads a page of a list, or of what a filter finds.
type lister struct {
	*target
	exprs
}

// Exprs implements steps.Call.
func (l *lister) Exprs() []*steps.Expr { return append(l.page, l.needs...) }

// Reads implements steps.Call.
func (l *lister) Reads() bool { return true }

// Do implements steps.Call. A filter that the server refuses is left out: what comes
// back is compared again anyway.
func (l *lister) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := l.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	q := request{method: http.MethodGet, path: l.root(svc), query: l.query(svc, s), v11: svc.v11, reads: true}
	what := l.filter(svc, s)
	if what != "" {
		q.query.Set("filter", what)
	}
	r, err := l.b.exchange(ctx, q)
	if err == nil && what != "" && l.refused(r) {
		q.query.Del("filter")
		r, err = l.b.exchange(ctx, q)
	}
	if err != nil {
		return steps.Answer{}, err
	}
	return l.answer(svc, r), nil
}

// refused reports whether an answer may be the fault of the filter.
func (l *lister) refused(r response) bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented, http.StatusInternalServerError:
		return field(r.object(), "scimType") != "tooMany"
	}
	return false
}

func (l *lister) query(svc *service, s steps.Scope) url.Values {
	q := url.Values{}
	if page, ok := s["page"].(map[string]any); ok {
		offset, _ := page["offset"].(int)
		count, _ := page["limit"].(int)
		if svc.most > 0 {
			count = min(count, svc.most)
		}
		q.Set("startIndex", strconv.Itoa(offset+1))
		q.Set("count", strconv.Itoa(count))
	}
	l.leaveOut(q, svc, l.needs, s)
	return q
}

// leaveOut asks for resources without the long attributes that nobody needs.
func (t *target) leaveOut(q url.Values, svc *service, needs []*steps.Expr, s steps.Scope) {
	var out []string
	n := 0
	for _, p := range t.places {
		if !p.multi {
			continue
		}
		if (n >= len(needs) || !needs[n].True(s)) && !svc.v11 {
			out = append(out, p.path())
		}
		n++
	}
	if len(out) > 0 {
		q.Set("excludedAttributes", strings.Join(out, ","))
	}
}

// filter is a comparison in the server's words, "" if it would not find all that
// the engine asks for.
func (l *lister) filter(svc *service, s steps.Scope) string {
	f := s.Filter()
	if f == nil || !svc.filter {
		return ""
	}
	name, _ := f["field"].(string)
	value, _ := f["value"].(string)
	known := l.known(name)
	if folded, _ := f["folded"].(bool); folded && svc.exact[known] || !svc.texts[known] {
		return ""
	}
	if svc.v11 {
		name = strings.Replace(name, enterprise2, enterprise11, 1)
	}
	return filter.Print(&filter.Compare{Name: name, Op: filter.Eq, Value: filter.StringValue(value)})
}

// known is the name by which a service knows the attribute of a field.
func (l *lister) known(name string) string {
	for _, p := range l.places {
		if p.field == name {
			full := p.attr
			if p.sub != "" {
				full += "." + p.sub
			}
			return strings.ToLower(full)
		}
	}
	return ""
}

var errList = errors.New("the answer is no list")

func (l *lister) answer(svc *service, r response) steps.Answer {
	a := steps.Answer{Values: steps.Scope{"status": r.status, "headers": nil, "body": nil}, Broken: r.broken, Fault: fault(r, "list", true)}
	doc := r.object()
	list, isList := field(doc, "Resources").([]any)
	total, told := field(doc, "totalResults").(int)
	if !told {
		total = -1
	}
	if a.Fault != nil || a.Broken != nil {
		return a
	}
	if !isList && !told {
		a.Broken = errList
		return a
	}
	records := make([]any, len(list))
	for i, e := range list {
		o, isObject := e.(object)
		if !isObject {
			a.Broken = errList
			return a
		}
		records[i] = l.flat(svc.incoming(o))
	}
	a.Values["body"] = object{"records": records, "total": total}
	return a
}

// A getter reads one resource.
type getter struct {
	*target
	exprs
}

// Exprs implements steps.Call.
func (g *getter) Exprs() []*steps.Expr { return g.needs }

// Reads implements steps.Call.
func (g *getter) Reads() bool { return true }

// Do implements steps.Call.
func (g *getter) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := g.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	q := url.Values{}
	g.leaveOut(q, svc, g.needs, s)
	doc, _, a, err := g.one(ctx, svc, s, q)
	if doc != nil {
		a.Values["body"] = g.flat(doc)
	}
	return a, err
}

// one reads the resource with the key, whole or without some attributes, and its
// version. Without it the answer says why.
func (t *target) one(ctx context.Context, svc *service, s steps.Scope, q url.Values) (doc object, etag string, a steps.Answer, err error) {
	key, _ := s["key"].(string)
	r, err := t.b.exchange(ctx, request{method: http.MethodGet, path: t.at(svc, key), query: q, v11: svc.v11, reads: true})
	if err != nil {
		return nil, "", a, err
	}
	a = steps.Answer{Values: steps.Scope{"status": r.status, "headers": nil, "body": nil}, Broken: r.broken, Fault: fault(r, "get", true)}
	if a.Fault != nil || a.Broken != nil {
		return nil, "", a, nil
	}
	if doc = r.object(); doc == nil {
		a.Broken = errors.New("the answer is no resource")
		return nil, "", a, nil
	}
	if svc.etag {
		meta, _ := field(doc, "meta").(object)
		if etag = r.header.Get("ETag"); etag == "" {
			etag, _ = field(meta, "version").(string)
		}
	}
	return svc.incoming(doc), etag, a, nil
}

func (t *target) at(s *service, key string) string { return t.root(s) + "/" + url.PathEscape(key) }

// written is the answer to a write.
func written(r response, op string) steps.Answer {
	f := fault(r, op, false)
	taken := f != nil && f.Kind == adapters.Exists
	return steps.Answer{Values: steps.Scope{"status": r.status, "headers": nil, "body": object{"taken": taken}}, Fault: f}
}
