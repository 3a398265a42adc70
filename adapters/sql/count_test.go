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
		a := table(t, db, sql.Table{Name: "person", Key: []string{c.key}, Where: c.where, Generated: ptr(false)}, "login", "kind")
		for _, q := range []adapters.Query{{Total: true}, {Total: true, Limit: 2}, {Total: true, Limit: 2, Offset: 1}, {Total: true, Limit: 2, Sort: []adapters.Sort{{Field: "kind", Match: filter.Exact}}}} {
			if page, err := a.List(ctx, q); err != nil || page.Total != c.total {
				t.Errorf("%s: %d, %v", name, page.Total, err)
			}
		}
		if last := sent[len(sent)-1]; strings.Contains(last, `FROM "person" AS t)`) != c.differ {
			t.Errorf("%s: %s", name, last)
		}
	}
}
