package provision

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// What a backend has no room for is kept in the mapping table, beside the link of the
// record. It is read for a whole page in one statement, and written in the transaction
// in which the table follows the backend.

// kept reads what is kept for records.
func (s *Service) kept(ctx context.Context, tenant string, t *target, recs []adapters.Record) ([]identity.Kept, error) {
	keys := make([]string, len(recs))
	for i, r := range recs {
		keys[i] = string(r.Key)
	}
	return s.ids.Kept(ctx, tenant, t.name, t.Backend, keys)
}

// completed adds to resources what is kept of them, as far as the plan needs it. A
// resource may be nil.
func (s *Service) completed(ctx context.Context, c Call, t *target, recs []adapters.Record, resources []*scim.Resource, p *rules.Plan) ([]identity.Kept, error) {
	if !p.Keeping() || len(recs) == 0 {
		return nil, nil
	}
	kept, err := s.kept(ctx, c.Caller.Tenant, t, recs)
	if err != nil {
		return nil, err
	}
	for _, k := range c.supposed { // of the one record
		if kept[0] == nil {
			kept[0] = identity.Kept{}
		}
		if kept[0][k.Name] = k.Value; k.Value == "" {
			delete(kept[0], k.Name)
		}
	}
	warn := s.warner(ctx, t)
	for i, res := range resources {
		if res != nil {
			t.Mapping.ReadKept(res, recs[i], kept[i], p, warn)
		}
	}
	return kept, nil
}

// dressTimes puts in the times that are kept.
func (t *target) dressTimes(res *scim.Resource, e identity.Entry) {
	if !t.created && !t.modified {
		return
	}
	made, modified := e.TimesIn(t.Backend)
	l := res.Layout()
	put := func(name string, at time.Time, kept bool) {
		if kept && !at.IsZero() {
			res.Put(l.Meta.Find(name), scim.Str(at.UTC().Format(timeLayout)))
		}
	}
	put("created", made, t.created)
	put("lastModified", modified, t.modified)
}

// timeLayout is that of the times that Postern keeps.
const timeLayout = "2006-01-02T15:04:05.000Z"

// keepings is what becomes of kept values in the words of the mapping table.
func keepings(changes []rules.KeptChange) []identity.Keeping {
	out := make([]identity.Keeping, len(changes))
	for i, c := range changes {
		out[i] = identity.Keeping{Name: c.Name, Value: c.Value, Search: searched(c.Plain)}
	}
	return out
}

// mostSearched is up to which length texts are told apart when they are looked for.
const mostSearched = 200

// searched is equal for all texts that a filter with eq may find equal.
func searched(s string) string {
	s = coarse(s)
	if len(s) <= mostSearched {
		return s
	}
	n := mostSearched
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// mostKept is up to how many records a filter is answered by what is kept.
const mostKept = 500

// keptKeys finds the records for which what is kept equals the value of a comparison;
// false if there are too many.
func (s *Service) keptKeys(ctx context.Context, tenant string, t *target, c *filter.Compare, name string) (keys []string, ok bool, err error) {
	if searched(c.Value.Str) == "" {
		return nil, false, nil
	}
	found, err := s.ids.KeptBy(ctx, tenant, t.name, t.Backend, name, searched(c.Value.Str), mostKept+1)
	if err != nil || len(found) > mostKept {
		return nil, false, err
	}
	for _, v := range found {
		if rules.KeptTest(c, v.Value) {
			keys = append(keys, v.Key)
		}
	}
	return keys, true, nil
}

// keptLookup answers the comparisons of a filter that what is kept can answer.
func (s *Service) keptLookup(ctx context.Context, tenant string, t *target, e filter.Expr) (func(*filter.Compare) ([]string, bool), error) {
	type question struct {
		attr  any
		value string
	}
	answers := map[question][]string{}
	for _, q := range t.Mapping.KeptCompares(e) {
		keys, ok, err := s.keptKeys(ctx, tenant, t, q, t.Mapping.KeptName(q.Ref.(*scim.Attribute)))
		if err != nil {
			return nil, err
		}
		if ok {
			answers[question{q.Ref, q.Value.Str}] = keys
		}
	}
	return func(c *filter.Compare) ([]string, bool) {
		keys, ok := answers[question{c.Ref, c.Value.Str}]
		return keys, ok
	}, nil
}

// heldKept reports whether a record other than the one with the key has a unique value
// that is kept. One that is gone has none.
func (s *Service) heldKept(ctx context.Context, tenant string, t *target, c *filter.Compare, key adapters.Key) (bool, error) {
	keys, ok, err := s.keptKeys(ctx, tenant, t, c, t.Mapping.KeptName(c.Ref.(*scim.Attribute)))
	if err != nil || !ok {
		return !ok && err == nil, err
	}
	for _, k := range keys {
		if adapters.Key(k) == key {
			continue
		}
		_, err := t.all().Get(adapters.WithoutCache(ctx), adapters.Key(k), t.scope.Want)
		if !adapters.Is(err, adapters.NotFound) {
			return err == nil, err
		}
	}
	return false, nil
}

// follow is what the table does when the backend has carried a change out.
func (u *update) follow(d adapters.Delta) identity.Follow {
	f := identity.Follow{Keep: keepings(u.t.Mapping.KeptDelta(u.kept, u.before, u.after, d))}
	f.Keep = append(f.Keep, u.c.element.keeping()...)
	if x := u.externalID(u.t, u.after); x != u.externalID(u.t, u.before) {
		f.ExternalID, f.ID = &x, u.e.ID
	}
	f.Touch = u.t.modified && !(d.Empty() && f.Empty())
	if !d.Empty() && !f.Empty() {
		f.Fields = u.t.telltales(d)
		f.Before = digest("", u.rec, f.Fields)
	}
	return f
}

// telltales are the fields of a change by which it shows whether the backend has
// carried it out.
func (t *target) telltales(d adapters.Delta) []string {
	var out []string
	note := func(field string) {
		if t.Mapping.Shows(field) {
			out = append(out, field)
		}
	}
	for _, c := range d.Set {
		note(c.Field)
	}
	if !d.Before.IsZero() {
		for _, c := range d.Members {
			note(c.Field)
		}
	}
	return out
}

// digest is a hash of what fields of a record hold, "" of none. It begins with its
// salt, made at random if it is empty, so that equal values have different ones.
func digest(salt string, rec adapters.Record, fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	if salt == "" {
		salt = rand.Text()
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q", salt)
	for _, f := range fields {
		fmt.Fprintf(h, "%q=%s", f, plainly(rec.Get(f)))
	}
	return salt + " " + hex.EncodeToString(h.Sum(nil))
}

// saltOf is the salt with which a digest begins.
func saltOf(digest string) string {
	salt, _, _ := strings.Cut(digest, " ")
	return salt
}

// plainly is equal for what adapters.Same finds equal.
func plainly(v any) string {
	if adapters.NoValue(v) {
		return "none"
	}
	switch v := v.(type) {
	case []string:
		list := slices.Clone(v)
		slices.Sort(list)
		return fmt.Sprintf("%q", slices.Compact(list))
	case []adapters.Record:
		var out []string
		for _, r := range v {
			for _, part := range r.Values() {
				out = append(out, plainly(part))
			}
		}
		return fmt.Sprintf("%q", out)
	}
	return fmt.Sprintf("%q", adapters.Text(v))
}

// carryOut changes a record in the backend, and lets the table follow: the key, if the
// backend has given it another one, and what in says besides. A write that touches both
// is written down before; of one that gives a unique value free is asked again where
// other processes may have given it. It answers the time of the change.
func (s *Service) carryOut(ctx context.Context, t *target, in identity.Intent, free func() error, d adapters.Delta, want adapters.Fields) (stored adapters.Record, at time.Time, err error) {
	if in.Kind == identity.IntentRename || !d.Empty() && !in.Follow.Empty() {
		if in, err = s.begin(ctx, t, in, adapters.Key(in.Keys[0]), free); err != nil {
			return stored, at, err
		}
	}
	key := in.Keys[0]
	if !d.Empty() {
		stored, err = t.Adapter.Update(s.noting(ctx, t, &in), adapters.Key(key), d, want)
		t.recall.forget(adapters.Key(key))
		switch left := leftOf(err); {
		case left != nil:
			return stored, at, s.leave(ctx, t, in, left, func(ctx context.Context) error {
				_, err := s.ids.ChangeFor(ctx, in, string(left.Key))
				return err
			})
		case err != nil && in.Nr != 0:
			return stored, at, s.unfinished(ctx, in, err)
		case err != nil:
			return stored, at, err
		}
		key, in.Follow.Rest = string(stored.Key), nil
	}
	if in.Nr == 0 && in.Follow.Empty() && key == in.Keys[0] {
		return stored, at, nil
	}
	t.recall.forget(adapters.Key(key))
	// The backend has it: the table must follow, whoever has gone meanwhile.
	at, err = s.ids.ChangeFor(context.WithoutCancel(ctx), in, key)
	if errors.Is(err, identity.ErrUnknown) {
		err = notFound(t)
	}
	return stored, at, err
}

// settleChange finds out whether the backend has carried a change out.
func (s *Service) settleChange(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	key, note, err := s.finishFirst(ctx, t, in)
	if err != nil || note != "" {
		return note, err
	}
	rec, err := t.all().Get(adapters.WithoutCache(ctx), key, t.Mapping.Shape().FieldSet(in.Follow.Fields...).Union(t.scope.Want))
	if adapters.Is(err, adapters.NotFound) {
		return "", s.ids.Drop(ctx, in.Nr)
	}
	if err != nil {
		return "", err
	}
	if other, err := s.another(ctx, in.Domain.Tenant, t, rec); err != nil {
		return "", err
	} else if other {
		return "", s.ids.Drop(ctx, in.Nr)
	}
	if f := in.Follow; f.Before != "" {
		if digest(saltOf(f.Before), rec, f.Fields) == f.Before {
			return s.unmade(ctx, in)
		}
	}
	t.recall.forget(rec.Key)
	if _, err = s.ids.ChangeFor(ctx, in, string(key)); errors.Is(err, identity.ErrUnknown) {
		return "", s.ids.Drop(ctx, in.Nr)
	}
	if err == nil && in.Follow.Rest != nil { // that is done
		err = s.ids.Drop(ctx, in.Nr)
	}
	if err == nil {
		s.log.InfoContext(ctx, "a change that was left behind is entered", "type", t.name, "backend", t.Backend, "entry", in.Nr)
	}
	return "", err
}
