package ldap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/scim/filter"
)

// TestNameSpelledOtherwise: a directory does not mind if the name of an entry and the
// value it is made of are spelled differently. Then the value changes without a rename.
func TestNameSpelledOtherwise(t *testing.T) {
	s := employ(t)
	s.add("uid=ada,ou=people,"+s.base, "objectClass: inetOrgPerson", "uid: Ada", "cn: A", "sn: L")
	got, err := s.set(s.people, s.find("ada"), map[string]any{"uid": "ada"})
	if err != nil || got.Get("uid") != "ada" {
		t.Errorf("%v, %v", got.Values(), err)
	}
	wants(t, "held", s.held("uid=ada", "uid"), []string{"ada"})
}

// TestEqualValues: the new one of several values may be another of them for the directory.
func TestEqualValues(t *testing.T) {
	s := employ(t)
	s.add("uid=ada,ou=people,"+s.base, "objectClass: inetOrgPerson", "uid: ada", "cn: First", "cn: The  second", "cn: Third", "sn: L")
	got, err := s.set(s.people, s.find("ada"), map[string]any{"cn": "the Second"})
	if err != nil || got.Get("cn") != "the Second" {
		t.Errorf("%v, %v", got.Values(), err)
	}
	wants(t, "held", s.held("uid=ada", "cn"), []string{"the Second", "Third"})
}

// TestOptions: an attribute with an option is another one than that without.
func TestOptions(t *testing.T) {
	s := employ(t)
	a := branch(t, s.d, ldap.Target{Entries: users, RDN: "uid"}, "uid", "cn", "sn", "title", "title;lang-de", "uid;lang-de")
	r := s.make(a, map[string]any{"uid": "ada", "cn": "A", "sn": "L", "title": "Countess", "uid;lang-de": "ada"})
	if v := r.Get("title;lang-de"); v != nil {
		t.Errorf("the title in German is %v", v)
	}
	r, err := s.set(a, r, map[string]any{"title;lang-de": "Gräfin", "uid;lang-de": "Ada"})
	if err != nil || r.Get("title") != "Countess" || r.Get("title;lang-de") != "Gräfin" || r.Get("uid") != "ada" || r.Get("uid;lang-de") != "Ada" {
		t.Errorf("%v, %v", r.Values(), err)
	}
}

// TestBinaryLists: the elements of a list are base64, also of certificates, which are
// sent with an option of their own.
func TestBinaryLists(t *testing.T) {
	s := employ(t)
	a := branch(t, s.d, ldap.Target{Entries: users, RDN: "uid", Lists: []string{"jpegPhoto", "userCertificate"}}, "uid", "cn", "sn", "jpegPhoto", "userCertificate")
	one, two := certificate(t, 1), certificate(t, 2)
	r := s.make(a, map[string]any{"uid": "ada", "cn": "A", "sn": "L", "jpegPhoto": []string{"AP8B"}, "userCertificate": []string{one}})
	wants(t, "photos", r.Get("jpegPhoto").([]string), []string{"AP8B"})
	wants(t, "certificates", r.Get("userCertificate").([]string), []string{one})
	wants(t, "held", s.held("uid=ada", "jpegPhoto"), []string{"\x00\xff\x01"})
	r, err := s.set(a, r, map[string]any{"jpegPhoto": []string{"AP8B", "AP8C"}, "userCertificate": []string{two}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "photos", r.Get("jpegPhoto").([]string), []string{"AP8B", "AP8C"})
	wants(t, "certificates", r.Get("userCertificate").([]string), []string{two})
	if _, err := s.set(s.people, s.find("ada"), map[string]any{"jpegPhoto": "AP8D"}); err != nil {
		t.Error(err)
	}
	wants(t, "the first of the photos", s.held("uid=ada", "jpegPhoto"), []string{"\x00\xff\x03", "\x00\xff\x02"})
	for value, n := range map[string]int{one: 0, two: 1} {
		by := &filter.Compare{Name: "userCertificate", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(value)}
		page, err := a.List(ctx, adapters.Query{Filter: by, Limit: 10})
		if err != nil || len(page.Records) != n {
			t.Errorf("by a certificate: %v, %v", page, err)
		}
	}
}

func certificate(t *testing.T, serial int64) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}
