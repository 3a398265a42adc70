package sql_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// TestCounts: with counts, a total may be of before; never where the page itself
// tells, proves it wrong, or Postern has written.
func TestCounts(t *testing.T) {
	var sent []string
	db := open(t, `CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, kind TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO item SELECT i, 'n' || i, 'a' FROM n;`,
		func(c *sql.Config) { c.Counts, c.Trace = time.Hour, func(s string) { sent = append(sent, s) } })
	a := table(t, db, sql.Table{Name: "item", Key: []string{"id"}}, "name", "kind")
	theirs := func(statement string) {
		t.Helper()
		if err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	page := func(what string, q adapters.Query, total, records int, counts bool) {
		t.Helper()
		sent = nil
		q.Total, q.Want = true, adapters.AllFields
		p, err := a.List(ctx, q)
		if err != nil || p.Total != total || len(p.Records) != records {
			t.Errorf("%s: %d of %d, %v; want %d of %d", what, len(p.Records), p.Total, err, records, total)
		}
		if counted := strings.Contains(strings.Join(sent, "\n"), "count(*)"); counted != counts {
			t.Errorf("%s: counted: %v", what, counted)
		}
	}
	if err := a.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	page("first", adapters.Query{Limit: 10}, 50, 10, true)
	theirs("INSERT INTO item VALUES (51, 'n51', 'a'), (52, 'n52', 'a')")
	page("again", adapters.Query{Limit: 10}, 50, 10, false)
	page("the number alone", adapters.Query{}, 50, 0, false)
	page("another condition", adapters.Query{Limit: 10, Filter: eq("kind", "a", filter.Exact)}, 52, 10, true)
	page("the last page", adapters.Query{Limit: 10, Offset: 45}, 52, 7, false)
	page("what it told is kept", adapters.Query{Limit: 10}, 52, 10, false)
	theirs("DELETE FROM item WHERE id > 30")
	page("beyond the end", adapters.Query{Limit: 10, Offset: 40}, 30, 0, true)
	theirs("WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 120) INSERT INTO item SELECT i, 'n' || i, 'a' FROM n")
	page("a page that proves it wrong", adapters.Query{Limit: 10, Offset: 25}, 50, 10, true)
	if _, err := a.Create(ctx, record(a, "", map[string]any{"name": "ours"}), adapters.AllFields); err != nil {
		t.Fatal(err)
	}
	page("our own write", adapters.Query{Limit: 10}, 51, 10, true)
	theirs("DELETE FROM item")
	page("nothing is left", adapters.Query{Limit: 10}, 0, 0, false)
	page("none is not kept", adapters.Query{}, 0, 0, true)
}

// TestCountsOff: without counts every total is counted.
func TestCountsOff(t *testing.T) {
	db := open(t, `CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c');`)
	a := table(t, db, sql.Table{Name: "item", Key: []string{"id"}}, "name")
	for i := 3; i < 6; i++ {
		p, err := a.List(ctx, adapters.Query{Limit: 1, Total: true})
		if err != nil || p.Total != i {
			t.Errorf("%d, %v; want %d", p.Total, err, i)
		}
		if err := db.Exec(fmt.Sprintf("INSERT INTO item VALUES (%d, 'x')", i+1)); err != nil {
			t.Fatal(err)
		}
	}
}
