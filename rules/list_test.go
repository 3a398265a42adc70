package rules

import (
	"slices"
	"testing"

	"github.com/postern/postern/scim/filter"
)

// listInput maps multi-valued attributes to fields with several values.
func listInput() Input {
	in := userInput(userName(), rule("emails", name("mail")), rule("test:tags", name("tags")), rule("roles", name("role"), table("r", "reader", "w", "writer")))
	in.Texts = true
	return in
}

// TestLists reads and writes fields that hold several values.
func TestLists(t *testing.T) {
	m := compiled(t, listInput())
	for _, r := range m.Rules()[1:] {
		if !r.List() {
			t.Errorf("%s is no list", r.Path)
		}
	}
	rec := m.record(fields{"login": "ada", "mail": []string{"a@x", "b@x"}, "tags": "one", "role": []string{"r", "odd"}})
	before, warned := m.read(rec)
	if len(warned) != 1 { // of the value that the table does not know
		t.Errorf("warned of %v", warned)
	}
	want := m.resource(t, `{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}],"roles":[{"value":"reader"}],"`+testURN+`":{"tags":["one"]}}`)
	if got := shown(before); got != shown(want) {
		t.Errorf("read: %s, want %s", got, shown(want))
	}
	after := m.resource(t, `{"userName":"ada","emails":[{"value":"b@x"},{"value":"c@x"},{"value":"b@x"}],"roles":[{"value":"writer"}],"`+testURN+`":{"tags":["one"]}}`)
	d, err := m.Delta(rec, before, after, keyOf, idOf)
	if err != nil {
		t.Fatal(err)
	}
	got := fields{}
	for _, c := range d.Set {
		got[c.Field] = c.New
	}
	if len(got) != 2 || !slices.Equal(list(got["mail"]), []string{"b@x", "c@x"}) || !slices.Equal(list(got["role"]), []string{"w", "odd"}) {
		t.Errorf("the change is %v", got)
	}
	made, err := m.NewRecord(after, notNull, keyOf)
	if err != nil || !slices.Equal(list(made.Get("mail")), []string{"b@x", "c@x"}) || !slices.Equal(list(made.Get("tags")), []string{"one"}) {
		t.Errorf("a new record: %v, %v", values(made), err)
	}
}

// TestListPush: a comparison with a list reaches the backend as one with any value.
func TestListPush(t *testing.T) {
	m := compiled(t, listInput())
	for text, want := range map[string]string{
		`emails.value eq "A@X"`:       `mail eq "A@X"`,
		`emails co "x"`:               `mail co "x"`,
		testURN + `:tags sw "o"`:      `tags sw "o"`,
		testURN + `:tags pr`:          `tags pr`,
		`roles.value eq "reader"`:     "",
		`emails[value eq "a@x"]`:      "",
		`emails.value ne "a@x"`:       `mail ne "a@x"`,
		testURN + `:tags eq null`:     `not (tags pr)`,
		`not (emails.value eq "a")`:   `not (mail eq "a")`,
		`userName eq "x" or roles pr`: "",
	} {
		pushed, _ := m.Push(m.bound(t, text), Lookup{})
		got := ""
		if pushed != nil {
			got = filter.Print(pushed)
		}
		if got != want {
			t.Errorf("%s: pushed %q, want %q", text, got, want)
		}
	}
}
