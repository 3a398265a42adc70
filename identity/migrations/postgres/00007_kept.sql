-- +goose Up

-- As in migrations/sqlite.
CREATE TABLE kept (
    link   BIGINT           NOT NULL REFERENCES link (nr) ON DELETE CASCADE,
    name   TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    value  TEXT COLLATE "C" NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (link, name)
);

CREATE INDEX kept_search ON kept (name, search, link) WHERE search <> '';

ALTER TABLE link ADD COLUMN modified BIGINT;

ALTER TABLE journal ADD COLUMN follow TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE journal DROP CONSTRAINT journal_kind_check;
ALTER TABLE journal ADD CONSTRAINT journal_kind_check CHECK (kind IN ('create', 'rename', 'change', 'delete'));

UPDATE external_id SET externalid = NULL WHERE state = 'retired' AND externalid IS NOT NULL;
