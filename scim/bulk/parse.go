package bulk

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// prefix begins a reference to what another operation creates.
const prefix = "bulkId:"

// A Request is a whole bulk request.
type Request struct {
	FailOnErrors int // stop at so many errors; 0: never
	Operations   []*Operation
}

// An Operation is one of a request. What is wrong with it is Err: the others can
// be carried out all the same.
type Operation struct {
	Method  string
	Path    string // "/Users", "/Users/2819", "/Users/bulkId:x"
	BulkID  string
	Version string
	Refs    []string // the bulkIds that its path and data name
	Err     *scim.Error

	raw []byte // as it was sent
}

// Limits bound a request.
type Limits struct {
	JSON       scim.Limits // of each operation
	Operations int
}

// Parse reads a request. data must not change as long as the request is in use.
// Errors are about the request as a whole: 400 invalidSyntax, or 413.
func Parse(data []byte, lim Limits) (*Request, error) {
	r := &Request{}
	envelope, err := scim.ReadParts(data, "Operations", lim.JSON, func(raw []byte) error {
		if len(r.Operations) >= lim.Operations {
			return scim.Errorf(413, "", "The request has more than %d operations, which is maxOperations; send it in parts.", lim.Operations)
		}
		r.Operations = append(r.Operations, &Operation{raw: bytes.Clone(raw)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.envelope(envelope); err != nil {
		return nil, err
	}
	for _, o := range r.Operations {
		o.read(lim.JSON)
	}
	return r, r.distinct()
}

func (r *Request) envelope(n scim.Node) error {
	schemas, _ := n.Find("schemas")
	is := false
	for _, u := range schemas.Items {
		is = is || u.Kind == scim.NodeString && strings.EqualFold(u.Str, scim.BulkRequestMessage)
	}
	if !is {
		return scim.Bad(scim.InvalidSyntax, "schemas must be an array that lists %q.", scim.BulkRequestMessage)
	}
	if ops, ok := n.Find("Operations"); !ok || ops.Kind != scim.NodeArray || len(r.Operations) == 0 {
		return scim.Bad(scim.InvalidSyntax, "Operations must be an array with at least one operation.")
	}
	if f, ok := n.Find("failOnErrors"); ok && f.Kind != scim.NodeNull {
		v, err := strconv.ParseInt(f.Str, 10, 32)
		if f.Kind != scim.NodeNumber || err != nil || v < 1 {
			return scim.Bad(scim.InvalidSyntax, "failOnErrors must be a positive integer.")
		}
		r.FailOnErrors = int(v)
	}
	return nil
}

// read takes the operation apart, without its data.
func (o *Operation) read(lim scim.Limits) {
	n, err := scim.ReadJSON(o.raw, lim)
	if err != nil {
		if !errors.As(err, &o.Err) {
			o.Err = scim.Bad(scim.InvalidSyntax, "The operation cannot be read.")
		}
		return
	}
	if n.Kind != scim.NodeObject {
		o.Err = scim.Bad(scim.InvalidSyntax, "An operation is an object, not %s.", n.Kind)
		return
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{"method", &o.Method}, {"path", &o.Path}, {"bulkId", &o.BulkID}, {"version", &o.Version}} {
		v, ok := n.Find(f.name)
		if !ok || v.Kind == scim.NodeNull {
			continue
		}
		if *f.to = v.Str; v.Kind != scim.NodeString {
			*f.to = ""
			o.Err = scim.Bad(scim.InvalidSyntax, "%s must be a string, not %s.", f.name, v.Kind)
			return
		}
	}
	data, has := n.Find("data")
	o.check(has && data.Kind != scim.NodeNull)
	o.Refs = references(o.Path, data)
}

// check holds an operation to B-03 and B-04 as far as one can without knowing
// which endpoints there are.
func (o *Operation) check(hasData bool) {
	o.Method = strings.ToUpper(o.Method)
	switch o.Method {
	case "POST":
		if o.BulkID == "" {
			o.Err = scim.Bad(scim.InvalidSyntax, "A POST needs a bulkId.")
			return
		}
	case "PUT", "PATCH", "DELETE":
	default:
		o.Err = scim.Bad(scim.InvalidSyntax, "method must be POST, PUT, PATCH or DELETE.")
		return
	}
	switch {
	case o.Path == "":
		o.Err = scim.Bad(scim.InvalidSyntax, "An operation needs a path, such as /Users.")
	case !hasData && o.Method != "DELETE":
		o.Err = scim.Bad(scim.InvalidSyntax, "A %s needs data.", o.Method)
	}
}

// distinct refuses two operations with one bulkId (B-05).
func (r *Request) distinct() error {
	seen := make(map[string]bool, len(r.Operations))
	for i, o := range r.Operations {
		if o.BulkID == "" {
			continue
		}
		if seen[o.BulkID] {
			return scim.Bad(scim.InvalidSyntax, "Operations[%d]: its bulkId stands for another operation already; bulkIds must be unique.", i)
		}
		seen[o.BulkID] = true
	}
	return nil
}
