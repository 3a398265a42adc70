-- +goose Up

-- Keys that every node of one table shares: what one has sealed, another opens.
CREATE TABLE secret (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
