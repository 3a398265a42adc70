package adaptertest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// nicks are the values that filters and sorts are tried on: case, Unicode,
// the signs of SQL, LIKE, LDAP and JSON, numbers that are text, and texts whose
// order differs between bytes, code units and locales.
var nicks = []string{
	"", "alice", "Alice", "ALICE", "alicea", "bob", "Bob ", " bob", "b", "B", "a", "A", "_", "[", "^", "~", "z", "Z",
	"100%", "100", "1000", "100_", "a_c", "abc", "a%c", `a\c`, `a\%c`, `a\_c`, `\`, `\\`, "%", "%%", "*", "?", "a*c", "(a)", "[a-c]", "a.c",
	"O'Brien", "o'brien", `"quoted"`, "'", `"`, "''", "null", "NULL", "true", "7", "007", "7.0", "-7", "1e3", "'; DROP TABLE x; --",
	"straße", "STRASSE", "STRAßE", "STRAẞE", "é", "É", "e\u0301", "E\u0301", "Å", "å", "\u212b", "Ω", "ω", "\u2126", "k", "K", "\u212a", "s", "S", "ſ",
	"İ", "i", "I", "ı", "Σ", "σ", "ς", "Ǆ", "ǅ", "ǆ", "Ж", "ж", "日本", "😀", "😀x", "\uffee", "\U00010400", "\U00010428", "Ⱥ", "ⱥ",
	"a b", "a  b", "a\tb", "a\nb", strings.Repeat("x", 300), strings.Repeat("X", 300),
}

var ages = []any{nil, int64(0), int64(1), int64(-1), int64(7), int64(9), int64(10), int64(42), int64(100), int64(-10), int64(math.MaxInt64), int64(math.MinInt64)}

var bornDates = []any{nil, born, born.Add(time.Second), born.AddDate(50, 0, 0), born.AddDate(-70, 0, 0)}

// populate fills the adapter with a record for each nick and answers all
// records as they are stored.
func (r *rig) populate(ctx context.Context) ([]adapters.Record, error) {
	for i, nick := range nicks {
		v := values{r.f.Name: fmt.Sprintf("Name %03d", i), r.f.Nick: nick}
		v[r.f.Age] = ages[i%len(ages)]
		v[r.f.Born] = bornDates[i%len(bornDates)]
		v[r.f.Active] = []any{"A", "L", "a", nil}[i%4]
		v[r.f.Note] = []any{nil, "", "A note", "a NOTE", "other"}[i%5]
		v[r.f.Members] = r.members([][]int{nil, {1}, {1, 2}, {2, 3, 10}, {30}, nil}[i%6]...)
		if _, err := r.Create(ctx, r.record(v), adapters.Fields{}); err != nil {
			return nil, fmt.Errorf("create %v: %w", v, err)
		}
	}
	return r.everything(ctx, len(nicks))
}

// everything lists all records, whole, in the adapter's own order.
func (r *rig) everything(ctx context.Context, n int) ([]adapters.Record, error) {
	page, err := r.List(ctx, adapters.Query{Limit: n + 1, Want: adapters.AllFields})
	if err == nil && len(page.Records) != n {
		err = fmt.Errorf("a list without filter holds %d of %d records", len(page.Records), n)
	}
	return page.Records, err
}

// literals are the values to compare a field with under a match.
func (r *rig) literals(name string, m filter.Match) []filter.Value {
	var out []filter.Value
	switch m {
	case filter.Exact, filter.Folded:
		texts := []string{"A", "L", "note", "A NOTE", "Name 01", "NAME 010", "1", "10", "", "%", "_", "nobody", "ali", "LIC", r.h.Member(1), r.h.Member(30)}
		if name == r.f.Nick {
			texts = append(texts, nicks...)
		}
		for _, s := range texts {
			out = append(out, filter.StringValue(s))
		}
	case filter.Integer:
		for _, n := range ages[1:] {
			out = append(out, filter.IntValue(n.(int64)))
		}
	case filter.Decimal:
		for _, s := range []string{"0.5", "-1.0", "42.0", "4.2e1", "99999999999999999999", "9223372036854775807.5"} {
			out = append(out, filter.NumberValue(s))
		}
		out = append(out, filter.IntValue(7))
	case filter.Boolean:
		out = append(out, filter.BoolValue(true), filter.BoolValue(false))
	case filter.DateTime:
		for _, s := range []string{"1970-01-02T03:04:05Z", "1970-01-02T05:04:05+02:00", "1970-01-02T03:04:05.000Z", "1970-01-02T03:04:05.5Z", "2020-01-02T03:04:05Z", "1900-01-02T03:04:05-01:00"} {
			out = append(out, filter.StringValue(s))
		}
	}
	return out
}
