package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A creator makes a resource.
type creator struct{ *target }

// Exprs implements steps.Call.
func (c *creator) Exprs() []*steps.Expr { return nil }

// Reads implements steps.Call.
func (c *creator) Reads() bool { return false }

// Do implements steps.Call.
func (c *creator) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := c.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	record, _ := s["record"].(map[string]any)
	doc := object{}
	for _, p := range c.places {
		if v, there := nested(record, p.field); there && !p.multi {
			p.write(doc, v)
		}
	}
	r, err := c.b.exchange(ctx, request{method: http.MethodPost, path: c.root(svc), body: svc.outgoing(doc, c.schema), v11: svc.v11})
	if err != nil {
		return steps.Answer{}, err
	}
	a := written(r, "create")
	a.Values["body"].(object)["id"] = idOf(r)
	return a, nil
}

// idOf is the id of a new resource: in the body, or in Location.
func idOf(r response) any {
	if id, _ := field(r.object(), "id").(string); id != "" {
		return id
	}
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		return nil
	}
	id, err := url.PathUnescape(path.Base(u.EscapedPath()))
	if err != nil || id == "." || id == "/" {
		return nil
	}
	return id
}

// A remover deletes a resource: the one with the key, or the one just made.
type remover struct {
	*target
	op string // delete, undo
}

// Exprs implements steps.Call.
func (d *remover) Exprs() []*steps.Expr { return nil }

// Reads implements steps.Call.
func (d *remover) Reads() bool { return false }

// Do implements steps.Call.
func (d *remover) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := d.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	key, _ := s["key"].(string)
	if d.op == "undo" {
		body, _ := s["body"].(object)
		key, _ = body["id"].(string)
	}
	q := request{method: http.MethodDelete, path: d.at(svc, key), v11: svc.v11}
	r, err := d.b.exchange(ctx, q)
	if err == nil && unversioned(r) {
		_, r, err = d.withVersion(ctx, svc, key, q)
	}
	if err != nil {
		return steps.Answer{}, err
	}
	return written(r, "delete"), nil
}

// unversioned reports whether a server wants to be told the version.
func unversioned(r response) bool {
	return r.status == http.StatusPreconditionFailed || r.status == http.StatusPreconditionRequired
}

// A change changes fields of a resource, or adds and removes values of one.
type change struct {
	*target
	op   string // update, members
	list int    // members: the place
}

// Exprs implements steps.Call.
func (c *change) Exprs() []*steps.Expr { return nil }

// Reads implements steps.Call.
func (c *change) Reads() bool { return false }

// An edit is what a change does.
type edit struct {
	places      []place
	values      []any
	add, remove []any // of the one place, when members change
}

// Do implements steps.Call.
func (c *change) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	svc, err := c.b.ask(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	e := c.edit(s)
	key, _ := s["key"].(string)
	q := request{method: http.MethodPatch, path: c.at(svc, key), v11: svc.v11}
	if blind := svc.blind(c.op, e); !blind {
		doc, etag, a, err := c.one(ctx, svc, s, nil)
		if doc == nil || err != nil {
			return a, err
		}
		if old, _ := s["old"].(map[string]any); c.op == "update" && c.moved(doc, old, e) {
			return steps.Answer{}, &adapters.Error{Kind: adapters.Conflict, Err: errMoved}
		}
		e.apply(doc)
		q.etag = etag
		if svc.patch && !svc.v11 {
			q.body = patch(e.operations(doc))
		} else {
			q.method, q.body = http.MethodPut, svc.outgoing(trimmed(doc), c.schema)
		}
	} else if c.op == "members" {
		q.body = e.members(svc)
	} else {
		q.body = patch(e.operations(nil))
	}
	r, err := c.b.exchange(ctx, q)
	if err == nil && unversioned(r) && c.op == "members" && q.etag == "" {
		q.etag, r, err = c.withVersion(ctx, svc, key, q)
	}
	if err == nil && r.status == http.StatusBadRequest && len(e.remove) > 0 && svc.patch {
		r, err = c.removeOnlyHeld(ctx, svc, s, q, e)
	}
	if err != nil {
		return steps.Answer{}, err
	}
	return written(r, c.op), nil
}

// withVersion makes a change once more for a server that wants to be told the version.
// What the change relies on was compared already.
func (t *target) withVersion(ctx context.Context, svc *service, key string, q request) (string, response, error) {
	told := *svc
	told.etag = true
	short := url.Values{}
	t.leaveOut(short, svc, nil, nil)
	doc, etag, a, err := t.one(ctx, &told, steps.Scope{"key": key}, short)
	if doc == nil || err != nil {
		status, _ := a.Values["status"].(int)
		return "", response{status: status, broken: a.Broken}, err
	}
	q.etag = etag
	r, err := t.b.exchange(ctx, q)
	return etag, r, err
}

// removeOnlyHeld makes a member change once more without removing what is not there:
// some servers refuse that, and the whole change with it.
func (c *change) removeOnlyHeld(ctx context.Context, svc *service, s steps.Scope, q request, e edit) (response, error) {
	doc, _, a, err := c.one(ctx, svc, s, nil)
	if doc == nil || err != nil {
		status, _ := a.Values["status"].(int)
		return response{status: status, broken: a.Broken}, err
	}
	held, _ := e.places[0].read(doc).([]any)
	e.remove = slices.DeleteFunc(slices.Clone(e.remove), func(v any) bool { return !slices.Contains(held, v) })
	if len(e.add)+len(e.remove) == 0 {
		return response{status: http.StatusNoContent}, nil
	}
	q.body = e.members(svc)
	return c.b.exchange(ctx, q)
}

func (c *change) edit(s steps.Scope) edit {
	if c.op == "members" {
		add, _ := s["add"].([]any)
		remove, _ := s["remove"].([]any)
		return edit{places: []place{c.places[c.list]}, add: add, remove: remove}
	}
	changes, _ := s["changes"].(map[string]any)
	var e edit
	for _, p := range c.places {
		if v, there := nested(changes, p.field); there && !p.multi {
			e.places, e.values = append(e.places, p), append(e.values, v)
		}
	}
	return e
}

// blind reports whether a change can be said without knowing the resource: members
// are, so that one of many is added without reading the others.
func (s *service) blind(op string, e edit) bool {
	switch {
	case !s.patch:
		return false
	case op == "members":
		return true
	}
	return !s.v11 && !s.etag && !slices.ContainsFunc(e.places, func(p place) bool { return !p.simple() })
}

// moved reports whether a field that changes is no longer what it was.
func (c *change) moved(doc, old object, e edit) bool {
	return slices.ContainsFunc(e.places, func(p place) bool {
		was, _ := nested(old, p.field)
		is := p.read(doc)
		if adapters.NoValue(is) || adapters.NoValue(was) {
			return adapters.NoValue(is) != adapters.NoValue(was)
		}
		return text(is) != text(was)
	})
}

// apply makes the change in the resource.
func (e *edit) apply(doc object) {
	for i, v := range e.values {
		e.places[i].write(doc, v)
	}
	if e.values != nil {
		return
	}
	p := e.places[0]
	now, _ := p.read(doc).([]any)
	now = slices.DeleteFunc(slices.Clone(now), func(v any) bool { return slices.Contains(e.remove, v) })
	for _, v := range e.add {
		if !slices.Contains(now, v) {
			now = append(now, v)
		}
	}
	p.write(doc, now)
}

// An operation is one of PATCH.
func operation(op, path string, v any) any {
	o := object{"op": op, "path": path}
	if v != nil {
		o["value"] = v
	}
	return o
}

// operations are those of PATCH. A field that is simple is named itself: to replace a
// complex attribute leaves the sub-attributes that are not said. Attributes with
// elements are replaced with all of them, as they are in doc.
func (e *edit) operations(doc object) []any {
	var out []any
	var did []string
	for i, p := range e.places {
		name := p.path()
		switch {
		case p.simple() && p.sub != "":
			out = append(out, replaced(name+"."+p.sub, e.values[i]))
		case p.simple():
			out = append(out, replaced(name, e.values[i]))
		case !slices.Contains(did, name):
			did = append(did, name)
			out = append(out, replaced(name, field(p.holder(doc), p.attr)))
		}
	}
	return out
}

func replaced(path string, v any) any {
	if v == nil {
		return operation("remove", path, nil)
	}
	return operation("replace", path, v)
}

func patch(ops []any) object {
	return object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

// members is the PATCH that adds and removes values.
func (e *edit) members(s *service) object {
	p := e.places[0]
	elements := func(values []any, more object) []any {
		var out []any
		for _, v := range values {
			o := object{"value": v}
			for n, x := range more {
				o[n] = x
			}
			out = append(out, o)
		}
		return out
	}
	if s.v11 {
		all := slices.Concat(elements(e.remove, object{"operation": "delete"}), elements(e.add, nil))
		return object{"schemas": []any{core11}, p.attr: all}
	}
	var ops []any
	for _, v := range e.remove {
		literal, _ := json.Marshal(text(v)) // a text always can be
		ops = append(ops, operation("remove", p.path()+"[value eq "+string(literal)+"]", nil))
	}
	if len(e.add) > 0 {
		ops = append(ops, operation("add", p.path(), elements(e.add, nil)))
	}
	return patch(ops)
}

// trimmed is a resource as PUT takes it: without what the server alone says.
func trimmed(doc object) object {
	for _, n := range []string{"meta", "groups"} {
		name, _ := member(doc, n)
		delete(doc, name)
	}
	return doc
}
