package sql

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
)

const (
	sqliteColumns = `SELECT name, type, "notnull", coalesce(dflt_value, ''), pk, hidden,
	(SELECT encoding FROM pragma_encoding), (SELECT type FROM sqlite_master WHERE name = ?1 COLLATE NOCASE),
	EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE AND sql LIKE '%insert%')
	FROM pragma_table_xinfo(?1)`
	sqliteIndexes = `SELECT l.name, l."unique", l.partial, l.origin = 'pk', x.seqno, coalesce(x.name, ''), upper(x.coll)
	FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x
	WHERE x.key ORDER BY l.seq, x.seqno`
	sqliteDefinitions = `SELECT name, sql FROM sqlite_master
	WHERE type = 'index' AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL`
)

func (d sqlite) schema(ctx context.Context, s session, table string) (*schema, error) {
	t := &schema{name: table, columns: map[string]*column{}, named: map[string][]string{}}
	keys, err := d.readColumns(ctx, s, t)
	if err != nil {
		return nil, err
	}
	if len(t.columns) == 0 {
		return nil, fmt.Errorf("%w: %s", errNoTable, table)
	}
	pk, err := d.readIndexes(ctx, s, t)
	if err != nil {
		return nil, err
	}
	if err := d.readDefinitions(ctx, s, t); err != nil {
		return nil, err
	}
	// A primary key without an index of its own is the rowid.
	if len(keys) == 1 && !pk && !t.view {
		c := keys[0]
		c.rowid, c.indexed, c.exact, c.notNull = true, true, true, true
		t.unique = append(t.unique, []string{c.name})
	}
	for _, u := range t.unique {
		if len(u) == 1 {
			t.column(u[0]).alone = true
		}
	}
	return t, nil
}

// readColumns answers the columns of the primary key.
func (d sqlite) readColumns(ctx context.Context, s session, t *schema) ([]*column, error) {
	rows, err := s.query(ctx, sqliteColumns, t.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []*column
	for rows.Next() {
		var name, declared, fallback, encoding string
		var notNull bool
		var pk, hidden int
		var sort stdsql.NullString
		if err := rows.Scan(&name, &declared, &notNull, &fallback, &pk, &hidden, &encoding, &sort, &t.triggered); err != nil {
			return nil, err
		}
		if encoding != "UTF-8" {
			return nil, fmt.Errorf("%w: the database is kept in %s, which cannot be compared exactly", errStale, encoding)
		}
		c := &column{
			name:      name,
			quoted:    d.quote(name),
			table:     d.relation(t.name),
			number:    strings.Contains(strings.ToUpper(declared), "INT"),
			kind:      sqliteKind(declared),
			notNull:   notNull,
			emptyText: fallback == "''" || fallback == `""`,
			fallback:  fallback != "",
			computed:  hidden > 1,
		}
		c.ref = "t." + c.quoted
		c.number = c.number || c.kind == realKind
		t.columns[strings.ToLower(name)] = c
		t.view = sort.String == "view"
		if pk > 0 {
			keys = append(keys, c)
		}
	}
	return keys, rows.Err()
}

// readIndexes answers whether an index serves the primary key.
func (sqlite) readIndexes(ctx context.Context, s session, t *schema) (pk bool, err error) {
	rows, err := s.query(ctx, sqliteIndexes, t.name)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var last string
	var columns []string // of the index being read; nil once it is known not to count
	for rows.Next() {
		var index, name, collation string
		var unique, partial, primary bool
		var at int
		if err := rows.Scan(&index, &unique, &partial, &primary, &at, &name, &collation); err != nil {
			return false, err
		}
		pk = pk || primary
		c := t.columns[strings.ToLower(name)]
		if at == 0 && c != nil && !partial {
			c.indexed = true
			c.exact = c.exact || collation == "BINARY"
			c.folded = c.folded || collation == "NOCASE"
		}
		if index != last {
			t.addUnique(columns)
			last, columns = index, []string{}
		}
		if !unique || partial || c == nil || columns == nil { // no column: an expression
			columns = nil
		} else {
			columns = append(columns, c.name)
		}
	}
	t.addUnique(columns)
	return pk, rows.Err()
}

func (t *schema) addUnique(columns []string) {
	if len(columns) > 0 {
		t.unique = append(t.unique, columns)
	}
}

// readDefinitions notes which columns an index may be about whose name is all
// that an error says.
func (sqlite) readDefinitions(ctx context.Context, s session, t *schema) error {
	rows, err := s.query(ctx, sqliteDefinitions, t.name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, definition string
		if err := rows.Scan(&name, &definition); err != nil {
			return err
		}
		if i := strings.IndexByte(definition, '('); i >= 0 {
			t.named[strings.ToLower(name)] = words(definition[i:])
		}
	}
	return rows.Err()
}

func (sqlite) names(ctx context.Context, s session) ([]string, error) {
	found, err := values(s.query(ctx, `SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name`))
	out := make([]string, 0, len(found))
	for _, v := range found {
		out = append(out, adapters.Text(v))
	}
	return out, err
}

// advise warns of keys that come back: without AUTOINCREMENT, SQLite gives the
// key of the last row, once that is deleted, to the next.
func (sqlite) advise(ctx context.Context, s session, t *schema) ([]string, error) {
	found, err := values(s.query(ctx, `SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE`, t.name))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if strings.Contains(strings.ToUpper(adapters.Text(found[0])), "AUTOINCREMENT") {
		return nil, nil
	}
	return []string{"the key of a deleted row may be given to a new one: the column is not AUTOINCREMENT"}, nil
}

// sqliteKind follows the rules by which SQLite derives affinity from a declared
// type, https://www.sqlite.org/datatype3.html section 3.1.
func sqliteKind(declared string) kind {
	d := strings.ToUpper(declared)
	has := func(part string) bool { return strings.Contains(d, part) }
	switch {
	case has("INT"):
		return integerKind
	case has("CHAR"), has("CLOB"), has("TEXT"):
		return textKind
	case has("BLOB"), d == "", d == "ANY":
		return anyKind
	case has("REAL"), has("FLOA"), has("DOUB"):
		return realKind
	case strings.HasPrefix(d, "DATETIME"), strings.HasPrefix(d, "TIMESTAMP"):
		return timeKind
	}
	return integerKind
}
