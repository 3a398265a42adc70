package exampletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A Life is what an application can do, as data, and how to ask the application
// itself, past Postern, what it holds.
type Life struct {
	Users  Users
	Groups *Groups // nil: the application has none

	// Conform are further arguments of postern conform: see Gateway.Conform.
	Conform []string
}

// Users are the users of an application.
type Users struct {
	// Person is the nth of many people, with a value for everything that clients
	// may write. No two have a value in common, active apart.
	Person func(n int) Resource

	// Held is what the application holds of a user, by SCIM path: the paths are
	// what the test writes, searches and changes. nil: there is no such user.
	Held func(t *testing.T, userName string) map[string]any

	Fixed    []string       // paths that are given once and never changed
	Loose    []string       // paths whose values can be taken away
	Unsought []string       // paths that no filter can name
	Refused  map[string]any // a value that the application refuses, by path

	// Fill makes users of which nothing was said over SCIM, and tells how many of
	// them are active. nil: they are made over SCIM.
	Fill func(t *testing.T, n int) (active int)
}

// many is how many users are paged through.
const many = 250

// Run runs the whole life of a user and a group.
func (l Life) Run(t *testing.T, g *Gateway) {
	u := &userLife{Users: l.Users, t: t, g: g}
	before := len(g.All("/Users", 100))
	u.create()
	u.find()
	u.disable()
	u.patch()
	u.put()
	u.refuse()
	if l.Groups != nil {
		gl := &groupLife{Groups: *l.Groups, u: u, t: t, g: g}
		gl.run()
	}
	u.remove()
	g.Conform(l.Conform...)
	if t.Failed() {
		return
	}
	u.pages(before + 1)
}

// A userLife is the life of one user.
type userLife struct {
	Users
	t    *testing.T
	g    *Gateway
	id   string
	is   Resource // as it was sent last, with all changes
	seen []string // ids that are gone
}

func (u *userLife) name() string { return u.is["userName"].(string) }
func (u *userLife) at() string   { return "/Users/" + u.id }

// paths are what the application holds of a user.
func (u *userLife) paths() []string { return slices.Sorted(maps.Keys(u.Held(u.t, u.name()))) }

func (u *userLife) fixed(path string) bool { return slices.Contains(u.Fixed, path) }

// wants compares what was sent with what the application holds, and with what
// Postern answers.
func (u *userLife) wants(what string) {
	u.t.Helper()
	held := u.Held(u.t, u.name())
	if held == nil {
		u.t.Fatalf("%s: the application has no user %s", what, u.name())
	}
	shown := u.g.Do(200, "GET", u.at(), nil)
	for path, v := range held {
		if want := At(u.is, path); !equal(v, want) {
			u.t.Errorf("%s: the application holds %v as %s, want %v", what, v, path, want)
		}
		if got := At(shown, path); !equal(got, v) {
			u.t.Errorf("%s: Postern shows %v as %s, the application holds %v", what, got, path, v)
		}
	}
}

func (u *userLife) create() {
	u.t.Helper()
	u.is = u.Person(0)
	if u.Held(u.t, u.name()) != nil {
		u.t.Fatal("the application is not fresh")
	}
	answer := u.g.Do(201, "POST", "/Users", u.is)
	u.id = answer["id"].(string)
	if slices.Contains(u.seen, u.id) {
		u.t.Error("an id was used again")
	}
	u.wants("create")
	again := u.Person(1)
	again["userName"] = u.is["userName"]
	if status, e := u.g.Try("POST", "/Users", again); status != 409 || e["scimType"] != "uniqueness" {
		u.t.Errorf("a second %s: status %d, %v", u.name(), status, e)
	}
	u.wants("a second one was refused")
}

// find looks the user up by everything that the application holds of it, and
// somebody else by nothing.
func (u *userLife) find() {
	u.t.Helper()
	for _, path := range u.paths() {
		if slices.Contains(u.Unsought, path) {
			continue
		}
		v := At(u.is, path)
		u.finds(compare(path, "eq", v))
		if s, ok := v.(string); ok {
			u.finds(compare(path, "sw", s[:1]) + ` and ` + compare("userName", "eq", u.name()))
			if got := u.g.Find("/Users", compare(path, "eq", s+"x")); len(got) != 0 {
				u.t.Errorf("somebody has %sx as %s: %v", s, path, got)
			}
		}
	}
	name := u.name()
	u.finds(compare("userName", "eq", strings.ToUpper(name[:1])+name[1:]))
	u.finds(compare("userName", "co", name[1:]))
}

func (u *userLife) finds(filter string) {
	u.t.Helper()
	if got := u.g.Find("/Users", filter); len(got) != 1 || got[0]["id"] != u.id {
		u.t.Errorf("%s finds %v, want %s", filter, got, u.id)
	}
}

func (u *userLife) disable() {
	u.t.Helper()
	if !slices.Contains(u.paths(), "active") {
		return
	}
	for _, active := range []bool{false, true} {
		u.is["active"] = active
		u.g.Patch(u.at(), Op{"replace", "active", active})
		u.wants(fmt.Sprintf("active: %t", active))
		u.finds(compare("userName", "eq", u.name()) + fmt.Sprintf(" and active eq %t", active))
		if got := u.g.Find("/Users", compare("userName", "eq", u.name())+fmt.Sprintf(" and active eq %t", !active)); len(got) != 0 {
			u.t.Errorf("found though active is %t: %v", active, got)
		}
	}
}

// patch changes one path after the other, and then takes away and gives back.
func (u *userLife) patch() {
	u.t.Helper()
	next := u.Person(1)
	for _, path := range u.paths() {
		v := At(next, path)
		switch {
		case path == "active":
		case u.fixed(path):
			if status, e := u.g.Try("PATCH", u.at(), patch([]Op{{"replace", path, v}})); status != 400 || e["scimType"] != "mutability" {
				u.t.Errorf("changing %s: status %d, %v", path, status, e)
			}
		default:
			u.g.Patch(u.at(), Op{"replace", path, v})
			set(u.is, path, v)
		}
	}
	u.wants("PATCH")
	for _, path := range u.Loose {
		v := At(u.is, path)
		u.g.Patch(u.at(), Op{Op: "remove", Path: path})
		if held := u.Held(u.t, u.name()); !equal(held[path], nil) {
			u.t.Errorf("after it was removed, the application holds %v as %s", held[path], path)
		}
		if got := At(u.g.Do(200, "GET", u.at(), nil), path); !equal(got, nil) {
			u.t.Errorf("after it was removed, Postern shows %v as %s", got, path)
		}
		u.g.Patch(u.at(), Op{"add", path, v})
	}
	u.wants("removed and added")
}

// put replaces everything that can be.
func (u *userLife) put() {
	u.t.Helper()
	next := u.Person(2)
	for _, path := range u.Fixed {
		set(next, path, At(u.is, path))
	}
	u.is = next
	u.g.Do(200, "PUT", u.at(), next)
	u.wants("PUT")
}

// refuse sends what the application refuses, together with what it would take:
// nothing may change.
func (u *userLife) refuse() {
	u.t.Helper()
	for path, bad := range u.Refused {
		status, e := u.g.Try("PATCH", u.at(), patch([]Op{{"replace", path, bad}}))
		if status != 400 {
			u.t.Errorf("%v as %s: status %d, %v", bad, path, status, e)
		}
		whole := u.Person(3)
		for _, f := range u.Fixed {
			set(whole, f, At(u.is, f))
		}
		set(whole, path, bad)
		if status, e = u.g.Try("PUT", u.at(), whole); status != 400 {
			u.t.Errorf("%v as %s in a PUT: status %d, %v", bad, path, status, e)
		}
	}
	u.wants("refused")
}

// remove deletes the user and makes it again.
func (u *userLife) remove() {
	u.t.Helper()
	name := u.name()
	u.g.Do(204, "DELETE", u.at(), nil)
	u.g.Do(404, "GET", u.at(), nil)
	u.g.Do(404, "DELETE", u.at(), nil)
	u.g.Do(404, "PATCH", u.at(), patch([]Op{{"replace", "userName", "x"}}))
	if held := u.Held(u.t, name); held != nil {
		u.t.Errorf("after deletion the application holds %v", held)
	}
	if got := u.g.Find("/Users", compare("userName", "eq", name)); len(got) != 0 {
		u.t.Errorf("after deletion: %v", got)
	}
	u.seen = append(u.seen, u.id)
	u.create()
}

// pages pages through many users, in two sizes; there are some already.
func (u *userLife) pages(there int) {
	u.t.Helper()
	active := many
	if u.Fill != nil {
		active = u.Fill(u.t, many)
	} else {
		for i := range many {
			u.g.Do(201, "POST", "/Users", u.Person(1000+i))
		}
	}
	all := u.g.All("/Users", 100)
	if len(all) != many+there {
		u.t.Errorf("%d users, want %d", len(all), many+there)
	}
	if got := slices.Sorted(maps.Keys(u.g.All("/Users", 37))); !slices.Equal(got, slices.Sorted(maps.Keys(all))) {
		u.t.Error("pages of another size list other users")
	}
	if !slices.Contains(u.paths(), "active") {
		return
	}
	list := u.g.Do(200, "GET", "/Users?filter=active+eq+true&count=0", nil)
	if got := int(list["totalResults"].(float64)); got != active+there {
		u.t.Errorf("%d active users, want %d", got, active+there)
	}
}
