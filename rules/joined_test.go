package rules

import (
	"reflect"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// TestJoined: the keys of members in one text, among others that are none.
func TestJoined(t *testing.T) {
	m := compiled(t, groupInput(rule("displayName", name("title")), rule("members", name("dest"), split(", "), refers("User"))))
	if got := m.TextFields(); !reflect.DeepEqual(got, []TextField{{"dest", ",", "User"}}) {
		t.Errorf("%v", got)
	}
	if r := m.Rules()[1]; r.Describe() != `dest, split at ", ", refers to User` || r.Costly() || r.Pushable(m) != "in part" {
		t.Errorf("%s, costly %t, pushed: %s", r.Describe(), r.Costly(), r.Pushable(m))
	}
	held := m.record(fields{"dest": " 2 ,hidden1,,1"})
	res, _ := m.read(held)
	if got, want := shown(res), `{"members":[{"value":"id-2","$ref":"http://x/Users/id-2","type":"User"},{"value":"id-1","$ref":"http://x/Users/id-1","type":"User"}]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	two := `{"displayName":"x","members":[{"value":"id-2"},{"value":"id-1"}]}`
	for _, test := range []struct{ after, want, problem string }{
		{two, "", ""},
		{`{"displayName":"x","members":[{"value":"id-1"},{"value":"id-3"},{"value":"id-2"}]}`, "2, hidden1, 1, 3", ""},
		{`{"displayName":"x","members":[{"value":"id-1"}]}`, "hidden1, 1", ""},
		{`{"displayName":"x"}`, "hidden1", ""},
		{`{"displayName":"x","members":[{"value":"id-4,5"}]}`, "",
			`A User among members cannot be stored there: its key holds ",", which separates the keys in the backend, or begins or ends with a blank.`},
		{`{"displayName":"x","members":[{"value":"nobody"}]}`, "", `members: there is no User with the id "nobody"; create it first.`},
	} {
		d, err := m.Delta(held, m.resource(t, two), m.resource(t, test.after), keyOf, idOf)
		if checkFailure(t, err, test.problem); err != nil {
			continue
		}
		var want []adapters.Change
		if test.want != "" {
			want = []adapters.Change{{Field: "dest", Old: " 2 ,hidden1,,1", New: test.want}}
		}
		if !reflect.DeepEqual(d.Set, want) || len(d.Members) > 0 {
			t.Errorf("%s: %+v", test.after, d)
		}
	}
	d, err := m.Delta(m.record(fields{"dest": "1"}), m.resource(t, `{"members":[{"value":"id-1"}]}`), m.resource(t, `{}`), keyOf, idOf)
	if err != nil || len(d.Set) != 1 || d.Set[0].New != nil {
		t.Errorf("emptied: %+v %v", d, err)
	}
	rec, err := m.NewRecord(m.resource(t, two), notNull, keyOf)
	if err != nil || rec.Get("dest") != "2, 1" {
		t.Errorf("%v %v", rec.Get("dest"), err)
	}
}

// TestJoinedFilter: a text is looked for by what it must contain, and looked at again.
func TestJoinedFilter(t *testing.T) {
	m := compiled(t, groupInput(rule("displayName", name("title")), rule("members", name("dest"), split(","), refers("User"))))
	two := func(_, id string) []string { return map[string][]string{"id-1": {"1", "11"}}[id] }
	for text, want := range map[string]filter.Expr{
		`members.value eq "id-1"`: filter.Or{
			&filter.Compare{Name: "dest", Op: filter.Co, Match: filter.Exact, Value: filter.StringValue("1")},
			&filter.Compare{Name: "dest", Op: filter.Co, Match: filter.Exact, Value: filter.StringValue("11")}},
		`members.value eq "nobody"`: filter.False{},
		`members.value ne "id-1"`:   nil,
		`members.value co "id-1"`:   nil,
		`members pr`:                nil,
	} {
		pushed, rest := m.Push(m.bound(t, text), Lookup{All: two})
		if !reflect.DeepEqual(pushed, want) || rest == nil {
			t.Errorf("%s: pushed %v, rest %v", text, pushed, rest)
		}
	}
}
