-- +goose Up

-- Tenants that were added at run time. A row stays when the tenant is removed:
-- what was under its name is its own again when it is added once more. settings is
-- what was said about it: hashes of tokens, and where secrets are, but none.
CREATE TABLE tenant (
    name     TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    state    TEXT    NOT NULL CHECK (state IN ('there', 'removed')),
    version  INTEGER NOT NULL, -- how often it was changed
    settings TEXT    NOT NULL CHECK (json_valid(settings)),
    created  INTEGER NOT NULL,
    since    INTEGER NOT NULL, -- of the version
    who      TEXT    NOT NULL,
    why      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose a token is: no two tenants have the same one.
CREATE TABLE tenant_token (
    hash   TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (name)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenant_token_tenant ON tenant_token (tenant);

CREATE TABLE tenant_change (
    tenant TEXT    NOT NULL,
    nr     INTEGER NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind IN ('add', 'change', 'remove', 'purge')),
    who    TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, nr)
) STRICT, WITHOUT ROWID;
