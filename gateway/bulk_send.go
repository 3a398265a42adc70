package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/bulk"
	"github.com/postern/postern/scim/patch"
)

var errPanic = errors.New("panic")

// send carries an operation out whose references are all replaced.
func (j *job) send(o *bulk.Operation, path string, data scim.Node) result {
	col, id, err := j.place(o.Method, path)
	if err != nil {
		return j.wrong(result{}, err)
	}
	r := result{col: col, id: id}
	if id != "" {
		r.location = j.x.urlOf(col, id)
	}
	c, err := j.provisionCall(col, o)
	if err != nil {
		return j.wrong(r, err)
	}
	var res *scim.Resource
	switch o.Method {
	case http.MethodPost, http.MethodPut:
		in, bad := j.x.decodeNode(col, data, o.Method == http.MethodPut)
		if bad != nil {
			return j.wrong(r, bad)
		}
		j.ignored(in.Warnings...)
		if r.status = http.StatusOK; o.Method == http.MethodPut {
			res, err = j.x.provider.Replace(j.x.ctx, c, id, in)
			break
		}
		r.status = http.StatusCreated
		res, err = j.x.provider.Create(j.x.ctx, c, in)
	case http.MethodPatch:
		ops, bad := j.x.parsePatch(col, patchData(data), func(text string) { j.ignored(text) })
		if bad != nil {
			return j.wrong(r, bad)
		}
		j.note(ops)
		r.status = http.StatusOK
		if res, err = j.x.provider.Patch(j.x.ctx, c, id, ops); res == nil {
			r.status = http.StatusNoContent
		}
	case http.MethodDelete:
		r.status = http.StatusNoContent
		err = j.x.provider.Delete(j.x.ctx, c, id)
	}
	if err != nil {
		return j.wrong(r, err)
	}
	if res != nil {
		r.id = res.Get(col.id).String()
		r.location, r.version = j.x.urlOf(col, r.id), res.Get(col.version).String()
	}
	return r
}

// wrong is a result that tells why not (B-12).
func (j *job) wrong(r result, err error) result {
	r.err = j.x.explain(err)
	return r
}

func (j *job) note(ops []patch.Operation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.x.note(ops)
}

func (j *job) ignored(names ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.x.ignored = append(j.x.ignored, names...)
}

// patchData takes a bare array of operations for a PATCH, as RFC 7644 section
// 3.7.3 prints it in an example.
func patchData(data scim.Node) scim.Node {
	if data.Kind != scim.NodeArray {
		return data
	}
	urn := scim.Node{Kind: scim.NodeString, Str: scim.PatchOpMessage}
	return scim.Node{Kind: scim.NodeObject, Members: []scim.Member{
		{Name: "schemas", Value: scim.Node{Kind: scim.NodeArray, Items: []scim.Node{urn}}}, {Name: "Operations", Value: data}}}
}

// place finds the endpoint, and the id where there must be one (B-04).
func (j *job) place(method, path string) (*collection, string, error) {
	path = "/" + strings.TrimPrefix(strings.TrimPrefix(path, j.x.base), "/")
	for _, col := range j.x.collections {
		rest, ok := strings.CutPrefix(path, col.t.Endpoint)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		id, err := url.PathUnescape(strings.Trim(rest, "/"))
		switch {
		case err != nil || strings.ContainsAny(rest, "?#"):
			return nil, "", scim.Bad(scim.InvalidPath, "The path of an operation is an endpoint and an id, without a query.")
		case method == http.MethodPost && id != "":
			return nil, "", scim.Bad(scim.InvalidPath, "A POST names an endpoint, as %s, and no id.", col.t.Endpoint)
		case method != http.MethodPost && id == "":
			return nil, "", scim.Bad(scim.InvalidPath, "A %s names a resource, as %s/ID.", method, col.t.Endpoint)
		case !col.t.Writable():
			return nil, "", scim.Errorf(http.StatusMethodNotAllowed, "", "Resources of %s can only be read.", col.t.Endpoint)
		}
		return col, id, nil
	}
	return nil, "", scim.Errorf(http.StatusNotFound, "", "There is no endpoint for resources at this path; GET /ResourceTypes lists those there are.")
}

// independent counts the operations from here on that may run side by side
// without a difference: of one kind on one type, without references, none of them
// taking or freeing a unique value that another one could want.
func (j *job) independent(from int) int {
	if j.most > 0 {
		return 1
	}
	first := j.ops[from]
	seen := map[string]bool{}
	n := 0
	for i := from; i < len(j.ops) && n < workers*workers; i++ {
		o := j.ops[i]
		if o.Err != nil || len(o.Refs) > 0 || o.Method != first.Method || len(j.waiting)+len(j.edges) > 0 {
			break
		}
		marks, ok := j.marks(o)
		if !ok || anySeen(seen, marks) {
			break
		}
		n++
	}
	return n
}

func anySeen(seen map[string]bool, marks []string) bool {
	for _, m := range marks {
		if seen[m] {
			return true
		}
	}
	for _, m := range marks {
		seen[m] = true
	}
	return false
}

// marks are what an operation must not share with another one beside it. False
// for operations that always stand alone.
func (j *job) marks(o *bulk.Operation) ([]string, bool) {
	path, data, err := o.Resolved(j.x.jsonLimits(), j.known)
	if err != nil {
		return nil, false
	}
	col, id, err := j.place(o.Method, path)
	if err != nil {
		return nil, false
	}
	switch o.Method {
	case http.MethodPost:
		return uniqueMarks(col, data), true
	case http.MethodDelete:
		return []string{col.t.Endpoint + "/" + id}, true
	case http.MethodPatch:
		ops, err := j.x.parsePatch(col, patchData(data), func(string) {})
		if err != nil {
			return nil, false
		}
		for _, a := range patch.Touches(ops) {
			if holdsUnique(a) {
				return nil, false
			}
		}
		return []string{col.t.Endpoint + "/" + id}, true
	}
	return nil, false // a PUT says every unique value again
}

func holdsUnique(a *scim.Attribute) bool {
	if a.Uniqueness != scim.UniqueNone {
		return true
	}
	for _, s := range a.Sub {
		if holdsUnique(s) {
			return true
		}
	}
	return false
}

func uniqueMarks(col *collection, data scim.Node) (out []string) {
	for _, m := range data.Members {
		a := col.t.Layout.Find(m.Name)
		switch {
		case a == nil:
		case a.IsExtension() || m.Value.Kind == scim.NodeObject:
			for _, s := range m.Value.Members {
				if sub := a.Find(s.Name); sub != nil && sub.Uniqueness != scim.UniqueNone {
					out = append(out, col.t.Endpoint+" "+a.Name+" "+sub.Name+" "+scim.Fold(s.Value.Str))
				}
			}
		case a.Uniqueness != scim.UniqueNone:
			out = append(out, col.t.Endpoint+" "+a.Name+" "+scim.Fold(m.Value.Str))
		}
	}
	return out
}

// append writes the BulkResponse, in the order of the request (B-17).
func (j *job) append(dst []byte) []byte {
	dst = append(dst, `{"schemas":["`+scim.BulkResponseMessage+`"],"Operations":[`...)
	first := true
	for i, r := range j.results {
		if !r.done {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = j.appendResult(dst, j.ops[i], r)
	}
	return append(dst, `]}`...)
}

func (j *job) appendResult(dst []byte, o *bulk.Operation, r result) []byte {
	member := func(name, value string) {
		if value != "" {
			dst = append(dst, `"`+name+`":`...)
			dst = append(scim.AppendString(dst, value), ',')
		}
	}
	dst = append(dst, '{')
	member("method", o.Method)
	member("bulkId", o.BulkID)
	if r.err == nil {
		member("version", r.version)
	}
	if r.err == nil || o.Method != http.MethodPost {
		member("location", r.location)
	}
	dst = append(dst, `"status":"`...)
	dst = append(strconv.AppendInt(dst, int64(r.status), 10), '"')
	if r.err != nil {
		dst = append(dst, `,"response":`...)
		dst = scim.AppendError(dst, r.err)
	}
	return append(dst, '}')
}
