package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Scan is one walk through the records of one type in one backend. The store
// keeps how far it is, so that it can be resumed, and what it found.
type Scan struct {
	Nr        int64      `json:"nr"`
	Type      string     `json:"type"`
	Backend   string     `json:"backend"`
	Attribute string     `json:"attribute"` // by which records are known again
	Gives     bool       `json:"givesIds"`  // otherwise it only looks
	Begun     time.Time  `json:"begun"`
	Ended     *time.Time `json:"ended,omitempty"`
	Stage     string     `json:"stage"` // records, links, done, or dropped for another scan
	Cursor    string     `json:"-"`     // where the stage goes on

	Total       int `json:"total"`       // records in the backend when it began; -1: it does not say
	Managed     int `json:"managed"`     // the table knew them before
	Unmanaged   int `json:"unmanaged"`   // it did not
	Conflicting int `json:"conflicting"` // they have the attribute's value of another one
	Vanished    int `json:"vanished"`    // the table knows them, and the backend does not
	Outside     int `json:"outside"`     // provisioning may not see them

	tenant string
	steps  int64
}

// The stages of a scan.
const (
	ScanRecords = "records"
	ScanLinks   = "links"
	ScanDone    = "done"
	scanDropped = "dropped"
)

// Looked answers how many records the scan has looked at.
func (sc *Scan) Looked() int { return sc.Managed + sc.Unmanaged + sc.Outside }

// A Seen is a record that a scan met.
type Seen struct {
	Key     string
	Mark    string // a hash by which it is known again; "" if it has no value
	Outside bool   // out of scope: only its existence counts
}

// A Finding is what a scan found that is not as it should be.
type Finding struct {
	Nr        int64  `json:"nr"`
	Situation string `json:"situation"` // unmanaged, conflicting or vanished
	Type      string `json:"type"`
	Backend   string `json:"backend"`
	Key       string `json:"key"`
	Other     string `json:"other,omitempty"`    // of a conflicting record: the key of the other one
	Identity  string `json:"identity,omitempty"` // whose record it is now
}

// ErrScanned is the answer to whoever goes on with a scan that another process
// has taken over.
var ErrScanned = errors.New("another process is scanning the same records")

// BeginScan starts a scan, or resumes the one of the same kind that was broken
// off; anew drops that one.
func (s *Store) BeginScan(ctx context.Context, tenant string, want Scan, anew bool) (sc Scan, resumed bool, err error) {
	err = s.write(ctx, "scan", func(x *session) error {
		resumed = false
		open, err := x.scans(qScanOpen, tenant, want.Type, want.Backend)
		if err != nil {
			return err
		}
		for _, o := range open {
			if !anew && o.Attribute == want.Attribute && o.Gives == want.Gives {
				sc, resumed = o, true
				return nil
			}
			if _, err := x.exec(qDropScan, o.Nr, x.now); err != nil {
				return err
			}
		}
		sc = want
		sc.Begun, sc.Stage, sc.tenant = micros(x.now), ScanRecords, tenant
		sc.Nr, err = x.number(qInsertScan, tenant, want.Type, want.Backend, want.Attribute, want.Gives, x.now, want.Total)
		return err
	})
	return sc, resumed, err
}

// ScanRecords takes down a page of records. next is where the walk goes on; at
// its end, "", the scan goes on with links.
func (s *Store) ScanRecords(ctx context.Context, sc *Scan, page []Seen, next string) error {
	to := *sc
	to.Cursor = next
	if next == "" {
		to.Stage = ScanLinks
	}
	return s.scanStep(ctx, sc, to, func(x *session, to *Scan) ([][3]string, error) {
		rows := make([][2]string, len(page))
		keys := make([]string, len(page))
		for i, p := range page {
			keys[i] = storedKey(p.Key)
			rows[i] = [2]string{keys[i], p.Mark}
		}
		linked, err := x.texts(qLinked, to.tenant, to.Type, to.Backend, to.Begun.UnixMicro(), list(keys))
		if err != nil {
			return nil, err
		}
		marked, err := x.marked(to, page)
		if err != nil {
			return nil, err
		}
		found, err := x.ofOthers(to, to.judge(page, setOf(linked), marked))
		if err != nil {
			return nil, err
		}
		_, err = x.exec(qSight, to.tenant, to.Type, to.Backend, to.Nr, to.Gives, list(rows))
		return found, err
	})
}

// judge counts a page of records and answers what is not as it should be.
func (sc *Scan) judge(page []Seen, linked map[string]bool, marked map[string]string) (found [][3]string) {
	for _, p := range page {
		key := storedKey(p.Key)
		if p.Outside {
			sc.Outside++
			continue
		}
		if linked[key] {
			sc.Managed++
		} else {
			sc.Unmanaged++
			found = append(found, [3]string{"unmanaged", key, ""})
		}
		if p.Mark == "" {
			continue
		}
		if other, ok := marked[p.Mark]; ok && other != key {
			sc.Conflicting++
			found = append(found, [3]string{"conflicting", key, other})
		}
		marked[p.Mark] = key
	}
	return found
}

// ofOthers leaves out the conflicts between records of one identity: of those that were
// merged, or that a move has left where they were.
func (x *session) ofOthers(sc *Scan, found [][3]string) (out [][3]string, err error) {
	for _, f := range found {
		if f[0] == "conflicting" {
			one, _, err := x.linkAt(sc.tenant, Link{sc.Type, sc.Backend, originalKey(f[1])})
			if err != nil {
				return nil, err
			}
			other, _, err := x.linkAt(sc.tenant, Link{sc.Type, sc.Backend, originalKey(f[2])})
			if err != nil {
				return nil, err
			}
			if one.Identity != "" && one.Identity == other.Identity {
				sc.Conflicting--
				continue
			}
		}
		out = append(out, f)
	}
	return out, nil
}

func (x *session) marked(sc *Scan, page []Seen) (map[string]string, error) {
	marks := make([]string, 0, len(page))
	for _, p := range page {
		if p.Mark != "" {
			marks = append(marks, p.Mark)
		}
	}
	out := map[string]string{}
	err := x.each(qMarked, []any{sc.tenant, sc.Type, sc.Backend, sc.Nr, list(marks)}, func(scan func(...any) error) error {
		var mark, key string
		err := scan(&mark, &key)
		out[mark] = key
		return err
	})
	return out, err
}

// ScanUnmet answers the next links that the walk has not met: at most limit keys,
// and where to go on.
func (s *Store) ScanUnmet(ctx context.Context, sc *Scan, limit int) (keys []string, next string, err error) {
	keys, err = s.reading(ctx).texts(qUnmet, sc.tenant, sc.Type, sc.Backend, sc.Cursor, sc.Begun.UnixMicro(), sc.Nr, limit)
	if len(keys) == limit && limit > 0 {
		next = keys[limit-1]
	}
	for i := range keys {
		keys[i] = originalKey(keys[i])
	}
	return keys, next, s.fail("scan", err)
}

// ScanVanished takes down which of the unmet ones the backend does not have. At
// the end, next is "", the scan is done.
func (s *Store) ScanVanished(ctx context.Context, sc *Scan, keys []string, next string) error {
	to := *sc
	to.Cursor = next
	to.Vanished += len(keys)
	if next == "" {
		to.Stage = ScanDone
	}
	return s.scanStep(ctx, sc, to, func(x *session, to *Scan) ([][3]string, error) {
		var found [][3]string
		for _, k := range keys {
			found = append(found, [3]string{"vanished", storedKey(k), ""})
		}
		if to.Stage != ScanDone {
			return found, nil
		}
		now := micros(x.now)
		to.Ended = &now
		if _, err := x.exec(qDropFindings, to.tenant, to.Type, to.Backend, to.Nr); err != nil {
			return nil, err
		}
		_, err := x.exec(qForgetSightings, to.tenant, to.Type, to.Backend, to.Nr)
		return found, err
	})
}

// scanStep makes one step of a scan, which becomes to.
func (s *Store) scanStep(ctx context.Context, sc *Scan, to Scan, step func(*session, *Scan) (found [][3]string, err error)) error {
	begins := to
	err := s.write(ctx, "scan", func(x *session) error {
		to = begins
		found, err := step(x, &to)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			if _, err := x.exec(qInsertFindings, to.Nr, list(found)); err != nil {
				return err
			}
		}
		ended := sql.NullInt64{}
		if to.Ended != nil {
			ended = sql.NullInt64{Int64: to.Ended.UnixMicro(), Valid: true}
		}
		n, err := x.exec(qSaveScan, to.Nr, to.steps, ended, to.Stage, to.Cursor, to.Total, to.Managed, to.Unmanaged, to.Conflicting,
			to.Vanished, to.Outside)
		if err == nil && n == 0 {
			err = ErrScanned
		}
		return err
	})
	if err == nil {
		to.steps++
		*sc = to
	}
	return err
}

// Scans answers the scans of a tenant, latest first: at most limit with a number
// below the given one (0: the latest).
func (s *Store) Scans(ctx context.Context, tenant string, before int64, limit int) ([]Scan, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	all, err := s.reading(ctx).scans(qScans, tenant, before, limit)
	return all, s.fail("scans", err)
}

func (x *session) scans(q query, args ...any) ([]Scan, error) {
	var all []Scan
	err := x.each(q, args, func(scan func(...any) error) error {
		var sc Scan
		var begun int64
		var ended sql.NullInt64
		err := scan(&sc.Nr, &sc.tenant, &sc.Type, &sc.Backend, &sc.Attribute, &sc.Gives, &begun, &ended, &sc.Stage, &sc.Cursor, &sc.steps,
			&sc.Total, &sc.Managed, &sc.Unmanaged, &sc.Conflicting, &sc.Vanished, &sc.Outside)
		sc.Begun = micros(begun)
		if ended.Valid {
			at := micros(ended.Int64)
			sc.Ended = &at
		}
		all = append(all, sc)
		return err
	})
	return all, err
}

// Findings answers what a scan found, in order: at most limit after the given
// number.
func (s *Store) Findings(ctx context.Context, tenant string, scan, after int64, limit int) ([]Finding, error) {
	var all []Finding
	err := s.reading(ctx).each(qFindings, []any{tenant, scan, after, limit}, func(scan func(...any) error) error {
		var f Finding
		err := scan(&f.Nr, &f.Situation, &f.Key, &f.Other, &f.Type, &f.Backend, &f.Identity)
		f.Key, f.Other = originalKey(f.Key), originalKey(f.Other)
		all = append(all, f)
		return err
	})
	return all, s.fail("findings", err)
}

// A Moved is a link whose record was met under other keys.
type Moved struct {
	Key  string
	News []string // one, unless several records have its mark
}

// Moved answers the links whose record a scan that is done has met under another
// key, as an earlier scan that gave ids knew it.
func (s *Store) Moved(ctx context.Context, sc Scan) ([]Moved, error) {
	if sc.Stage != ScanDone {
		return nil, s.fail("moved", fmt.Errorf("%w: the scan is not finished", ErrConflict))
	}
	var all []Moved
	err := s.reading(ctx).each(qMoved, []any{sc.tenant, sc.Type, sc.Backend, sc.Nr}, func(scan func(...any) error) error {
		var old, now string
		if err := scan(&old, &now); err != nil {
			return err
		}
		old, now = originalKey(old), originalKey(now)
		if n := len(all); n > 0 && all[n-1].Key == old {
			all[n-1].News = append(all[n-1].News, now)
		} else {
			all = append(all, Moved{Key: old, News: []string{now}})
		}
		return nil
	})
	return all, s.fail("moved", err)
}

// Settle makes the marks that a scan saw those by which records are known, once
// the links were moved.
func (s *Store) Settle(ctx context.Context, sc Scan) error {
	return s.write(ctx, "settle", func(x *session) error {
		_, err := x.exec(qSettle, sc.tenant, sc.Type, sc.Backend, sc.Nr)
		if err == nil {
			_, err = x.exec(qForgetSightings, sc.tenant, sc.Type, sc.Backend, sc.Nr)
		}
		return err
	})
}

func setOf(texts []string) map[string]bool {
	set := make(map[string]bool, len(texts))
	for _, t := range texts {
		set[t] = true
	}
	return set
}
