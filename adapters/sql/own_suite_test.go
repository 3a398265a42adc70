package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/adapters/steps"
)

// at is a text as the configuration holds it.
func at(text string) steps.Text { return steps.Text{Value: text, Line: 1, Column: 1} }

// stepsOf makes steps: "statement", or "statement -> key expression".
func stepsOf(all ...string) []sql.Step {
	var out []sql.Step
	for _, text := range all {
		statement, key, _ := strings.Cut(text, " -> ")
		out = append(out, sql.Step{Statement: at(statement), Written: steps.Written{At: at(statement), Key: at(key)}})
	}
	return out
}

// ownOf compiles statements for a kind of database.
func ownOf(t testing.TB, dsn string, w sql.OwnTarget) *sql.Own {
	t.Helper()
	own, problems := sql.CompileOwn(dsn, w)
	for _, p := range problems {
		t.Error(p)
	}
	if len(problems) > 0 {
		t.FailNow()
	}
	return own
}

// suiteOwn are the statements of the suite, whose procedures are called alike on all
// servers.
func suiteOwn(create ...string) sql.OwnTarget {
	return sql.OwnTarget{Lists: []string{"teams"}, Target: steps.Target[sql.Step]{Fields: suiteShape, Key: []string{"id"},
		Create:  stepsOf(create...),
		Update:  stepsOf("CALL alter_person(:id, :name, :nick, :note, :age, :active, :born)"),
		Delete:  stepsOf("CALL drop_person(:key)"),
		Members: []steps.WrittenMembers[sql.Step]{{Field: at("teams"), Add: stepsOf("CALL join_team(:key, :item)"), Remove: stepsOf("CALL leave_team(:key, :item)")}},
	}}
}

var ownRelation = sql.Relation{Field: "teams", Table: "person_teams", Owner: "person_id", Member: "team_id"}

const ownPostgres = `
CREATE TABLE base (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, nick text, note varchar NOT NULL DEFAULT '', age bigint, active text, born timestamptz);
CREATE UNIQUE INDEX base_name ON base (name);
CREATE TABLE team_of (person_id integer NOT NULL REFERENCES base ON DELETE CASCADE, team_id text NOT NULL, PRIMARY KEY (person_id, team_id));
CREATE VIEW person_teams AS SELECT person_id, team_id FROM team_of UNION ALL SELECT 0, '' WHERE false;
CREATE FUNCTION hire(n text, k text, o text, a bigint, c text, b timestamptz) RETURNS integer LANGUAGE sql AS
	$$ INSERT INTO base (name, nick, note, age, active, born) VALUES (n, k, coalesce(o, ''), a, c, b) RETURNING id $$;
CREATE PROCEDURE alter_person(i integer, n text, k text, o text, a bigint, c text, b timestamptz) LANGUAGE plpgsql AS
	$$ BEGIN UPDATE base SET name = n, nick = k, note = coalesce(o, ''), age = a, active = c, born = b WHERE id = i; END $$;
CREATE PROCEDURE drop_person(i integer) LANGUAGE sql AS $$ DELETE FROM base WHERE id = i $$;
CREATE PROCEDURE join_team(i integer, t text) LANGUAGE sql AS $$ INSERT INTO team_of VALUES (i, t) $$;
CREATE PROCEDURE leave_team(i integer, t text) LANGUAGE plpgsql AS
	$$ BEGIN DELETE FROM team_of WHERE person_id = i AND team_id = t; IF NOT FOUND THEN RAISE 'not in %', t; END IF; END $$;
CREATE VIEW person AS SELECT `

// TestOwnPostgresSuite: a view that is read, with procedures that write, whose rows
// can be locked, and whose rows cannot.
func TestOwnPostgresSuite(t *testing.T) {
	for name, view := range map[string]string{"locked": "* FROM base", "grouped, guarded": "DISTINCT * FROM base"} {
		t.Run(name, func(t *testing.T) {
			dsn := pgSchema(t, ownPostgres+view)
			raw := pgRaw(t, dsn)
			own := ownOf(t, dsn, suiteOwn("SELECT hire(:name, :nick, :note, :age, :active, :born) AS id -> row.id"))
			adaptertest.Run(t, adaptertest.Harness{Fields: suiteFields, Brief: true, New: func(t testing.TB) adapters.Adapter {
				if _, err := raw.Exec("TRUNCATE base CASCADE"); err != nil {
					t.Fatal(err)
				}
				a := table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), sql.Table{Name: "person", Key: []string{"id"}, Own: own, Relations: []sql.Relation{ownRelation}}, suiteShape...)
				if name != "locked" {
					return guard.Wrap(a, "legacy", guard.Options{Timeout: time.Minute})
				}
				return a
			}})
		})
	}
}

const ownMaria = `
CREATE TABLE base (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(600) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, nick text,
	note varchar(4000) NOT NULL DEFAULT '', age bigint, active char(10), born datetime(6), UNIQUE INDEX name (name));
CREATE TABLE team_of (person_id integer NOT NULL, team_id varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, PRIMARY KEY (person_id, team_id),
	FOREIGN KEY (person_id) REFERENCES base (id) ON DELETE CASCADE);
CREATE VIEW person_teams AS SELECT person_id, team_id FROM team_of;
CREATE VIEW person AS SELECT * FROM base;
CREATE PROCEDURE hire(n varchar(600) CHARACTER SET utf8mb4, k text CHARACTER SET utf8mb4, o varchar(4000) CHARACTER SET utf8mb4, a bigint, c char(10), b datetime(6))
BEGIN INSERT INTO base (name, nick, note, age, active, born) VALUES (n, k, coalesce(o, ''), a, c, b); SELECT LAST_INSERT_ID() AS id; END;
CREATE PROCEDURE alter_person(i integer, n varchar(600) CHARACTER SET utf8mb4, k text CHARACTER SET utf8mb4, o varchar(4000) CHARACTER SET utf8mb4, a bigint, c char(10), b datetime(6))
BEGIN UPDATE base SET name = n, nick = k, note = coalesce(o, ''), age = a, active = c, born = b WHERE id = i; END;
CREATE PROCEDURE drop_person(i integer) DELETE FROM base WHERE id = i;
CREATE PROCEDURE join_team(i integer, t varchar(200) CHARACTER SET utf8mb4) INSERT INTO team_of VALUES (i, t);
CREATE PROCEDURE leave_team(i integer, t varchar(200) CHARACTER SET utf8mb4)
BEGIN DELETE FROM team_of WHERE person_id = i AND team_id = t; IF ROW_COUNT() = 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not in it'; END IF; END;
`

func TestOwnMariaSuite(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		t.Run(map[bool]string{false: "bare", true: "guarded"}[guarded], func(t *testing.T) {
			dsn := myDatabase(t, ownMaria)
			raw := myRaw(t, dsn)
			own := ownOf(t, dsn, suiteOwn("CALL hire(:name, :nick, :note, :age, :active, :born) -> row.id"))
			adaptertest.Run(t, adaptertest.Harness{Fields: suiteFields, Brief: true, New: func(t testing.TB) adapters.Adapter {
				if _, err := raw.Exec("DELETE FROM base"); err != nil {
					t.Fatal(err)
				}
				a := table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), sql.Table{Name: "person", Key: []string{"id"}, Own: own, Relations: []sql.Relation{ownRelation}}, suiteShape...)
				if guarded {
					return guard.Wrap(a, "legacy", guard.Options{Timeout: time.Minute})
				}
				return a
			}})
		})
	}
}

// Statements on a view whose triggers write, members of a table of their own that are
// written by derived statements, and elements that are, too.
const ownSQLite = `
CREATE TABLE base (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, nick TEXT, note TEXT NOT NULL DEFAULT '', age INTEGER, active TEXT, born DATETIME);
CREATE TABLE person_teams (person_id INTEGER NOT NULL, team_id TEXT NOT NULL, PRIMARY KEY (person_id, team_id));
CREATE VIEW person AS SELECT * FROM base;
CREATE TRIGGER hire INSTEAD OF INSERT ON person BEGIN
	INSERT INTO base (name, nick, note, age, active, born) VALUES (new.name, new.nick, coalesce(new.note, ''), new.age, new.active, new.born); END;
CREATE TRIGGER change INSTEAD OF UPDATE ON person BEGIN
	UPDATE base SET name = new.name, nick = new.nick, note = coalesce(new.note, ''), age = new.age, active = new.active, born = new.born WHERE id = old.id; END;
CREATE TRIGGER leave INSTEAD OF DELETE ON person BEGIN DELETE FROM person_teams WHERE person_id = old.id; DELETE FROM base WHERE id = old.id; END;
CREATE TABLE contact (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, value TEXT, kind TEXT, rank INTEGER);
`

func TestOwnSQLiteSuite(t *testing.T) {
	shape := append(suiteShape[:len(suiteShape):len(suiteShape)], "emails")
	own := ownOf(t, "sqlite:", sql.OwnTarget{Lists: []string{"teams", "emails"}, Target: steps.Target[sql.Step]{Fields: shape, Key: []string{"id"},
		Create: stepsOf("INSERT INTO person (name, nick, note, age, active, born) VALUES (:name, :nick, :note, :age, :active, :born)", "SELECT id FROM person WHERE name = :name -> row.id"),
		Update: stepsOf("UPDATE person SET name = :name, nick = :nick, note = :note, age = :age, active = :active, born = :born WHERE id = :id"),
		Delete: stepsOf("DELETE FROM person WHERE id = :id;"),
	}})
	fields := suiteFields
	fields.Emails = "emails"
	children := []sql.Child{{Field: "emails", Table: "contact", Owner: []string{"person_id"}, Key: []string{"id"}, Shape: adapters.NewShape("value", "kind", "rank")}}
	for _, guarded := range []bool{false, true} {
		t.Run(map[bool]string{false: "bare", true: "guarded"}[guarded], func(t *testing.T) {
			adaptertest.Run(t, adaptertest.Harness{Fields: fields, Brief: true, New: func(t testing.TB) adapters.Adapter {
				a := table(t, open(t, "PRAGMA journal_mode = WAL;"+ownSQLite), sql.Table{Name: "person", Key: []string{"id"}, Own: own, Relations: []sql.Relation{ownRelation}, Children: children}, shape...)
				if guarded {
					return guard.Wrap(a, "legacy", guard.Options{Timeout: time.Minute})
				}
				return a
			}})
		})
	}
}
