package testdb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

var slapd = &server{
	name:     "slapd",
	variable: "POSTERN_TEST_LDAP",
	account:  "openldap",
	pkg:      "slapd ldap-utils",
	program:  "/usr/sbin/slapd",
	start:    startSlapd,
	stop:     `kill -TERM "$(cat "$DIR/run/pid")"; while kill -0 "$(cat "$DIR/run/pid")" 2>/dev/null; do sleep 0.1; done`,
}

// A Directory is an LDAP server in which a test may do whatever it likes below an
// entry of its own.
type Directory struct {
	URL, TLS         string // ldap:// and ldaps://
	Base             string // dc=example,dc=com
	BindDN, Password string
	CA               string // the file with the certificate of the server, which signed itself
}

// Slapd answers an OpenLDAP server.
func Slapd(t testing.TB) Directory {
	t.Helper()
	out := Directory{URL: os.Getenv(slapd.variable), Base: "dc=example,dc=com", BindDN: "cn=admin,dc=example,dc=com", Password: "secret"}
	if out.URL != "" {
		return out
	}
	port, err := slapd.up()
	if err != nil {
		slapd.fail(t, err)
	}
	run := filepath.Join(slapd.dir(), "run")
	secure, err := os.ReadFile(filepath.Join(run, "tls"))
	if err != nil {
		t.Fatal(err)
	}
	out.URL, out.TLS = "ldap://127.0.0.1:"+strconv.Itoa(port), "ldaps://127.0.0.1:"+string(secure)
	out.CA = filepath.Join(run, "server.pem")
	return out
}

// slapdSchema has what tests need and no schema of the package has: a text that is
// compared with its case, an integer with an order, an instant, and the parts of
// Active Directory that need no Active Directory.
const slapdSchema = `
attributetype ( 1.3.6.1.4.1.4203.666.11.99.1 NAME 'testExact' EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.2 NAME 'testAge' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.3 NAME 'testBorn' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.4 NAME 'testFlag' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.5 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.6 NAME 'unicodePwd' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.7 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.11.99.100 NAME 'testThing' SUP top AUXILIARY MAY ( testExact $ st $ testAge $ testBorn $ testFlag $ userAccountControl $ unicodePwd $ objectGUID $ uid $ cn $ member $ memberUid $ mail $ l $ o ) )
objectclass ( 1.3.6.1.4.1.4203.666.11.99.101 NAME 'testEntry' SUP top STRUCTURAL MUST cn MAY ( description $ l $ member $ uid ) )
`

func startSlapd(s *server, bin, dir string, port int) error {
	run := filepath.Join(dir, "run")
	if err := os.RemoveAll(run); err != nil { // nothing is kept: it starts empty in no time
		return err
	}
	if err := errors.Join(s.folder(run), s.folder(filepath.Join(run, "data"))); err != nil {
		return err
	}
	secure, err := freePort()
	if err != nil {
		return err
	}
	if err := certificate(run, net.IPv4(127, 0, 0, 1)); err != nil {
		return err
	}
	conf := ""
	for _, name := range []string{"core", "cosine", "inetorgperson", "nis"} {
		conf += "include /etc/ldap/schema/" + name + ".schema\n"
	}
	conf += slapdSchema + "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\nmoduleload refint\n" +
		"pidfile " + run + "/pid\nTLSCertificateFile " + run + "/server.pem\nTLSCertificateKeyFile " + run + "/server.key\n" +
		"sizelimit unlimited\ndatabase mdb\nsuffix dc=example,dc=com\nrootdn cn=admin,dc=example,dc=com\nrootpw secret\n" +
		"directory " + run + "/data\nmaxsize 1073741824\ndbnosync\nindex objectClass,entryUUID,uid,cn,member,memberUid,testExact eq\n" +
		"overlay memberof\noverlay refint\nrefint_attributes member manager\n"
	const root = "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"
	for name, text := range map[string]string{"slapd.conf": conf, "root.ldif": root, "tls": strconv.Itoa(secure)} {
		if err := os.WriteFile(filepath.Join(run, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	config := filepath.Join(run, "slapd.conf")
	if err := output(s.as("/usr/sbin/slapadd", "-f", config, "-l", filepath.Join(run, "root.ldif"))); err != nil {
		return err
	}
	urls := "ldap://127.0.0.1:" + strconv.Itoa(port) + "/ ldaps://127.0.0.1:" + strconv.Itoa(secure) + "/"
	if err := output(s.as(filepath.Join(bin, "slapd"), "-f", config, "-h", urls)); err != nil {
		return err
	}
	for range 100 {
		if listens(port) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("slapd does not listen")
}

// certificate makes a certificate for an address, signed by itself.
func certificate(dir string, ip net.IP) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "Postern's test directory"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{ip}}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{"server.pem": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o644); err != nil {
			return err
		}
	}
	return nil
}
