-- +goose Up

-- What is kept here for a record because its backend has no room for it, by name,
-- as JSON. It goes with the link: to the identity that gets the link, and away.
CREATE TABLE kept (
    link   INTEGER NOT NULL REFERENCES link (nr) ON DELETE CASCADE,
    name   TEXT    NOT NULL CHECK (name <> ''),
    value  TEXT    NOT NULL CHECK (json_valid(value)),
    search TEXT    NOT NULL, -- by which it is found; '': it is not
    PRIMARY KEY (link, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_search ON kept (name, search, link) WHERE search <> '';

-- When the record was last changed through Postern: NULL if never since it was seen.
ALTER TABLE link ADD COLUMN modified INTEGER;

-- A change of one record that touches the backend and this table is an intent too.
CREATE TABLE journal_with_changes (
    nr         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant     TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    existing   INTEGER NOT NULL CHECK (existing IN (0, 1)), -- the client's ids are keys
    type       TEXT    NOT NULL,
    backend    TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('create', 'rename', 'change', 'delete')),
    identity   TEXT    NOT NULL, -- rename, change, delete
    keys       TEXT    NOT NULL CHECK (json_valid(keys)), -- of its records; the one that is renamed or changed first
    attribute  TEXT    NOT NULL, -- by which the record is found again that is created or renamed
    value      TEXT    NOT NULL,
    sole       INTEGER NOT NULL CHECK (sole IN (0, 1)), -- nobody else may have the value
    externalid TEXT    NOT NULL, -- create: the attribute externalId
    follow     TEXT    NOT NULL CHECK (json_valid(follow)), -- what this table does when the backend has done it
    node       TEXT    NOT NULL, -- the process at work on it
    state      TEXT    NOT NULL CHECK (state IN ('running', 'waiting', 'stuck')),
    tries      INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    begun      INTEGER NOT NULL,
    since      INTEGER NOT NULL -- of the state
) STRICT;

INSERT INTO journal_with_changes
SELECT nr, tenant, client, existing, type, backend, kind, identity, keys, attribute, value, sole, externalid, '{}', node, state, tries, note, begun, since
FROM journal;

DROP TABLE journal;

ALTER TABLE journal_with_changes RENAME TO journal;

CREATE UNIQUE INDEX journal_value ON journal (tenant, type, backend, attribute, value)
    WHERE kind <> 'delete' AND state <> 'stuck' AND sole = 1;
CREATE INDEX journal_open ON journal (tenant, nr);

-- An externalId is the client's; it does not outlive the id.
UPDATE external_id SET externalid = NULL WHERE state = 'retired' AND externalid IS NOT NULL;
