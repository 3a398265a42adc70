package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/mattn/go-sqlite3" // the driver
)

//go:embed tables.sql
var tablesSQL string

//go:embed indexes.sql
var indexesSQL string

// The numbers of the staff database. Every employee has three roles: that of
// all, one of a department, and one of a team of ten.
const (
	firstEmployee = 1001
	teamSize      = 10
	everyone      = 1
	firstDept     = 2
	firstTeam     = 1001
)

var (
	givenNames  = []string{"Ada", "Alan", "Grace", "Edsger", "Jörg", "Fiona", "Zoë", "Tomás", "Mei", "Linus", "Nadia"}
	familyNames = []string{"Lovelace", "Turing", "Hopper", "Dijkstra", "Müller", "O'Brien", "Nakamura", "Gómez", "Novák", "Clarke", "Björk", "Silva", "Ito"}
	departments = []string{"Engineering", "Sales", "Finance", "Support", "People", "Legal", "Research"}
	titles      = []string{"Engineer", "Account Manager", "Controller", "Support Agent", "Counsel"}
	places      = [][3]string{{"Oudegracht", "Utrecht", "NL"}, {"Park Row", "Leeds", "GB"}, {"Rue Mercière", "Lyon", "FR"}}
)

func loginOf(i int) string { return fmt.Sprintf("user.%07d", i) }

// teams is how many teams there are.
func teams(users int) int { return (users + teamSize - 1) / teamSize }

// generate makes the staff database of so many employees, in WAL mode.
func generate(ctx context.Context, path string, users int) (err error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_synchronous=OFF&_journal_mode=WAL&_cache_size=-64000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, tablesSQL); err != nil {
		return err
	}
	if err := fill(ctx, db, users); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, indexesSQL); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

func fill(ctx context.Context, db *sql.DB, users int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `INSERT INTO employee (emp_no, login, shown_as, kind) VALUES (1, 'root', 'Administrator', 'builtin'), (2, 'batch', 'Nightly batch', 'builtin')`); err != nil {
		return err
	}
	if err := fillRoles(ctx, tx, users); err != nil {
		return err
	}
	person, err := tx.PrepareContext(ctx, `INSERT INTO employee VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'staff', ?, ?)`)
	if err != nil {
		return err
	}
	member, err := tx.PrepareContext(ctx, `INSERT INTO employee_role VALUES (?1, ?2), (?1, ?3), (?1, ?4)`)
	if err != nil {
		return err
	}
	for i := range users {
		if _, err := person.ExecContext(ctx, row(i)...); err != nil {
			return err
		}
		if _, err := member.ExecContext(ctx, firstEmployee+i, everyone, firstDept+i%len(departments), firstTeam+i/teamSize); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func fillRoles(ctx context.Context, tx *sql.Tx, users int) error {
	role, err := tx.PrepareContext(ctx, `INSERT INTO role VALUES (?, ?)`)
	if err != nil {
		return err
	}
	if _, err := role.ExecContext(ctx, everyone, "Everyone"); err != nil {
		return err
	}
	for i, d := range departments {
		if _, err := role.ExecContext(ctx, firstDept+i, d); err != nil {
			return err
		}
	}
	for i := range teams(users) {
		if _, err := role.ExecContext(ctx, firstTeam+i, fmt.Sprintf("Team %06d", i)); err != nil {
			return err
		}
	}
	return nil
}

// row is the columns of an employee; some have no nickname, mobile phone or
// address, and the first one's manager is an account that provisioning never sees.
func row(i int) []any {
	given, family := givenNames[i%len(givenNames)], familyNames[i/3%len(familyNames)]
	place := places[i%len(places)]
	var nick, mobile, street, zip, city, country any
	if i%4 == 0 {
		nick = string([]rune(given)[:2])
	}
	if i%3 != 0 {
		mobile = fmt.Sprintf("+49 170 %07d", i)
	}
	if i%9 != 4 {
		street, zip, city, country = fmt.Sprintf("%s %d", place[0], i%200+1), fmt.Sprintf("%05d", i%99999), place[1], place[2]
	}
	boss := 1 // an account that is hidden
	if i > 0 {
		boss = firstEmployee + (i-1)/8
	}
	status := "A"
	if i%17 == 13 {
		status = "L"
	}
	hired := time.Date(2009, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i%100_000) * time.Hour).Format(time.DateTime)
	login, dept := loginOf(i), i%len(departments)
	return []any{firstEmployee + i, login, given, family, given + " " + family, nick, titles[i%len(titles)], login + "@example.com",
		fmt.Sprintf("+49 30 5550 %07d", i), mobile, street, zip, city, country,
		departments[dept], fmt.Sprintf("D%d00", dept+1), fmt.Sprintf("B%07d", i), "en-GB", status, boss, hired, hired}
}

func copyFile(from, to string) (err error) {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// direct runs a statement on a staff database behind the back of whoever serves it.
func direct(ctx context.Context, dsn, statement string) error {
	path, lite := strings.CutPrefix(dsn, "sqlite:")
	if !lite {
		return onPostgres(ctx, dsn, func(c *pgx.Conn) error {
			_, err := c.Exec(ctx, statement)
			return err
		})
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=rw&_busy_timeout=10000&_synchronous=NORMAL")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}
