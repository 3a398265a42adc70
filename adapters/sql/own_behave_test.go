package sql_test

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/internal/testdb"
)

// A ownEngine is an application with procedures on one kind of server.
type ownEngine struct {
	dsn    string
	raw    *stdsql.DB
	create []string // statements that create
	refuse string   // one that is refused by the application itself
	clash  string   // one that violates a unique index of the table behind the view
	code   string   // what expressions see of the refusal
}

// ownEngines starts them.
func ownEngines(t *testing.T) map[string]*ownEngine {
	pg := pgSchema(t, ownPostgres+`DISTINCT * FROM base;
		CREATE PROCEDURE hire_out(n text, INOUT id integer) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO base (name) VALUES (n) RETURNING base.id INTO id; END $$;
		CREATE PROCEDURE refuse(t text) LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', t USING ERRCODE = 'P0001'; END $$;`)
	my := myDatabase(t, ownMaria+`
		CREATE PROCEDURE hire_out(n varchar(600) CHARACTER SET utf8mb4, OUT i integer) BEGIN INSERT INTO base (name) VALUES (n); SET i = LAST_INSERT_ID(); END;
		CREATE PROCEDURE refuse(t text) SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';`)
	lite := "sqlite:" + fileOf(t)
	script := strings.ReplaceAll(ownSQLite, "CREATE TABLE contact", "CREATE TRIGGER refuse BEFORE INSERT ON base WHEN new.nick = 'refuse' BEGIN SELECT raise(ABORT, 'no'); END;\nCREATE TABLE contact")
	db := open(t, script, func(c *sql.Config) { c.DSN = lite })
	if err := db.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := stdsql.Open("sqlite3", strings.TrimPrefix(lite, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return map[string]*ownEngine{
		"postgres": {dsn: pg, raw: pgRaw(t, pg), create: []string{"CALL hire_out(:name, NULL) -> row.id"}, refuse: "CALL refuse(:nick)",
			clash: "UPDATE base SET name = 'taken' WHERE id = :id", code: `code == "P0001" && message startsWith "no"`},
		"mariadb": {dsn: my, raw: myRaw(t, my), create: []string{"CALL hire_out(:name, @id)", "SELECT @id AS id -> row.id"}, refuse: "CALL refuse(:nick)",
			clash: "UPDATE base SET name = 'taken' WHERE id = :id", code: `code == 1644 && state == "45000" && message == "no"`},
		"sqlite": {dsn: lite, raw: raw, create: []string{"INSERT INTO person (name) VALUES (:name)", "SELECT id FROM person WHERE name = :name -> row.id"},
			refuse: "INSERT INTO base (name, nick) VALUES ('x', 'refuse')", clash: "UPDATE person SET name = 'taken' WHERE id = :id", code: `message == "no"`},
	}
}

// open makes the adapter of people, whose statements f may change.
func (e *ownEngine) open(t *testing.T, f func(*sql.OwnTarget), options ...func(*sql.Config)) *sql.Adapter {
	t.Helper()
	w := sql.OwnTarget{Target: steps.Target[sql.Step]{Fields: []string{"name", "nick", "note"}, Key: []string{"id"}, Create: stepsOf(e.create...),
		Update: stepsOf("UPDATE base SET nick = :nick WHERE id = :id"), Delete: stepsOf("DELETE FROM base WHERE id = :id")}}
	f(&w)
	db := open(t, "", append(options, func(c *sql.Config) { c.DSN = e.dsn })...)
	return table(t, db, sql.Table{Name: "person", Key: []string{"id"}, Own: ownOf(t, e.dsn, w)}, w.Fields...)
}

// TestOwnBehaviour: what the statements of one operation do together.
func TestOwnBehaviour(t *testing.T) {
	for name, e := range ownEngines(t) {
		t.Run(name, func(t *testing.T) {
			a := e.open(t, func(*sql.OwnTarget) {})
			ada, err := a.Create(ctx, record(a, "", map[string]any{"name": "ada"}), adapters.AllFields)
			if err != nil || ada.Key == "" || ada.Get("name") != "ada" {
				t.Fatalf("%v, %v", ada, err)
			}
			if _, err := a.Create(ctx, record(a, "", map[string]any{"name": "taken"}), adapters.AllFields); err != nil {
				t.Fatal(err)
			}
			fails := func(what string, kind adapters.Kind, field string, f func(*sql.OwnTarget)) {
				t.Helper()
				_, err := e.open(t, f).Update(ctx, ada.Key, setNick(nil, "x"), adapters.AllFields)
				var known *adapters.Error
				if known, _ = err.(*adapters.Error); known == nil || known.Kind != kind || known.Field != field {
					t.Errorf("%s: %v, want %v of %q", what, err, kind, field)
				}
				if now, err := a.Get(ctx, ada.Key, adapters.AllFields); err != nil || now.Get("nick") != nil || now.Get("name") != "ada" {
					t.Errorf("%s: something was kept: %v, %v", what, now, err)
				}
			}
			both := func(second string, rules ...steps.WrittenFail) func(*sql.OwnTarget) {
				return func(w *sql.OwnTarget) { w.Update, w.Fails = append(w.Update, stepsOf(second)...), rules }
			}
			rule := func(when, kind string) steps.WrittenFail {
				return steps.WrittenFail{When: at(when), Kind: at(kind), Field: at("note")}
			}
			fails("refused", adapters.Invalid, "nick", both(e.refuse))
			fails("refused, by a rule", adapters.Conflict, "note", both(e.refuse, rule(e.code, "conflict")))
			fails("another rule", adapters.Invalid, "nick", both(e.refuse, rule(`message contains "other"`, "conflict")))
			fails("a value that is taken", adapters.Exists, "name", both(e.clash))
			fails("no row changed", adapters.Conflict, "", both("UPDATE base SET nick = 'z' WHERE id = :id AND 1 = 0"))
			fails("no such table", adapters.Internal, "", both("UPDATE nothing SET nick = :nick WHERE id = :id"))
			fails("an expression fails", adapters.Invalid, "", func(w *sql.OwnTarget) {
				w.Update[0].Statement = at("UPDATE base SET nick = :x WHERE id = :id")
				w.Update[0].With = []steps.Pair{{Name: at("x"), Value: at("record.note.x")}}
			})
			b := e.open(t, both(e.refuse, rule(e.code, "none")))
			if now, err := b.Update(ctx, ada.Key, setNick(nil, "kept"), adapters.AllFields); err != nil || now.Get("nick") != "kept" {
				t.Errorf("forgiven: %v, %v", now, err)
			}
			if _, err := a.Update(ctx, ada.Key, setNick("other", "y"), adapters.AllFields); !adapters.Is(err, adapters.Conflict) {
				t.Errorf("it held something else: %v", err)
			}
			if err := e.open(t, func(w *sql.OwnTarget) { w.Delete = stepsOf("UPDATE base SET nick = NULL WHERE id = :id") }).Delete(ctx, ada.Key); !adapters.Is(err, adapters.Internal) {
				t.Errorf("it is still there: %v", err)
			}
			if err := a.Delete(ctx, ada.Key); err != nil {
				t.Error(err)
			}
			if err := a.Delete(ctx, ada.Key); !adapters.Is(err, adapters.NotFound) {
				t.Errorf("it is gone: %v", err)
			}
		})
	}
}

func setNick(old, to any) adapters.Delta {
	return adapters.Delta{Set: []adapters.Change{{Field: "nick", Old: old, New: to}}}
}

// TestDerivable: a view that cannot be written is found out, where no statements write.
func TestDerivable(t *testing.T) {
	const view = "CREATE TABLE base (id integer PRIMARY KEY, name varchar(20)); CREATE VIEW grouped AS SELECT id, max(name) AS name FROM base GROUP BY id; CREATE VIEW plain AS SELECT * FROM base;"
	for engine, dsn := range map[string]string{"postgres": pgSchema(t, view), "mariadb": myDatabase(t, view), "sqlite": ""} {
		var db *sql.Database
		if engine == "sqlite" {
			db = open(t, view+"CREATE TRIGGER t INSTEAD OF UPDATE ON plain BEGIN SELECT 1; END; CREATE TRIGGER i INSTEAD OF INSERT ON plain BEGIN SELECT 1; END; CREATE TRIGGER d INSTEAD OF DELETE ON plain BEGIN SELECT 1; END;")
			dsn = "sqlite:"
		} else {
			db = open(t, "", func(c *sql.Config) { c.DSN = dsn })
		}
		own := ownOf(t, dsn, sql.OwnTarget{NoDelete: true, Target: steps.Target[sql.Step]{Fields: []string{"name"}, Key: []string{"id"}, Update: stepsOf("UPDATE base SET name = :name WHERE id = :id")}})
		for _, c := range []struct {
			view string
			own  *sql.Own
			want string
		}{{"plain", nil, ""}, {"grouped", nil, "insert, update, delete"}, {"grouped", own, "insert"}} {
			problems, err := table(t, db, sql.Table{Name: c.view, Key: []string{"id"}, Own: c.own}, "name").Inspect(ctx)
			if err != nil {
				t.Fatalf("%s, %s: %v", engine, c.view, err)
			}
			got := ""
			for _, p := range problems {
				if rest, ok := strings.CutPrefix(p.Text, "this view does not take "); ok {
					got, _, _ = strings.Cut(rest, ";")
				}
			}
			if got != c.want {
				t.Errorf("%s, %s: %q, want %q (%v)", engine, c.view, got, c.want, problems)
			}
		}
	}
}

// TestOwnNoUpdate: what is said not to be possible is not done by derived statements
// either; members still come and go.
func TestOwnNoUpdate(t *testing.T) {
	e := ownEngines(t)["sqlite"]
	w := suiteOwn(e.create...)
	w.Update, w.NoUpdate, w.Delete = nil, true, nil
	w.Members[0].Add, w.Members[0].Remove = stepsOf("INSERT INTO person_teams VALUES (:key, :item)"), nil
	db := open(t, "", func(c *sql.Config) { c.DSN = e.dsn })
	a := table(t, db, sql.Table{Name: "person", Key: []string{"id"}, Own: ownOf(t, e.dsn, w), Relations: []sql.Relation{ownRelation}}, suiteShape...)
	ada, err := a.Create(ctx, record(a, "", map[string]any{"name": "ada"}), adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Update(ctx, ada.Key, setNick(nil, "x"), adapters.AllFields); !adapters.Is(err, adapters.Unsupported) {
		t.Errorf("a field: %v", err)
	}
	change := func(m adapters.MemberChange) error {
		m.Field = "teams"
		_, err := a.Update(ctx, ada.Key, adapters.Delta{Members: []adapters.MemberChange{m}}, adapters.AllFields)
		return err
	}
	if err := change(adapters.MemberChange{Add: []string{"t1", "t1"}}); err != nil {
		t.Error(err)
	}
	if err := change(adapters.MemberChange{Remove: []string{"t2"}}); err != nil {
		t.Errorf("who is not there: %v", err)
	}
	if err := change(adapters.MemberChange{Remove: []string{"t1"}}); !adapters.Is(err, adapters.Unsupported) {
		t.Errorf("nothing removes: %v", err)
	}
}

// TestOwnLostUpdate: another program changes the record between the comparison and the
// statement. In PostgreSQL, where the rows of this view cannot be locked, the
// transaction is given up and begun again; then the comparison sees it.
func TestOwnLostUpdate(t *testing.T) {
	e := ownEngines(t)["postgres"]
	did := false
	a := e.open(t, func(*sql.OwnTarget) {}, func(c *sql.Config) {
		c.Watch = watcher(func(statement string) {
			if strings.HasPrefix(statement, "UPDATE") && !did {
				did = true
				if _, err := e.raw.Exec("UPDATE base SET nick = 'theirs'"); err != nil {
					t.Error(err)
				}
			}
		})
	})
	ada, err := a.Create(ctx, record(a, "", map[string]any{"name": "ada"}), adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Update(ctx, ada.Key, setNick(nil, "ours"), adapters.AllFields)
	if now, e := a.Get(ctx, ada.Key, adapters.AllFields); !adapters.Is(err, adapters.Conflict) || e != nil || now.Get("nick") != "theirs" || !did {
		t.Errorf("%v; the record is %v, %v", err, now, e)
	}
}

// TestOwnLock: where rows can be locked, they are.
func TestOwnLock(t *testing.T) {
	for name, dsn := range map[string]string{"postgres": pgSchema(t, ownPostgres+"* FROM base"), "mariadb": myDatabase(t, ownMaria)} {
		var sent []string
		e := ownEngine{dsn: dsn, create: []string{"INSERT INTO base (name) VALUES (:name)", "SELECT id FROM base WHERE name = :name -> row.id"}}
		a := e.open(t, func(*sql.OwnTarget) {}, func(c *sql.Config) { c.Trace = func(s string) { sent = append(sent, s) } })
		ada, err := a.Create(ctx, record(a, "", map[string]any{"name": "ada"}), adapters.AllFields)
		if err != nil {
			t.Fatal(err)
		}
		sent = nil
		if _, err := a.Update(ctx, ada.Key, setNick(nil, "x"), adapters.AllFields); err != nil {
			t.Fatal(err)
		}
		if len(sent) == 0 || !strings.HasSuffix(sent[0], " UPDATE") || strings.Contains(strings.Join(sent, "\n"), "'x'") {
			t.Errorf("%s: %s", name, strings.Join(sent, "\n"))
		}
	}
}

// TestOwnInspect: what is wrong with a statement is found without running it, and
// where.
func TestOwnInspect(t *testing.T) {
	for name, e := range ownEngines(t) {
		for statement, word := range map[string]string{
			"UPDATE base SET nick = :nick WHERE id = :id AND nosuch = 1": "nosuch",
			"UPDATE bse SET nick = :nick WHERE id = :id":                 "bse",
			"CALL no_such(:nick, :id)":                                   "no_such",
			"UPDATE base SET nick = :nick WHERE id = :id":                "",
		} {
			a := e.open(t, func(w *sql.OwnTarget) { w.Update = stepsOf(statement) })
			problems, err := a.InspectOwn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, p := range problems {
				got += statement[p.Offset : p.Offset+p.Length]
			}
			if name == "sqlite" && strings.HasPrefix(statement, "CALL") { // there are no procedures
				word = "CALL"
			}
			if got != word {
				t.Errorf("%s: %s: found %q (%v)", name, statement, got, problems)
			}
		}
	}
}

// A watcher is told every statement that is about to be sent.
type watcher func(statement string)

func (w watcher) Before(_ context.Context, e *adapters.Exchange) error { w(e.Request); return nil }
func (w watcher) After(context.Context, *adapters.Exchange)            {}

// TestOwnRights: a credential that may read views and call procedures, and nothing
// else. What another program changes between the comparison and the statement is not
// overwritten: in PostgreSQL, which does not lock for it, the engine notices; in
// MariaDB the row is locked all the same.
func TestOwnRights(t *testing.T) {
	pg := pgSchema(t, strings.ReplaceAll(strings.ReplaceAll(ownPostgres, "LANGUAGE sql AS", "LANGUAGE sql SECURITY DEFINER AS"), "LANGUAGE plpgsql AS", "LANGUAGE plpgsql SECURITY DEFINER AS")+"* FROM base")
	my := myDatabase(t, ownMaria)
	for name, c := range map[string]struct {
		dsn, grant     string
		raw            *stdsql.DB
		create, theirs string
	}{
		"postgres": {pg, `CREATE ROLE %[1]s LOGIN PASSWORD 'own'; GRANT USAGE ON SCHEMA %[2]s TO %[1]s; GRANT SELECT ON person, person_teams TO %[1]s`, pgRaw(t, pg),
			"SELECT hire(:name, :nick, :note, :age, :active, :born) AS id -> row.id", "UPDATE base SET nick = 'theirs'"},
		"mariadb": {my, `CREATE USER %[1]s@'%%' IDENTIFIED BY 'own'; GRANT SELECT ON %[2]s.person TO %[1]s@'%%'; GRANT SELECT ON %[2]s.person_teams TO %[1]s@'%%'; GRANT EXECUTE ON %[2]s.* TO %[1]s@'%%'`, myRaw(t, my),
			"CALL hire(:name, :nick, :note, :age, :active, :born) -> row.id", "SET SESSION innodb_lock_wait_timeout = 1; UPDATE base SET nick = 'theirs'"},
	} {
		t.Run(name, func(t *testing.T) {
			role := fmt.Sprintf("own_%d_%d", schemas.Add(1), testdb.Unique())
			u, err := url.Parse(c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			place, _, _ := strings.Cut(u.Query().Get("search_path"), ",")
			if name == "mariadb" {
				place = strings.TrimPrefix(u.Path, "/")
			}
			if _, err := c.raw.Exec(fmt.Sprintf(c.grant, role, place)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if name == "postgres" {
					_, _ = c.raw.Exec("DROP OWNED BY " + role)
				}
				_, _ = c.raw.Exec("DROP USER " + role)
			})
			u.User = url.UserPassword(role, "own")
			race, refused := false, false
			db := open(t, "", func(cfg *sql.Config) {
				cfg.DSN = u.String()
				cfg.Watch = watcher(func(statement string) {
					if race && strings.HasPrefix(statement, "CALL alter") {
						race = false
						_, err := c.raw.Exec(c.theirs)
						refused = err != nil
					}
				})
			})
			a := table(t, db, sql.Table{Name: "person", Key: []string{"id"}, Own: ownOf(t, c.dsn, suiteOwn(c.create)), Relations: []sql.Relation{ownRelation}}, suiteShape...)
			ada, err := a.Create(ctx, record(a, "", map[string]any{"name": "ada", "teams": []string{"t1"}}), adapters.AllFields)
			if err != nil {
				t.Fatal(err)
			}
			warned, err := a.InspectOwn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			race = true
			_, err = a.Update(ctx, ada.Key, setNick(nil, "ours"), adapters.AllFields)
			conflict := adapters.Is(err, adapters.Conflict)
			if conflict == refused || err != nil && !conflict || len(warned) > 0 {
				t.Errorf("the update: %v; theirs was kept out: %v; the inspection: %v", err, refused, warned)
			}
			if err := a.Delete(ctx, ada.Key); err != nil {
				t.Error(err)
			}
		})
	}
}
