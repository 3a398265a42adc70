package sql_test

import (
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
)

// TestTexts: a record that gets another key gets it where texts name it, all else in
// them stays as it was, and a text that somebody else has changed is not written.
func TestTexts(t *testing.T) {
	const script = `CREATE TABLE person (login varchar(40) NOT NULL PRIMARY KEY, dest varchar(80));
CREATE TABLE alias (address varchar(40) NOT NULL PRIMARY KEY, dest varchar(80));
INSERT INTO person VALUES ('ada', 'ada, out'), ('bob', NULL);
INSERT INTO alias VALUES ('a', ' x, ada,y,ada ,'), ('b', 'adam,xada'), ('c', NULL), ('d', 'Ada'), ('e', ' x, ada,y,ada ,');`
	people := sql.Table{Name: "person", Key: []string{"login"}, Texts: []sql.Text{{Field: "dest", Separator: ",", Table: "person", Key: "login"}}}
	groups := sql.Table{Name: "alias", Key: []string{"address"}, Texts: []sql.Text{{Field: "dest", Separator: ",", Table: "person", Key: "login"}}}
	test := func(t *testing.T, db *sql.Database) {
		g := table(t, db, groups, "address", "dest")
		table(t, db, groups, "address", "dest") // as the one without a scope
		p := table(t, db, people, "login", "dest")
		change := func(a *sql.Adapter, key adapters.Key, field string, old, is any) (adapters.Record, error) {
			return a.Update(ctx, key, adapters.Delta{Set: []adapters.Change{{Field: field, Old: old, New: is}}}, adapters.AllFields)
		}
		if r, err := change(p, "ada", "login", "ada", "eva"); err != nil || r.Key != "eva" {
			t.Fatal(r, err)
		}
		for key, want := range map[adapters.Key]string{"a": " x, eva,y,eva ,", "b": "adam,xada", "c": "", "d": "Ada", "e": " x, eva,y,eva ,"} {
			if r, err := g.Get(ctx, key, adapters.AllFields); err != nil || adapters.Text(r.Get("dest")) != want {
				t.Errorf("%s: %q, want %q; %v", key, r.Get("dest"), want, err)
			}
		}
		if r, err := p.Get(ctx, "eva", adapters.AllFields); err != nil || adapters.Text(r.Get("dest")) != "eva, out" {
			t.Errorf("the record's own text: %q %v", r.Get("dest"), err)
		}
		if _, err := change(p, "eva", "login", "eva", "e,va"); !adapters.Is(err, adapters.Invalid) {
			t.Errorf("a key with the separator: %v", err)
		}
		if _, err := p.Get(ctx, "eva", adapters.AllFields); err != nil {
			t.Error(err)
		}
		if _, err := change(p, "bob", "login", "bob", "b,ob"); err != nil {
			t.Errorf("of one whom no text names: %v", err)
		}
		if _, err := change(g, "a", "dest", "x, eva,y,eva,", "z"); !adapters.Is(err, adapters.Conflict) {
			t.Errorf("a text that is another by now: %v", err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, script)) })
	t.Run("postgres", func(t *testing.T) {
		dsn := pgSchema(t, script)
		test(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }))
	})
}
