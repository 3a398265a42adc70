package ldap_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/internal/testdb"
)

var ctx = context.Background()

// A tree is a part of the server's tree that a test has for itself.
type tree struct {
	t      testing.TB
	server testdb.Directory
	base   string // its top, full
	admin  *goldap.Conn
}

var (
	counting sync.Mutex
	counted  int
)

// plant makes a tree of OpenLDAP's, which goes with the test.
func plant(t testing.TB) *tree { return plantIn(t, testdb.Slapd(t)) }

func plantIn(t testing.TB, server testdb.Directory) *tree {
	t.Helper()
	c, err := goldap.DialURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(server.BindDN, server.Password); err != nil {
		t.Fatal(err)
	}
	counting.Lock()
	counted++
	base := fmt.Sprintf("ou=t%d-%d,%s", testdb.Unique(), counted, server.Base)
	counting.Unlock()
	tr := &tree{t: t, server: server, base: base, admin: c}
	tr.add(base, "objectClass: organizationalUnit")
	t.Cleanup(func() {
		tr.fell()
		_ = c.Close()
	})
	return tr
}

// add makes an entry of lines as in LDIF.
func (tr *tree) add(dn string, lines ...string) {
	tr.t.Helper()
	r := goldap.NewAddRequest(dn, nil)
	values := map[string][]string{}
	var names []string
	for _, l := range lines {
		name, v, _ := strings.Cut(l, ": ")
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], v)
	}
	for _, n := range names {
		r.Attribute(n, values[n])
	}
	if err := tr.admin.Add(r); err != nil {
		tr.t.Fatalf("%s: %v", dn, err)
	}
}

// search lists entries of the tree.
func (tr *tree) search(filter string, attributes ...string) []*goldap.Entry {
	tr.t.Helper()
	res, err := tr.admin.Search(goldap.NewSearchRequest(tr.base, goldap.ScopeWholeSubtree, 0, 0, 0, false, filter, attributes, nil))
	if err != nil {
		tr.t.Fatal(err)
	}
	return res.Entries
}

// fell removes everything, the deepest first.
func (tr *tree) fell() {
	res, err := tr.admin.Search(goldap.NewSearchRequest(tr.base, goldap.ScopeWholeSubtree, 0, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	if err != nil {
		tr.t.Error(err)
		return
	}
	slices.SortStableFunc(res.Entries, func(a, b *goldap.Entry) int { return depth(b) - depth(a) })
	for _, e := range res.Entries {
		if err := tr.admin.Del(goldap.NewDelRequest(e.DN, nil)); err != nil {
			tr.t.Error(err)
		}
	}
}

func depth(e *goldap.Entry) int {
	dn, err := goldap.ParseDN(e.DN)
	if err != nil {
		return 0
	}
	return len(dn.RDNs)
}

// open opens the tree as the adapter's directory.
func (tr *tree) open(options ...func(*ldap.Config)) *ldap.Directory {
	tr.t.Helper()
	cfg := ldap.Config{URL: tr.server.URL, BindDN: tr.server.BindDN, Password: tr.server.Password, Base: tr.base}
	for _, o := range options {
		o(&cfg)
	}
	d, err := ldap.Open(cfg)
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { _ = d.Close() })
	return d
}

func branch(t testing.TB, d *ldap.Directory, target ldap.Target, fields ...string) *ldap.Adapter {
	t.Helper()
	a, err := d.Branch(target, adapters.NewShape(fields...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (tr *tree) remove(dn string) {
	tr.t.Helper()
	if err := tr.admin.Del(goldap.NewDelRequest(dn, nil)); err != nil {
		tr.t.Fatal(err)
	}
}
