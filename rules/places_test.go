package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// placedInput is a User who lives in three places.
func placedInput() Input {
	in := userInput(rule("userName", name("login")), rule("nickName", name("nick")), rule("userType", name("kind")), rule("name.familyName", name("last")),
		rule("password", name("pw"), out("'x' + value")), rule("meta.created", name("hired")), rule("groups", join("ug", "u", "g"), refers("Group")),
		rule("emails", rows(rule("value", name("mail")))), rule("title", name("title"), mutable("readOnly")))
	in.Places = []Place{
		{Name: at(1, "away"), When: at(1, `resource.userType == "Guest"`), Lacks: []Text{at(1, "nickName"), at(1, "password")},
			Constants: []Constant{{Field: at(1, "source"), Value: at(1, "scim")}}},
		{Name: at(1, "far"), When: at(1, `(resource.name.familyName ?? "") startsWith "Z"`)},
	}
	in.When = at(1, `resource.userName != "nobody"`)
	in.Constants = []Constant{{Field: at(1, "source"), Value: at(1, "home")}}
	return in
}

func placedMapping(t *testing.T) *Mapping {
	t.Helper()
	m, problems := Compile(placedInput())
	if Broken(problems) {
		t.Fatal(problems)
	}
	return m
}

// TestPlaceOf: the first condition that is met decides, and the target takes the rest.
func TestPlaceOf(t *testing.T) {
	m := placedMapping(t)
	for body, want := range map[string]string{
		`{"userName":"a"}`:                    "",
		`{"userName":"a","userType":"Guest"}`: "away",
		`{"userName":"nobody","userType":"Guest","name":{"familyName":"Z"}}`: "away",
		`{"userName":"a","name":{"familyName":"Zed"}}`:                       "far",
	} {
		res := m.resource(t, body)
		if got := m.PlaceOf(res); got != want {
			t.Errorf("%s belongs to %q, want %q", body, got, want)
		}
		if err := m.Accepts(res); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := m.Accepts(m.resource(t, `{"userName":"nobody"}`)); err == nil {
		t.Error("the target takes what it refuses")
	}
	if p := m.Plan(func(*scim.Attribute) bool { return false }); !p.Want.Has(m.Shape().Index(adapters.PlaceField)) {
		t.Error("it is not read where a record is")
	}
}

func TestNewRecordInPlace(t *testing.T) {
	m := placedMapping(t)
	rec, err := m.NewRecord(m.resource(t, `{"userName":"a","userType":"Guest"}`), notNull, nil)
	if err != nil || m.IsIn(rec) != "away" || rec.Get("source") != "scim" {
		t.Errorf("%v %v", rec.Values(), err)
	}
	rec, err = m.NewRecord(m.resource(t, `{"userName":"a","nickName":"n","password":"p"}`), notNull, nil)
	if err != nil || m.IsIn(rec) != "" || rec.Get("source") != "home" {
		t.Errorf("%v %v", rec.Values(), err)
	}
	for _, more := range []string{`"nickName":"n"`, `"password":"p"`} {
		_, err := m.NewRecord(m.resource(t, `{"userName":"a","userType":"Guest",`+more+`}`), notNull, nil)
		if se, ok := err.(*scim.Error); !ok || se.Type != scim.InvalidValue || !strings.Contains(se.Detail, more[1:5]) {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// TestMoved: what goes along is what rules write, elements without their keys, and no
// password that the change does not set.
func TestMoved(t *testing.T) {
	m := placedMapping(t)
	elem := adapters.NewRecord(adapters.NewShape("mail"), "17")
	elem.Set("mail", "a@x")
	rec := m.record(fields{"login": "a", "last": "L", "pw": "secret", "hired": "then", "title": "T", "source": "old", "$groups": []string{"1", "2"}})
	rec.Set(m.Rows[0].Field, []adapters.Record{elem})
	d := adapters.Delta{Set: []adapters.Change{{Field: "kind", New: "Guest"}}, Members: []adapters.MemberChange{{Field: "$groups", Add: []string{"3", "2"}, Remove: []string{"1"}}}}
	out, unread, err := m.Moved(rec, d, "away")
	if err != nil || len(unread) != 0 {
		t.Fatal(unread, err)
	}
	if out.Key != "" || m.IsIn(out) != "away" || out.Get("source") != "scim" || out.Get("kind") != "Guest" || out.Get("pw") != nil || out.Get("hired") != nil || out.Get("title") != nil {
		t.Errorf("%v", out.Values())
	}
	moved, _ := out.Get(m.Rows[0].Field).([]adapters.Record)
	if len(moved) != 1 || moved[0].Key != "" || moved[0].Get("mail") != "a@x" || elem.Key != "17" {
		t.Errorf("elements: %v", moved)
	}
	if rec.Get("$groups") == nil || !slices.Equal(rec.Get("$groups").([]string), []string{"1", "2"}) {
		t.Error("the record itself was changed")
	}
	if _, unread, err = m.Moved(rec, d, "far"); err != nil || len(unread) != 1 || unread[0].Path() != "password" {
		t.Error(unread, err)
	}
	d.Set = append(d.Set, adapters.Change{Field: "pw", New: "xp"})
	if out, unread, err = m.Moved(rec, d, "far"); err != nil || len(unread) != 0 || out.Get("pw") != "xp" || out.Get("source") != "old" {
		t.Error(out.Values(), unread, err)
	}
	if _, _, err = m.Moved(rec, d, "away"); err == nil {
		t.Error("there is no room for a password")
	}
}
