package sql_test

import (
	stdsql "database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/internal/testdb"
	"github.com/postern/postern/scim/filter"
)

var schemas atomic.Int64

// pgSchema makes a schema of the test's own, runs a script in it, and answers the
// dsn that looks there.
func pgSchema(t testing.TB, script string) string {
	t.Helper()
	dsn := testdb.Postgres(t)
	admin := pgRaw(t, dsn)
	name := fmt.Sprintf("postern_%d_%d", schemas.Add(1), testdb.Unique())
	if _, err := admin.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name+",public")
	u.RawQuery = q.Encode()
	if _, err := pgRaw(t, u.String()).Exec(script); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

func pgRaw(t testing.TB, dsn string) *stdsql.DB {
	t.Helper()
	raw, err := stdsql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

// TestPostgresVersion says what the tests ran against.
func TestPostgresVersion(t *testing.T) {
	var version string
	if err := pgRaw(t, testdb.Postgres(t)).QueryRow("SELECT version()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	t.Log(version)
}

// TestPostgresSuite runs the conformance suite on the ways in which tables are
// made, bare and guarded.
func TestPostgresSuite(t *testing.T) {
	const columns = `, note varchar NOT NULL DEFAULT '', age bigint, active char(10), born timestamptz`
	const members = `CREATE TABLE person_team (person_id %s NOT NULL, team_id text NOT NULL);
		CREATE INDEX ON person_team (person_id, team_id);`
	relation := sql.Relation{Field: "teams", Table: "person_team", Owner: "person_id", Member: "team_id"}
	toTeams := relation
	toTeams.Refers = &sql.Target{Table: "team", Key: "id", Where: &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("secret")}}
	scope := filter.Not{Term: &filter.Compare{Name: "active", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("builtin")}}
	for name, c := range map[string]struct {
		script  string
		spec    sql.Table
		harness adaptertest.Harness
		guarded bool
	}{
		"identity": {
			script: `CREATE TABLE person (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, nick text` + columns + `);
				CREATE UNIQUE INDEX person_name ON person (md5(name)); CREATE INDEX ON person (lower(nick)); ` + fmt.Sprintf(members, "integer"),
			spec: sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{relation}},
		},
		"serial, folded, scope and members that refer": {
			script: `CREATE TABLE person (id bigserial PRIMARY KEY, name text NOT NULL, nick text COLLATE "C"` + columns + `);
				CREATE UNIQUE INDEX person_name ON person (lower(name)); CREATE INDEX ON person (nick);` + fmt.Sprintf(members, "bigint") +
				`CREATE INDEX ON person_team (team_id); CREATE TABLE team (id integer PRIMARY KEY, kind text); INSERT INTO team SELECT g FROM generate_series(1, 200) AS g`,
			spec:    sql.Table{Name: "person", Key: []string{"id"}, Where: scope, Relations: []sql.Relation{toTeams}},
			harness: adaptertest.Harness{FoldedUnique: true},
		},
		"given keys, guarded": {
			script: `CREATE TABLE person (id text PRIMARY KEY, name text NOT NULL UNIQUE, nick text` + columns + `);` + fmt.Sprintf(members, "text"),
			spec:   sql.Table{Name: "person", Key: []string{"id"}, Generated: ptr(false), Relations: []sql.Relation{relation}}, guarded: true,
			harness: adaptertest.Harness{OddKeys: true},
		},
		"uuid": {
			script: `CREATE SEQUENCE person_id_seq; CREATE TABLE person (id uuid PRIMARY KEY DEFAULT lpad(to_hex(nextval('person_id_seq')), 32, '0')::uuid, name text NOT NULL, nick text` + columns + `);
				CREATE UNIQUE INDEX person_name ON person (md5(name)); ` + fmt.Sprintf(members, "uuid"),
			spec: sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{relation}},
		},
		"key from name": {
			script:  `CREATE TABLE person (name text PRIMARY KEY, nick text` + columns + `);` + fmt.Sprintf(members, "text"),
			spec:    sql.Table{Name: "person", Key: []string{"name"}, Generated: ptr(false), Relations: []sql.Relation{relation}},
			harness: adaptertest.Harness{KeyFrom: "name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.harness
			h.Fields = suiteFields
			h.Brief = name != "identity"
			dsn := pgSchema(t, c.script)
			raw := pgRaw(t, dsn)
			h.New = func(t testing.TB) adapters.Adapter {
				truncate := "TRUNCATE person, person_team RESTART IDENTITY"
				if _, err := raw.Exec(truncate); err != nil {
					t.Fatal(err)
				}
				a := table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), c.spec, suiteShape...)
				if c.guarded {
					return guard.Wrap(a, "legacy", guard.Options{})
				}
				return a
			}
			adaptertest.Run(t, h)
		})
	}
}

// pgOdd has a column of each type that is treated in a way of its own.
const pgOdd = `
CREATE COLLATION strange (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE odd (
	id integer PRIMARY KEY,
	plain text, bytewise varchar(4000) COLLATE "C", lowered text, uppered text, padded char(60), small name, nondet text COLLATE strange,
	number bigint, short smallint, whole numeric(10, 0), decimal numeric, double double precision, bool boolean, bytes bytea,
	stamp timestamp, stamptz timestamptz, day date, uid uuid, "Or%der" text
);
CREATE INDEX ON odd (bytewise); CREATE INDEX ON odd (lower(lowered)); CREATE INDEX ON odd (upper(uppered));
CREATE INDEX ON odd (plain text_pattern_ops); CREATE INDEX ON odd (number); CREATE INDEX ON odd (stamptz);
`

var pgOddColumns = []string{"id", "plain", "bytewise", "lowered", "uppered", "padded", "small", "nondet", "number", "short", "whole", "decimal",
	"double", "bool", "bytes", "stamp", "stamptz", "day", "uid", "Or%der"}

// pgOddTable puts each nasty value into each column that takes it.
func pgOddTable(t testing.TB) (*sql.Adapter, []adapters.Record) {
	t.Helper()
	dsn := pgSchema(t, pgOdd)
	raw := pgRaw(t, dsn)
	if _, err := raw.Exec("INSERT INTO odd SELECT g FROM generate_series(1, $1::int) AS g", len(nasty)); err != nil {
		t.Fatal(err)
	}
	extra := map[string][]string{
		"stamp": {"infinity", "-infinity", "0044-03-15 12:00:00 BC", "2024-01-01 10:00:00.123456"}, "day": {"2024-01-01", "infinity"},
		"stamptz": {"infinity", "12000-01-01 00:00:00+00", "2024-01-01 10:00:00.5+00"}, "double": {"NaN", "Infinity", "1e300"},
		"uid": {"0d5b7c4e-94a4-4f5d-9a20-5b7d3d3f5a11"}, "number": {"7", "1001"},
	}
	taken := map[string]int{}
	for j, name := range pgOddColumns[1:] {
		put := func(id int, v any) {
			if _, err := raw.Exec(`UPDATE odd SET "`+name+`" = $1::text::`+pgTypes[name]+` WHERE id = $2`, v, id); err == nil {
				taken[name]++
			}
		}
		for i := range nasty {
			v := nasty[(i+j*17)%len(nasty)]
			if v == nil {
				continue
			}
			text := adapters.Text(v)
			if name == "bytes" {
				text = `\x` + fmt.Sprintf("%x", text)
			}
			put(i+1, text)
		}
		for i, text := range extra[name] {
			put(i*3+1, text)
		}
	}
	for name, n := range taken {
		if n == 0 {
			t.Errorf("%s holds nothing", name)
		}
	}
	db := open(t, "", func(c *sql.Config) { c.DSN = dsn })
	a := table(t, db, sql.Table{Name: "odd", Key: []string{"id"}}, pgOddColumns...)
	page, err := a.List(t.Context(), adapters.Query{Limit: 10000, Want: adapters.AllFields})
	if err != nil || len(page.Records) != len(nasty) {
		t.Fatalf("%d records, %v", len(page.Records), err)
	}
	return a, page.Records
}

var pgTypes = map[string]string{"plain": "text", "bytewise": "text", "lowered": "text", "uppered": "text", "padded": "text", "small": "name", "nondet": "text",
	"number": "bigint", "short": "smallint", "whole": "numeric(10,0)", "decimal": "numeric", "double": "double precision", "bool": "boolean", "bytes": "bytea",
	"stamp": "timestamp", "stamptz": "timestamptz", "day": "date", "uid": "uuid", "Or%der": "text"}

// TestPostgresFilterTable (F-34) is TestFilterTable on PostgreSQL.
func TestPostgresFilterTable(t *testing.T) {
	a, records := pgOddTable(t)
	filterTable(t, a, records, pgOddColumns)
}

// TestPostgresSortTable (O-03, O-05, O-08) is TestSortTable on PostgreSQL.
func TestPostgresSortTable(t *testing.T) {
	a, records := pgOddTable(t)
	sortTable(t, a, records, pgOddColumns, func(name string, m filter.Match) bool {
		return m == filter.DateTime && !strings.HasPrefix(name, "stamp") || name == "bytes" && m != filter.Exact
	})
}

// TestPostgresFilterRandom (F-34) is TestFilterRandom on PostgreSQL.
func TestPostgresFilterRandom(t *testing.T) {
	a, records := pgOddTable(t)
	filterRandom(t, a, records, pgOddColumns)
}
