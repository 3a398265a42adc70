package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/bulk"
)

// bulkRequest answers POST /Bulk (RFC 7644 section 3.7). Each operation is what it
// would be by itself: as a whole they are no transaction (B-20).
func bulkRequest(x *exchange) error {
	var req *bulk.Request
	err := x.withBody(x.limits.BulkBody, "maxPayloadSize", func(data []byte) (err error) {
		req, err = bulk.Parse(data, bulk.Limits{JSON: x.jsonLimits(), Operations: x.limits.BulkOperations})
		return err
	})
	if err != nil {
		return err
	}
	j := newJob(x, req)
	j.run()
	x.write(http.StatusOK, j.append)
	return nil
}

// A job is a bulk request that is being carried out.
type job struct {
	x       *exchange
	ops     []*bulk.Operation
	most    int // errors; 0: any number
	results []result
	posts   map[string]int // by bulkId
	tried   provision.Pretence

	mu      sync.Mutex // guards what follows, and the exchange's list of what was ignored
	ids     map[string]string
	failed  map[string]bool
	errors  int
	waiting []int               // operations that wait for what others create
	edges   map[int][]bulk.Edge // of resources that were created without them
}

// A result is what an operation came to.
type result struct {
	done              bool
	status            int
	location, version string
	err               *scim.Error
	col               *collection
	id                string
}

func newJob(x *exchange, req *bulk.Request) *job {
	j := &job{x: x, ops: req.Operations, most: req.FailOnErrors, results: make([]result, len(req.Operations)),
		posts: map[string]int{}, ids: map[string]string{}, failed: map[string]bool{}, edges: map[int][]bulk.Edge{}}
	for i, o := range j.ops {
		if o.BulkID != "" && o.Method == http.MethodPost {
			j.posts[o.BulkID] = i
		}
	}
	return j
}

// run carries the operations out in their order (B-08), those that do not depend
// on one another side by side.
func (j *job) run() {
	for i := 0; i < len(j.ops) && !j.stopped(); {
		if j.late() {
			break
		}
		if n := j.independent(i); n > 1 {
			j.together(i, n)
			i += n
			continue
		}
		j.do(i)
		j.settle()
		i++
	}
	j.finish()
}

func (j *job) stopped() bool { return j.most > 0 && j.errors >= j.most }

// margin is what is left of the request's time when no further operation is begun,
// so that what was done is reported.
const margin = 10 // a tenth

func (j *job) late() bool {
	deadline, ok := j.x.ctx.Deadline()
	return ok && time.Until(deadline) < j.x.limits.Time/margin
}

// do carries one operation out, or finds out what it must wait for.
func (j *job) do(i int) {
	o := j.ops[i]
	if o.Err != nil {
		j.end(i, result{err: o.Err})
		return
	}
	open := false
	for _, ref := range o.Refs {
		at, declared := j.posts[ref]
		switch {
		case !declared:
			j.end(i, result{err: scim.Bad(scim.InvalidValue, "bulkId:%s: no POST of this request has this bulkId.", clip(ref))})
			return
		case j.failed[ref]:
			j.end(i, result{err: dependent(ref)})
			return
		case j.ids[ref] == "":
			open = true
			if o.Method != http.MethodPost && j.touched(o.Path, i, at) {
				j.end(i, result{err: scim.Errorf(http.StatusConflict, "", "bulkId:%s is created further down, and operations between touch the same resource; put the POST first.", clip(ref))})
				return
			}
		}
	}
	if open && (o.Method != http.MethodPost || j.needed(o)) {
		j.waiting = append(j.waiting, i)
		return
	}
	j.end(i, j.carry(i, open))
}

func dependent(ref string) *scim.Error {
	return scim.Errorf(http.StatusConflict, "", "bulkId:%s was not created, so that this operation could not be carried out.", clip(ref))
}

// touched reports whether an operation between two others has the same path, so
// that the first cannot wait for the second.
func (j *job) touched(path string, from, to int) bool {
	return slices.ContainsFunc(j.ops[from+1:to], func(o *bulk.Operation) bool { return strings.EqualFold(o.Path, path) })
}

func (j *job) known(ref string) (string, bool) {
	id := j.ids[ref]
	return id, id != ""
}

// needed reports whether a POST refers to what is not there yet in an attribute that
// the resource cannot be without: then it is no use to leave that out for now.
func (j *job) needed(o *bulk.Operation) bool {
	col, _, err := j.place(o.Method, o.Path)
	if err != nil {
		return false
	}
	_, data, err := o.Resolved(j.x.jsonLimits(), j.known)
	if err != nil {
		return false
	}
	rest, edges := bulk.Detach(data, func(ref string) bool { return j.ids[ref] != "" })
	return slices.ContainsFunc(edges, func(e bulk.Edge) bool {
		a := col.t.Layout.Resolve(e.Path)
		left, _ := rest.Find(e.Path)
		return a != nil && a.Required && len(left.Items) == 0
	})
}

// carry carries an operation out. What a POST refers to and is not there yet is
// left out, and added later.
func (j *job) carry(i int, detach bool) result {
	path, data, err := j.ops[i].Resolved(j.x.jsonLimits(), j.known)
	if err != nil {
		return j.wrong(result{}, err)
	}
	if detach {
		has := func(ref string) bool { return j.ids[ref] != "" }
		data, j.edges[i] = bulk.Detach(data, has)
	}
	return j.send(j.ops[i], path, data)
}

// end notes what an operation came to.
func (j *job) end(i int, r result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.done = true
	if r.err != nil {
		r.status = r.err.Status
		j.errors++
		delete(j.edges, i)
	}
	if o := j.ops[i]; o.Method == http.MethodPost && o.BulkID != "" {
		j.ids[o.BulkID] = r.id
		j.failed[o.BulkID] = r.err != nil
	}
	j.results[i] = r
	j.log(i, r)
}

// log writes a line for each operation, as if it had come alone (B-21).
func (j *job) log(i int, r result) {
	route := "none"
	if r.col != nil {
		route = r.col.t.Endpoint
	}
	j.x.log.LogAttrs(j.x.ctx, slog.LevelInfo, "bulk operation", slog.String("method", knownMethod(j.ops[i].Method)), slog.String("route", route),
		slog.Int("status", r.status), slog.Int("operation", i), slog.String("client", j.x.caller.Client), slog.String("request", j.x.id))
	if r.err != nil {
		j.x.log.LogAttrs(j.x.ctx, slog.LevelDebug, "cause", slog.String("request", j.x.id), slog.Int("operation", i), slog.Any("error", r.err))
	}
}

// settle carries out what has waited and need not any more.
func (j *job) settle() {
	for again := true; again; {
		again = false
		waiting := j.waiting
		j.waiting = nil
		for _, i := range waiting {
			before := len(j.waiting)
			j.do(i)
			again = again || len(j.waiting) == before
		}
		for i, edges := range j.edges {
			if ready, ref := j.ready(edges, i); ready || ref != "" {
				delete(j.edges, i)
				j.join(i, edges, ref)
				again = true
			}
		}
	}
}

// ready reports whether all that edges refer to is there, or names what never
// will be.
func (j *job) ready(edges []bulk.Edge, i int) (ready bool, missing string) {
	for _, ref := range j.ops[i].Refs {
		if j.failed[ref] {
			return false, ref
		}
		if j.ids[ref] == "" {
			return false, ""
		}
	}
	return len(edges) > 0, ""
}

// join adds the edges to the resource that was created without them. If that
// cannot be, the resource goes again: half of it was not asked for.
func (j *job) join(i int, edges []bulk.Edge, missing string) {
	made := j.results[i]
	r := result{err: dependent(missing)}
	if missing == "" {
		o := &bulk.Operation{Method: http.MethodPatch}
		r = j.send(o, made.col.t.Endpoint+"/"+url.PathEscape(made.id), bulk.Patch(edges, j.known))
	}
	if r.err == nil {
		j.results[i].version = r.version
		return
	}
	c := j.x.call(made.col, made.col.usual)
	c.Pretence = &j.tried
	if err := j.x.provider.Delete(context.WithoutCancel(j.x.ctx), c, made.id); err != nil {
		r.err.Detail += " It was created all the same, and could not be removed again."
	}
	r.col = made.col
	j.end(i, r)
}

// finish reports what was not carried out: nothing, if the client wanted to stop
// (B-09); that there was no time, otherwise.
func (j *job) finish() {
	for _, i := range j.waiting {
		j.end(i, result{err: dependent(j.ops[i].Refs[0])})
	}
	for i, edges := range j.edges {
		delete(j.edges, i)
		if len(edges) > 0 {
			j.join(i, edges, j.ops[i].Refs[0])
		}
	}
	if j.stopped() {
		return
	}
	for i := range j.ops {
		if !j.results[i].done {
			e := scim.Errorf(http.StatusServiceUnavailable, "", "There was no time left for this operation; nothing of it was done. Send it again, in a smaller request.")
			j.end(i, result{err: e})
		}
	}
}

// workers is how many operations of one request run side by side.
const workers = 8

// together carries out operations that do not depend on one another.
func (j *job) together(from, n int) {
	var g errgroup.Group
	g.SetLimit(workers)
	for i := from; i < from+n; i++ {
		g.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					j.end(i, result{err: j.x.explain(errPanic)})
				}
			}()
			j.end(i, j.carry(i, false))
			return nil
		})
	}
	_ = g.Wait() // what failed is in the results
}

// provisionCall is the call of an operation.
func (j *job) provisionCall(col *collection, o *bulk.Operation) (provision.Call, error) {
	c := j.x.call(col, col.usual)
	c.Pretence = &j.tried
	if o.Version != "" {
		match, err := tags(http.Header{"If-Match": {o.Version}}, "If-Match")
		if err != nil {
			return c, scim.Bad(scim.InvalidValue, "version is no entity tag; send it as it was received.")
		}
		c.If.Match = match
	}
	return c, nil
}
