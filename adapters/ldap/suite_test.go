package ldap_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/ldap"
)

var textual = adaptertest.Fields{Name: "testExact", Nick: "description", Note: "l", Age: "testAge", Born: "testBorn", Active: "st", Members: "member"}

// members are the entries that groups of the suite can have: uid=m001 and so on.
func members(tr *tree) {
	tr.add("ou=people,"+tr.base, "objectClass: organizationalUnit")
	for i := 1; i <= 200; i++ {
		tr.add(fmt.Sprintf("uid=m%03d,ou=people,%s", i, tr.base), "objectClass: account")
	}
	tr.add("ou=things,"+tr.base, "objectClass: organizationalUnit")
}

func member(i int) string { return fmt.Sprintf("m%03d", i) }

func groups(key string) ldap.Entries {
	class := "groupOfNames"
	if key == "cn" {
		class = "groupOfUniqueNames"
	}
	return ldap.Entries{Base: "ou=things", Classes: []string{class}, Key: key}
}

func named(field string) adaptertest.Fields {
	f := textual
	f.Name, f.Note, f.Active = field, "o", "testExact"
	return f
}

var inUnique = func() adaptertest.Fields {
	f := named("cn")
	f.Members = "uniqueMember"
	return f
}()

var byLogin = func() adaptertest.Fields {
	f := textual
	f.Members = "memberUid"
	return f
}()

// prepared is how directories compare texts (RFC 4518).
func prepared(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\u200b' || r == '\ufeff' || r == '\u202e' {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	if len(s) > 200 {
		return "" // longer than a name can be in OpenLDAP
	}
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// uuids are the keys of the members.
func uuids(tr *tree) func(int) string {
	keys := map[string]string{}
	for _, e := range tr.search("(objectClass=account)", "uid", "entryUUID") {
		keys[e.GetAttributeValue("uid")] = e.GetAttributeValue("entryUUID")
	}
	return func(i int) string { return keys[member(i)] }
}

var byUUID = ldap.Entries{Base: "ou=people", Classes: []string{"account"}, Key: "entryUUID"}

var people = ldap.Entries{Base: "ou=people", Classes: []string{"account"}, Key: "uid"}

// TestSuite runs the conformance suite on the ways in which directories are used.
func TestSuite(t *testing.T) {
	things := ldap.Entries{Base: "ou=things", Classes: []string{"testEntry"}, Key: "entryUUID"}
	dns := []ldap.Reference{{Field: "member", To: &people}}
	for name, c := range map[string]struct {
		target  ldap.Target
		harness adaptertest.Harness
	}{
		"keys of the server, names at random": {
			ldap.Target{Entries: things, Auxiliary: []string{"testThing"}, RDN: "cn={uuid}", Lists: []string{"member"}, References: dns},
			adaptertest.Harness{Fields: textual}},
		"named by a field, groups that are never empty": {
			ldap.Target{Entries: groups("entryUUID"), Auxiliary: []string{"testThing"}, RDN: "cn", Lists: []string{"member"}, References: dns, Placeholder: "cn=nobody"},
			adaptertest.Harness{Fields: named("cn"), FoldedUnique: true, Prepare: prepared}},
		"a field is the key": {
			ldap.Target{Entries: groups("cn"), Auxiliary: []string{"testThing"}, RDN: "cn", Given: true, Lists: []string{"uniqueMember"}, Placeholder: "cn=nobody",
				References: []ldap.Reference{{Field: "uniqueMember", To: &byUUID}}},
			adaptertest.Harness{Fields: inUnique, FoldedUnique: true, Prepare: prepared, KeyFrom: "cn"}},
		"names are keys, members by login": {
			ldap.Target{Entries: ldap.Entries{Base: "ou=things", Classes: []string{"testEntry"}, Key: "dn"}, Auxiliary: []string{"testThing"}, RDN: "cn={testExact}", Lists: []string{"memberUid"},
				References: []ldap.Reference{{Field: "memberUid", By: "uid", To: &people}}},
			adaptertest.Harness{Fields: byLogin, Prepare: prepared}},
	} {
		tr := plant(t)
		members(tr)
		d := tr.open()
		c.harness.Member = member
		if c.harness.Fields.Members == "uniqueMember" {
			c.harness.Member = uuids(tr)
		}
		c.harness.MembersRead = func(adapters.Adapter) int { return d.MembersRead() }
		bare := func(t testing.TB) adapters.Adapter {
			for _, e := range tr.search("(|(objectClass=testEntry)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))", "1.1") {
				tr.remove(e.DN)
			}
			return branch(t, d, c.target, c.harness.Fields.Name, c.harness.Fields.Nick, c.harness.Fields.Note, c.harness.Fields.Age, c.harness.Fields.Born, c.harness.Fields.Active, c.harness.Fields.Members)
		}
		t.Run(name, func(t *testing.T) {
			h := c.harness
			h.Brief = h.Fields.Name != textual.Name || h.Prepare != nil
			h.New = bare
			adaptertest.Run(t, h)
		})
		if c.harness.Fields.Name != textual.Name || c.harness.Prepare != nil {
			continue // the guard is the same around all of them
		}
		t.Run(name+", guarded", func(t *testing.T) {
			h := c.harness
			h.Brief = true
			h.New = func(t testing.TB) adapters.Adapter {
				return guard.Wrap(bare(t), "test", guard.Options{Cache: time.Hour})
			}
			adaptertest.Run(t, h)
		})
	}
}
