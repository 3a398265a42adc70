-- +goose Up

-- What tells a record from another one that gets its key later, where the
-- configuration names such a thing: NULL until it was seen.
ALTER TABLE link ADD COLUMN birth TEXT CHECK (birth <> '');
