package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Checks of filters. What a filter must find is worked out twice: by hand, for
// the cases in truths, and by filter.Matches over all records for every
// comparison that the adapter declares.

const maxFaults = 10

// checkTruths asks the filters whose answers are written down here (F-13 to F-17, F-27).
func checkTruths(ctx context.Context, r *rig) error {
	for name, nick := range map[string]any{
		"none": nil, "empty": "", "lower": "bob", "upper": "BOB", "kelvin": "\u212aelvin", "percent": "50%", "fifty": "501",
		"under": "a_c", "abc": "abc", "slash": `a\c`, "quote": "O'Brien", "sharp": "straße",
	} {
		if _, err := r.Create(ctx, r.record(values{r.f.Name: name, r.f.Nick: nick}), adapters.Fields{}); err != nil {
			return err
		}
	}
	var errs []error
	asked := 0
	for _, c := range truths {
		leaf := &filter.Compare{Name: r.f.Nick, Op: c.op, Match: c.match, Value: filter.StringValue(c.value)}
		if c.null {
			leaf.Value = filter.Value{}
		}
		if !r.field(r.f.Nick).Filter[c.match].Has(c.op) {
			continue
		}
		asked++
		errs = append(errs, r.finds(ctx, leaf, strings.Fields(c.want)))
		if r.caps.Not {
			errs = append(errs, r.finds(ctx, filter.Not{Term: leaf}, allBut(strings.Fields(c.want))))
		}
	}
	if asked == 0 {
		return fmt.Errorf("no filter on %s is declared that a truth is known of", r.f.Nick)
	}
	return errors.Join(errs...)
}

const everyTruth = "none empty lower upper kelvin percent fifty under abc slash quote sharp"

var truths = []struct {
	op    filter.Op
	match filter.Match
	value string
	null  bool
	want  string
}{
	{op: filter.Eq, match: filter.Exact, value: "bob", want: "lower"},
	{op: filter.Eq, match: filter.Exact, value: "BOB", want: "upper"},
	{op: filter.Eq, match: filter.Exact, value: "bob ", want: ""},
	{op: filter.Eq, match: filter.Folded, value: "Bob", want: "lower upper"},
	{op: filter.Eq, match: filter.Folded, value: "kelvin", want: "kelvin"},
	{op: filter.Eq, match: filter.Exact, value: "kelvin", want: ""},
	{op: filter.Eq, match: filter.Folded, value: "STRASSE", want: ""},
	{op: filter.Eq, match: filter.Folded, value: "STRAßE", want: "sharp"},
	{op: filter.Eq, match: filter.Exact, value: "O'Brien", want: "quote"},
	{op: filter.Eq, match: filter.Exact, value: `a\c`, want: "slash"},
	{op: filter.Ne, match: filter.Exact, value: "bob", want: "none empty upper kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Ne, match: filter.Folded, value: "bob", want: "none empty kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Co, match: filter.Exact, value: "%", want: "percent"},
	{op: filter.Co, match: filter.Exact, value: "_", want: "under"},
	{op: filter.Co, match: filter.Exact, value: `\`, want: "slash"},
	{op: filter.Co, match: filter.Exact, value: "O", want: "upper quote"},
	{op: filter.Co, match: filter.Folded, value: "O", want: "lower upper quote"},
	{op: filter.Co, match: filter.Folded, value: "KEL", want: "kelvin"},
	{op: filter.Co, match: filter.Folded, value: "'b", want: "quote"},
	{op: filter.Sw, match: filter.Exact, value: "50", want: "percent fifty"},
	{op: filter.Sw, match: filter.Exact, value: "50%", want: "percent"},
	{op: filter.Sw, match: filter.Exact, value: "a_", want: "under"},
	{op: filter.Sw, match: filter.Folded, value: "A", want: "under abc slash"},
	{op: filter.Sw, match: filter.Exact, value: "A", want: ""},
	{op: filter.Ew, match: filter.Exact, value: "b", want: "lower"},
	{op: filter.Ew, match: filter.Folded, value: "_C", want: "under"},
	{op: filter.Ew, match: filter.Folded, value: "ßE", want: "sharp"},
	{op: filter.Gt, match: filter.Exact, value: "bob", want: "sharp kelvin"},
	{op: filter.Ge, match: filter.Exact, value: "bob", want: "lower sharp kelvin"},
	{op: filter.Lt, match: filter.Exact, value: "A", want: "percent fifty"},
	{op: filter.Le, match: filter.Exact, value: "BOB", want: "percent fifty upper"},
	{op: filter.Lt, match: filter.Folded, value: "abd", want: "percent fifty abc"},
	{op: filter.Pr, match: filter.Exact, null: true, want: "lower upper kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Pr, match: filter.Folded, null: true, want: "lower upper kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Pr, match: filter.Presence, null: true, want: "lower upper kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Eq, match: filter.Exact, null: true, want: "none empty"},
	{op: filter.Ne, match: filter.Exact, null: true, want: "lower upper kelvin percent fifty under abc slash quote sharp"},
	{op: filter.Eq, match: filter.Folded, null: true, want: "none empty"},
}

func allBut(names []string) []string {
	return slices.DeleteFunc(strings.Fields(everyTruth), func(n string) bool { return slices.Contains(names, n) })
}

// finds fails unless the filter is true of exactly the records with these names.
func (r *rig) finds(ctx context.Context, e filter.Expr, names []string) error {
	page, err := r.List(ctx, adapters.Query{Filter: e, Limit: 1000, Want: r.shape.FieldSet(r.f.Name)})
	if err != nil {
		return fmt.Errorf("%s: %w", show(e), err)
	}
	var got []string
	for _, rec := range page.Records {
		got = append(got, adapters.Text(rec.Get(r.f.Name)))
	}
	if !slices.Equal(sorted(got), sorted(names)) {
		return fmt.Errorf("%s: found %v, want %v", show(e), sorted(got), sorted(names))
	}
	return nil
}

// checkComparisons asks every comparison that is declared.
func checkComparisons(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	step := 1
	if r.h.Brief {
		step = 7
	}
	var errs []error
	leafs := r.comparisons(all)
	for i := 0; i < len(leafs); i += step {
		leaf := leafs[i]
		errs = appendFault(errs, r.agrees(ctx, leaf, all))
		if r.caps.Not && leaf.Op != filter.Pr {
			errs = appendFault(errs, r.agrees(ctx, filter.Not{Term: leaf}, all))
		}
		if len(errs) == maxFaults {
			break
		}
	}
	return errors.Join(errs...)
}

// comparisons are all comparisons that are declared, on every field.
func (r *rig) comparisons(all []adapters.Record) []*filter.Compare {
	var out []*filter.Compare
	for _, name := range append(r.f.all(), adapters.KeyField) {
		declared := r.field(name).Filter
		for _, m := range slices.Sorted(maps.Keys(declared)) {
			if !r.fits(name, m) {
				continue
			}
			literals := append(r.literals(name, m), filter.Value{})
			if name == adapters.KeyField {
				literals = keyLiterals(all, m)
			}
			out = append(out, leaves(name, m, declared[m], literals)...)
		}
	}
	return out
}

// fits leaves out comparisons whose outcome nothing defines: numbers and dates
// of fields that hold text.
func (r *rig) fits(name string, m filter.Match) bool {
	switch m {
	case filter.Integer, filter.Decimal:
		return name == r.f.Age
	case filter.DateTime:
		return name == r.f.Born
	case filter.Boolean:
		return false
	case filter.Exact, filter.Folded:
		return name != r.f.Born
	}
	return true
}

func leaves(name string, m filter.Match, ops filter.Ops, literals []filter.Value) []*filter.Compare {
	var out []*filter.Compare
	for op := filter.Eq; op < filter.Pr; op++ {
		for _, v := range literals {
			if v.Kind == filter.Null && op != filter.Eq && op != filter.Ne {
				continue
			}
			if ops.Has(op) {
				out = append(out, &filter.Compare{Name: name, Op: op, Value: v, Match: m})
			}
		}
	}
	if ops.Has(filter.Pr) {
		out = append(out, &filter.Compare{Name: name, Op: filter.Pr, Match: m})
	}
	return out
}

// keyLiterals are keys that are there and other spellings of them.
func keyLiterals(all []adapters.Record, m filter.Match) []filter.Value {
	if m != filter.Exact && m != filter.Folded {
		return nil
	}
	k := string(all[0].Key)
	out := []filter.Value{{}, filter.StringValue(string(all[len(all)-1].Key))}
	for _, s := range []string{k, "0" + k, k + " ", " " + k, k + ".0", "+" + k, k + "'", strings.ToUpper(k), "", "0", "1", "2", "10", "x", "%", "-1", "' OR '1'='1", "99999999999999999999"} {
		out = append(out, filter.StringValue(s))
	}
	return out
}

// agrees compares what the adapter finds with the in-memory evaluation.
func (r *rig) agrees(ctx context.Context, e filter.Expr, all []adapters.Record) error {
	q := adapters.Query{Filter: e, Limit: len(all) + 1, Total: r.caps.Total}
	page, err := r.List(ctx, q)
	if err != nil {
		return fmt.Errorf("%s: %w", show(e), err)
	}
	want := keys(matching(e, all))
	got := keys(page.Records)
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s: %s", show(e), r.difference(got, want, all))
	}
	if q.Total && page.Total != len(want) {
		return fmt.Errorf("%s: a total of %d, want %d", show(e), page.Total, len(want))
	}
	return nil
}

func matching(e filter.Expr, all []adapters.Record) []adapters.Record {
	var out []adapters.Record
	for _, rec := range all {
		if e == nil || filter.Matches(e, rec.Subject()) {
			out = append(out, rec)
		}
	}
	return out
}

func keys(recs []adapters.Record) []adapters.Key {
	out := make([]adapters.Key, len(recs))
	for i, rec := range recs {
		out[i] = rec.Key
	}
	return out
}

// difference tells the first record that two lists do not share.
func (r *rig) difference(got, want []adapters.Key, all []adapters.Record) string {
	for _, rec := range all {
		g, w := slices.Contains(got, rec.Key), slices.Contains(want, rec.Key)
		if g != w {
			return fmt.Sprintf("found: %t, want %t, the record %q %#v", g, w, rec.Key, rec.Values())
		}
	}
	return fmt.Sprintf("found %q, want %q", got, want)
}

// checkLogic joins comparisons by and, or and not, with True and False among them.
func checkLogic(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	leafs := r.comparisons(all)
	var exprs []filter.Expr
	for i := 0; i+7 < len(leafs); i += 1 + len(leafs)/40 {
		a, b, c := leafs[i], leafs[(i*7+3)%len(leafs)], leafs[(i*13+5)%len(leafs)]
		exprs = append(exprs, filter.And{a, b}, filter.And{a, b, c}, filter.And{a, filter.True{}}, filter.And{a, filter.False{}})
		if r.caps.Or {
			exprs = append(exprs, filter.Or{a, b}, filter.And{filter.Or{a, b}, c}, filter.Or{filter.And{a, b}, c}, filter.Or{a, filter.False{}}, filter.Or{filter.True{}, a})
		}
		if r.caps.Not {
			exprs = append(exprs, filter.And{a, filter.Not{Term: b}}, filter.Not{Term: filter.And{a, filter.Not{Term: b}}})
		}
		if r.caps.Not && r.caps.Or {
			exprs = append(exprs, filter.Not{Term: filter.Or{a, b}}, filter.Not{Term: filter.Not{Term: filter.Or{a, filter.And{b, c}}}})
		}
	}
	exprs = append(exprs, nil, filter.True{}, filter.False{})
	var errs []error
	for _, e := range exprs {
		if errs = appendFault(errs, r.agrees(ctx, e, all)); len(errs) == maxFaults {
			break
		}
	}
	return errors.Join(errs...)
}

func appendFault(errs []error, err error) []error {
	if err == nil {
		return errs
	}
	return append(errs, err)
}

// checkUndeclared asks for what is not declared: it must be refused, never
// dropped (F-02).
func checkUndeclared(ctx context.Context, r *rig) error {
	if _, err := r.populate(ctx); err != nil {
		return err
	}
	leaf := func(name string, op filter.Op, m filter.Match) *filter.Compare {
		return &filter.Compare{Name: name, Op: op, Match: m, Value: filter.StringValue("x")}
	}
	queries := map[string]adapters.Query{
		"a filter that is not bound":      {Filter: leaf(r.f.Nick, filter.Eq, filter.Unbound)},
		"a filter on an unknown field":    {Filter: leaf("no such field", filter.Eq, filter.Exact)},
		"a filter on injected SQL":        {Filter: leaf(`1=1; --`, filter.Eq, filter.Exact)},
		"a filter on elements":            {Filter: &filter.Element{Name: r.f.Nick, Where: leaf("value", filter.Eq, filter.Exact)}},
		"a sort by an unknown field":      {Sort: []adapters.Sort{{Field: "no such field", Match: filter.Exact}}},
		"a sort without a way to compare": {Sort: []adapters.Sort{{Field: r.f.Nick}}},
	}
	for _, name := range append(r.f.all(), adapters.KeyField) {
		for m := filter.Exact; m <= filter.Presence; m++ {
			for op := filter.Eq; op <= filter.Pr; op++ {
				if !r.field(name).Filter[m].Has(op) {
					queries[fmt.Sprintf("a filter %s %v, compared %v", name, op, m)] = adapters.Query{Filter: leaf(name, op, m)}
				}
			}
			if !r.field(name).Sort[m] {
				queries[fmt.Sprintf("a sort by %s, compared %v", name, m)] = adapters.Query{Sort: []adapters.Sort{{Field: name, Match: m}}}
			}
		}
	}
	r.addUndeclaredJoins(queries)
	var errs []error
	for what, q := range queries {
		q.Limit = 10
		_, err := r.List(ctx, q)
		errs = appendFault(errs, wantKind(what, err, adapters.Unsupported))
	}
	return errors.Join(errs...)
}

func (r *rig) addUndeclaredJoins(queries map[string]adapters.Query) {
	leaf := &filter.Compare{Name: r.f.Nick, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("x")}
	if !r.caps.Or {
		queries["or"] = adapters.Query{Filter: filter.Or{leaf, leaf}}
	}
	if !r.caps.Not {
		queries["not"] = adapters.Query{Filter: filter.Not{Term: leaf}}
	}
	if !r.caps.Offset {
		queries["an offset"] = adapters.Query{Offset: 1}
	}
}

// show prints a filter for people.
func show(e filter.Expr) string {
	switch e := e.(type) {
	case nil:
		return "no filter"
	case filter.And:
		return join(e, " and ")
	case filter.Or:
		return join(e, " or ")
	case filter.Not:
		return "not (" + show(e.Term) + ")"
	case *filter.Element:
		return e.Name + "[" + show(e.Where) + "]"
	case *filter.Compare:
		return fmt.Sprintf("%s %v %s(%v)", e.Name, e.Op, showValue(e.Value), e.Match)
	}
	return fmt.Sprintf("%T", e)
}

func join(terms []filter.Expr, by string) string {
	out := make([]string, len(terms))
	for i, t := range terms {
		out[i] = show(t)
	}
	return "(" + strings.Join(out, by) + ")"
}

func showValue(v filter.Value) string {
	switch v.Kind {
	case filter.String, filter.Number:
		return fmt.Sprintf("%.60q ", v.Str)
	case filter.Null:
		return ""
	}
	return fmt.Sprint(v.Num, " ")
}
