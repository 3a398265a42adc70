package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/mattn/go-sqlite3"
)

// staff is the staff database.
type staff struct {
	*database
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

const employeeColumns = `emp_no, login, coalesce(first_name, ''), coalesce(last_name, ''), coalesce(shown_as, ''), coalesce(nick, ''),
    coalesce(job_title, ''), coalesce(email, ''), coalesce(phone, ''), coalesce(mobile, ''),
    coalesce(street, ''), coalesce(zip, ''), coalesce(city, ''), coalesce(country, ''),
    coalesce(dept, ''), coalesce(cost_center, ''), coalesce(badge_no, ''), coalesce(language, ''), status,
    CASE WHEN EXISTS (SELECT 1 FROM employee AS b WHERE b.emp_no = employee.boss_no AND b.kind <> 'builtin') THEN boss_no END, hired, changed`

func (e *employee) scan(scan func(...any) error) error {
	return scan(&e.no, &e.login, &e.first, &e.last, &e.shown, &e.nick, &e.title, &e.email, &e.phone, &e.mobile,
		&e.street, &e.zip, &e.city, &e.country, &e.dept, &e.costCenter, &e.badge, &e.language, &e.status, &e.boss, &e.hired, &e.changed)
}

func openStaff(ctx context.Context, path string) (*staff, error) {
	d, err := openDatabase(path, "rw")
	if err != nil {
		return nil, err
	}
	s := &staff{database: d}
	err = prepare(ctx, []preparation{
		{&s.get, d.read, `SELECT ` + employeeColumns + ` FROM employee WHERE emp_no = ? AND kind <> 'builtin'`},
		{&s.byLogin, d.read, `SELECT ` + employeeColumns + ` FROM employee WHERE login = ? COLLATE NOCASE AND kind <> 'builtin'`},
		{&s.taken, d.read, `SELECT EXISTS (SELECT 1 FROM employee WHERE login = ? COLLATE NOCASE)`},
		{&s.count, d.read, `SELECT count(*) FROM employee WHERE kind <> 'builtin'`},
		{&s.page, d.read, `SELECT ` + employeeColumns + ` FROM employee WHERE kind <> 'builtin' ORDER BY emp_no LIMIT ? OFFSET ?`},
		{&s.insert, d.write, `INSERT INTO employee (login, first_name, last_name, shown_as, nick, job_title, email, phone, mobile,
    street, zip, city, country, dept, cost_center, badge_no, language, status, boss_no)
VALUES (?, nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''),
    nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?)
RETURNING ` + employeeColumns},
		{&s.patch, d.write, `UPDATE employee SET job_title = coalesce(?, job_title), nick = coalesce(?, nick) WHERE emp_no = ? AND kind <> 'builtin'`},
		{&s.rolesOf, d.read, `SELECT role_id FROM employee_role WHERE emp_no = ? ORDER BY role_id`},
		{&s.rolesOfMany, d.read, `SELECT j.key, r.role_id FROM json_each(?) AS j CROSS JOIN employee_role AS r ON r.emp_no = j.value`},
		{&s.role, d.read, `SELECT title FROM role WHERE role_id = ?`},
		{&s.roles, d.read, `SELECT role_id, title FROM role ORDER BY role_id LIMIT ? OFFSET ?`},
		{&s.roleCount, d.read, `SELECT count(*) FROM role`},
		{&s.members, d.read, `SELECT emp_no FROM employee_role JOIN employee USING (emp_no) WHERE role_id = ? AND kind <> 'builtin' ORDER BY emp_no`},
		{&s.join, d.write, `INSERT OR IGNORE INTO employee_role (emp_no, role_id) SELECT emp_no, ?2 FROM employee WHERE emp_no = ?1 AND kind <> 'builtin'`},
		{&s.leave, d.write, `DELETE FROM employee_role WHERE emp_no = ? AND role_id = ?`},
	})
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
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
	return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique
}
