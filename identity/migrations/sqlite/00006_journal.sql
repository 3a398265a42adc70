-- +goose Up

-- A write that touches a backend and this table is written down here before it
-- touches the first, and goes with the last. What a process leaves behind that was
-- killed, or that has no answer from the backend, is carried on from here.
CREATE TABLE journal (
    nr         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant     TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    existing   INTEGER NOT NULL CHECK (existing IN (0, 1)), -- the client's ids are keys
    type       TEXT    NOT NULL,
    backend    TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('create', 'rename', 'delete')),
    identity   TEXT    NOT NULL, -- rename, delete
    keys       TEXT    NOT NULL CHECK (json_valid(keys)), -- of its records; the one that is renamed first
    attribute  TEXT    NOT NULL, -- by which the record is found again that is created or renamed
    value      TEXT    NOT NULL,
    sole       INTEGER NOT NULL CHECK (sole IN (0, 1)), -- nobody else may have the value
    externalid TEXT    NOT NULL, -- create: the attribute externalId
    node       TEXT    NOT NULL, -- the process at work on it
    state      TEXT    NOT NULL CHECK (state IN ('running', 'waiting', 'stuck')),
    tries      INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    begun      INTEGER NOT NULL,
    since      INTEGER NOT NULL -- of the state
) STRICT;

-- Nobody creates what somebody else is creating.
CREATE UNIQUE INDEX journal_value ON journal (tenant, type, backend, attribute, value)
    WHERE kind = 'create' AND state <> 'stuck' AND sole = 1;
CREATE INDEX journal_open ON journal (tenant, nr);
