package sql_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

func one(field string, from, to any) adapters.Delta {
	return adapters.Delta{Set: []adapters.Change{{Field: field, Old: from, New: to}}}
}

// TestFailures (E-06): the kind of each failure, and the field to blame.
func TestFailures(t *testing.T) {
	s := newStaff(t, 10)
	create := func(v map[string]any) error {
		_, err := s.users.Create(ctx, record(s.users, "", v), adapters.AllFields)
		return err
	}
	update := func(key adapters.Key, d adapters.Delta) error {
		_, err := s.users.Update(ctx, key, d, adapters.AllFields)
		return err
	}
	member := func(role adapters.Key, add string) error {
		_, err := s.roles.Update(ctx, role, adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{add}}}}, adapters.Fields{})
		return err
	}
	for _, c := range []struct {
		what  string
		err   error
		kind  adapters.Kind
		field string
	}{
		{"unique index", create(map[string]any{"login": "USER7"}), adapters.Exists, "login"},
		{"unique index on an expression", create(map[string]any{"login": "new", "mail": "User7@example.com"}), adapters.Exists, "mail"},
		{"unique, update", update("7", one("login", "user7", "User8")), adapters.Exists, "login"},
		{"not null", create(map[string]any{"mail": "x"}), adapters.Invalid, "login"},
		{"not null, update", update("7", one("login", "user7", nil)), adapters.Invalid, "login"},
		{"check", create(map[string]any{"login": "bad"}), adapters.Invalid, "login"},
		{"check, update", update("7", one("age", int64(7), int64(-1))), adapters.Invalid, "age"},
		{"text for a number", update("7", one("age", int64(7), "old")), adapters.Invalid, "age"},
		{"computed", update("7", one("loud", "USER7", "X")), adapters.Invalid, "loud"},
		{"a list for a column", update("7", one("mail", nil, []string{"a"})), adapters.Invalid, "mail"},
		{"no list for a relation", update("7", one("roles", nil, "a")), adapters.Invalid, "roles"},
		{"foreign key", update("7", one("boss_no", nil, int64(4711))), adapters.Invalid, "boss_no"},
		{"no such field", update("7", one("nothing", nil, "x")), adapters.Unsupported, "nothing"},
		{"role that does not exist", create(map[string]any{"login": "new", "roles": []string{"r1", "r9"}}), adapters.Invalid, "roles"},
		{"member that does not exist", member("r1", "4711"), adapters.Invalid, "members"},
		{"member out of scope", member("r1", "1"), adapters.Invalid, "members"},
		{"member that is no key", member("r1", "07"), adapters.Invalid, "members"},
		{"member of nothing", member("r9", "7"), adapters.NotFound, ""},
		{"key taken", func() error {
			_, err := s.roles.Create(ctx, record(s.roles, "r1", map[string]any{"title": "x"}), adapters.Fields{})
			return err
		}(), adapters.Exists, adapters.KeyField},
		{"no key", func() error {
			_, err := s.roles.Create(ctx, record(s.roles, "", map[string]any{"title": "x"}), adapters.Fields{})
			return err
		}(), adapters.Invalid, adapters.KeyField},
		{"referred to", func() error {
			if err := update("6", one("boss_no", nil, int64(7))); err != nil {
				return err
			}
			return s.users.Delete(ctx, "7")
		}(), adapters.Conflict, ""},
	} {
		var e *adapters.Error
		if !errors.As(c.err, &e) || e.Kind != c.kind || e.Field != c.field || e.Op == "" {
			t.Errorf("%s: got %#v, want %v of %q", c.what, c.err, c.kind, c.field)
		} else if (e.Told != "") != (c.what == "computed") {
			t.Errorf("%s: clients are told %q", c.what, e.Told)
		}
	}
	p, err := s.users.List(ctx, adapters.Query{Total: true})
	if err != nil || p.Total != 9 {
		t.Errorf("%d users after all these failures, %v", p.Total, err)
	}
	s.holdsMembers(t, "r1", "7", true)
}

// TestDeleteRefused: whatever keeps a record from being deleted is no fault of a value.
func TestDeleteRefused(t *testing.T) {
	for _, c := range []struct{ what, more string }{
		{"a reference", "CREATE TABLE badge (id INTEGER PRIMARY KEY, holder INTEGER REFERENCES person (id)); INSERT INTO badge VALUES (1, 7)"},
		{"a reference that restricts", "CREATE TABLE badge (id INTEGER PRIMARY KEY, holder INTEGER REFERENCES person (id) ON DELETE RESTRICT); INSERT INTO badge VALUES (1, 7)"},
		{"a reference that needs a value", "CREATE TABLE badge (id INTEGER PRIMARY KEY, holder INTEGER NOT NULL REFERENCES person (id) ON DELETE SET NULL); INSERT INTO badge VALUES (1, 7)"},
		{"a trigger", "CREATE TRIGGER stay BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'persons stay'); END"},
	} {
		db := open(t, "CREATE TABLE person (id INTEGER PRIMARY KEY, login TEXT); INSERT INTO person VALUES (7, 'ada');"+c.more)
		a := table(t, db, sql.Table{Name: "person", Key: []string{"id"}}, "login")
		isFailure(t, c.what, a.Delete(ctx, "7"), adapters.Conflict, "")
		if _, err := a.Get(ctx, "7", adapters.AllFields); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestScope: what is out of scope is invisible and untouchable, and nothing gets there.
func TestScope(t *testing.T) {
	s := newStaff(t, 10)
	all := adapters.AllFields
	_, errGet := s.users.Get(ctx, "1", all)
	_, errSet := s.users.Update(ctx, "1", one("age", int64(1), int64(2)), all)
	_, errMembers := s.users.Update(ctx, "1", adapters.Delta{Members: []adapters.MemberChange{{Field: "roles", Remove: []string{"r1"}}}}, all)
	_, errEmpty := s.users.Update(ctx, "1", adapters.Delta{}, all)
	for what, err := range map[string]error{"get": errGet, "update": errSet, "members": errMembers, "empty": errEmpty, "delete": s.users.Delete(ctx, "1")} {
		if !adapters.Is(err, adapters.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r, err := s.roles.Get(ctx, "r1", all)
	if err != nil || !slices.Equal(r.Get("members").([]string), []string{"10", "2", "3", "4", "5", "6", "7", "8", "9"}) &&
		!slices.Equal(r.Get("members").([]string), []string{"2", "3", "4", "5", "6", "7", "8", "9", "10"}) {
		t.Errorf("members %v, %v", r.Get("members"), err)
	}
	p, err := s.roles.List(ctx, adapters.Query{Limit: 5, Filter: eq("members", "1", filter.Exact)})
	if err != nil || len(p.Records) != 0 {
		t.Errorf("roles of one who is out of scope: %d, %v", len(p.Records), err)
	}
	// A list that replaces, and one that removes, leave him where he is.
	if _, err := s.roles.Update(ctx, "r1", one("members", r.Get("members"), []string{"3"}), all); err != nil {
		t.Error(err)
	}
	if _, err := s.roles.Update(ctx, "r1", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Remove: []string{"1", "3"}}}}, all); err != nil {
		t.Error(err)
	}
	var left string
	if err := rawDB(t, s.path).QueryRow("SELECT group_concat(emp_no) FROM employee_role WHERE role_id = 'r1'").Scan(&left); err != nil || left != "1" {
		t.Errorf("left in the join table: %s, %v", left, err)
	}
	staffOnly := table(t, s.db, sql.Table{Name: "employee", Key: []string{"emp_no"},
		Where: eq("kind", "staff", filter.Exact)}, "login", "kind")
	if _, err := staffOnly.Create(ctx, record(staffOnly, "", map[string]any{"login": "x", "kind": "builtin"}), all); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("create out of scope: %v", err)
	}
	if _, err := staffOnly.Update(ctx, "5", one("kind", "staff", "builtin"), all); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("update out of scope: %v", err)
	}
	if _, err := staffOnly.Get(ctx, "5", all); err != nil {
		t.Errorf("after an update that was refused: %v", err)
	}
}

// TestStored: answers hold what the database holds, defaults and triggers included.
func TestStored(t *testing.T) {
	s := newStaff(t, 3)
	r, err := s.users.Create(ctx, record(s.users, "", map[string]any{"login": "new", "age": "42", "roles": []string{"r2", "r1", "r2"}}), adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	if r.Key != "4" || r.Get("age") != int64(42) || r.Get("loud") != "NEW" || r.Get("changes") != int64(0) || !slices.Equal(r.Get("roles").([]string), []string{"r1", "r2"}) {
		t.Errorf("created %v", r.Values())
	}
	r, err = s.users.Update(ctx, "4", adapters.Delta{Set: []adapters.Change{{Field: "login", Old: "new", New: "newer"}, {Field: "phone", New: "1"}}}, adapters.AllFields)
	if err != nil || r.Get("loud") != "NEWER" || r.Get("changes") != int64(1) {
		t.Errorf("updated %v, %v", r.Values(), err)
	}
	if r, err = s.users.Update(ctx, "4", one("phone", "1", nil), adapters.AllFields); err != nil || !adapters.NoValue(r.Get("phone")) {
		t.Errorf("a column that is never null is cleared: %v, %v", r.Values(), err)
	}
}

// TestRename: the rows of join tables follow a key that changes, from either end.
func TestRename(t *testing.T) {
	s := newStaff(t, 5)
	roles := table(t, s.db, sql.Table{Name: "role", Key: []string{"role_id"}, Generated: ptr(false),
		Relations: []sql.Relation{{Field: "members", Table: "employee_role", Owner: "role_id", Member: "emp_no"}}}, "role_id", "title", "members")
	r, err := roles.Update(ctx, "r1", one("role_id", "r1", "R|1"), adapters.AllFields)
	if err != nil || r.Key != "R|1" || len(r.Get("members").([]string)) != 5 {
		t.Fatalf("%v %v %v", r.Key, r.Values(), err)
	}
	users := table(t, s.db, sql.Table{Name: "employee", Key: []string{"emp_no"}}, "emp_no", "login")
	u, err := users.Update(ctx, "5", one("emp_no", int64(5), int64(50)), adapters.AllFields)
	if err != nil || u.Key != "50" {
		t.Fatalf("%v %v", u.Key, err)
	}
	s.holdsMembers(t, "r2", "50", true)
	if err := users.Delete(ctx, "50"); err != nil { // role's members refer to employee
		t.Fatal(err)
	}
	s.holdsMembers(t, "r2", "50", false)
}

// TestInjection (Z-04, F-34): values that would be statements are values.
func TestInjection(t *testing.T) {
	s := newStaff(t, 3)
	for _, evil := range []string{
		"'; DROP TABLE employee; --", `"; DROP TABLE employee; --`, "' OR '1'='1", "1 OR 1=1", "x' UNION SELECT sql FROM sqlite_master --",
		"`", "]", "/*", "\\", "?", "?1", ":a", "@a", "$a", "%", "_", "*", "[a-z]", "x'00'", "NULL", "\x00'; DROP TABLE employee", "\u02bc OR 1=1",
	} {
		for _, m := range []filter.Match{filter.Exact, filter.Folded} {
			for _, op := range []filter.Op{filter.Eq, filter.Co, filter.Sw, filter.Ew} {
				for _, field := range []string{"login", "age", "mail"} {
					e := &filter.Compare{Name: field, Match: m, Op: op, Value: filter.StringValue(evil)}
					p, err := s.users.List(ctx, adapters.Query{Limit: 5, Total: true, Filter: e})
					if err != nil || p.Total != 0 {
						t.Errorf("%v %+q finds %d, %v", op, evil, p.Total, err)
					}
				}
			}
		}
		if _, err := s.users.Get(ctx, adapters.Key(evil), adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
			t.Errorf("get %+q: %v", evil, err)
		}
		for _, a := range []*sql.Adapter{s.users, s.roles} {
			if err := a.Delete(ctx, adapters.Key(evil)); !adapters.Is(err, adapters.NotFound) {
				t.Errorf("delete %+q: %v", evil, err)
			}
		}
		r, err := s.users.Create(ctx, record(s.users, "", map[string]any{"login": evil}), adapters.AllFields)
		if err != nil || r.Get("login") != evil {
			t.Errorf("create %+q: %v, %v", evil, r.Get("login"), err)
		}
		found, err := s.users.List(ctx, adapters.Query{Limit: 5, Filter: eq("login", evil, filter.Exact)})
		if err != nil || len(found.Records) != 1 {
			t.Errorf("look-up of %+q: %d, %v", evil, len(found.Records), err)
		}
		if err := s.users.Delete(ctx, r.Key); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", `a"b`, "a'b", "a`b", "a;b", "a]b", "a?b", "a\x00b", "$key", strings.Repeat("x", 200)} {
		if _, err := s.db.Table(sql.Table{Name: name, Key: []string{"id"}}, adapters.NewShape("x")); err == nil {
			t.Errorf("a table of the name %+q", name)
		}
		if _, err := s.db.Table(sql.Table{Name: "t", Key: []string{"id"}}, adapters.NewShape(name)); err == nil {
			t.Errorf("a column of the name %+q", name)
		}
	}
}

// TestCrash: whatever happens between the statements of an operation, all of it is done or nothing.
func TestCrash(t *testing.T) {
	for _, stop := range []string{"INSERT INTO \"employee\"", "INSERT INTO \"employee_role\"", "UPDATE \"employee\"", "DELETE FROM \"employee_role\"", "DELETE FROM \"employee\" "} {
		s := newStaff(t, 5)
		ended, cancel := context.WithCancel(ctx)
		stopped := false
		s.hook = func(statement string) {
			if stopped = stopped || strings.HasPrefix(statement, stop); stopped {
				cancel()
			}
		}
		_, errCreate := s.users.Create(ended, record(s.users, "", map[string]any{"login": "new", "roles": []string{"r1"}}), adapters.AllFields)
		_, errUpdate := s.users.Update(ended, "3", adapters.Delta{
			Set:     []adapters.Change{{Field: "login", Old: "user3", New: "changed"}},
			Members: []adapters.MemberChange{{Field: "roles", Remove: []string{"r1"}}},
		}, adapters.AllFields)
		errDelete := s.users.Delete(ended, "4")
		cancel()
		s.hook = nil
		for _, err := range []error{errCreate, errUpdate, errDelete} {
			var e *adapters.Error
			if err != nil && (!errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure) {
				t.Errorf("%s: %v", stop, err)
			}
		}
		if !stopped {
			t.Fatalf("%s was never sent", stop)
		}
		p, err := s.users.List(ctx, adapters.Query{Limit: 10, Want: adapters.AllFields})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			n := 3
			switch login := r.Get("login"); {
			case login == "new":
				n = 1
			case login == "changed":
				n = 2
			case r.Key == "4" && errDelete == nil, r.Key == "3" && errUpdate == nil:
				t.Errorf("%s: %v after success", stop, login)
			}
			if roles, _ := r.Get("roles").([]string); len(roles) != n {
				t.Errorf("%s: %v has the roles %v", stop, r.Get("login"), roles)
			}
		}
	}
}

// TestConcurrent: of many who change the same value from the same state, one succeeds.
func TestConcurrent(t *testing.T) {
	s := newStaff(t, 3)
	var wg sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		wg.Go(func() {
			_, results[i] = s.users.Update(ctx, "2", one("age", int64(2), int64(100+i)), adapters.AllFields)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !adapters.Is(err, adapters.Conflict):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

// TestLocked: another program's lock is waited for, within bounds.
func TestLocked(t *testing.T) {
	s := newStaff(t, 3)
	raw := rawDB(t, s.path)
	raw.SetMaxOpenConns(1)
	lock := func() {
		if _, err := raw.Exec("BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
	}
	unlock := func() {
		if _, err := raw.Exec("COMMIT"); err != nil {
			t.Error(err)
		}
	}
	lock()
	if _, err := s.users.Get(ctx, "2", adapters.AllFields); err != nil {
		t.Errorf("read beside a writer: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := s.users.Update(short, "2", one("age", int64(2), int64(3)), adapters.Fields{})
	if !adapters.Is(err, adapters.Unavailable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	time.AfterFunc(150*time.Millisecond, unlock)
	if _, err := s.users.Update(ctx, "2", one("age", int64(2), int64(3)), adapters.Fields{}); err != nil {
		t.Errorf("a lock that ends: %v", err)
	}
	quick := open(t, "", func(c *sql.Config) { c.DSN, c.Wait = "sqlite:"+s.path, 100*time.Millisecond })
	users := table(t, quick, sql.Table{Name: "employee", Key: []string{"emp_no"}}, "age")
	lock()
	if _, err := users.Update(ctx, "2", one("age", int64(3), int64(4)), adapters.Fields{}); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("a lock that does not end: %v", err)
	}
	unlock()
}
