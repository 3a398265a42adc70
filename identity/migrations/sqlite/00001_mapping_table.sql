-- +goose Up

-- One person or group. live: any client that looks gets an id for it; held: split
-- off, and seen only by clients to which it was released; gone: merged away, or
-- its last record was deleted. Rows stay, so that ids are never given again.
CREATE TABLE identity (
    id      TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    tenant  TEXT    NOT NULL,
    type    TEXT    NOT NULL CHECK (type <> ''),
    state   TEXT    NOT NULL CHECK (state IN ('live', 'held', 'gone')),
    created INTEGER NOT NULL, -- microseconds since 1970, as all times here
    since   INTEGER NOT NULL  -- of the state
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_held ON identity (tenant, type) WHERE state = 'held';

-- The tie to one record of a backend.
CREATE TABLE link (
    nr         INTEGER PRIMARY KEY AUTOINCREMENT, -- moves name links by it, for keys change
    identity   TEXT    NOT NULL REFERENCES identity (id),
    tenant     TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    backend    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    created    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX link_key ON link (tenant, type, key, backend);
CREATE UNIQUE INDEX link_primary ON link (identity, backend) WHERE is_primary = 1;
CREATE INDEX link_identity ON link (identity);
CREATE INDEX link_secondary ON link (tenant, type, backend) WHERE is_primary = 0;

-- The id by which a client knows an identity. own: made from the backend's key
-- (`ids: existing`); such ids are unique per type, all others over all types.
CREATE TABLE external_id (
    nr                INTEGER PRIMARY KEY,
    tenant            TEXT    NOT NULL,
    client            TEXT    NOT NULL,
    type              TEXT    NOT NULL,
    id                TEXT    NOT NULL CHECK (id <> '' AND instr(id, 'bulkId') = 0),
    own               INTEGER NOT NULL CHECK (own IN (0, 1)),
    identity          TEXT    NOT NULL REFERENCES identity (id),
    state             TEXT    NOT NULL CHECK (state IN ('live', 'retired')),
    is_primary        INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    deletion_required INTEGER NOT NULL CHECK (deletion_required IN (0, 1)),
    externalid        TEXT    CHECK (externalid <> ''), -- the attribute externalId
    created           INTEGER NOT NULL,
    since             INTEGER NOT NULL, -- of state, is_primary and deletion_required
    CHECK (is_primary = 0 OR deletion_required = 0)
) STRICT;

CREATE UNIQUE INDEX external_id_id ON external_id (tenant, id, client, type);
CREATE UNIQUE INDEX external_id_primary ON external_id (identity, client) WHERE is_primary = 1 AND state = 'live';
CREATE INDEX external_id_identity ON external_id (identity);
CREATE INDEX external_id_externalid ON external_id (tenant, client, externalid) WHERE externalid IS NOT NULL;
CREATE INDEX external_id_pending ON external_id (tenant, client, since) WHERE deletion_required = 1 AND state = 'live';

-- The history. A move is undone if another one undoes it.
CREATE TABLE move (
    nr     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT    NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind IN ('merge', 'split', 'release', 'undo')),
    who    TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    before TEXT    NOT NULL CHECK (json_valid(before)),
    after  TEXT    NOT NULL CHECK (json_valid(after)),
    undoes INTEGER REFERENCES move (nr)
) STRICT;

CREATE UNIQUE INDEX move_undoes ON move (undoes) WHERE undoes IS NOT NULL;

CREATE TABLE move_identity (
    identity TEXT    NOT NULL REFERENCES identity (id),
    move     INTEGER NOT NULL REFERENCES move (nr),
    PRIMARY KEY (identity, move)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER identity_fixed BEFORE UPDATE OF id, tenant, type ON identity
BEGIN SELECT RAISE(ABORT, 'an identity keeps its id, tenant and type'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER identity_stays BEFORE DELETE ON identity
BEGIN SELECT RAISE(ABORT, 'identities are never forgotten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER identity_gone BEFORE UPDATE OF state ON identity
WHEN NEW.state = 'gone' AND (EXISTS (SELECT 1 FROM link WHERE identity = NEW.id)
    OR EXISTS (SELECT 1 FROM external_id WHERE identity = NEW.id AND state = 'live'))
BEGIN SELECT RAISE(ABORT, 'an identity that is gone has no links and no live ids'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER link_belongs BEFORE INSERT ON link
WHEN NOT EXISTS (SELECT 1 FROM identity
    WHERE id = NEW.identity AND tenant = NEW.tenant AND type = NEW.type AND state <> 'gone')
BEGIN SELECT RAISE(ABORT, 'a link belongs to a living identity of its tenant and type'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER link_moves BEFORE UPDATE OF identity ON link
WHEN NOT EXISTS (SELECT 1 FROM identity
    WHERE id = NEW.identity AND tenant = NEW.tenant AND type = NEW.type AND state <> 'gone')
BEGIN SELECT RAISE(ABORT, 'a link belongs to a living identity of its tenant and type'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER link_fixed BEFORE UPDATE OF nr, tenant, type, backend ON link
BEGIN SELECT RAISE(ABORT, 'a link keeps its tenant, type and backend'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_belongs BEFORE INSERT ON external_id
WHEN NOT EXISTS (SELECT 1 FROM identity
    WHERE id = NEW.identity AND tenant = NEW.tenant AND type = NEW.type AND state <> 'gone')
BEGIN SELECT RAISE(ABORT, 'an id belongs to a living identity of its tenant and type'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_unique BEFORE INSERT ON external_id
WHEN EXISTS (SELECT 1 FROM external_id
    WHERE tenant = NEW.tenant AND id = NEW.id AND client = NEW.client AND (own = 0 OR NEW.own = 0))
BEGIN SELECT RAISE(ABORT, 'an id is never given twice'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_moves BEFORE UPDATE OF identity ON external_id
WHEN OLD.state <> 'live' OR NOT EXISTS (SELECT 1 FROM identity
    WHERE id = NEW.identity AND tenant = NEW.tenant AND type = NEW.type AND state <> 'gone')
BEGIN SELECT RAISE(ABORT, 'an id belongs to a living identity of its tenant and type'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_fixed BEFORE UPDATE OF nr, tenant, client, type, id, own ON external_id
BEGIN SELECT RAISE(ABORT, 'an id never changes'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_retired BEFORE UPDATE OF state ON external_id
WHEN OLD.state = 'retired' AND NEW.state <> 'retired'
BEGIN SELECT RAISE(ABORT, 'a retired id never returns'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER external_id_stays BEFORE DELETE ON external_id
BEGIN SELECT RAISE(ABORT, 'ids are never forgotten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER move_fixed BEFORE UPDATE ON move
BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER move_stays BEFORE DELETE ON move
BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
-- +goose StatementEnd
