package sql_test

import (
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
)

// A record that is spread over six tables: a row of its own, one beside it, one
// row per attribute, a look-up that makes what is missing, a join table, and
// contacts that share a table with others'.
var spread = sql.Table{
	Name: "person", Key: []string{"id"},
	Fixed:     []sql.Fixed{{Column: "kind", Value: "person"}},
	Sides:     []sql.Side{{Name: "extra", Table: "person_extra", On: []string{"person_id"}}, {Name: "attr", Table: "person_attr", On: []string{"person_id"}, Names: "name", Values: "val"}},
	Lookups:   []sql.Lookup{{Field: "state_id>code", Column: "state_id", Table: "state", Key: "id", Name: "code", Create: true}},
	Relations: []sql.Relation{{Field: "teams", Table: "person_team", Owner: "person_id", Member: "team_id"}},
	Children: []sql.Child{{Field: "emails", Table: "contact", Owner: []string{"person_id"}, Where: []sql.Fixed{{Column: "medium", Value: "mail"}}, Order: "pos",
		Shape: adapters.NewShape("value", "kind", "rank"), Lookups: []sql.Lookup{{Field: "kind", Column: "kind_id", Table: "contact_kind", Key: "id", Name: "code", Create: true}}}},
}

var spreadFields = adaptertest.Fields{Name: "name", Nick: "extra.nick", Note: "attr.note", Age: "age", Active: "state_id>code", Born: "extra.born", Members: "teams", Emails: "emails"}

var spreadShape = []string{"name", "extra.nick", "attr.note", "age", "state_id>code", "extra.born", "teams", "emails"}

const spreadSQLite = `
CREATE TABLE state (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL UNIQUE, age INTEGER, state_id INTEGER REFERENCES state (id));
CREATE TABLE person_extra (person_id INTEGER PRIMARY KEY REFERENCES person (id) ON UPDATE CASCADE, nick TEXT COLLATE NOCASE, born DATETIME, shoe_size INTEGER DEFAULT 40);
CREATE INDEX person_extra_nick ON person_extra (nick);
CREATE TABLE person_attr (person_id INTEGER NOT NULL REFERENCES person (id), name TEXT NOT NULL, val TEXT, PRIMARY KEY (person_id, name)) WITHOUT ROWID;
CREATE TABLE person_team (person_id INTEGER NOT NULL REFERENCES person (id), team_id TEXT NOT NULL, PRIMARY KEY (person_id, team_id));
CREATE TABLE contact_kind (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
CREATE TABLE contact (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person (id), medium TEXT NOT NULL, pos INTEGER NOT NULL,
	value TEXT, kind_id INTEGER REFERENCES contact_kind (id), rank INTEGER, remark TEXT DEFAULT 'none', UNIQUE (person_id, medium, pos));
CREATE INDEX contact_value ON contact (value);
`

func TestSpreadSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Fields: spreadFields,
		New: func(t testing.TB) adapters.Adapter {
			return table(t, open(t, "PRAGMA journal_mode = WAL;"+spreadSQLite), spread, spreadShape...)
		},
	})
}

const spreadPostgres = `
CREATE TABLE state (id serial PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE person (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind varchar(10) NOT NULL, name text NOT NULL, age bigint, state_id integer REFERENCES state (id));
CREATE UNIQUE INDEX person_name ON person (md5(name));
CREATE TABLE person_extra (person_id integer PRIMARY KEY REFERENCES person (id) ON UPDATE CASCADE, nick text, born timestamptz, shoe_size smallint DEFAULT 40);
CREATE INDEX ON person_extra (lower(nick));
CREATE TABLE person_attr (person_id integer NOT NULL REFERENCES person (id), name text NOT NULL, val text, PRIMARY KEY (person_id, name));
CREATE TABLE person_team (person_id integer NOT NULL REFERENCES person (id), team_id text NOT NULL, PRIMARY KEY (person_id, team_id));
CREATE TABLE contact_kind (id serial PRIMARY KEY, code text UNIQUE);
CREATE TABLE contact (id bigserial PRIMARY KEY, person_id integer NOT NULL REFERENCES person (id), medium char(6) NOT NULL, pos smallint NOT NULL,
	value text, kind_id integer REFERENCES contact_kind (id), rank bigint, remark text DEFAULT 'none', UNIQUE (person_id, medium, pos));
CREATE INDEX ON contact (lower(value));
`

func TestPostgresSpreadSuite(t *testing.T) {
	dsn := pgSchema(t, spreadPostgres)
	raw := pgRaw(t, dsn)
	adaptertest.Run(t, adaptertest.Harness{
		Fields: spreadFields, Brief: true,
		New: func(t testing.TB) adapters.Adapter {
			if _, err := raw.Exec("TRUNCATE person, person_extra, person_attr, person_team, contact, contact_kind, state RESTART IDENTITY"); err != nil {
				t.Fatal(err)
			}
			a := table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), spread, spreadShape...)
			return guard.Wrap(a, "legacy", guard.Options{Cache: time.Minute})
		},
	})
}
