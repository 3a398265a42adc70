package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers
	_ "github.com/mattn/go-sqlite3"
)

// A database is one SQLite file: readers that do not wait for the writer (WAL),
// and one connection that writes, so that writers queue here. Or it is PostgreSQL.
type database struct {
	read, write *sql.DB
}

const readers = 8

func openDatabase(path, mode string) (*database, error) {
	o := url.Values{
		"mode":          {mode},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"NORMAL"},
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"on"},
		"_cache_size":   {"-8000"},
	}
	read, err := sql.Open("sqlite3", "file:"+path+"?"+o.Encode())
	if err != nil {
		return nil, err
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	o.Set("_txlock", "immediate")
	write, err := sql.Open("sqlite3", "file:"+path+"?"+o.Encode())
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	return &database{read: read, write: write}, nil
}

// openPostgres opens one pool for all that reads and writes.
func openPostgres(dsn string) (*database, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	return &database{read: pool, write: pool}, nil
}

func (d *database) close() error { return errors.Join(d.read.Close(), d.write.Close()) }

// A preparation is a statement to be.
type preparation struct {
	into **sql.Stmt
	db   *sql.DB
	text string
}

func prepare(ctx context.Context, all []preparation) error {
	for _, p := range all {
		st, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.into = st
	}
	return nil
}
