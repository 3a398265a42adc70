package provision_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

const base = "https://scim.example.org/v2"

// keyMark begins every key that the backends of a rig make, so that one that
// leaks is found wherever it turns up.
const keyMark = "KEY"

// settings are what differs between rigs.
type settings struct {
	scope    string // of users
	managed  string // of users
	restrict []func(*adapters.Capabilities)
	unique   bool // the backend keeps login unique, by its exact spelling
	fromName bool // the login is the key
	groups   bool // users have the attribute groups
	external bool // externalId is a field of the backend
	scan     int
	recall   bool
	now      func() time.Time // the mapping table's
	log      io.Writer

	correlate provision.Correlation // of users
	by        []string
	ends      string
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
	if r.ids, err = identity.Open(ctx, filepath.Join(t.TempDir(), "ids.db"), identity.Options{Now: o.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.ids.Close() })
	var by []rules.Text
	for _, path := range o.by {
		by = append(by, at(path))
	}
	user := compile(t, rules.Input{Name: "User", Correlate: by, Ends: at(o.ends), Endpoint: "/Users", Schema: builtin(scim.UserSchema),
		Extensions: []schema.Extension{{Schema: builtin(scim.EnterpriseUserSchema)}},
		Aliases:    map[string]string{"enterprise": scim.EnterpriseUserSchema},
		Key:        []rules.Text{at("no")}, Scope: at(o.scope), Managed: at(o.managed), Attributes: userSpecs(o)})
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
	o.correlate.By = user.Correlates()
	opts := provision.Options{IDs: r.ids, Scan: o.scan, Log: slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelInfo})), Recall: -1,
		Targets: []provision.Target{{Mapping: user, Adapter: r.users, Backend: "hr", Correlate: o.correlate}, {Mapping: group, Adapter: r.groups, Backend: "hr"}}}
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
