package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// With the proposal "elementKeys" switched on, each element of a complex multi-valued
// attribute has a URL of its own below its resource's (GW-13). The resources themselves
// stay as they are, and so does everything else.

// ElementListMessage is the schema of a list of elements: a private one, for no
// standard has it.
const ElementListMessage = "urn:postern:params:scim:api:messages:2.0:ElementList"

// Elements changes single elements of resources: provision.Service.
type Elements interface {
	Elements(ctx context.Context, c provision.Call, id string, a *scim.Attribute) (provision.Elements, error)
	ChangeElement(ctx context.Context, c provision.Call, id string, ch provision.ElementChange) (provision.ChangedElement, error)
}

// elements adds the routes of the elements of a type's resources.
func (t *table) elements(col *collection, o *Options) {
	all := col.t.Endpoint + "/:id/:attribute"
	one := all + "/:key"
	t.add(http.MethodGet, all, closed, col.elements)
	t.add(http.MethodGet, one, closed, col.element)
	if !col.t.Writable() {
		return
	}
	t.add(http.MethodPost, all, closed, col.addElement)
	t.add(http.MethodPut, one, closed, col.putElement)
	t.add(http.MethodDelete, one, closed, col.removeElement)
	if o.Config.Patch {
		t.add(http.MethodPatch, one, closed, col.patchElement)
	}
}

// part is the target of a request about elements.
type part struct {
	call provision.Call
	id   string
	attr *scim.Attribute
	key  string
}

// part reads the URL. An attribute without elements of its own has no such URLs.
func (x *exchange) part(col *collection) (p part, err error) {
	if p.call, p.id, err = x.target(col); err != nil {
		return p, err
	}
	name, err := url.PathUnescape(x.c.Param("attribute"))
	if err == nil {
		p.attr = col.t.Layout.Resolve(name)
	}
	if a := p.attr; a == nil || !a.MultiValued || a.Type != scim.TypeComplex || a.Returned == scim.ReturnedNever {
		return p, scim.Errorf(http.StatusNotFound, "", "A %s has no multi-valued attribute of this name whose elements have URLs.", col.t.Name)
	}
	if p.key, err = url.PathUnescape(x.c.Param("key")); err != nil {
		p.key = "" // as unknown as any that nobody has
	}
	p.call.Body = true
	p.call.Select, err = scim.Select(col.t.Layout, []string{"id", p.attr.Path()}, nil)
	return p, err
}

// urlOfElements is where the elements of an attribute are.
func (x *exchange) urlOfElements(col *collection, id string, a *scim.Attribute) string {
	return x.urlOf(col, id) + "/" + a.Path()
}

func (col *collection) elements(x *exchange) error {
	q, err := x.query()
	if err != nil {
		return err
	}
	if q.filter.given {
		return scim.Bad(scim.InvalidFilter, "Lists of elements take no filter; leave it out and choose from the whole list.")
	}
	p, err := x.part(col)
	if err != nil {
		return err
	}
	l, err := x.parts.Elements(x.ctx, p.call, p.id, p.attr)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, func(dst []byte) []byte {
		return appendElements(dst, &l, x.urlOfElements(col, l.ID, p.attr))
	})
	return nil
}

// appendElements appends a list of elements. One that cannot be told from another has
// no key.
func appendElements(dst []byte, l *provision.Elements, at string) []byte {
	dst = append(dst, `{"schemas":["`+ElementListMessage+`"],"totalResults":`...)
	dst = strconv.AppendInt(dst, int64(len(l.List)), 10)
	dst = append(dst, `,"Elements":[`...)
	for i, e := range l.List {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		if !e.Alike {
			dst = append(dst, `"key":`...)
			dst = scim.AppendString(dst, e.Key)
			dst = append(dst, `,"$ref":`...)
			dst = scim.AppendString(dst, at+"/"+e.Key)
			dst = append(dst, ',')
		}
		if e.Version != "" {
			dst = append(dst, `"version":`...)
			dst = scim.AppendString(dst, e.Version)
			dst = append(dst, ',')
		}
		dst = append(dst, `"value":`...)
		dst = append(scim.AppendValue(dst, l.Attr, e.Value), '}')
	}
	return append(dst, ']', '}')
}

// one answers with an element.
func (p *part) answer(x *exchange, status int, col *collection, id string, e *provision.Element) {
	x.write(status, func(dst []byte) []byte {
		dst = scim.AppendValue(dst, p.attr, e.Value)
		p.locate(x, col, id, e)
		return dst
	})
}

func (p *part) locate(x *exchange, col *collection, id string, e *provision.Element) {
	h := x.c.Writer.Header()
	v := []string{x.urlOfElements(col, id, p.attr) + "/" + e.Key}
	h["Location"], h["Content-Location"] = v, v
	if e.Version != "" {
		h["Etag"] = []string{e.Version}
	}
}

func (col *collection) element(x *exchange) error {
	p, err := x.part(col)
	if err != nil {
		return err
	}
	when := p.call.If
	p.call.If = provision.Condition{} // it is about the element
	l, err := x.parts.Elements(x.ctx, p.call, p.id, p.attr)
	if err != nil {
		return err
	}
	e, err := l.Find(p.key)
	switch {
	case err != nil:
		return err
	case !when.Holds(e.Version):
		return scim.Errorf(http.StatusPreconditionFailed, "", "The element has another version than those in If-Match.")
	case when.Known(e.Version):
		p.locate(x, col, l.ID, &e)
		x.send(http.StatusNotModified, nil)
		return nil
	}
	p.answer(x, http.StatusOK, col, l.ID, &e)
	return nil
}

// change carries a change out, and answers what is stored then.
func (p *part) change(x *exchange, col *collection, work func(was scim.Value) (scim.Value, error)) error {
	now, err := x.parts.ChangeElement(x.ctx, p.call, p.id, provision.ElementChange{Attr: p.attr, Key: p.key, Work: work})
	if err != nil {
		return err
	}
	switch {
	case !now.There || now.Alike:
		x.send(http.StatusNoContent, nil)
	case p.key == "" && now.Added:
		p.answer(x, http.StatusCreated, col, now.ID, &now.Element)
	default:
		p.answer(x, http.StatusOK, col, now.ID, &now.Element)
	}
	return nil
}

func (col *collection) addElement(x *exchange) error {
	p, err := x.part(col)
	if err != nil {
		return err
	}
	p.key = ""
	return p.write(x, col)
}

func (col *collection) putElement(x *exchange) error {
	p, err := x.part(col)
	if err != nil {
		return err
	}
	return p.write(x, col)
}

// write stores the element of the body.
func (p *part) write(x *exchange, col *collection) error {
	n, err := x.body()
	if err != nil {
		return err
	}
	if n.Kind != scim.NodeObject {
		return scim.Bad(scim.InvalidSyntax, "The body must be a JSON object, one element of %q, and is %s.", p.attr.Path(), n.Kind)
	}
	o := x.profiles[x.caller.Profile].Schema
	o.Reject = x.caller.Reject
	o.Warn = func(text string) { x.ignored = append(x.ignored, text) }
	elem, err := schema.ParseElement(p.attr, n, o)
	if err != nil {
		return err
	}
	if !elem.Present() {
		return scim.Bad(scim.InvalidValue, "The body has no value of an element of %q.", p.attr.Path())
	}
	return p.change(x, col, func(scim.Value) (scim.Value, error) { return elem, nil })
}

func (col *collection) removeElement(x *exchange) error {
	p, err := x.part(col)
	if err != nil {
		return err
	}
	if p.call.Select, err = scim.Select(col.t.Layout, []string{"id"}, nil); err != nil {
		return err
	}
	return p.change(x, col, func(scim.Value) (scim.Value, error) { return scim.Value{}, nil })
}

func (col *collection) patchElement(x *exchange) error {
	p, err := x.part(col)
	if err != nil {
		return err
	}
	body, err := x.body()
	if err != nil {
		return err
	}
	ops, err := p.operations(x, col, body)
	if err != nil {
		return err
	}
	x.note(ops)
	return p.change(x, col, func(was scim.Value) (scim.Value, error) {
		alone := scim.NewResource(col.t.Layout)
		alone.Set(p.attr, scim.List(was))
		after, err := patch.Apply(alone, ops)
		if err != nil {
			return scim.Value{}, err
		}
		left := after.Get(p.attr).Elems()
		if len(left) != 1 {
			return scim.Value{}, scim.Bad(scim.InvalidValue, "Nothing would be left of the element; DELETE it instead.")
		}
		return left[0], nil
	})
}

// operations reads the operations of a PATCH whose paths begin at the element.
func (p *part) operations(x *exchange, col *collection, body scim.Node) ([]patch.Operation, error) {
	warn := func(text string) { x.ignored = append(x.ignored, text) }
	list := slices.IndexFunc(body.Members, func(m scim.Member) bool { return strings.EqualFold(m.Name, "Operations") })
	if list < 0 || len(body.Members[list].Value.Items) == 0 {
		return x.parsePatch(col, body, warn) // it says what is wrong
	}
	var all []patch.Operation
	for i, n := range body.Members[list].Value.Items {
		for _, one := range p.below(n) {
			whole := alone(body, list, i)
			whole.Members[list].Value.Items = []scim.Node{one}
			ops, err := x.parsePatch(col, whole, warn)
			if err != nil {
				return nil, renumber(x.explain(err), i)
			}
			for j := range ops {
				ops[j].Index = i
			}
			all = append(all, ops...)
		}
	}
	return all, nil
}

// below makes of an operation on an element operations on the attribute that it is
// of: one, or one for each member of a value without path.
func (p *part) below(n scim.Node) []scim.Node {
	at := func(name string) int {
		return slices.IndexFunc(n.Members, func(m scim.Member) bool { return strings.EqualFold(m.Name, name) })
	}
	with := func(path string, value *scim.Node) scim.Node {
		out := scim.Node{Kind: n.Kind}
		for i, m := range n.Members {
			if i == at("path") || value != nil && i == at("value") {
				continue
			}
			out.Members = append(out.Members, m)
		}
		out.Members = append(out.Members, scim.Member{Name: "path", Value: scim.Node{Kind: scim.NodeString, Str: p.attr.Path() + "." + path}})
		if value != nil {
			out.Members = append(out.Members, scim.Member{Name: "value", Value: *value})
		}
		return out
	}
	if i := at("path"); i >= 0 && n.Members[i].Value.Kind == scim.NodeString && n.Members[i].Value.Str != "" {
		return []scim.Node{with(n.Members[i].Value.Str, nil)}
	}
	i := at("value")
	if i < 0 || n.Members[i].Value.Kind != scim.NodeObject {
		return []scim.Node{n}
	}
	var out []scim.Node
	for _, m := range n.Members[i].Value.Members {
		out = append(out, with(m.Name, &m.Value))
	}
	return out
}
