// Package directory is what the small servers of the examples keep: users and
// groups in memory, with numbers for keys, a letter for the state, and logins,
// addresses and names that come once. It knows no protocol.
package directory

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Failure is why something was refused.
type Failure struct {
	Code  string // none, taken, bad
	Field string
}

func (f *Failure) Error() string { return f.Code + " " + f.Field }

// A User is an account. State is A or L: active or locked.
type User struct {
	ID                                int
	Login, Given, Family, Mail, State string
}

// A Group has the numbers of its members.
type Group struct {
	ID      int
	Name    string
	Members []int
}

// A Directory keeps both. The zero Directory is empty.
type Directory struct {
	mu     sync.Mutex
	users  map[int]User
	groups map[int]Group
	last   int
}

// sorted are the values of a table in the order of their numbers.
func sorted[T any](table map[int]T) []T {
	var out []T
	for _, id := range slices.Sorted(maps.Keys(table)) {
		out = append(out, table[id])
	}
	return out
}

// Users are those whose login, names or address hold a text in whatever case.
func (d *Directory) Users(text string) []User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(sorted(d.users), func(u User) bool {
		all := strings.Join([]string{u.Login, u.Given, u.Family, u.Mail}, "\n")
		return !strings.Contains(strings.ToLower(all), strings.ToLower(text))
	})
}

// Groups are all groups.
func (d *Directory) Groups() []Group {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sorted(d.groups)
}

func one[T any](table map[int]T, id int) (T, error) {
	v, there := table[id]
	if !there {
		return v, &Failure{Code: "none"}
	}
	return v, nil
}

// User is one user.
func (d *Directory) User(id int) (User, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return one(d.users, id)
}

// Group is one group.
func (d *Directory) Group(id int) (Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return one(d.groups, id)
}

func (d *Directory) number() int {
	if d.users == nil {
		d.users, d.groups = map[int]User{}, map[int]Group{}
	}
	d.last++
	return d.last
}

// check refuses what cannot be.
func (d *Directory) check(u User) error {
	switch {
	case u.Login == "":
		return &Failure{"bad", "login"}
	case !strings.Contains(u.Mail, "@"):
		return &Failure{"bad", "mail"}
	case u.State != "A" && u.State != "L":
		return &Failure{"bad", "state"}
	}
	for _, v := range d.users {
		switch {
		case v.ID == u.ID:
		case strings.EqualFold(v.Login, u.Login):
			return &Failure{"taken", "login"}
		case strings.EqualFold(v.Mail, u.Mail):
			return &Failure{"taken", "mail"}
		}
	}
	return nil
}

// AddUser makes a user and gives it a number.
func (d *Directory) AddUser(u User) (User, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u.ID = 0
	if err := d.check(u); err != nil {
		return u, err
	}
	u.ID = d.number()
	d.users[u.ID] = u
	return u, nil
}

// ChangeUser changes a user.
func (d *Directory) ChangeUser(id int, change func(*User)) (User, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := one(d.users, id)
	if err != nil {
		return u, err
	}
	if change(&u); u.ID != id {
		return u, &Failure{"bad", "id"}
	}
	if err := d.check(u); err != nil {
		return u, err
	}
	d.users[id] = u
	return u, nil
}

// DropUser deletes a user, also from its groups.
func (d *Directory) DropUser(id int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := one(d.users, id); err != nil {
		return err
	}
	delete(d.users, id)
	for n, g := range d.groups {
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m int) bool { return m == id })
		d.groups[n] = g
	}
	return nil
}

// NameGroup makes a group, or, with a number, renames it.
func (d *Directory) NameGroup(id int, name string) (Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := Group{Name: name}
	if id != 0 {
		var err error
		if g, err = one(d.groups, id); err != nil {
			return g, err
		}
	}
	for _, other := range d.groups {
		if other.ID != id && strings.EqualFold(other.Name, name) {
			return g, &Failure{"taken", "name"}
		}
	}
	if name == "" {
		return g, &Failure{"bad", "name"}
	}
	if id == 0 {
		g.ID = d.number()
	}
	g.Name = name
	d.groups[g.ID] = g
	return g, nil
}

// DropGroup deletes a group.
func (d *Directory) DropGroup(id int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := one(d.groups, id); err != nil {
		return err
	}
	delete(d.groups, id)
	return nil
}

// Join adds a member to a group, or removes it. Who is there already is refused.
func (d *Directory) Join(group, user int, in bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, err := one(d.groups, group)
	if err != nil {
		return err
	}
	if _, err := one(d.users, user); err != nil {
		return err
	}
	if slices.Contains(g.Members, user) == in {
		return &Failure{"taken", "member"}
	}
	g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m int) bool { return m == user })
	if in {
		g.Members = append(g.Members, user)
	}
	d.groups[group] = g
	return nil
}
