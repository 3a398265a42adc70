package rules

import (
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// quick makes a mapping of userName and some rules.
func quick(t testing.TB, specs ...Spec) *Mapping {
	t.Helper()
	return compiled(t, userInput(append([]Spec{userName()}, specs...)...))
}

func TestRead(t *testing.T) {
	type specs = []Spec
	for _, c := range []struct {
		name   string
		rules  specs
		record fields
		want   string // without {} and userName
		warned []int
	}{
		{"rename", specs{rule("title", name("t"))}, fields{"t": "Dr."}, `"title":"Dr."`, nil},
		{"part of a complex attribute", specs{rule("name.givenName", name("f")), rule("name.formatted", name("g"))},
			fields{"g": "Ada L."}, `"name":{"formatted":"Ada L."}`, nil},
		{"extension by alias", specs{rule("enterprise:department", name("d"))}, fields{"d": "R&D"},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}`, nil},
		{"extension by URN", specs{rule(scim.EnterpriseUserSchema+":department", name("d"))}, fields{"d": "R&D"},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}`, nil},

		{"table", specs{rule("active", name("s"), table("A", "true", "L", "false"))}, fields{"s": "L"}, `"active":false`, nil},
		{"table, several codes", specs{rule("active", name("s"), table("A", "true", "B", "true"))}, fields{"s": "B"}, `"active":true`, nil},
		{"table over a number", specs{rule("active", name("s"), table("1", "true"))}, fields{"s": int64(1)}, `"active":true`, nil},
		{"table, unknown code", specs{rule("active", name("s"), table("A", "true"))}, fields{"s": "x"}, ``, []int{3}},
		{"table, other case", specs{rule("active", name("s"), table("A", "true"))}, fields{"s": "a"}, ``, []int{3}},
		{"table, no value", specs{rule("active", name("s"), table("A", "true"))}, fields{"s": ""}, ``, nil},
		{"table of integers", specs{rule("test:level", name("s"), table("low", "1", "high", "2"))}, fields{"s": "high"}, `"` + testURN + `":{"level":2}`, nil},

		{"expression", specs{rule("displayName", in(`record.a + " " + record.b`))}, fields{"a": "x", "b": "y"}, `"displayName":"x y"`, nil},
		{"expression, absent", specs{rule("displayName", in(`record.a + " " + record.b`))}, fields{"a": "x"}, ``, []int{3}},
		{"expression with value", specs{rule("displayName", name("a"), in(`upper(value)`))}, fields{"a": "x"}, `"displayName":"X"`, nil},
		{"expression over all of record", specs{rule("nickName", name("n")), rule("displayName", in(`join(sort(map(keys(record), record[#] ?? "-")), ",")`))},
			fields{"n": "x"}, `"displayName":"-,x","nickName":"x"`, nil},
		{"words", specs{rule("displayName", in(`words(record.a, record.b)`))}, fields{"b": "y"}, `"displayName":"y"`, nil},
		{"words of nothing", specs{rule("displayName", in(`words(record.a)`))}, fields{}, ``, nil},

		{"C-04 out only is never returned", specs{rule("title", name("t"), out(`upper(value)`))}, fields{"t": "X"}, ``, nil},
		{"password is never read", specs{rule("password", name("p"))}, fields{"p": "hash"}, ``, nil},
		{"writeOnly is never read", specs{rule("title", name("t"), mutable("writeOnly"))}, fields{"t": "X"}, ``, nil},

		{"split", specs{rule("test:tags", name("t"), split(","))}, fields{"t": "a, b,,c "}, `"` + testURN + `":{"tags":["a","b","c"]}`, nil},
		{"split at a blank", specs{rule("test:tags", name("t"), split(" "))}, fields{"t": " a  b "}, `"` + testURN + `":{"tags":["a","b"]}`, nil},
		{"split of integers", specs{rule("test:numbers", name("t"), split(";"))}, fields{"t": "1;2"}, `"` + testURN + `":{"numbers":[1,2]}`, nil},
		{"split, one is none", specs{rule("test:numbers", name("t"), split(";"))}, fields{"t": "1;x;2"}, `"` + testURN + `":{"numbers":[1,2]}`, []int{3}},
		{"split into elements", specs{rule("emails", name("m"), split(";"))}, fields{"m": "a@x;b@x"}, `"emails":[{"value":"a@x"},{"value":"b@x"}]`, nil},
		{"split by the value's path", specs{rule("emails.value", name("m"), split(";"))}, fields{"m": "a@x;b@x"}, `"emails":[{"value":"a@x"},{"value":"b@x"}]`, nil},
		{"split through a table", specs{rule("roles", name("r"), split(","), table("r", "reader", "w", "writer"))}, fields{"r": "w,x,r"},
			`"roles":[{"value":"writer"},{"value":"reader"}]`, []int{3}},

		{"element", specs{rule(`emails[type eq "work"].value`, name("m"))}, fields{"m": "a@x"}, `"emails":[{"value":"a@x","type":"work"}]`, nil},
		{"element without a value", specs{rule(`emails[type eq "work"].value`, name("m"))}, fields{}, ``, nil},
		{"element with two constants", specs{rule(`emails[type eq "work" and primary eq true].value`, name("m"))}, fields{"m": "a@x"},
			`"emails":[{"value":"a@x","type":"work","primary":true}]`, nil},
		{"several groups", specs{rule(`emails[type eq "work"].value`, name("m")), rule(`emails[type eq "home"].value`, name("h")),
			rule(`emails[type eq "work"].display`, name("d"))}, fields{"m": "a@x", "h": "b@x", "d": "A"},
			`"emails":[{"value":"a@x","display":"A","type":"work"},{"value":"b@x","type":"home"}]`, nil},
		{"the same element, written otherwise", specs{rule(`emails[type eq "work" and primary eq true].value`, name("m")),
			rule(`emails[primary eq true and type eq "WORK"].display`, name("d"))}, fields{"m": "a@x", "d": "A"},
			`"emails":[{"value":"a@x","display":"A","type":"work","primary":true}]`, nil},
		{"element without type", specs{rule(`emails.value`, name("m"))}, fields{"m": "a@x"}, `"emails":[{"value":"a@x"}]`, nil},
		{"element with a mapped type", specs{rule(`emails.value`, name("m")), rule("emails.type", name("t"), table("w", "work"))},
			fields{"m": "a@x", "t": "w"}, `"emails":[{"value":"a@x","type":"work"}]`, nil},
		{"element, one part fails", specs{rule(`emails.value`, name("m")), rule("emails.type", name("t"), table("w", "work"))},
			fields{"m": "a@x", "t": "?"}, `"emails":[{"value":"a@x"}]`, []int{4}},
		{"element by expression", specs{rule(`emails[type eq "work"].value`, in(`record.l + "@x"`))}, fields{"l": "a"}, `"emails":[{"value":"a@x","type":"work"}]`, nil},

		{"reference", specs{rule("enterprise:manager.value", name("b"), refers("User"))}, fields{"b": int64(7)},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"id-7","$ref":"http://x/Users/id-7"}}`, nil},
		{"reference by its holder", specs{rule("enterprise:manager", name("b"), refers("User"))}, fields{"b": "7"},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"id-7","$ref":"http://x/Users/id-7"}}`, nil},
		{"reference and more", specs{rule("enterprise:manager.displayName", name("bn")), rule("enterprise:manager.value", name("b"), refers("User"))},
			fields{"b": "7", "bn": "Boss"}, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"id-7","$ref":"http://x/Users/id-7","displayName":"Boss"}}`, nil},
		{"reference that is hidden", specs{rule("enterprise:manager.value", name("b"), refers("User"))}, fields{"b": "hidden"}, ``, nil},
		{"reference that is a URI", specs{rule("test:boss", name("b"), refers("User"))}, fields{"b": "a/b"}, `"` + testURN + `":{"boss":"http://x/Users/id-a%2Fb"}`, nil},
		{"reference in a plain attribute", specs{rule("enterprise:costCenter", name("b"), refers("Group"))}, fields{"b": "7"},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"id-7"}`, nil},
		{"relation", specs{rule("groups", join("ug", "u", "g"), refers("Group"))}, fields{"$groups": []string{"1", "hidden1", "2"}},
			`"groups":[{"value":"id-1","$ref":"http://x/Groups/id-1","type":"direct"},{"value":"id-2","$ref":"http://x/Groups/id-2","type":"direct"}]`, nil},
		{"relation by the value's path", specs{rule("groups.value", join("ug", "u", "g"), refers("Group"))}, fields{"$groups": []string{"1"}},
			`"groups":[{"value":"id-1","$ref":"http://x/Groups/id-1","type":"direct"}]`, nil},
		{"one field for several values", specs{rule("groups", name("g"), refers("Group"))}, fields{"g": int64(3)},
			`"groups":[{"value":"id-3","$ref":"http://x/Groups/id-3","type":"direct"}]`, nil},
		{"dates in meta", specs{rule("meta.created", name("c"), format("unix"))}, fields{"c": int64(1)}, `"meta":{"created":"1970-01-01T00:00:01Z"}`, nil},
		{"externalId", specs{rule("externalId", name("x"))}, fields{"x": "X"}, `"externalId":"X"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := quick(t, c.rules...)
			res, warned := m.read(m.record(c.record))
			if got := shown(res); got != "{"+c.want+"}" && c.want != "" || c.want == "" && got != "{" {
				t.Errorf("got  %s\nwant {%s}", got, c.want)
			}
			if !slices.Equal(warned, c.warned) {
				t.Errorf("warned of lines %v, want %v", warned, c.warned)
			}
		})
	}
}

// only what is needed is read, and an element is read as a whole, because
// any part of it may be what makes it one.
func TestPlan(t *testing.T) {
	m := quick(t, rule(`emails[type eq "work"].value`, name("mail")), rule(`emails[type eq "home"].value`, name("mail2")), rule("title", name("t")),
		rule("displayName", in(`record.a + "x"`)), rule("enterprise:manager.value", name("boss"), refers("User")),
		rule("groups", join("ug", "u", "g"), refers("Group")))
	l := m.Type.Layout
	for _, c := range []struct {
		attributes []string
		want       []string
		refers     bool
	}{
		{[]string{"title"}, []string{"t"}, false},
		{[]string{"emails.type"}, []string{"mail", "mail2"}, false},
		{[]string{"emails"}, []string{"mail", "mail2"}, false},
		{[]string{"displayName", "userName"}, []string{"login", "a"}, false},
		{[]string{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref"}, []string{"boss"}, true},
		{[]string{"groups.display", "groups.value"}, []string{"$groups"}, true},
		{[]string{"id"}, nil, false},
	} {
		s, err := scim.Select(l, c.attributes, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := m.Plan(s.Needs)
		var got []string
		for i, n := range m.Shape().Names() {
			if p.Want.Has(i) {
				got = append(got, n)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) || p.Refers != c.refers {
			t.Errorf("A-09 %v reads %v (references %v), want %v", c.attributes, got, p.Refers, c.want)
		}
	}
	all, some := m.Plan(everything), m.Plan(func(a *scim.Attribute) bool { return a.Name == "title" })
	if !all.Covers(some) || some.Covers(all) {
		t.Error("the plan for everything covers that for the title, and not the other way round")
	}
	res, _ := m.Read(m.record(fields{"t": "x", "mail": "a@x"}), some, func(*Rule, error) {})
	if got := shown(res); got != `{"title":"x"}` {
		t.Errorf("a plan for the title made %s", got)
	}
}

func TestScope(t *testing.T) {
	for _, c := range []struct {
		scope  string
		record fields
		want   bool
		pushed string // "" if the backend cannot follow
	}{
		{`record.kind != "builtin"`, fields{"kind": "builtin"}, false, `not (kind eq "builtin")`},
		{`record.kind != "builtin"`, fields{"kind": "Builtin"}, true, `not (kind eq "builtin")`},
		{`record.kind != "builtin"`, fields{}, true, `not (kind eq "builtin")`},
		{`record.kind != "builtin"`, fields{"kind": []byte("builtin")}, false, `not (kind eq "builtin")`},
		{`"a" == record.kind`, fields{"kind": "a"}, true, `kind eq "a"`},
		{`record.n == 3`, fields{"n": int64(3)}, true, `n eq 3`},
		{`record.n == 3`, fields{"n": "3"}, true, `n eq 3`},
		{`record.n == -3`, fields{"n": int64(-3)}, true, `n eq -3`},
		{`record.on == true`, fields{"on": int64(1)}, true, `on eq true`},
		{`record.on == true`, fields{"on": int64(0)}, false, `on eq true`},
		{`record.kind in ["a", "b"] and not (record.n == 3)`, fields{"kind": "b", "n": int64(4)}, true, `(kind eq "a" or kind eq "b") and not (n eq 3)`},
		{`record.kind not in ["a", "b"]`, fields{"kind": "b"}, false, `not (kind eq "a" or kind eq "b")`},
		{`record.kind in []`, fields{"kind": "b"}, false, `false`},
		{`record.kind == nil || record.kind == "x"`, fields{"kind": ""}, true, `not (kind pr) or kind eq "x"`},
		{`record.kind != nil`, fields{"kind": ""}, false, `kind pr`},
		{`record.kind != ""`, fields{"kind": ""}, true, `true`},
		{`record.n >= 3 && record.login startsWith "a"`, fields{"n": int64(3), "login": "ab"}, true, `n ge 3 and login sw "a"`},
		{`record.n >= 3`, fields{}, false, `n ge 3`},
		{`not (record.n >= 3)`, fields{"n": int64(2)}, true, ``},
		{`not (record.n >= 3)`, fields{}, false, ``}, // it cannot be judged
		{`record.login contains "x" or record.n == 1`, fields{"n": int64(1)}, true, `login co "x" or n eq 1`},
		{`record.a == record.b`, fields{"a": "x", "b": "x"}, true, ``},
		{`lower(record.kind) == "a"`, fields{"kind": "A"}, true, ``},
		{`lower(record.kind) == "a"`, fields{}, false, ``},
		{`truth(record.on)`, fields{"on": "Y"}, true, ``},
		{`truth(record.on)`, fields{}, false, ``},
		{`record.n < "3"`, fields{"n": "2"}, true, ``},
		{`true`, fields{}, true, `true`},
	} {
		t.Run(c.scope, func(t *testing.T) {
			in := userInput(userName())
			in.Scope = at(9, c.scope)
			m := compiled(t, in)
			if got := m.InScope(m.record(c.record)); got != c.want {
				t.Errorf("in scope: %v", got)
			}
			e, ok := m.ScopeFilter()
			if got := printed(e); got != c.pushed || ok != (c.pushed != "") {
				t.Errorf("pushed %q %v, want %q", got, ok, c.pushed)
			}
			for n := range c.record {
				if p := m.Plan(func(*scim.Attribute) bool { return false }); !p.Want.Has(m.shape.Index(n)) {
					t.Errorf("the scope's field %s is not read", n)
				}
			}
		})
	}
	m := quick(t)
	if e, ok := m.ScopeFilter(); e != nil || !ok || m.HasScope() || !m.InScope(adapters.NewRecord(m.shape, "k")) {
		t.Error("without a scope everything is in scope")
	}
	in := userInput(userName())
	in.Scope = at(9, `record.kind != "builtin"`)
	m = compiled(t, in, func(c *adapters.Capabilities) { c.Not = false })
	if _, ok := m.ScopeFilter(); ok {
		t.Error("a backend without not cannot follow")
	}
}
