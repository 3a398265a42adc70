package rules

import (
	"reflect"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim"
)

func TestMembers(t *testing.T) {
	in := func() Input {
		return groupInput(rule("displayName", name("title")), rule("members", join("ug", "g", "u"), refers("User")))
	}
	m := compiled(t, in())
	members := m.Type.Layout.Find("members")
	if typ, ok := m.MemberType(members); typ != "User" || !ok {
		t.Errorf("members are %q", typ)
	}
	if len(m.Relations) != 1 || m.Relations[0] != (RelationField{"$members", "ug", "g", "u", "User"}) {
		t.Errorf("%v", m.Relations)
	}
	ids := func(list ...string) (out []ID) {
		for _, id := range list {
			out = append(out, ID{"User", id})
		}
		return out
	}
	c, ok, err := m.MemberDelta(members, ids("id-1", "id-2"), ids("id-3", "nobody"), Lookup{Key: keyOf})
	if want := (adapters.MemberChange{Field: "$members", Add: []string{"1", "2"}, Remove: []string{"3"}}); !ok || err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%v %v %v", c, ok, err)
	}
	_, _, err = m.MemberDelta(members, ids("nobody"), nil, Lookup{Key: keyOf})
	checkFailure(t, err, `members: there is no User with the id "nobody"; create it first.`)
	if _, ok, _ = m.MemberDelta(m.Type.Layout.Find("displayName"), nil, nil, Lookup{Key: keyOf}); ok {
		t.Error("displayName has no members")
	}

	sent := []scim.Value{m.resource(t, `{"members":[{"value":"http://x/Users/id-1"}]}`).Get(members).Elems()[0], scim.Str("id-2")}
	if got := m.MemberIDs(members, sent); !reflect.DeepEqual(got, ids("id-1", "id-2")) {
		t.Errorf("%v", got)
	}

	before, after := m.resource(t, `{"displayName":"x","members":[{"value":"id-1"},{"value":"id-2"}]}`), m.resource(t, `{"displayName":"x","members":[{"value":"id-2"},{"value":"id-3"}]}`)
	held := fields{"$members": []string{"1", "hidden1", "2"}}
	d, err := m.Delta(m.record(held), before, after, keyOf, idOf)
	want := adapters.MemberChange{Field: "$members", Add: []string{"3"}, Remove: []string{"1"}}
	if err != nil || len(d.Set) > 0 || len(d.Members) != 1 || !reflect.DeepEqual(d.Members[0], want) {
		t.Errorf("%+v %v", d, err)
	}
	bind(m, memory.NoDelta)
	d, err = m.Delta(m.record(held), before, after, keyOf, idOf)
	if err != nil || len(d.Set) != 1 || !reflect.DeepEqual(d.Set[0].New, []string{"hidden1", "2", "3"}) {
		t.Errorf("a list that is replaced whole loses who is hidden: %+v %v", d, err)
	}
	if _, ok, _ = m.MemberDelta(members, nil, nil, Lookup{Key: keyOf}); ok {
		t.Error("this backend takes no such delta")
	}
}

func TestAccessors(t *testing.T) {
	m := quick(t, rule("enterprise:manager.value", name("boss"), refers("User")), rule("groups", join("ug", "u", "g"), refers("Group")),
		rule("active", name("s"), table("A", "true"), fallback("true")), rule("displayName", in(`record.a`)), rule("title", name("t"), out(`upper(value)`)),
		rule("nickName", name("n"), in("value"), out("value + resource.userName")), rule("test:tags", name("tags"), split(",")))
	var texts []string
	for _, r := range m.Rules() {
		texts = append(texts, r.Describe())
	}
	if got, want := strings.Join(texts, "; "), `login; boss refers to User; ug (u, g) refers to Group; s through a table of values; expression: record.a; `+
		`t, written by an expression; n through expressions; tags, split at ","`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := m.References(); !reflect.DeepEqual(got, []string{"User", "Group"}) {
		t.Errorf("references: %v", got)
	}
	if got := m.AttributeOf("s") + m.AttributeOf("nobody"); got != "active" {
		t.Errorf("the attribute of s: %q", got)
	}
	if v, ok := m.Rules()[3].Default(); !ok || !v.Bool() {
		t.Error("the default of active is true")
	}
	if r := m.Rules()[2]; !r.Costly() || !r.IsReference() || r.Top() != m.Type.Layout.Find("groups") || r.Field() != "$groups" || r.Attribute() != r.Top() {
		t.Error("the rule for groups")
	}
	var consulted []string
	for _, a := range m.Consulted() {
		consulted = append(consulted, a.Name)
	}
	if !reflect.DeepEqual(consulted, []string{"userName"}) || !m.Identifies(m.Type.Layout.ID) || m.Identifies(m.Type.Layout.Find("userName")) || m.MapsExternalID() {
		t.Errorf("consulted: %v", consulted)
	}
	if got := m.ReferencedIDs(m.resource(t, `{`+enterpriseKey+`:{"manager":{"value":"u/Users/1"}}}`)); !reflect.DeepEqual(got, []ID{{"User", "1"}}) {
		t.Errorf("referenced: %v", got)
	}
}

// A reference is checked where the backend declares it for every field of it.
func TestChecked(t *testing.T) {
	m := quick(t, rule("enterprise:manager.value", name("boss"), refers("User")), rule("groups", join("ug", "u", "g"), refers("Group")))
	bind(m, func(c *adapters.Capabilities) { c.Fields[c.Shape.Index("$groups")].Checked = true })
	if !m.Checked("Group") || m.Checked("User") || m.Checked("Device") {
		t.Error("groups are checked, managers are not, and of devices nothing is known")
	}
	_, refs := m.Read(m.record(fields{"boss": "1", "$groups": []string{"2"}}), m.Plan(everything), nil)
	if len(refs) != 2 || refs[0].Checked || !refs[1].Checked {
		t.Errorf("%+v", refs)
	}
	var kinds []string
	for _, r := range m.Rules() {
		typ, list := r.Refers()
		kinds = append(kinds, typ+map[bool]string{true: "s"}[list]+map[bool]string{true: " w"}[r.Writable()])
	}
	if got := strings.Join(kinds, ","); got != " w,User w,Groups" {
		t.Error(got)
	}
	if !reflect.DeepEqual(m.Key(), []string{"no"}) {
		t.Errorf("the key is %v", m.Key())
	}
}
