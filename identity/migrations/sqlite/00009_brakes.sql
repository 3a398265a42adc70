-- +goose Up

-- How many resources a client has removed or set inactive since a time, whether it
-- was stopped for that, and until when an administrator lets it go on.
CREATE TABLE removal (
    tenant  TEXT    NOT NULL,
    client  TEXT    NOT NULL,
    begun   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    stopped INTEGER NOT NULL, -- since when; 0: it is not
    until   INTEGER NOT NULL,
    who     TEXT    NOT NULL, -- let it go on, the last time
    why     TEXT    NOT NULL,
    PRIMARY KEY (tenant, client)
) STRICT, WITHOUT ROWID;

-- Whether clients are served at all.
CREATE TABLE maintenance (
    tenant TEXT    NOT NULL PRIMARY KEY,
    mode   TEXT    NOT NULL CHECK (mode IN ('off', 'writes', 'all')), -- what is refused
    retry  INTEGER NOT NULL, -- seconds after which clients may come again
    who    TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
