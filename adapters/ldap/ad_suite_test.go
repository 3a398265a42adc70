package ldap_test

import (
	"fmt"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/internal/testdb"
)

var inAD = adaptertest.Fields{Name: "testExact", Nick: "testText", Note: "testNote", Age: "testAge", Born: "testBorn", Members: "member"}

// TestActiveDirectorySuite runs the conformance suite on Samba's Active Directory.
func TestActiveDirectorySuite(t *testing.T) {
	tr := plantIn(t, testdb.Samba(t))
	tr.add("OU=people,"+tr.base, "objectClass: organizationalUnit")
	tr.add("OU=things,"+tr.base, "objectClass: organizationalUnit")
	for i := 1; i <= 200; i++ {
		tr.add(fmt.Sprintf("CN=m%03d,OU=people,%s", i, tr.base), "objectClass: contact")
	}
	d := tr.open()
	people := ldap.Entries{Base: "OU=people", Classes: []string{"contact"}, Key: "cn"}
	things := ldap.Target{Entries: ldap.Entries{Base: "OU=things", Classes: []string{"testThing"}, Key: "objectGUID"}, RDN: "cn={uuid}", Lists: []string{"member"},
		References: []ldap.Reference{{Field: "member", To: &people}}}
	adaptertest.Run(t, adaptertest.Harness{
		Brief: true, Fields: inAD, Member: member, MembersRead: func(adapters.Adapter) int { return d.MembersRead() },
		New: func(t testing.TB) adapters.Adapter {
			for _, e := range tr.search("(objectClass=testThing)", "1.1") {
				tr.remove(e.DN)
			}
			return branch(t, d, things, inAD.Name, inAD.Nick, inAD.Note, inAD.Age, inAD.Born, inAD.Members)
		},
	})
}
