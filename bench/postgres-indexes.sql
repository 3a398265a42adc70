CREATE UNIQUE INDEX employee_login ON employee (lower(login));
CREATE INDEX employee_email ON employee (lower(email));
CREATE INDEX employee_boss ON employee (boss_no);
CREATE INDEX employee_kind ON employee (kind);
CREATE UNIQUE INDEX role_title ON role (lower(title));
CREATE INDEX employee_role_role ON employee_role (role_id);
ALTER TABLE employee ADD FOREIGN KEY (boss_no) REFERENCES employee (emp_no) ON DELETE SET NULL;
ALTER TABLE employee_role ADD FOREIGN KEY (emp_no) REFERENCES employee (emp_no) ON DELETE CASCADE;
ALTER TABLE employee_role ADD FOREIGN KEY (role_id) REFERENCES role (role_id) ON DELETE CASCADE;
VACUUM (ANALYZE, FREEZE)
