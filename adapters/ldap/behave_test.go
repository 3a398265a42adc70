package ldap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/scim/filter"
)

// A staff is a tree with people and groups, and the adapters of both.
type staff struct {
	*tree
	d              *ldap.Directory
	people, groups *ldap.Adapter
}

var (
	users = ldap.Entries{Base: "ou=people", Subtree: true, Classes: []string{"inetOrgPerson"}, Key: "entryUUID"}
	teams = ldap.Entries{Base: "ou=groups", Classes: []string{"groupOfNames"}, Key: "entryUUID"}
)

func employ(t testing.TB, options ...func(*ldap.Config)) *staff {
	s := &staff{tree: plant(t)}
	for _, ou := range []string{"people", "groups"} {
		s.add("ou="+ou+","+s.base, "objectClass: organizationalUnit")
	}
	s.d = s.open(options...)
	s.people = branch(t, s.d, ldap.Target{Entries: users, RDN: "uid", Lists: []string{"groups", "mail", "memberOf"}, Auxiliary: []string{"testThing"},
		References: []ldap.Reference{{Field: "manager", To: &users}, {Field: "groups", From: "member", To: &teams}, {Field: "memberOf", To: &teams}}},
		"uid", "cn", "sn", "mail", "manager", "groups", "memberOf", "userPassword", "userAccountControl", "userAccountControl:2", "jpegPhoto", "testFlag", "createTimestamp", "title")
	s.groups = branch(t, s.d, ldap.Target{Entries: teams, RDN: "cn", Lists: []string{"member"}, References: []ldap.Reference{{Field: "member", To: &users}}, Placeholder: "cn=nobody"},
		"cn", "member", "description")
	return s
}

// make creates a record.
func (s *staff) make(a *ldap.Adapter, values map[string]any) adapters.Record {
	s.t.Helper()
	r, err := a.Create(ctx, adapters.FromMap(a.Capabilities().Shape, "", values), adapters.AllFields)
	if err != nil {
		s.t.Fatalf("create %v: %v", values, err)
	}
	return r
}

func (s *staff) person(uid string) adapters.Record {
	s.t.Helper()
	return s.make(s.people, map[string]any{"uid": uid, "cn": "C " + uid, "sn": "S " + uid})
}

// set changes fields of a record.
func (s *staff) set(a *ldap.Adapter, r adapters.Record, values map[string]any) (adapters.Record, error) {
	d := adapters.Delta{Before: r, After: r.Clone()}
	for _, name := range r.Shape().Names() {
		if v, ok := values[name]; ok {
			d.Set = append(d.Set, adapters.Change{Field: name, Old: r.Get(name), New: v})
		}
	}
	return a.Update(ctx, r.Key, d, adapters.AllFields)
}

// held are the values of an attribute of the entry with that relative name.
func (s *staff) held(rdn, attribute string) []string {
	s.t.Helper()
	name, v, _ := strings.Cut(rdn, "=")
	found := s.search(fmt.Sprintf("(%s=%s)", name, v), attribute)
	if len(found) != 1 || !strings.HasPrefix(strings.ToLower(found[0].DN), strings.ToLower(rdn)+",") {
		s.t.Fatalf("%s: %d entries, %v", rdn, len(found), found)
	}
	return found[0].GetAttributeValues(attribute)
}

func wants(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)); !slices.Equal(g, w) {
		t.Errorf("%s: %q, want %q", what, g, w)
	}
}

// TestRename: the key stays, and what names the entry follows.
func TestRename(t *testing.T) {
	s := employ(t)
	ada, bob := s.person("ada"), s.person("bob")
	team := s.make(s.groups, map[string]any{"cn": "Team", "member": []string{string(ada.Key), string(bob.Key)}})
	if _, err := s.set(s.people, bob, map[string]any{"manager": string(ada.Key)}); err != nil {
		t.Fatal(err)
	}
	was := "ou=people," + s.base
	for _, name := range []string{"lovelace", "Lovelace", "a,b+c=\"d\"", "#x ", "ada"} {
		after, err := s.set(s.people, ada, map[string]any{"uid": name, "title": "T " + name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if after.Key != ada.Key || after.Get("uid") != name || after.Get("title") != "T "+name {
			t.Errorf("%q: %q %v", name, after.Key, after.Values())
		}
		ada = after
		page, err := s.groups.List(ctx, adapters.Query{Filter: byKey("member", ada.Key), Limit: 10, Want: adapters.AllFields})
		if err != nil || len(page.Records) != 1 || page.Records[0].Key != team.Key {
			t.Errorf("%q: groups by member: %v, %v", name, page.Records, err)
		} else {
			wants(t, name+", members", page.Records[0].Get("member").([]string), []string{string(ada.Key), string(bob.Key)})
		}
		if b, err := s.people.Get(ctx, bob.Key, adapters.AllFields); err != nil || b.Get("manager") != string(ada.Key) {
			t.Errorf("%q: bob's manager is %v, %v", name, b.Get("manager"), err)
		}
	}
	wants(t, "the entry's names", s.held("uid=ada", "uid"), []string{"ada"})
	wants(t, "members", s.held("cn=Team", "member"), []string{"uid=ada," + was, "uid=bob," + was})
	if _, err := s.set(s.people, ada, map[string]any{"uid": "bob", "title": "lost"}); !adapters.Is(err, adapters.Exists) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := s.set(s.people, ada, map[string]any{"uid": "new", "cn": nil}); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("a rename with a change that is refused: %v", err)
	}
	wants(t, "after what was refused", s.held("uid=ada", "title"), []string{"T ada"})
	wants(t, "members after what was refused", s.held("cn=Team", "member"), []string{"uid=ada," + was, "uid=bob," + was})
	if _, err := s.set(s.people, ada, map[string]any{"uid": nil}); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("no name at all: %v", err)
	}
}

func byKey(field string, key adapters.Key) filter.Expr {
	return &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(string(key))}
}

// TestNamesakes: who is called like somebody who was deleted is another record, and in
// none of its groups.
func TestNamesakes(t *testing.T) {
	s := employ(t)
	ada, bob := s.person("ada"), s.person("bob")
	s.make(s.groups, map[string]any{"cn": "Both", "member": []string{string(ada.Key), string(bob.Key)}})
	s.make(s.groups, map[string]any{"cn": "Alone", "member": []string{string(ada.Key)}})
	if err := s.people.Delete(ctx, ada.Key); err != nil {
		t.Fatal(err)
	}
	again := s.person("ada")
	if again.Key == ada.Key {
		t.Error("the key is used again")
	}
	wantKind(t, "the old key", second(s.people.Get(ctx, ada.Key, adapters.AllFields)), adapters.NotFound)
	if got := again.Get("groups"); !adapters.NoValue(got) {
		t.Errorf("the new one is in the groups %v", got)
	}
	wants(t, "a group that would be empty", s.held("cn=Alone", "member"), []string{"cn=nobody"})
}

func second(_ adapters.Record, err error) error { return err }

// TestMembers: the placeholder is there when it is needed, and nobody sees it; memberOf
// is kept by the server as members come and go.
func TestMembers(t *testing.T) {
	s := employ(t)
	ada := s.person("ada")
	team := s.make(s.groups, map[string]any{"cn": "Team"})
	if !adapters.NoValue(team.Get("member")) {
		t.Errorf("a new group shows %v", team.Get("member"))
	}
	wants(t, "an empty group", s.held("cn=Team", "member"), []string{"cn=nobody"})
	dn := "uid=ada,ou=people," + s.base
	for _, c := range []struct{ add, remove, want []string }{
		{[]string{string(ada.Key)}, nil, []string{dn}},
		{[]string{string(ada.Key)}, nil, []string{dn}},
		{nil, []string{string(ada.Key)}, []string{"cn=nobody"}},
		{nil, []string{string(ada.Key), "no such key"}, []string{"cn=nobody"}},
		{[]string{string(ada.Key)}, nil, []string{dn}},
	} {
		got, err := s.groups.Update(ctx, team.Key, adapters.Delta{Members: []adapters.MemberChange{{Field: "member", Add: c.add, Remove: c.remove}}}, adapters.AllFields)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "held", s.held("cn=Team", "member"), c.want)
		var shown []string
		if c.want[0] == dn {
			shown = []string{string(ada.Key)}
		}
		held, _ := got.Get("member").([]string)
		wants(t, "shown", held, shown)
		user, err := s.people.Get(ctx, ada.Key, adapters.AllFields)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"groups", "memberOf"} {
			in, _ := user.Get(field).([]string)
			if wanted := len(shown) == 1; wanted != slices.Equal(in, []string{string(team.Key)}) || !wanted && len(in) > 0 {
				t.Errorf("%s of the member: %q, in the group: %t", field, in, wanted)
			}
		}
	}
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: "member", Add: []string{"no such key"}}}}
	if _, err := s.groups.Update(ctx, team.Key, d, adapters.Fields{}); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("an unknown member: %v", err)
	}
}

// TestGroupsOfMany: the groups of a page of people come in one search.
func TestGroupsOfMany(t *testing.T) {
	var said []string
	s := employ(t, func(c *ldap.Config) { c.Trace = func(r string) { said = append(said, r) } })
	var all []string
	for i := range 30 {
		all = append(all, string(s.person(fmt.Sprintf("u%02d", i)).Key))
	}
	even := s.make(s.groups, map[string]any{"cn": "Half", "member": all[:15]})
	whole := s.make(s.groups, map[string]any{"cn": "All", "member": all})
	said = nil
	page, err := s.people.List(ctx, adapters.Query{Limit: 100, Want: adapters.AllFields})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Records {
		want := []string{string(whole.Key)}
		if slices.Contains(all[:15], string(r.Key)) {
			want = append(want, string(even.Key))
		}
		got, _ := r.Get("groups").([]string)
		wants(t, "groups of "+r.Get("uid").(string), got, want)
	}
	if len(said) > 5 {
		t.Errorf("%d requests:\n%s", len(said), strings.Join(said, "\n"))
	}
}

// TestIndexPages: pages that follow each other by index cost one search each, whatever
// the number of entries; a change made here, or an entry that is gone, makes the list
// be read again.
func TestIndexPages(t *testing.T) {
	var said []string
	s := employ(t, func(c *ldap.Config) { c.Trace = func(r string) { said = append(said, r) }; c.Page = 100 })
	for i := range 620 {
		s.add(fmt.Sprintf("uid=p%03d,ou=people,%s", i, s.base), "objectClass: inetOrgPerson", fmt.Sprintf("cn: p%03d", i), "sn: S")
	}
	page := func(offset int) (adapters.Page, int) {
		t.Helper()
		before := len(said)
		p, err := s.people.List(ctx, adapters.Query{Offset: offset, Limit: 50, Total: true, Want: s.people.Capabilities().Shape.FieldSet("uid")})
		if err != nil {
			t.Fatal(err)
		}
		return p, len(said) - before
	}
	seen := map[adapters.Key]bool{}
	first, walk := page(0)
	for _, r := range first.Records {
		seen[r.Key] = true
	}
	for offset := 50; offset < 620; offset += 50 {
		p, n := page(offset)
		if n != 1 || p.Total != 620 {
			t.Errorf("the page at %d: %d searches (the first %d), a total of %d", offset, n, walk, p.Total)
		}
		for _, r := range p.Records {
			if seen[r.Key] {
				t.Errorf("%s comes twice", r.Get("uid"))
			}
			seen[r.Key] = true
		}
	}
	if len(seen) != 620 {
		t.Errorf("%d of 620 were seen", len(seen))
	}
	page(0)
	s.person("new")
	if p, n := page(50); n < 7 || p.Total != 621 {
		t.Errorf("after a change: %d searches, a total of %d", n, p.Total)
	}
	p, _ := page(100)
	next, _ := page(150)
	page(0)
	page(50)
	page(100)
	s.remove("uid=" + next.Records[0].Get("uid").(string) + ",ou=people," + s.base)
	if got, n := page(150); n < 7 || got.Total != 620 || len(got.Records) != 50 || got.Records[0].Key == p.Records[0].Key {
		t.Errorf("after an entry had gone: %d searches, a total of %d, %d entries", n, got.Total, len(got.Records))
	}
	if _, n := page(400); n < 7 {
		t.Errorf("a page that follows none: %d searches", n)
	}
}

// TestInjection: what is special in filters and names is plain text in values.
func TestInjection(t *testing.T) {
	s := employ(t)
	odd := []string{"*", "b*b", ")(uid=*", "*)(uid=*))(|(uid=*", `\2a`, `\`, "a,ou=people", "x+y=z", "bob\x01", "#1", "é*"}
	for _, o := range odd {
		s.make(s.people, map[string]any{"uid": o, "cn": o, "sn": "x"})
	}
	s.person("bob")
	for _, o := range append(odd, "bob", "nobody*") {
		for _, m := range []filter.Match{filter.Exact, filter.Folded} {
			for _, op := range []filter.Op{filter.Eq, filter.Sw, filter.Ew} {
				page, err := s.people.List(ctx, adapters.Query{Filter: &filter.Compare{Name: "uid", Op: op, Match: m, Value: filter.StringValue(o)}, Limit: 100, Want: adapters.AllFields})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					uid := r.Get("uid").(string)
					if op == filter.Eq && uid != o || op == filter.Sw && !strings.HasPrefix(uid, o) || op == filter.Ew && !strings.HasSuffix(uid, o) {
						t.Errorf("uid %v %q finds %q", op, o, uid)
					}
				}
				if op == filter.Eq && len(page.Records) != map[bool]int{true: 1, false: 0}[o != "nobody*"] {
					t.Errorf("uid eq %q finds %d", o, len(page.Records))
				}
			}
		}
	}
}

// TestValues: several values, bits, booleans, bytes, instants, auxiliary classes.
func TestValues(t *testing.T) {
	s := employ(t)
	r := s.make(s.people, map[string]any{"uid": "ada", "cn": "Ada", "sn": "L", "mail": []string{"a@x", "b@x"}, "userAccountControl": "512", "userAccountControl:2": "1",
		"jpegPhoto": "AP8B", "testFlag": true})
	wants(t, "userAccountControl", s.held("uid=ada", "userAccountControl"), []string{"514"})
	wants(t, "jpegPhoto", s.held("uid=ada", "jpegPhoto"), []string{"\x00\xff\x01"})
	if r.Get("userAccountControl") != int64(514) || r.Get("userAccountControl:2") != "1" || r.Get("testFlag") != "TRUE" || string(r.Get("jpegPhoto").([]byte)) != "\x00\xff\x01" {
		t.Errorf("%v", r.Values())
	}
	_, err := s.set(s.people, r, map[string]any{"userAccountControl:2": "0", "mail": []string{"b@x", "c@x"}, "cn": "Countess"})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "userAccountControl", s.held("uid=ada", "userAccountControl"), []string{"512"})
	wants(t, "mail", s.held("uid=ada", "mail"), []string{"b@x", "c@x"})
	page, err := s.people.List(ctx, adapters.Query{Filter: filter.And{&filter.Compare{Name: "userAccountControl:2", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("0")}, eq("mail", "C@X")}, Limit: 10})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("by a bit and one of several values: %v, %v", page, err)
	}
	s.add("uid=old,ou=people,"+s.base, "objectClass: inetOrgPerson", "cn: First", "cn: Second", "sn: S")
	old := s.find("old")
	if old.Get("cn") != "First" {
		t.Errorf("of several values %v is shown", old.Get("cn"))
	}
	if old, err = s.set(s.people, old, map[string]any{"cn": "New", "testFlag": false}); err != nil || old.Get("cn") != "New" {
		t.Errorf("%v, %v", old.Values(), err)
	}
	wants(t, "the others stay", s.held("uid=old", "cn"), []string{"New", "Second"})
	if classes := s.held("uid=old", "objectClass"); !slices.Contains(classes, "testThing") {
		t.Errorf("the auxiliary class is missing: %q", classes)
	}
	if _, err := s.set(s.people, old, map[string]any{"createTimestamp": "20200101000000Z"}); err == nil {
		t.Error("an attribute that the server keeps was written")
	}
}

func (s *staff) find(uid string) adapters.Record {
	s.t.Helper()
	page, err := s.people.List(ctx, adapters.Query{Filter: eq("uid", uid), Limit: 2, Want: adapters.AllFields})
	if err != nil || len(page.Records) != 1 {
		s.t.Fatalf("%s: %v, %v", uid, page, err)
	}
	return page.Records[0]
}

// TestPosix: members by login, which follow when it changes.
func TestPosix(t *testing.T) {
	s := employ(t)
	posix := branch(t, s.d, ldap.Target{Entries: ldap.Entries{Base: "ou=groups", Classes: []string{"posixGroup"}, Key: "entryUUID"}, RDN: "cn", Lists: []string{"memberUid"},
		References: []ldap.Reference{{Field: "memberUid", By: "uid", To: &users}}}, "cn", "gidNumber", "memberUid")
	ada, bob := s.person("ada"), s.person("bob")
	g := s.make(posix, map[string]any{"cn": "unix", "gidNumber": int64(100), "memberUid": []string{string(ada.Key), string(bob.Key)}})
	wants(t, "logins", s.held("cn=unix", "memberUid"), []string{"ada", "bob"})
	if _, err := s.set(s.people, ada, map[string]any{"uid": "lovelace"}); err != nil {
		t.Fatal(err)
	}
	wants(t, "logins after a rename", s.held("cn=unix", "memberUid"), []string{"lovelace", "bob"})
	if err := s.people.Delete(ctx, bob.Key); err != nil {
		t.Fatal(err)
	}
	got, err := posix.Get(ctx, g.Key, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "members", got.Get("memberUid").([]string), []string{string(ada.Key)})
	wants(t, "logins after a deletion", s.held("cn=unix", "memberUid"), []string{"lovelace"})
}

// TestScope: who is out of scope is no member, and cannot become one.
func TestScope(t *testing.T) {
	s := employ(t)
	within := users
	within.Where = filter.Not{Term: &filter.Compare{Name: "title", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("service")}}
	groups := branch(t, s.d, ldap.Target{Entries: teams, RDN: "cn", Lists: []string{"member"}, References: []ldap.Reference{{Field: "member", To: &within}}, Placeholder: "cn=nobody"}, "cn", "member")
	ada := s.person("ada")
	robot := s.make(s.people, map[string]any{"uid": "robot", "cn": "R", "sn": "R", "title": "service"})
	g := s.make(s.groups, map[string]any{"cn": "G", "member": []string{string(ada.Key), string(robot.Key)}})
	got, err := groups.Get(ctx, g.Key, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "members in scope", got.Get("member").([]string), []string{string(ada.Key)})
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: "member", Add: []string{string(robot.Key)}}}}
	if _, err := groups.Update(ctx, g.Key, d, adapters.Fields{}); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("a member out of scope: %v", err)
	}
	page, err := groups.List(ctx, adapters.Query{Filter: byKey("member", robot.Key), Limit: 10})
	if err != nil || len(page.Records) != 0 {
		t.Errorf("by a member out of scope: %v, %v", page, err)
	}
}
