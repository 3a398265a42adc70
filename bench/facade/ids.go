package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// ids is the table of who is who: a random id for each record, and back.
type ids struct {
	*database
	byID, byIDs, byKey, byKeys, insert *sql.Stmt
}

const (
	userType  = "User"
	groupType = "Group"
)

const idsSchema = `
CREATE TABLE IF NOT EXISTS id (
    id          TEXT PRIMARY KEY,
    type        TEXT NOT NULL,
    key         INTEGER NOT NULL,
    external_id TEXT,
    created     INTEGER NOT NULL DEFAULT (unixepoch()),
    UNIQUE (type, key)
) WITHOUT ROWID;`

func openIDs(ctx context.Context, path string) (*ids, error) {
	d, err := openDatabase(path, "rwc")
	if err != nil {
		return nil, err
	}
	t := &ids{database: d}
	if _, err := d.write.ExecContext(ctx, idsSchema); err != nil {
		return nil, errors.Join(err, d.close())
	}
	err = prepare(ctx, []preparation{
		{&t.byID, d.read, `SELECT key, coalesce(external_id, '') FROM id WHERE id = ? AND type = ?`},
		{&t.byIDs, d.read, `SELECT j.key, id.key FROM json_each(?) AS j CROSS JOIN id ON id.id = j.value AND id.type = ?`},
		{&t.byKey, d.read, `SELECT id, coalesce(external_id, '') FROM id WHERE type = ? AND key = ?`},
		{&t.byKeys, d.read, `SELECT j.key, id.id, coalesce(id.external_id, '') FROM json_each(?) AS j CROSS JOIN id ON id.type = ? AND id.key = j.value`},
		{&t.insert, d.write, `INSERT INTO id (id, type, key, external_id) VALUES (?, ?, ?, nullif(?, '')) ON CONFLICT (type, key) DO UPDATE SET key = key RETURNING id, coalesce(external_id, '')`},
	})
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return t, nil
}

// A known is what the table holds of a record.
type known struct{ id, externalID string }

// key answers the record behind an id; ok is false if there is none.
func (t *ids) key(ctx context.Context, typ, id string) (key int64, externalID string, ok bool, err error) {
	err = t.byID.QueryRowContext(ctx, id, typ).Scan(&key, &externalID)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", false, nil
	}
	return key, externalID, err == nil, err
}

// keys answers the records behind ids, 0 where there is none.
func (t *ids) keys(ctx context.Context, typ string, wanted []string) ([]int64, error) {
	out := make([]int64, len(wanted))
	if len(wanted) == 1 {
		key, _, _, err := t.key(ctx, typ, wanted[0])
		out[0] = key
		return out, err
	}
	j, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	rows, err := t.byIDs.QueryContext(ctx, string(j), typ)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var key int64
		if err := rows.Scan(&n, &key); err != nil {
			return nil, err
		}
		out[n] = key
	}
	return out, rows.Err()
}

// of answers the ids of records, and makes those that are missing.
func (t *ids) of(ctx context.Context, typ string, keys []int64) (map[int64]known, error) {
	out := make(map[int64]known, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	if err := t.find(ctx, typ, keys, out); err != nil {
		return nil, err
	}
	var missing []int64
	for _, k := range keys {
		if out[k].id == "" {
			missing = append(missing, k)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	tx, err := t.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	insert := tx.StmtContext(ctx, t.insert)
	for _, k := range missing {
		var e known
		if err := insert.QueryRowContext(ctx, newID(), typ, k, "").Scan(&e.id, &e.externalID); err != nil {
			return nil, err
		}
		out[k] = e
	}
	return out, tx.Commit()
}

func (t *ids) find(ctx context.Context, typ string, keys []int64, out map[int64]known) error {
	if len(keys) == 1 {
		var e known
		err := t.byKey.QueryRowContext(ctx, typ, keys[0]).Scan(&e.id, &e.externalID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		out[keys[0]] = e
		return err
	}
	j, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	rows, err := t.byKeys.QueryContext(ctx, string(j), typ)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var e known
		if err := rows.Scan(&n, &e.id, &e.externalID); err != nil {
			return err
		}
		out[keys[n]] = e
	}
	return rows.Err()
}

// enter gives a record that was just created its id.
func (t *ids) enter(ctx context.Context, typ string, key int64, externalID string) (known, error) {
	var e known
	err := t.insert.QueryRowContext(ctx, newID(), typ, key, externalID).Scan(&e.id, &e.externalID)
	return e, err
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
