package ldap_test

import (
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
)

// TestConnections: TLS in both ways, with a private authority and without; credentials.
func TestConnections(t *testing.T) {
	tr := plant(t)
	if tr.server.CA == "" {
		t.Skip("the server of the environment has a certificate of its own")
	}
	for name, c := range map[string]struct {
		change func(*ldap.Config)
		want   error
		kind   adapters.Kind
	}{
		"ldaps":               {change: func(c *ldap.Config) { c.URL, c.TLS.CA = tr.server.TLS, tr.server.CA }},
		"startTLS":            {change: func(c *ldap.Config) { c.StartTLS, c.TLS.CA = true, tr.server.CA }},
		"unknown authority":   {func(c *ldap.Config) { c.URL = tr.server.TLS }, errAny, adapters.Unavailable},
		"startTLS, unknown":   {func(c *ldap.Config) { c.StartTLS = true }, errAny, adapters.Unavailable},
		"wrong password":      {func(c *ldap.Config) { c.Password = "wrong" }, errAny, adapters.Denied},
		"nobody":              {func(c *ldap.Config) { c.BindDN = "cn=nobody," + tr.server.Base }, errAny, adapters.Denied},
		"no password":         {func(c *ldap.Config) { c.Password = "" }, errAny, adapters.Internal},
		"a base that is none": {func(c *ldap.Config) { c.Base = "ou=nowhere," + tr.server.Base }, errAny, adapters.Unavailable},
		"another server":      {func(c *ldap.Config) { c.URL = "ldap://127.0.0.1:1" }, errAny, adapters.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			err := tr.open(c.change).Ping(ctx)
			if c.want == nil && err != nil {
				t.Error(err)
			}
			if c.want != nil {
				wantKind(t, name, err, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
	for name, cfg := range map[string]ldap.Config{
		"http":                   {URL: "http://x"},
		"no host":                {URL: "ldap://"},
		"twice":                  {URL: "ldaps://x", StartTLS: true},
		"no such file":           {URL: "ldaps://x", TLS: ldap.TLS{CA: "/nowhere"}},
		"no certificate":         {URL: "ldaps://x", TLS: ldap.TLS{CA: "connect_test.go"}},
		"no certificate to show": {URL: "ldaps://x", TLS: ldap.TLS{Cert: "connect_test.go", Key: "connect_test.go"}},
	} {
		if _, err := ldap.Open(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

var errAny = goldap.NewError(0, nil)

// TestPasswords: in every way, whoever knows the password can log in and nobody reads it.
func TestPasswords(t *testing.T) {
	for _, way := range []ldap.Passwords{ldap.Extended, ldap.SSHA, ldap.Plain} {
		t.Run(string(way), func(t *testing.T) {
			s := employ(t, func(c *ldap.Config) { c.Passwords = way })
			r := s.make(s.people, map[string]any{"uid": "ada", "cn": "A", "sn": "L", "userPassword": "first"})
			opens := func(password string) bool {
				c, err := goldap.DialURL(s.server.URL)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				return c.Bind("uid=ada,ou=people,"+s.base, password) == nil
			}
			if !opens("first") || opens("second") || r.Get("userPassword") != nil {
				t.Errorf("created: %v", r.Get("userPassword"))
			}
			if _, err := s.set(s.people, r, map[string]any{"userPassword": "second", "title": "x"}); err != nil || opens("first") || !opens("second") {
				t.Errorf("changed: %v", err)
			}
			if _, err := s.set(s.people, r, map[string]any{"userPassword": nil}); err != nil || opens("second") {
				t.Errorf("taken away: %v", err)
			}
		})
	}
}

// TestInspect: what of a configuration does not fit the directory.
func TestInspect(t *testing.T) {
	s := employ(t)
	a := branch(t, s.d, ldap.Target{Entries: ldap.Entries{Base: "ou=peopel", Classes: []string{"inetOrgPersn"}, Key: "entryUID"}, Auxiliary: []string{"posixAccount"},
		Container: "ou=new", RDN: "uid", Lists: []string{"displayName"}}, "uid", "surnam", "createTimestamp", "displayName")
	problems, err := a.Inspect(ctx, []string{"uid", "createTimestamp"}, []string{"uid"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range problems {
		all = append(all, strings.Join([]string{p.Key, p.Name, p.Near}, " ")+" "+map[bool]string{true: "warning"}[p.Warning])
	}
	wants(t, "problems", all, []string{"base   ", "container   ", "classes inetOrgPersn inetOrgPerson ", "key entryUID entryUUID ", "attributes surnam surname ",
		"attributes createTimestamp  ", "attributes displayName  warning", "classes   warning"})
	if problems, err = s.people.Inspect(ctx, []string{"uid", "cn", "sn", "mail", "manager"}, []string{"uid", "cn", "sn"}); err != nil || len(problems) > 0 {
		t.Errorf("where all fits: %+v, %v", problems, err)
	}
}

// TestRefusedTLS: nothing is sent without TLS to a server that does not begin it, and
// the error says why.
func TestRefusedTLS(t *testing.T) {
	f := pretend(t, func(*fake, ber.Tag, request) []*ber.Packet {
		return []*ber.Packet{result(goldap.ApplicationExtendedResponse, goldap.LDAPResultProtocolError)}
	})
	a := f.people([]string{"uid"}, func(c *ldap.Config) { c.StartTLS = true })
	_, err := a.Get(ctx, "bob", adapters.AllFields)
	wantKind(t, "get", err, adapters.Denied)
	if err == nil || !strings.Contains(err.Error(), "startTLS") {
		t.Errorf("the error does not say why: %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) != 1 {
		t.Errorf("the server saw %q", f.seen)
	}
}
