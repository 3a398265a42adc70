CREATE TABLE employee (
  emp_no     INTEGER PRIMARY KEY AUTOINCREMENT,
  login      TEXT NOT NULL UNIQUE,
  first_name TEXT,
  status     TEXT NOT NULL DEFAULT 'A',
  kind       TEXT NOT NULL DEFAULT 'Employee',
  dept       TEXT
);
INSERT INTO employee (login, first_name, dept) VALUES ('ada', 'Ada', 'Engines'), ('alan', 'Alan', NULL);
