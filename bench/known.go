package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/postern/postern/identity"
)

// The ids that a server has given. Few users are listed once, so that they get
// theirs at first sight; many are entered into the tables of ids beforehand, which
// is what `postern identities scan` does, and takes seconds, not minutes.
type known struct {
	users []string          // ids in the order of keys
	teams []string          // likewise
	all   string            // id of the group of all
	names map[string]string // what an id stands for
}

// mostListed is up to how many users are listed.
const mostListed = 5000

// meet gives the ids of the records to a server, and makes them if need be.
func (s *site) meet(ctx context.Context, srv *server, users int) error {
	if k := s.known[srv.name]; k != nil && users > mostListed {
		srv.known = *k
		return nil
	}
	if users <= mostListed {
		return srv.walk(users)
	}
	enter := enterPostern
	if srv.name == "facade" {
		enter = enterFacade
	}
	k := &known{names: map[string]string{}}
	var err error
	if k.users, err = enter(ctx, s.dir, "User", keysFrom(firstEmployee, users)); err != nil {
		return err
	}
	groups := append(keysFrom(everyone, 1+len(departments)), keysFrom(firstTeam, teams(users))...)
	ids, err := enter(ctx, s.dir, "Group", groups)
	if err != nil {
		return err
	}
	k.all, k.teams = ids[0], ids[1+len(departments):]
	for i, id := range k.users {
		k.names[id] = "User " + loginOf(i)
	}
	for i, id := range ids {
		k.names[id] = "Group " + strconv.Itoa(groups[i])
	}
	s.known[srv.name], srv.known = k, *k
	return nil
}

func keysFrom(first, n int) []int {
	keys := make([]int, n)
	for i := range keys {
		keys[i] = first + i
	}
	return keys
}

func enterPostern(ctx context.Context, dir, typ string, keys []int) (ids []string, err error) {
	s, err := identity.Open(ctx, filepath.Join(dir, "postern-ids.db"), identity.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	const batch = 20_000
	for ; len(keys) > 0; keys = keys[min(batch, len(keys)):] {
		links := make([]identity.Link, min(batch, len(keys)))
		for i := range links {
			links[i] = identity.Link{Type: typ, Backend: "staff", Key: strconv.Itoa(keys[i])}
		}
		entries, err := s.Ensure(ctx, identity.Domain{Tenant: "default", Client: "bench"}, links)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

func enterFacade(ctx context.Context, dir, typ string, keys []int) (ids []string, err error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "facade-ids.db")+"?mode=rw&_txlock=immediate&_synchronous=OFF&_cache_size=-200000")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	insert, err := tx.PrepareContext(ctx, "INSERT INTO id (id, type, key) VALUES (?, ?, ?)")
	if err != nil {
		return nil, err
	}
	var raw [16]byte
	for _, k := range keys {
		rand.Read(raw[:])
		ids = append(ids, hex.EncodeToString(raw[:]))
		if _, err := insert.Exec(ids[len(ids)-1], typ, k); err != nil {
			return nil, err
		}
	}
	return ids, tx.Commit()
}
