package sql

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// fields: what can be said exactly of nearly every type. Decimals are left to
// whoever asks.
func (postgres) fields() adapters.Field {
	ordered := filter.OpsOf(filter.Eq, filter.Ne, filter.Gt, filter.Ge, filter.Lt, filter.Le, filter.Pr)
	return adapters.Field{
		Filter: map[filter.Match]filter.Ops{
			filter.Exact:    filter.AllOps,
			filter.Folded:   filter.AllOps,
			filter.Boolean:  filter.OpsOf(filter.Eq, filter.Ne, filter.Pr),
			filter.Integer:  ordered,
			filter.DateTime: ordered,
			filter.Presence: filter.OpsOf(filter.Pr),
		},
		Sort: map[filter.Match]bool{filter.Exact: true, filter.Folded: true, filter.Boolean: true, filter.Integer: true, filter.DateTime: true},
	}
}

func (postgres) can(c *column, cmp *filter.Compare) bool {
	if cmp.Op == filter.Pr || cmp.Match == filter.Presence || cmp.Value.Kind == filter.Null {
		return true
	}
	switch cmp.Match {
	case filter.Exact:
		return cmp.Op == filter.Eq || cmp.Op == filter.Ne || cmp.Value.Kind != filter.String || utf8.ValidString(cmp.Value.Str) || c.kind == bytesKind
	case filter.Folded:
		return c.kind != bytesKind && (cmp.Value.Kind != filter.String || storable(cmp.Value.Str))
	case filter.Boolean:
		return c.kind != bytesKind
	case filter.Integer:
		return c.kind != bytesKind && (cmp.Value.Kind == filter.Int || cmp.Value.Kind != filter.Number || plainNumber(cmp.Value.Str))
	case filter.DateTime:
		_, ok := instantOf(cmp.Value)
		return c.kind == timeKind && ok
	}
	return false
}

// plainNumber reports whether the database reads a number as it is written.
func plainNumber(s string) bool { return len(s) <= 100 && !strings.ContainsAny(s, "eE") }

// instantOf reads the literals that people write; the others are valid, too, or
// they are not.
func instantOf(v filter.Value) (time.Time, bool) {
	if v.Kind != filter.String || len(v.Str) > len("2006-01-02T15:04:05.999999999+00:00") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, v.Str)
	t = t.UTC()
	return t, err == nil && t.Year() >= 1 && t.Year() <= 9999 && !strings.Contains(v.Str, ",")
}

func (d postgres) compare(b *builder, c *column, cmp *filter.Compare) {
	switch {
	case cmp.Op == filter.Pr, cmp.Op == filter.Ne && cmp.Value.Kind == filter.Null:
		d.present(b, c)
	case cmp.Value.Kind == filter.Null && cmp.Op == filter.Eq:
		b.add("(")
		d.present(b, c)
		b.add(") IS NOT TRUE")
	case cmp.Value.Kind == filter.Null:
		b.add("FALSE")
	case cmp.Op == filter.Ne: // of a single value, exactly what eq is not
		eq := *cmp
		eq.Op = filter.Eq
		b.add("(")
		d.compare(b, c, &eq)
		b.add(") IS NOT TRUE")
	default:
		d.value(b, c, cmp)
	}
}

// value compares with a literal, by an operator that no absent value fits.
func (d postgres) value(b *builder, c *column, cmp *filter.Compare) {
	switch v := cmp.Value; {
	case cmp.Match == filter.Exact && v.Kind == filter.String && c.kind == bytesKind:
		d.bytes(b, c, cmp.Op, v.Str)
	case cmp.Match == filter.Exact && v.Kind == filter.String:
		d.exact(b, c, cmp.Op, v.Str)
	case cmp.Match == filter.Folded && v.Kind == filter.String:
		d.folded(b, c, cmp.Op, v.Str)
	case cmp.Match == filter.Boolean && v.Kind == filter.Bool:
		d.boolean(b, c, v.Num != 0)
	case cmp.Match == filter.Integer && v.Kind == filter.Int:
		d.number(b, c, cmp.Op, v.Num, "::int8")
	case cmp.Match == filter.Integer && v.Kind == filter.Number:
		d.number(b, c, cmp.Op, v.Str, "::numeric")
	case cmp.Match == filter.DateTime && v.Kind == filter.String && c.kind == timeKind:
		t, _ := instantOf(v)
		d.instant(b, c, cmp.Op, t)
	default: // a literal of another type fits nothing
		b.add("FALSE")
	}
}

func (d postgres) present(b *builder, c *column) {
	switch c.kind {
	case integerKind, boolKind:
		b.add(c.ref, " IS NOT NULL", notNaN(c))
	case timeKind:
		b.add(d.during(c))
	case bytesKind:
		b.add("octet_length(", c.ref, ") > 0")
	default:
		b.add(d.text(c), " <> ''")
	}
}

// notNaN keeps out what NUMERIC holds besides numbers, which is no value.
func notNaN(c *column) string {
	if c.pg.decimal {
		return " AND " + c.ref + " <> 'NaN'"
	}
	return ""
}

// exact compares text byte for byte. A text with a NUL is none that there can
// be, but may come before and after some.
func (d postgres) exact(b *builder, c *column, op filter.Op, s string) {
	nul := strings.IndexByte(s, 0)
	switch op {
	case filter.Eq:
		if s == "" || !storable(s) {
			b.add("FALSE")
			return
		}
		d.equal(b, c, s)
	case filter.Co, filter.Sw, filter.Ew:
		switch {
		case s == "":
			d.present(b, c)
		case nul >= 0:
			b.add("FALSE")
		default:
			b.add("(")
			d.beginning(b, c, op, s)
			d.part(b, d.text(c), op, s)
			b.add(")")
		}
	default:
		sign := symbols[op]
		if nul >= 0 { // what is in order about a NUL is so about what stands before it
			s, sign = s[:nul], map[filter.Op]string{filter.Gt: ">", filter.Ge: ">", filter.Lt: "<=", filter.Le: "<="}[op]
		}
		b.add("(", d.text(c), ` COLLATE "C" `, sign, " ").bind(s).add("::text AND ")
		d.present(b, c)
		b.add(")")
	}
}

// equal compares with a text that is not empty.
func (d postgres) equal(b *builder, c *column, s string) {
	switch {
	case c.kind == integerKind:
		if n, ok := integer(s); ok {
			b.add(c.ref, " = ").bind(n).add("::int8")
		} else {
			b.add("FALSE")
		}
		return
	case c.kind == timeKind:
		if t := postgresInstant(s); !t.IsZero() {
			b.add(c.ref, " = ").bind(s).add("::", c.pg.typ)
		} else {
			b.add("FALSE")
		}
		return
	case c.pg.uuid:
		if uuidForm.MatchString(s) {
			b.add(c.ref, " = ").bind(s).add("::uuid")
		} else {
			b.add("FALSE")
		}
		return
	}
	b.add("(")
	switch fn := d.foldIndex(c); { // find it by an index, then look closely
	case c.pg.padded, c.pg.citext, c.pg.strange:
		b.add(c.ref, " = ").bind(s).add("::", c.pg.typ, " AND ")
	case fn != "" && !c.pg.direct:
		b.add(fn, "(", c.ref, ") = ", fn, "(").bind(s).add("::text) AND ")
	}
	b.add(d.text(c), " = ").bind(s).add("::text)")
}

// part asks for a part of the text of an expression.
func (postgres) part(b *builder, expr string, op filter.Op, s string) {
	switch op {
	case filter.Co:
		b.add("strpos(", expr, ", ").bind(s).add("::text) > 0")
	case filter.Sw:
		b.add("left(", expr, ", ").bind(int64(utf8.RuneCountInString(s))).add("::int4) = ").bind(s).add("::text")
	case filter.Ew:
		b.add("right(", expr, ", ").bind(int64(utf8.RuneCountInString(s))).add("::int4) = ").bind(s).add("::text")
	}
}

// beginning adds, for the sake of an index, between what a text is that begins so.
func (postgres) beginning(b *builder, c *column, op filter.Op, s string) {
	if op != filter.Sw || !c.pg.begins && !c.exact || !c.pg.plain {
		return
	}
	from, until := " >= ", " < "
	if c.pg.begins {
		from, until = " ~>=~ ", " ~<~ "
	}
	r, size := utf8.DecodeLastRuneInString(s)
	if r == utf8.RuneError || r == unicode.MaxRune {
		return
	}
	if r++; r == 0xD800 {
		r = 0xE000 // there are no characters between
	}
	b.add(c.ref, from).bind(s).add("::text AND ", c.ref, until).bind(s[:len(s)-size] + string(r)).add("::text AND ")
}

// bytes compares bytes.
func (d postgres) bytes(b *builder, c *column, op filter.Op, s string) {
	n := int64(len(s))
	switch op {
	case filter.Co:
		b.add("position(").bind([]byte(s)).add("::bytea in ", c.ref, ") > 0")
	case filter.Sw:
		b.add("substring(", c.ref, " from 1 for ").bind(n).add("::int4) = ").bind([]byte(s)).add("::bytea")
	case filter.Ew:
		b.add("(octet_length(", c.ref, ") >= ").bind(n).add("::int4 AND substring(", c.ref, " from octet_length(", c.ref, ") - ").bind(n)
		b.add("::int4 + 1) = ").bind([]byte(s)).add("::bytea)")
	default:
		b.add(c.ref, " ", symbols[op], " ").bind([]byte(s)).add("::bytea")
	}
	b.add(" AND ")
	d.present(b, c)
}

// maxCandidates bounds the texts that are looked up in an index for one literal.
const maxCandidates = 1024

// whole is filter.Fold of a column.
func (d postgres) whole(b *builder, c *column) {
	v := d.text(c)
	b.add("CASE WHEN octet_length(", v, ") = char_length(", v, ") THEN upper(", v, ` COLLATE "C") ELSE translate(`, v, ", ")
	from, to := allFolds()
	b.bind(from).add("::text, ").bind(to).add("::text) END")
}

func (d postgres) boolean(b *builder, c *column, is bool) {
	words := "('0', 'f', 'F', 'FALSE', 'false', 'False')"
	if is {
		words = "('1', 't', 'T', 'TRUE', 'true', 'True')" // what strconv.ParseBool takes
	}
	if c.kind != boolKind {
		b.add(d.text(c), " IN ", words)
		return
	}
	b.add(c.ref, " = ", d.truth(is))
}

// integerText is the form of text that is a 64-bit integer, or a little more.
const integerText = ` ~ '^[+-]{0,1}0*[0-9]{1,19}$'`

// integerOf is the integer that the text of a column says, null if it says none.
func (d postgres) integerOf(c *column) string {
	v := d.text(c)
	return "(CASE WHEN " + v + integerText + " THEN CASE WHEN " + v + "::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN " + v + "::numeric END END)"
}

func (d postgres) number(b *builder, c *column, op filter.Op, v any, cast string) {
	if c.kind == integerKind {
		b.add(c.ref, " ", symbols[op], " ").bind(v).add(cast, notNaN(c))
		return
	}
	b.add(d.integerOf(c), " ", symbols[op], " ").bind(v).add(cast)
}

// instant compares with an instant that may be finer than what is stored.
func (d postgres) instant(b *builder, c *column, op filter.Op, t time.Time) {
	floor := t.Truncate(time.Microsecond)
	if !floor.Equal(t) {
		switch op {
		case filter.Eq:
			b.add("FALSE")
			return
		case filter.Ge:
			op = filter.Gt
		case filter.Lt:
			op = filter.Le
		}
	}
	b.add("(", c.ref, " ", symbols[op], " ").bind(floor.Format(time.RFC3339Nano)).add("::text::", c.pg.typ, " AND ", d.during(c), ")")
}

func (d postgres) among(b *builder, c *column, texts []string) bool {
	switch {
	case c.kind == integerKind:
		list := make([]int64, 0, len(texts))
		for _, s := range texts {
			if n, ok := integer(s); ok {
				list = append(list, n)
			}
		}
		b.add(c.ref, " = ANY (").bind(list).add("::int8[])")
	case c.pg.plain, c.pg.uuid:
		list := make([]string, 0, len(texts))
		for _, s := range texts {
			if s != "" && storable(s) && (!c.pg.uuid || uuidForm.MatchString(s)) {
				list = append(list, s)
			}
		}
		b.add(c.ref, " = ANY (").bind(list).add("::", c.pg.typ, "[])")
	default:
		return false
	}
	return true
}

func (postgres) sorts(c *column, m filter.Match) bool {
	switch c.kind {
	case bytesKind:
		return m == filter.Exact
	case timeKind:
		return true
	}
	return m != filter.DateTime
}

func (d postgres) order(b *builder, c *column, m filter.Match, descending bool) {
	way := " ASC NULLS LAST"
	if descending {
		way = " DESC NULLS FIRST"
	}
	v := d.text(c)
	switch {
	case c.kind == integerKind && m == filter.Integer, c.kind == boolKind && m == filter.Boolean:
		b.add(d.selected(c), way)
	case c.kind == timeKind && m == filter.DateTime:
		b.add(d.selected(c), way)
	case c.kind == bytesKind:
		b.add("CASE WHEN octet_length(", c.ref, ") > 0 THEN ", c.ref, " END", way)
	case m == filter.Folded:
		b.add("CASE WHEN ", v, " <> '' THEN ")
		d.whole(b, c)
		b.add(` END COLLATE "C"`, way)
	case m == filter.Integer: // integers, then by their text whatever else is there, then nothing
		n := d.integerOf(c)
		b.add("CASE WHEN ", n, " IS NOT NULL THEN 0 WHEN ", v, " <> '' THEN 1 END", way, ", ", n, way, ", ")
		b.add("CASE WHEN ", n, " IS NULL THEN nullif(", v, `, '') END COLLATE "C"`, way)
	case m == filter.Boolean:
		const no, yes = " IN ('0', 'f', 'F', 'FALSE', 'false', 'False')", " IN ('1', 't', 'T', 'TRUE', 'true', 'True')"
		b.add("CASE WHEN ", v, no, " THEN 0 WHEN ", v, yes, " THEN 1 WHEN ", v, " <> '' THEN 2 END", way, ", ")
		b.add("CASE WHEN NOT ", v, no, " AND NOT ", v, yes, " THEN nullif(", v, `, '') END COLLATE "C"`, way)
	default:
		b.add("nullif(", v, `, '') COLLATE "C"`, way)
	}
}

func (d postgres) holds(b *builder, c *column, old any) {
	if adapters.NoValue(old) {
		b.add("(")
		d.present(b, c)
		b.add(") IS NOT TRUE")
		return
	}
	text := adapters.Text(old)
	if c.kind == bytesKind {
		d.bytes(b, c, filter.Eq, text)
		return
	}
	if !storable(text) {
		b.add("FALSE")
		return
	}
	d.equal(b, c, text)
}
