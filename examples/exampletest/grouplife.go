package exampletest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Groups are the groups of an application.
type Groups struct {
	// Held are the userNames of a group's members in the application. there is
	// false if there is no such group.
	Held func(t *testing.T, displayName string) (members []string, there bool)

	Fixed    []string // groups that are always there: none can be made, renamed or deleted
	NoRename bool
	OfUsers  bool // users show the groups that they are in
	NeedsOne bool // a group without members cannot be
}

const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"

// A groupLife is the life of one group and its members.
type groupLife struct {
	Groups
	u      *userLife
	t      *testing.T
	g      *Gateway
	id     string
	name   string
	people map[string]string // userName to id
}

func (l *groupLife) at() string { return "/Groups/" + l.id }

func (l *groupLife) run() {
	other := l.u.Person(10)
	name := other["userName"].(string)
	id := l.g.Do(201, "POST", "/Users", other)["id"].(string)
	l.people = map[string]string{l.u.name(): l.u.id, name: id}
	if len(l.Fixed) > 0 {
		l.fixed()
	} else {
		l.made()
	}
	l.members(l.u.name(), name)
	l.finds(l.u.name(), name)
	l.goes(name)
	if len(l.Fixed) == 0 {
		l.remove()
	}
}

// values are members as SCIM sends them.
func (l *groupLife) values(names ...string) []any {
	out := []any{}
	for _, n := range names {
		out = append(out, map[string]any{"value": l.people[n]})
	}
	return out
}

// whole is a group as it is sent.
func (l *groupLife) whole(name string, members ...string) Resource {
	return Resource{"schemas": []string{groupSchema}, "displayName": name, "members": l.values(members...)}
}

// wants compares the members with what the application and Postern say.
func (l *groupLife) wants(what string, names ...string) {
	l.t.Helper()
	slices.Sort(names)
	held, there := l.Held(l.t, l.name)
	if slices.Sort(held); !there || !slices.Equal(held, names) {
		l.t.Errorf("%s: the application's members are %v (%t), want %v", what, held, there, names)
	}
	var shown, want []string
	for _, m := range elements(l.g.Do(200, "GET", l.at(), nil)["members"]) {
		shown = append(shown, m["value"].(string))
	}
	for _, n := range names {
		want = append(want, l.people[n])
	}
	slices.Sort(shown)
	if slices.Sort(want); !slices.Equal(shown, want) {
		l.t.Errorf("%s: Postern shows %v, want %v", what, shown, want)
	}
}

func elements(v any) []map[string]any {
	var out []map[string]any
	list, _ := v.([]any)
	for _, e := range list {
		out = append(out, e.(map[string]any))
	}
	return out
}

// fixed takes a group that is always there, and sees that it stays what it is.
func (l *groupLife) fixed() {
	all := l.g.All("/Groups", 100)
	var names []string
	for _, g := range all {
		names = append(names, g["displayName"].(string))
	}
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(l.Fixed)); !slices.Equal(names, want) {
		l.t.Fatalf("the groups are %v, want %v", names, want)
	}
	l.name = l.Fixed[0]
	l.id = l.g.Find("/Groups", compare("displayName", "eq", l.name))[0]["id"].(string)
	if status, e := l.g.Try("POST", "/Groups", l.whole("Another")); status != 501 && status != 403 {
		l.t.Errorf("making a group: status %d, %v", status, e)
	}
	if status, e := l.g.Try("DELETE", l.at(), nil); status != 501 && status != 403 {
		l.t.Errorf("deleting a group: status %d, %v", status, e)
	}
	if status, e := l.g.Try("PATCH", l.at(), patch([]Op{{"replace", "displayName", "Another"}})); status != 400 || e["scimType"] != "mutability" {
		l.t.Errorf("renaming a group: status %d, %v", status, e)
	}
	l.g.Patch(l.at(), Op{"add", "members", l.values(l.u.name())})
	l.wants("the first member", l.u.name())
}

// made makes a group.
func (l *groupLife) made() {
	l.name = "Engineering"
	l.id = l.g.Do(201, "POST", "/Groups", l.whole(l.name, l.u.name()))["id"].(string)
	l.wants("create", l.u.name())
	if status, e := l.g.Try("POST", "/Groups", l.whole(l.name, l.u.name())); status != 409 {
		l.t.Errorf("a second %s: status %d, %v", l.name, status, e)
	}
	bad := l.whole("Other")
	bad["members"] = []any{map[string]any{"value": "nobody"}}
	if status, e := l.g.Try("POST", "/Groups", bad); status != 400 {
		l.t.Errorf("an unknown member: status %d, %v", status, e)
	}
	if _, there := l.Held(l.t, "Other"); there {
		l.t.Error("a group that was refused is in the application")
	}
}

// members lets two people in and out, by PATCH and by PUT.
func (l *groupLife) members(a, b string) {
	l.g.Patch(l.at(), Op{"add", "members", l.values(a, b)})
	l.wants("add, one of them twice", a, b)
	l.g.Patch(l.at(), Op{Op: "remove", Path: `members[value eq "` + l.people[a] + `"]`})
	l.wants("remove", b)
	l.g.Patch(l.at(), Op{Op: "remove", Path: `members[value eq "` + l.people[a] + `"]`})
	l.wants("remove who is not there", b)
	if len(l.Fixed) == 0 && !l.NoRename {
		l.g.Patch(l.at(), Op{"replace", "displayName", "Research"}, Op{"add", "members", l.values(a)})
		l.name = "Research"
		l.wants("rename and add", a, b)
		if _, there := l.Held(l.t, "Engineering"); there {
			l.t.Error("the old name is still there")
		}
	}
	l.g.Do(200, "PUT", l.at(), l.whole(l.name, a))
	l.wants("PUT", a)
	if !l.NeedsOne {
		l.g.Patch(l.at(), Op{Op: "remove", Path: "members"})
		l.wants("remove all")
	}
	l.g.Patch(l.at(), Op{"replace", "members", l.values(a, b)})
	l.wants("replace", a, b)
	if status, e := l.g.Try("PATCH", l.at(), patch([]Op{{"add", "members", []any{map[string]any{"value": "nobody"}}}})); status != 400 {
		l.t.Errorf("an unknown member: status %d, %v", status, e)
	}
	l.wants("an unknown member was refused", a, b)
}

// finds looks the group up, by its name and by its members.
func (l *groupLife) finds(names ...string) {
	filters := []string{compare("displayName", "eq", strings.ToUpper(l.name)), compare("displayName", "sw", l.name[:3])}
	for _, n := range names {
		filters = append(filters, compare("members.value", "eq", l.people[n])+" and "+compare("displayName", "eq", l.name))
	}
	for _, f := range filters {
		if got := l.g.Find("/Groups", f); len(got) != 1 || got[0]["id"] != l.id {
			l.t.Errorf("%s finds %v, want %s", f, got, l.id)
		}
	}
	if !l.OfUsers {
		return
	}
	for _, n := range names {
		user := l.g.Do(200, "GET", "/Users/"+l.people[n], nil)
		if !slices.ContainsFunc(elements(user["groups"]), func(m map[string]any) bool { return m["value"] == l.id }) {
			l.t.Errorf("%s shows the groups %v, want %s among them", n, user["groups"], l.id)
		}
	}
}

// goes deletes a member: it is no member afterwards.
func (l *groupLife) goes(name string) {
	l.g.Do(204, "DELETE", "/Users/"+l.people[name], nil)
	delete(l.people, name)
	l.wants("a member was deleted", slices.Collect(maps.Keys(l.people))...)
}

// remove deletes the group and makes it again.
func (l *groupLife) remove() {
	l.g.Do(204, "DELETE", l.at(), nil)
	l.g.Do(404, "GET", l.at(), nil)
	l.g.Do(404, "DELETE", l.at(), nil)
	if _, there := l.Held(l.t, l.name); there {
		l.t.Error("the group is still there")
	}
	was := l.id
	if l.id = l.g.Do(201, "POST", "/Groups", l.whole(l.name, l.u.name()))["id"].(string); l.id == was {
		l.t.Error("an id was used again")
	}
	l.wants("create again", l.u.name())
	l.g.Do(204, "DELETE", l.at(), nil)
}
