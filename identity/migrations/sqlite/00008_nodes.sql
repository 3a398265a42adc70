-- +goose Up

-- Processes that work on this table, each with the time until which it certainly
-- lives unless it says so again.
CREATE TABLE node (
    name  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX node_until ON node (until);

-- Work that only one process does at a time, and that is due again some time after
-- it was done.
CREATE TABLE lease (
    name  TEXT    NOT NULL PRIMARY KEY,
    node  TEXT    NOT NULL,
    until INTEGER NOT NULL,
    done  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How often records of a kind were written through Postern, so that processes which
-- remember some know when to forget them.
CREATE TABLE change (
    topic   TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Nobody creates what somebody else is creating, or giving that name to.
DROP INDEX journal_value;
CREATE UNIQUE INDEX journal_value ON journal (tenant, type, backend, attribute, value)
    WHERE kind <> 'delete' AND state <> 'stuck' AND sole = 1;

-- An externalId is written as keys are.
UPDATE external_id SET externalid = char(1) || lower(hex(externalid))
    WHERE instr(externalid, char(0)) > 0 OR substr(externalid, 1, 1) = char(1);

-- A number that is asked for with the insertion makes SQLite look for who refers to it.
CREATE INDEX move_identity_move ON move_identity (move);

-- Only a live id needs somebody who lives: a copy of the table has retired ids, too.
DROP TRIGGER external_id_belongs;
-- +goose StatementBegin
CREATE TRIGGER external_id_belongs BEFORE INSERT ON external_id
WHEN NOT EXISTS (SELECT 1 FROM identity
    WHERE id = NEW.identity AND tenant = NEW.tenant AND type = NEW.type AND (state <> 'gone' OR NEW.state <> 'live'))
BEGIN SELECT RAISE(ABORT, 'an id belongs to a living identity of its tenant and type'); END;
-- +goose StatementEnd
