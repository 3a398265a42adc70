package route_test

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"hash/fnv"
	"maps"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/route"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/internal/testdb"
)

// The suite's records know no places: scattered puts them here and there, and hides
// the field that says where.
type scattered struct {
	*route.Adapter
	by func(adapters.Record) string
}

func (s scattered) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	r = r.Clone()
	r.Set(adapters.PlaceField, s.by(r))
	return s.Adapter.Create(ctx, r, want)
}

// byName spreads records over two places, about as many in each.
func byName(r adapters.Record) string {
	h := fnv.New32()
	h.Write([]byte(adapters.Text(r.Get("name"))))
	return map[bool]string{true: "other"}[h.Sum32()%2 == 1]
}

var names = map[string]string{"nick": "nickname", "age": "years"}

func fields(rel *memory.Relation, rename bool) []memory.Field {
	out := []memory.Field{{Name: "name"}, {Name: "nick"}, {Name: "note", Costly: true}, {Name: "age"}, {Name: "active"}, {Name: "born"},
		{Name: "members", Relation: rel}, {Name: "emails", Parts: []string{"value", "kind", "rank"}, Costly: true}}
	for i, f := range out {
		if n := names[f.Name]; rename && n != "" {
			out[i].Name = n
		}
	}
	return out
}

func shape() *adapters.Shape {
	return adapters.NewShape("name", "nick", "note", "age", "active", "born", "members", "emails", adapters.PlaceField)
}

// memories joins two places of package memory.
func memories(change func(o *memory.Options)) func(testing.TB) adapters.Adapter {
	return func(testing.TB) adapters.Adapter {
		home, other := memory.Options{Fields: fields(memory.NewRelation(), false)}, memory.Options{Fields: fields(memory.NewRelation(), true)}
		change(&home)
		change(&other)
		return scattered{route.New(shape(), route.Place{Adapter: memory.New(home)},
			route.Place{Name: "other", Adapter: memory.New(other), Names: names}), byName}
	}
}

func harness(make func(testing.TB) adapters.Adapter) adaptertest.Harness {
	f := adaptertest.StandardFields
	f.Born, f.Emails = "born", "emails"
	return adaptertest.Harness{New: make, Fields: f, Brief: true}
}

// TestSuite joins memory and memory.
func TestSuite(t *testing.T) {
	for name, restrict := range map[string][]func(*adapters.Capabilities){
		"whole":       nil,
		"cursor only": {memory.CursorOnly},
		"almost none": {memory.NoFilters, memory.NoSort, memory.NoTotal, memory.CursorOnly, memory.NoDelta},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, harness(memories(func(o *memory.Options) { o.Restrict = restrict })))
		})
	}
	// One place can less than the other.
	t.Run("uneven", func(t *testing.T) {
		adaptertest.Run(t, harness(memories(func(o *memory.Options) {
			if o.Fields[1].Name != "nick" {
				o.Restrict = []func(*adapters.Capabilities){memory.OnlyEq, memory.NoDelta}
			}
		})))
	})
}

const schema = `
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, nick TEXT, note TEXT, age INTEGER, active TEXT, born TEXT);
CREATE TABLE partner (no INTEGER PRIMARY KEY, name TEXT NOT NULL, nickname TEXT, note TEXT, years INTEGER, active TEXT, born TEXT);
`

// database is one SQLite file with a table of it.
func database(t testing.TB, table, key string, columns *adapters.Shape) adapters.Adapter {
	db, err := sql.Open(sql.Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "app.db"), Init: schema})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a, err := db.Table(sql.Table{Name: table, Key: []string{key}}, columns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestSuiteSQL joins databases: two SQLite files, and a file and PostgreSQL, which is
// guarded.
func TestSuiteSQL(t *testing.T) {
	home := func(t testing.TB) adapters.Adapter {
		return database(t, "person", "id", adapters.NewShape("name", "nick", "note", "age", "active", "born"))
	}
	partner := adapters.NewShape("name", "nickname", "note", "years", "active", "born")
	for name, other := range map[string]func(testing.TB) (home, other adapters.Adapter){
		"SQLite": func(t testing.TB) (_, _ adapters.Adapter) { return home(t), database(t, "partner", "no", partner) },
		"PostgreSQL, and guarded": func(t testing.TB) (_, _ adapters.Adapter) {
			return guard.New("home", guard.Options{}).Wrap(home(t)), guard.New("other", guard.Options{}).Wrap(postgres(t, partner))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(func(t testing.TB) adapters.Adapter {
				home, other := other(t)
				all := adapters.NewShape("name", "nick", "note", "age", "active", "born", adapters.PlaceField)
				return scattered{route.New(all, route.Place{Adapter: home},
					route.Place{Name: "other", Adapter: other, Names: maps.Clone(names)}), byName}
			})
			h.Fields.Members, h.Fields.Emails, h.Fields.Born = "", "", ""
			adaptertest.Run(t, h)
		})
	}
}

// postgres is a table in a schema of its own.
func postgres(t testing.TB, columns *adapters.Shape) adapters.Adapter {
	server := testdb.Postgres(t)
	raw, err := stdsql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("route_%d", testdb.Unique())
	for _, s := range []string{"CREATE SCHEMA " + name, "CREATE TABLE " + name + ".partner (no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, nickname text, " +
		"note text, years bigint, active text, born timestamptz)"} {
		if _, err := raw.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	db, err := sql.Open(sql.Config{DSN: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		_, _ = raw.Exec("DROP SCHEMA " + name + " CASCADE")
		raw.Close()
	})
	a, err := db.Table(sql.Table{Name: "partner", Key: []string{"no"}}, columns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
