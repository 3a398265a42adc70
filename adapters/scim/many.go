package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

// This file reads many resources in one exchange, by a filter that names their ids
// (RFC 7644 section 3.4.2.2): id eq "a" or id eq "b". Servers that filter need not know
// it, and what they do with it is found out by asking.

// Bounds of a filter with ids. Some servers take no query of more than 2,048 bytes.
const (
	maxIDs    = 25
	maxFilter = 1500 // bytes of it in a URL
	askAgain  = 15 * time.Minute
)

// What came of such a filter.
var (
	errStranger = errors.New("the answer holds what was not asked for: the server does not know such a filter")
	errMuch     = errors.New("the server finds this too much")
	errBusy     = errors.New("the server is busy")
)

// A gatherer reads the resources with some ids.
type gatherer struct{ lister }

// Do implements steps.Call.
func (g *gatherer) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := g.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	ids, _ := s["keys"].([]any)
	q := request{method: http.MethodGet, path: g.root(svc), query: g.query(svc, s), v11: svc.v11, reads: true}
	q.query.Set("filter", anyOf(ids))
	r, err := g.b.exchange(ctx, q)
	if err != nil {
		return steps.Answer{}, err
	}
	a := g.answer(svc, r)
	switch {
	case a.Fault != nil:
		a.Fault.Err = fmt.Errorf("%w: %w", reason(r.status, a.Fault), a.Fault.Err)
	case a.Broken == nil && strange(a, ids):
		a.Fault = &adapters.Error{Kind: adapters.Internal, Err: errStranger}
	}
	return a, nil
}

var errRefused = errors.New("the server refuses the filter")

// reason is why a filter was not answered.
func reason(status int, f *adapters.Error) error {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return errBusy
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return errMuch
	}
	if f.Kind == adapters.TooMany {
		return errMuch
	}
	return errRefused
}

// strange reports whether an answer holds a resource that was not asked for. Servers may
// take ids that differ in capitals for the same.
func strange(a steps.Answer, ids []any) bool {
	body, _ := a.Values["body"].(object)
	records, _ := body["records"].([]any)
	return slices.ContainsFunc(records, func(r any) bool {
		o, _ := r.(object)
		id := text(o["id"])
		return !slices.ContainsFunc(ids, func(asked any) bool { return strings.EqualFold(text(asked), id) })
	})
}

// anyOf is true of the resources with these ids.
func anyOf(ids []any) string {
	terms := make([]filter.Expr, len(ids))
	for i, id := range ids {
		terms[i] = &filter.Compare{Name: "id", Op: filter.Eq, Value: filter.StringValue(text(id))}
	}
	return filter.Print(filter.OrOf(terms...))
}

// An ability is how many ids the server takes in a filter for one resource type. It
// implements steps.Batch.
type ability struct {
	b *Backend

	mu    sync.Mutex
	most  int       // until then; afterwards the server is asked as if it had never failed
	until time.Time // 0: it has not failed
}

// Takes implements steps.Batch.
func (a *ability) Takes(ctx context.Context) (func([]adapters.Key) int, error) {
	svc, err := a.b.ask(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	most := a.left()
	a.mu.Unlock()
	if svc.most > 0 {
		most = min(most, svc.most)
	}
	if !svc.filter {
		most = 0
	}
	return func(keys []adapters.Key) int {
		n, long := 0, 0
		for _, k := range keys[:min(most, len(keys))] {
			if long += len(url.QueryEscape(anyOf([]any{string(k)}) + " or ")); long > maxFilter {
				break
			}
			n++
		}
		return n
	}, nil
}

// left is what failures have left of the number; the lock is held.
func (a *ability) left() int {
	if a.b.now().Before(a.until) {
		return a.most
	}
	return maxIDs
}

// Failed implements steps.Batch. A server to which an answer was too much is asked for
// half as many. Any other failure means that it is not asked so, for a while: what failed
// may have been no more than a bad moment.
func (a *ability) Failed(n int, err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, errBusy) {
		return false
	}
	most := 0
	if errors.Is(err, errMuch) {
		most = n / 2
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.most, a.until = min(most, a.left()), a.b.now().Add(askAgain)
	return true
}
