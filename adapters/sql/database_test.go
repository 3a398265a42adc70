package sql_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// TestDown: a database that is not there is Unavailable until it is.
func TestDown(t *testing.T) {
	path := fileOf(t)
	db := open(t, "", func(c *sql.Config) { c.DSN = "sqlite:" + path })
	a := table(t, db, sql.Table{Name: "person", Key: []string{"id"}}, "name")
	want := func(when string) {
		t.Helper()
		_, errGet := a.Get(ctx, "1", adapters.AllFields)
		_, errList := a.List(ctx, adapters.Query{Limit: 1})
		_, errCreate := a.Create(ctx, record(a, "", map[string]any{"name": "x"}), adapters.AllFields)
		for _, err := range []error{errGet, errList, errCreate, a.Delete(ctx, "1"), a.Probe(ctx)} {
			var e *adapters.Error
			if !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	want("no file")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made")
	}
	raw := rawDB(t, path)
	exec := func(statement string) {
		t.Helper()
		if _, err := raw.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE other (id INTEGER PRIMARY KEY)")
	want("no table")
	exec("CREATE TABLE person (id INTEGER PRIMARY KEY, nom TEXT)")
	want("no column")
	exec("ALTER TABLE person RENAME COLUMN nom TO name")
	if _, err := a.Create(ctx, record(a, "", map[string]any{"name": "x"}), adapters.AllFields); err != nil {
		t.Errorf("when all is there: %v", err)
	}
	exec("ALTER TABLE person RENAME COLUMN name TO nom")
	want("column gone")
	exec("ALTER TABLE person RENAME COLUMN nom TO name")
	if r, err := a.Get(ctx, "1", adapters.AllFields); err != nil || r.Get("name") != "x" {
		t.Errorf("back again: %v", err)
	}
	readOnly := open(t, "", func(c *sql.Config) { c.DSN = "sqlite:" + path + "?mode=ro" })
	b := table(t, readOnly, sql.Table{Name: "person", Key: []string{"id"}}, "name")
	if _, err := b.Create(ctx, record(b, "", nil), adapters.AllFields); !adapters.Is(err, adapters.Denied) || !b.Capabilities().NoCreate {
		t.Errorf("create in a database that is only read: %v", err)
	}
	if _, err := b.Get(ctx, "1", adapters.AllFields); err != nil {
		t.Error(err)
	}
	found, err := b.Inspect(ctx)
	if err != nil || !slices.ContainsFunc(found, func(p sql.Problem) bool { return p.Text == "the database is opened to be read only" }) {
		t.Errorf("inspection finds %v, %v", found, err)
	}
}

// TestInit: the script runs once, whole or not at all, and never on a database that is there.
func TestInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "a b#c%20?.db")
	path = strings.ReplaceAll(path, "?", "") // which begins the options
	const script = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO person VALUES (1, 'a;b')"
	broken := open(t, script+"; INSERT INTO nothing VALUES (1)", func(c *sql.Config) { c.DSN = "sqlite:" + path })
	if err := broken.Ping(ctx); err == nil {
		t.Error("a broken script succeeds")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 0 {
		t.Errorf("a broken script leaves %v, %v", left, err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db := open(t, script, func(c *sql.Config) { c.DSN = "sqlite:" + path })
			a := table(t, db, sql.Table{Name: "person", Key: []string{"id"}}, "name")
			if _, err := a.Create(ctx, record(a, "", map[string]any{"name": "x"}), adapters.AllFields); err != nil {
				t.Error(err)
			}
			if p, err := a.List(ctx, adapters.Query{Limit: 9, Filter: eq("name", "a;b", filter.Exact)}); err != nil || len(p.Records) != 1 {
				t.Errorf("%d, %v", len(p.Records), err)
			}
		})
	}
	wg.Wait()
}

// TestInspect: what check --online says.
func TestInspect(t *testing.T) {
	db := open(t, `CREATE TABLE employee (emp_no INTEGER PRIMARY KEY, login TEXT, mail TEXT);
CREATE TABLE log (code TEXT, text TEXT);
CREATE TABLE employee_role (emp_no INTEGER, role_no INTEGER);
CREATE TABLE shout (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, loud TEXT AS (upper(text)));`)
	for _, c := range []struct {
		spec   sql.Table
		fields []string
		want   []string
	}{
		{sql.Table{Name: "employe", Key: []string{"emp_no"}}, nil, []string{`employe: there is no such table; did you mean "employee"?`}},
		{sql.Table{Name: "employee", Key: []string{"emp_nr"}, Relations: []sql.Relation{{Field: "roles", Table: "employee_role", Owner: "emp_no", Member: "role_id"}}},
			[]string{"Login", "email", "roles"}, []string{
				`employee.email: there is no such column; did you mean "mail"?`,
				`employee.emp_nr: there is no such column; did you mean "emp_no"?`,
				`employee.Login: no index begins with this column, and it is looked up by value`,
				`employee_role.emp_no: no index begins with this column, and members are looked up by it`,
				`employee_role.role_id: there is no such column; did you mean "role_no"?`,
			}},
		{sql.Table{Name: "log", Key: []string{"code"}}, []string{"text"}, []string{
			`log.code: the key is not unique: no unique index is on its columns`,
			`log.code: the database makes no keys for this column; say generated: false, or map an attribute to it`,
		}},
		{sql.Table{Name: "shout", Key: []string{"id"}}, []string{"text", "Loud"}, []string{
			`shout.Loud: the database computes this column, and refuses what clients write there; say mutability: readOnly`}},
		{sql.Table{Name: "employee", Key: []string{"emp_no"}}, []string{"mail"}, []string{
			`employee.emp_no: the key of a deleted row may be given to a new one: the column is not AUTOINCREMENT`}},
	} {
		found, err := table(t, db, c.spec, c.fields...).Inspect(ctx, "login")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range found {
			got = append(got, p.String())
		}
		for i := range c.want {
			c.want[i] = strings.ReplaceAll(c.want[i], "employee.Login", "employee.login")
		}
		if c.spec.Name == "employee" && len(c.fields) == 1 {
			c.want = append(c.want, "employee.login: no index begins with this column, and it is looked up by value")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.spec.Name, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
	if _, err := table(t, open(t, "", func(c *sql.Config) { c.DSN = "sqlite:" + fileOf(t) }), sql.Table{Name: "x", Key: []string{"y"}}).Inspect(ctx); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("a database that is down: %v", err)
	}
}

// TestOpen: what a dsn may be.
func TestOpen(t *testing.T) {
	for dsn, ok := range map[string]bool{
		"sqlite:a.db": true, "sqlite:/x/a.db?foreign_keys=off": true, "sqlite:a.db?mode=ro&synchronous=full": true,
		"": false, "a.db": false, "oracle:x": false, "sqlite:": false, "sqlite::memory:": false, "sqlite:a.db?vfs=x": false,
		"sqlite:a.db?mode=memory": false, "sqlite:a.db?foreign_keys=%zz": false, "sqlite:a\x00.db": false,
	} {
		db, err := sql.Open(sql.Config{DSN: dsn})
		if (err == nil) != ok {
			t.Errorf("%q: %v", dsn, err)
		}
		if db != nil {
			db.Close()
		}
	}
}
