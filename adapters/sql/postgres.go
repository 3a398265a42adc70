package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is PostgreSQL, by github.com/jackc/pgx.
type postgres struct{ standard }

// idleLife bounds how long a connection is kept that nobody uses.
const idleLife = 5 * time.Minute

// openPostgres opens postgres://user:password@host:port/database?option=value...
func openPostgres(cfg Config) (*Database, error) {
	if cfg.Init != "" {
		return nil, errors.New("postgres: an init script is for SQLite only")
	}
	conn, err := pgx.ParseConfig(cfg.DSN)
	if err != nil { // whose words may hold the password
		return nil, errors.New("postgres: the dsn cannot be read; it is of the form postgres://user:password@host:5432/database?sslmode=require")
	}
	unless := func(name, value string) {
		if conn.RuntimeParams[name] == "" {
			conn.RuntimeParams[name] = value
		}
	}
	conn.RuntimeParams["timezone"] = "UTC"
	conn.RuntimeParams["datestyle"] = "ISO, YMD"
	conn.RuntimeParams["standard_conforming_strings"] = "on"
	unless("application_name", "postern")
	unless("lock_timeout", milliseconds(cfg.Wait))
	unless("idle_in_transaction_session_timeout", "60000")
	if cfg.Timeout > 0 {
		unless("statement_timeout", milliseconds(cfg.Timeout))
	}
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = cfg.Wait
	}
	pool := stdlib.OpenDB(*conn)
	pool.SetMaxOpenConns(cfg.Connections)
	pool.SetMaxIdleConns(cfg.Connections)
	pool.SetConnMaxIdleTime(idleLife)
	return &Database{
		dialect:  postgres{},
		read:     pool,
		write:    pool,
		remote:   true,
		readOnly: conn.RuntimeParams["default_transaction_read_only"] == "on",
		timeout:  cfg.Timeout,
		wait:     cfg.Wait,
		trace:    cfg.Trace,
		watch:    cfg.Watch,
		schemas:  map[string]*schema{},
		members:  map[string][]*Relation{},
	}, nil
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10)
}

func (postgres) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// relation takes a dot for what separates the schema from the table.
func (d postgres) relation(name string) string {
	if schema, table, ok := strings.Cut(name, "."); ok {
		return d.quote(schema) + "." + d.quote(table)
	}
	return d.quote(name)
}

// placed numbers the parameters. No name holds a question mark, and no text
// stands in a statement.
func (postgres) placed(statement string) string {
	n := strings.Count(statement, "?")
	if n == 0 {
		return statement
	}
	out := make([]byte, 0, len(statement)+2*n)
	number := int64(0)
	for i := range len(statement) {
		if statement[i] != '?' {
			out = append(out, statement[i])
			continue
		}
		number++
		out = strconv.AppendInt(append(out, '$'), number, 10)
	}
	return string(out)
}

func (d postgres) blank(c *column) string { return d.text(c) + " = ''" }

func (postgres) truth(is bool) string {
	if is {
		return "TRUE"
	}
	return "FALSE"
}

func (postgres) probe() string { return "SELECT 1" }

func (d postgres) list(c *column) (from, ord, value string) {
	value = "l.value"
	switch {
	case c.kind == integerKind:
		value = "l.value::int8"
	case c.pg.uuid:
		value = "l.value::uuid"
	}
	return "jsonb_array_elements_text(?::jsonb) WITH ORDINALITY AS l(value, ord)", "l.ord - 1", value
}

func (postgres) key(c *column) *column { return c }

// pair compares as text what the database would not compare.
func (d postgres) pair(a, b *column) (x, y string) {
	if a.kind == integerKind && b.kind == integerKind || a.pg.typ == b.pg.typ || a.pg.plain && b.pg.plain {
		return a.ref, b.ref
	}
	return d.text(a), d.text(b)
}

// exactly is an expression that compares as the text of a column does, and by
// an index where there can be one.
func (d postgres) exactly(c *column) string {
	if c.kind == integerKind || c.pg.uuid {
		return c.ref
	}
	return d.text(c)
}

func (postgres) snapshot() *stdsql.TxOptions {
	return &stdsql.TxOptions{Isolation: stdsql.LevelRepeatableRead, ReadOnly: true}
}

// lock does not keep others from referring to the row.
func (postgres) lock() string { return " FOR NO KEY UPDATE" }

func (postgres) deferred() string { return "SET CONSTRAINTS ALL DEFERRED" }

func (postgres) limit(b *builder, n, offset int) {
	// A number, not a parameter: a plan made once for any limit would sort all.
	b.add(" LIMIT ", strconv.Itoa(n))
	if offset > 0 {
		b.add(" OFFSET ").bind(int64(offset)).add("::int8")
	}
}

// missing asks for what a credential may do with any of a table's columns: which
// of them it needs, the database says when it is used.
func (d postgres) missing(ctx context.Context, s session, table string) ([]string, error) {
	const ask = `SELECT name FROM (VALUES
	('select', has_any_column_privilege(to_regclass(?::text), 'SELECT')),
	('insert', has_any_column_privilege(to_regclass(?::text), 'INSERT') AND NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'),
	('update', has_any_column_privilege(to_regclass(?::text), 'UPDATE') AND NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'),
	('delete', has_table_privilege(to_regclass(?::text), 'DELETE') AND NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off')
	) AS privilege(name, granted) WHERE NOT granted`
	name := d.relation(table)
	found, err := values(s.query(ctx, ask, name, name, name, name))
	out := make([]string, 0, len(found))
	for _, v := range found {
		out = append(out, v.(string))
	}
	return out, err
}
