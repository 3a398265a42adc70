package main

import "strings"

// The statements of the staff database, in the words of SQLite and of PostgreSQL.
// Where they do not differ the former are rewritten.

const employeeColumns = `emp_no, login, coalesce(first_name, ''), coalesce(last_name, ''), coalesce(shown_as, ''), coalesce(nick, ''),
    coalesce(job_title, ''), coalesce(email, ''), coalesce(phone, ''), coalesce(mobile, ''),
    coalesce(street, ''), coalesce(zip, ''), coalesce(city, ''), coalesce(country, ''),
    coalesce(dept, ''), coalesce(cost_center, ''), coalesce(badge_no, ''), coalesce(language, ''), status,
    CASE WHEN EXISTS (SELECT 1 FROM employee AS b WHERE b.emp_no = employee.boss_no AND b.kind <> 'builtin') THEN boss_no END, hired, changed`

// texts are the statements by what they are for.
type texts struct {
	get, byLogin, taken, count, page, insert, patch string
	rolesOf, rolesOfMany                            string
	role, roles, roleCount, members, join, leave    string
}

var sqliteTexts = texts{
	get:     `SELECT ` + employeeColumns + ` FROM employee WHERE emp_no = ?1 AND kind <> 'builtin'`,
	byLogin: `SELECT ` + employeeColumns + ` FROM employee WHERE login = ?1 COLLATE NOCASE AND kind <> 'builtin'`,
	taken:   `SELECT EXISTS (SELECT 1 FROM employee WHERE login = ?1 COLLATE NOCASE)`,
	count:   `SELECT count(*) FROM employee WHERE kind <> 'builtin'`,
	page:    `SELECT ` + employeeColumns + ` FROM employee WHERE kind <> 'builtin' ORDER BY emp_no LIMIT ?1 OFFSET ?2`,
	insert: `INSERT INTO employee (login, first_name, last_name, shown_as, nick, job_title, email, phone, mobile,
    street, zip, city, country, dept, cost_center, badge_no, language, status, boss_no)
VALUES (?1, nullif(?2, ''), nullif(?3, ''), nullif(?4, ''), nullif(?5, ''), nullif(?6, ''), nullif(?7, ''), nullif(?8, ''), nullif(?9, ''),
    nullif(?10, ''), nullif(?11, ''), nullif(?12, ''), nullif(?13, ''), nullif(?14, ''), nullif(?15, ''), nullif(?16, ''), nullif(?17, ''), ?18, ?19)
RETURNING ` + employeeColumns,
	patch:       `UPDATE employee SET job_title = coalesce(?1, job_title), nick = coalesce(?2, nick) WHERE emp_no = ?3 AND kind <> 'builtin'`,
	rolesOf:     `SELECT role_id FROM employee_role WHERE emp_no = ?1 ORDER BY role_id`,
	rolesOfMany: `SELECT j.key, r.role_id FROM json_each(?1) AS j CROSS JOIN employee_role AS r ON r.emp_no = j.value`,
	role:        `SELECT title FROM role WHERE role_id = ?1`,
	roles:       `SELECT role_id, title FROM role ORDER BY role_id LIMIT ?1 OFFSET ?2`,
	roleCount:   `SELECT count(*) FROM role`,
	members:     `SELECT emp_no FROM employee_role JOIN employee USING (emp_no) WHERE role_id = ?1 AND kind <> 'builtin' ORDER BY emp_no`,
	join:        `INSERT OR IGNORE INTO employee_role (emp_no, role_id) SELECT emp_no, ?2 FROM employee WHERE emp_no = ?1 AND kind <> 'builtin'`,
	leave:       `DELETE FROM employee_role WHERE emp_no = ?1 AND role_id = ?2`,
}

func postgresTexts() texts {
	t := sqliteTexts
	t.byLogin = strings.Replace(t.byLogin, `login = ?1 COLLATE NOCASE`, `lower(login) = lower(?1)`, 1)
	t.taken = strings.Replace(t.taken, `login = ?1 COLLATE NOCASE`, `lower(login) = lower(?1)`, 1)
	t.patch = strings.NewReplacer("?1", "?1::text", "?2", "?2::text").Replace(t.patch) + ` RETURNING ` + employeeColumns
	t.rolesOfMany = `SELECT j.at - 1, r.role_id FROM jsonb_array_elements(?1::jsonb) WITH ORDINALITY AS j(value, at) JOIN employee_role AS r ON r.emp_no = j.value::int8`
	t.join = `INSERT INTO employee_role (emp_no, role_id) SELECT emp_no, ?2 FROM employee WHERE emp_no = ?1 AND kind <> 'builtin' ON CONFLICT DO NOTHING`
	for _, s := range []*string{&t.get, &t.byLogin, &t.taken, &t.page, &t.insert, &t.patch, &t.rolesOf, &t.rolesOfMany, &t.role, &t.roles, &t.members, &t.join, &t.leave} {
		*s = strings.ReplaceAll(*s, "?", "$")
	}
	return t
}
