package identity

import (
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// mayScan are the statements that look at all rows: of tables that have a row for each
// tenant, of what is open and mostly nothing, and for commands that are rare.
var mayScan = []query{qTenants, qAllMaintenance, qTenantsInJournal, qTenantsToKeep, qTenantsKnown, qPurgeIdentities}

// TestNoStatementScans holds every statement to its index: what costs a page at
// a thousand identities must cost the same at a million.
func TestNoStatementScans(t *testing.T) {
	s := open(t, Options{})
	scan := regexp.MustCompile(`SCAN (\w+)( |$)`)
	for _, q := range append(readQueries(), writeQueries()...) {
		if slices.Contains(mayScan, q) {
			continue
		}
		for _, step := range explain(t, s, q) {
			t.Logf("%.50q %s", q, step)
			m := scan.FindStringSubmatch(step)
			if m != nil && !strings.Contains(step, "VIRTUAL TABLE") && !strings.Contains(step, "CONSTANT ROW") && m[1] != "g" && m[1] != "change" /* a row for each backend */ {
				t.Errorf("%s\nscans: %s", q, step)
			}
		}
	}
}

func explain(t *testing.T, s *Store, q query) []string {
	t.Helper()
	n := 0
	for _, m := range regexp.MustCompile(`\?(\d+)`).FindAllStringSubmatch(string(q), -1) {
		i, _ := strconv.Atoi(m[1])
		n = max(n, i)
	}
	args := make([]any, n)
	for i := range args {
		args[i] = "[]"
	}
	rows, err := s.writer.db.Query("EXPLAIN QUERY PLAN "+sqlite{}.text(q), args...)
	noErr(t, err)
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var a, b, c int
		var step string
		noErr(t, rows.Scan(&a, &b, &c, &step))
		steps = append(steps, step)
	}
	return steps
}

// TestNoStatementScansPostgres: the same there, where a table of any size may be
// scanned only if there is no index by which to read it.
func TestNoStatementScansPostgres(t *testing.T) {
	s := must[*Store](t)(Open(t.Context(), inPostgres(t), Options{}))
	defer s.Close()
	c, err := s.writer.db.Conn(t.Context())
	noErr(t, err)
	defer c.Close()
	for _, q := range append(readQueries(), writeQueries()...) {
		if q == qChanges /* a row for each backend */ || slices.Contains(mayScan, q) {
			continue
		}
		plan := planned(t, c, string(q))
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\n%s", q, plan)
		}
	}
}

// planned is the plan of a statement, whatever its parameters are.
func planned(t *testing.T, c *sql.Conn, q string) (plan string) {
	t.Helper()
	noErr(t, c.Raw(func(driver any) error {
		on := driver.(*stdlib.Conn).Conn()
		d, err := on.Prepare(t.Context(), "", postgres{}.text(query(q)))
		if err != nil {
			return err
		}
		args := make([]string, len(d.ParamOIDs))
		for i := range args {
			args[i] = "NULL"
		}
		script := []string{"SET plan_cache_mode = force_generic_plan", "PREPARE p AS " + postgres{}.text(query(q))}
		for _, one := range script {
			if _, err := on.Exec(t.Context(), one); err != nil {
				return err
			}
		}
		explain := "EXPLAIN EXECUTE p"
		if len(args) > 0 {
			explain += " (" + strings.Join(args, ", ") + ")"
		}
		rows, err := on.Query(t.Context(), explain)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		plan = strings.Join(lines, "\n")
		_, failed := on.Exec(t.Context(), "DEALLOCATE p")
		return errors.Join(err, failed)
	}))
	return plan
}
