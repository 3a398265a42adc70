package provision

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// newValues lists the unique attributes that a change gives another value.
func (t *target) newValues(after, before *scim.Resource) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range t.unique {
		if v := after.Get(a); v.Present() && (before == nil || !before.Get(a).Equal(v)) {
			out = append(out, a)
		}
	}
	return out
}

// queues are where writers of the same unique values wait for each other, since
// a backend's own constraint may tell apart what SCIM does not.
func (s *Service) queues(t *target, after, before *scim.Resource) []int {
	var out []int
	for _, a := range t.newValues(after, before) {
		out = append(out, s.values.queue(t.name, a.Path(), coarse(after.Get(a).String())))
	}
	return out
}

// coarse is equal for all values that a filter with eq may find equal.
func coarse(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		s = norm.NFKC.String(s)
	}
	return scim.Fold(s)
}

// free refuses a unique value that another record has, by the rule by which
// filters compare (F-37). Records out of scope count: their values are taken too.
func (s *Service) free(ctx context.Context, tenant string, t *target, after, before *scim.Resource, key adapters.Key) error {
	for _, a := range t.newValues(after, before) {
		e, err := schema.Bind(after.Layout(), &filter.Compare{Name: a.Path(), Op: filter.Eq,
			Value: filter.StringValue(after.Get(a).String())}, schema.BindOptions{})
		if err != nil {
			return err
		}
		held, err := s.held(ctx, tenant, t, a, e, key)
		if err != nil {
			return err
		}
		if held {
			return taken(t, a.Path(), nil)
		}
	}
	return nil
}

// held reports whether a record other than the one with the key satisfies e.
func (s *Service) held(ctx context.Context, tenant string, t *target, a *scim.Attribute, e filter.Expr, key adapters.Key) (bool, error) {
	if c, ok := e.(*filter.Compare); ok && t.Mapping.KeptName(a) != "" {
		return s.heldKept(ctx, tenant, t, c, key)
	}
	pushed, rest := t.Mapping.Push(e, rules.Lookup{})
	if rest == nil && pushed != nil {
		pg, err := t.Adapter.List(ctx, adapters.Query{Filter: pushed, Limit: 2})
		for _, other := range pg.Records {
			if other.Key != key {
				return true, err
			}
		}
		return false, err
	}
	if t.guards(a) {
		return false, nil
	}
	return s.searched(ctx, t, a, e, key)
}

// guards reports whether the backend itself refuses a second equal value.
func (t *target) guards(a *scim.Attribute) bool {
	for _, r := range t.Mapping.Rules() {
		if f, ok := t.caps.Field(r.Field()); ok && r.Attribute() == a && f.Unique {
			return true
		}
	}
	return false
}

// searched looks at every record, for backends that can neither answer nor
// refuse. Where there are too many, the value is taken for free.
func (s *Service) searched(ctx context.Context, t *target, a *scim.Attribute, e filter.Expr, key adapters.Key) (bool, error) {
	x := &scan{Service: s, t: t, plan: t.Mapping.Plan(func(other *scim.Attribute) bool { return other == a }), everyone: true, hidden: veil{merged: &mergedSet{}}}
	x.d.rest = e
	err := x.walk(ctx)
	if se := (*scim.Error)(nil); errors.As(err, &se) && se.Type == scim.TooMany {
		s.log.WarnContext(ctx, "uniqueness not checked: the backend cannot search, and has too many records", "type", t.name, "attribute", a.Path())
		return false, nil
	}
	for _, f := range x.found {
		if f.record.Key != key {
			return true, err
		}
	}
	return false, err
}
