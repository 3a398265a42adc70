package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
)

// A PATCH is all or nothing. With the proposal "multiStatus" switched on, a client
// may ask for something else, by the header "Prefer: multi-status" (RFC 7240): each
// operation is carried out by itself, and the answer tells what became of each. The
// default is as RFC 7644 says, with and without the proposal (GW-14).

// PatchResponseMessage is the schema of that answer: a private one, for no standard
// has it.
const PatchResponseMessage = "urn:postern:params:scim:api:messages:2.0:PatchResponse"

const multiStatus = "multi-status"

// A Proposals switches on what is no standard.
type Proposals struct {
	MultiStatus bool
}

// prefers reports whether the client states a preference without a value.
func prefers(h http.Header, what string) bool {
	for _, line := range h["Prefer"] {
		for p := range strings.SplitSeq(line, ",") {
			if name, _, _ := strings.Cut(p, ";"); strings.EqualFold(strings.TrimSpace(name), what) {
				return true
			}
		}
	}
	return false
}

// patchEach carries out each operation of a PATCH by itself, in their order. What
// the client demanded of the version holds for the first; what fails before any
// operation is tried fails as a whole.
func (col *collection) patchEach(x *exchange, c provision.Call, id string, body scim.Node) error {
	list := slices.IndexFunc(body.Members, func(m scim.Member) bool { return strings.EqualFold(m.Name, "Operations") })
	if list < 0 || len(body.Members[list].Value.Items) < 2 {
		return col.patchWhole(x, c, id, body) // one operation, or none: nothing to tell apart
	}
	ops := body.Members[list].Value.Items
	answers := make([]*scim.Error, len(ops))
	var last *scim.Resource
	for i := range ops {
		res, err := col.patchOne(x, c, id, alone(body, list, i))
		if err != nil {
			answers[i] = renumber(x.explain(err), i)
			if i == 0 && (answers[i].Status == http.StatusNotFound || answers[i].Status == http.StatusPreconditionFailed) {
				return err
			}
			continue
		}
		c.If, last = provision.Condition{}, res
	}
	x.c.Writer.Header()["Preference-Applied"] = []string{multiStatus}
	x.write(http.StatusMultiStatus, func(dst []byte) []byte {
		if last != nil {
			x.locate(col, last)
		}
		return appendEach(dst, answers)
	})
	return nil
}

// patchOne needs the resource, not 204, for the answer's headers.
func (col *collection) patchOne(x *exchange, c provision.Call, id string, body scim.Node) (*scim.Resource, error) {
	ops, err := x.parsePatch(col, body, func(text string) { x.ignored = append(x.ignored, text) })
	if err != nil {
		return nil, err
	}
	x.note(ops)
	c.Select = c.Select.With(patch.Touches(ops)...)
	c.Body = true
	return x.provider.Patch(x.ctx, c, id, ops)
}

// alone is the body with one of its operations.
func alone(body scim.Node, list, i int) scim.Node {
	body.Members = slices.Clone(body.Members)
	ops := &body.Members[list].Value
	ops.Items = ops.Items[i : i+1]
	return body
}

// renumber makes the operation's own number of the one that it had alone.
func renumber(e *scim.Error, i int) *scim.Error {
	c := *e
	c.Detail = strings.Replace(c.Detail, "Operations[0]", "Operations["+strconv.Itoa(i)+"]", 1)
	return &c
}

func appendEach(dst []byte, answers []*scim.Error) []byte {
	dst = append(dst, `{"schemas":["`+PatchResponseMessage+`"],"Operations":[`...)
	for i, e := range answers {
		if i > 0 {
			dst = append(dst, ',')
		}
		if e == nil {
			dst = append(dst, `{"status":"200"}`...)
			continue
		}
		dst = append(dst, `{"status":"`...)
		dst = strconv.AppendInt(dst, int64(e.Status), 10)
		dst = append(dst, `","response":`...)
		dst = append(scim.AppendError(dst, e), '}')
	}
	return append(dst, `]}`...)
}
