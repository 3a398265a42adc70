package sql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mattn/go-sqlite3"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Functions and collations that SQLite lacks, so that whatever cannot be said in
// its own words is decided by the code that defines what is exact.

// register puts them on a connection. Only one goroutine at a time uses a
// connection, so each has its own state.
func register(conn *sqlite3.SQLiteConn) error {
	errs := []error{
		conn.RegisterFunc("postern_fold", sqliteFold, true),
		conn.RegisterFunc("postern_text", sqliteText, true),
		conn.RegisterFunc("postern_test", new(tester).test, true),
	}
	for _, m := range orders {
		errs = append(errs, conn.RegisterCollation(collation(m), newOrder(m).compare))
	}
	return errors.Join(errs...)
}

// sqliteFold is filter.Fold of text, and null of what is none.
func sqliteFold(v any) any {
	if s, ok := v.(string); ok {
		return filter.Fold(s)
	}
	return nil
}

// sqliteText is the text of a column's value, null for no value.
func sqliteText(k int64, v any) any {
	if s := adapters.Text(sqliteRead(kind(k), v)); s != "" {
		return s
	}
	return nil
}

// A single is a record of one value, to be asked as any record is.
type single struct {
	filter.Subject
	record adapters.Record
}

func newSingle() single {
	r := adapters.NewRecord(adapters.NewShape(singleField), "")
	return single{r.Subject(), r}
}

const singleField = "v"

// A tester evaluates comparisons that it is given as text. It remembers the
// last one, which is that of the row before.
type tester struct {
	spec string
	kind kind
	leaf *filter.Compare
	single
}

func (t *tester) test(spec string, v any) (bool, error) {
	if t.leaf == nil || t.spec != spec {
		if t.leaf == nil {
			t.single = newSingle()
		}
		k, leaf, err := parseSpec(spec)
		if err != nil {
			return false, err
		}
		t.spec, t.kind, t.leaf = strings.Clone(spec), k, leaf
	}
	t.record.SetAt(0, sqliteRead(t.kind, v))
	return filter.Matches(t.leaf, t), nil
}

// specOf writes a comparison with a column of a kind as text.
func specOf(k kind, c *filter.Compare) string {
	return fmt.Sprintf("%d %d %d %d %d %s", uint8(k), uint8(c.Match), uint8(c.Op), uint8(c.Value.Kind), c.Value.Num, c.Value.Str)
}

func parseSpec(spec string) (kind, *filter.Compare, error) {
	parts := strings.SplitN(spec, " ", 6)
	if len(parts) != 6 {
		return 0, nil, errors.New("not a comparison")
	}
	var n [5]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return 0, nil, err
		}
	}
	return kind(n[0]), &filter.Compare{
		Name:  singleField,
		Match: filter.Match(n[1]),
		Op:    filter.Op(n[2]),
		Value: filter.Value{Kind: filter.Kind(n[3]), Num: n[4], Str: parts[5]},
	}, nil
}

// orders are the matches whose order of text is none that SQLite has.
var orders = [...]filter.Match{filter.Boolean, filter.Integer, filter.Decimal, filter.DateTime}

func collation(m filter.Match) string { return "postern_" + strings.ToLower(m.String()) }

// An order compares text as values of a match.
type order struct {
	leaf  *filter.Compare
	a, b  single
	value filter.Value
	yield func(filter.Value) bool
}

func newOrder(m filter.Match) *order {
	o := &order{leaf: &filter.Compare{Name: singleField, Match: m}, a: newSingle(), b: newSingle()}
	o.yield = func(v filter.Value) bool {
		o.value = v
		return false
	}
	return o
}

func (o *order) compare(a, b string) int {
	return filter.CompareValues(o.leaf.Match, o.of(o.a, a), o.of(o.b, b))
}

func (o *order) of(s single, text string) filter.Value {
	o.value = filter.Value{}
	s.record.SetAt(0, text)
	s.Values(o.leaf, o.yield)
	return o.value
}
