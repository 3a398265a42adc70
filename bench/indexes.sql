CREATE UNIQUE INDEX employee_login ON employee (login COLLATE NOCASE);
CREATE INDEX employee_email ON employee (email COLLATE NOCASE);
CREATE INDEX employee_boss ON employee (boss_no);
CREATE INDEX employee_kind ON employee (kind);
CREATE UNIQUE INDEX role_title ON role (title COLLATE NOCASE);
CREATE INDEX employee_role_role ON employee_role (role_id);

CREATE TRIGGER employee_changed AFTER UPDATE ON employee
WHEN new.changed IS old.changed
BEGIN
    UPDATE employee SET changed = strftime('%Y-%m-%d %H:%M:%S', 'now') WHERE emp_no = new.emp_no;
END;
