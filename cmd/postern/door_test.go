package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate for 127.0.0.1 and its key, and answers a pool
// with it.
func (r *rig) certify() *x509.CertPool {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		r.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.t.Fatal(err)
	}
	write(r.t, r.path("server.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(r.t, r.path("server.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		r.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

func TestTLS(t *testing.T) {
	r := prepare(t, func(y string) string {
		return strings.Replace(y, "  admin:", "  tls: {certificate: server.pem, key: server.key}\n  admin:", 1)
	})
	pool := r.certify()
	r.serve()
	address := strings.TrimSuffix(strings.TrimPrefix(r.base, "http://"), "/scim/v2")
	get := func(min, max uint16) (*http.Response, error) {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: min, MaxVersion: max}, DisableKeepAlives: true}}
		req, err := http.NewRequest("GET", "https://"+address+"/scim/v2/Users?count=1", nil)
		if err != nil {
			r.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer quickstart")
		return c.Do(req)
	}
	r.run("T-01, J16 TLS 1.2 and 1.3", func() {
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			res, err := get(v, v)
			if err != nil {
				r.t.Fatal(err)
			}
			a, err := r.answered(res, "GET")
			if err != nil {
				r.t.Fatal(err)
			}
			a.want(200)
			if l := fmt.Sprint(a.at("Resources.0.meta.location")); !strings.HasPrefix(l, "https://"+address+"/scim/v2/Users/") { // H-14
				r.t.Errorf("meta.location is %s", l)
			}
		}
	})
	r.run("T-01 nothing older", func() {
		for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
			if res, err := get(tls.VersionTLS10, v); err == nil {
				res.Body.Close()
				r.t.Errorf("version %x is spoken", v)
			}
		}
	})
	r.run("plain HTTP to the same port", func() {
		res, err := http.Get("http://" + address + "/scim/v2/Users")
		if err != nil {
			return
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); res.StatusCode != 400 || strings.Contains(string(b), "Resources") {
			r.t.Errorf("%d %s", res.StatusCode, b)
		}
	})
}

// TestRefusesToStart tries configurations with which nobody may be served.
func TestRefusesToStart(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"plain HTTP for everybody":      {"listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080", "plain HTTP"},
		"plain HTTP on a real address":  {"listen: 127.0.0.1:8080", "listen: 192.0.2.1:8080", "plain HTTP"},
		"plain HTTP on all of IPv6":     {"listen: 127.0.0.1:8080", `listen: "[::]:8080"`, "plain HTTP"},
		"no token":                      {"{token: quickstart}", "{}", "no token"},
		"a certificate that is not one": {"  admin:", "  tls: {certificate: postern.yaml, key: postern.yaml}\n  admin:", ""},
		"no folder for identities":      {"sqlite:state/postern.db", "sqlite:legacy.sql/postern.db", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := prepare(t, func(y string) string {
				if !strings.Contains(y, c.from) {
					t.Fatalf("the quickstart has no %q", c.from)
				}
				return strings.Replace(y, c.from, c.to, 1)
			})
			var out bytes.Buffer
			m := &Main{Stdout: &out, Stderr: &out, Listening: func(string, string) { t.Error("it listens") }}
			ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
			defer stop()
			if status := m.Run(ctx, []string{"serve", "--config", r.path("postern.yaml")}); status == 0 || !strings.Contains(out.String(), c.says) {
				t.Errorf("status %d:\n%s", status, out.String())
			}
		})
	}
	t.Run("plain HTTP by the command line", func(t *testing.T) {
		r := prepare(t)
		var out bytes.Buffer
		m := &Main{Stdout: &out, Stderr: &out, Listening: func(string, string) { t.Error("it listens") }}
		for _, at := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
			if status := m.Run(context.Background(), []string{"serve", "--config", r.path("postern.yaml"), "--listen", at}); status == 0 {
				t.Errorf("--listen %s is served", at)
			}
		}
	})
}

func TestRestart(t *testing.T) {
	r := start(t)
	ada, staff := r.id("ada.lovelace"), r.groupID("Staff")
	r.do("POST", "/Users", user("restart", `,"externalId":"E"`)).want(201).keep(r, "u")
	r.do("POST", "/Users", user("gone", "")).want(201).keep(r, "gone")
	r.do("DELETE", "/Users/{gone}", "").want(204)
	r.stop()
	if _, err := http.Get(r.base); err == nil {
		t.Error("it answers after the stop")
	}
	r.serve()
	if r.id("ada.lovelace") != ada || r.groupID("Staff") != staff {
		t.Error("ids have changed")
	}
	r.get("/Users/{u}").want(200).is("userName", "restart").is("externalId", "E")
	r.get("/Users/{gone}").want(404)
	r.do("POST", "/Users", user("gone", "")).want(201)
	if r.id("gone") == r.vars["gone"] {
		t.Error("S-32: an id came back")
	}
}

// TestGracefulStop stops while a request waits for the database.
func TestGracefulStop(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	db := r.open("legacy.db")
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	type result struct {
		a   *answer
		err error
	}
	results := make(chan result, 2)
	go func() {
		a, err := r.send("PATCH", "/Users/"+ada, `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"in time"}]}`)
		results <- result{a, err}
	}()
	go func() {
		a, err := r.send("GET", "/Users/"+ada, "")
		results <- result{a, err}
	}()
	time.Sleep(200 * time.Millisecond) // both wait for the database now
	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }()
	time.Sleep(100 * time.Millisecond)
	select {
	case <-stopped:
		t.Error("it stopped before its requests had ended")
	default:
	}
	if _, err := net.DialTimeout("tcp", strings.TrimSuffix(strings.TrimPrefix(r.base, "http://"), "/scim/v2"), time.Second); err == nil {
		t.Error("new connections are taken during the stop")
	}
	if _, err := db.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := <-results; got.err != nil || got.a.status != 200 {
			t.Errorf("a request under way was not finished: %v %v", got.a, got.err)
		}
	}
	<-stopped
	r.holds("in time", "SELECT job_title FROM employee WHERE login = 'ada.lovelace'")
}

// TestExistingIDs: for such a client the key is the id. The keys here are not
// shifted, for the rig would take them for leaks.
func TestExistingIDs(t *testing.T) {
	yaml := strings.Replace(read(t, "../../examples/quickstart/postern.yaml"), "{token: quickstart}", "{token: quickstart, ids: existing}\n  hidden: {token: hidden-token}", 1)
	r := stage(t, yaml, read(t, "../../examples/quickstart/legacy.sql"))
	r.serve()
	r.run("the key is the id", func() {
		r.get("/Users/1001").want(200).is("id", "1001").is("userName", "ada.lovelace").is("meta.location", r.base+"/Users/1001").is("groups.0.value", "10")
		r.get("/Users/1002").is(enterpriseUser+".manager.value", "1001").is(enterpriseUser+".manager.$ref", r.base+"/Users/1001")
		r.get("/Groups/10").want(200).is("displayName", "Staff")
		r.get("/Users", "filter", `id eq "1001"`).is("totalResults", "1").is("Resources.0.userName", "ada.lovelace")
		r.get("/Users", "filter", `manager eq "1001" and id eq "1002"`).is("totalResults", "1")
	})
	r.run("and nothing else is", func() {
		for _, id := range []string{"01001", "1001.0", "+1001", " 1001", "1e3", "9999", "0", "-1", "ada.lovelace", "1001%00", "10"} {
			r.get("/Users/" + strings.ReplaceAll(strings.ReplaceAll(id, "+", "%2B"), " ", "%20")).want(404)
		}
	})
	r.run("built-in accounts have none", func() {
		for _, id := range []string{"1", "2"} {
			r.get("/Users/" + id).want(404)
			r.patch("/Users/"+id, `{"op":"replace","path":"title","value":"owned"}`).want(404)
			r.do("PUT", "/Users/"+id, user("root", "")).want(404)
			r.do("DELETE", "/Users/"+id, "").want(404)
			r.get("/Users", "filter", `id eq "`+id+`"`).is("totalResults", "0")
			r.patch("/Groups/20", `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`).want(400)
			r.patch("/Users/1001", `{"op":"add","path":"`+enterpriseUser+`:manager","value":"`+id+`"}`).want(400)
			r.patch("/Groups/10", `{"op":"remove","path":"members","value":[{"value":"`+id+`"}]}`)
		}
		r.holds("2", "SELECT count(*) FROM employee_role JOIN employee USING (emp_no) WHERE kind = 'builtin' AND role_id = 10")
	})
	r.run("create, change and delete", func() {
		r.do("POST", "/Users", user("exist", `,"externalId":"E"`)).want(201).keep(r, "u")
		r.holds(r.vars["u"], "SELECT emp_no FROM employee WHERE login = 'exist'")
		r.get("/Users", "filter", `externalId eq "E"`).is("totalResults", "1").is("Resources.0.id", r.vars["u"])
		r.patch("/Users/{u}", `{"op":"replace","path":"userName","value":"exist2"}`).want(200).is("id", r.vars["u"])
		r.patch("/Groups/20", `{"op":"add","path":"members","value":[{"value":"{u}"}]}`).want(200)
		r.get("/Users/{u}").is("groups.0.value", "20")
		r.do("DELETE", "/Users/{u}", "").want(204)
		r.get("/Users/{u}").want(404)
	})
	r.run("another client sees none of it", func() {
		r.token = "hidden-token"
		r.get("/Users/1001").want(404)
		id := r.id("ada.lovelace")
		if len(id) < 20 {
			r.t.Errorf("the id is %s", id)
		}
		r.get("/Users", "filter", `externalId eq "E"`).is("totalResults", "0")
		r.token = "quickstart"
		r.get("/Users/" + id).want(404)
	})
}

// TestTwoClients: the same people under different names (Y-05, Y-06, S-33).
func TestTwoClients(t *testing.T) {
	r := start(t, func(y string) string {
		return strings.Replace(y, "{token: quickstart}", "{token: quickstart}\n  other: {token: other-token}", 1)
	})
	as := func(token string, f func()) {
		r.token = token
		f()
		r.token = "quickstart"
	}
	mine := map[string]string{}
	for _, u := range r.get("/Users", "count", "1000").items("Resources") {
		mine[fmt.Sprint(u["userName"])] = fmt.Sprint(u["id"])
	}
	ids := map[string]bool{}
	for _, id := range mine {
		ids[id] = true
	}
	as("other-token", func() {
		a := r.get("/Users", "count", "1000")
		for _, u := range a.items("Resources") {
			if ids[fmt.Sprint(u["id"])] {
				r.t.Errorf("both know %v as %v", u["userName"], u["id"])
			}
		}
		for id := range ids {
			if strings.Contains(a.body, id) {
				r.t.Error("an id of another client stands in a list, as manager or member")
			}
		}
		r.get("/Users/" + mine["ada.lovelace"]).want(404)
		r.get("/Users", "filter", `id eq "`+mine["ada.lovelace"]+`"`).is("totalResults", "0")
		r.get("/Users", "filter", `manager eq "`+mine["ada.lovelace"]+`"`).is("totalResults", "0")
		r.get("/Groups", "filter", `members eq "`+mine["ada.lovelace"]+`"`).is("totalResults", "0")
		r.patch("/Groups/"+r.groupID("VPN"), `{"op":"add","path":"members","value":[{"value":"`+mine["alan.turing"]+`"}]}`).want(400)
		r.do("DELETE", "/Users/"+mine["ada.lovelace"], "").want(404)
	})
	r.run("one creates, changes and deletes, the other sees it", func() {
		r.do("POST", "/Users", user("both", `,"externalId":"mine"`)).want(201).keep(r, "u")
		as("other-token", func() {
			other := r.id("both")
			r.get("/Users/"+other).is("externalId", "")
			r.patch("/Users/"+other, `{"op":"add","value":{"externalId":"theirs","title":"T"}}`).want(200).is("externalId", "theirs")
		})
		r.get("/Users/{u}").is("externalId", "mine").is("title", "T")
		r.get("/Users", "filter", `externalId eq "theirs"`).is("totalResults", "0")
		as("other-token", func() { r.do("DELETE", "/Users/"+r.id("both"), "").want(204) })
		r.get("/Users/{u}").want(404)
		r.get("/Users", "filter", `externalId eq "mine"`).is("totalResults", "0")
	})
}
