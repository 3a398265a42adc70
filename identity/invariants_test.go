package identity

import (
	"strings"
	"testing"
)

// invariants are queries that must find nothing, whatever has happened.
var invariants = map[string]string{
	"a living identity without a link": `SELECT id FROM identity WHERE state <> 'gone' AND NOT EXISTS (SELECT 1 FROM link WHERE identity = identity.id)`,
	"a gone identity with a link":      `SELECT id FROM identity WHERE state = 'gone' AND EXISTS (SELECT 1 FROM link WHERE identity = identity.id)`,
	"a gone identity with a live id":   `SELECT id FROM identity WHERE state = 'gone' AND EXISTS (SELECT 1 FROM external_id AS e WHERE e.identity = identity.id AND e.state = 'live')`,
	"not one primary link":             `SELECT identity FROM link GROUP BY identity, backend HAVING sum(is_primary) <> 1`,
	"not one primary id (GW-01)":       `SELECT identity FROM external_id WHERE state = 'live' GROUP BY identity, client HAVING sum(is_primary) <> 1`,
	"a secondary id nobody waits for":  `SELECT id FROM external_id WHERE state = 'live' AND is_primary + deletion_required <> 1`,
	"a link across tenants or types":   `SELECT l.nr FROM link AS l JOIN identity AS i ON i.id = l.identity WHERE i.tenant <> l.tenant OR i.type <> l.type`,
	"an id across tenants or types":    `SELECT e.nr FROM external_id AS e JOIN identity AS i ON i.id = e.identity WHERE i.tenant <> e.tenant OR i.type <> e.type`,
	"one key, two links":               `SELECT key FROM link GROUP BY tenant, type, backend, key HAVING count(*) > 1`,
	"one id given twice (S-32)":        `SELECT id FROM external_id GROUP BY tenant, client, id, CASE own WHEN 1 THEN type END HAVING count(*) > 1`,
	"a broken reference":               `SELECT "table" FROM pragma_foreign_key_check`,
	"a damaged file":                   `SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
}

func checkInvariants(t testing.TB, s *Store) {
	t.Helper()
	for name, q := range invariants {
		if strings.Contains(q, "pragma_") && postgresIs(t) {
			continue
		}
		rows, err := s.reader.db.Query(q)
		noErr(t, err)
		for rows.Next() {
			var what string
			noErr(t, rows.Scan(&what))
			t.Errorf("%s: %s", name, what)
		}
		noErr(t, rows.Err())
		rows.Close()
	}
}

// TestDatabaseRefuses tries to break the table behind the code's back: the
// database itself must refuse (GW-01).
func TestDatabaseRefuses(t *testing.T) { onBoth(t, testDatabaseRefuses) }

func testDatabaseRefuses(t *testing.T) {
	s := open(t, scripted("A", "B", "G", "a", "b", "g", "a2", "C", "c"))
	ensure(t, s, d1, user("1"), user("2"), group("1"))
	ensure(t, s, d2, user("1"))
	ensure(t, s, d1, user("3"))
	noErr(t, s.Forget(t.Context(), "t", user("3"))) // C is gone, c retired
	const newID = `INSERT INTO external_id (tenant, client, type, id, own, identity, state, is_primary, deletion_required, created, since) VALUES `
	const newLink = `INSERT INTO link (identity, tenant, type, backend, key, is_primary, created) VALUES `
	cases := map[string]string{
		"a second primary id":             newID + `('t', 'D1', 'User', 'x', 0, 'A', 'live', 1, 0, 0, 0)`,
		"an id given to another":          newID + `('t', 'D1', 'User', 'a', 0, 'B', 'live', 0, 1, 0, 0)`,
		"an id given to another type":     newID + `('t', 'D1', 'Group', 'a', 0, 'G', 'live', 0, 1, 0, 0)`,
		"a key as an id that was given":   newID + `('t', 'D1', 'Group', 'a', 1, 'G', 'live', 0, 1, 0, 0)`,
		"a retired id given again":        newID + `('t', 'D1', 'User', 'c', 0, 'A', 'live', 0, 1, 0, 0)`,
		"an id of nobody":                 newID + `('t', 'D3', 'User', 'x', 0, 'N', 'live', 1, 0, 0, 0)`,
		"an id of somebody gone":          newID + `('t', 'D3', 'User', 'x', 0, 'C', 'live', 1, 0, 0, 0)`,
		"an id of another tenant":         newID + `('u', 'D3', 'User', 'x', 0, 'A', 'live', 1, 0, 0, 0)`,
		"an id of another type":           newID + `('t', 'D3', 'Group', 'x', 0, 'A', 'live', 1, 0, 0, 0)`,
		"an empty id":                     newID + `('t', 'D3', 'User', '', 0, 'A', 'live', 1, 0, 0, 0)`,
		"an id with bulkId":               newID + `('t', 'D3', 'User', 'xbulkIdx', 0, 'A', 'live', 1, 0, 0, 0)`,
		"primary and to be deleted":       `UPDATE external_id SET deletion_required = 1 WHERE id = 'a'`,
		"an id that changes":              `UPDATE external_id SET id = 'x' WHERE id = 'a'`,
		"an id that changes its client":   `UPDATE external_id SET client = 'D3' WHERE id = 'a'`,
		"an id forgotten":                 `DELETE FROM external_id WHERE id = 'c'`,
		"a retired id that returns":       `UPDATE external_id SET state = 'live' WHERE id = 'c'`,
		"a retired id that moves":         `UPDATE external_id SET identity = 'A' WHERE id = 'c'`,
		"an id moved to somebody gone":    `UPDATE external_id SET identity = 'C' WHERE id = 'a'`,
		"an unknown state of an id":       `UPDATE external_id SET state = 'zombie' WHERE id = 'a'`,
		"a second link to a record":       newLink + `('B', 't', 'User', 'hr', '1', 0, 0)`,
		"a second primary link":           newLink + `('A', 't', 'User', 'hr', '9', 1, 0)`,
		"a link of nobody":                newLink + `('N', 't', 'User', 'hr', '9', 1, 0)`,
		"a link of somebody gone":         newLink + `('C', 't', 'User', 'hr', '9', 1, 0)`,
		"a link of another tenant":        newLink + `('A', 'u', 'User', 'crm', '9', 1, 0)`,
		"a link of another type":          newLink + `('A', 't', 'Group', 'crm', '9', 1, 0)`,
		"a link moved to another type":    `UPDATE link SET identity = 'G' WHERE identity = 'A'`,
		"a link that changes its backend": `UPDATE link SET backend = 'crm' WHERE identity = 'A'`,
		"a link over another":             `UPDATE link SET key = '2' WHERE identity = 'A'`,
		"gone with links":                 `UPDATE identity SET state = 'gone' WHERE id = 'A'`,
		"an identity forgotten":           `DELETE FROM identity WHERE id = 'C'`,
		"an identity of another tenant":   `UPDATE identity SET tenant = 'u' WHERE id = 'A'`,
		"an unknown state":                `UPDATE identity SET state = 'zombie' WHERE id = 'A'`,
		"history without JSON":            `INSERT INTO move (nr, tenant, kind, who, why, at, before, after) VALUES (1000, 't', 'merge', '', '', 0, '{', '{}')`,
	}
	for name, q := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := s.writer.db.Exec(q); err == nil {
				t.Errorf("the database took %s", q)
			}
		})
	}
	checkInvariants(t, s)
	m := must[Move](t)(s.Merge(t.Context(), "t", "A", []string{"B"}, because))
	for _, q := range []string{`UPDATE move SET why = 'x'`, `DELETE FROM move`,
		`INSERT INTO move (nr, tenant, kind, who, why, at, before, after, undoes) VALUES (1000, 't', 'undo', '', '', 0, '{}', '{}', 99)`} {
		if _, err := s.writer.db.Exec(q); err == nil {
			t.Errorf("the database took %s", q)
		}
	}
	must[Move](t)(s.Undo(t.Context(), "t", m.Nr, because))
	if _, err := s.writer.db.Exec(`INSERT INTO move (nr, tenant, kind, who, why, at, before, after, undoes) VALUES (1000, 't', 'undo', '', '', 0, '{}', '{}', 1)`); err == nil {
		t.Error("a move was undone twice")
	}
}
