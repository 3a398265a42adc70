package sql_test

import (
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// TestTotalByDifference (N-05) counts what is left by scopes of several forms, whether all
// rows are counted less those that are kept out, or one by one.
func TestTotalByDifference(t *testing.T) {
	is := func(op filter.Op, name, text string) *filter.Compare {
		return &filter.Compare{Name: name, Op: op, Match: filter.Exact, Value: filter.StringValue(text)}
	}
	null := &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.Value{Kind: filter.Null}}
	for name, c := range map[string]struct {
		key    string
		where  filter.Expr
		total  int
		differ bool
	}{
		"all":              {"id", nil, 7, true},
		"not":              {"id", filter.Not{Term: is(filter.Eq, "kind", "builtin")}, 5, true},
		"ne":               {"id", is(filter.Ne, "kind", "builtin"), 5, true},
		"two that overlap": {"id", filter.And{is(filter.Ne, "kind", "builtin"), filter.Not{Term: is(filter.Eq, "state", "gone")}}, 4, true},
		"either":           {"id", filter.Not{Term: filter.Or{is(filter.Eq, "kind", "builtin"), is(filter.Eq, "state", "gone")}}, 4, false},
		"no index":         {"id", is(filter.Ne, "note", "x"), 6, false},
		"in":               {"id", is(filter.Eq, "kind", "staff"), 3, false},
		"in and out":       {"id", filter.And{is(filter.Eq, "kind", "staff"), is(filter.Ne, "state", "gone")}, 2, false},
		"any value":        {"id", null, 5, false},
		"keys of text":     {"login", is(filter.Ne, "kind", "builtin"), 3, false}, // two have no login
	} {
		var sent []string
		db := open(t, `CREATE TABLE person (id INTEGER PRIMARY KEY, login TEXT, kind TEXT COLLATE NOCASE, state TEXT, note TEXT);
			CREATE INDEX person_kind ON person (kind); CREATE INDEX person_state ON person (state); CREATE INDEX person_login ON person (login);
			INSERT INTO person VALUES (1, 'a', 'builtin', NULL, 'x'), (2, 'b', 'builtin', 'gone', NULL), (3, 'c', 'staff', 'gone', NULL), (4, 'd', 'staff', '', ''),
				(5, 'e', NULL, NULL, NULL), (6, '', '', 'on', NULL), (7, NULL, 'staff', 'on', 'X')`, func(c *sql.Config) { c.Trace = func(s string) { sent = append(sent, s) } })
		a := table(t, db, sql.Table{Name: "person", Key: []string{c.key}, Where: c.where, Generated: ptr(false)}, "login", "kind", "state", "note")
		for _, q := range []adapters.Query{{Total: true}, {Total: true, Limit: 2}, {Total: true, Limit: 2, Offset: 1}, {Total: true, Filter: c.where}, {Total: true, Limit: 2, Filter: c.where, Sort: []adapters.Sort{{Field: "kind", Match: filter.Exact}}}} {
			if page, err := a.List(ctx, q); err != nil || page.Total != c.total {
				t.Errorf("%s: %d, %v", name, page.Total, err)
			}
		}
		if last := sent[len(sent)-1]; strings.Contains(last, `FROM "person" AS t)`) != c.differ {
			t.Errorf("%s: %s", name, last)
		}
	}
}

// TestFilterBesideScope (F-34): a filter that says what the scope says is not asked twice,
// and one that says it of another case, or more, is.
func TestFilterBesideScope(t *testing.T) {
	ne := func(m filter.Match, text string) *filter.Compare {
		return &filter.Compare{Name: "kind", Op: filter.Ne, Match: m, Value: filter.StringValue(text)}
	}
	a := table(t, open(t, `CREATE TABLE person (id INTEGER PRIMARY KEY, kind TEXT); CREATE INDEX person_kind ON person (kind);
		INSERT INTO person (kind) VALUES ('builtin'), ('Builtin'), ('staff'), ('Staff'), (NULL)`),
		sql.Table{Name: "person", Key: []string{"id"}, Where: ne(filter.Exact, "builtin")}, "kind")
	for _, c := range []struct {
		e     filter.Expr
		total int
	}{
		{nil, 4},
		{ne(filter.Exact, "builtin"), 4},
		{ne(filter.Folded, "builtin"), 3},
		{ne(filter.Exact, "Builtin"), 3},
		{filter.And{ne(filter.Exact, "builtin"), ne(filter.Exact, "staff")}, 3},
		{filter.And{ne(filter.Folded, "builtin"), ne(filter.Exact, "builtin"), ne(filter.Folded, "staff")}, 1},
		{filter.Not{Term: ne(filter.Exact, "builtin")}, 0},
		{filter.Or{ne(filter.Exact, "builtin"), ne(filter.Exact, "staff")}, 4},
	} {
		page, err := a.List(ctx, adapters.Query{Total: true, Limit: 9, Filter: c.e})
		if err != nil || page.Total != c.total || len(page.Records) != c.total {
			t.Errorf("%s: %d of %d, %v", filter.Print(c.e), len(page.Records), page.Total, err)
		}
	}
}
