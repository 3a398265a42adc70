package identity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgres is the dialect of PostgreSQL, and of databases that speak as it does:
// many nodes write at a time. Every transaction that writes is serializable, so
// that what is true of one at a time is true of all of them.
type postgres struct {
	tells bool // that there are changes, to those who listen
}

const (
	postgresWriters = 4
	postgresReaders = 16
	idleLife        = 5 * time.Minute
)

var errDSN = errors.New("the dsn cannot be read; it is of the form postgres://user:password@host:5432/database?sslmode=require")

func (d *postgres) open(ctx context.Context, dsn string, o Options) (writer, reader *sql.DB, err error) {
	conn, err := pgx.ParseConfig(dsn)
	if err != nil { // whose words may hold the password
		return nil, nil, errDSN
	}
	unless := func(name, value string) {
		if conn.RuntimeParams[name] == "" {
			conn.RuntimeParams[name] = value
		}
	}
	unless("application_name", "postern")
	unless("lock_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = o.BusyTimeout
	}
	writer = stdlib.OpenDB(*conn, stdlib.OptionAfterConnect(finer))
	writer.SetMaxOpenConns(2 * postgresWriters)
	writer.SetMaxIdleConns(postgresWriters)
	if err := migrate(ctx, goose.DialectPostgres, "postgres", writer, o.DryRun); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	_, err = writer.ExecContext(ctx, "SELECT pg_notify('"+channel+"', '')")
	d.tells = err == nil
	looks := conn.Copy()
	looks.RuntimeParams["default_transaction_read_only"] = "on"
	reader = stdlib.OpenDB(*looks)
	reader.SetMaxOpenConns(postgresReaders)
	reader.SetMaxIdleConns(postgresReaders)
	writer.SetConnMaxIdleTime(idleLife)
	reader.SetConnMaxIdleTime(idleLife)
	return writer, reader, nil
}

// finer makes a transaction read by indexes also where a table is small: what it
// has read then is a part of the table, and fewer others are in its way. A database
// that has no such setting does without.
func finer(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SET enable_seqscan = off")
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

func (postgres) local() bool { return false }

func (postgres) begin() *sql.TxOptions { return &sql.TxOptions{Isolation: sql.LevelSerializable} }

// clock: machines do not agree about the time, and what came first must be plain.
func (postgres) clock() string {
	return "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
}

func (d *postgres) notifies() bool { return d.tells }

func (postgres) writers() int { return postgresWriters }

// What SQLite says otherwise.
var (
	each      = regexp.MustCompile(`json_each\(([^)]+)\)( AS (\w+))?`)
	aggregate = regexp.MustCompile(`json_group_array\(([^)]+)\)`)
	ordered   = regexp.MustCompile(`CROSS JOIN (\w+ AS \w+)( INDEXED BY \w+)? ON`)
	numbered  = regexp.MustCompile(`\?(\d+)`)
)

// text makes a query's text for PostgreSQL: arrays are taken apart and made by
// functions of other names, and joins are put in order by the database.
func (postgres) text(q query) string {
	s := string(q)
	rows := strings.Contains(s, "value ->")
	s = each.ReplaceAllStringFunc(s, func(call string) string {
		m := each.FindStringSubmatch(call)
		array, name, of := m[1], m[3], "jsonb_array_elements_text"
		if strings.HasPrefix(array, "?") {
			array = "CAST(CAST(" + array + " AS TEXT) AS JSONB)"
			if rows {
				of = "jsonb_array_elements"
			}
		}
		if name == "" {
			name = "elements"
		}
		return "(SELECT nr - 1 AS key, element AS value FROM " + of + "(" + array + ") WITH ORDINALITY AS e (element, nr)) AS " + name
	})
	s = strings.ReplaceAll(s, "CROSS JOIN (SELECT nr - 1", "CROSS JOIN LATERAL (SELECT nr - 1")
	s = aggregate.ReplaceAllString(s, "coalesce(jsonb_agg($1), CAST('[]' AS JSONB))")
	s = ordered.ReplaceAllString(s, "JOIN $1 ON")
	return numbered.ReplaceAllString(s, "$$$1")
}

// values makes arguments what the columns are: truth is 0 or 1, and text that the
// database cannot hold is written as keys are.
func (postgres) values(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			args[i] = int64(0)
			if v {
				args[i] = int64(1)
			}
		case string:
			if !isText(v) {
				args[i] = storedKey(v)
			}
		}
	}
	return args
}

// again: serialization_failure, deadlock_detected and lock_not_available.
func (postgres) again(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01" || e.Code == "55P03")
}

// undone is never true: a server that is going away may have been first.
func (postgres) undone(error) bool { return false }

// classify reads the codes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
// Values may stand in the words of some, which are left out.
func (d postgres) classify(err error) error {
	var e *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrBusy), errors.Is(err, ErrAway):
		return err
	case d.again(err):
		return fmt.Errorf("%w (another transaction was in the way)", ErrBusy)
	case errors.As(err, &e):
		return postgresFault(e)
	case errors.As(err, &connect):
		return fmt.Errorf("%w (%w)", ErrAway, errors.Unwrap(connect))
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), pgconn.SafeToRetry(err), strings.Contains(err.Error(), "conn closed"),
		strings.Contains(err.Error(), "unexpected EOF"):
		return fmt.Errorf("%w (the connection was lost)", ErrAway)
	case strings.Contains(err.Error(), "failed to encode args"):
		return errors.New("a value cannot be sent to the database")
	}
	return err
}

func postgresFault(e *pgconn.PgError) error {
	switch {
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "28"),
		strings.HasPrefix(e.Code, "3D"):
		return fmt.Errorf("%w (SQLSTATE %s)", ErrAway, e.Code)
	case strings.HasPrefix(e.Code, "22"):
		return fmt.Errorf("the database refuses a value (SQLSTATE %s)", e.Code)
	}
	return fmt.Errorf("%s (SQLSTATE %s)", e.Message, e.Code)
}
