package sql_test

import (
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

const stampedScript = `
CREATE TABLE person (id INTEGER PRIMARY KEY, login TEXT UNIQUE, kind TEXT, made_at TIMESTAMP, made_by TEXT, changed_at TIMESTAMP, changed_by TEXT, gone INTEGER DEFAULT 0);
CREATE TABLE mail (id INTEGER PRIMARY KEY, person_id INTEGER, address TEXT);
INSERT INTO person (id, login, kind) VALUES (7, 'robot', 'machine');
`

var stampedTable = sql.Table{Name: "person", Key: []string{"id"},
	Fixed:    []sql.Fixed{{Column: "kind", Value: "human"}},
	Where:    &filter.Compare{Name: "gone", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("0")},
	Children: []sql.Child{{Field: "mails", Table: "mail", Owner: []string{"person_id"}, Shape: adapters.NewShape("address")}},
	Stamps: sql.Stamps{
		Create: []sql.Stamp{{Column: "made_at", Kind: sql.StampNow}, {Column: "made_by", Kind: sql.StampClient}},
		Change: []sql.Stamp{{Column: "changed_at", Kind: sql.StampNow}, {Column: "changed_by", Kind: sql.StampClient}},
		Delete: []sql.Stamp{{Column: "gone", Value: "1"}},
	}}

// stamped is what every kind of database must do with stamps, rows that are marked
// instead of deleted, and columns that hold one value.
func stamped(t *testing.T, db *sql.Database) {
	a := table(t, db, stampedTable, "login", "mails")
	all := table(t, db, sql.Table{Name: "person", Key: []string{"id"}}, "login", "kind", "made_at", "made_by", "changed_at", "changed_by", "gone")
	by := func(name string) (as func() adapters.Record, key adapters.Key) {
		made, err := a.Create(adapters.ForClient(ctx, name), record(a, "", map[string]any{"login": name}), adapters.AllFields)
		if err != nil {
			t.Fatal(err)
		}
		return func() adapters.Record {
			r, err := all.Get(ctx, made.Key, adapters.AllFields)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, made.Key
	}
	wants := func(what string, r adapters.Record, want map[string]any) {
		t.Helper()
		for name, v := range want {
			if got := adapters.Text(r.Get(name)); got != adapters.Text(v) {
				t.Errorf("%s: %s is %q, want %v", what, name, got, v)
			}
		}
		for _, name := range []string{"made_at", "changed_at"} {
			if at, ok := r.Get(name).(time.Time); !ok || time.Since(at) > time.Hour || time.Until(at) > time.Hour {
				t.Errorf("%s: %s is %v", what, name, r.Get(name))
			}
		}
	}
	now, key := by("entra")
	wants("create", now(), map[string]any{"kind": "human", "made_by": "entra", "changed_by": "entra", "gone": int64(0)})
	if _, err := a.Update(adapters.ForClient(ctx, "okta"), key, adapters.Delta{Set: []adapters.Change{{Field: "login", Old: "entra", New: "x"}}}, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	wants("update", now(), map[string]any{"login": "x", "made_by": "entra", "changed_by": "okta"})
	mail := adapters.NewRecord(adapters.NewShape("address"), "")
	mail.Set("address", "a@x")
	if _, err := a.Update(adapters.ForClient(ctx, "third"), key, adapters.Delta{Set: []adapters.Change{{Field: "mails", New: []adapters.Record{mail}}}}, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	wants("update of rows alone", now(), map[string]any{"changed_by": "third"})
	if _, err := a.Update(adapters.ForClient(ctx, "nobody"), key, adapters.Delta{}, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	wants("update of nothing", now(), map[string]any{"changed_by": "third"})
	if err := a.Delete(adapters.ForClient(ctx, "last"), key); err != nil {
		t.Fatal(err)
	}
	wants("delete", now(), map[string]any{"login": "x", "gone": int64(1), "changed_by": "last"})
	if _, err := a.Get(ctx, key, adapters.Fields{}); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("get after delete: %v", err)
	}
	if err := a.Delete(ctx, key); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("delete after delete: %v", err)
	}
	if _, err := a.Get(ctx, "7", adapters.Fields{}); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("a row of another kind: %v", err)
	}
	blind := stampedTable
	blind.Where = nil
	b := table(t, db, blind, "login", "mails")
	_, other := by("again")
	if err := b.Delete(ctx, other); !adapters.Is(err, adapters.Internal) {
		t.Errorf("a mark that hides nothing: %v", err)
	}
	if r, err := all.Get(ctx, other, adapters.AllFields); err != nil || adapters.Text(r.Get("gone")) != "0" {
		t.Errorf("after a refusal the row is marked: %v", err)
	}
}

func TestStamps(t *testing.T) { stamped(t, open(t, stampedScript)) }

func TestPostgresStamps(t *testing.T) {
	dsn := pgSchema(t, `CREATE TABLE person (id serial PRIMARY KEY, login text UNIQUE, kind char(8), made_at timestamptz, made_by text, changed_at timestamp, changed_by text, gone integer DEFAULT 0);
CREATE TABLE mail (id serial PRIMARY KEY, person_id integer, address text);
INSERT INTO person (id, login, kind) VALUES (7, 'robot', 'machine');`)
	stamped(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }))
}
