package ldap_test

import (
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
)

// TestDeleteRefused: who is not deleted stays in its groups.
func TestDeleteRefused(t *testing.T) {
	s := employ(t)
	ada, bob := s.person("ada"), s.person("bob")
	s.make(s.groups, map[string]any{"cn": "Both", "member": []string{string(ada.Key), string(bob.Key)}})
	s.make(s.groups, map[string]any{"cn": "Alone", "member": []string{string(ada.Key)}})
	dn := "uid=ada,ou=people," + s.base
	s.add("cn=phone,"+dn, "objectClass: device", "cn: phone")
	wantKind(t, "an entry with others below", s.people.Delete(ctx, ada.Key), adapters.Conflict)
	wants(t, "a group", s.held("cn=Both", "member"), []string{dn, "uid=bob,ou=people," + s.base})
	wants(t, "a group of its own", s.held("cn=Alone", "member"), []string{dn})
}

// TestRenameToNamesake: a name that stood in a group already does not keep the old one
// there, in which somebody else might find itself later.
func TestRenameToNamesake(t *testing.T) {
	s := employ(t)
	branch(t, s.d, ldap.Target{Entries: ldap.Entries{Base: "ou=groups", Classes: []string{"posixGroup"}, Key: "entryUUID"}, RDN: "cn", Lists: []string{"memberUid"},
		References: []ldap.Reference{{Field: "memberUid", By: "uid", To: &users}}}, "cn", "gidNumber", "memberUid")
	ada := s.person("ada")
	s.add("cn=unix,ou=groups,"+s.base, "objectClass: posixGroup", "cn: unix", "gidNumber: 7", "memberUid: ada", "memberUid: lovelace")
	if _, err := s.set(s.people, ada, map[string]any{"uid": "lovelace"}); err != nil {
		t.Fatal(err)
	}
	wants(t, "logins", s.held("cn=unix", "memberUid"), []string{"lovelace"})
}

// TestNameCleared: who loses what groups name them by leaves those groups.
func TestNameCleared(t *testing.T) {
	s := employ(t)
	branch(t, s.d, ldap.Target{Entries: ldap.Entries{Base: "ou=groups", Classes: []string{"posixGroup"}, Key: "entryUUID"}, RDN: "cn", Lists: []string{"memberUid"},
		References: []ldap.Reference{{Field: "memberUid", By: "title", To: &users}}}, "cn", "gidNumber", "memberUid")
	ada, err := s.set(s.people, s.person("ada"), map[string]any{"title": "ada of x"})
	if err != nil {
		t.Fatal(err)
	}
	s.add("cn=unix,ou=groups,"+s.base, "objectClass: posixGroup", "cn: unix", "gidNumber: 7", "memberUid: ada of x", "memberUid: bob")
	if _, err := s.set(s.people, ada, map[string]any{"title": nil}); err != nil {
		t.Fatal(err)
	}
	wants(t, "names", s.held("cn=unix", "memberUid"), []string{"bob"})
}

// TestLastMemberAndStranger: the last member goes together with one that is not there.
func TestLastMemberAndStranger(t *testing.T) {
	s := employ(t)
	ada, bob := s.person("ada"), s.person("bob")
	team := s.make(s.groups, map[string]any{"cn": "Team", "member": []string{string(ada.Key)}})
	d := adapters.Delta{Before: team, After: team.Clone(), Set: []adapters.Change{{Field: "description", New: "x"}},
		Members: []adapters.MemberChange{{Field: "member", Remove: []string{string(ada.Key), string(bob.Key)}}}}
	if _, err := s.groups.Update(ctx, team.Key, d, adapters.AllFields); err != nil {
		t.Error(err)
	}
	wants(t, "held", s.held("cn=Team", "member"), []string{"cn=nobody"})
}
