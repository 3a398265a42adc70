package ldap_test

import (
	"fmt"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/internal/testdb"
	"github.com/postern/postern/scim/filter"
)

var (
	adUsers  = ldap.Entries{Base: "OU=people", Subtree: true, Classes: []string{"user"}, Key: "objectGUID"}
	adGroups = ldap.Entries{Base: "OU=groups", Classes: []string{"group"}, Key: "objectGUID"}
)

// join makes a part of Samba's Active Directory with people and groups.
func join(t testing.TB, options ...func(*ldap.Config)) *staff {
	s := &staff{tree: plantIn(t, testdb.Samba(t))}
	for _, ou := range []string{"people", "groups"} {
		s.add("OU="+ou+","+s.base, "objectClass: organizationalUnit")
	}
	encrypted := func(c *ldap.Config) { c.URL, c.TLS.CA = s.server.TLS, s.server.CA }
	if s.server.TLS == "" {
		encrypted = func(*ldap.Config) {}
	}
	s.d = s.open(append(options, encrypted)...)
	s.people = branch(t, s.d, ldap.Target{Entries: adUsers, RDN: "cn={displayName}", Lists: []string{"memberOf", "groups", "otherTelephone"},
		References: []ldap.Reference{{Field: "manager", To: &adUsers}, {Field: "memberOf", To: &adGroups}, {Field: "groups", From: "member", To: &adGroups}}},
		"sAMAccountName", "userPrincipalName", "displayName", "sn", "userAccountControl", "userAccountControl:2", "unicodePwd", "manager", "memberOf", "groups",
		"otherTelephone", "whenCreated", "pwdLastSet", "objectSid", "objectCategory")
	s.groups = branch(t, s.d, ldap.Target{Entries: adGroups, RDN: "cn", Lists: []string{"member"}, References: []ldap.Reference{{Field: "member", To: &adUsers}}},
		"cn", "member", "description", "sAMAccountName", "groupType")
	return s
}

// hire makes a user whose names nobody else in the domain has.
func (s *staff) hire(name string, more map[string]any) adapters.Record {
	s.t.Helper()
	values := map[string]any{"displayName": name, "sAMAccountName": s.login(name), "userPrincipalName": s.login(name) + "@example.test", "userAccountControl": int64(512)}
	for k, v := range more {
		values[k] = v
	}
	return s.make(s.people, values)
}

// login is a name that no other test has: it must be one in the whole domain, and short.
func (s *staff) login(name string) string {
	unique := strings.TrimPrefix(strings.Split(s.base, ",")[0], "ou=t")
	return strings.ToLower(name[:1]) + unique[max(0, len(unique)-12):]
}

// opens reports whether a user can log in.
func (s *staff) opens(user, password string) bool {
	s.t.Helper()
	c, err := goldap.DialURL(s.server.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	return c.Bind(user, password) == nil
}

// TestADAccounts: keys, names, flags, passwords, and what Active Directory makes itself.
func TestADAccounts(t *testing.T) {
	s := join(t)
	ada := s.hire("Ada Lovelace", map[string]any{"unicodePwd": "Analytical.1", "userAccountControl:2": "0", "otherTelephone": []string{"1", "2"}})
	wants(t, "class", s.held("cn=Ada Lovelace", "objectClass"), []string{"top", "person", "organizationalPerson", "user"})
	if raw := s.held("cn=Ada Lovelace", "objectGUID")[0]; len(raw) != 16 || len(ada.Key) != 36 {
		t.Errorf("the key of %x is %s", raw, ada.Key)
	}
	if ada.Get("userAccountControl:2") != "0" || ada.Get("userAccountControl") != int64(512) || ada.Get("unicodePwd") != nil {
		t.Errorf("%v", ada.Values())
	}
	if at, ok := ada.Get("pwdLastSet").(int64); !ok || at < 1e17 {
		t.Errorf("a large integer is %#v", ada.Get("pwdLastSet"))
	}
	upn := s.login("Ada") + "@example.test"
	if !s.opens(upn, "Analytical.1") || s.opens(upn, "wrong") {
		t.Error("the password does not open the account, or any does")
	}
	ada, err := s.set(s.people, ada, map[string]any{"userAccountControl:2": "1"})
	if err != nil || ada.Get("userAccountControl") != int64(514) || s.opens(upn, "Analytical.1") {
		t.Errorf("disabled: %v, %v", ada.Values(), err)
	}
	if ada, err = s.set(s.people, ada, map[string]any{"userAccountControl:2": "0", "unicodePwd": "Difference.2"}); err != nil || !s.opens(upn, "Difference.2") {
		t.Errorf("enabled, with another password: %v, %v", ada.Values(), err)
	}
	if _, err = s.set(s.people, ada, map[string]any{"sn": "Byron", "unicodePwd": "short"}); !adapters.Is(err, adapters.Invalid) || len(s.held("cn=Ada Lovelace", "sn")) != 0 {
		t.Errorf("a password that the domain refuses: %v", err)
	}
	for _, name := range []string{"sAMAccountName", "userPrincipalName", "displayName"} {
		again := map[string]any{"displayName": "Bob", "sAMAccountName": s.login("Bob"), "userPrincipalName": s.login("Bob") + "@example.test", name: ada.Get(name)}
		if _, err := s.people.Create(ctx, adapters.FromMap(s.people.Capabilities().Shape, "", again), adapters.AllFields); !adapters.Is(err, adapters.Exists) {
			t.Errorf("a second %s: %v", name, err)
		}
		page, err := s.people.List(ctx, adapters.Query{Filter: eq(name, strings.ToUpper(ada.Get(name).(string))), Limit: 2, Want: adapters.AllFields})
		if err != nil || len(page.Records) != 1 || page.Records[0].Key != ada.Key {
			t.Errorf("by %s: %v, %v", name, page.Records, err)
		}
	}
	if _, err := s.set(s.people, ada, map[string]any{"objectSid": "S-1"}); err == nil {
		t.Error("what the directory keeps was written")
	}
}

// TestADGroups: memberships by name, which the directory itself keeps when an entry is
// renamed or deleted.
func TestADGroups(t *testing.T) {
	s := join(t)
	ada, bob := s.hire("Ada", nil), s.hire("Bob", nil)
	team := s.make(s.groups, map[string]any{"cn": "Team, the " + s.login("Team"), "sAMAccountName": s.login("Team"), "member": []string{string(ada.Key)}})
	for range 2 { // who is there already, or is not there anyway, is no error
		add := adapters.Delta{Members: []adapters.MemberChange{{Field: "member", Add: []string{string(ada.Key), string(bob.Key)}}}}
		if _, err := s.groups.Update(ctx, team.Key, add, adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(key adapters.Key) adapters.Record {
		t.Helper()
		r, err := s.people.Get(ctx, key, adapters.AllFields)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, field := range []string{"memberOf", "groups"} {
		wants(t, field, of(bob.Key).Get(field).([]string), []string{string(team.Key)})
	}
	ada, err := s.set(s.people, of(ada.Key), map[string]any{"displayName": "Countess, Ada", "manager": string(bob.Key)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.set(s.people, of(bob.Key), map[string]any{"displayName": "Bob #2"}); err != nil {
		t.Fatal(err)
	}
	if got := of(ada.Key).Get("manager"); got != string(bob.Key) {
		t.Errorf("the manager after a rename is %v", got)
	}
	if team, err = s.set(s.groups, team, map[string]any{"cn": "Crew " + s.login("Team")}); err != nil {
		t.Fatal(err)
	}
	wants(t, "members after renames", team.Get("member").([]string), []string{string(ada.Key), string(bob.Key)})
	page, err := s.groups.List(ctx, adapters.Query{Filter: byKey("member", bob.Key), Limit: 5})
	if err != nil || len(page.Records) != 1 || page.Records[0].Key != team.Key {
		t.Errorf("groups by member: %v, %v", page.Records, err)
	}
	if err := s.people.Delete(ctx, bob.Key); err != nil {
		t.Fatal(err)
	}
	again := s.hire("Bob #2", map[string]any{"sAMAccountName": s.login("Bob")})
	if again.Key == bob.Key || !adapters.NoValue(again.Get("memberOf")) || !adapters.NoValue(again.Get("groups")) {
		t.Errorf("the new one is the old one: %v", again.Values())
	}
	wantKind(t, "a tombstone", second(s.people.Get(ctx, bob.Key, adapters.AllFields)), adapters.NotFound)
	for range 2 {
		take := adapters.Delta{Members: []adapters.MemberChange{{Field: "member", Remove: []string{string(ada.Key), string(again.Key)}}}}
		if _, err := s.groups.Update(ctx, team.Key, take, adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := of(ada.Key).Get("memberOf"); !adapters.NoValue(got) {
		t.Errorf("after the removal: %v", got)
	}
}

// TestADReferrals: at the root of a domain, other parts of the forest are on other
// servers, and computers are users, too.
func TestADReferrals(t *testing.T) {
	server := testdb.Samba(t)
	all := ldap.Entries{Subtree: true, Classes: []string{"user"}, Key: "objectGUID"}
	list := func(ignore bool) (adapters.Page, error) {
		d, err := ldap.Open(ldap.Config{URL: server.URL, BindDN: server.BindDN, Password: server.Password, Base: server.Base, Referrals: ignore})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		a := branch(t, d, ldap.Target{Entries: all, RDN: "cn"}, "cn", "sAMAccountType")
		return a.List(ctx, adapters.Query{Filter: &filter.Compare{Name: "sAMAccountType", Op: filter.Eq, Match: filter.Integer, Value: filter.IntValue(805306369)}, Limit: 10, Want: adapters.AllFields})
	}
	if _, err := list(false); !adapters.Is(err, adapters.Unsupported) {
		t.Errorf("referrals: %v", err)
	}
	if page, err := list(true); err != nil || len(page.Records) != 1 || page.Records[0].Get("cn") != "DC" {
		t.Errorf("the computers among the users: %v, %v", page.Records, err)
	}
}

var schemaEntries = ldap.Entries{Base: "CN=Schema,CN=Configuration", Classes: []string{"top"}, Key: "objectGUID"}

// TestADLarge: more entries than one page may have, and more members than one answer
// tells. The entries are those of the schema: every domain has them.
func TestADLarge(t *testing.T) {
	s := join(t)
	all, err := s.admin.SearchWithPaging(goldap.NewSearchRequest("CN=Schema,CN=Configuration,"+s.server.Base, goldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=top)", []string{"1.1"}, nil), 500)
	if err != nil || len(all.Entries) < 1600 {
		t.Fatalf("%d entries in the schema, %v", len(all.Entries), err)
	}
	lines := []string{"objectClass: group", "sAMAccountName: " + s.login("Large")}
	for _, e := range all.Entries {
		lines = append(lines, "member: "+e.DN)
	}
	s.add("CN=Large,OU=groups,"+s.base, lines...)
	for _, page := range []int{0, 5000} {
		url := microsoft(t, s.server.URL)
		d, err := ldap.Open(ldap.Config{URL: url, BindDN: s.server.BindDN, Password: s.server.Password, Base: s.server.Base, Page: page})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		entries := branch(t, d, ldap.Target{Entries: schemaEntries, RDN: "cn"}, "cn")
		there := adGroups
		there.Base = fmt.Sprintf("OU=groups,%s", strings.TrimSuffix(s.base, ","+s.server.Base))
		groups := branch(t, d, ldap.Target{Entries: there, RDN: "cn", Lists: []string{"member"}, References: []ldap.Reference{{Field: "member", To: &schemaEntries}}}, "cn", "member")
		got, err := entries.List(ctx, adapters.Query{Limit: 10, Total: true})
		if err != nil || got.Total != len(all.Entries) {
			t.Errorf("pages of %d: a list of %d, %v; there are %d", page, got.Total, err, len(all.Entries))
		}
		large, err := groups.List(ctx, adapters.Query{Limit: 1, Want: adapters.AllFields})
		if err != nil || len(large.Records) != 1 {
			t.Fatal(large, err)
		}
		members, _ := large.Records[0].Get("member").([]string)
		seen := map[string]bool{}
		for _, m := range members {
			seen[m] = true
		}
		if len(members) != len(all.Entries) || len(seen) != len(members) {
			t.Errorf("%d members are shown, %d different ones; there are %d", len(members), len(seen), len(all.Entries))
		}
	}
}

// TestADInspect: what the directory gives to entries itself nobody need give them, and
// what auxiliary classes allow may be written.
func TestADInspect(t *testing.T) {
	s := join(t)
	found, err := s.people.Inspect(ctx, []string{"sAMAccountName", "displayName", "unicodePwd", "userAccountControl:2"}, []string{"sAMAccountName", "displayName"})
	if err != nil || len(found) != 0 {
		t.Errorf("users: %v, %v", found, err)
	}
	if found, err = s.groups.Inspect(ctx, []string{"cn", "member"}, []string{"cn"}); err != nil || len(found) != 0 {
		t.Errorf("groups: %v, %v", found, err)
	}
}
