package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// The table can be copied from one database to another, whatever they are: to go
// from one node to many, and back, and as a backup.

// copied are the tables, in an order in which each comes after those it refers to,
// with the columns by which their rows are ordered. What processes say to each
// other stays behind.
var copied = []struct{ name, key string }{
	{"identity", "id"}, {"link", "nr"}, {"kept", "link, name"}, {"external_id", "nr"}, {"move", "nr"}, {"move_identity", "identity, move"}, {"task", "nr"},
	{"relink", "nr"}, {"scan", "nr"}, {"finding", "scan, nr"}, {"sighting", "tenant, type, backend, key"},
	{"veil", "tenant, type, backend"}, {"secret", "name"}, {"journal", "nr"},
	{"removal", "tenant, client"}, {"maintenance", "tenant"},
	{"tenant", "name"}, {"tenant_token", "hash"}, {"tenant_change", "tenant, nr"},
}

// left are the tables that are not copied.
var left = []string{"node", "lease", "change"}

// A Copied is what was copied of one table.
type Copied struct {
	Table string `json:"table"`
	Rows  int    `json:"rows"`
	Hash  string `json:"hash"` // of all that is in it, the same in every database
}

// The errors of Copy.
var (
	ErrOccupied = errors.New("the table to copy to is not empty")
	ErrAtWork   = errors.New("postern is at work on the table: stop it first; if it was killed, wait for half a minute")
)

// CopyOptions are what Copy may be told; the zero value is fine.
type CopyOptions struct {
	// AtWork copies a table on which others are at work, as it is in one moment:
	// what they do afterwards is not in the copy.
	AtWork   bool
	Progress func(done, all int) // is told how many of all rows are done
}

// Copy copies the whole table into an empty one, in one transaction, in which what
// was written is read again and compared. A dry run only reads: to is nil then.
func Copy(ctx context.Context, from, to *Store, o CopyOptions) ([]Copied, error) {
	c := &copying{from: from, to: to, progress: o.Progress}
	if c.progress == nil {
		c.progress = func(int, int) {}
	}
	var out []Copied
	err := from.snapshot(ctx, func(x *sql.Tx) error {
		c.source = x
		if err := c.idle(ctx, from, x); err != nil && !(o.AtWork && errors.Is(err, ErrAtWork)) {
			return err
		}
		if err := c.count(ctx); err != nil {
			return err
		}
		if to == nil {
			return c.each(ctx, func(n int) (err error) {
				out[n], err = c.read(ctx, n, nil)
				return err
			}, &out)
		}
		return c.write(ctx, &out)
	})
	if err != nil {
		return nil, from.fail("copy", err)
	}
	return out, nil
}

// Vacant reports whether nothing stands in the way of a copy to a database, of
// which nothing is changed.
func Vacant(ctx context.Context, dsn string) error {
	to, err := Open(ctx, dsn, Options{DryRun: true})
	if err != nil {
		var away error
		if errors.Is(err, ErrAway) || errors.Is(err, errDSN) {
			away = err
		}
		return away // no table yet
	}
	return errors.Join(to.snapshot(ctx, func(x *sql.Tx) error { return vacant(ctx, x) }), to.Close())
}

// snapshot runs f in a transaction that reads the state of one moment.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.reader.db.BeginTx(ctx, s.dialect.reads())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	return f(tx)
}

func (sqlite) reads() *sql.TxOptions { return nil }

func (postgres) reads() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

type copying struct {
	from, to  *Store
	source    *sql.Tx
	progress  func(done, all int)
	done, all int
}

// idle refuses a table that others are at work on: what they do from now on would
// be lost.
func (c *copying) idle(ctx context.Context, s *Store, x *sql.Tx) error {
	var others bool
	row := x.QueryRowContext(ctx, s.dialect.text(qOthers), s.node, s.now().UnixMicro())
	if err := row.Scan(&others); err != nil || !others {
		return err
	}
	return ErrAtWork
}

func (c *copying) count(ctx context.Context) error {
	for _, t := range copied {
		var n int
		if err := c.source.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
			return err
		}
		c.all += n
	}
	return nil
}

func (c *copying) each(ctx context.Context, do func(n int) error, out *[]Copied) error {
	*out = make([]Copied, len(copied))
	for n := range copied {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(n); err != nil {
			return fmt.Errorf("table %s: %w", copied[n].name, err)
		}
	}
	return nil
}

func (c *copying) write(ctx context.Context, out *[]Copied) error {
	tx, err := c.to.writer.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // without effect after Commit
	if err := errors.Join(c.idle(ctx, c.to, tx), vacant(ctx, tx)); err != nil {
		return err
	}
	err = c.each(ctx, func(n int) error {
		if n := copied[n].name; n == "veil" || n == "secret" { // the links have made some, or a start
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+n); err != nil {
				return err
			}
		}
		sent, err := c.read(ctx, n, tx)
		if err != nil {
			return err
		}
		(*out)[n] = sent
		return c.counters(ctx, copied[n].name, tx)
	}, out)
	if err != nil {
		return err
	}
	for n, sent := range *out {
		there, err := tabulate(ctx, tx, n, func([]string, []any) error { return nil })
		if err != nil {
			return err
		}
		if there != sent {
			return fmt.Errorf("table %s: %d rows were sent and %d are there, or they differ; nothing was kept", sent.Table, sent.Rows, there.Rows)
		}
	}
	return tx.Commit()
}

// vacant reports whether a table holds nothing but what every start puts there.
func vacant(ctx context.Context, x *sql.Tx) error {
	for _, t := range copied {
		if t.name == "secret" || t.name == "veil" {
			continue
		}
		var some bool
		if err := x.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.name+")").Scan(&some); err != nil {
			return err
		}
		if some {
			return ErrOccupied
		}
	}
	return nil
}

// copyRows is how many rows one statement inserts.
const copyRows = 500

// read reads a table of the source, and inserts it into that of into.
func (c *copying) read(ctx context.Context, n int, into *sql.Tx) (Copied, error) {
	var names []string
	var batch []any
	rows := 0
	flush := func() error {
		if rows == 0 || into == nil {
			return nil
		}
		_, err := into.ExecContext(ctx, insertion(copied[n].name, names, rows), c.to.dialect.values(batch)...)
		batch, rows = batch[:0], 0
		return err
	}
	sent, err := tabulate(ctx, c.source, n, func(columns []string, row []any) error {
		names = columns
		if into != nil {
			batch = append(batch, row...)
			rows++
		}
		c.done++
		if c.done%copyRows == 0 || c.done == c.all {
			c.progress(c.done, c.all)
		}
		if rows == copyRows {
			return flush()
		}
		return nil
	})
	return sent, errors.Join(err, flush())
}

// insertion is the statement that inserts so many rows. SQLite takes numbers of
// parameters after a dollar sign as well.
func insertion(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for i := range columns {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "$%d", r*len(columns)+i+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// derived is a column that one of the databases has of its own.
const derived = "living"

// tabulate calls f with every row of a table, by its key, and answers how many
// there are, and their hash.
func tabulate(ctx context.Context, x *sql.Tx, n int, f func(columns []string, row []any) error) (Copied, error) {
	out := Copied{Table: copied[n].name}
	columns, err := columnsOf(ctx, x, out.Table)
	if err != nil {
		return out, err
	}
	rows, err := x.QueryContext(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+out.Table+" ORDER BY "+copied[n].key)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	sum := sha256.New()
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return out, err
		}
		for i, name := range columns {
			row[i] = plain(out.Table, name, row[i])
			add(sum, row[i])
		}
		if err := f(columns, row); err != nil {
			return out, err
		}
		out.Rows++
	}
	out.Hash = hex.EncodeToString(sum.Sum(nil))
	return out, rows.Err()
}

// columnsOf answers the columns of a table, in the order of their names.
func columnsOf(ctx context.Context, x *sql.Tx, table string) ([]string, error) {
	rows, err := x.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	columns = slices.DeleteFunc(columns, func(c string) bool { return c == derived })
	slices.Sort(columns)
	return columns, errors.Join(err, rows.Err())
}

// documents are the columns that hold JSON, of which only the meaning counts.
var documents = map[string]bool{"move.before": true, "move.after": true, "relink.changes": true, "journal.keys": true}

// plain is a value as both databases have it.
func plain(table, column string, v any) any {
	if b, ok := v.([]byte); ok && table != "secret" {
		v = string(b)
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return v
	case documents[table+"."+column]:
		return canonical(s)
	case !isText(s):
		return storedKey(s)
	}
	return s
}

func canonical(document string) string {
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return document
	}
	b, err := json.Marshal(v)
	if err != nil {
		return document
	}
	return string(b)
}

// add adds a value to a hash, so that no two rows look the same.
func add(sum hash.Hash, v any) {
	if b, ok := v.([]byte); ok {
		v = hex.EncodeToString(b)
	}
	text := fmt.Sprint(v)
	fmt.Fprintf(sum, "%T %d %s\n", v, len(text), text)
}

// counters makes the numbers of a table go on where those of the source are, also
// where the last rows were deleted: what once had a number keeps it.
func (c *copying) counters(ctx context.Context, table string, into *sql.Tx) error {
	last, err := c.from.dialect.lastNumber(ctx, c.source, table)
	if err != nil || last == 0 {
		return err
	}
	return c.to.dialect.setNumber(ctx, into, table, last)
}

// numberedTables have numbers that are given by a counter.
var numberedTables = []string{"link", "external_id", "task", "relink", "scan", "journal"}

func (sqlite) lastNumber(ctx context.Context, x *sql.Tx, table string) (last int64, err error) {
	if !slices.Contains(numberedTables, table) {
		return 0, nil
	}
	err = x.QueryRowContext(ctx, "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0), coalesce((SELECT max(nr) FROM "+table+"), 0))",
		table).Scan(&last)
	return last, err
}

func (sqlite) setNumber(ctx context.Context, x *sql.Tx, table string, last int64) error {
	_, err := x.ExecContext(ctx, "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", table, last)
	return err
}

func (postgres) lastNumber(ctx context.Context, x *sql.Tx, table string) (last int64, err error) {
	if !slices.Contains(numberedTables, table) {
		return 0, nil
	}
	err = x.QueryRowContext(ctx, "SELECT greatest(coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence('"+table+
		"', 'nr') AS REGCLASS)), 0), (SELECT coalesce(max(nr), 0) FROM "+table+"))").Scan(&last)
	return last, err
}

func (postgres) setNumber(ctx context.Context, x *sql.Tx, table string, last int64) error {
	_, err := x.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence('"+table+"', 'nr'), $1)", last)
	return err
}
