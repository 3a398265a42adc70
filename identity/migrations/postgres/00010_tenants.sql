-- +goose Up

-- As in migrations/sqlite.
CREATE TABLE tenant (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (name <> ''),
    state    TEXT             NOT NULL CHECK (state IN ('there', 'removed')),
    version  BIGINT           NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    created  BIGINT           NOT NULL,
    since    BIGINT           NOT NULL,
    who      TEXT             NOT NULL,
    why      TEXT             NOT NULL
);

CREATE TABLE tenant_token (
    hash   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenant (name)
);

CREATE INDEX tenant_token_tenant ON tenant_token (tenant);

CREATE TABLE tenant_change (
    tenant TEXT COLLATE "C" NOT NULL,
    nr     BIGINT           NOT NULL,
    kind   TEXT             NOT NULL CHECK (kind IN ('add', 'change', 'remove', 'purge')),
    who    TEXT             NOT NULL,
    why    TEXT             NOT NULL,
    at     BIGINT           NOT NULL,
    PRIMARY KEY (tenant, nr)
);
