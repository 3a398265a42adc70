package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/identity"
)

// A world is the two folders in which the servers run, and the ids that a client
// knows: of the identity number i, with the login of the same number.
type world struct {
	plain, merged string
	ids           []string
}

const settings = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:postern.db
clients:
  bench: {token: bench}
backends:
  staff: {type: sql, dsn: "sqlite:legacy.db"}
resources:
  User:
    target: {backend: staff, table: employee, key: emp_no}
    attributes:
      userName: login
      name.givenName: first_name
      name.familyName: last_name
      displayName: shown_as
      active: {name: status, values: {A: true, L: false}}
      emails[type eq "work"].value: email
`

const table = `
CREATE TABLE employee (
    emp_no INTEGER PRIMARY KEY, login TEXT NOT NULL, first_name TEXT, last_name TEXT, shown_as TEXT, email TEXT,
    status TEXT NOT NULL DEFAULT 'A');
INSERT INTO employee (emp_no, login, first_name, last_name, shown_as, email)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
    SELECT i + 1, 'user' || i, 'First' || i, 'Last' || i, 'First' || i || ' Last' || i, 'user' || i || '@example.com' FROM n;
CREATE UNIQUE INDEX employee_login ON employee (login COLLATE NOCASE);
ANALYZE;
`

// newWorld makes both folders. In merged, of every ten identities the first takes
// the second in.
func newWorld(ctx context.Context, dir string, n int) (*world, error) {
	w := &world{plain: filepath.Join(dir, "plain"), merged: filepath.Join(dir, "merged")}
	for _, d := range []string{w.plain, w.merged} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(d, "postern.yaml"), []byte(settings), 0o600); err != nil {
			return nil, err
		}
	}
	begun := time.Now()
	db, err := sql.Open(sql.Config{DSN: "sqlite:" + filepath.Join(w.plain, "legacy.db"), Init: fmt.Sprintf(table, n-1)})
	if err == nil {
		err = errors.Join(db.Ping(ctx), db.Close())
	}
	if err != nil {
		return nil, err
	}
	if err := w.identify(ctx, n); err != nil {
		return nil, err
	}
	say("%d employees and identities in %s", n, time.Since(begun).Round(time.Second))
	for _, file := range []string{"legacy.db", "postern.db"} {
		if err := copyFile(filepath.Join(w.plain, file), filepath.Join(w.merged, file)); err != nil {
			return nil, err
		}
	}
	begun = time.Now()
	if err := w.merge(ctx); err != nil {
		return nil, err
	}
	say("%d of them merged in %s", n/10, time.Since(begun).Round(time.Second))
	return w, nil
}

// identify gives every record an identity and an id.
func (w *world) identify(ctx context.Context, n int) error {
	s, err := identity.Open(ctx, filepath.Join(w.plain, "postern.db"), identity.Options{})
	if err != nil {
		return err
	}
	const batch = 5000
	d := identity.Domain{Tenant: "default", Client: "bench"}
	for from := 0; from < n && err == nil; from += batch {
		links := make([]identity.Link, min(batch, n-from))
		for i := range links {
			links[i] = identity.Link{Type: "User", Backend: "staff", Key: strconv.Itoa(from + i + 1)}
		}
		var entries []identity.Entry
		entries, err = s.Ensure(ctx, d, links)
		for _, e := range entries {
			w.ids = append(w.ids, e.ID)
		}
	}
	return errors.Join(err, s.Close())
}

func (w *world) merge(ctx context.Context) error {
	s, err := identity.Open(ctx, filepath.Join(w.merged, "postern.db"), identity.Options{})
	if err != nil {
		return err
	}
	why := identity.Reason{Who: "bench", Why: "to see what it costs"}
	for i := 0; i+1 < len(w.ids) && err == nil; i += 10 {
		_, err = s.Merge(ctx, "default", w.ids[i], []string{w.ids[i+1]}, why)
	}
	return errors.Join(err, s.Close())
}

// A testCase is a kind of request: the path for a person, of whom next says the
// number.
type testCase struct {
	name   string
	path   func(w *rand.Rand) string
	holds  string  // what the answer must hold
	target float64 // 0: it is only shown
}

// cases are the same requests for both servers: about anybody who is listed in both.
func (w *world) cases() []testCase {
	listed := func(r *rand.Rand) int {
		for {
			if i := r.IntN(len(w.ids)); i%10 != 1 {
				return i
			}
		}
	}
	tenth := func(r *rand.Rand) int { return r.IntN(len(w.ids)/10) * 10 }
	return []testCase{
		// First, so that the server knows for all that follows that there are records to hide.
		{"merged-list", func(r *rand.Rand) string {
			return fmt.Sprintf("/Users?count=10&startIndex=%d", 1+r.IntN(100))
		}, `"itemsPerPage":10`, 0},
		{"merged-get", func(r *rand.Rand) string { return "/Users/" + w.ids[listed(r)] }, `"userName":"user`, target},
		{"merged-get-primary", func(r *rand.Rand) string { return "/Users/" + w.ids[tenth(r)] }, `"userName":"user`, target},
		{"merged-get-secondary", func(r *rand.Rand) string { return "/Users/" + w.ids[tenth(r)+1] }, `"userName":"user`, target},
		{"merged-find", func(r *rand.Rand) string {
			return fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22user%d%%22", listed(r))
		}, `"totalResults":1`, target},
		{"merged-find-primary", func(r *rand.Rand) string {
			return fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22user%d%%22", tenth(r))
		}, `"totalResults":1`, target},
	}
}
