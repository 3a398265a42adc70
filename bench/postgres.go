package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern/postern/internal/testdb"
)

//go:embed postgres.sql
var postgresSQL string

//go:embed postgres-indexes.sql
var postgresIndexesSQL string

var employeeColumns = []string{"emp_no", "login", "first_name", "last_name", "shown_as", "nick", "job_title", "email", "phone", "mobile",
	"street", "zip", "city", "country", "dept", "cost_center", "badge_no", "language", "status", "boss_no", "kind", "hired", "changed"}

// A pair of PostgreSQL databases, alike to the last row. The server is that of
// POSTERN_TEST_POSTGRES, or a private one.
type pair struct{ facade, postern string }

func postgresPair(ctx context.Context, users int) (p pair, drop func() error, err error) {
	dsn, err := testdb.PostgresServer()
	if err != nil {
		return p, nil, err
	}
	name := fmt.Sprintf("postern_bench_%d_%d", os.Getpid(), users)
	run := func(statements ...string) error {
		return onPostgres(context.WithoutCancel(ctx), dsn, func(c *pgx.Conn) error {
			for _, s := range statements {
				if _, err := c.Exec(context.WithoutCancel(ctx), s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	drop = func() error {
		return run("DROP DATABASE IF EXISTS "+name+"_postern WITH (FORCE)", "DROP DATABASE IF EXISTS "+name+"_facade WITH (FORCE)")
	}
	if err := run("CREATE DATABASE " + name + "_facade"); err != nil {
		return p, nil, err
	}
	if p.facade, err = inDatabase(dsn, name+"_facade"); err == nil {
		p.postern, err = inDatabase(dsn, name+"_postern")
	}
	if err == nil {
		err = generatePostgres(ctx, p.facade, users)
	}
	if err == nil {
		err = run("CREATE DATABASE "+name+"_postern TEMPLATE "+name+"_facade", "CHECKPOINT")
	}
	return p, drop, err
}

func inDatabase(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func onPostgres(ctx context.Context, dsn string, f func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to say
	return f(c)
}

// generatePostgres makes the same staff as generate does.
func generatePostgres(ctx context.Context, dsn string, users int) error {
	return onPostgres(ctx, dsn, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, postgresSQL); err != nil {
			return err
		}
		rows := make([][]any, teams(users)+len(departments)+1)
		rows[0] = []any{everyone, "Everyone"}
		for i, d := range departments {
			rows[1+i] = []any{firstDept + i, d}
		}
		for i := range teams(users) {
			rows[1+len(departments)+i] = []any{firstTeam + i, fmt.Sprintf("Team %06d", i)}
		}
		if _, err := c.CopyFrom(ctx, pgx.Identifier{"role"}, []string{"role_id", "title"}, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
		_, err := c.CopyFrom(ctx, pgx.Identifier{"employee"}, employeeColumns, pgx.CopyFromSlice(users, func(i int) ([]any, error) {
			r := row(i)
			return append(append(r[:20:20], "staff"), r[20:]...), nil
		}))
		if err != nil {
			return err
		}
		_, err = c.CopyFrom(ctx, pgx.Identifier{"employee_role"}, []string{"emp_no", "role_id"}, pgx.CopyFromSlice(3*users, func(n int) ([]any, error) {
			i := n / 3
			return []any{firstEmployee + i, [...]int{everyone, firstDept + i%len(departments), firstTeam + i/teamSize}[n%3]}, nil
		}))
		if err != nil {
			return err
		}
		for s := range strings.SplitSeq(postgresIndexesSQL, ";\n") {
			if _, err := c.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}
