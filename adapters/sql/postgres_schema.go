package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
)

const (
	postgresColumns = `SELECT a.attname::text, b.typname::text, format_type(b.oid, NULL),
	(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)::int8, a.attnotnull OR t.typnotnull,
	coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault, ''), a.attidentity::text, a.attgenerated::text, c.relkind::text,
	coalesce(l.collisdeterministic, TRUE), coalesce(l.collname::text, ''), a.attcollation::int8,
	(SELECT datcollate IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database()),
	current_setting('server_encoding'), b.typtype::text,
	EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 4 <> 0),
	EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 16 <> 0),
	EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 16 <> 0 AND g.tgtype & 2 = 0),
	c.relkind = 'p' OR c.relhassubclass OR EXISTS (SELECT 1 FROM pg_rewrite AS w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN')
	OR EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.confrelid = c.oid AND k.confupdtype IN ('c', 'n', 'd'))
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_type AS t ON t.oid = a.atttypid
	JOIN pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
	LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
	WHERE c.oid = to_regclass(?::text) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') ORDER BY a.attnum`

	// tgtype & 2 is BEFORE, 4 INSERT, 16 UPDATE.

	postgresIndexes = `SELECT n.relname::text, i.indisunique, i.indpred IS NOT NULL, k.at::int8, coalesce(a.attname::text, ''),
	pg_get_indexdef(i.indexrelid, k.at, TRUE), o.opcname::text, i.indcollation[k.at - 1]::int8, i.indimmediate
	FROM pg_index AS i JOIN pg_class AS n ON n.oid = i.indexrelid JOIN pg_am AS m ON m.oid = n.relam
	CROSS JOIN generate_series(1, i.indnkeyatts) AS k(at)
	LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at - 1] AND a.attnum > 0
	JOIN pg_opclass AS o ON o.oid = i.indclass[k.at - 1]
	WHERE i.indrelid = to_regclass(?::text) AND i.indisvalid AND m.amname = 'btree' ORDER BY n.relname, k.at`

	postgresConstraints = `SELECT c.conname::text, a.attname::text FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
	WHERE c.conrelid = to_regclass(?::text) ORDER BY c.conname, a.attnum`

	// Whether lower and upper know ASCII, as they do not in Turkish.
	postgresCase = `SELECT lower('ABCDEFGHIJKLMNOPQRSTUVWXYZ') = 'abcdefghijklmnopqrstuvwxyz'
	AND upper('abcdefghijklmnopqrstuvwxyz') = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'`
)

func (d postgres) schema(ctx context.Context, s session, table string) (*schema, error) {
	t := &schema{name: table, columns: map[string]*column{}, named: map[string][]string{}}
	collations, err := d.readColumns(ctx, s, t)
	if err != nil {
		return nil, err
	}
	if len(t.columns) == 0 {
		return nil, fmt.Errorf("%w: %s", errNoTable, table)
	}
	plain, err := values(s.query(ctx, postgresCase))
	if err != nil {
		return nil, err
	}
	if err := d.readIndexes(ctx, s, t, collations, plain[0] == true); err != nil {
		return nil, err
	}
	return t, d.readConstraints(ctx, s, t)
}

// A pgAttribute is a row of postgresColumns.
type pgAttribute struct {
	name, base, typ, fallback, identity, generated, sort, collation, encoding, class string
	modifier, collationID                                                            int64
	notNull, deterministic, bytewise                                                 bool
}

// readColumns answers the collations of the columns whose case an index may
// ignore.
func (d postgres) readColumns(ctx context.Context, s session, t *schema) (map[*column]int64, error) {
	rows, err := s.query(ctx, postgresColumns, d.relation(t.name))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	collations := map[*column]int64{}
	for rows.Next() {
		var a pgAttribute
		var elsewhere bool // what is done to the table may be done to others, or otherwise
		if err := rows.Scan(&a.name, &a.base, &a.typ, &a.modifier, &a.notNull, &a.fallback, &a.identity, &a.generated, &a.sort,
			&a.deterministic, &a.collation, &a.collationID, &a.bytewise, &a.encoding, &a.class, &t.triggered, &t.amended, &t.later, &elsewhere); err != nil {
			return nil, err
		}
		if a.encoding != "UTF8" {
			return nil, fmt.Errorf("%w: the database is kept in %s, which cannot be compared exactly", errStale, a.encoding)
		}
		c := d.column(&a, t)
		at := strings.ToLower(a.name)
		if _, twice := t.columns[at]; twice {
			return nil, fmt.Errorf("%w: two columns of %s differ by case only: %s", errStale, t.name, a.name)
		}
		t.columns[at] = c
		t.triggered, t.amended, t.later = t.triggered || elsewhere, t.amended || elsewhere, t.later || elsewhere
		t.view = a.sort == "v" || a.sort == "m" || a.sort == "f"
		collations[c] = a.collationID
	}
	return collations, rows.Err()
}

func (d postgres) column(a *pgAttribute, t *schema) *column {
	c := &column{
		name:      a.name,
		quoted:    d.quote(a.name),
		table:     d.relation(t.name),
		notNull:   a.notNull,
		emptyText: strings.HasPrefix(a.fallback, "''"),
		fallback:  a.fallback != "" && a.generated == "" || a.identity != "",
		computed:  a.generated != "",
		pg:        pgColumn{typ: a.typ},
	}
	c.ref = "t." + c.quoted
	c.pg.strange = !a.deterministic
	d.kindOf(c, a)
	c.number = c.kind == integerKind
	c.local = c.kind != integerKind
	return c
}

// kindOf sorts the types of PostgreSQL. Those that are not named are read and
// compared as their text.
func (postgres) kindOf(c *column, a *pgAttribute) {
	switch a.base {
	case "int2", "int4", "int8":
		c.kind = integerKind
		c.pg.bits = map[string]int{"int2": 16, "int4": 32, "int8": 64}[a.base]
	case "numeric": // precision and scale, each of 16 bits, and 4
		if m := a.modifier - 4; a.modifier >= 4 && m&0x7ff == 0 && m>>16 <= 18 {
			c.kind, c.pg.bits, c.pg.decimal = integerKind, 64, true
		}
	case "text", "varchar":
		c.kind, c.pg.typ = textKind, "text"
		c.pg.plain = a.deterministic
	case "bpchar":
		c.kind, c.pg.padded, c.pg.typ = textKind, true, "bpchar"
	case "citext":
		c.kind, c.pg.citext = textKind, true
	case "name":
		c.kind = textKind
	case "bool":
		c.kind = boolKind
	case "bytea":
		c.kind = bytesKind
	case "timestamp", "timestamptz":
		c.kind, c.pg.instant = timeKind, a.base == "timestamptz"
	case "uuid":
		c.pg.uuid = true
	}
	c.exact = c.pg.plain && (a.collation == "C" || a.collation == "POSIX" || a.collation == "default" && a.bytewise)
}

func (d postgres) readIndexes(ctx context.Context, s session, t *schema, collations map[*column]int64, plainCase bool) error {
	rows, err := s.query(ctx, postgresIndexes, d.relation(t.name))
	if err != nil {
		return err
	}
	defer rows.Close()
	bytewise := map[*column]bool{} // of those, the indexes will say whether there is one
	for _, c := range t.columns {
		bytewise[c], c.exact = c.exact, false
	}
	var last string
	var columns []string
	pairs := pairing{}
	for rows.Next() {
		var index, name, definition, class string
		var unique, partial, immediate bool
		var at, collation int64
		if err := rows.Scan(&index, &unique, &partial, &at, &name, &definition, &class, &collation, &immediate); err != nil {
			return err
		}
		if index != last {
			t.addUnique(columns)
			last, columns = index, []string{}
		}
		key := strings.ToLower(index)
		c := t.columns[strings.ToLower(name)]
		if c != nil {
			t.named[key] = append(t.named[key], c.name)
		} else {
			t.named[key] = append(t.named[key], words(definition)...)
		}
		if at == 1 && !partial {
			d.leads(t, c, definition, class, collations, collation, bytewise, plainCase)
		}
		if !unique || partial || c == nil || columns == nil {
			columns = nil
		} else {
			columns = append(columns, c.name)
		}
		pairs.note(index, columns, immediate)
		if unique && !partial && c == nil && at == 1 {
			if f := d.casedColumn(t, definition); f != nil {
				f.alone = true
			}
		}
	}
	t.addUnique(columns)
	t.pairs = pairs.all()
	for _, u := range t.unique {
		if len(u) == 1 {
			t.column(u[0]).alone = true
		}
	}
	return rows.Err()
}

// leads notes what an index that begins with a column, or with its case taken
// away, is good for.
func (d postgres) leads(t *schema, c *column, definition, class string, collations map[*column]int64, collation int64, bytewise map[*column]bool, plainCase bool) {
	pattern := strings.HasSuffix(class, "_pattern_ops")
	if c != nil {
		if pattern {
			c.pg.begins = true
			return
		}
		if collations[c] != collation {
			return
		}
		c.indexed, c.pg.direct = true, true
		c.folded = c.folded || c.pg.citext
		c.exact = c.exact || bytewise[c]
		return
	}
	if c = d.casedColumn(t, definition); c == nil || collations[c] != collation || pattern || !plainCase || !c.pg.plain {
		return
	}
	c.indexed, c.folded = true, true
	if strings.HasPrefix(definition, "lower(") {
		c.pg.lower = true
	} else {
		c.pg.upper = true
	}
}

// casedColumn is the column of lower(column) or upper(column).
func (d postgres) casedColumn(t *schema, definition string) *column {
	inner, ok := strings.CutPrefix(definition, "lower(")
	if !ok {
		if inner, ok = strings.CutPrefix(definition, "upper("); !ok {
			return nil
		}
	}
	inner = strings.TrimSuffix(inner, ")")
	for _, c := range t.columns {
		if inner == c.name || inner == c.quoted || inner == c.name+"::text" || inner == c.quoted+"::text" ||
			inner == "("+c.name+")::text" || inner == "("+c.quoted+")::text" {
			return c
		}
	}
	return nil
}

func (d postgres) readConstraints(ctx context.Context, s session, t *schema) error {
	rows, err := s.query(ctx, postgresConstraints, d.relation(t.name))
	if err != nil {
		return err
	}
	defer rows.Close()
	named := map[string][]string{}
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			return err
		}
		name = strings.ToLower(name)
		named[name] = append(named[name], column)
	}
	for name, columns := range named {
		t.named[name] = columns
	}
	return rows.Err()
}

func (postgres) names(ctx context.Context, s session) ([]string, error) {
	found, err := values(s.query(ctx, `SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'f')
	AND pg_table_is_visible(oid) AND relnamespace <> 'pg_catalog'::regnamespace ORDER BY relname`))
	out := make([]string, 0, len(found))
	for _, v := range found {
		out = append(out, adapters.Text(v))
	}
	return out, err
}

func (postgres) advise(context.Context, session, *schema) ([]string, error) { return nil, nil }
