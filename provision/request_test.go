package provision_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// call is a request of the client "entra" with the default selection.
func (r *rig) call(t *schema.ResourceType, opts ...func(*provision.Call)) provision.Call {
	c := provision.Call{Caller: provision.Caller{Client: "entra"}, Type: t, Select: scim.DefaultSelection(t.Layout), Base: base}
	for _, o := range opts {
		o(&c)
	}
	return c
}

func as(client string) func(*provision.Call) {
	return func(c *provision.Call) { c.Caller.Client = client }
}
func existing(c *provision.Call) { c.Caller.Existing = true }

func attributes(names ...string) func(*provision.Call) {
	return func(c *provision.Call) {
		c.Select, _ = scim.Select(c.Type.Layout, names, nil)
		c.Body = true
	}
}

func excluding(names ...string) func(*provision.Call) {
	return func(c *provision.Call) { c.Select, _ = scim.Select(c.Type.Layout, nil, names) }
}

func (r *rig) decode(t *schema.ResourceType, body string, replace bool) *schema.Decoded {
	r.t.Helper()
	n, err := scim.ReadJSON([]byte(body), scim.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := schema.Decode(t, n, schema.Options{InferSchemas: true, Replace: replace})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) ops(t *schema.ResourceType, list string) []patch.Operation {
	r.t.Helper()
	n, err := scim.ReadJSON([]byte(`{"schemas":["`+scim.PatchOpMessage+`"],"Operations":[`+list+`]}`), scim.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	ops, err := patch.Parse(n, t, patch.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	return ops
}

func (r *rig) tryCreate(c provision.Call, body string) (*scim.Resource, error) {
	return r.svc.Create(context.Background(), c, r.decode(c.Type, body, false))
}

func (r *rig) create(c provision.Call, body string, args ...any) *scim.Resource {
	r.t.Helper()
	res, err := r.tryCreate(c, fmt.Sprintf(body, args...))
	if err != nil {
		r.t.Fatalf("create %s: %v", fmt.Sprintf(body, args...), err)
	}
	return res
}

func (r *rig) user(body string, args ...any) string {
	r.t.Helper()
	return r.create(r.call(r.User), body, args...).ID()
}

func (r *rig) group(body string, args ...any) string {
	r.t.Helper()
	return r.create(r.call(r.Group), body, args...).ID()
}

func (r *rig) tryReplace(c provision.Call, id, body string) (*scim.Resource, error) {
	return r.svc.Replace(context.Background(), c, id, r.decode(c.Type, body, true))
}

func (r *rig) tryPatch(c provision.Call, id, list string) (*scim.Resource, error) {
	return r.svc.Patch(context.Background(), c, id, r.ops(c.Type, list))
}

func (r *rig) patch(c provision.Call, id, list string, args ...any) *scim.Resource {
	r.t.Helper()
	res, err := r.tryPatch(c, id, fmt.Sprintf(list, args...))
	if err != nil {
		r.t.Fatalf("patch %s: %v", fmt.Sprintf(list, args...), err)
	}
	return res
}

func (r *rig) get(c provision.Call, id string) *scim.Resource {
	r.t.Helper()
	res, err := r.svc.Get(context.Background(), c, id)
	if err != nil {
		r.t.Fatalf("get: %v", err)
	}
	return res
}

func (r *rig) search(c provision.Call, text string, change ...func(*provision.Search)) (provision.List, error) {
	q := provision.Search{StartIndex: 1, Count: 100}
	if text != "" {
		parsed, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			r.t.Fatalf("%s: %v", text, err)
		}
		if q.Filter, err = schema.Bind(c.Type.Layout, parsed, schema.BindOptions{}); err != nil {
			r.t.Fatalf("%s: %v", text, err)
		}
	}
	for _, f := range change {
		f(&q)
	}
	return r.svc.List(context.Background(), c, q)
}

func (r *rig) list(c provision.Call, text string, change ...func(*provision.Search)) provision.List {
	r.t.Helper()
	l, err := r.search(c, text, change...)
	if err != nil {
		r.t.Fatalf("list %s: %v", text, err)
	}
	return l
}

func page(start, count int) func(*provision.Search) {
	return func(q *provision.Search) { q.StartIndex, q.Count = start, count }
}

func (r *rig) sortBy(t *schema.ResourceType, name string, descending bool) func(*provision.Search) {
	return func(q *provision.Search) {
		a, err := schema.SortAttribute(t.Layout, name)
		if err != nil {
			r.t.Fatal(err)
		}
		q.SortBy, q.Descending = a, descending
	}
}

// text is a resource as the client gets it.
func text(c provision.Call, res *scim.Resource) string {
	return string(scim.AppendResource(nil, res, c.Select))
}

// value walks a resource as the client gets it: "name.givenName", "members".
func value(t testing.TB, c provision.Call, res *scim.Resource, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text(c, res)), &v); err != nil {
		t.Fatal(err)
	}
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// ids are those of a list, in its order.
func ids(l provision.List) []string {
	out := []string{}
	for _, r := range l.Resources {
		out = append(out, r.ID())
	}
	return out
}

func members(t testing.TB, c provision.Call, res *scim.Resource, attr string) []string {
	t.Helper()
	list, _ := value(t, c, res, attr).([]any)
	out := []string{}
	for _, m := range list {
		out = append(out, m.(map[string]any)["value"].(string))
	}
	slices.Sort(out)
	return out
}

func sorted(ss ...string) []string {
	out := slices.Clone(ss)
	slices.Sort(out)
	return out
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want)
	if g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// refused checks an error's status and scimType, and that its detail is fit for
// clients.
func refused(t testing.TB, what string, err error, status int, typ scim.Keyword) *scim.Error {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: got %v, want a SCIM error %d", what, err, status)
	}
	if e.Status != status || e.Type != typ {
		t.Errorf("%s: got %v, want %d %s", what, e, status, typ)
	}
	if e.Detail == "" || strings.Contains(e.Detail, keyMark) || strings.Contains(e.Detail, secret) {
		t.Errorf("%s: detail %q", what, e.Detail) // E-02, E-06
	}
	return e
}

// secret is part of every text that a failing backend says.
const secret = "ORA-00942"
