-- A customer-relations system for many companies: all of them in the same tables.
CREATE TABLE IF NOT EXISTS person (
    person_no INTEGER PRIMARY KEY AUTOINCREMENT,
    company   TEXT    NOT NULL,
    login     TEXT    NOT NULL COLLATE NOCASE,
    given     TEXT,
    family    TEXT,
    mail      TEXT,
    active    INTEGER NOT NULL DEFAULT 1,
    UNIQUE (company, login)
);
CREATE TABLE IF NOT EXISTS team (
    team_no INTEGER PRIMARY KEY AUTOINCREMENT,
    company TEXT NOT NULL,
    name    TEXT NOT NULL COLLATE NOCASE,
    UNIQUE (company, name)
);
CREATE TABLE IF NOT EXISTS seat (
    team_no   INTEGER NOT NULL REFERENCES team ON DELETE CASCADE,
    person_no INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    PRIMARY KEY (team_no, person_no)
);
INSERT OR IGNORE INTO person (company, login, given, family, mail) VALUES
    ('acme', 'ada', 'Ada', 'Lovelace', 'ada@acme.example'), ('acme', 'wile', 'Wile E.', 'Coyote', 'wile@acme.example'),
    ('globex', 'ada', 'Ada', 'Byron', 'ada@globex.example'), ('globex', 'hank', 'Hank', 'Scorpio', 'hank@globex.example'),
    ('initech', 'peter', 'Peter', 'Gibbons', 'peter@initech.example');
INSERT OR IGNORE INTO team (company, name) VALUES ('acme', 'Rockets'), ('globex', 'Rockets'), ('initech', 'Reports');
INSERT OR IGNORE INTO seat SELECT t.team_no, p.person_no FROM team AS t JOIN person AS p ON p.company = t.company;
