package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// A Reason says who makes a move and why. With DryRun the move is worked out, and
// tried on the table, but not made.
type Reason struct {
	Who, Why string
	DryRun   bool
}

// A Move is one merge, split, release or undoing, as it is on record.
type Move struct {
	Nr     int64      `json:"nr"` // 0 of a dry run
	Kind   string     `json:"kind"`
	Who    string     `json:"who"`
	Why    string     `json:"why"`
	At     time.Time  `json:"at"`
	Undoes int64      `json:"undoes,omitempty"` // the move that this one undid
	Undone bool       `json:"undone"`
	Before []Identity `json:"before"`
	// After holds the living identities: of a merge the one kept, of a split the
	// old one and then the new ones.
	After []Identity `json:"after"`
}

// Merge gives keep all links and ids of the others, which are gone. Per client,
// and per backend, what was primary in keep stays so; the other ids resolve as
// before, but are secondary, and their deletion is required. Ids may be those of
// identities or of any client.
func (s *Store) Merge(ctx context.Context, tenant, keep string, drop []string, r Reason) (Move, error) {
	m, _, err := s.MergeThen(ctx, tenant, keep, drop, nil, r)
	return m, err
}

// Split makes a new identity of each group of links, which must belong to the
// identity that id names, or to nobody. All ids stay with the old one; a client
// sees a new one when it is released to it, or when it creates it. The type of
// the links need not be given.
func (s *Store) Split(ctx context.Context, tenant, id string, into [][]Link, r Reason) (Move, error) {
	if len(into) == 0 {
		return Move{}, s.fail("split", fmt.Errorf("%w: no record is named for the new identity", ErrConflict))
	}
	return s.move(ctx, "split", r, func(x *session) (before, after snapshot, err error) {
		name, err := x.ref(tenant, id)
		if err != nil {
			return before, after, err
		}
		if before, err = x.load([]string{name}); err != nil {
			return before, after, err
		}
		groups, err := x.groups(before.Identities[0], into)
		if err != nil {
			return before, after, err
		}
		ids := make([]string, len(into))
		for i := range ids {
			ids[i] = s.newIdentity()
		}
		after, err = planSplit(before, groups, ids)
		return before, after, err
	})
}

// groups looks the links of a split up.
func (x *session) groups(old identityRow, into [][]Link) ([][]linkRow, error) {
	groups := make([][]linkRow, len(into))
	for i, links := range into {
		for _, l := range links {
			l.Type = old.Type
			row, _, err := x.linkAt(old.Tenant, l)
			if err != nil {
				return nil, err
			}
			groups[i] = append(groups[i], row)
		}
	}
	return groups, nil
}

// Undo takes a merge or a split back: ids, links and primary flags return to what
// they were. What was given since stays where it is. If anything that the move
// touched is no longer as the move left it, nothing is changed and the error, an
// ErrConflict, says what it is.
func (s *Store) Undo(ctx context.Context, tenant string, nr int64, r Reason) (Move, error) {
	return s.moveUndoing(ctx, "undo", nr, r, func(x *session) (before, after snapshot, err error) {
		m, was, left, err := x.moveNr(tenant, nr)
		if err != nil {
			return before, after, err
		}
		if err := x.undoable(m); err != nil {
			return before, after, err
		}
		current, err := x.load(left.names())
		if err != nil {
			return before, after, err
		}
		target, err := planUndo(was, left, current)
		return current, target, err
	})
}

func (x *session) undoable(m Move) error {
	if m.Kind != "merge" && m.Kind != "split" {
		return fmt.Errorf("%w: only a merge or a split can be undone; move %d is a %s", ErrConflict, m.Nr, m.Kind)
	}
	if m.Undone {
		return fmt.Errorf("%w: move %d is undone already", ErrConflict, m.Nr)
	}
	var later sql.NullInt64
	if err := x.row(qLater, m.Nr).Scan(&later); err != nil {
		return err
	}
	if later.Valid {
		return fmt.Errorf("%w: move %d came later and touches the same identities; undo that one first", ErrConflict, later.Int64)
	}
	return nil
}

// Release lets a client see an identity that was split off, and answers the
// client's entry. With Client "" every client may see it: then the entry holds no
// id, for each gets its own at first sight.
func (s *Store) Release(ctx context.Context, d Domain, id string, r Reason) (Entry, Move, error) {
	var e Entry
	m, err := s.move(ctx, "release", r, func(x *session) (before, after snapshot, err error) {
		name, err := x.ref(d.Tenant, id)
		if err != nil {
			return before, after, err
		}
		if before, err = x.load([]string{name}); err != nil {
			return before, after, err
		}
		row := before.Identities[0]
		if d.Client == "" {
			after = before.clone()
			after.Identities[0].State = stateLive
			return before, after, nil
		}
		for _, l := range before.linksOf(name) {
			if l.Primary {
				e, err = s.release(x, d, Link{row.Type, l.Backend, originalKey(l.Key)})
				break
			}
		}
		if err != nil {
			return before, after, err
		}
		after, err = x.load([]string{name})
		return after, after, err // the id is in the table already: nothing to apply
	})
	return e, m, err
}

func (s *Store) release(x *session, d Domain, l Link) (Entry, error) {
	entries, _, err := x.find(d, []Link{l})
	if err == nil && entries[0].ID == "" {
		err = s.allocate(x, d, entries, []int{0})
	}
	return entries[0], err
}

// Moves answers the history, latest first: at most limit moves before the given
// number (0: the latest), of one identity or, with id "", of all.
func (s *Store) Moves(ctx context.Context, tenant, id string, before int64, limit int) ([]Move, error) {
	x := s.reading(ctx)
	if before <= 0 {
		before = 1<<63 - 1
	}
	var moves []Move
	err := x.each(qMoves, []any{tenant, id, before, limit}, func(scan func(...any) error) error {
		m, _, _, err := scanMove(scan)
		moves = append(moves, m)
		return err
	})
	return moves, s.fail("moves", err)
}

type planner func(*session) (before, after snapshot, err error)

func (s *Store) move(ctx context.Context, kind string, r Reason, plan planner) (Move, error) {
	return s.moveUndoing(ctx, kind, 0, r, plan)
}

func (s *Store) moveUndoing(ctx context.Context, kind string, undoes int64, r Reason, plan planner) (Move, error) {
	return s.moveAnd(ctx, kind, undoes, r, plan, nil)
}

// moveAnd plans, makes and records one move in one transaction, of which then,
// if there is one, is a part; of a dry run it gets a move without number.
func (s *Store) moveAnd(ctx context.Context, kind string, undoes int64, r Reason, plan planner,
	then func(x *session, m Move, before, after snapshot) error) (Move, error) {
	m := Move{Kind: kind, Who: r.Who, Why: r.Why, Undoes: undoes}
	err := s.write(ctx, kind, func(x *session) error {
		before, after, err := plan(x)
		if err != nil {
			return err
		}
		if err := x.apply(before, after); err != nil {
			return err
		}
		m.At, m.Before, m.After = micros(x.now), before.forms(), after.forms()
		if !r.DryRun {
			if m.Nr, err = x.record(m, before, after); err != nil {
				return err
			}
		}
		if then != nil {
			if err := then(x, m, before, after); err != nil {
				return err
			}
		}
		if r.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil {
		return Move{}, err
	}
	return m, nil
}

func (x *session) record(m Move, before, after snapshot) (int64, error) {
	was, err := json.Marshal(before)
	if err != nil {
		return 0, err
	}
	left, err := json.Marshal(after)
	if err != nil {
		return 0, err
	}
	undoes := sql.NullInt64{Int64: m.Undoes, Valid: m.Undoes != 0}
	nr, err := x.number(qInsertMove, after.Identities[0].Tenant, m.Kind, m.Who, m.Why, x.now, string(was), string(left), undoes)
	if err != nil {
		return 0, err
	}
	_, err = x.exec(qInsertMoveIdentity, list(after.names()), nr)
	return nr, err
}

func (x *session) moveNr(tenant string, nr int64) (m Move, before, after snapshot, err error) {
	found := false
	err = x.each(qMove, []any{tenant, nr}, func(scan func(...any) error) (err error) {
		found = true
		m, before, after, err = scanMove(scan)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: no move has this number", ErrUnknown)
	}
	return m, before, after, err
}

func scanMove(scan func(...any) error) (m Move, before, after snapshot, err error) {
	var at int64
	var was, left string
	var undoes sql.NullInt64
	if err = scan(&m.Nr, &m.Kind, &m.Who, &m.Why, &at, &was, &left, &undoes, &m.Undone); err != nil {
		return m, before, after, err
	}
	if err = json.Unmarshal([]byte(was), &before); err != nil {
		return m, before, after, err
	}
	if err = json.Unmarshal([]byte(left), &after); err != nil {
		return m, before, after, err
	}
	m.At, m.Undoes, m.Before, m.After = micros(at), undoes.Int64, before.forms(), after.forms()
	return m, before, after, nil
}
