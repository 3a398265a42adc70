-- +goose Up

-- As in migrations/sqlite.
CREATE TABLE removal (
    tenant  TEXT COLLATE "C" NOT NULL,
    client  TEXT COLLATE "C" NOT NULL,
    begun   BIGINT           NOT NULL,
    count   BIGINT           NOT NULL,
    stopped BIGINT           NOT NULL,
    until   BIGINT           NOT NULL,
    who     TEXT             NOT NULL,
    why     TEXT             NOT NULL,
    PRIMARY KEY (tenant, client)
);

CREATE TABLE maintenance (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    mode   TEXT             NOT NULL CHECK (mode IN ('off', 'writes', 'all')),
    retry  BIGINT           NOT NULL,
    who    TEXT             NOT NULL,
    why    TEXT             NOT NULL,
    since  BIGINT           NOT NULL
);
