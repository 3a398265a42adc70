-- The personnel system: who works here.
CREATE TABLE employee (
    emp_no     INTEGER PRIMARY KEY AUTOINCREMENT,
    login      TEXT NOT NULL,
    first_name TEXT,
    last_name  TEXT,
    status     TEXT NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'L'))
);
CREATE UNIQUE INDEX employee_login ON employee (login COLLATE NOCASE);

INSERT INTO employee (emp_no, login, first_name, last_name, status) VALUES
(1001, 'ada.lovelace', 'Ada', 'Lovelace', 'A'),
(1002, 'alan.turing', 'Alan', 'Turing', 'A'),
(1003, 'grace.hopper', 'Grace', 'Hopper', 'L');
