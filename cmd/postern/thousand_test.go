package main

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/internal/testdb"
)

// manyMany is how many tenants there are.
const manyMany = 1000

// TestThousandTenants: Y-01: a thousand tenants, added at run time, over one
// application: what differs between them is in their rules, so all share the
// connections of one backend; those of two databases share the connections of two.
func TestThousandTenants(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		r := crowded(t, "sqlite:state/${param:database}.db")
		thousand(t, r, func() int { return openFiles(r.path("state/one.db")) + openFiles(r.path("state/two.db")) })
		if n := openFiles(r.path("state/two.db")); n == 0 {
			t.Error("nobody was in the second database")
		}
	})
	t.Run("postgres", func(t *testing.T) {
		dsn, admin := emptySchema(t)
		r := crowded(t, dsn)
		thousand(t, r, func() int {
			var n int
			if err := admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'thousand'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		})
	})
}

// emptySchema is a schema of the test's own, and a dsn whose connections can be told
// from others.
func emptySchema(t *testing.T) (dsn string, admin *stdsql.DB) {
	t.Helper()
	server := testdb.Postgres(t)
	admin, err := stdsql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("thousand_%d", testdb.Unique())
	create := "CREATE SCHEMA " + name + " CREATE TABLE person (" + fmt.Sprintf(personColumns, "BIGINT GENERATED ALWAYS AS IDENTITY") + ")"
	if _, err := admin.Exec(create); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = admin.Exec("DROP SCHEMA " + name + " CASCADE")
		_ = admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	q.Set("application_name", "thousand")
	u.RawQuery = q.Encode()
	return u.String(), admin
}

// personColumns are those of a table that holds the people of all tenants.
const personColumns = "no %s PRIMARY KEY, company TEXT NOT NULL, login TEXT NOT NULL, shown TEXT, UNIQUE (company, login)"

// crowded is a rig whose mapping table has a thousand tenants. Nothing is started.
func crowded(t *testing.T, dsn string) *rig {
	t.Helper()
	yaml := `gateway: {listen: 127.0.0.1:8080, log: {level: warn}}
identities: sqlite:state/postern.db
tenants: {}
params: {database: one}
backends: {crm: {type: sql, dsn: "` + dsn + `", init: legacy.sql}}
resources:
  User:
    target: {backend: crm, table: person, key: no, generated: true, scope: record.company == params.company, constants: {company: "${param:company}"}}
    attributes: {userName: login, displayName: shown}
`
	if strings.HasPrefix(dsn, "postgres") {
		yaml = strings.NewReplacer(", init: legacy.sql", "", "params: {database: one}\n", "").Replace(yaml)
	}
	r := staged(t, yaml, "CREATE TABLE IF NOT EXISTS person ("+fmt.Sprintf(personColumns, "INTEGER")+");\n")
	if err := os.Mkdir(r.path("state"), 0o700); err != nil {
		t.Fatal(err)
	}
	ids, err := identity.Open(t.Context(), "sqlite:"+r.path("state/postern.db"), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range manyMany {
		said := identity.TenantSettings{Params: map[string]string{"company": fmt.Sprintf("company-%d", n)},
			Clients: map[string]identity.TenantClient{"entra": {Tokens: []identity.TenantToken{{Hash: auth.HashToken(tokenOf(n))}}}}}
		if n%2 == 1 && strings.Contains(dsn, "${param:database}") {
			said.Params["database"] = "two"
		}
		if _, err := ids.AddTenant(context.Background(), fmt.Sprintf("tenant-%d", n), said, identity.Reason{Who: "test", Why: "many"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ids.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

func tokenOf(n int) string { return fmt.Sprintf("token-of-%d", n) }

// thousand sends requests for all of them; connections counts what is open to
// backends.
func thousand(t *testing.T, r *rig, connections func() int) {
	files := func() int { all, _ := os.ReadDir("/proc/self/fd"); return len(all) }
	before, memory := files(), alive()
	began := time.Now()
	r.serve()
	t.Logf("%d tenants: started after %v, with %d open files more, %d MiB", manyMany, time.Since(began).Round(time.Millisecond), files()-before, (alive()-memory)>>20)
	one := r.with(tokenOf(0))
	if a := one.do("POST", "/Users", aUser("the.same.name")); a.status != 201 {
		t.Fatalf("%d %s\n%s", a.status, a.body, r.log.take())
	}
	began = time.Now()
	var most atomic.Int64
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := 1 + worker; n < manyMany; n += 8 {
				everyOne(t, r, n)
				if n%50 == 1 {
					most.Store(max(most.Load(), int64(connections())))
				}
			}
		})
	}
	wg.Wait()
	now := connections()
	t.Logf("two requests for each: %v, with %d open files more, %d MiB, %d connections to backends (at most %d)",
		time.Since(began).Round(time.Millisecond), files()-before, (alive()-memory)>>20, now, most.Load())
	// Two pools with their usual bounds, and three files for each connection.
	if bound := int64(3 * 2 * 20); most.Load() > bound || int64(now) > bound || most.Load() == 0 {
		t.Errorf("%d connections: a thousand tenants do not share them", max(most.Load(), int64(now)))
	}
	if n := files() - before; n > 400 {
		t.Errorf("%d files are open", n)
	}
	one.do("GET", "/Users", "").want(200).is("totalResults", "1")
}

// everyOne is one tenant's work: the name that all of them use is free for it.
func everyOne(t *testing.T, r *rig, n int) {
	for _, c := range [][3]string{{"POST", "/Users", aUser("the.same.name")}, {"GET", "/Users", ""}} {
		a := sendPlain(t, r, tokenOf(n), c[0], c[1], c[2])
		if a.status >= 300 || c[0] == "GET" && a.at("totalResults") != 1.0 {
			t.Errorf("tenant %d: %s: %d %s", n, c[0], a.status, a.body)
		}
	}
}

// sendPlain may be used by many at once.
func sendPlain(t *testing.T, r *rig, token, method, path, body string) *answer {
	mine := rig{t: t, base: r.base, token: token, private: true}
	a, err := mine.send(method, path, body)
	if err != nil {
		t.Error(err)
		return &answer{}
	}
	return a
}

// openFiles counts this process's descriptors of a database file, and of what SQLite
// keeps beside it.
func openFiles(path string) (n int) {
	all, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range all {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, path) {
			n++
		}
	}
	return n
}

// alive is how much memory is in use.
func alive() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
