package rules

import (
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

func printed(e filter.Expr) string {
	if e == nil {
		return ""
	}
	return filter.Print(e)
}

// TestPushed shows what becomes of filters; that it is right, the property says.
func TestPushed(t *testing.T) {
	full := compiled(t, userInput(richRules()...))
	onlyEq := compiled(t, userInput(richRules()...), memory.OnlyEq)
	for _, c := range []struct{ row, filter, pushed, rest, eqPushed, eqRest string }{
		{"F-35", `userName eq "bob"`, `login eq "bob"`, ``, `login eq "bob"`, ``},
		{"F-35", `userName eq "a" and title eq "x"`, `login eq "a"`, `title eq "x"`, `login eq "a"`, `title eq "x"`},
		{"F-35", `id eq "id-k2"`, `$key eq "k2"`, ``, `$key eq "k2"`, ``},
		{"unknown id", `id eq "none"`, `false`, ``, `false`, ``},
		{"id pr", `id pr`, ``, ``, ``, ``},
		{"F-31", `userName eq "ä"`, "login eq \"\u00e4\" or login eq \"a\u0308\"", ``, ``, "userName eq \"\u00e4\" or userName eq \"a\u0308\""},
		{"F-35", `active eq true`, `status eq "A"`, ``, `status eq "A"`, ``},
		{"two codes", `active eq false`, `status eq "L" or status eq "X"`, ``, ``, `active eq false`},
		{"F-14", `active ne true`, `not (status eq "A")`, ``, ``, `active ne true`},
		{"F-35", `emails[type eq "work"].value eq "a@x"`, `mail eq "a@x"`, ``, `mail eq "a@x"`, ``},
		{"F-09", `emails[type eq "work" and value co "@x"]`, `mail co "@x"`, ``, ``, `emails[type eq "work" and value co "@x"]`},
		{"F-20", `emails.value eq "a@x"`, `mail eq "a@x" or mail2 eq "a@x" or mail3 eq "a@x"`, ``, ``, `emails.value eq "a@x"`},
		{"only element", `phoneNumbers.value eq "1"`, `phone eq "1"`, ``, `phone eq "1"`, ``},
		{"F-35 manager", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "id-k2"`, `boss eq "k2"`, ``, `boss eq "k2"`, ``},
		{"unknown manager", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "x"`, `false`, ``, `false`, ``},
		{"F-35 members", `groups.value eq "id-k2"`, `$groups eq "k2"`, ``, `$groups eq "k2"`, ``},
		{"members[]", `groups[value eq "id-k2"]`, `$groups eq "k2"`, ``, `$groups eq "k2"`, ``},
		{"any other", `groups.value ne "id-k2"`, ``, `groups.value ne "id-k2"`, ``, `groups.value ne "id-k2"`},
		{"F-24", `schemas eq "` + scim.UserSchema + `"`, ``, ``, ``, ``},
		{"F-24", `schemas eq "urn:x"`, `false`, ``, `false`, ``},
		{"F-25", `meta.resourceType eq "User"`, ``, ``, ``, ``},
		{"F-25", `meta.created gt "2024-02-01T13:30:00Z"`, `created gt "2024-02-01T13:30:00Z" or created pr and not (created ge "0000-01-01T00:00:00Z")`,
			`meta.created gt "2024-02-01T13:30:00Z"`, ``, `meta.created gt "2024-02-01T13:30:00Z"`},
		{"unix", testURN + `:since ge "2024-02-01T13:30:00.5Z"`, `since gt 1706794200 and since ge -62135596799 and since le 253402300799`, ``, ``,
			testURN + `:since ge "2024-02-01T13:30:00.5Z"`},
		{"unix, between two", testURN + `:since eq "2024-02-01T13:30:00.5Z"`, `false`, ``, `false`, ``},
		{"list", testURN + `:tags eq "a"`, `tags co "a"`, testURN + `:tags eq "a"`, ``, testURN + `:tags eq "a"`},
		{"expression", `userType eq "in"`, ``, `userType eq "in"`, ``, `userType eq "in"`},
		{"in part", `userName eq "a" or userType eq "in"`, ``, `userName eq "a" or userType eq "in"`, ``, `userName eq "a" or userType eq "in"`},
		{"name pr", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`, `dept pr`, ``, ``, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`},
	} {
		pushed, rest := full.Push(full.bound(t, c.filter), testLookup)
		if printed(pushed) != c.pushed || printed(rest) != c.rest {
			t.Errorf("%s: %s\npushed %q\nrest   %q", c.row, c.filter, printed(pushed), printed(rest))
		}
		pushed, rest = onlyEq.Push(onlyEq.bound(t, c.filter), testLookup)
		if printed(pushed) != c.eqPushed || printed(rest) != c.eqRest {
			t.Errorf("%s, only eq: %s\npushed %q\nrest   %q", c.row, c.filter, printed(pushed), printed(rest))
		}
	}
	if pushed, rest := full.Push(nil, Lookup{}); pushed != nil || rest != nil {
		t.Errorf("no filter is %v and %v", pushed, rest)
	}
}

func TestFilterIDs(t *testing.T) {
	m := quick(t, rule("enterprise:manager.value", name("boss"), refers("User")), rule("groups", join("ug", "u", "g"), refers("Group")))
	ids, referred, externals := m.FilterIDs(m.bound(t, `id eq "1" or not (externalId eq "x") and groups[value eq "2"] or id sw "3" or `+
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value ne "4"`))
	if len(ids) != 1 || ids[0] != (ID{"User", "1"}) || len(externals) != 1 || externals[0] != "x" ||
		len(referred) != 2 || referred[0] != (ID{"Group", "2"}) || referred[1] != (ID{"User", "4"}) {
		t.Errorf("%v %v %v", ids, referred, externals)
	}
}

// Without not and or, ne says what not(eq) would.
func TestPushWithoutNot(t *testing.T) {
	m := compiled(t, userInput(richRules()...), func(c *adapters.Capabilities) { c.Or, c.Not = false, false })
	for text, want := range map[string]string{
		`active ne true`:      `status ne "A"`,
		`active ne false`:     `status ne "L" and status ne "X"`,
		`id ne "id-k2"`:       `$key ne "k2"`,
		`userName ne "a"`:     `login ne "a"`,
		`userName eq null`:    ``,
		`not (userName pr)`:   ``,
		`emails.value eq "a"`: ``,
	} {
		pushed, rest := m.Push(m.bound(t, text), testLookup)
		if printed(pushed) != want || (rest == nil) != (want != "") {
			t.Errorf("%s: %q, rest %q", text, printed(pushed), printed(rest))
		}
	}
}

// Several keys may stand for one id, after a merge.
func TestPushMergedReference(t *testing.T) {
	m := quick(t, rule("enterprise:manager.value", name("boss"), refers("User")))
	l := Lookup{All: func(_, id string) []string { return []string{"a", "b"} }}
	e := m.bound(t, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "1"`)
	if pushed, rest := m.Push(e, l); printed(pushed) != `boss eq "a" or boss eq "b"` || rest != nil {
		t.Errorf("%s %s", printed(pushed), printed(rest))
	}
	if pushed, rest := m.Push(e, Lookup{}); pushed != nil || rest == nil {
		t.Error("without a lookup nothing can be said of references")
	}
}

func TestPushSort(t *testing.T) {
	m := compiled(t, userInput(richRules()...))
	for path, want := range map[string]string{
		"userName": "login", "name.familyName": "last", "phoneNumbers": "phone", "phoneNumbers.value": "phone",
		"emails": "", "active": "", "nickName": "", "userType": "", "meta.created": "", "meta.lastModified": "", "id": "",
		testURN + ":level": "level", testURN + ":score": "", testURN + ":code": "code", testURN + ":page": "page", testURN + ":cert": "",
		testURN + ":tags": "", scim.EnterpriseUserSchema + ":manager.value": "",
	} {
		by, ok := m.PushSort(m.Type.Layout.Resolve(path), true)
		if by.Field != want && ok || ok != (want != "") {
			t.Errorf("O-02 %s sorts by %v %v, want %q", path, by, ok, want)
		}
	}
	bind(m, memory.NoSort)
	if _, ok := m.PushSort(m.Type.Layout.Find("userName"), false); ok {
		t.Error("a backend that does not sort is not asked to")
	}
}

func TestPushable(t *testing.T) {
	m := compiled(t, userInput(richRules()...))
	want := map[string]string{"userName": "yes", "active": "yes", "userType": "no", "meta.created": "in part", "test:tags": "in part", "groups": "yes",
		"enterprise:manager.value": "yes", "password": "no", "ims": "in part", "test:since": "yes", `emails[type eq "work"].value`: "yes", "test:flag": "yes"}
	for _, r := range m.Rules() {
		if w := want[r.Path]; w != "" && r.Pushable(m) != w {
			t.Errorf("%s: %s, want %s", r.Path, r.Pushable(m), w)
		}
	}
}

// What is pushed of dates in any form includes every record that satisfies the
// comparison, to the last digit.
func TestPushDatesInPart(t *testing.T) {
	m := quick(t, rule("test:born", name("b")))
	born := m.Type.Layout.Resolve(testURN + ":born")
	literals := []string{"0000-05-01T00:00:00Z", "9999-12-31T23:59:59.9999Z"}
	for _, raw := range dates {
		if res, _ := m.read(m.record(fields{"b": raw})); res.Get(born).Present() {
			literals = append(literals, res.Get(born).String())
		}
	}
	pushes := 0
	for _, raw := range dates {
		rec := m.record(fields{"b": raw})
		res, _ := m.read(rec)
		for _, literal := range literals {
			for _, op := range []filter.Op{filter.Eq, filter.Gt, filter.Ge, filter.Lt, filter.Le} {
				e := m.bound(t, testURN+`:born `+op.String()+` "`+literal+`"`)
				pushed, rest := m.Push(e, testLookup)
				if pushed != nil {
					pushes++
				}
				if filter.Matches(e, schema.Subject(res)) && !filter.Matches(pushed, rec.Subject()) || rest == nil {
					t.Errorf("%v: %s, but not %s", raw, printed(e), printed(pushed))
				}
			}
		}
	}
	if pushes == 0 {
		t.Error("nothing was pushed")
	}
}
