package adapters_test

import (
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

func cmp(name string, op filter.Op, m filter.Match) *filter.Compare {
	return &filter.Compare{Name: name, Op: op, Match: m, Value: filter.StringValue("x")}
}

// TestCheck asks for what is declared and for what is not (F-02).
func TestCheck(t *testing.T) {
	eq := adapters.Field{
		Filter: map[filter.Match]filter.Ops{filter.Exact: filter.OpsOf(filter.Eq)},
		Sort:   map[filter.Match]bool{filter.Exact: true, filter.Folded: false},
	}
	weak := adapters.Capabilities{Shape: adapters.NewShape("a", "b"), Fields: []adapters.Field{eq, {}}, Key: eq}
	strong := weak
	strong.Or, strong.Not, strong.Offset, strong.Total = true, true, true, true
	a, key := cmp("a", filter.Eq, filter.Exact), cmp(adapters.KeyField, filter.Eq, filter.Exact)
	bad := cmp("b", filter.Eq, filter.Exact)
	for name, c := range map[string]struct {
		q            adapters.Query
		weak, strong bool
	}{
		"nothing":           {adapters.Query{}, true, true},
		"declared":          {adapters.Query{Filter: a}, true, true},
		"key":               {adapters.Query{Filter: key}, true, true},
		"constants":         {adapters.Query{Filter: filter.And{filter.True{}, filter.False{}}}, true, true},
		"and":               {adapters.Query{Filter: filter.And{a, key}}, true, true},
		"or":                {adapters.Query{Filter: filter.Or{a, key}}, false, true},
		"not":               {adapters.Query{Filter: filter.Not{Term: a}}, false, true},
		"or below and":      {adapters.Query{Filter: filter.And{a, filter.Or{a, key}}}, false, true},
		"other field":       {adapters.Query{Filter: bad}, false, false},
		"other field deep":  {adapters.Query{Filter: filter.And{a, filter.Not{Term: filter.Or{a, bad}}}}, false, false},
		"unknown field":     {adapters.Query{Filter: cmp("c", filter.Eq, filter.Exact)}, false, false},
		"other op":          {adapters.Query{Filter: cmp("a", filter.Co, filter.Exact)}, false, false},
		"other match":       {adapters.Query{Filter: cmp("a", filter.Eq, filter.Folded)}, false, false},
		"unbound":           {adapters.Query{Filter: cmp("a", filter.Eq, filter.Unbound)}, false, false},
		"element":           {adapters.Query{Filter: &filter.Element{Name: "a", Where: a}}, false, false},
		"sort":              {adapters.Query{Sort: []adapters.Sort{{Field: "a", Match: filter.Exact}}}, true, true},
		"sort by key":       {adapters.Query{Sort: []adapters.Sort{{Field: adapters.KeyField, Match: filter.Exact}}}, true, true},
		"sort folded":       {adapters.Query{Sort: []adapters.Sort{{Field: "a", Match: filter.Folded}}}, false, false},
		"sort, other field": {adapters.Query{Sort: []adapters.Sort{{Field: "a", Match: filter.Exact}, {Field: "b", Match: filter.Exact}}}, false, false},
		"sort, unknown":     {adapters.Query{Sort: []adapters.Sort{{Field: "c", Match: filter.Exact}}}, false, false},
		"offset":            {adapters.Query{Offset: 1}, false, true},
		"total":             {adapters.Query{Total: true}, false, true},
	} {
		for caps, want := range map[*adapters.Capabilities]bool{&weak: c.weak, &strong: c.strong} {
			err := caps.Check(c.q)
			if (err == nil) != want || err != nil && !adapters.Is(err, adapters.Unsupported) {
				t.Errorf("%s, or %t: got %v, want it allowed: %t", name, caps.Or, err, want)
			}
		}
	}
}

// TestSubject writes down what a record looks like to a filter.
func TestSubject(t *testing.T) {
	s := adapters.NewShape("text", "int", "float", "bool", "time", "bytes", "list", "none", "empty", "digits")
	r := adapters.FromMap(s, "42", map[string]any{
		"text": "Bob", "int": int64(-7), "float": 2.5, "bool": true, "bytes": []byte("raw"),
		"time": time.Date(2020, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600)),
		"list": []string{"x", "", "Y"}, "empty": "", "digits": "10",
	})
	leaf := func(name string, op filter.Op, m filter.Match, v filter.Value) filter.Expr {
		return &filter.Compare{Name: name, Op: op, Match: m, Value: v}
	}
	str, num := filter.StringValue, filter.IntValue
	for _, c := range []struct {
		e    filter.Expr
		want bool
	}{
		{leaf("text", filter.Eq, filter.Exact, str("Bob")), true},
		{leaf("text", filter.Eq, filter.Exact, str("bob")), false},
		{leaf("text", filter.Eq, filter.Folded, str("bOB")), true},
		{leaf("int", filter.Eq, filter.Integer, num(-7)), true},
		{leaf("int", filter.Lt, filter.Integer, num(0)), true},
		{leaf("int", filter.Eq, filter.Exact, str("-7")), true},
		{leaf("int", filter.Eq, filter.Decimal, filter.NumberValue("-7.0")), true},
		{leaf("float", filter.Gt, filter.Decimal, num(2)), true},
		{leaf("float", filter.Eq, filter.Exact, str("2.5")), true},
		{leaf("bool", filter.Eq, filter.Boolean, filter.BoolValue(true)), true},
		{leaf("bool", filter.Ne, filter.Boolean, filter.BoolValue(true)), false},
		{leaf("bool", filter.Eq, filter.Exact, str("true")), true},
		{leaf("time", filter.Eq, filter.DateTime, str("2020-01-02T02:04:05.000006Z")), true},
		{leaf("time", filter.Gt, filter.DateTime, str("2020-01-02T03:04:05+01:00")), true},
		{leaf("bytes", filter.Eq, filter.Exact, str("raw")), true},
		{leaf("list", filter.Eq, filter.Exact, str("Y")), true},
		{leaf("list", filter.Eq, filter.Exact, str("")), false},
		{leaf("list", filter.Ne, filter.Exact, str("x")), true},
		{leaf("digits", filter.Gt, filter.Integer, num(9)), true},
		{leaf("digits", filter.Gt, filter.Exact, str("9")), false},
		{leaf("text", filter.Eq, filter.Integer, num(0)), false},
		{leaf("none", filter.Pr, filter.Exact, filter.Value{}), false},
		{leaf("empty", filter.Pr, filter.Exact, filter.Value{}), false},
		{leaf("empty", filter.Ne, filter.Exact, str("x")), true},
		{leaf("unknown", filter.Pr, filter.Exact, filter.Value{}), false},
		{leaf(adapters.KeyField, filter.Eq, filter.Exact, str("42")), true},
		{leaf(adapters.KeyField, filter.Eq, filter.Exact, str("042")), false},
		{&filter.Element{Name: "list", Where: filter.True{}}, false},
	} {
		if got := filter.Matches(c.e, r.Subject()); got != c.want {
			t.Errorf("%s: got %t", filter.Print(c.e), got)
		}
	}
}
