package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// staff is the staff database.
type staff struct {
	*database
	returns                                         bool // patch answers the row
	get, byLogin, taken, count, page, insert, patch *sql.Stmt
	rolesOf, rolesOfMany                            *sql.Stmt
	role, roles, roleCount, members, join, leave    *sql.Stmt
}

// An employee is a row.
type employee struct {
	no                                int64
	login, first, last, shown, nick   string
	title, email, phone, mobile       string
	street, zip, city, country        string
	dept, costCenter, badge, language string
	status                            string
	boss                              sql.NullInt64
	hired, changed                    string
}

func (e *employee) scan(scan func(...any) error) error {
	return scan(&e.no, &e.login, &e.first, &e.last, &e.shown, &e.nick, &e.title, &e.email, &e.phone, &e.mobile,
		&e.street, &e.zip, &e.city, &e.country, &e.dept, &e.costCenter, &e.badge, &e.language, &e.status, &e.boss, &e.hired, &e.changed)
}

func openStaff(ctx context.Context, where string) (*staff, error) {
	s, t := &staff{}, sqliteTexts
	var err error
	if strings.HasPrefix(where, "postgres:") {
		s.returns, t = true, postgresTexts()
		s.database, err = openPostgres(where)
	} else {
		s.database, err = openDatabase(where, "rw")
	}
	if err != nil {
		return nil, err
	}
	d := s.database
	err = prepare(ctx, []preparation{
		{&s.get, d.read, t.get}, {&s.byLogin, d.read, t.byLogin}, {&s.taken, d.read, t.taken},
		{&s.count, d.read, t.count}, {&s.page, d.read, t.page}, {&s.insert, d.write, t.insert}, {&s.patch, d.write, t.patch},
		{&s.rolesOf, d.read, t.rolesOf}, {&s.rolesOfMany, d.read, t.rolesOfMany},
		{&s.role, d.read, t.role}, {&s.roles, d.read, t.roles}, {&s.roleCount, d.read, t.roleCount},
		{&s.members, d.read, t.members}, {&s.join, d.write, t.join}, {&s.leave, d.write, t.leave},
	})
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
}

// change sets a title and a nickname, and answers what the row then holds, with
// what the trigger did. PostgreSQL says so at once; SQLite must be asked again.
func (s *staff) change(ctx context.Context, no int64, title, nick sql.NullString) (e employee, ok bool, err error) {
	if s.returns {
		return one(s.patch.QueryRowContext(ctx, title, nick, no))
	}
	r, err := s.patch.ExecContext(ctx, title, nick, no)
	if err != nil {
		return e, false, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return e, false, err
	}
	return one(s.get.QueryRowContext(ctx, no))
}

// one answers an employee; ok is false if there is none.
func one(row *sql.Row) (e employee, ok bool, err error) {
	err = e.scan(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

func (s *staff) list(ctx context.Context, limit, offset int) (all []employee, total int, err error) {
	if err := s.count.QueryRowContext(ctx).Scan(&total); err != nil || limit == 0 {
		return nil, total, err
	}
	rows, err := s.page.QueryContext(ctx, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	all = make([]employee, 0, min(limit, total))
	for rows.Next() {
		var e employee
		if err := e.scan(rows.Scan); err != nil {
			return nil, 0, err
		}
		all = append(all, e)
	}
	return all, total, rows.Err()
}

// rolesFor answers the roles of employees, by their position.
func (s *staff) rolesFor(ctx context.Context, all []employee) ([][]int64, error) {
	out := make([][]int64, len(all))
	if len(all) == 0 {
		return out, nil
	}
	if len(all) == 1 {
		var err error
		out[0], err = numbers(s.rolesOf.QueryContext(ctx, all[0].no))
		return out, err
	}
	keys := make([]int64, len(all))
	for i := range all {
		keys[i] = all[i].no
	}
	j, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := s.rolesOfMany.QueryContext(ctx, string(j))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var role int64
		if err := rows.Scan(&n, &role); err != nil {
			return nil, err
		}
		out[n] = append(out[n], role)
	}
	return out, rows.Err()
}

func numbers(rows *sql.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// changeMembers lets employees join and leave a role, in one transaction.
func (s *staff) changeMembers(ctx context.Context, role int64, join, leave []int64) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	st := tx.StmtContext(ctx, s.leave)
	for _, e := range leave {
		if _, err := st.ExecContext(ctx, e, role); err != nil {
			return err
		}
	}
	st = tx.StmtContext(ctx, s.join)
	for _, e := range join {
		if _, err := st.ExecContext(ctx, e, role); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func isDuplicate(err error) bool {
	var e sqlite3.Error
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique
}
