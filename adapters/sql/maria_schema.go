package sql

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
)

const (
	mariaTable = `SELECT TABLE_TYPE, COALESCE(ENGINE, ''), VERSION() FROM information_schema.TABLES
	WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ?`

	mariaColumns = `SELECT COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, COLUMN_TYPE, EXTRA, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0),
	COALESCE(NUMERIC_PRECISION, DATETIME_PRECISION, 0), COALESCE(NUMERIC_SCALE, 0), COALESCE(CHARACTER_SET_NAME, ''), COALESCE(COLLATION_NAME, '')
	FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`

	mariaIndexes = `SELECT INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COALESCE(COLUMN_NAME, ''), INDEX_TYPE
	FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX`

	mariaReferences = `SELECT CONSTRAINT_NAME, COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
	WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? AND REFERENCED_TABLE_NAME IS NOT NULL`

	mariaChecks = `SELECT c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS AS c
	JOIN information_schema.TABLE_CONSTRAINTS AS t ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
	WHERE t.CONSTRAINT_TYPE = 'CHECK' AND t.TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND t.TABLE_NAME = ?`
)

// placeOf takes a name apart: that of the database, "" for the one of the dsn,
// and that of the table.
func placeOf(name string) (database, table string) {
	if database, table, ok := strings.Cut(name, "."); ok {
		return database, table
	}
	return "", name
}

func (d maria) schema(ctx context.Context, s session, table string) (*schema, error) {
	if err := d.letters.ask(ctx, s); err != nil {
		return nil, err
	}
	t := &schema{name: table, columns: map[string]*column{}, named: map[string][]string{}}
	for _, read := range []func(context.Context, session, *schema) error{
		d.readTable, d.readColumns, d.readCollations, d.readIndexes, d.readReferences, d.readChecks,
	} {
		if err := read(ctx, s, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// eachRow reads the rows that a statement about a table answers.
func eachRow(ctx context.Context, s session, statement string, t *schema, into []any, f func() error) error {
	database, table := placeOf(t.name)
	rows, err := s.query(ctx, statement, database, table)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}

var mariaVersion = regexp.MustCompile(`^(?:5\.5\.5-)?([0-9]+)\.([0-9]+)`)

func (d maria) readTable(ctx context.Context, s session, t *schema) error {
	var typ, engine, version string
	found := false
	err := eachRow(ctx, s, mariaTable, t, []any{&typ, &engine, &version}, func() error {
		found = true
		t.view = typ != "BASE TABLE" && typ != "SYSTEM VERSIONED"
		switch strings.ToLower(engine) {
		case "", "innodb", "rocksdb", "ndbcluster", "spider", "connect", "federated":
		default:
			t.notes = append(t.notes, fmt.Sprintf("the engine %s has no transactions: a change that fails half-way is not undone", engine))
		}
		return d.tooOld(t, version)
	})
	if err == nil && !found {
		return fmt.Errorf("%w: %s", errNoTable, t.name)
	}
	return err
}

// tooOld refuses servers without JSON_TABLE, and notes which answer what they insert.
func (d maria) tooOld(t *schema, version string) error {
	number := mariaVersion.FindStringSubmatch(version)
	if number == nil {
		return nil
	}
	major, _ := strconv.Atoi(number[1])
	minor, _ := strconv.Atoi(number[2])
	t.returning = strings.Contains(version, "MariaDB")
	if d.mysql {
		t.returning = false
		return nil
	}
	if t.returning && (major < 10 || major == 10 && minor < 6) || !t.returning && major < 8 {
		return fmt.Errorf("%w: the server is too old (%s); MariaDB 10.6 and MySQL 8.0 are the first that do", errStale, version)
	}
	return nil
}

// A mariaAttribute is a row of mariaColumns.
type mariaAttribute struct {
	name, nullable, typ, whole, extra, charset, collation string
	fallback                                              stdsql.NullString
	longest, precision, scale                             uint64
}

func (d maria) readColumns(ctx context.Context, s session, t *schema) error {
	var a mariaAttribute
	into := []any{&a.name, &a.fallback, &a.nullable, &a.typ, &a.whole, &a.extra, &a.longest, &a.precision, &a.scale, &a.charset, &a.collation}
	return eachRow(ctx, s, mariaColumns, t, into, func() error {
		c, err := d.column(&a, t)
		t.columns[strings.ToLower(a.name)] = c
		return err
	})
}

var mariaName = regexp.MustCompile(`^[a-z0-9_]*$`)

func (d maria) column(a *mariaAttribute, t *schema) (*column, error) {
	if !mariaName.MatchString(a.charset + a.collation) {
		return nil, fmt.Errorf("%w: %s.%s has a collation of a strange name", errStale, t.name, a.name)
	}
	extra := strings.ToLower(a.extra)
	fallback := a.fallback.Valid && a.fallback.String != "NULL"
	c := &column{
		name:      a.name,
		quoted:    d.quote(a.name),
		table:     d.relation(t.name),
		notNull:   a.nullable == "NO",
		emptyText: a.fallback.Valid && (a.fallback.String == "''" || a.fallback.String == ""),
		fallback:  fallback,
		computed:  strings.Contains(extra, "virtual generated") || strings.Contains(extra, "stored generated") || strings.Contains(extra, "persistent"),
		my: myColumn{
			typ: strings.ToLower(a.typ), charset: a.charset, collation: a.collation,
			longest: int(a.longest), precision: int(a.precision), scale: int(a.scale),
			unsigned: strings.Contains(a.whole, "unsigned"), counts: strings.Contains(extra, "auto_increment"),
		},
	}
	if c.my.charset == "utf8" {
		c.my.charset = "utf8mb3"
	}
	c.ref, c.fallback = "t."+c.quoted, c.fallback || c.my.counts
	d.kindOf(c, a)
	c.number = c.kind == integerKind
	c.local = c.kind != integerKind || c.wide()
	return c, nil
}

// kindOf sorts the types. Those that are not named are read and compared as their
// text.
func (maria) kindOf(c *column, a *mariaAttribute) {
	switch c.my.typ {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		c.kind = integerKind
		c.my.bits = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[c.my.typ]
	case "year":
		c.kind, c.my.bits = integerKind, 16
	case "bit":
		c.kind, c.my.bits, c.my.unsigned = integerKind, c.my.precision, true
	case "decimal":
		if c.my.scale == 0 && c.my.precision <= 18 {
			c.kind, c.my.bits = integerKind, 64
			c.my.unsigned = false // the database says so
		}
	case "char", "varchar":
		c.kind = textKind
	case "tinytext", "text", "mediumtext", "longtext":
		c.kind, c.my.octets = textKind, true
	case "enum", "set":
		c.kind, c.my.words, c.my.longest = textKind, listed(a.whole), 0
	case "datetime", "timestamp":
		c.kind = timeKind
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring", "polygon",
		"multipoint", "multilinestring", "multipolygon", "geometrycollection", "vector":
		c.kind = bytesKind
	}
}

// listed reads enum('a','it”s'), in which an apostrophe is written twice.
func listed(typ string) []string {
	words := []string{}
	_, rest, _ := strings.Cut(typ, "('")
	rest = strings.TrimSuffix(rest, "')")
	for word := range strings.SplitSeq(strings.ReplaceAll(rest, "''", "\x00"), "','") {
		words = append(words, strings.ReplaceAll(word, "\x00", "'"))
	}
	return words
}

// readCollations asks of each collation whether it tells letters apart that differ
// by case only: some languages have pairs of letters that it does when only one
// of them is a capital.
func (d maria) readCollations(ctx context.Context, s session, t *schema) error {
	for _, c := range t.columns {
		if c.kind != textKind || c.my.collation == "" {
			continue
		}
		ignores, kelvin, err := d.collation(ctx, s, c.my.charset, c.my.collation)
		if err != nil {
			return err
		}
		c.my.cased, c.my.kelvin = !ignores, kelvin
	}
	return nil
}

// A mariaCollation is what is known of one.
type mariaCollation struct{ ignores, kelvin bool }

func (d maria) collation(ctx context.Context, s session, charset, name string) (ignores, kelvin bool, err error) {
	d.letters.mu.Lock()
	known, ok := d.letters.collations[name]
	d.letters.mu.Unlock()
	if ok {
		return known.ignores, known.kelvin, nil
	}
	small, second, first := letterPairs()
	b := newBuilder().add("SELECT ")
	equal := func(x, y string) {
		b.add("CONVERT(").bind(x).add(" USING ", charset, ") COLLATE ", name, " = CONVERT(").bind(y).add(" USING ", charset, ")")
	}
	equal(small, strings.ToUpper(small))
	b.add(" AND ")
	equal(small, second)
	b.add(" AND ")
	equal(small, first)
	b.add(", ")
	equal("ks", "\u212a\u017f")
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return false, false, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&known.ignores, &known.kelvin); err != nil {
			return false, false, err
		}
	}
	known.kelvin = known.kelvin && charset == "utf8mb4"
	d.letters.mu.Lock()
	d.letters.collations[name] = known
	d.letters.mu.Unlock()
	return known.ignores, known.kelvin, rows.Err()
}

// letterPairs lists all pairs of letters, small, and with one of them capital.
func letterPairs() (small, second, first string) {
	var a, b, c strings.Builder
	for x := 'a'; x <= 'z'; x++ {
		for y := 'a'; y <= 'z'; y++ {
			fmt.Fprintf(&a, "%c%c.", x, y)
			fmt.Fprintf(&b, "%c%c.", x, y-'a'+'A')
			fmt.Fprintf(&c, "%c%c.", x-'a'+'A', y)
		}
	}
	return a.String(), b.String(), c.String()
}

func (d maria) readIndexes(ctx context.Context, s session, t *schema) error {
	var index, name, typ string
	var many, at int64
	var last string
	var columns []string
	err := eachRow(ctx, s, mariaIndexes, t, []any{&index, &many, &at, &name, &typ}, func() error {
		if index != last {
			t.addUnique(columns)
			last, columns = index, []string{}
		}
		c := t.columns[strings.ToLower(name)]
		if c == nil { // of an expression
			columns = nil
			return nil
		}
		t.named[strings.ToLower(index)] = append(t.named[strings.ToLower(index)], c.name)
		if at == 1 && typ == "BTREE" || many == 0 && typ == "HASH" {
			c.indexed = true
			c.folded = c.kind == textKind && c.my.words == nil && !c.my.cased
		}
		if many != 0 || columns == nil {
			columns = nil
		} else {
			columns = append(columns, c.name)
		}
		return nil
	})
	t.addUnique(columns)
	for _, u := range t.unique {
		if len(u) == 1 {
			t.column(u[0]).alone = true
		}
	}
	return err
}

func (maria) readReferences(ctx context.Context, s session, t *schema) error {
	var name, column string
	return eachRow(ctx, s, mariaReferences, t, []any{&name, &column}, func() error {
		name = strings.ToLower(name)
		t.named[name] = append(t.named[name], column)
		return nil
	})
}

func (maria) readChecks(ctx context.Context, s session, t *schema) error {
	var name, clause string
	return eachRow(ctx, s, mariaChecks, t, []any{&name, &clause}, func() error {
		name = strings.ToLower(name)
		t.named[name] = append(t.named[name], words(clause)...)
		return nil
	})
}

func (maria) names(ctx context.Context, s session) ([]string, error) {
	found, err := values(s.query(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME"))
	out := make([]string, 0, len(found))
	for _, v := range found {
		out = append(out, adapters.Text(v))
	}
	return out, err
}

func (maria) advise(context.Context, session, *schema) ([]string, error) { return nil, nil }
