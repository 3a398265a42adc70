package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A Text is a column of one text that holds the keys of several records of another
// table in the same database, or of the same, among whatever else. If a record gets
// another key, the texts that name it follow.
type Text struct {
	Field     string // its name in the shape: the column
	Separator string // between the keys; blanks beside them do not count
	Table     string // of the records
	Key       string // its key
	in        string // the table of the column
}

// note remembers in which texts the keys of a table stand, each once.
func (db *Database) note(t *Table) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, x := range t.Texts {
		x.in = t.Name
		if db.texts[x] {
			continue
		}
		if db.texts == nil {
			db.texts = map[Text]bool{}
		}
		db.texts[x] = true
	}
}

// naming lists the texts in which the keys of a table stand.
func (db *Database) naming(table, key string) []Text {
	db.mu.RLock()
	defer db.mu.RUnlock()
	var out []Text
	for x := range db.texts {
		if strings.EqualFold(x.Table, table) && strings.EqualFold(x.Key, key) {
			out = append(out, x)
		}
	}
	return out
}

// renameTexts writes a record's new key where texts have the one that it had.
func (a *Adapter) renameTexts(ctx context.Context, s session, from, to []any) error {
	if len(a.table.Key) != 1 {
		return nil
	}
	for _, x := range a.db.naming(a.table.Name, a.table.Key[0]) {
		if err := a.db.renameText(ctx, s, x, adapters.Text(from[0]), adapters.Text(to[0])); err != nil {
			return err
		}
	}
	return nil
}

func (db *Database) renameText(ctx context.Context, s session, x Text, from, to string) error {
	t, err := db.schema(ctx, s, x.in)
	if err != nil {
		return err
	}
	c := t.column(x.Field)
	if c == nil {
		return fmt.Errorf("%w: %s.%s", errStale, x.in, x.Field)
	}
	c = c.under("t")
	found, err := db.textsWith(ctx, s, c, from)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, v := range found {
		old := adapters.Text(db.dialect.read(c, v))
		text := x.replaced(old, from, to)
		if seen[old] || text == old {
			continue
		}
		seen[old] = true
		if strings.Contains(to, x.Separator) || strings.TrimSpace(to) != to {
			return invalid("update", x.Field, errors.New("the new key cannot be one of several in a text that holds the old one"))
		}
		w, err := writable(db.dialect, c, text)
		if err != nil {
			return invalid("update", x.Field, err)
		}
		b := newBuilder().add("UPDATE ", c.table, " AS t SET ", c.quoted, " = ").bind(w).add(" WHERE ")
		db.dialect.holds(b, c, old)
		if _, err := s.exec(ctx, string(b.text), b.args...); err != nil {
			return err
		}
	}
	return nil
}

// textsWith reads the texts that contain a key, perhaps as a part of another, and
// keeps others from changing them until the transaction ends.
func (db *Database) textsWith(ctx context.Context, s session, c *column, key string) ([]any, error) {
	b := newBuilder().add("SELECT ", db.dialect.selected(c), " FROM ", c.table, " AS t WHERE ")
	has := &filter.Compare{Name: c.name, Op: filter.Co, Match: filter.Exact, Value: filter.StringValue(key)}
	if db.dialect.can(c, has) {
		db.dialect.compare(b, c, has)
	} else {
		db.dialect.present(b, c)
	}
	b.add(db.dialect.lock())
	return values(s.query(ctx, string(b.text), b.args...))
}

// replaced is the text with one key in place of another, and all else as it was.
func (x *Text) replaced(text, from, to string) string {
	parts := strings.Split(text, x.Separator)
	for i, p := range parts {
		if strings.TrimSpace(p) == from {
			parts[i] = strings.Replace(p, from, to, 1)
		}
	}
	return strings.Join(parts, x.Separator)
}
