package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"

	"github.com/go-sql-driver/mysql"
)

// A mariaConnector makes connections that are set up as the dialect needs them,
// and that prepare each statement once.
type mariaConnector struct {
	inner driver.Connector
	setup string
}

func (c *mariaConnector) Driver() driver.Driver { return c.inner.Driver() }

func (c *mariaConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(mariaDriverConn)
	if !ok {
		return nil, errors.Join(errors.New("mysql: not the driver that was expected"), conn.Close())
	}
	if _, err := whole.ExecContext(ctx, c.setup, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &mariaConn{mariaDriverConn: whole, prepared: map[string]mariaStmt{}}, nil
}

// A mariaDriverConn is what a connection of the driver can do.
type mariaDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type mariaStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// maxPrepared bounds the statements that a connection keeps.
const maxPrepared = 64

// A mariaConn keeps the statements that were sent last.
type mariaConn struct {
	mariaDriverConn
	prepared map[string]mariaStmt
	order    []string // the one used longest ago first
}

func (c *mariaConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args)
	return rows, c.dropStale(query, err)
}

func (c *mariaConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := stmt.ExecContext(ctx, args)
	return result, c.dropStale(query, err)
}

func (c *mariaConn) statement(ctx context.Context, query string) (mariaStmt, error) {
	if at := slices.Index(c.order, query); at >= 0 {
		c.order = append(slices.Delete(c.order, at, at+1), query)
		return c.prepared[query], nil
	}
	if len(c.order) == maxPrepared {
		if err := c.drop(c.order[0]); err != nil {
			return nil, err
		}
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	whole, ok := stmt.(mariaStmt)
	if !ok {
		return nil, errors.Join(errors.New("mysql: not the driver that was expected"), stmt.Close())
	}
	c.prepared[query], c.order = whole, append(c.order, query)
	return whole, nil
}

func (c *mariaConn) drop(query string) error {
	at := slices.Index(c.order, query)
	if at < 0 {
		return nil
	}
	stmt := c.prepared[query]
	c.order = slices.Delete(c.order, at, at+1)
	delete(c.prepared, query)
	return stmt.Close()
}

// dropStale forgets a statement that the server does not know any more, or not
// so: the next try prepares it again.
func (c *mariaConn) dropStale(query string, err error) error {
	var e *mysql.MySQLError
	if errors.As(err, &e) && (e.Number == 1243 || e.Number == 1615 || e.Number == 1054 || e.Number == 1146) {
		return errors.Join(err, c.drop(query))
	}
	return err
}
