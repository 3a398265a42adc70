package sql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

const myStaff = `
CREATE TABLE employee (
	emp_no int unsigned AUTO_INCREMENT PRIMARY KEY,
	login varchar(60) NOT NULL CHECK (login <> 'bad'), mail varchar(100), age smallint CHECK (age BETWEEN 0 AND 200),
	boss_no int unsigned, loud varchar(60) GENERATED ALWAYS AS (upper(login)) STORED, pay decimal(8, 2), kind enum('staff', 'guest') NOT NULL DEFAULT 'staff',
	short char(5) CHARACTER SET latin1, seen timestamp NOT NULL DEFAULT current_timestamp, born date, hired datetime,
	UNIQUE KEY employee_login (login), UNIQUE KEY employee_mail (mail), CONSTRAINT boss FOREIGN KEY (boss_no) REFERENCES employee (emp_no)
) COLLATE utf8mb4_unicode_ci;
CREATE TABLE role (role_id varchar(20) PRIMARY KEY, title varchar(60) NOT NULL UNIQUE);
CREATE TABLE employee_role (
	emp_no int unsigned NOT NULL REFERENCES employee (emp_no), role_id varchar(20) NOT NULL REFERENCES role (role_id),
	PRIMARY KEY (role_id, emp_no), INDEX employee_role_emp (emp_no)
);
INSERT INTO employee (emp_no, login, mail, age) SELECT seq, CONCAT('user', seq), CONCAT('user', seq, '@example.com'), seq % 100 FROM seq_1_to_500;
INSERT INTO role VALUES ('r1', 'Everybody'), ('r2', 'Readers');
INSERT INTO employee_role SELECT emp_no, 'r1' FROM employee;
ANALYZE TABLE employee, role, employee_role;
`

func myStaffTables(t testing.TB, dsn string, options ...func(*sql.Config)) (users, roles *sql.Adapter) {
	t.Helper()
	db := open(t, "", append([]func(*sql.Config){func(c *sql.Config) { c.DSN = dsn }}, options...)...)
	users = table(t, db, sql.Table{Name: "employee", Key: []string{"emp_no"},
		Relations: []sql.Relation{{Field: "roles", Table: "employee_role", Owner: "emp_no", Member: "role_id"}}},
		"login", "mail", "age", "boss_no", "loud", "pay", "kind", "short", "seen", "born", "hired", "roles")
	roles = table(t, db, sql.Table{Name: "role", Key: []string{"role_id"}, Generated: ptr(false),
		Relations: []sql.Relation{{Field: "members", Table: "employee_role", Owner: "role_id", Member: "emp_no",
			Refers: &sql.Target{Table: "employee", Key: "emp_no"}}}}, "title", "members")
	return users, roles
}

// TestMariaFailures (E-06): the kind of each failure, and the field to blame. What the database
// would cut off, round or take for something else is refused.
func TestMariaFailures(t *testing.T) {
	users, roles := myStaffTables(t, myDatabase(t, myStaff))
	create := func(v map[string]any) error {
		_, err := users.Create(ctx, record(users, "", v), adapters.AllFields)
		return err
	}
	update := func(key adapters.Key, d adapters.Delta) error {
		_, err := users.Update(ctx, key, d, adapters.AllFields)
		return err
	}
	set := func(field string, v any) error { return create(map[string]any{"login": "new", field: v}) }
	member := func(add string) error {
		_, err := roles.Update(ctx, "r1", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{add}}}}, adapters.Fields{})
		return err
	}
	for _, c := range []struct {
		what  string
		err   error
		kind  adapters.Kind
		field string
	}{
		{"unique, by the collation", create(map[string]any{"login": "ÜSER7"}), adapters.Exists, "login"},
		{"unique", create(map[string]any{"login": "new", "mail": "user7@example.com"}), adapters.Exists, "mail"},
		{"unique, a value like the message", errors.Join(create(map[string]any{"login": "first", "mail": "x' for key 'employee_login"}), create(map[string]any{"login": "new2", "mail": "x' for key 'employee_login"})), adapters.Exists, "mail"},
		{"unique, update", update("7", one("login", "user7", "User8")), adapters.Exists, "login"},
		{"not null", create(map[string]any{"mail": "x"}), adapters.Invalid, "login"},
		{"not null, timestamp", update("7", one("seen", time.Now(), nil)), adapters.Invalid, "seen"},
		{"check of a column", create(map[string]any{"login": "bad"}), adapters.Invalid, "login"},
		{"check", set("age", int64(201)), adapters.Invalid, "age"},
		{"too long", set("mail", strings.Repeat("x", 101)), adapters.Invalid, "mail"},
		{"too long by spaces", set("mail", "x"+strings.Repeat(" ", 100)), adapters.Invalid, "mail"},
		{"out of range", set("age", int64(40000)), adapters.Invalid, "age"},
		{"below zero", set("boss_no", int64(-1)), adapters.Invalid, "boss_no"},
		{"text for a number", set("age", "old"), adapters.Invalid, "age"},
		{"fraction for an integer", set("age", 1.5), adapters.Invalid, "age"},
		{"more digits than are kept", set("pay", "1.234"), adapters.Invalid, "pay"},
		{"more digits than fit", set("pay", "1234567.8"), adapters.Invalid, "pay"},
		{"no word of the list", set("kind", "boss"), adapters.Invalid, "kind"},
		{"the number of a word", set("kind", "1"), adapters.Invalid, "kind"},
		{"letters that latin1 has not", set("short", "żółw"), adapters.Invalid, "short"},
		{"a time for a date", set("born", "2024-01-01T10:00:00Z"), adapters.Invalid, "born"},
		{"no date", set("hired", "2024-02-31"), adapters.Invalid, "hired"},
		{"before the timestamps", set("seen", "1901-01-01T00:00:00Z"), adapters.Invalid, "seen"},
		{"broken text", set("mail", "a\xffb"), adapters.Invalid, "mail"},
		{"computed", update("7", one("loud", "USER7", "X")), adapters.Invalid, "loud"},
		{"foreign key", update("7", one("boss_no", nil, int64(4711))), adapters.Invalid, "boss_no"},
		{"role that does not exist", create(map[string]any{"login": "new", "roles": []string{"r9"}}), adapters.Invalid, "roles"},
		{"member that does not exist", member("4711"), adapters.Invalid, "members"},
		{"member that is no key", member("07"), adapters.Invalid, "members"},
		{"key taken", func() error {
			_, err := roles.Create(ctx, record(roles, "r1", map[string]any{"title": "x"}), adapters.Fields{})
			return err
		}(), adapters.Exists, adapters.KeyField},
		{"referred to", func() error {
			return errors.Join(update("6", one("boss_no", nil, int64(7))), users.Delete(ctx, "7"))
		}(), adapters.Conflict, ""},
	} {
		var e *adapters.Error
		if !errors.As(c.err, &e) || e.Kind != c.kind || e.Field != c.field || e.Op == "" {
			t.Errorf("%s: got %v, want %v of %q", c.what, c.err, c.kind, c.field)
		}
	}
	if p, err := users.List(ctx, adapters.Query{Total: true}); err != nil || p.Total != 501 {
		t.Errorf("%d users after all these failures, %v", p.Total, err)
	}
	// The same value again is a change of a row that is there.
	if err := update("8", one("age", int64(8), int64(8))); err != nil {
		t.Error(err)
	}
}

// TestMariaKept: what is written is answered as it is stored.
func TestMariaKept(t *testing.T) {
	users, _ := myStaffTables(t, myDatabase(t, myStaff))
	r, err := users.Create(ctx, record(users, "", map[string]any{"login": "new", "short": "é  ", "pay": "1.50", "born": "2000-02-29",
		"hired": "2024-01-01T11:00:00.9+01:00", "seen": time.Date(2024, 1, 1, 10, 0, 0, 5e8, time.UTC)}), adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 1, 1, 10, 0, 0, 0, time.UTC)
	for field, want := range map[string]any{"short": "é", "pay": "1.50", "born": "2000-02-29", "hired": at, "seen": at, "kind": "staff", "loud": "NEW"} {
		if got := r.Get(field); got != want {
			t.Errorf("%s: got %#v, want %#v", field, got, want)
		}
	}
	p, err := users.List(ctx, adapters.Query{Limit: 5, Filter: filter.And{eq("short", "é", filter.Exact), eq("login", "NEW", filter.Folded)}})
	if err != nil || len(p.Records) != 1 {
		t.Errorf("%d found, %v", len(p.Records), err)
	}
}

// TestMariaConcurrent: of many who change the same value, one succeeds; and those who change
// members at once are all served.
func TestMariaConcurrent(t *testing.T) {
	users, roles := myStaffTables(t, myDatabase(t, myStaff))
	var wg sync.WaitGroup
	results, members := make([]error, 8), make([]error, 8)
	for i := range results {
		wg.Go(func() {
			_, results[i] = users.Update(ctx, "2", one("age", int64(2), int64(100+i)), adapters.AllFields)
		})
		wg.Go(func() {
			_, members[i] = roles.Update(ctx, "r2", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"5", fmt.Sprint(10 + i)}}}}, adapters.Fields{})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !adapters.Is(err, adapters.Conflict) {
			t.Error(err)
		}
	}
	if err := errors.Join(members...); won != 1 || err != nil {
		t.Errorf("%d won; members: %v", won, err)
	}
	if r, err := roles.Get(ctx, "r2", adapters.AllFields); err != nil || len(r.Get("members").([]string)) != 9 {
		t.Errorf("members %v, %v", r.Get("members"), err)
	}
}

// TestMariaDeadlock: whom the database gives up for the sake of another tries again.
func TestMariaDeadlock(t *testing.T) {
	dsn := myDatabase(t, myStaff)
	sent, locked := make(chan struct{}), make(chan struct{})
	var once sync.Once
	users, _ := myStaffTables(t, dsn, func(c *sql.Config) {
		c.Trace = func(statement string) {
			if strings.HasPrefix(statement, "INSERT INTO `employee_role`") {
				once.Do(func() { close(sent); <-locked })
			}
		}
	})
	raw, err := myRaw(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Rollback()
	// The other one has changed more, so that it is not the one that is given up.
	if _, err := raw.Exec("UPDATE employee SET age = 1 WHERE emp_no > 100; UPDATE role SET title = 'Locked' WHERE role_id = 'r2'"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := users.Update(ctx, "2", adapters.Delta{Set: []adapters.Change{{Field: "age", Old: int64(2), New: int64(3)}},
			Members: []adapters.MemberChange{{Field: "roles", Add: []string{"r2"}}}}, adapters.Fields{})
		done <- err
	}()
	<-sent
	close(locked)
	if _, err := raw.Exec("SELECT 1 FROM employee WHERE emp_no = 2 FOR UPDATE"); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if err := raw.Commit(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestMariaWaits: locks are waited for, and statements run, within bounds.
func TestMariaWaits(t *testing.T) {
	dsn := myDatabase(t, myStaff)
	tx, err := myRaw(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SELECT 1 FROM employee WHERE emp_no = 2 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for what, option := range map[string]func(*sql.Config){
		"lock":    func(c *sql.Config) { c.Wait = 100 * time.Millisecond },
		"timeout": func(c *sql.Config) { c.Timeout = 300 * time.Millisecond },
	} {
		users, _ := myStaffTables(t, dsn, option)
		if err := users.Probe(ctx); err != nil {
			t.Fatal(err)
		}
		_, err := users.Update(ctx, "2", one("age", int64(2), int64(3)), adapters.Fields{})
		var e *adapters.Error
		if !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure {
			t.Errorf("%s: %v", what, err)
		}
	}
	ended, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	users, _ := myStaffTables(t, dsn)
	_, err = users.Update(ended, "2", one("age", int64(2), int64(3)), adapters.Fields{})
	if !adapters.Is(err, adapters.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
}

// TestMariaReadOnly: a credential that may only read is found out, by what would fail.
func TestMariaReadOnly(t *testing.T) {
	dsn := myDatabase(t, myStaff)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	raw := myRaw(t, dsn)
	reader := "r" + name[max(0, len(name)-20):]
	if _, err := raw.Exec("CREATE USER " + reader + "@'%' IDENTIFIED BY 'reads'; GRANT SELECT ON " + name + ".* TO " + reader + "@'%'; GRANT UPDATE (title) ON " + name + ".role TO " + reader + "@'%'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := raw.Exec("DROP USER " + reader + "@'%'"); err != nil {
			t.Error(err)
		}
	})
	u.User = url.UserPassword(reader, "reads")
	users, roles := myStaffTables(t, u.String())
	for a, want := range map[*sql.Adapter][]string{
		users: {"employee: the credential may not insert, update, delete here; what needs that will be denied",
			"employee_role: the credential may not insert, update, delete here; what needs that will be denied"},
		roles: {"role: the credential may not insert, delete here; what needs that will be denied"},
	} {
		found, err := a.Inspect(ctx, "login")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !slices.ContainsFunc(found, func(p sql.Problem) bool { return p.String() == w }) {
				t.Errorf("found %v, want %s", found, w)
			}
		}
	}
	if _, err := users.Get(ctx, "7", adapters.AllFields); err != nil {
		t.Error(err)
	}
	if _, err := users.Update(ctx, "7", one("age", int64(7), int64(8)), adapters.Fields{}); !adapters.Is(err, adapters.Denied) {
		t.Errorf("update: %v", err)
	}
	writer, _ := myStaffTables(t, dsn)
	if found, err := writer.Inspect(ctx, "login"); err != nil || len(found) != 1 || found[0].Column != "loud" || !found[0].Written {
		t.Errorf("the owner's credential: %v, %v", found, err)
	}
	frozen, _ := myStaffTables(t, dsn+"?read_only=on")
	if found, err := frozen.Inspect(ctx); err != nil || len(found) != 2 || !strings.Contains(found[1].Text, "read only") || !frozen.Capabilities().NoUpdate {
		t.Errorf("read only: %v, %v", found, err)
	}
}

// TestMariaInspect: what is missing is named, with what is nearest, and an engine without
// transactions is.
func TestMariaInspect(t *testing.T) {
	dsn := myDatabase(t, `CREATE TABLE person (id int PRIMARY KEY, login varchar(20), mail varchar(20)) ENGINE = MyISAM;`)
	db := open(t, "", func(c *sql.Config) { c.DSN = dsn })
	for _, c := range []struct {
		spec   sql.Table
		fields []string
		want   []string
	}{
		{sql.Table{Name: "persons", Key: []string{"id"}}, []string{"login"}, []string{`persons: there is no such table; did you mean "person"?`}},
		{sql.Table{Name: "person", Key: []string{"id"}}, []string{"logn", "mail", "login"}, []string{
			`person.logn: there is no such column; did you mean "login"?`, "person.login: no index begins with this column, and it is looked up by value",
			"person: the engine MyISAM has no transactions: a change that fails half-way is not undone"}},
	} {
		found, err := table(t, db, c.spec, c.fields...).Inspect(ctx, "login")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !slices.ContainsFunc(found, func(p sql.Problem) bool { return p.String() == w }) {
				t.Errorf("found %v, want %s", found, w)
			}
		}
	}
}

// TestMariaPlans: look-ups go by the index, whatever the case and the charset.
func TestMariaPlans(t *testing.T) {
	dsn := myDatabase(t, myStaff+"CREATE INDEX employee_short ON employee (short); UPDATE employee SET short = MOD(emp_no, 250); ANALYZE TABLE employee;")
	users, _ := myStaffTables(t, dsn)
	if _, err := users.Create(ctx, record(users, "", map[string]any{"login": "\u017fi\u212a"}), adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	p, err := users.List(ctx, adapters.Query{Limit: 2, Filter: eq("login", "SIK", filter.Folded)})
	if err != nil || len(p.Records) != 1 {
		t.Errorf("%d found, %v", len(p.Records), err)
	}
	for _, c := range []struct {
		e     filter.Expr
		index string
	}{
		{eq("login", "Bjorn", filter.Folded), "employee_login"},
		{eq("login", "klaus.kessler", filter.Folded), "employee_login"},
		{eq("login", "user1", filter.Exact), "employee_login"},
		{eq("short", "123", filter.Exact), "employee_short"},
		{eq(adapters.KeyField, "7", filter.Exact), "PRIMARY"},
		{eq("roles", "r2", filter.Exact), "PRIMARY"},
	} {
		condition, args, err := users.Explain(ctx, c.e)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := myRaw(t, dsn).Query("EXPLAIN FORMAT=JSON SELECT 1 FROM employee AS t WHERE "+condition, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan string
		for rows.Next() {
			if err := rows.Scan(&plan); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(plan, "after reading const tables") {
			continue // a unique index was asked, and has none
		}
		if err := rows.Close(); err != nil || !strings.Contains(plan, `"key": "`+c.index) || strings.Contains(plan, `"access_type": "ALL"`) {
			t.Errorf("%v: no use of %s:\n%s", c.e, c.index, plan)
		}
	}
}

// TestMariaDown: a server that is not there, or goes away, is Unavailable, and no error tells the
// password.
func TestMariaDown(t *testing.T) {
	users, _ := myStaffTables(t, "mysql://hr:geheim@127.0.0.1:1/hr")
	_, err := users.Get(ctx, "1", adapters.AllFields)
	if !adapters.Is(err, adapters.Unavailable) || strings.Contains(err.Error(), "geheim") {
		t.Error(err)
	}
	for _, dsn := range []string{"mysql://hr:geheim@db:port/hr", "mysql://hr:geheim@db", "mysql://hr:geheim@db/hr?tls=yes", "mysql://hr:geheim@db/hr?mode=ro", "mysql://hr:geheim@db/hr?tls=on&ca=/no/file"} {
		if _, err := sql.Open(sql.Config{DSN: dsn}); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	dsn := myDatabase(t, myStaff)
	users, _ = myStaffTables(t, dsn)
	for range 3 {
		if _, err := users.Get(ctx, "1", adapters.AllFields); err != nil {
			t.Fatal(err)
		}
		if _, err := myRaw(t, dsn).Exec("SELECT 1"); err != nil {
			t.Fatal(err)
		}
		killOthers(t, dsn)
	}
	if _, err := users.Update(ctx, "1", one("age", int64(1), int64(2)), adapters.AllFields); err != nil && !adapters.Is(err, adapters.Unavailable) {
		t.Error(err)
	}
}

// killOthers ends the connections to a database.
func killOthers(t *testing.T, dsn string) {
	t.Helper()
	raw := myRaw(t, dsn)
	raw.SetMaxOpenConns(1)
	rows, err := raw.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()")
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		_, _ = raw.Exec(fmt.Sprint("KILL ", id)) // some have ended by now
	}
}

// TestMariaUnsure: a commit whose answer does not come may have happened, and is said to.
func TestMariaUnsure(t *testing.T) {
	dsn := myDatabase(t, myStaff)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cut := newCutter(t, u.Host, "COMMIT")
	u.Host = cut.addr
	users, _ := myStaffTables(t, u.String()+"?tls=off")
	if err := users.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	cut.arm()
	_, err = users.Update(ctx, "1", one("age", int64(1), int64(2)), adapters.AllFields)
	var e *adapters.Error
	if !errors.As(err, &e) || e.Kind != adapters.Unavailable || !e.Unsure {
		t.Errorf("got %v, unsure %v", err, e != nil && e.Unsure)
	}
	direct, _ := myStaffTables(t, dsn)
	if r, err := direct.Get(ctx, "1", adapters.AllFields); err != nil || r.Get("age") != int64(2) {
		t.Errorf("age %v, %v", r.Get("age"), err)
	}
}

// A cutter passes bytes on to a server until a word goes by: that still arrives,
// but no answer comes back.
type cutter struct {
	addr string
	word string
	mu   sync.Mutex
	on   bool
}

func newCutter(t *testing.T, server, word string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{addr: l.Addr().String(), word: word}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				return
			}
			go c.forward(client, to)
			go func() { _, _ = io.Copy(client, to); client.Close() }()
		}
	}()
	return c
}

func (c *cutter) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = true
}

func (c *cutter) forward(client, server net.Conn) {
	defer server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		c.mu.Lock()
		cut := c.on && strings.Contains(string(buffer[:n]), c.word)
		c.mu.Unlock()
		if cut {
			client.Close()
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if cut {
			time.Sleep(100 * time.Millisecond) // for the server to do it
			return
		}
	}
}
