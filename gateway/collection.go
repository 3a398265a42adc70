package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// A collection is the endpoint of one resource type (RFC 7644 section 3.2), with
// what its requests have in common.
type collection struct {
	t                     *schema.ResourceType
	id, location, version *scim.Attribute
	usual                 *scim.Selection // what is shown when nothing else is asked for
}

func newCollection(t *schema.ResourceType) (*collection, error) {
	meta := t.Layout.Meta
	c := &collection{t: t, id: t.Layout.ID, location: meta.Find("location"), version: meta.Find("version"),
		usual: scim.DefaultSelection(t.Layout)}
	if c.location == nil || c.version == nil {
		return nil, errors.New("meta lacks location or version")
	}
	return c, nil
}

// urlOf is where a resource is.
func (x *exchange) urlOf(col *collection, id string) string {
	return x.base + col.t.Endpoint + "/" + url.PathEscape(id)
}

// call says who asks, about what, and what the answer should hold.
func (x *exchange) call(col *collection, sel *scim.Selection) provision.Call {
	return provision.Call{
		Caller: x.caller.Caller,
		Type:   col.t,
		Select: sel,
		Base:   x.base,
	}
}

// query reads the parameters of the URL.
func (x *exchange) query() (query, error) {
	q, err := parseQuery(x.c.Request.URL.RawQuery)
	q.inURL = true
	return q, err
}

// selection reads attributes and excludedAttributes (RFC 7644 section 3.9).
func (c *collection) selection(q *query) (*scim.Selection, error) {
	if len(q.attributes) == 0 && len(q.excluded) == 0 {
		return c.usual, nil
	}
	return scim.Select(c.t.Layout, q.attributes, q.excluded)
}

// one reads what requests about a single resource have in common: the selection.
// A filter in the URL means nothing there (G-11, P-15).
func (x *exchange) one(col *collection) (provision.Call, error) {
	q, err := x.query()
	if err != nil {
		return provision.Call{}, err
	}
	sel, err := col.selection(&q)
	c := x.call(col, sel)
	c.Body = len(q.attributes) > 0 || !x.profiles[x.caller.Profile].Brief
	return c, err
}

// item is the id in the path, decoded once (H-11), and compared as it is (H-22).
func (x *exchange) item(col *collection) (string, error) {
	if x.me != "" {
		return x.me, nil
	}
	id, err := url.PathUnescape(x.c.Param("id"))
	if err != nil || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return "", scim.Errorf(http.StatusNotFound, "", "There is no %s with this id; an id has no control characters.", col.t.Name)
	}
	return id, nil
}

// resource answers with one resource. Without one, an answer that must have it
// is a mistake of the provider (C-14).
func (x *exchange) resource(status int, col *collection, c *provision.Call, r *scim.Resource) error {
	if r == nil {
		return errors.New("the provider answered without a resource")
	}
	x.write(status, func(dst []byte) []byte {
		dst = scim.AppendResource(dst, r, c.Select)
		x.locate(col, r) // after what could fail, so that no error carries a Location
		return dst
	})
	return nil
}

func (col *collection) get(x *exchange) error {
	c, id, err := x.target(col)
	if err != nil {
		return err
	}
	r, err := x.provider.Get(x.ctx, c, id)
	if err != nil {
		return err
	}
	if done, err := x.unchanged(col, &c, r); done || err != nil {
		return err
	}
	return x.resource(http.StatusOK, col, &c, r)
}

// target reads the URL of a request about one resource.
func (x *exchange) target(col *collection) (provision.Call, string, error) {
	id, err := x.item(col)
	if err != nil {
		return provision.Call{}, "", err
	}
	when, err := condition(x.c.Request.Header)
	if err != nil {
		return provision.Call{}, "", err
	}
	c, err := x.one(col)
	c.If = when
	return c, id, err
}

func (col *collection) create(x *exchange) error {
	c, err := x.one(col)
	if err != nil {
		return err
	}
	in, err := x.decode(col, false)
	if err != nil {
		return err
	}
	c.Select = c.Select.With(in.Written...) // C-10
	r, err := x.provider.Create(x.ctx, c, in)
	if err != nil {
		return err
	}
	return x.resource(http.StatusCreated, col, &c, r)
}

func (col *collection) replace(x *exchange) error {
	c, id, err := x.target(col)
	if err != nil {
		return err
	}
	in, err := x.decode(col, true)
	if err != nil {
		return err
	}
	c.Select = c.Select.With(in.Written...)
	r, err := x.provider.Replace(x.ctx, c, id, in)
	if err != nil {
		return err
	}
	return x.resource(http.StatusOK, col, &c, r)
}

// decode reads the body of a POST or PUT.
func (x *exchange) decode(col *collection, replace bool) (*schema.Decoded, error) {
	n, err := x.body()
	if err != nil {
		return nil, err
	}
	in, err := x.decodeNode(col, n, replace)
	if err != nil {
		return nil, err
	}
	x.ignored = in.Warnings
	return in, nil
}

func (x *exchange) decodeNode(col *collection, n scim.Node, replace bool) (*schema.Decoded, error) {
	o := x.profiles[x.caller.Profile].Schema
	o.Reject, o.Replace = x.caller.Reject, replace
	return schema.Decode(col.t, n, o)
}

func (col *collection) patch(x *exchange) error {
	c, id, err := x.target(col)
	if err != nil {
		return err
	}
	n, err := x.body()
	if err != nil {
		return err
	}
	if x.proposals.MultiStatus && prefers(x.c.Request.Header, multiStatus) {
		return col.patchEach(x, c, id, n)
	}
	return col.patchWhole(x, c, id, n)
}

func (col *collection) patchWhole(x *exchange, c provision.Call, id string, n scim.Node) error {
	ops, err := x.parsePatch(col, n, func(text string) { x.ignored = append(x.ignored, text) })
	if err != nil {
		return err
	}
	x.note(ops)
	c.Select = c.Select.With(patch.Touches(ops)...)
	r, err := x.provider.Patch(x.ctx, c, id, ops)
	if err != nil {
		return err
	}
	if r == nil {
		x.c.Writer.Header()["Location"] = []string{x.urlOf(col, id)}
		x.send(http.StatusNoContent, nil)
		return nil
	}
	return x.resource(http.StatusOK, col, &c, r)
}

func (x *exchange) parsePatch(col *collection, n scim.Node, warn func(string)) ([]patch.Operation, error) {
	o := x.profiles[x.caller.Profile].Patch
	o.Reject, o.Warn = x.caller.Reject, warn
	return patch.Parse(n, col.t, o)
}

func (col *collection) remove(x *exchange) error {
	c, id, err := x.target(col)
	if err != nil {
		return err
	}
	if err := x.provider.Delete(x.ctx, c, id); err != nil {
		return err
	}
	x.send(http.StatusNoContent, nil)
	return nil
}
