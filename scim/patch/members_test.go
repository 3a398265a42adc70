package patch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
	"pgregory.net/rapid"
)

func ids(a *scim.Attribute, elems []scim.Value) string {
	var out []string
	for _, e := range elems {
		out = append(out, e.Get(a.Find("value")).String())
	}
	return strings.Join(out, " ")
}

func TestMembersOnly(t *testing.T) {
	group := builtin(t, "Group")
	members := group.Layout.Find("members")
	add := func(id string) string { return fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id) }
	remove := func(id string) string { return fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id) }
	cases := []struct {
		name, add, remove string
		no                bool
		ops               []string
	}{
		{name: "P-64 add", add: "a", ops: []string{add("a")}},
		{name: "P-64 without path", add: "a b", ops: []string{`{"op":"add","value":{"members":[{"value":"a"},{"value":"b"}]}}`}},
		{name: "P-64 remove by filter", remove: "a", ops: []string{remove("a")}},
		{name: "P-64 remove by list", remove: "a b", ops: []string{`{"op":"Remove","path":"members","value":[{"value":"a"},{"value":"b"}]}`}},
		{name: "P-64 remove by or", remove: "a b c", ops: []string{`{"op":"remove","path":"members[value eq \"a\" or VALUE eq \"b\" or value eq \"c\"]"}`}},
		{name: "P-06 remove then add", add: "a", ops: []string{remove("a"), add("a")}},
		{name: "P-06 add then remove", remove: "a", ops: []string{add("a"), remove("a")}},
		{name: "P-06 and again", add: "a", remove: "b", ops: []string{add("a"), remove("b"), remove("a"), add("a")}},
		{name: "ids keep their case", add: "a", remove: "A", ops: []string{add("a"), remove("A")}},
		{name: "the list is empty", no: true, ops: []string{`{"op":"remove","path":"members","value":[]}`}},
		{name: "nothing added beside a member", no: true, ops: []string{`{"op":"add","path":"members","value":[]}`, add("a")}},
		{name: "replace", no: true, ops: []string{`{"op":"replace","path":"members","value":[{"value":"a"}]}`}},
		{name: "all removed", no: true, ops: []string{`{"op":"remove","path":"members"}`, add("a")}},
		{name: "other terms", no: true, ops: []string{`{"op":"remove","path":"members[type eq \"User\"]"}`}},
		{name: "and", no: true, ops: []string{`{"op":"remove","path":"members[value eq \"a\" and type eq \"User\"]"}`}},
		{name: "or with another", no: true, ops: []string{`{"op":"remove","path":"members[value eq \"a\" or type eq \"User\"]"}`}},
		{name: "not", no: true, ops: []string{`{"op":"remove","path":"members[not (value eq \"a\")]"}`}},
		{name: "ne", no: true, ops: []string{`{"op":"remove","path":"members[value ne \"a\"]"}`}},
		{name: "sub-attribute", no: true, ops: []string{`{"op":"remove","path":"members[value eq \"a\"].display"}`}},
		{name: "add by filter", no: true, ops: []string{`{"op":"add","path":"members[value eq \"a\"]","value":{"value":"a"}}`}},
		{name: "filter and list", no: true, ops: []string{`{"op":"remove","path":"members[value eq \"a\"]","value":[{"value":"b"}]}`}},
		{name: "rename too", no: true, ops: []string{add("a"), `{"op":"replace","path":"displayName","value":"x"}`}},
		{name: "Okta's rename", no: true, ops: []string{`{"op":"replace","value":{"id":"g","displayName":"x"}}`, add("a")}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ops, err := Parse(readJSON(t, patchBody(c.ops...)), group, Options{})
			if err != nil {
				t.Fatal(err)
			}
			deltas, ok := MembersOnly(ops)
			if ok == c.no {
				t.Fatalf("ok is %v", ok)
			}
			if c.no {
				return
			}
			if len(deltas) != 1 || deltas[0].Attr != members || ids(members, deltas[0].Add) != c.add || ids(members, deltas[0].Remove) != c.remove {
				t.Errorf("got %+v", deltas)
			}
		})
	}
}

// A list that may not be changed, not become empty, or has a primary element must
// be looked at.
func TestMembersOnlyLooks(t *testing.T) {
	body := patchBody(`{"op":"remove","path":"r","value":[{"value":"a"}]}`)
	for name, change := range map[string]func(*scim.Attribute){
		"P-46 required":  func(a *scim.Attribute) { a.Required = true },
		"P-30 readOnly":  func(a *scim.Attribute) { a.Mutability = scim.ReadOnly },
		"P-31 immutable": func(a *scim.Attribute) { a.Mutability = scim.Immutable },
	} {
		ops, err := Parse(readJSON(t, body), thing(t, "r", change), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := MembersOnly(ops); ok {
			t.Errorf("%s: not looked at", name)
		}
	}
	rt := thing(t, "r", func(a *scim.Attribute) { a.Sub = append(a.Sub, boolean("primary")) })
	ops, err := Parse(readJSON(t, patchBody(`{"op":"add","path":"r","value":[{"value":"a","primary":true}]}`)), rt, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := MembersOnly(ops); ok {
		t.Error("P-33: a new primary takes it from others")
	}
	rt = thing(t, "r.value", func(a *scim.Attribute) { a.CaseExact = false })
	ops, err = Parse(readJSON(t, patchBody(`{"op":"remove","path":"r[value eq \"A\"]"}`)), rt, Options{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := Apply(resource(t, rt.Layout, `{"r":[{"value":"a"}]}`), ops)
	if _, ok := MembersOnly(ops); ok || err != nil || after.Get(rt.Layout.Find("r")).Present() {
		t.Errorf("F-13: a filter without caseExact must look at each element: %v, %v", ops, err)
	}
	if _, ok := MembersOnly(nil); ok {
		t.Error("no operations are not members only: the resource must still exist")
	}
}

// The delta does to any group what Apply does to it, as a set of ids (P-64).
func TestMembersOnlyIsApply(t *testing.T) {
	group := builtin(t, "Group")
	members := group.Layout.Find("members")
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "A"})
		stored := rapid.SliceOfNDistinct(id, 0, 5, rapid.ID).Draw(rt, "stored")
		var ops []string
		for range rapid.IntRange(1, 6).Draw(rt, "n") {
			ops = append(ops, memberOp(rapid.IntRange(0, 4).Draw(rt, "op"), rapid.SliceOfN(id, 1, 3).Draw(rt, "ids")))
		}
		parsed, err := Parse(readJSON(t, patchBody(ops...)), group, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		before := resource(t, group.Layout, `{"id":"g","displayName":"G","members":[`+valueList(stored)+`]}`)
		after, err := Apply(before, parsed)
		if err != nil {
			rt.Fatal(err)
		}
		one := before
		for i := range parsed {
			if one, err = Apply(one, parsed[i:i+1]); err != nil {
				rt.Fatal(err)
			}
		}
		if !same(members, after.Get(members), one.Get(members)) {
			rt.Fatalf("%v of %v: at once %s, one by one %s", ops, stored, show(after), show(one))
		}
		deltas, ok := MembersOnly(parsed)
		if !ok {
			rt.Fatalf("not members only: %v", ops)
		}
		want := strings.Fields(ids(members, after.Get(members).Elems()))
		got := stored
		for _, d := range deltas {
			gone := strings.Fields(ids(members, d.Remove))
			got = slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(gone, s) })
			got = append(got, strings.Fields(ids(members, d.Add))...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(slices.Compact(got), want) {
			rt.Fatalf("%v of %v: delta gives %v, Apply %v", ops, stored, got, want)
		}
	})
}

func memberOp(kind int, ids []string) string {
	switch kind {
	case 0:
		return `{"op":"add","path":"members","value":[` + valueList(ids) + `]}`
	case 4:
		return `{"op":"add","path":"members","value":[{"type":"Group","value":"` + ids[0] + `"}]}`
	case 1:
		return `{"op":"remove","path":"members","value":[` + valueList(ids) + `]}`
	case 2:
		return fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, ids[0])
	}
	return fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, strings.Join(ids, `\" or value eq \"`))
}

func valueList(ids []string) string {
	var out []string
	for _, id := range ids {
		out = append(out, fmt.Sprintf(`{"value":%q}`, id))
	}
	return strings.Join(out, ",")
}

func TestTouches(t *testing.T) {
	user, group := builtin(t, "User"), builtin(t, "Group")
	cases := []struct {
		name, want string
		user       bool
		ops        []string
	}{
		{"P-64 a rename reads no members", "displayName", false, []string{`{"op":"replace","path":"displayName","value":"x"}`}},
		{"P-57 Okta's rename", "id displayName", false, []string{`{"op":"replace","value":{"id":"g","displayName":"x"}}`}},
		{"each once", "title emails name.givenName", true, []string{`{"op":"add","path":"title","value":"x"}`,
			`{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}`, `{"op":"remove","path":"title"}`, `{"op":"add","path":"name","value":{"givenName":"x"}}`}},
	}
	for _, c := range cases {
		rt := group
		if c.user {
			rt = user
		}
		ops, err := Parse(readJSON(t, patchBody(c.ops...)), rt, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range Touches(ops) {
			got = append(got, a.Path())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

// Apply works on a resource of which only what Touches names was read.
func TestTouchesSuffices(t *testing.T) {
	user := builtin(t, "User")
	full := resource(t, user.Layout, someUser)
	for file, c := range known {
		if strings.Contains(file, "group") || strings.Contains(file, "member") || strings.Contains(file, "push") {
			continue
		}
		ops, err := Parse(readJSON(t, readKnown(t, file)), user, Options{})
		if err != nil {
			t.Fatal(err)
		}
		part := scim.NewResource(user.Layout)
		for _, a := range Touches(ops) {
			part.Set(a, full.Get(a))
		}
		whole, err1 := Apply(full, ops)
		got, err2 := Apply(part, ops)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s %s: %v, %v", c.row, file, err1, err2)
		}
		for _, a := range Touches(ops) {
			if !whole.Get(a).Equal(got.Get(a)) {
				t.Errorf("%s %s: %s is %v, want %v", c.row, file, a.Path(), got.Get(a), whole.Get(a))
			}
		}
	}
}
