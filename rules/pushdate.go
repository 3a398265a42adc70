package rules

import (
	"strings"
	"time"

	"github.com/postern/postern/scim/filter"
)

// Comparisons with dateTimes. A field that holds unix times compares as a
// number, exactly. Any other may hold dates in several forms, of which the
// backend knows one: there the comparison is pushed in a weaker form.

// unixCompare translates a comparison with a field that holds unix times.
func (m *Mapping) unixCompare(c *filter.Compare, r *Rule) filter.Expr {
	if r.format != formatUnix && r.format != formatUnixMilli {
		return nil
	}
	number := func(op filter.Op, n int64) filter.Expr {
		return &filter.Compare{Name: r.field, Op: op, Match: filter.Integer, Value: filter.IntValue(n)}
	}
	first, last := unixRange(r.format)
	valid := allOf(number(filter.Ge, first), number(filter.Le, last))
	if isPresence(c) {
		return m.presence(c, valid)
	}
	n, whole, ok := unixLiteral(c.Value.Str, r.format)
	if !ok {
		return nil
	}
	switch op := c.Op; {
	case op == filter.Eq || op == filter.Ne:
		t := truth(false)
		if whole && first <= n && n <= last {
			t = number(filter.Eq, n)
		}
		if op == filter.Ne {
			return m.negate(t)
		}
		return t
	case whole:
		return allOf(number(op, n), valid)
	case op == filter.Gt || op == filter.Ge: // the literal lies between n and n+1
		return allOf(number(filter.Gt, n), valid)
	case op == filter.Lt || op == filter.Le:
		return allOf(number(filter.Le, n), valid)
	}
	return nil
}

// unixLiteral is the number of an instant, rounded down, and whether it is
// exactly that.
func unixLiteral(s, format string) (n int64, whole, ok bool) {
	t, exact, ok := parseLiteralTime(s)
	if !ok {
		return 0, false, false
	}
	if format == formatUnixMilli {
		return t.UnixMilli(), exact && t.Equal(time.UnixMilli(t.UnixMilli())), true
	}
	return t.Unix(), exact && t.Nanosecond() == 0, true
}

// parseLiteralTime reads the dateTime of a bound filter, to the nanosecond.
func parseLiteralTime(s string) (t time.Time, exact, ok bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	_, frac, _ := strings.Cut(strings.TrimSuffix(s, "Z"), ".")
	return t, len(frac) <= len("999999999"), err == nil
}

// modifiedCompare: where lastModified has no value, it is created (S-35).
func (m *Mapping) modifiedCompare(c *filter.Compare) filter.Expr {
	by, or := m.byAttr[m.modified], m.byAttr[m.created]
	switch {
	case by == nil && or == nil:
		return truth(filter.Test(c, filter.Value{}))
	case by == nil:
		return m.one(c, or)
	case or == nil:
		return m.one(c, by)
	}
	has := m.makes(by)
	return anyOf(allOf(has, m.one(c, by)), allOf(m.negate(has), m.one(c, or)))
}

// widerAll joins what is wider than the terms of what remains; nil if nothing is.
func (m *Mapping) widerAll(rest filter.Expr, l Lookup) filter.Expr {
	terms, ok := rest.(filter.And)
	if !ok {
		terms = filter.And{rest}
	}
	var out []filter.Expr
	for _, t := range terms {
		if c, ok := t.(*filter.Compare); ok {
			out = append(out, m.wider(c, l))
		}
	}
	return filter.AndOf(out...)
}

// wider is a filter over fields that is true wherever a comparison is, for one
// that cannot be pushed as it is; nil if there is none that the backend can.
func (m *Mapping) wider(c *filter.Compare, l Lookup) filter.Expr {
	a := attribute(c)
	var t filter.Expr
	switch {
	case a == nil:
		return nil
	case a == m.modified:
		var terms []filter.Expr // the value is that of one of the two
		for _, r := range []*Rule{m.byAttr[m.modified], m.byAttr[m.created]} {
			if r != nil {
				terms = append(terms, m.widerDate(c, r))
			}
		}
		t = anyOf(terms...)
	case c.Match == filter.DateTime && m.byAttr[a] != nil:
		t = m.widerDate(c, m.byAttr[a])
	case m.references[a] != nil:
		t = m.widerReference(c, l)
	default:
		t = m.widerText(c)
	}
	if t == nil || !m.can(t) {
		return nil
	}
	return t
}

// widerText: a part of a list satisfies a comparison only if the list's text
// contains the literal.
func (m *Mapping) widerText(c *filter.Compare) filter.Expr {
	a := attribute(c)
	r := m.byAttr[a]
	if r == nil && a.Parent() != nil {
		r = m.byAttr[a.Parent()]
	}
	text := filter.OpsOf(filter.Eq, filter.Co, filter.Sw, filter.Ew).Has(c.Op) && c.Value.Kind == filter.String && c.Value.Str != "" &&
		(c.Match == filter.Exact || c.Match == filter.Folded)
	if r == nil || !text || r.split == "" || r.codes != nil || r.item != a || !r.readable {
		return nil
	}
	return &filter.Compare{Name: r.field, Op: filter.Co, Match: c.Match, Value: c.Value}
}

// widerDate: what the backend reads as an instant it compares, and what it
// cannot read it includes.
func (m *Mapping) widerDate(c *filter.Compare, r *Rule) filter.Expr {
	if !r.plain() || !r.readable || r.format != "" || isPresence(c) {
		return nil
	}
	at := func(op filter.Op, s string) filter.Expr {
		return &filter.Compare{Name: r.field, Op: op, Match: filter.DateTime, Value: filter.StringValue(s)}
	}
	t, _, ok := parseLiteralTime(c.Value.Str)
	// The gateway reads instants to the nanosecond, the backend as they are.
	next := t.Truncate(time.Nanosecond).Add(1).UTC()
	if !ok || next.Year() > 9999 {
		return nil
	}
	after := next.Format(time.RFC3339Nano)
	var fits filter.Expr
	switch c.Op {
	case filter.Eq:
		fits = allOf(at(filter.Ge, c.Value.Str), at(filter.Lt, after))
	case filter.Gt, filter.Ge:
		fits = at(c.Op, c.Value.Str)
	case filter.Lt, filter.Le:
		fits = at(filter.Lt, after)
	default:
		return nil
	}
	present := &filter.Compare{Name: r.field, Op: filter.Pr, Match: filter.Exact}
	return anyOf(fits, allOf(present, m.negate(at(filter.Ge, "0000-01-01T00:00:00Z"))))
}
