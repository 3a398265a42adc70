package identity

import (
	"context"
	"time"
)

// A Removals is what a client has removed or set inactive of late.
type Removals struct {
	Client  string     `json:"client"`
	Begun   time.Time  `json:"begun"` // since when it is counted
	Count   int        `json:"count"`
	Stopped *time.Time `json:"stopped,omitempty"` // since when it may remove nothing more
	Until   *time.Time `json:"until,omitempty"`   // until then nothing is counted
	Who     string     `json:"who,omitempty"`     // let it go on, the last time
	Why     string     `json:"why,omitempty"`
}

// Remove counts one removal of a client that may make so many within a time. It
// answers false, and changes nothing, once these are used up: then nothing more is
// let through until an administrator does (Resume). first says that it was this one
// that was too many.
func (s *Store) Remove(ctx context.Context, d Domain, most int, within time.Duration) (ok, first bool, err error) {
	err = s.write(ctx, "remove", func(x *session) error {
		ok, first = false, false
		n, err := x.exec(qRemove, d.Tenant, d.Client, x.now, x.now-within.Microseconds(), most)
		if err != nil || n > 0 {
			ok = err == nil
			return err
		}
		n, err = x.exec(qStop, d.Tenant, d.Client, x.now)
		first = n > 0
		return err
	})
	return ok, first, err
}

// Removals answers what clients have removed that have a limit, by their names.
func (s *Store) Removals(ctx context.Context, tenant string) ([]Removals, error) {
	var all []Removals
	err := s.reading(ctx).each(qRemovals, []any{tenant}, func(scan func(...any) error) error {
		var r Removals
		var begun, stopped, until int64
		if err := scan(&r.Client, &begun, &r.Count, &stopped, &until, &r.Who, &r.Why); err != nil {
			return err
		}
		r.Begun, r.Stopped, r.Until = micros(begun), moment(stopped), moment(until)
		all = append(all, r)
		return nil
	})
	return all, s.fail("removals", err)
}

// moment is a time that may be none.
func moment(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	t := micros(us)
	return &t
}

// Resume lets a client remove again: the count begins anew, and for a time nothing
// is counted at all.
func (s *Store) Resume(ctx context.Context, d Domain, free time.Duration, r Reason) error {
	return s.write(ctx, "resume", func(x *session) error {
		until := int64(0)
		if free > 0 {
			until = x.now + free.Microseconds()
		}
		_, err := x.exec(qResume, d.Tenant, d.Client, x.now, until, r.Who, r.Why)
		if err == nil && r.DryRun {
			return errDryRun
		}
		return err
	})
}

// What is refused during maintenance.
const (
	MaintenanceOff    = "off"
	MaintenanceWrites = "writes"
	MaintenanceAll    = "all"
)

// A Maintenance says whether clients are served.
type Maintenance struct {
	Mode       string    `json:"mode"`
	RetryAfter int       `json:"retryAfter"` // seconds after which clients may come again
	Who        string    `json:"who,omitempty"`
	Why        string    `json:"why,omitempty"`
	Since      time.Time `json:"since,omitzero"`
}

// Maintenance answers what was set last.
func (s *Store) Maintenance(ctx context.Context, tenant string) (Maintenance, error) {
	m := Maintenance{Mode: MaintenanceOff}
	x := s.reading(ctx)
	x.trace = nil // it is asked every second, and belongs to no request
	err := x.each(qMaintenance, []any{tenant}, func(scan func(...any) error) error {
		var since int64
		err := scan(&m.Mode, &m.RetryAfter, &m.Who, &m.Why, &since)
		m.Since = micros(since)
		return err
	})
	return m, s.fail("maintenance", err)
}

// AllMaintenance answers it for every tenant for which it was ever set.
func (s *Store) AllMaintenance(ctx context.Context) (map[string]Maintenance, error) {
	all := map[string]Maintenance{}
	x := s.reading(ctx)
	x.trace = nil
	err := x.each(qAllMaintenance, nil, func(scan func(...any) error) error {
		var m Maintenance
		var tenant string
		var since int64
		err := scan(&tenant, &m.Mode, &m.RetryAfter, &m.Who, &m.Why, &since)
		m.Since = micros(since)
		all[tenant] = m
		return err
	})
	return all, s.fail("maintenance", err)
}

// SetMaintenance begins or ends it, for every process that uses the table.
func (s *Store) SetMaintenance(ctx context.Context, tenant string, m Maintenance) error {
	return s.write(ctx, "maintenance", func(x *session) error {
		_, err := x.exec(qSetMaintenance, tenant, m.Mode, m.RetryAfter, m.Who, m.Why, x.now)
		return err
	})
}
