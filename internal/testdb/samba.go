package testdb

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// samba listens at the ports of LDAP and nowhere else. So it has an address of its
// own: which one is made of a port that was free.
var samba = &server{
	name:     "samba",
	variable: "POSTERN_TEST_AD",
	account:  "root",
	pkg:      "samba-ad-dc samba-ad-provision",
	program:  "/usr/sbin/samba",
	start:    startSamba,
	stop:     `kill -TERM "$(cat "$DIR/run/samba.pid")"; while kill -0 "$(cat "$DIR/run/samba.pid")" 2>/dev/null; do sleep 0.1; done`,
	address:  func(port int) string { return sambaIP(port).String() + ":389" },
}

func sambaIP(port int) net.IP { return net.IPv4(127, 89, byte(port>>8), byte(port)) }

// Samba answers a domain controller of Active Directory, Samba's.
func Samba(t testing.TB) Directory {
	t.Helper()
	out := Directory{URL: os.Getenv(samba.variable), Base: "DC=example,DC=test", BindDN: "administrator@example.test", Password: sambaPassword}
	if out.URL != "" {
		return out
	}
	port, err := samba.up()
	if err != nil {
		samba.fail(t, err)
	}
	out.URL, out.TLS = "ldap://"+sambaIP(port).String(), "ldaps://"+sambaIP(port).String()
	out.CA = filepath.Join(samba.dir(), "server.pem")
	return out
}

const sambaPassword = "Passw0rd.Admin1"

// sambaDomain makes the domain. What samba-tool would do besides is for a file server,
// and cannot be done in a container.
const sambaDomain = `
import logging, sys
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision
lp = LoadParm()
lp.load(sys.argv[1])
provision(logging.getLogger(), system_session(), smbconf=sys.argv[1], lp=lp, realm="EXAMPLE.TEST", domain="EXAMPLE", hostname="dc",
    serverrole="active directory domain controller", dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, dns_backend="NONE",
    adminpass=sys.argv[2], skip_sysvolacl=True)
from samba.samdb import SamDB
db = SamDB(url=lp.private_path("sam.ldb"), session_info=system_session(), lp=lp)
where = "cn=%s," + str(db.get_schema_basedn())
number = "1.3.6.1.4.1.4203.666.11.98.%d"
for i, (name, syntax, om) in enumerate([("testExact", "2.5.5.3", 27), ("testText", "2.5.5.12", 64), ("testNote", "2.5.5.12", 64),
        ("testAge", "2.5.5.16", 65), ("testBorn", "2.5.5.11", 24), ("testFlag", "2.5.5.8", 1)]):
    db.add({"dn": where % name, "objectClass": ["top", "attributeSchema"], "attributeID": number % i, "attributeSyntax": syntax, "oMSyntax": str(om),
        "lDAPDisplayName": name, "isSingleValued": "TRUE", "searchFlags": "1"})
db.set_schema_update_now()
db.add({"dn": where % "testThing", "objectClass": ["top", "classSchema"], "governsID": number % 99, "subClassOf": "group", "objectClassCategory": "1",
    "lDAPDisplayName": "testThing", "rDNAttID": "cn", "possSuperiors": ["organizationalUnit"], "defaultObjectCategory": where % "testThing",
    "mayContain": ["testExact", "testText", "testNote", "testAge", "testBorn", "testFlag"]})
db.set_schema_update_now()
`

// sambaFolders are what its configuration names, each in a folder of this name.
var sambaFolders = map[string]string{"private dir": "private", "state directory": "state", "cache directory": "cache", "lock directory": "lock", "pid directory": "run",
	"ncalrpc dir": "ncalrpc", "winbindd socket directory": "winbindd", "ntp signd socket directory": "ntp", "binddns dir": "bind"}

func startSamba(s *server, bin, dir string, port int) error {
	if os.Getuid() != 0 {
		return fmt.Errorf("%w: only root can start it", errMissing)
	}
	conf := "[global]\nnetbios name = DC\nrealm = EXAMPLE.TEST\nworkgroup = EXAMPLE\nserver role = active directory domain controller\nserver services = ldap\n" +
		"ldap server require strong auth = no\ndsdb:schema update allowed = yes\nldb:nosync = yes\ntdb:nosync = yes\nbind interfaces only = yes\ninterfaces = " + sambaIP(port).String() + "/8\n" +
		"log file = " + dir + "/log\ntls keyfile = " + dir + "/server.key\ntls certfile = " + dir + "/server.pem\ntls cafile =\n"
	for option, name := range sambaFolders {
		conf += option + " = " + filepath.Join(dir, name) + "\n"
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	conf += "[sysvol]\npath = " + dir + "/sysvol\n[netlogon]\npath = " + dir + "/sysvol/example.test/scripts\n"
	file := filepath.Join(dir, "smb.conf")
	if err := errors.Join(os.WriteFile(file, []byte(conf), 0o644), certificate(dir, sambaIP(port)), os.Chmod(filepath.Join(dir, "server.key"), 0o600)); err != nil {
		return err
	}
	if err := sambaProvision(s, dir, file); err != nil {
		return err
	}
	if err := output(s.as(filepath.Join(bin, "samba"), "-D", "-s", file, "-M", "single")); err != nil {
		return err
	}
	for range 600 {
		if s.listens(port) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(dir, "log"))
	return errors.New("samba does not listen\n" + tail(said))
}

// sambaProvision makes the domain, unless it was made before.
func sambaProvision(s *server, dir, file string) error {
	made := filepath.Join(dir, "made")
	if _, err := os.Stat(made); err == nil {
		return nil
	}
	for _, name := range []string{"private", "state", "cache", "lock", "sysvol"} { // of an attempt that failed
		path := filepath.Join(dir, name)
		if err := errors.Join(os.RemoveAll(path), os.MkdirAll(path, 0o755)); err != nil {
			return err
		}
	}
	if err := output(s.as("/usr/bin/python3", "-c", strings.TrimSpace(sambaDomain), file, sambaPassword)); err != nil {
		return err
	}
	return os.WriteFile(made, nil, 0o644)
}
