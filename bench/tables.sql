-- The staff database of the benchmark: that of examples/quickstart, in any size.
CREATE TABLE employee (
    emp_no       INTEGER PRIMARY KEY,
    login        TEXT NOT NULL,
    first_name   TEXT,
    last_name    TEXT,
    shown_as     TEXT,
    nick         TEXT,
    job_title    TEXT,
    email        TEXT,
    phone        TEXT,
    mobile       TEXT,
    street       TEXT,
    zip          TEXT,
    city         TEXT,
    country      TEXT,
    dept         TEXT,
    cost_center  TEXT,
    badge_no     TEXT,
    language     TEXT,
    status       TEXT NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'L')),
    boss_no      INTEGER REFERENCES employee (emp_no) ON DELETE SET NULL,
    kind         TEXT NOT NULL DEFAULT 'staff',
    hired        TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%S', 'now')),
    changed      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%S', 'now'))
);

CREATE TABLE role (
    role_id  INTEGER PRIMARY KEY,
    title    TEXT NOT NULL
);

CREATE TABLE employee_role (
    emp_no   INTEGER NOT NULL REFERENCES employee (emp_no) ON DELETE CASCADE,
    role_id  INTEGER NOT NULL REFERENCES role (role_id) ON DELETE CASCADE,
    PRIMARY KEY (emp_no, role_id)
);
