package sql_test

import (
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// Whom 2 refers to is shown, whom 4 refers to is out of scope, and whom 5 refers to
// is not there.
const referenceRows = `
INSERT INTO person (id, name, boss, kind) VALUES (1, 'ada', NULL, 'staff'), (2, 'alan', 1, 'staff'), (3, 'root', NULL, 'builtin'),
	(4, 'grace', 3, 'staff'), (5, 'mei', 999, 'staff'), (6, 'zoe', 2, 'staff');`

// references opens the ways in which a column may refer to a row.
func references(t *testing.T, each func(t *testing.T, a *sql.Adapter, exec func(string))) {
	boss := sql.Reference{Field: "boss", Refers: sql.Target{Table: "person", Key: "id",
		Where: &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("builtin")}}}
	spec := sql.Table{Name: "person", Key: []string{"id"}, Where: boss.Refers.Where, References: []sql.Reference{boss}}
	for name, script := range map[string]string{
		"integers": `CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, boss INTEGER, kind TEXT NOT NULL DEFAULT 'staff');
			CREATE INDEX person_boss ON person (boss);`,
		"text for integers": `CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, boss TEXT, kind TEXT NOT NULL DEFAULT 'staff');`,
		"text":              `CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL, boss TEXT UNIQUE, kind TEXT NOT NULL DEFAULT 'staff');`,
	} {
		t.Run("sqlite, "+name, func(t *testing.T) {
			db := open(t, script+referenceRows)
			each(t, table(t, db, spec, "name", "boss"), func(s string) {
				if err := db.Exec(s); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	for name, script := range map[string]string{
		"integers": `CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, boss bigint, kind text NOT NULL DEFAULT 'staff');
			CREATE INDEX ON person (boss);`,
		"text for integers": `CREATE TABLE person (id bigint PRIMARY KEY, name text NOT NULL, boss varchar(20), kind text NOT NULL DEFAULT 'staff');`,
	} {
		t.Run("postgres, "+name, func(t *testing.T) {
			dsn := pgSchema(t, script+referenceRows)
			raw := pgRaw(t, dsn)
			each(t, table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), spec, "name", "boss"), func(s string) {
				if _, err := raw.Exec(s); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestReferences: whoever is not there, or out of scope, is referred to by nobody.
func TestReferences(t *testing.T) {
	references(t, func(t *testing.T, a *sql.Adapter, _ func(string)) {
		if f := a.Capabilities().Fields[1]; !f.Checked || len(f.Sort) > 0 {
			t.Errorf("declared: %+v", f)
		}
		for key, want := range map[adapters.Key]string{"1": "", "2": "1", "4": "", "5": "", "6": "2"} {
			if r, err := a.Get(ctx, key, adapters.AllFields); err != nil || adapters.Text(r.Get("boss")) != want {
				t.Errorf("%s refers to %q, not to %q: %v", key, adapters.Text(r.Get("boss")), want, err)
			}
		}
		all, err := a.List(ctx, adapters.Query{Limit: 10, Total: true, Want: adapters.AllFields})
		if err != nil || len(all.Records) != 5 {
			t.Fatal(all, err)
		}
		compare := func(op filter.Op, v filter.Value) filter.Expr {
			return &filter.Compare{Name: "boss", Op: op, Match: filter.Exact, Value: v}
		}
		present := &filter.Compare{Name: "boss", Op: filter.Pr, Match: filter.Presence}
		for _, e := range []filter.Expr{
			compare(filter.Eq, filter.StringValue("1")), compare(filter.Eq, filter.StringValue("2")), compare(filter.Eq, filter.StringValue("3")),
			compare(filter.Eq, filter.StringValue("999")), compare(filter.Eq, filter.StringValue("01")), compare(filter.Eq, filter.StringValue("x")),
			compare(filter.Ne, filter.StringValue("1")), compare(filter.Ne, filter.StringValue("3")), compare(filter.Ne, filter.StringValue("")),
			compare(filter.Eq, filter.Value{}), compare(filter.Ne, filter.Value{}), present, filter.Not{Term: present},
			filter.Not{Term: compare(filter.Eq, filter.StringValue("1"))},
			filter.Or{compare(filter.Eq, filter.StringValue("1")), compare(filter.Eq, filter.StringValue("2")), compare(filter.Eq, filter.StringValue("3"))},
			filter.And{compare(filter.Eq, filter.StringValue("2")), eq("name", "zoe", filter.Exact)},
		} {
			var want []adapters.Key
			for _, r := range all.Records {
				if filter.Matches(e, r.Subject()) {
					want = append(want, r.Key)
				}
			}
			pg, err := a.List(ctx, adapters.Query{Filter: e, Limit: 10, Total: true})
			var got []adapters.Key
			for _, r := range pg.Records {
				got = append(got, r.Key)
			}
			if err != nil || !slices.Equal(got, want) || pg.Total != len(want) {
				t.Errorf("%s: %v of %d, not %v: %v", filter.Print(e), got, pg.Total, want, err)
			}
		}
	})
}

// TestReferenceWrites: nobody can be made to refer to whoever does not count, and a
// change counts only while the reference is what it was when it was read.
func TestReferenceWrites(t *testing.T) {
	references(t, func(t *testing.T, a *sql.Adapter, exec func(string)) {
		change := func(key adapters.Key, old, now any) (string, error) {
			r, err := a.Update(ctx, key, one("boss", old, now), adapters.AllFields)
			return adapters.Text(r.Get("boss")), err
		}
		for _, to := range []string{"3", "999", "01", "x"} {
			_, err := a.Create(ctx, record(a, "9", map[string]any{"name": "new", "boss": to}), adapters.AllFields)
			isFailure(t, "create with "+to, err, adapters.Invalid, "boss")
			_, err = change("1", nil, to)
			isFailure(t, "update to "+to, err, adapters.Invalid, "boss")
		}
		if _, err := a.Get(ctx, "9", adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
			t.Errorf("what refers to nobody was created: %v", err)
		}
		if r, err := a.Create(ctx, record(a, "9", map[string]any{"name": "new", "boss": "6"}), adapters.AllFields); err != nil || adapters.Text(r.Get("boss")) != "6" {
			t.Errorf("create: %v, %v", r.Values(), err)
		}
		if got, err := change("4", nil, "5"); err != nil || got != "5" {
			t.Errorf("in place of one who does not count: %q, %v", got, err)
		}
		_, err := change("4", nil, "9")
		isFailure(t, "no longer without", err, adapters.Conflict, "")
		if got, err := change("9", "6", nil); err != nil || got != "" {
			t.Errorf("taken away: %q, %v", got, err)
		}
		exec("UPDATE person SET kind = 'builtin' WHERE id = '5'")
		_, err = change("4", "5", "9")
		isFailure(t, "out of scope meanwhile", err, adapters.Conflict, "")
		if got, err := change("4", nil, "9"); err != nil || got != "9" {
			t.Errorf("read again: %q, %v", got, err)
		}
		exec("DELETE FROM person WHERE id = '2'")
		_, err = change("6", "2", "4")
		isFailure(t, "gone meanwhile", err, adapters.Conflict, "")
	})
}

func isFailure(t *testing.T, what string, err error, kind adapters.Kind, field string) {
	t.Helper()
	e, ok := err.(*adapters.Error)
	if !ok || e.Kind != kind || e.Field != field {
		t.Errorf("%s: %v, not %v of %q", what, err, kind, field)
	}
}

// TestReferenceMistakes: what no reference can be.
func TestReferenceMistakes(t *testing.T) {
	db := open(t, "CREATE TABLE person (id INTEGER PRIMARY KEY, boss INTEGER)")
	for _, field := range []string{"id", "nobody"} {
		if _, err := db.Table(sql.Table{Name: "person", Key: []string{"id"},
			References: []sql.Reference{{Field: field, Refers: sql.Target{Table: "person", Key: "id"}}}}, adapters.NewShape("id", "boss")); err == nil {
			t.Errorf("%s is taken for a reference", field)
		}
	}
}
