-- +goose Up

-- What a merge still has to do in a backend. It is written down in the transaction
-- of the merge, so that nothing is forgotten when the backend or Postern is down.
CREATE TABLE task (
    nr       INTEGER PRIMARY KEY AUTOINCREMENT,
    move     INTEGER NOT NULL REFERENCES move (nr),
    tenant   TEXT    NOT NULL,
    identity TEXT    NOT NULL REFERENCES identity (id), -- the one that was kept
    link     INTEGER NOT NULL, -- of the dropped record; it may be gone by now
    kind     TEXT    NOT NULL CHECK (kind IN ('memberships', 'references', 'deactivate', 'delete')),
    state    TEXT    NOT NULL CHECK (state IN ('open', 'done', 'cancelled')),
    tries    INTEGER NOT NULL,
    note     TEXT    NOT NULL, -- why the last try failed, or why it was cancelled
    since    INTEGER NOT NULL  -- of the state
) STRICT;

CREATE INDEX task_open ON task (tenant) WHERE state = 'open';
CREATE INDEX task_move ON task (move);
CREATE INDEX task_identity ON task (identity);

-- A rekeying: which links got which keys, as JSON.
CREATE TABLE relink (
    nr      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    why     TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    changes TEXT    NOT NULL CHECK (json_valid(changes))
) STRICT;

-- One walk through the records of one type in one backend, and how far it is.
CREATE TABLE scan (
    nr          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    backend     TEXT    NOT NULL,
    attribute   TEXT    NOT NULL, -- of which the marks are made
    gives       INTEGER NOT NULL CHECK (gives IN (0, 1)), -- ids; 0: it only looks
    begun       INTEGER NOT NULL,
    ended       INTEGER,
    stage       TEXT    NOT NULL CHECK (stage IN ('records', 'links', 'done', 'dropped')),
    cursor      TEXT    NOT NULL, -- where the stage goes on
    steps       INTEGER NOT NULL, -- two processes cannot both make the same one
    total       INTEGER NOT NULL, -- records, as the backend says; -1: it does not
    managed     INTEGER NOT NULL,
    unmanaged   INTEGER NOT NULL,
    conflicting INTEGER NOT NULL,
    vanished    INTEGER NOT NULL,
    outside     INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX scan_open ON scan (tenant, type, backend) WHERE stage IN ('records', 'links');

-- What a scan found that is not as it should be.
CREATE TABLE finding (
    scan      INTEGER NOT NULL REFERENCES scan (nr),
    nr        INTEGER NOT NULL,
    situation TEXT    NOT NULL CHECK (situation IN ('unmanaged', 'conflicting', 'vanished')),
    key       TEXT    NOT NULL,
    other     TEXT    NOT NULL, -- of a conflicting record: the key of the other one
    PRIMARY KEY (scan, nr)
) STRICT, WITHOUT ROWID;

-- The mark of a record is a hash of one of its attributes. By it a record is known
-- again under another key.
CREATE TABLE sighting (
    tenant  TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    backend TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    scan    INTEGER NOT NULL, -- the latest that met it
    mark    TEXT    NOT NULL, -- as that one saw it; '': none
    known   TEXT    NOT NULL, -- as the latest that gave ids saw it
    PRIMARY KEY (tenant, type, backend, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX sighting_mark ON sighting (tenant, type, mark, backend) WHERE mark <> '';
