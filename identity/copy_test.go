package identity

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// inSQLite and inPostgres are tables of their own in one test.
func inSQLite(t *testing.T) string { return "sqlite:" + file(t) }

func inPostgres(t *testing.T) string { return schemaOf(t, file(t)) }

// TestCopy copies a table with all that can be in one, there and back.
func TestCopy(t *testing.T) {
	dsns := map[string]string{onSQLite: inSQLite(t), onPostgres: inPostgres(t)}
	back := map[string]string{onSQLite: inSQLite(t), onPostgres: inPostgres(t)}
	ctx := context.Background()
	open := func(dsn string) *Store {
		s := must[*Store](t)(Open(ctx, dsn, Options{}))
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := open(dsns[onSQLite])
	fill(t, s)
	none := CopyOptions{}
	looked := must[[]Copied](t)(Copy(ctx, s, nil, none))
	noErr(t, Vacant(ctx, dsns[onPostgres]))
	p := open(dsns[onPostgres])
	sent := must[[]Copied](t)(Copy(ctx, s, p, none))
	if !reflect.DeepEqual(looked, sent) {
		t.Errorf("the dry run has %v, the copy %v", looked, sent)
	}
	for _, c := range sent {
		if c.Rows == 0 {
			t.Errorf("the test has nothing in %s", c.Table)
		}
	}
	if _, err := Copy(ctx, s, p, none); !errors.Is(err, ErrOccupied) {
		t.Errorf("a second copy: %v", err)
	}
	if err := Vacant(ctx, dsns[onPostgres]); !errors.Is(err, ErrOccupied) {
		t.Errorf("vacant: %v", err)
	}
	returned := must[[]Copied](t)(Copy(ctx, p, open(back[onSQLite]), none))
	again := must[[]Copied](t)(Copy(ctx, p, open(back[onPostgres]), none))
	if !reflect.DeepEqual(returned, sent) || !reflect.DeepEqual(again, sent) {
		t.Errorf("back: %v and %v, want %v", returned, again, sent)
	}
	// The copy goes on as the table would have.
	moves := must[[]Move](t)(p.Moves(ctx, "t", "", 0, 1))
	must[Move](t)(p.Undo(ctx, "t", moves[0].Nr, because))
	ensure(t, p, d1, user("new"))
	if must[[]byte](t)(p.Secret(ctx, "cursors"))[0] != must[[]byte](t)(s.Secret(ctx, "cursors"))[0] {
		t.Error("another key for cursors")
	}
}

// fill puts something into every table.
func fill(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	e := ensure(t, s, d1, page(copyRows+3)...)
	must[Entry](t)(s.Create(ctx, d2, user("1000"), "ex\x00ternal"))
	_, _, err := s.MergeThen(ctx, "t", e[0].ID, []string{e[1].ID}, []string{TaskDelete}, because)
	noErr(t, err)
	noErr(t, s.Forget(ctx, "t", user("1005")))
	_, _, err = s.Relink(ctx, "t", []Change{{user("1006"), "odd\xff\x00key"}}, because)
	noErr(t, err)
	must[Intent](t)(s.Begin(ctx, create("ada")))
	must[[]byte](t)(s.Secret(ctx, "cursors"))
	scanAll(t, s, users, Seen{Key: "1000", Mark: "m"}, Seen{Key: "nobody", Mark: "n"})
	must[Move](t)(s.Merge(ctx, "t", e[10].ID, []string{e[11].ID}, because))
	for _, statement := range []string{
		`INSERT INTO kept (link, name, value, search) SELECT min(nr), 'title', '"\u0000 & more"', 'x' FROM link`,
		`INSERT INTO removal (tenant, client, begun, count, stopped, until, who, why) VALUES ('t', 'D1', 1, 2, 3, 4, 'w', 'y')`,
		`INSERT INTO maintenance (tenant, mode, retry, who, why, since) VALUES ('t', 'off', 1, 'w', 'y', 2)`,
	} {
		_, err := s.writer.db.Exec(statement)
		noErr(t, err)
	}
	must[Tenant](t)(s.AddTenant(ctx, "acme", someSettings, because))
	leave(t, s)
}

// leave makes a process look as if it had ended.
func leave(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.writer.db.Exec("DELETE FROM node")
	noErr(t, err)
}

// TestCopyAtWork: a table on which postern is at work is not copied.
func TestCopyAtWork(t *testing.T) {
	ctx := context.Background()
	dsn := inSQLite(t)
	served := must[*Store](t)(Open(ctx, dsn, Options{}))
	defer served.Close()
	served.node = "elsewhere/1/process"
	noErr(t, served.live(ctx))
	beside := must[*Store](t)(Open(ctx, dsn, Options{}))
	defer beside.Close()
	if _, err := Copy(ctx, beside, nil, CopyOptions{}); !errors.Is(err, ErrAtWork) {
		t.Error(err)
	}
	if _, err := Copy(ctx, beside, nil, CopyOptions{AtWork: true}); err != nil {
		t.Error(err)
	}
}

// TestSameTables: both engines have the same tables and columns, and a copy takes
// each or leaves it by name.
func TestSameTables(t *testing.T) {
	ctx := context.Background()
	a, b := must[*Store](t)(Open(ctx, inSQLite(t), Options{})), must[*Store](t)(Open(ctx, inPostgres(t), Options{}))
	defer a.Close()
	defer b.Close()
	names := must[[]string](t)(textsOf(a, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name"))
	others := must[[]string](t)(textsOf(b, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose_%' ORDER BY tablename"))
	if !slices.Equal(names, others) {
		t.Errorf("SQLite has %v, PostgreSQL %v", names, others)
	}
	var known []string
	for _, c := range copied {
		known = append(known, c.name)
	}
	known = append(known, left...)
	slices.Sort(known)
	if !slices.Equal(names, known) {
		t.Errorf("there are %v, and a copy knows %v", names, known)
	}
	for _, name := range names {
		x, y := must[[]string](t)(columnsIn(a, name)), must[[]string](t)(columnsIn(b, name))
		if !slices.Equal(x, y) {
			t.Errorf("%s has %v, and %v", name, strings.Join(x, " "), strings.Join(y, " "))
		}
	}
}

func textsOf(s *Store, statement string) (out []string, err error) {
	rows, err := s.reader.db.Query(statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func columnsIn(s *Store, table string) (columns []string, err error) {
	tx, err := s.reader.db.Begin()
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // of a test
	return columnsOf(context.Background(), tx, table)
}
