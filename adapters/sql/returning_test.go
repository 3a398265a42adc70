package sql_test

import (
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

const people = `
CREATE TABLE person (
    id INTEGER PRIMARY KEY, login TEXT NOT NULL, weight REAL DEFAULT 70, kind TEXT NOT NULL DEFAULT 'staff', note, at DATE DEFAULT (date('now')),
    boss INTEGER, loud TEXT GENERATED ALWAYS AS (upper(login)) VIRTUAL);
CREATE TABLE club (id INTEGER PRIMARY KEY, name TEXT, size INTEGER NOT NULL DEFAULT 0);
CREATE TABLE person_club (person INTEGER NOT NULL, club INTEGER NOT NULL, PRIMARY KEY (club, person));
CREATE INDEX person_club_person ON person_club (person);
INSERT INTO person (id, login, kind) VALUES (1, 'one', 'staff'), (2, 'two', 'staff'), (3, 'hidden', 'builtin');
INSERT INTO club (id, name) VALUES (1, 'Chess'), (2, 'Dart');
INSERT INTO person_club VALUES (4, 2); -- of somebody who is still to come
`

var notBuiltin = filter.Not{Term: &filter.Compare{Name: "kind", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("builtin")}}

func peopleAndClubs(t *testing.T, more string) (person, club *sql.Adapter) {
	t.Helper()
	db := open(t, people+more)
	who := sql.Target{Table: "person", Key: "id", Where: notBuiltin}
	person = table(t, db, sql.Table{Name: "person", Key: []string{"id"}, Where: notBuiltin,
		References: []sql.Reference{{Field: "boss", Refers: who}},
		Relations:  []sql.Relation{{Field: "clubs", Table: "person_club", Owner: "person", Member: "club", Refers: &sql.Target{Table: "club", Key: "id"}}},
	}, "login", "weight", "kind", "note", "at", "boss", "loud", "clubs")
	club = table(t, db, sql.Table{Name: "club", Key: []string{"id"},
		Relations: []sql.Relation{{Field: "people", Table: "person_club", Owner: "club", Member: "person", Refers: &who}},
	}, "name", "size", "people")
	return person, club
}

// TestCreatedIsStored compares what Create answers with what Get finds, where the
// database says so at once and where a trigger has the last word.
func TestCreatedIsStored(t *testing.T) {
	for _, trigger := range []string{"",
		"CREATE TRIGGER later AFTER INSERT ON person BEGIN UPDATE person SET note = 'by a trigger', login = lower(new.login) WHERE id = new.id; END;",
		"CREATE TRIGGER joins AFTER INSERT ON person BEGIN INSERT INTO person_club VALUES (new.id, 1); END;",
	} {
		person, _ := peopleAndClubs(t, trigger)
		for _, fields := range []map[string]any{
			{"login": "New"},
			{"login": "New", "weight": int64(70), "note": "12", "boss": "1"},
			{"login": "New", "weight": "81.50", "note": []byte("x"), "clubs": []string{"1", "2"}},
		} {
			made, err := person.Create(ctx, record(person, "", fields), adapters.AllFields)
			if err != nil {
				t.Fatal(err)
			}
			is, err := person.Get(ctx, made.Key, adapters.AllFields)
			if err != nil || !slices.EqualFunc(made.Values(), is.Values(), adapters.Same) {
				t.Errorf("%q: created %q, stored %q, %v", trigger, made.Values(), is.Values(), err)
			}
		}
	}
}

// TestCreatedOutside leaves nothing of what would be outside the scope, or refers
// to somebody who is.
func TestCreatedOutside(t *testing.T) {
	person, _ := peopleAndClubs(t, "")
	for _, fields := range []map[string]any{{"login": "x", "kind": "builtin"}, {"login": "x", "boss": "3"}, {"login": "x", "boss": "99"}} {
		if _, err := person.Create(ctx, record(person, "", fields), adapters.AllFields); !adapters.Is(err, adapters.Invalid) {
			t.Errorf("%v: %v", fields, err)
		}
	}
	if pg, err := person.List(ctx, adapters.Query{Limit: 9, Total: true}); err != nil || pg.Total != 2 {
		t.Errorf("%d people, %v", pg.Total, err)
	}
}

// TestMembersJoin adds members in every way in which one statement may not do.
func TestMembersJoin(t *testing.T) {
	for _, trigger := range []string{"",
		"CREATE TRIGGER counts AFTER INSERT ON person_club BEGIN UPDATE club SET size = size + 1 WHERE id = new.club; END;"} {
		_, club := peopleAndClubs(t, trigger)
		membersJoin(t, trigger, club)
	}
}

// membersJoin adds to clubs 1 and 2 who may join, 1 and 2, and who may not.
func membersJoin(t *testing.T, trigger string, club *sql.Adapter) {
	t.Helper()
	add := func(key adapters.Key, members ...string) (adapters.Record, error) {
		return club.Update(ctx, key, adapters.Delta{Members: []adapters.MemberChange{{Field: "people", Add: members}}}, adapters.AllFields)
	}
	for _, c := range []struct {
		key     adapters.Key
		members []string
		kind    adapters.Kind // 0: it is done
		then    []string
	}{
		{"1", []string{"1"}, 0, []string{"1"}},
		{"1", []string{"1"}, 0, []string{"1"}},
		{"1", []string{"1", "2", "2"}, 0, []string{"1", "2"}},
		{"2", []string{"1", "3"}, adapters.Invalid, nil},
		{"2", []string{"2", "99"}, adapters.Invalid, nil},
		{"2", []string{"x"}, adapters.Invalid, nil},
		{"9", []string{"1"}, adapters.NotFound, nil},
		{"01", []string{"1"}, adapters.NotFound, nil},
	} {
		r, err := add(c.key, c.members...)
		if c.kind != 0 && !adapters.Is(err, c.kind) || c.kind == 0 && err != nil {
			t.Errorf("%q: %q get %q: %v", trigger, c.key, c.members, err)
			continue
		}
		if is, failed := club.Get(ctx, c.key, adapters.AllFields); c.kind == 0 && (failed != nil || !slices.EqualFunc(r.Values(), is.Values(), adapters.Same) ||
			!adapters.Same(is.Get("people"), c.then)) {
			t.Errorf("%q: %q: answered %q, stored %q, %v", trigger, c.key, r.Values(), is.Values(), failed)
		}
	}
	if r, err := club.Get(ctx, "2", adapters.AllFields); err != nil || !adapters.NoValue(r.Get("people")) {
		t.Errorf("of what was refused there is %q, %v", r.Values(), err)
	}
}
