package sql_test

import (
	stdsql "database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
	"pgregory.net/rapid"
)

// nasty are values that are easily compared wrongly: case beyond ASCII, what is
// equal but for its form, patterns, quotes, numbers written oddly, broken text.
var nasty = []any{
	nil, "", " ", "a", "A", "a ", "ab", "AB", "b", "_", "%", "a%b", "a_b", "aXb", `a\b`, `\`, "'", `"`, "a'b", `a"b`, "a;b", "--", "?", "?1",
	"k", "K", "\u212a", "s", "S", "\u017f", "ks", "KS", "\u212a\u017f", "ß", "ẞ", "ss", "SS", "İ", "i", "I", "ı", "i\u0307",
	"é", "É", "e\u0301", "E\u0301", "å", "Å", "\u212b", "ω", "Ω", "\u2126", "µ", "μ", "Μ", "ǆ", "ǅ", "Ǆ", "σ", "ς", "Σ", "иванов", "ИВАНОВ", "Иванов",
	"𐐀", "𐐨", "😀", "ﬁ", "fi", "日本", "\ue000", "\ud7ff",
	"Mississippi Kiosk Sassafras", "MISSISSIPPI KIOSK SASSAFRAS", "mi\u017f\u017fissippi kiosk sassafras", "mississippi \u212aiosk sassafra\u017f",
	"ελληνικός σύλλογος", "ΕΛΛΗΝΙΚΌΣ ΣΎΛΛΟΓΟΣ",
	"\x00", "a\x00b", "A\x00B", "a\x00", "a\x00c", "\xff", "\xfe", "\ufffd", "a\xffb", "a\ufffdb", "a\nb", "\t",
	int64(0), int64(1), int64(-1), int64(5), int64(1001), int64(1<<53 + 1), int64(-1 << 63), int64(1<<63 - 1),
	"0", "1", "01", "01001", "1001", "+5", " 5", "5 ", "0x10", "1e3", "1E3", "1000", "1.0", "1.50", "1_000", "9223372036854775807", "9223372036854775808", "NaN", "Inf", "-0",
	1.0, 1.5, -0.5, 1e3, 1e6, 1e21, 1e-7, 0.1, 9007199254740993.0, "1e+06", "1e+21", "1.5", "0.1",
	"t", "T", "true", "TRUE", "True", "tRUE", "f", "false", "False", "yes",
	"2024-01-01 10:00:00", "2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00", "2024-01-01 10:00:00.5", "2024-01-01T10:00:00.500Z", "2024-01-01",
	"2024-13-01 10:00:00", "0000-00-00 00:00:00", "9999-12-31T23:59:59Z", "1969-12-31 23:59:59",
	[]byte{}, []byte("a"), []byte("A"), []byte("k"), []byte("1"), []byte("true"), []byte{0, 1, 2}, []byte("2024-01-01T10:00:00Z"),
}

// odd is a table of one column for each way to declare one.
const odd = `
CREATE TABLE odd (
	id INTEGER PRIMARY KEY,
	plain TEXT, plain_nocase TEXT COLLATE NOCASE, trimmed TEXT COLLATE RTRIM, indexed VARCHAR(40), indexed_nocase TEXT, declared_nocase TEXT COLLATE NOCASE,
	number INTEGER, number_indexed INT, decimal NUMERIC(10, 2), string STRING, bool BOOLEAN, double DOUBLE PRECISION, untyped, blob BLOB, stamp TIMESTAMP, "date" DATE,
	"or%der" TEXT
);
CREATE INDEX odd_1 ON odd (indexed);
CREATE INDEX odd_2 ON odd (indexed_nocase COLLATE NOCASE);
CREATE INDEX odd_3 ON odd (declared_nocase);
CREATE INDEX odd_4 ON odd (number_indexed);
CREATE INDEX odd_5 ON odd (untyped);
`

var oddColumns = []string{"id", "plain", "plain_nocase", "trimmed", "indexed", "indexed_nocase", "declared_nocase",
	"number", "number_indexed", "decimal", "string", "bool", "double", "untyped", "blob", "stamp", "date", "or%der"}

// oddTable holds every nasty value in every column, in another order in each.
func oddTable(t testing.TB) (*sql.Adapter, []adapters.Record) {
	t.Helper()
	path := fileOf(t)
	db := open(t, odd, func(c *sql.Config) { c.DSN = "sqlite:" + path })
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw := rawDB(t, path)
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	places := strings.TrimPrefix(strings.Repeat(", ?", len(oddColumns)-1), ", ")
	for i := range nasty {
		args := make([]any, len(oddColumns)-1)
		for j := range args {
			args[j] = nasty[(i+j*17)%len(nasty)]
		}
		if _, err := tx.Exec("INSERT INTO odd VALUES (NULL, "+places+")", args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	a := table(t, db, sql.Table{Name: "odd", Key: []string{"id"}}, oddColumns...)
	page, err := a.List(t.Context(), adapters.Query{Limit: 10000, Want: adapters.AllFields})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != len(nasty) {
		t.Fatalf("%d records, want %d", len(page.Records), len(nasty))
	}
	return a, page.Records
}

// rawDB is the file as another program sees it.
func rawDB(t testing.TB, path string) *stdsql.DB {
	t.Helper()
	raw, err := stdsql.Open("sqlite3", path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

// literals are the values to compare with, by match.
func literals() map[filter.Match][]filter.Value {
	text := []filter.Value{{}}
	for _, v := range nasty {
		if v != nil {
			text = append(text, filter.StringValue(adapters.Text(v)))
		}
	}
	numbers := []filter.Value{{}}
	for _, n := range []int64{0, 1, -1, 5, 1000, 1001, 1<<53 + 1, -1 << 63, 1<<63 - 1} {
		numbers = append(numbers, filter.IntValue(n))
	}
	for _, n := range []string{"1.5", "1e3", "1e21", "0.10", "-0.5", "9223372036854775808"} {
		numbers = append(numbers, filter.NumberValue(n))
	}
	instants := []filter.Value{{}}
	for _, s := range []string{"2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00", "2024-01-01T10:00:00.5Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"} {
		instants = append(instants, filter.StringValue(s))
	}
	return map[filter.Match][]filter.Value{
		filter.Exact: text, filter.Folded: text, filter.Integer: numbers, filter.Decimal: numbers, filter.DateTime: instants,
		filter.Boolean: {{}, filter.BoolValue(true), filter.BoolValue(false)}, filter.Presence: {{}},
	}
}

// expect lists the keys of the records of which e is true, by the definition.
func expect(records []adapters.Record, e filter.Expr) []adapters.Key {
	keys := []adapters.Key{}
	for _, r := range records {
		if filter.Matches(e, r.Subject()) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// answer lists the keys of what the adapter finds.
func answer(t fataler, a *sql.Adapter, q adapters.Query) []adapters.Key {
	t.Helper()
	q.Limit, q.Total = 10000, true
	page, err := a.List(ctx, q)
	if err != nil {
		t.Fatalf("%v", err)
	}
	keys := []adapters.Key{}
	for _, r := range page.Records {
		keys = append(keys, r.Key)
	}
	if page.Total != len(keys) {
		t.Fatalf("total %d of %d records", page.Total, len(keys))
	}
	return keys
}

// TestFilterTable (F-34): every comparison that is declared, with every literal, on every kind of
// column, bare and negated, finds what the in-memory evaluation finds.
func TestFilterTable(t *testing.T) {
	a, records := oddTable(t)
	filterTable(t, a, records, oddColumns)
}

func filterTable(t *testing.T, a *sql.Adapter, records []adapters.Record, columns []string) {
	t.Helper()
	values := literals()
	n := 0
	for i, name := range columns {
		for match, ops := range a.Capabilities().Fields[i].Filter {
			for op := filter.Eq; op <= filter.Pr; op++ {
				if !ops.Has(op) {
					continue
				}
				list := values[match]
				if op == filter.Pr {
					list = []filter.Value{{}}
				}
				for j, v := range list {
					if (i+j+int(op))%stride(len(list)) != 0 && os.Getenv("POSTERN_ALL") == "" {
						continue // every literal meets every operator, but not on every column
					}
					leaf := &filter.Compare{Name: name, Op: op, Value: v, Match: match}
					for _, e := range []filter.Expr{leaf, filter.Not{Term: leaf}} {
						n++
						want, got := expect(records, e), answer(t, a, adapters.Query{Filter: e})
						if !slices.Equal(got, want) {
							t.Errorf("%T %s %v %v %+q: %s", e, name, match, op, v.Str, difference(records, i, got, want))
						}
					}
				}
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d comparisons", n)
	}
	t.Logf("%d comparisons", n)
}

// stride thins out long lists of literals.
func stride(n int) int {
	switch {
	case n > 20:
		return 15
	case n > 5:
		return 4
	}
	return 1
}

func difference(records []adapters.Record, field int, got, want []adapters.Key) string {
	var b strings.Builder
	for _, r := range records {
		switch g, w := slices.Contains(got, r.Key), slices.Contains(want, r.Key); {
		case g && !w:
			fmt.Fprintf(&b, " too many %#v", r.At(field))
		case w && !g:
			fmt.Fprintf(&b, " missing %#v", r.At(field))
		}
	}
	return b.String()
}

// TestSortTable (O-03, O-05, O-08): every order that is declared is that of CompareValues, absent
// values last, or first when descending, and ties by key.
func TestSortTable(t *testing.T) {
	a, records := oddTable(t)
	sortTable(t, a, records, oddColumns, func(string, filter.Match) bool { return false })
}

// sortTable tries all orders; those that a column's type has not must be refused.
func sortTable(t *testing.T, a *sql.Adapter, records []adapters.Record, columns []string, refused func(string, filter.Match) bool) {
	t.Helper()
	for i, name := range columns {
		for match := range a.Capabilities().Fields[i].Sort {
			if refused(name, match) {
				_, err := a.List(ctx, adapters.Query{Limit: 1, Sort: []adapters.Sort{{Field: name, Match: match}}})
				if !adapters.Is(err, adapters.Unsupported) {
					t.Errorf("%s %v: %v", name, match, err)
				}
				continue
			}
			for _, descending := range []bool{false, true} {
				by := adapters.Sort{Field: name, Match: match, Descending: descending}
				var want []adapters.Key
				for _, r := range slices.SortedStableFunc(slices.Values(records), func(x, y adapters.Record) int { return compareBy(x, y, by) }) {
					want = append(want, r.Key)
				}
				if got := answer(t, a, adapters.Query{Sort: []adapters.Sort{by}}); !slices.Equal(got, want) {
					t.Errorf("%s %v descending %v:\n got %v\nwant %v", name, match, descending, got, want)
				}
			}
		}
	}
}

func compareBy(x, y adapters.Record, by adapters.Sort) int {
	value := func(r adapters.Record) (out filter.Value) {
		r.Subject().Values(&filter.Compare{Name: by.Field, Match: by.Match}, func(v filter.Value) bool {
			out = v
			return false
		})
		return out
	}
	n := filter.CompareValues(by.Match, value(x), value(y))
	if by.Descending {
		return -n
	}
	return n
}

// TestFilterRandom (F-34): trees of comparisons find what the in-memory evaluation finds.
func TestFilterRandom(t *testing.T) {
	a, records := oddTable(t)
	filterRandom(t, a, records, oddColumns)
}

func filterRandom(t *testing.T, a *sql.Adapter, records []adapters.Record, columns []string) {
	t.Helper()
	values := literals()
	caps := a.Capabilities()
	leaf := rapid.Custom(func(t *rapid.T) filter.Expr {
		i := rapid.IntRange(0, len(columns)-1).Draw(t, "column")
		matches := make([]filter.Match, 0, 8)
		for m := range caps.Fields[i].Filter {
			matches = append(matches, m)
		}
		slices.Sort(matches)
		match := rapid.SampledFrom(matches).Draw(t, "match")
		var ops []filter.Op
		for op := filter.Eq; op <= filter.Pr; op++ {
			if caps.Fields[i].Filter[match].Has(op) {
				ops = append(ops, op)
			}
		}
		c := &filter.Compare{Name: columns[i], Match: match, Op: rapid.SampledFrom(ops).Draw(t, "op")}
		switch {
		case c.Op == filter.Pr:
		case (match == filter.Exact || match == filter.Folded) && rapid.Bool().Draw(t, "any text"):
			c.Value = filter.StringValue(rapid.String().Draw(t, "text"))
		default:
			c.Value = rapid.SampledFrom(values[match]).Draw(t, "literal")
		}
		if rapid.IntRange(0, 9).Draw(t, "key") == 0 {
			c = &filter.Compare{Name: adapters.KeyField, Match: filter.Exact, Op: filter.Eq, Value: filter.StringValue(fmt.Sprint(rapid.IntRange(-1, 60).Draw(t, "id")))}
		}
		return c
	})
	var tree func(depth int) *rapid.Generator[filter.Expr]
	tree = func(depth int) *rapid.Generator[filter.Expr] {
		return rapid.Custom(func(t *rapid.T) filter.Expr {
			if depth == 0 {
				return leaf.Draw(t, "leaf")
			}
			terms := rapid.SliceOfN(tree(depth-1), 2, 4)
			switch rapid.IntRange(0, 3).Draw(t, "form") {
			case 0:
				return filter.And(terms.Draw(t, "and"))
			case 1:
				return filter.Or(terms.Draw(t, "or"))
			case 2:
				return filter.Not{Term: tree(depth-1).Draw(t, "not")}
			}
			return leaf.Draw(t, "leaf")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		e := tree(3).Draw(t, "filter")
		want, got := expect(records, e), answer(t, a, adapters.Query{Filter: e})
		if !slices.Equal(got, want) {
			t.Fatalf("%v: got %v, want %v", e, got, want)
		}
	})
}

// TestFilterMany (F-33): filters of many terms work, and filters that no statement can hold are
// refused.
func TestFilterMany(t *testing.T) {
	a, records := oddTable(t)
	eq := func(name, value string) filter.Expr {
		return &filter.Compare{Name: name, Match: filter.Folded, Op: filter.Eq, Value: filter.StringValue(value)}
	}
	var or filter.Or
	var and filter.And
	var keys filter.Or
	for i := range 500 {
		or = append(or, eq("indexed_nocase", fmt.Sprint("kiosk", i%300)), eq("number", fmt.Sprint(i)))
		and = append(and, filter.Not{Term: eq("plain", fmt.Sprint(i))})
		keys = append(keys, &filter.Compare{Name: adapters.KeyField, Match: filter.Exact, Op: filter.Eq, Value: filter.StringValue(fmt.Sprint(i * 3))})
	}
	for _, e := range []filter.Expr{or, and, keys, filter.And{or, and, keys}} {
		if got, want := answer(t, a, adapters.Query{Filter: e}), expect(records, e); !slices.Equal(got, want) {
			t.Errorf("%d terms: got %v, want %v", 500, got, want)
		}
	}
	deep := eq("plain", "a")
	for range 2000 {
		deep = filter.Not{Term: filter.And{deep, filter.True{}}}
	}
	var wide filter.Or
	for i := range 20000 {
		wide = append(wide, eq("plain", fmt.Sprint("kiosk", i)))
	}
	for _, e := range []filter.Expr{deep, wide} {
		if _, err := a.List(ctx, adapters.Query{Limit: 1, Filter: e}); !adapters.Is(err, adapters.Unsupported) {
			t.Errorf("a filter without bounds: %v", err)
		}
	}
}
