package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

const base = "https://scim.example.org/v2"

// keyMark begins every key that the backends of a rig make, so that one that
// leaks is found wherever it turns up.
const keyMark = "KEY"

// settings are what differs between rigs.
type settings struct {
	scope    string // of users
	restrict []func(*adapters.Capabilities)
	unique   bool // the backend keeps login unique, by its exact spelling
	fromName bool // the login is the key
	groups   bool // users have the attribute groups
	external bool // externalId is a field of the backend
	scan     int
	recall   bool
	log      io.Writer
}

// A rig is a service over two kinds of object in memory that share a relation,
// with real mappings and a real mapping table.
type rig struct {
	t             testing.TB
	svc           *provision.Service
	ids           *identity.Store
	User, Group   *schema.ResourceType
	users, groups *probe
}

// A probe is an adapter that counts what it is asked, and fails when told to.
type probe struct {
	adapters.Adapter
	relation *memory.Relation

	gets, lists, creates, updates, deletes atomic.Int64

	mu    sync.Mutex
	fails func(op string) error // before anything happens
	after func(op string)       // when all has happened
}

func (p *probe) calls() int64 {
	return p.gets.Load() + p.lists.Load() + p.creates.Load() + p.updates.Load() + p.deletes.Load()
}

func (p *probe) reset() {
	for _, n := range []*atomic.Int64{&p.gets, &p.lists, &p.creates, &p.updates, &p.deletes} {
		n.Store(0)
	}
}

// hook sets what happens around calls; nil takes it away.
func (p *probe) hook(fails func(string) error, after func(string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails, p.after = fails, after
}

func (p *probe) around(op string, n *atomic.Int64, f func() error) error {
	n.Add(1)
	p.mu.Lock()
	fails, after := p.fails, p.after
	p.mu.Unlock()
	if fails != nil {
		if err := fails(op); err != nil {
			return err
		}
	}
	err := f()
	if after != nil {
		after(op)
	}
	return err
}

func (p *probe) Get(ctx context.Context, k adapters.Key, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("get", &p.gets, func() error { r, err = p.Adapter.Get(ctx, k, w); return err })
	return r, err
}

func (p *probe) List(ctx context.Context, q adapters.Query) (pg adapters.Page, err error) {
	err = p.around("list", &p.lists, func() error { pg, err = p.Adapter.List(ctx, q); return err })
	return pg, err
}

func (p *probe) Create(ctx context.Context, in adapters.Record, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("create", &p.creates, func() error { r, err = p.Adapter.Create(ctx, in, w); return err })
	return r, err
}

func (p *probe) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("update", &p.updates, func() error { r, err = p.Adapter.Update(ctx, k, d, w); return err })
	return r, err
}

func (p *probe) Delete(ctx context.Context, k adapters.Key) error {
	return p.around("delete", &p.deletes, func() error { return p.Adapter.Delete(ctx, k) })
}

func at(s string) rules.Text { return rules.Text{Value: s, Line: 1, Column: 1} }

func rename(path, field string) rules.Spec { return rules.Spec{Path: at(path), Field: at(field)} }

func builtin(urn string) *schema.Schema {
	s, _ := schema.Builtin(urn)
	return s
}

func userSpecs(o settings) []rules.Spec {
	specs := []rules.Spec{
		rename("userName", "login"), rename("name.givenName", "first"), rename("name.familyName", "last"),
		rename("displayName", "shown"), rename("title", "title"), rename("nickName", "nick"),
		{Path: at("active"), Field: at("status"), Values: []rules.Coded{{Backend: at("A"), SCIM: at("true")}, {Backend: at("L"), SCIM: at("false")}},
			Default: &rules.Text{Value: "true"}},
		{Path: at("userType"), In: at(`record.status == "A" ? "Employee" : "Former"`)},
		rename(`emails[type eq "work"].value`, "mail"), rename(`emails[type eq "home"].value`, "private"),
		rename("enterprise:department", "dept"),
		{Path: at("enterprise:manager.value"), Field: at("boss"), Refers: at("User")},
		rename("meta.created", "hired"),
	}
	if o.groups {
		specs = append(specs, rules.Spec{Path: at("groups"), Refers: at("Group"), Relation: &rules.Relation{Table: at("ug"), Owner: at("u"), Member: at("g")}})
	}
	if o.external {
		specs = append(specs, rename("externalId", "external"))
	}
	return specs
}

func compile(t testing.TB, in rules.Input) *rules.Mapping {
	t.Helper()
	in.Types = map[string]string{"User": "/Users", "Group": "/Groups"}
	in.At = at(in.Name)
	m, problems := rules.Compile(in)
	for _, p := range problems {
		if !p.Warning {
			t.Fatalf("compile %s: %v", in.Name, p)
		}
	}
	return m
}

func newRig(t testing.TB, o settings) *rig {
	t.Helper()
	r := &rig{t: t}
	ctx := context.Background()
	var err error
	if r.ids, err = identity.Open(ctx, filepath.Join(t.TempDir(), "ids.db"), identity.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.ids.Close() })
	user := compile(t, rules.Input{Name: "User", Endpoint: "/Users", Schema: builtin(scim.UserSchema),
		Extensions: []schema.Extension{{Schema: builtin(scim.EnterpriseUserSchema)}},
		Aliases:    map[string]string{"enterprise": scim.EnterpriseUserSchema},
		Key:        []rules.Text{at("no")}, Scope: at(o.scope), Attributes: userSpecs(o)})
	group := compile(t, rules.Input{Name: "Group", Endpoint: "/Groups", Schema: builtin(scim.GroupSchema), Key: []rules.Text{at("no")},
		Attributes: []rules.Spec{{Path: at("displayName"), Field: at("label"), Uniqueness: at("server")},
			{Path: at("members"), Refers: at("User"), Relation: &rules.Relation{Table: at("ug"), Owner: at("g"), Member: at("u")}}}})
	rel := memory.NewRelation()
	r.users = newProbe(user, rel, o)
	r.groups = newProbe(group, rel, o)
	r.User, r.Group = user.Type, group.Type
	if o.scan == 0 {
		o.scan = 1000
	}
	if o.log == nil {
		o.log = io.Discard
	}
	opts := provision.Options{IDs: r.ids, Scan: o.scan, Log: slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelInfo})), Recall: -1,
		Targets: []provision.Target{{Mapping: user, Adapter: r.users, Backend: "hr"}, {Mapping: group, Adapter: r.groups, Backend: "hr"}}}
	if o.recall {
		opts.Recall = 0
	}
	r.svc = provision.New(opts)
	return r
}

// newProbe makes the backend of a mapping: whatever fields it names.
func newProbe(m *rules.Mapping, rel *memory.Relation, o settings) *probe {
	opts := memory.Options{GivenKeys: true, Restrict: o.restrict}
	for _, name := range m.Shape().Names() {
		f := memory.Field{Name: name}
		if strings.HasPrefix(name, "$") {
			f.Relation, f.Inverse = rel, name == "$groups"
		}
		f.Unique = o.unique && name == "login"
		opts.Fields = append(opts.Fields, f)
	}
	if o.fromName && m.Type.Name == "User" {
		opts.KeyFrom = "login"
		return &probe{Adapter: memory.New(opts), relation: rel}
	}
	opts.Restrict = append(opts.Restrict, func(c *adapters.Capabilities) { c.GivenKeys = false })
	return &probe{Adapter: &marked{Adapter: memory.New(opts)}, relation: rel}
}

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

// values collects a sub-attribute of all elements, or an attribute of all resources.
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

// snapshot is all that both backends hold.
func (r *rig) snapshot() string {
	var b bytes.Buffer
	for _, p := range []*probe{r.users, r.groups} {
		query := adapters.Query{Limit: 10_000, Want: adapters.AllFields}
		pg, err := p.Adapter.List(context.Background(), query)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, rec := range pg.Records {
			fmt.Fprintln(&b, rec.Key, rec.Values())
		}
	}
	return b.String()
}

// raw puts a record into the users' backend behind the service's back.
func (r *rig) raw(values map[string]any) adapters.Key {
	r.t.Helper()
	shape := r.users.Capabilities().Shape
	rec, err := r.users.Adapter.Create(context.Background(), adapters.FromMap(shape, "", values), adapters.Fields{})
	if err != nil {
		r.t.Fatal(err)
	}
	return rec.Key
}

// rawSet changes a field of a user behind the service's back.
func (r *rig) rawSet(key adapters.Key, field string, v any) {
	r.t.Helper()
	rec, err := r.users.Adapter.Get(context.Background(), key, adapters.AllFields)
	if err != nil {
		r.t.Fatal(err)
	}
	d := adapters.Delta{Set: []adapters.Change{{Field: field, Old: rec.Get(field), New: v}}, Before: rec, After: rec}
	if _, err := r.users.Adapter.Update(context.Background(), key, d, adapters.Fields{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) keyOf(id string) adapters.Key {
	r.t.Helper()
	found, err := r.ids.Resolve(context.Background(), identity.Domain{Client: "entra"}, "", []string{id})
	if err != nil || found[0].ID == "" {
		r.t.Fatal("no key", err)
	}
	return adapters.Key(found[0].Key)
}

// A marked adapter makes keys that can be recognised.
type marked struct {
	adapters.Adapter
	last atomic.Int64
}

func (m *marked) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	r.Key = adapters.Key(fmt.Sprintf("%s%06d", keyMark, m.last.Add(1)))
	return m.Adapter.Create(ctx, r, want)
}
