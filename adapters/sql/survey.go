package sql

import (
	"context"
	stdsql "database/sql"
	"slices"
	"strings"
)

// A Surveyed table is what the database says of one, for proposing a
// configuration.
type Surveyed struct {
	Name    string // before it, if it must be named, the schema and a dot
	Columns []SurveyedColumn
	Key     []string // the primary key
	Foreign []Foreign
}

// A SurveyedColumn is one column.
type SurveyedColumn struct {
	Name, Type string // as declared, in lower case
	Required   bool   // NOT NULL without a default
	Default    string
}

// A Foreign is a foreign key of one column.
type Foreign struct{ Column, Table, Target string }

// Column finds a column, nil if there is none.
func (t *Surveyed) Column(name string) *SurveyedColumn {
	i := slices.IndexFunc(t.Columns, func(c SurveyedColumn) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return nil
	}
	return &t.Columns[i]
}

// Survey lists the tables that there are, with their columns and keys.
func (db *Database) Survey(ctx context.Context) ([]Surveyed, error) {
	var out []Surveyed
	err := db.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		columns, keys, foreign := surveyOf(db.dialect)
		found := survey{}
		for _, q := range []struct {
			text string
			row  func([]string)
		}{{columns, found.column}, {keys, found.key}, {foreign, found.foreign}} {
			if err := eachText(ctx, s, q.text, q.row); err != nil {
				return err
			}
		}
		out = found.tables
		return nil
	})
	return out, err
}

// surveyOf are three statements: table, column, type, whether it is required and
// default of every column; table and column of primary keys; table, column, table
// and column of foreign keys.
func surveyOf(d dialect) (columns, keys, foreign string) {
	if _, ok := d.(sqlite); ok {
		const tables = `FROM sqlite_master AS m, `
		const own = ` WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'`
		return `SELECT m.name, c.name, lower(c.type), c."notnull" AND c.dflt_value IS NULL AND NOT (c.pk AND lower(c.type) = 'integer'), coalesce(c.dflt_value, '') ` +
				tables + `pragma_table_info(m.name) AS c` + own + ` ORDER BY m.name, c.cid`,
			`SELECT m.name, c.name ` + tables + `pragma_table_info(m.name) AS c` + own + ` AND c.pk > 0 ORDER BY m.name, c.pk`,
			`SELECT m.name, f."from", f."table", coalesce(f."to", '') ` + tables + `pragma_foreign_key_list(m.name) AS f` + own + ` ORDER BY m.name, f.id DESC`
	}
	if _, ok := d.(postgres); ok {
		const name = `CASE WHEN n.nspname = current_schema() THEN t.relname ELSE n.nspname || '.' || t.relname END`
		const other = `CASE WHEN fn.nspname = current_schema() THEN ft.relname ELSE fn.nspname || '.' || ft.relname END`
		// Other schemas than those of the search path count only where these hold nothing.
		const own = ` n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
	AND (n.nspname = ANY (current_schemas(false)) OR NOT EXISTS (SELECT 1 FROM pg_class AS x JOIN pg_namespace AS xn ON xn.oid = x.relnamespace
		WHERE x.relkind IN ('r', 'v', 'p', 'm', 'f') AND xn.nspname = ANY (current_schemas(false))))`
		return `SELECT ` + name + `, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull AND d.adbin IS NULL AND a.attidentity = '', coalesce(pg_get_expr(d.adbin, d.adrelid), a.attidentity::text)
	FROM pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum WHERE t.relkind IN ('r', 'v', 'p', 'm', 'f') AND` + own + ` ORDER BY 1, a.attnum`,
			`SELECT ` + name + `, a.attname::text FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
	CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(num, ord) JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.num
	WHERE c.contype = 'p' AND` + own + ` ORDER BY 1, k.ord`,
			`SELECT ` + name + `, a.attname::text, ` + other + `, fa.attname::text FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
	JOIN pg_namespace AS n ON n.oid = t.relnamespace JOIN pg_class AS ft ON ft.oid = c.confrelid JOIN pg_namespace AS fn ON fn.oid = ft.relnamespace
	JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = c.conkey[1] JOIN pg_attribute AS fa ON fa.attrelid = ft.oid AND fa.attnum = c.confkey[1]
	WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND` + own + ` ORDER BY 1, a.attnum`
	}
	return `SELECT table_name, column_name, lower(data_type), is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%', coalesce(column_default, extra, '')
	FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`,
		`SELECT table_name, column_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND constraint_name = 'PRIMARY' ORDER BY table_name, ordinal_position`,
		`SELECT table_name, column_name, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage
	WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL ORDER BY table_name, ordinal_position`
}

// survey gathers the answers.
type survey struct{ tables []Surveyed }

func (f *survey) table(name string) *Surveyed {
	for i := range f.tables {
		if f.tables[i].Name == name {
			return &f.tables[i]
		}
	}
	f.tables = append(f.tables, Surveyed{Name: name})
	return &f.tables[len(f.tables)-1]
}

func (f *survey) column(row []string) {
	t := f.table(row[0])
	t.Columns = append(t.Columns, SurveyedColumn{Name: row[1], Type: row[2], Required: row[3] == "1" || row[3] == "true", Default: row[4]})
}

func (f *survey) key(row []string) {
	t := f.table(row[0])
	t.Key = append(t.Key, row[1])
}

func (f *survey) foreign(row []string) {
	t := f.table(row[0])
	t.Foreign = append(t.Foreign, Foreign{Column: row[1], Table: row[2], Target: row[3]})
}

// eachText tells the rows that a statement answers, as text.
func eachText(ctx context.Context, s session, statement string, tell func([]string), args ...any) error {
	rows, err := s.query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		held := make([]stdsql.NullString, len(names))
		into := make([]any, len(names))
		for i := range held {
			into[i] = &held[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := make([]string, len(names))
		for i := range held {
			row[i] = held[i].String
		}
		tell(row)
	}
	return rows.Err()
}

// Few lists the values that a column holds, as text, if they are no more than n.
func (db *Database) Few(ctx context.Context, table, column string, n int) ([]string, error) {
	var out []string
	err := db.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		out = nil
		d := db.dialect
		return eachText(ctx, s, "SELECT DISTINCT "+d.quote(column)+" FROM "+d.relation(table)+" WHERE "+d.quote(column)+" IS NOT NULL ORDER BY 1", func(row []string) {
			if len(out) <= n {
				out = append(out, row[0])
			}
		})
	})
	if len(out) > n {
		return nil, err
	}
	return out, err
}
