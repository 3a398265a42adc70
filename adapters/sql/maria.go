package sql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	stdsql "database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/postern/postern/adapters"
)

// maria is MariaDB and MySQL, by github.com/go-sql-driver/mysql.
type maria struct {
	letters *mariaLetters
	mysql   bool // even if it says that it is MariaDB
}

const mariaForm = "mysql: the dsn cannot be read; it is of the form mysql://user:password@host:3306/database?tls=on"

// openMaria opens mysql://user:password@host:port/database?option=value...
func openMaria(cfg Config) (*Database, error) {
	if cfg.Init != "" {
		return nil, errors.New("mysql: an init script is for SQLite only")
	}
	u, err := url.Parse(cfg.DSN)
	if err != nil { // whose words may hold the password
		return nil, errors.New(mariaForm)
	}
	conn, err := mariaConfig(u)
	if err != nil {
		return nil, err
	}
	readOnly := u.Query().Get("read_only") == "on"
	conn.Timeout = cfg.Wait
	inner, err := mysql.NewConnector(conn)
	if err != nil {
		return nil, errors.New(mariaForm)
	}
	pool := stdsql.OpenDB(&mariaConnector{inner: inner, setup: mariaSetup(cfg, readOnly)})
	pool.SetMaxOpenConns(cfg.Connections)
	pool.SetMaxIdleConns(cfg.Connections)
	pool.SetConnMaxIdleTime(idleLife)
	return &Database{
		dialect:  maria{letters: &mariaLetters{collations: map[string]mariaCollation{}}},
		read:     pool,
		write:    pool,
		remote:   true,
		readOnly: readOnly,
		timeout:  cfg.Timeout,
		wait:     cfg.Wait,
		trace:    cfg.Trace,
		watch:    cfg.Watch,
		schemas:  map[string]*schema{},
		members:  map[string][]*Relation{},
	}, nil
}

// mariaConfig is what the driver needs to know.
func mariaConfig(u *url.URL) (*mysql.Config, error) {
	name := strings.TrimPrefix(u.Path, "/")
	options := u.Query()
	if name == "" || strings.Contains(name, "/") || u.User == nil || u.Host == "" && options.Get("socket") == "" {
		return nil, errors.New(mariaForm)
	}
	conn := mysql.NewConfig()
	conn.User = u.User.Username()
	conn.Passwd, _ = u.User.Password()
	conn.DBName = name
	conn.ClientFoundRows = true // what matches counts, not what differs
	conn.Logger = silent{}      // what it says comes as an error, too
	conn.Net, conn.Addr = "tcp", u.Host
	if u.Port() == "" {
		conn.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	known := []string{"ca", "read_only", "socket", "tls"}
	for option, v := range options {
		if !slices.Contains(known, option) {
			return nil, fmt.Errorf("mysql: no option %s; there are %s", option, strings.Join(known, ", "))
		}
		if option == "read_only" && v[0] != "on" && v[0] != "off" {
			return nil, errors.New("mysql: read_only is on or off")
		}
	}
	if socket := options.Get("socket"); socket != "" {
		conn.Net, conn.Addr = "unix", socket
	}
	return conn, mariaTLS(conn, u.Hostname(), options)
}

// mariaTLS says how the connection is protected: on proves who the server is.
func mariaTLS(conn *mysql.Config, host string, options url.Values) error {
	switch mode := options.Get("tls"); mode {
	case "", "prefer":
		conn.TLSConfig = "preferred"
	case "off":
		conn.TLSConfig = "false"
	case "unverified":
		conn.TLSConfig = "skip-verify"
	case "on":
		conn.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	default:
		return fmt.Errorf("mysql: no option tls=%s; there are on, unverified, prefer and off", mode)
	}
	file := options.Get("ca")
	if file == "" {
		return nil
	}
	if conn.TLS == nil {
		return errors.New("mysql: the option ca is for tls=on")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("mysql: ca: %w", err)
	}
	conn.TLS.RootCAs = x509.NewCertPool()
	if !conn.TLS.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("mysql: ca: %s holds no certificate", file)
	}
	return nil
}

// silent keeps the driver from writing to the standard error.
type silent struct{}

func (silent) Print(...any) {}

// mariaSetup is the statement that every connection begins with. Comments that
// begin with an exclamation mark are for MySQL, those with an M for MariaDB.
func mariaSetup(cfg Config, readOnly bool) string {
	// A database that writes its statements down refuses the other isolation.
	const isolation = "IF(@@global.log_bin AND @@global.binlog_format = 'STATEMENT', 'REPEATABLE-READ', 'READ-COMMITTED')"
	seconds := strconv.FormatInt(max(int64((cfg.Wait+time.Second-1)/time.Second), 1), 10)
	set := []string{
		// Nothing is cut off or made fit in silence; 0 is a key like others.
		"SET NAMES utf8mb4 COLLATE utf8mb4_bin", "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
		"time_zone = '+00:00'", "lc_messages = 'en_US'", "autocommit = 1", "sql_auto_is_null = 0", "sql_safe_updates = 0", "max_sort_length = 8192",
		"innodb_lock_wait_timeout = " + seconds, "lock_wait_timeout = " + seconds,
	}
	both := func(mysql, maria string) string { return "/*!80000 " + mysql + ", *//*M!100101 " + maria + ", */" }
	special := both("transaction_isolation = "+isolation, "tx_isolation = "+isolation)
	if cfg.Timeout > 0 {
		ms := milliseconds(cfg.Timeout)
		special += both("max_execution_time = "+ms, "max_statement_time = "+ms+" / 1000")
	}
	if readOnly {
		special += both("transaction_read_only = 1", "tx_read_only = 1")
	}
	return strings.Join(set, ", ") + ", " + special + "sql_quote_show_create = 1"
}

func (maria) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// relation takes a dot for what separates the database from the table.
func (d maria) relation(name string) string {
	if database, table, ok := strings.Cut(name, "."); ok {
		return d.quote(database) + "." + d.quote(table)
	}
	return d.quote(name)
}

func (maria) placed(statement string) string { return statement }

func (d maria) blank(c *column) string {
	if c.kind == integerKind {
		return "FALSE"
	}
	return "LENGTH(" + d.utf8(c) + ") = 0"
}

func (maria) truth(is bool) string {
	if is {
		return "TRUE"
	}
	return "FALSE"
}

func (maria) probe() string { return "SELECT 1" }

// maxElement bounds what an element of a list can be, as the database bounds keys.
const maxElement = 1000

func (d maria) list(c *column) (from, ord, value string) {
	typ := "VARCHAR(" + strconv.Itoa(maxElement) + ") CHARACTER SET utf8mb4"
	if c.kind == integerKind {
		typ = "BIGINT"
	}
	return "JSON_TABLE(?, '$[*]' COLUMNS (ord FOR ORDINALITY, value " + typ + " PATH '$')) AS l", "l.ord - 1", d.into(c, "l.value")
}

// put is the element as it is: the database converts it, or says that it cannot.
func (maria) put(string) string { return "l.value" }

func (maria) key(c *column) *column { return c }

// pair compares texts as the database does, which is how the application joins
// its tables; text and numbers it would compare as floating point.
func (d maria) pair(a, b *column) (x, y string) {
	switch {
	case a.kind == integerKind && b.kind == integerKind, a.kind == anyKind && a.my.typ == b.my.typ:
		return a.ref, b.ref
	case a.kind == textKind && b.kind == textKind && a.my.collation != "" && b.my.charset != "":
		return a.ref + " COLLATE " + a.my.collation, d.into(a, d.utf8(b))
	}
	return d.text(a), d.text(b)
}

func (d maria) exactly(c *column) string { return c.ref }

func (maria) snapshot() *stdsql.TxOptions {
	return &stdsql.TxOptions{Isolation: stdsql.LevelRepeatableRead, ReadOnly: true}
}

func (maria) lock() string { return " FOR UPDATE" }

func (maria) deferred() string { return "" }

func (maria) deletion(table, alias string) string {
	return "DELETE " + alias + " FROM " + table + " AS " + alias
}

func (maria) defaults() string { return " () VALUES ()" }

// unions are not for statements that write, which cannot read their own table.
func (maria) unions() bool { return false }

func (maria) limit(b *builder, n, offset int) {
	b.add(" LIMIT ", strconv.Itoa(n))
	if offset > 0 {
		b.add(" OFFSET ").bind(int64(offset))
	}
}

// missing tries what would change nothing.
func (d maria) missing(ctx context.Context, s session, table string) ([]string, error) {
	t, err := d.schema(ctx, s, table)
	if err != nil {
		return nil, err
	}
	name := d.relation(table)
	var columns []string
	for _, c := range t.columns {
		if !c.computed {
			columns = append(columns, c.quoted)
		}
	}
	slices.Sort(columns)
	each := func(form string) []string {
		var out []string
		for _, c := range columns {
			out = append(out, strings.NewReplacer("$T", name, "$C", c).Replace(form))
		}
		return out
	}
	var out []string
	for _, try := range []struct {
		right      string
		statements []string
	}{
		{"select", each("SELECT $C FROM $T WHERE FALSE")},
		{"insert", each("INSERT INTO $T ($C) SELECT NULL FROM DUAL WHERE FALSE")},
		{"update", each("UPDATE $T SET $C = NULL WHERE FALSE")},
		{"delete", []string{"DELETE FROM " + name + " WHERE FALSE"}},
	} {
		may, err := d.may(ctx, s, try.statements)
		if err != nil {
			return nil, err
		}
		if !may {
			out = append(out, try.right)
		}
	}
	return out, nil
}

// may reports whether one of some statements is allowed.
func (d maria) may(ctx context.Context, s session, statements []string) (bool, error) {
	for _, statement := range statements {
		rows, err := s.query(ctx, statement)
		if err == nil {
			err = drain(rows)
		}
		var e *mysql.MySQLError
		switch {
		case err != nil && !errors.As(err, &e):
			return false, err
		case err == nil, d.classify(err).kind != adapters.Denied && e.Number != 1288 && e.Number != 1471: // a view that cannot be written
			return true, nil
		}
	}
	return false, nil
}
