package sql

import (
	"encoding/json"
	"strconv"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// fields: everything, because what SQLite's own words cannot say exactly is
// decided by postern_test and the collations.
func (sqlite) fields() adapters.Field {
	ordered := filter.OpsOf(filter.Eq, filter.Ne, filter.Gt, filter.Ge, filter.Lt, filter.Le, filter.Pr)
	return adapters.Field{
		Filter: map[filter.Match]filter.Ops{
			filter.Exact:    filter.AllOps,
			filter.Folded:   filter.AllOps,
			filter.Boolean:  filter.OpsOf(filter.Eq, filter.Ne, filter.Pr),
			filter.Integer:  ordered,
			filter.Decimal:  ordered,
			filter.DateTime: ordered,
			filter.Presence: filter.OpsOf(filter.Pr),
		},
		Sort: map[filter.Match]bool{
			filter.Exact: true, filter.Folded: true, filter.Boolean: true,
			filter.Integer: true, filter.Decimal: true, filter.DateTime: true,
		},
	}
}

var symbols = [...]string{filter.Eq: "=", filter.Gt: ">", filter.Ge: ">=", filter.Lt: "<", filter.Le: "<="}

func (d sqlite) compare(b *builder, c *column, cmp *filter.Compare) {
	switch {
	case cmp.Op == filter.Pr, cmp.Op == filter.Ne && cmp.Value.Kind == filter.Null:
		d.present(b, c)
	case cmp.Op == filter.Eq && cmp.Value.Kind == filter.Null:
		b.add("(")
		d.present(b, c)
		b.add(") IS NOT TRUE")
	case cmp.Op == filter.Ne: // of a single value, exactly what eq is not
		eq := *cmp
		eq.Op = filter.Eq
		b.add("(")
		d.compare(b, c, &eq)
		b.add(") IS NOT TRUE")
	case !d.native(b, c, cmp):
		b.add("postern_test(").bind(specOf(c.kind, cmp)).add(", ", c.ref, ")")
	}
}

// native writes the comparison in SQLite's own words; false if there are none.
func (d sqlite) native(b *builder, c *column, cmp *filter.Compare) bool {
	text := (cmp.Match == filter.Exact || cmp.Match == filter.Folded) && cmp.Value.Kind == filter.String
	switch {
	case text && cmp.Value.Str == "":
		return d.emptyLiteral(b, c, cmp)
	case text && c.kind == textKind && cmp.Match == filter.Exact:
		return d.exact(b, c, cmp.Op, cmp.Value.Str)
	case text && c.kind == textKind:
		return d.folded(b, c, cmp.Op, cmp.Value.Str)
	case text && cmp.Op == filter.Eq:
		return d.otherEqual(b, c, cmp)
	case cmp.Match == filter.Integer && cmp.Value.Kind == filter.Int && c.kind == integerKind:
		b.add("(", c.ref, " ", symbols[cmp.Op], " ").bind(cmp.Value.Num).add(integerOnly(c), ")")
		return true
	case cmp.Match == filter.Boolean && cmp.Value.Kind == filter.Bool && (c.kind == textKind || c.kind == integerKind):
		words := "('0', 'f', 'F', 'FALSE', 'false', 'False')"
		if cmp.Value.Num != 0 {
			words = "('1', 't', 'T', 'TRUE', 'true', 'True')" // what strconv.ParseBool takes
		}
		b.add(c.ref, " COLLATE BINARY IN ", words)
		return true
	}
	return false
}

// emptyLiteral compares with "": every value holds it, and none is as little.
func (d sqlite) emptyLiteral(b *builder, c *column, cmp *filter.Compare) bool {
	switch cmp.Op {
	case filter.Eq, filter.Lt, filter.Le:
		b.add("0")
	default:
		d.present(b, c)
	}
	return true
}

// integerOnly keeps out the floating point and the text that a column of
// integers may hold. A rowid holds neither.
func integerOnly(c *column) string {
	if c.rowid {
		return ""
	}
	return " AND typeof(" + c.ref + ") = 'integer'"
}

// present relies on the order of storage classes: numbers, text, blobs.
func (sqlite) present(b *builder, c *column) {
	switch {
	case c.rowid:
		b.add("1")
	case c.kind == textKind:
		b.add("(", c.ref, " > '' COLLATE BINARY AND ", c.ref, " < x'')")
	case c.kind == anyKind:
		b.add("(", c.ref, " <> '' COLLATE BINARY AND ", c.ref, " <> x'')")
	default:
		b.add("(", c.ref, " <> '' COLLATE BINARY AND typeof(", c.ref, ") <> 'blob')")
	}
}

// exact compares text byte for byte, with a text that is not empty.
func (d sqlite) exact(b *builder, c *column, op filter.Op, s string) bool {
	switch op {
	case filter.Eq:
		if c.folded && !c.exact { // find it by the index, then look closely
			b.add("(", c.ref, " COLLATE NOCASE = ").bind(s)
			b.add(" AND ", c.ref, " COLLATE BINARY = ").bind(s).add(")")
			return true
		}
		b.add(c.ref, " COLLATE BINARY = ").bind(s)
	case filter.Co, filter.Sw, filter.Ew:
		b.add("(", c.ref, " < x''")
		if c.exact && op == filter.Sw {
			span(b, c, " COLLATE BINARY", s, after(s))
		}
		b.add(" AND ")
		part(b, c.ref, op, s)
		b.add(")")
	default:
		b.add("(", c.ref, " COLLATE BINARY ", symbols[op], " ").bind(s).add(" AND ")
		d.present(b, c)
		b.add(")")
	}
	return true
}

// part asks for a part of an expression's text. It compares bytes, because
// SQLite's functions of text stop at a NUL, and LIKE has ideas about case.
func part(b *builder, expr string, op filter.Op, s string) {
	bytes := "CAST(" + expr + " AS BLOB)"
	switch op {
	case filter.Co:
		b.add("instr(", bytes, ", ").bind([]byte(s)).add(") > 0")
	case filter.Sw:
		b.add("substr(", bytes, ", 1, ").bind(int64(len(s))).add(") = ").bind([]byte(s))
	case filter.Ew:
		b.add("substr(", bytes, ", ").bind(int64(-len(s))).add(") = ").bind([]byte(s))
	}
}

// span adds the condition that a column is in a range, for the sake of an index.
func span(b *builder, c *column, collation, from, to string) {
	b.add(" AND ", c.ref, collation, " >= ").bind(from)
	if to != "" {
		b.add(" AND ", c.ref, collation, " < ").bind(to)
	}
}

// foldOf is filter.Fold of a text column, as far as comparison with s for
// equality of the whole or of a part can tell. Of ASCII, which SQLite knows by
// its length, that is upper; the rest is left to Go. Broken UTF-8 may count as
// ASCII, which no s that is whole can tell.
func foldOf(ref, s string) string {
	if odd(s) {
		return "postern_fold(" + ref + ")"
	}
	return "CASE WHEN octet_length(" + ref + ") = length(" + ref + ") THEN upper(" + ref + ") ELSE postern_fold(" + ref + ") END"
}

// wholeFoldOf is filter.Fold of a text column, broken UTF-8 included, which GLOB
// finds. It costs more than foldOf, and far less than Go.
func wholeFoldOf(ref string) string {
	return "CASE WHEN octet_length(" + ref + ") = length(" + ref + ") AND " + ref + " NOT GLOB '*[^\x01-\x7f]*'" +
		" THEN upper(" + ref + ") ELSE postern_fold(" + ref + ") END"
}

// folded compares text by simple case folding, with a text that is not empty.
func (d sqlite) folded(b *builder, c *column, op filter.Op, s string) bool {
	fold := filter.Fold(s)
	switch op {
	case filter.Eq:
		d.foldedEqual(b, c, s)
	case filter.Co, filter.Sw, filter.Ew:
		b.add("(", c.ref, " < x''")
		if plain := plainPrefix(s); c.folded && op == filter.Sw && plain != "" {
			span(b, c, " COLLATE NOCASE", plain, after(plain))
		}
		b.add(" AND ")
		part(b, foldOf(c.ref, s), op, fold)
		b.add(")")
	default:
		b.add("(", wholeFoldOf(c.ref), " ", symbols[op], " ").bind(fold).add(" AND ")
		d.present(b, c)
		b.add(")")
	}
	return true
}

// foldedEqual uses an index that ignores the case of ASCII letters, if there is
// one: the texts that NOCASE tells apart but folding does not are enumerated,
// or, where they are many, found by their beginnings.
func (d sqlite) foldedEqual(b *builder, c *column, s string) {
	list := variants(s)
	switch {
	case len(list) == 1:
		b.add(c.ref, " COLLATE NOCASE = ").bind(list[0])
		return
	case len(list) > 1:
		b.add(c.ref, " COLLATE NOCASE IN (").bind(list...).add(")")
		return
	}
	b.add("(")
	if ranges := spans(s); ranges != "" && c.folded {
		x := c.under("x")
		b.add(c.ref, " COLLATE NOCASE IN (SELECT ", x.ref, " FROM json_each(").bind(ranges)
		b.add(") AS r CROSS JOIN ", c.table, " AS x WHERE ", x.ref, " COLLATE NOCASE >= (r.value ->> 0) AND ",
			x.ref, " COLLATE NOCASE < (r.value ->> 1) AND ", foldOf(x.ref, s), " = ").bind(filter.Fold(s)).add(") AND ")
	}
	b.add(c.ref, " < x'' AND ", foldOf(c.ref, s), " = ").bind(filter.Fold(s)).add(")")
}

// otherEqual compares the text of what is stored in a column that is not of text.
func (d sqlite) otherEqual(b *builder, c *column, cmp *filter.Compare) bool {
	s := cmp.Value.Str
	n, whole := integer(s)
	switch {
	case c.kind == integerKind && whole:
		b.add("(", c.ref, " = ").bind(n).add(integerOnly(c), ")")
	case c.rowid:
		b.add("0")
	case cmp.Match != filter.Exact:
		return false
	case c.kind == integerKind || c.kind == realKind: // the index finds what is as much, the function what is written so
		b.add("(", c.ref, " = ").bind(s).add(" AND ", textOf(c), " = ").bind(s).add(")")
	case c.kind == anyKind:
		b.add("(", c.ref, " IN (").bind(s, []byte(s))
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			b.add(", ").bind(n, f)
		}
		b.add(") AND ", textOf(c), " = ").bind(s).add(")")
	default:
		return false
	}
	return true
}

func (d sqlite) among(b *builder, c *column, texts []string) bool {
	if c.kind != textKind && c.kind != integerKind {
		return false
	}
	list := make([]any, 0, len(texts))
	for _, s := range texts {
		v, ok := d.element(c, s)
		if _, text := v.(string); !ok || text != (c.kind == textKind) {
			return false
		}
		list = append(list, v)
	}
	array, err := jsonArray(list)
	if err != nil {
		return false
	}
	const in = " IN (SELECT value FROM json_each("
	b.add("(")
	if c.folded && !c.exact {
		b.add(c.ref, " COLLATE NOCASE", in).bind(array).add(")) AND ")
	}
	b.add(d.exactly(c), in).bind(array).add("))")
	if c.kind == integerKind {
		b.add(integerOnly(c))
	}
	b.add(")")
	return true
}

func (sqlite) element(c *column, text string) (any, bool) {
	if odd(text) || text == "" { // JSON cannot carry all of it
		return nil, false
	}
	if c.kind != integerKind {
		return text, true
	}
	if n, ok := integer(text); ok {
		return n, true
	}
	// What looks like a number would not be stored as it is written.
	_, err := strconv.ParseFloat(text, 64)
	return text, err != nil && !c.number
}

// jsonArray writes what element made.
func jsonArray(list []any) (string, error) {
	text, err := json.Marshal(list)
	return string(text), err
}

// textOf is adapters.Text of a column.
func textOf(c *column) string {
	return "postern_text(" + strconv.Itoa(int(c.kind)) + ", " + c.ref + ")"
}

// integer reads a number that is written as one writes numbers.
func integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}

func (d sqlite) order(b *builder, c *column, m filter.Match, descending bool) {
	way := " ASC NULLS LAST"
	if descending {
		way = " DESC NULLS FIRST"
	}
	switch {
	case c.kind == textKind && (m == filter.Exact || m == filter.Folded):
		b.add("CASE WHEN ")
		d.present(b, c)
		text := c.ref
		if m == filter.Folded {
			text = wholeFoldOf(c.ref)
		}
		b.add(" THEN ", text, " END COLLATE BINARY", way)
	case c.kind == integerKind && m == filter.Integer:
		// Integers, then by their text whatever else is there, then nothing.
		b.add("CASE WHEN typeof(", c.ref, ") = 'integer' THEN 0 WHEN ", textOf(c), " IS NOT NULL THEN 1 END", way, ", ")
		b.add("CASE WHEN typeof(", c.ref, ") = 'integer' THEN ", c.ref, " ELSE ", textOf(c), " END COLLATE BINARY", way)
	case m == filter.Folded:
		b.add("postern_fold(", textOf(c), ")", way)
	case m == filter.Exact:
		b.add(textOf(c), way)
	default:
		b.add(textOf(c), " COLLATE ", collation(m), way)
	}
}

// limit adds nothing to a parameter: SQLite plans a statement anew for each
// value of a parameter that stands alone as a limit, which costs more than most
// statements do.
func (sqlite) limit(b *builder, n, offset int) {
	b.add(" LIMIT ").bind(int64(n)).add(" + 0")
	if offset > 0 {
		b.add(" OFFSET ").bind(int64(offset)).add(" + 0")
	}
}

func (d sqlite) holds(b *builder, c *column, old any) {
	switch v := old.(type) {
	case nil, string, []byte:
		if adapters.NoValue(v) {
			b.add("(")
			d.present(b, c)
			b.add(") IS NOT TRUE")
			return
		}
	}
	cmp := &filter.Compare{Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(adapters.Text(old))}
	d.compare(b, c, cmp)
}
