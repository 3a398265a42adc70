package sql_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// A legacy application as in the quickstart: employees, roles, a join table.
const staffSchema = `
PRAGMA journal_mode = WAL;
CREATE TABLE employee (
	emp_no INTEGER PRIMARY KEY AUTOINCREMENT,
	login TEXT NOT NULL CHECK (login <> 'bad'),
	mail TEXT,
	age INTEGER CHECK (age IS NULL OR age BETWEEN 0 AND 200),
	phone TEXT NOT NULL DEFAULT '',
	boss_no INTEGER REFERENCES employee (emp_no),
	kind TEXT NOT NULL DEFAULT 'staff',
	changes INTEGER NOT NULL DEFAULT 0,
	loud TEXT AS (upper(login))
);
CREATE UNIQUE INDEX employee_login ON employee (login COLLATE NOCASE);
CREATE UNIQUE INDEX employee_mail ON employee (lower(mail));
CREATE TABLE role (role_id TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE);
CREATE TABLE employee_role (
	emp_no INTEGER NOT NULL REFERENCES employee (emp_no),
	role_id TEXT NOT NULL REFERENCES role (role_id),
	PRIMARY KEY (role_id, emp_no)
) WITHOUT ROWID;
CREATE INDEX employee_role_emp ON employee_role (emp_no);
CREATE TRIGGER employee_changed AFTER UPDATE OF login, mail, age ON employee BEGIN
	UPDATE employee SET changes = changes + 1 WHERE emp_no = new.emp_no;
END;
`

var staffFields = []string{"login", "mail", "age", "phone", "boss_no", "changes", "loud", "roles"}

type staff struct {
	db           *sql.Database
	path         string
	users, roles *sql.Adapter

	mu   sync.Mutex
	sent []string
	hook func(statement string)
}

// newStaff has n employees, and roles "r1" to "r3", each with all of them. The
// employee 1 is built in and so is out of scope.
func newStaff(t testing.TB, n int) *staff {
	t.Helper()
	fill := fmt.Sprintf(`
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO employee (emp_no, login, mail, age, kind)
SELECT i, 'user' || i, 'user' || i || '@example.com', i %% 100, iif(i = 1, 'builtin', 'staff') FROM n;
INSERT INTO role VALUES ('r1', 'Everybody'), ('r2', 'Readers'), ('r3', 'Writers');
INSERT INTO employee_role SELECT emp_no, role_id FROM employee, role;`, n)
	s := &staff{path: fileOf(t)}
	s.db = open(t, staffSchema+fill, func(c *sql.Config) {
		c.DSN = "sqlite:" + s.path
		c.Trace = s.trace
	})
	visible := &filter.Compare{Name: "kind", Match: filter.Exact, Op: filter.Ne, Value: filter.StringValue("builtin")}
	s.users = table(t, s.db, sql.Table{Name: "employee", Key: []string{"emp_no"}, Where: visible,
		Relations: []sql.Relation{{Field: "roles", Table: "employee_role", Owner: "emp_no", Member: "role_id"}}}, staffFields...)
	s.roles = table(t, s.db, sql.Table{Name: "role", Key: []string{"role_id"}, Generated: ptr(false),
		Relations: []sql.Relation{{Field: "members", Table: "employee_role", Owner: "role_id", Member: "emp_no",
			Refers: &sql.Target{Table: "employee", Key: "emp_no", Where: visible}}}}, "title", "members")
	for _, a := range []*sql.Adapter{s.users, s.roles} {
		if err := a.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.statements()
	return s
}

func (s *staff) trace(statement string) {
	s.mu.Lock()
	s.sent = append(s.sent, statement)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(statement)
	}
}

// statements answers what was sent since the last call.
func (s *staff) statements() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func eq(field, value string, m filter.Match) filter.Expr {
	return &filter.Compare{Name: field, Match: m, Op: filter.Eq, Value: filter.StringValue(value)}
}

func record(a *sql.Adapter, key adapters.Key, v map[string]any) adapters.Record {
	return adapters.FromMap(a.Capabilities().Shape, key, v)
}

// TestStatements: what each operation costs.
func TestStatements(t *testing.T) {
	s := newStaff(t, 300)
	all := adapters.AllFields
	plain := s.users.Capabilities().Shape.FieldSet("login", "mail")
	for _, c := range []struct {
		what string
		want int
		run  func() error
	}{
		{"get", 1, func() error { _, err := s.users.Get(ctx, "7", plain); return err }},
		{"get with roles", 1, func() error { _, err := s.users.Get(ctx, "7", all); return err }},
		{"page of 100 with total and roles", 1, func() error {
			p, err := s.users.List(ctx, adapters.Query{Limit: 100, Total: true, Want: all})
			if len(p.Records) != 100 || p.Total != 299 || len(p.Records[99].Get("roles").([]string)) != 3 {
				t.Errorf("%d of %d records, last %v", len(p.Records), p.Total, p.Records[99].Values())
			}
			return err
		}},
		{"page without roles", 1, func() error {
			_, err := s.users.List(ctx, adapters.Query{Limit: 100, Total: true, Want: plain})
			return err
		}},
		{"look-up", 1, func() error {
			_, err := s.users.List(ctx, adapters.Query{Limit: 2, Total: true, Want: plain, Filter: eq("login", "USER7", filter.Folded)})
			return err
		}},
		{"look-up of nobody", 1, func() error {
			_, err := s.users.List(ctx, adapters.Query{Limit: 2, Total: true, Want: plain, Filter: eq("login", "nobody", filter.Folded)})
			return err
		}},
		{"count only", 1, func() error {
			p, err := s.users.List(ctx, adapters.Query{Total: true})
			if p.Total != 299 {
				t.Errorf("total %d", p.Total)
			}
			return err
		}},
		{"page behind the end", 2, func() error {
			p, err := s.users.List(ctx, adapters.Query{Limit: 10, Offset: 1000, Total: true})
			if p.Total != 299 || len(p.Records) != 0 {
				t.Errorf("%d of %d records", len(p.Records), p.Total)
			}
			return err
		}},
		{"update of a column", 2, func() error {
			_, err := s.users.Update(ctx, "7", adapters.Delta{Set: []adapters.Change{{Field: "age", Old: int64(7), New: int64(8)}}}, plain)
			return err
		}},
	} {
		s.statements()
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if sent := s.statements(); len(sent) != c.want {
			t.Errorf("%s: %d statements, want %d:\n%s", c.what, len(sent), c.want, strings.Join(sent, "\n"))
		}
	}
}

// TestPlans: look-ups use the indexes that legacy applications have.
func TestPlans(t *testing.T) {
	s := newStaff(t, 10)
	var many filter.Or
	for i := range 50 {
		many = append(many, eq(adapters.KeyField, fmt.Sprint(i), filter.Exact))
	}
	for _, c := range []struct {
		a     *sql.Adapter
		e     filter.Expr
		index string
	}{
		{s.users, eq("login", "bjorn", filter.Folded), "employee_login"},
		{s.users, eq("login", "kate.sisko", filter.Folded), "employee_login"},
		{s.users, eq("login", "klaus.kessler@sparkasse-kassel.example", filter.Folded), "x USING COVERING INDEX employee_login"},
		{s.users, eq("login", "василиса", filter.Folded), "x USING COVERING INDEX employee_login"},
		{s.users, eq("login", "user1", filter.Exact), "employee_login"},
		{s.users, &filter.Compare{Name: "login", Match: filter.Folded, Op: filter.Sw, Value: filter.StringValue("bjorn")}, "employee_login"},
		{s.users, eq(adapters.KeyField, "7", filter.Exact), "INTEGER PRIMARY KEY"},
		{s.users, many, "INTEGER PRIMARY KEY"},
		{s.users, filter.Or{eq("login", "kate", filter.Folded), eq("login", "klaus.kessler@sparkasse-kassel.example", filter.Folded),
			eq("roles", "r1", filter.Exact), eq(adapters.KeyField, "3", filter.Exact)}, "employee_login"},
		{s.users, eq("roles", "r1", filter.Exact), "sqlite_autoindex_employee_role_1\nSEARCH|PRIMARY KEY"},
		{s.roles, eq(adapters.KeyField, "r1", filter.Exact), "sqlite_autoindex_role_1"},
		{s.roles, eq("members", "7", filter.Exact), "employee_role_emp"},
		{s.roles, filter.And{eq(adapters.KeyField, "r1", filter.Exact), eq("members", "7", filter.Exact)}, "sqlite_autoindex_role_1"},
	} {
		s.statements()
		if _, err := c.a.List(ctx, adapters.Query{Limit: 2, Total: true, Filter: c.e}); err != nil {
			t.Fatal(err)
		}
		plan, err := s.db.Explain(ctx, s.statements()[0])
		if err != nil {
			t.Fatal(err)
		}
		uses := slices.ContainsFunc(strings.Split(c.index, "|"), func(i string) bool { return strings.Contains(plan, i) })
		if !uses || strings.Contains(plan, "SCAN t") {
			t.Errorf("%v: no use of %s:\n%s", c.e, c.index, plan)
		}
	}
}

// TestLargeGroup (P-64): adding and removing a member reads none of the others.
func TestLargeGroup(t *testing.T) {
	s := newStaff(t, 100_000)
	if _, err := s.users.Create(ctx, record(s.users, "", map[string]any{"login": "late"}), adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	s.statements()
	title := s.roles.Capabilities().Shape.FieldSet("title")
	change := adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"100001", "5"}, Remove: []string{"4", "no number"}}}}
	r, err := s.roles.Update(ctx, "r1", change, title)
	if err != nil {
		t.Fatal(err)
	}
	if r.Get("title") != "Everybody" || r.Get("members") != nil {
		t.Errorf("the answer holds %v", r.Values())
	}
	for _, statement := range s.statements() {
		plan, err := s.db.Explain(ctx, statement)
		if err != nil && !strings.Contains(err.Error(), "readonly") {
			t.Fatal(err)
		}
		if strings.Contains(plan, "SCAN j") || strings.Contains(plan, "SCAN m") || strings.Contains(plan, "SCAN t") {
			t.Errorf("%s:\n%s", statement, plan)
		}
		if strings.HasPrefix(statement, "SELECT") && strings.Contains(statement, "employee_role") {
			t.Errorf("members are read: %s", statement)
		}
	}
	s.holdsMembers(t, "r1", "100001", true)
	s.holdsMembers(t, "r1", "5", true)
	s.holdsMembers(t, "r1", "4", false)
	s.holdsMembers(t, "r2", "4", true)
}

// holdsMembers asks whether a role has a member, without reading the others.
func (s *staff) holdsMembers(t *testing.T, role, member string, want bool) {
	t.Helper()
	e := filter.And{eq(adapters.KeyField, role, filter.Exact), eq("members", member, filter.Exact)}
	p, err := s.roles.List(ctx, adapters.Query{Limit: 1, Filter: e})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Records) == 1; got != want {
		t.Errorf("%s has the member %s: %v", role, member, got)
	}
}
