-- +goose Up

-- How often the set of records that merges keep out of lists has changed, so that
-- whoever remembers the set knows when to read it again.
CREATE TABLE veil (
    tenant  TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    backend TEXT    NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, type, backend)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER veil_insert AFTER INSERT ON link WHEN NEW.is_primary = 0
BEGIN INSERT INTO veil VALUES (NEW.tenant, NEW.type, NEW.backend, 1) ON CONFLICT DO UPDATE SET version = version + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER veil_update AFTER UPDATE OF is_primary, key ON link WHEN OLD.is_primary = 0 OR NEW.is_primary = 0
BEGIN INSERT INTO veil VALUES (NEW.tenant, NEW.type, NEW.backend, 1) ON CONFLICT DO UPDATE SET version = version + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER veil_delete AFTER DELETE ON link WHEN OLD.is_primary = 0
BEGIN INSERT INTO veil VALUES (OLD.tenant, OLD.type, OLD.backend, 1) ON CONFLICT DO UPDATE SET version = version + 1; END;
-- +goose StatementEnd
