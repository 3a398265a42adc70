package sql_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
)

const pgPeople = `
CREATE TABLE person (id integer PRIMARY KEY, login text NOT NULL, kind text NOT NULL DEFAULT 'staff');
CREATE TABLE club (id integer PRIMARY KEY, name text, size integer NOT NULL DEFAULT 0);
CREATE TABLE person_club (person integer NOT NULL, club integer NOT NULL);
INSERT INTO person SELECT g, 'p' || g, CASE g WHEN 3 THEN 'builtin' ELSE 'staff' END FROM generate_series(1, 60) AS g;
INSERT INTO club (id, name) VALUES (1, 'Chess'), (2, 'Dart');
`

func pgClubs(t testing.TB, dsn string, options ...func(*sql.Config)) (person, club *sql.Adapter) {
	t.Helper()
	db := open(t, "", append([]func(*sql.Config){func(c *sql.Config) { c.DSN = dsn }}, options...)...)
	person = table(t, db, sql.Table{Name: "person", Key: []string{"id"}, Where: notBuiltin}, "login")
	club = table(t, db, sql.Table{Name: "club", Key: []string{"id"},
		Relations: []sql.Relation{{Field: "people", Table: "person_club", Owner: "club", Member: "person",
			Refers: &sql.Target{Table: "person", Key: "id", Where: notBuiltin}}},
	}, "name", "size", "people")
	return person, club
}

// What may keep anybody from being a member twice, and what else may happen to
// the table of members.
var pgPairs = map[string]string{
	"nothing":    "",
	"key":        "ALTER TABLE person_club ADD PRIMARY KEY (person, club)",
	"index":      "CREATE UNIQUE INDEX ON person_club (club, person)",
	"deferrable": "ALTER TABLE person_club ADD UNIQUE (club, person) DEFERRABLE INITIALLY DEFERRED",
	"partial":    "CREATE UNIQUE INDEX ON person_club (club, person) WHERE person > 5",
	"one club":   "CREATE UNIQUE INDEX ON person_club (person, club); CREATE UNIQUE INDEX ON person_club (person) WHERE person > 50",
	"trigger": `CREATE UNIQUE INDEX ON person_club (club, person);
		CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE club SET size = size + 1 WHERE id = new.club; RETURN NULL; END $$;
		CREATE TRIGGER counts AFTER INSERT ON person_club FOR EACH ROW EXECUTE FUNCTION counts();`,
}

// TestPostgresMembersJoin is TestMembersJoin on PostgreSQL.
func TestPostgresMembersJoin(t *testing.T) {
	for name, script := range pgPairs {
		_, club := pgClubs(t, pgSchema(t, pgPeople+script))
		membersJoin(t, name, club)
		for _, n := range []string{"1", "2"} {
			_, err := club.Update(ctx, adapters.Key(n), adapters.Delta{Members: []adapters.MemberChange{{Field: "people", Add: []string{"55"}}}}, adapters.Fields{})
			if refused := name == "one club" && n == "2"; refused != adapters.Is(err, adapters.Conflict) || !refused && err != nil {
				t.Errorf("%s: club %s: %v", name, n, err)
			}
		}
	}
}

// TestPostgresHotGroup lets many add the same and other members to one group, while
// groups and members go: nobody is a member twice, nobody whose place was answered for
// is missing, and no row is left of what is gone.
func TestPostgresHotGroup(t *testing.T) {
	for name, script := range pgPairs {
		dsn := pgSchema(t, pgPeople+script)
		person, club := pgClubs(t, dsn, func(c *sql.Config) { c.Connections = 8 })
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := range 12 {
					own := fmt.Sprint(10 + (w+i)%40)
					for _, add := range [][]string{{own}, {"1"}, {own, "2", "1"}} {
						for _, key := range []adapters.Key{"1", "2"} {
							_, err := club.Update(ctx, key, adapters.Delta{Members: []adapters.MemberChange{{Field: "people", Add: add}}}, adapters.Fields{})
							if err != nil && (key == "1" || !adapters.Is(err, adapters.NotFound)) {
								t.Errorf("%s: %v", name, err)
							}
						}
					}
				}
			})
		}
		all.Go(func() {
			if err := club.Delete(ctx, "2"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := person.Delete(ctx, "60"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		all.Wait()
		raw := pgRaw(t, dsn)
		for what, ask := range map[string]string{
			"members twice":             "SELECT count(*) - count(DISTINCT (person, club)) FROM person_club",
			"members of no club":        "SELECT count(*) FROM person_club WHERE club NOT IN (SELECT id FROM club)",
			"members that are missing":  "SELECT count(*) FROM person WHERE (id BETWEEN 10 AND 28 OR id IN (1, 2)) AND id NOT IN (SELECT person FROM person_club WHERE club = 1)",
			"members that are not mine": "SELECT count(*) FROM person_club WHERE person IN (3, 60)",
		} {
			var n int
			if err := raw.QueryRow(ask).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %s: %d, %v", name, what, n, err)
			}
		}
	}
}

// TestPostgresJoinIsOne (P-64): one member is added by one statement, which is its
// own transaction, and reads no other member.
func TestPostgresJoinIsOne(t *testing.T) {
	var sent []string
	dsn := pgSchema(t, pgPeople+pgPairs["key"])
	_, club := pgClubs(t, dsn, func(c *sql.Config) { c.Trace = func(s string) { sent = append(sent, s) } })
	add := func(who ...string) {
		t.Helper()
		if _, err := club.Update(ctx, "1", adapters.Delta{Members: []adapters.MemberChange{{Field: "people", Add: who}}}, adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	add("7")
	sent = nil
	add("8")
	if len(sent) != 1 || !strings.Contains(sent[0], "FOR SHARE OF t ON CONFLICT") {
		t.Errorf("%d statements:\n%s", len(sent), strings.Join(sent, "\n"))
	}
	sent = nil
	add("8", "9")
	for _, s := range sent {
		if strings.Contains(s, "UPDATE") {
			t.Errorf("the group is locked against others: %s", s)
		}
	}
}
