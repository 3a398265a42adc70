package memory_test

import (
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
)

// A pair of adapters that share a relation, as provision's tests use them.
type pair struct {
	t             *testing.T
	users, groups *memory.Adapter
}

func newPair(t *testing.T) pair {
	rel := memory.NewRelation()
	return pair{
		t: t,
		users: memory.New(memory.Options{KeyFrom: "login", Fields: []memory.Field{
			{Name: "login", Unique: true}, {Name: "groups", Relation: rel, Inverse: true},
		}}),
		groups: memory.New(memory.Options{Fields: []memory.Field{
			{Name: "title", Unique: true}, {Name: "members", Relation: rel},
		}}),
	}
}

func (p pair) create(a *memory.Adapter, values map[string]any) adapters.Key {
	p.t.Helper()
	r, err := a.Create(p.t.Context(), adapters.FromMap(a.Capabilities().Shape, "", values), adapters.Fields{})
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Key
}

func (p pair) list(a *memory.Adapter, key adapters.Key, field string) []string {
	p.t.Helper()
	r, err := a.Get(p.t.Context(), key, adapters.AllFields)
	if err != nil {
		p.t.Fatal(err)
	}
	list, _ := r.Get(field).([]string)
	return list
}

func (p pair) want(what string, got []string, want ...string) {
	p.t.Helper()
	if !slices.Equal(got, want) {
		p.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestRelationIsShared(t *testing.T) {
	p := newPair(t)
	p.create(p.users, map[string]any{"login": "ann"})
	p.create(p.users, map[string]any{"login": "bob"})
	staff := p.create(p.groups, map[string]any{"title": "staff", "members": []string{"bob", "ann"}})
	admins := p.create(p.groups, map[string]any{"title": "admins", "members": []string{"ann"}})
	p.want("ann's groups", p.list(p.users, "ann", "groups"), string(staff), string(admins))
	p.want("bob's groups", p.list(p.users, "bob", "groups"), string(staff))

	_, err := p.users.Update(t.Context(), "bob", adapters.Delta{Members: []adapters.MemberChange{{Field: "groups", Add: []string{string(admins)}}}}, adapters.Fields{})
	if err != nil {
		t.Fatal(err)
	}
	p.want("admins", p.list(p.groups, admins, "members"), "ann", "bob")

	d := adapters.Delta{Set: []adapters.Change{{Field: "login", Old: "ann", New: "zoe"}}}
	if _, err := p.users.Update(t.Context(), "ann", d, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	p.want("staff after a rename", p.list(p.groups, staff, "members"), "bob", "zoe")

	if err := p.users.Delete(t.Context(), "zoe"); err != nil {
		t.Fatal(err)
	}
	p.want("staff after a delete", p.list(p.groups, staff, "members"), "bob")
	if err := p.groups.Delete(t.Context(), admins); err != nil {
		t.Fatal(err)
	}
	p.want("bob's groups after a delete", p.list(p.users, "bob", "groups"), string(staff))
}

func TestRelationFilter(t *testing.T) {
	p := newPair(t)
	p.create(p.groups, map[string]any{"title": "a", "members": []string{"ann"}})
	p.create(p.groups, map[string]any{"title": "b", "members": []string{"ann", "bob"}})
	leaf := &filter.Compare{Name: "members", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("bob")}
	for _, e := range []filter.Expr{leaf, filter.And{filter.True{}, leaf}, filter.Or{filter.False{}, leaf}, filter.Not{Term: filter.Not{Term: leaf}}} {
		page, err := p.groups.List(t.Context(), adapters.Query{Filter: e, Limit: 10, Total: true})
		if err != nil || page.Total != 1 || page.Records[0].Key != "2" {
			t.Errorf("%s: %v, %v", filter.Print(e), page, err)
		}
	}
}

// TestRenameRefused: a rename onto another record's key, or to none, changes
// nothing.
func TestRenameRefused(t *testing.T) {
	p := newPair(t)
	p.create(p.users, map[string]any{"login": "ann"})
	p.create(p.users, map[string]any{"login": "bob"})
	for to, kind := range map[string]adapters.Kind{"bob": adapters.Exists, "": adapters.Invalid} {
		d := adapters.Delta{Set: []adapters.Change{{Field: "login", Old: "ann", New: to}}}
		if _, err := p.users.Update(t.Context(), "ann", d, adapters.Fields{}); !adapters.Is(err, kind) {
			t.Errorf("rename to %q: %v, want %v", to, err, kind)
		}
		if r, err := p.users.Get(t.Context(), "ann", adapters.AllFields); err != nil || r.Get("login") != "ann" {
			t.Errorf("after a refused rename: %v, %v", r.Values(), err)
		}
	}
}
