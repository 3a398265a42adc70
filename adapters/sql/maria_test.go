package sql_test

import (
	stdsql "database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/internal/testdb"
	"github.com/postern/postern/scim/filter"
)

// myDatabase makes a database of the test's own, runs a script in it, and answers
// its dsn.
func myDatabase(t testing.TB, script string) string {
	t.Helper()
	dsn := testdb.MariaDB(t)
	name := fmt.Sprintf("postern_%d_%d", schemas.Add(1), testdb.Unique())
	admin := myRaw(t, dsn)
	if _, err := admin.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	if _, err := myRaw(t, u.String()).Exec(script); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// myRaw is the database as another program sees it, of the oldest manners: what
// does not fit is made fit.
func myRaw(t testing.TB, dsn string) *stdsql.DB {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	cfg.MultiStatements, cfg.InterpolateParams = true, true
	cfg.Params = map[string]string{"sql_mode": "'ALLOW_INVALID_DATES'", "time_zone": "'+00:00'"}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	raw := stdsql.OpenDB(c)
	t.Cleanup(func() { raw.Close() })
	return raw
}

// TestMariaVersion says what the tests ran against.
func TestMariaVersion(t *testing.T) {
	var version string
	if err := myRaw(t, testdb.MariaDB(t)).QueryRow("SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	t.Log(version)
}

// TestMariaSuite runs the conformance suite on the ways in which tables are made,
// bare and guarded.
func TestMariaSuite(t *testing.T) {
	const columns = `, note varchar(4000) NOT NULL DEFAULT '', age bigint, active char(10), born datetime(6)`
	const bytewise = ` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`
	const members = `CREATE TABLE person_team (person_id %s NOT NULL, team_id varchar(200)` + bytewise + ` NOT NULL, INDEX (person_id, team_id));`
	relation := sql.Relation{Field: "teams", Table: "person_team", Owner: "person_id", Member: "team_id"}
	toTeams := relation
	toTeams.Refers = &sql.Target{Table: "team", Key: "id", Where: &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("secret")}}
	scope := filter.Not{Term: &filter.Compare{Name: "active", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("builtin")}}
	for name, c := range map[string]struct {
		script  string
		spec    sql.Table
		harness adaptertest.Harness
		guarded bool
		plain   bool
	}{
		"counted": {
			script: `CREATE TABLE person (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(600)` + bytewise + ` NOT NULL, nick text` + columns + `, UNIQUE INDEX person_name (name));` + fmt.Sprintf(members, "integer"),
			spec:   sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{relation}},
		},
		"unsigned, folded, scope and members that refer, as MySQL": {
			script: `CREATE TABLE person (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(600)` + bytewise + ` NOT NULL, nick text COLLATE utf8mb4_general_ci` + columns + `, UNIQUE INDEX person_name (name), INDEX (nick (100)));` + fmt.Sprintf(members, "bigint") +
				`CREATE INDEX person_team_member ON person_team (team_id); CREATE TABLE team (id integer PRIMARY KEY, kind text); INSERT INTO team (id) SELECT seq FROM seq_1_to_200;`,
			spec: sql.Table{Name: "person", Key: []string{"id"}, Where: scope, Relations: []sql.Relation{toTeams}}, plain: true,
		},
		"given keys, guarded": {
			script: `CREATE TABLE person (id varchar(700)` + bytewise + ` PRIMARY KEY, name varchar(600)` + bytewise + ` NOT NULL UNIQUE, nick text` + columns + `);` + fmt.Sprintf(members, "varchar(500)"+bytewise),
			spec:   sql.Table{Name: "person", Key: []string{"id"}, Generated: ptr(false), Relations: []sql.Relation{relation}}, guarded: true,
			harness: adaptertest.Harness{OddKeys: true},
		},
		"uuid": {
			script: `CREATE TABLE person (id uuid DEFAULT uuid() PRIMARY KEY, name varchar(600)` + bytewise + ` NOT NULL UNIQUE, nick text` + columns + `);` + fmt.Sprintf(members, "uuid"),
			spec:   sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{relation}},
		},
		"key from name": {
			script:  `CREATE TABLE person (name varchar(600)` + bytewise + ` PRIMARY KEY, nick text` + columns + `);` + fmt.Sprintf(members, "varchar(500)"+bytewise),
			spec:    sql.Table{Name: "person", Key: []string{"name"}, Generated: ptr(false), Relations: []sql.Relation{relation}},
			harness: adaptertest.Harness{KeyFrom: "name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.harness
			h.Fields = suiteFields
			h.Brief = name != "counted"
			dsn := myDatabase(t, c.script)
			raw := myRaw(t, dsn)
			h.New = func(t testing.TB) adapters.Adapter {
				if _, err := raw.Exec("DELETE FROM person; DELETE FROM person_team"); err != nil {
					t.Fatal(err)
				}
				db := open(t, "", func(c *sql.Config) { c.DSN = dsn })
				if c.plain {
					db.AsMySQL()
				}
				a := table(t, db, c.spec, suiteShape...)
				if c.guarded {
					return guard.Wrap(a, "legacy", guard.Options{})
				}
				return a
			}
			adaptertest.Run(t, h)
		})
	}
}

// myOdd has a column of each type that is treated in a way of its own.
const myOdd = `
CREATE TABLE odd (
	id integer PRIMARY KEY,
	plain text, bytewise varchar(700) COLLATE utf8mb4_bin, general varchar(700) COLLATE utf8mb4_general_ci, uca varchar(700) COLLATE utf8mb4_unicode_520_nopad_ci,
	danish varchar(400) COLLATE utf8mb4_danish_ci, turkish varchar(400) COLLATE utf8mb4_turkish_ci,
	western varchar(700) CHARACTER SET latin1 COLLATE latin1_general_ci, cyrillic varchar(700) CHARACTER SET koi8r, short3 varchar(700) CHARACTER SET utf8mb3,
	wide16 varchar(700) CHARACTER SET utf16, padded char(60), words enum('a','A b','k','1','true','ß'), flags set('a','b','k'), document json,
	number bigint, small tinyint(1), huge bigint unsigned, filled int(8) zerofill, bits bit(12), y year, whole decimal(10, 0), decimals decimal(20, 4), single float, twice double,
	bytes varbinary(700), fixed binary(8), stamp datetime(6), stampz timestamp(3) NULL, day date, clock time(2), ` + "`Or%der`" + ` mediumtext,
	INDEX (bytewise), INDEX (general), INDEX (uca), INDEX (danish), INDEX (turkish), INDEX (western), INDEX (cyrillic), INDEX (short3), INDEX (wide16),
	INDEX (number), INDEX (stamp), INDEX (plain (20))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
`

var myOddColumns = []string{"id", "plain", "bytewise", "general", "uca", "danish", "turkish", "western", "cyrillic", "short3", "wide16", "padded", "words", "flags",
	"document", "number", "small", "huge", "filled", "bits", "y", "whole", "decimals", "single", "twice", "bytes", "fixed", "stamp", "stampz", "day", "clock", "Or%der"}

// myOddTable puts each nasty value into each column, made fit where the database
// makes it fit.
func myOddTable(t testing.TB) (*sql.Adapter, []adapters.Record) {
	t.Helper()
	dsn := myDatabase(t, myOdd)
	raw := myRaw(t, dsn)
	if _, err := raw.Exec("INSERT INTO odd (id) SELECT seq FROM seq_1_to_" + fmt.Sprint(len(nasty))); err != nil {
		t.Fatal(err)
	}
	extra := map[string][]string{
		"stamp":  {"0000-00-00 00:00:00", "2024-00-10 00:00:00", "2024-02-31 10:00:00", "0044-03-15 12:00:00", "0000-03-15 12:00:00", "2024-01-01 10:00:00.5", "2024-02-29 00:00:00", "2023-02-29 00:00:00"},
		"stampz": {"0000-00-00 00:00:00", "2024-01-01 10:00:00.5", "2024-01-01 10:00:00.123"}, "day": {"0000-00-00", "2024-01-01", "2024-02-31", "2024-01-00"},
		"huge": {"18446744073709551615", "9223372036854775808", "9223372036854775807", "1001"}, "number": {"7", "1001"}, "twice": {"1e300", "1.5"},
		"words": {"", "nonsense"}, "flags": {"a,k", "b,a"}, "document": {`{"a": 1}`, `"a"`, "1", "true"}, "clock": {"-10:00:00.5", "838:59:59"},
		"cyrillic": {"иванов", "ИВАНОВ", "Иванов"}, "western": {"é", "É", "ß", "€"},
	}
	taken := map[string]int{}
	for j, name := range myOddColumns[1:] {
		put := func(id int, v any) {
			if _, err := raw.Exec("UPDATE odd SET `"+name+"` = ? WHERE id = ?", v, id); err == nil {
				taken[name]++
			}
		}
		for i := range nasty {
			v := nasty[(i+j*17)%len(nasty)]
			if f, ok := v.(float64); ok {
				v = fmt.Sprint(f)
			}
			put(i+1, v)
		}
		for i, text := range extra[name] {
			put(i*3+1, text)
		}
	}
	for name, n := range taken {
		if n < 10 {
			t.Errorf("%s holds %d values", name, n)
		}
	}
	db := open(t, "", func(c *sql.Config) { c.DSN = dsn })
	a := table(t, db, sql.Table{Name: "odd", Key: []string{"id"}}, myOddColumns...)
	page, err := a.List(t.Context(), adapters.Query{Limit: 10000, Want: adapters.AllFields})
	if err != nil || len(page.Records) != len(nasty) {
		t.Fatalf("%d records, %v", len(page.Records), err)
	}
	return a, page.Records
}

// TestMariaFilterTable (F-34) is TestFilterTable on MariaDB.
func TestMariaFilterTable(t *testing.T) {
	a, records := myOddTable(t)
	filterTable(t, a, records, myOddColumns)
}

// TestMariaSortTable (O-03, O-05, O-08) is TestSortTable on MariaDB.
func TestMariaSortTable(t *testing.T) {
	a, records := myOddTable(t)
	sortTable(t, a, records, myOddColumns, func(name string, m filter.Match) bool {
		return m == filter.DateTime && !strings.HasPrefix(name, "stamp") || slices.Contains([]string{"bytes", "fixed"}, name) && m != filter.Exact
	})
}

// TestMariaFilterRandom (F-34) is TestFilterRandom on MariaDB.
func TestMariaFilterRandom(t *testing.T) {
	a, records := myOddTable(t)
	filterRandom(t, a, records, myOddColumns)
}

const spreadMaria = `
CREATE TABLE state (id int AUTO_INCREMENT PRIMARY KEY, code varchar(200) COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE);
CREATE TABLE person (id int AUTO_INCREMENT PRIMARY KEY, kind varchar(10) NOT NULL, name varchar(600) COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE, age bigint, state_id int, FOREIGN KEY (state_id) REFERENCES state (id));
CREATE TABLE person_extra (person_id int PRIMARY KEY, nick text, born datetime(6), shoe_size smallint DEFAULT 40, INDEX (nick(100)), FOREIGN KEY (person_id) REFERENCES person (id) ON UPDATE CASCADE);
CREATE TABLE person_attr (person_id int NOT NULL, name varchar(60) NOT NULL, val text, PRIMARY KEY (person_id, name), FOREIGN KEY (person_id) REFERENCES person (id));
CREATE TABLE person_team (person_id int NOT NULL, team_id varchar(200) COLLATE utf8mb4_nopad_bin NOT NULL, PRIMARY KEY (person_id, team_id), FOREIGN KEY (person_id) REFERENCES person (id));
CREATE TABLE contact_kind (id int AUTO_INCREMENT PRIMARY KEY, code varchar(200) COLLATE utf8mb4_nopad_bin UNIQUE);
CREATE TABLE contact (id int AUTO_INCREMENT PRIMARY KEY, person_id int NOT NULL, medium varchar(20) NOT NULL, pos int NOT NULL,
	value text, kind_id int, ` + "`rank`" + ` bigint, remark varchar(20) DEFAULT 'none', UNIQUE (person_id, medium, pos), INDEX (value(100)),
	FOREIGN KEY (person_id) REFERENCES person (id), FOREIGN KEY (kind_id) REFERENCES contact_kind (id));
`

// TestMariaSpreadSuite is TestSpreadSuite on MariaDB.
func TestMariaSpreadSuite(t *testing.T) {
	dsn := myDatabase(t, spreadMaria)
	raw := myRaw(t, dsn)
	adaptertest.Run(t, adaptertest.Harness{
		Fields: spreadFields,
		Brief:  true,
		New: func(t testing.TB) adapters.Adapter {
			if _, err := raw.Exec("DELETE FROM contact; DELETE FROM contact_kind; DELETE FROM person_team; DELETE FROM person_attr; DELETE FROM person_extra; DELETE FROM person; DELETE FROM state"); err != nil {
				t.Fatal(err)
			}
			return table(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }), spread, spreadShape...)
		},
	})
}
