package sql

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// fields: what can be said exactly of nearly every type. Decimals are left to
// whoever asks.
func (maria) fields() adapters.Field { return postgres{}.fields() }

func (maria) can(c *column, cmp *filter.Compare) bool {
	if cmp.Op == filter.Pr || cmp.Match == filter.Presence || cmp.Value.Kind == filter.Null {
		return true
	}
	switch cmp.Match {
	case filter.Exact:
		return true
	case filter.Folded:
		return c.kind != bytesKind && (cmp.Value.Kind != filter.String || utf8.ValidString(cmp.Value.Str))
	case filter.Boolean:
		return c.kind != bytesKind
	case filter.Integer:
		return c.kind != bytesKind && (cmp.Value.Kind != filter.Number || mariaPlain(cmp.Value.Str))
	case filter.DateTime:
		_, ok := instantOf(cmp.Value)
		return c.kind == timeKind && ok
	}
	return false
}

// mariaPlain reports whether a number has as few digits as the database computes with.
func mariaPlain(s string) bool { return len(s) <= 30 && !strings.ContainsAny(s, "eE") }

func (d maria) compare(b *builder, c *column, cmp *filter.Compare) {
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
func (d maria) value(b *builder, c *column, cmp *filter.Compare) {
	switch v := cmp.Value; {
	case cmp.Match == filter.Exact && v.Kind == filter.String:
		d.exact(b, c, cmp.Op, v.Str)
	case cmp.Match == filter.Folded && v.Kind == filter.String:
		d.folded(b, c, cmp.Op, v.Str)
	case cmp.Match == filter.Boolean && v.Kind == filter.Bool:
		d.boolean(b, c, v.Num != 0)
	case cmp.Match == filter.Integer && v.Kind == filter.Int:
		b.add("(", d.whole(c), " ", symbols[cmp.Op], " ").bind(v.Num).add(")")
	case cmp.Match == filter.Integer && v.Kind == filter.Number:
		b.add("(", d.whole(c), " ", symbols[cmp.Op], " CAST(").bind(v.Str).add(" AS DECIMAL(65, 30)))")
	case cmp.Match == filter.DateTime && v.Kind == filter.String && c.kind == timeKind:
		t, _ := instantOf(v)
		d.instant(b, c, cmp.Op, t)
	default: // a literal of another type fits nothing
		b.add("FALSE")
	}
}

func (d maria) present(b *builder, c *column) { b.add(d.presence(c)) }

func (d maria) presence(c *column) string {
	switch {
	case c.kind == integerKind:
		return c.ref + " IS NOT NULL"
	case c.kind == timeKind:
		return d.during(c)
	case c.kind == bytesKind || c.kind == textKind && c.my.words == nil:
		return "LENGTH(" + c.ref + ") > 0"
	}
	return "LENGTH(" + d.utf8(c) + ") > 0"
}

// bytes is a column as bytes.
func (d maria) bytes(c *column) string {
	if c.kind == bytesKind {
		return c.ref
	}
	return d.text(c)
}

// bytewise writes a text as a parameter that is compared byte for byte.
func bytewise(b *builder, s string) *builder { return b.add("CAST(").bind(s).add(" AS BINARY)") }

// exact compares text byte for byte.
func (d maria) exact(b *builder, c *column, op filter.Op, s string) {
	switch op {
	case filter.Eq:
		if s == "" {
			b.add("FALSE")
			return
		}
		d.equal(b, c, s)
	case filter.Co, filter.Sw, filter.Ew:
		if s == "" {
			d.present(b, c)
			return
		}
		mariaPart(b, d.bytes(c), op, s)
	default:
		b.add("(", d.bytes(c), " ", symbols[op], " ")
		bytewise(b, s).add(" AND ")
		d.present(b, c)
		b.add(")")
	}
}

// equal compares with a text that is not empty.
func (d maria) equal(b *builder, c *column, s string) {
	switch {
	case c.kind == integerKind:
		if n, ok := mariaInteger(c, s); ok {
			b.add("(", d.compared(c), " = ").bind(n).add(")")
			return
		}
		b.add("FALSE")
		return
	case c.kind == timeKind:
		if t := postgresInstant(s); !t.IsZero() {
			b.add("(", c.ref, " = ").bind(t.UTC().Format(mariaInstant)).add(")")
			return
		}
		b.add("FALSE")
		return
	}
	b.add("(")
	switch { // find it by an index, then look closely
	case c.kind == textKind && c.indexed && utf8.ValidString(s):
		b.add(c.ref, " = ")
		d.bound(b, c, s)
		b.add(" AND ")
	case c.my.typ == "uuid" && uuidForm.MatchString(s):
		b.add(c.ref, " = ").bind(s).add(" AND ")
	}
	b.add(d.bytes(c), " = ")
	bytewise(b, s).add(")")
}

// bound writes a text as a parameter that an index of a column can be asked for.
// Letters that the column cannot hold become others: who asks must look closely.
func (maria) bound(b *builder, c *column, s string) {
	if c.my.charset == "utf8mb4" {
		b.bind(s).add(" COLLATE ", c.my.collation)
		return
	}
	b.add("CONVERT(").bind(s).add(" USING ", c.my.charset, ") COLLATE ", c.my.collation)
}

// mariaPart asks for a part of the bytes of an expression.
func mariaPart(b *builder, expr string, op filter.Op, s string) {
	switch op {
	case filter.Co:
		b.add("LOCATE(")
		bytewise(b, s).add(", ", expr, ") > 0")
		return
	case filter.Sw:
		b.add("LEFT(", expr, ", ").bind(int64(len(s))).add(") = ")
	case filter.Ew:
		b.add("RIGHT(", expr, ", ").bind(int64(len(s))).add(") = ")
	}
	bytewise(b, s)
}

// maxSpellings bounds the texts that are looked up in an index for one literal.
const maxSpellings = 64

func (d maria) boolean(b *builder, c *column, is bool) {
	if c.kind == integerKind {
		b.add("(", d.compared(c), " = ").bind(int64(boolean(is))).add(")")
		return
	}
	b.add(d.text(c), mariaWords(is))
}

// mariaWords are what strconv.ParseBool takes.
func mariaWords(is bool) string {
	if is {
		return " IN (x'31', x'74', x'54', x'54525545', x'74727565', x'54727565')"
	}
	return " IN (x'30', x'66', x'46', x'46414c5345', x'66616c7365', x'46616c7365')"
}

// whole is the integer that a column says, null if it says none.
func (d maria) whole(c *column) string {
	switch {
	case c.wide():
		return "CASE WHEN " + c.ref + " <= 9223372036854775807 THEN " + c.ref + " END"
	case c.kind == integerKind:
		return d.compared(c)
	}
	v := d.utf8(c)
	n := "CAST(" + v + " AS DECIMAL(65))"
	// A backslash and a z, unlike a dollar sign, is the end and nothing before it.
	return "CASE WHEN " + v + ` REGEXP '^[+-]{0,1}0*[0-9]{1,19}\\z' THEN CASE WHEN ` + n +
		" BETWEEN -9223372036854775808 AND 9223372036854775807 THEN " + n + " END END"
}

// instant compares with an instant that may be finer than what is stored.
func (d maria) instant(b *builder, c *column, op filter.Op, t time.Time) {
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
	b.add("(", c.ref, " ", symbols[op], " CAST(").bind(floor.Format(mariaInstant)).add(" AS DATETIME(6)) AND ", d.during(c), ")")
}

func (d maria) among(b *builder, c *column, texts []string) bool {
	list := make([]any, 0, len(texts))
	for _, s := range texts {
		if c.kind == integerKind {
			if n, ok := mariaInteger(c, s); ok {
				list = append(list, n)
			}
		} else if s != "" && utf8.ValidString(s) {
			list = append(list, s)
		}
	}
	switch {
	case c.kind != integerKind && c.kind != textKind || 2*len(list) > maxParameters:
		return false
	case len(list) == 0:
		b.add("FALSE")
		return true
	}
	for len(list)&(len(list)-1) != 0 { // so that few statements differ by their number
		list = append(list, list[len(list)-1])
	}
	b.add("(", d.compared(c), " IN (")
	for i, v := range list {
		if i > 0 {
			b.add(", ")
		}
		if c.kind == integerKind {
			b.bind(v)
			continue
		}
		d.bound(b, c, v.(string))
	}
	if c.kind == textKind {
		b.add(") AND ", d.text(c), " IN (").bind(list...)
	}
	b.add("))")
	return true
}

func (maria) sorts(c *column, m filter.Match) bool { return postgres{}.sorts(c, m) }

func (d maria) order(b *builder, c *column, m filter.Match, descending bool) {
	way, absent := " ASC", " IS NULL ASC, "
	if descending {
		way, absent = " DESC", " IS NULL DESC, "
	}
	by := func(expr string) { b.add(expr, absent, expr, way) }
	v := d.text(c)
	switch {
	case c.kind == integerKind && !c.wide() && m == filter.Integer:
		by(c.ref)
	case c.kind == timeKind && m == filter.DateTime:
		by("CASE WHEN " + d.during(c) + " THEN " + c.ref + " END")
	case c.kind == bytesKind:
		by("NULLIF(" + c.ref + ", '')")
	case m == filter.Folded:
		b.add("COALESCE(", d.presence(c), ", FALSE)", map[bool]string{false: " DESC, ", true: " ASC, "}[descending])
		b.add("CASE WHEN ", d.presence(c), " THEN ", d.fold(c), " END", way)
	case m == filter.Integer: // integers, then by their text whatever else is there, then nothing
		n := d.whole(c)
		by("CASE WHEN " + n + " IS NOT NULL THEN 0 WHEN " + d.presence(c) + " THEN 1 END")
		b.add(", ", n, way, ", CASE WHEN ", n, " IS NULL THEN NULLIF(", v, ", '') END", way)
	case m == filter.Boolean:
		no, yes := v+mariaWords(false), v+mariaWords(true)
		by("CASE WHEN " + no + " THEN 0 WHEN " + yes + " THEN 1 WHEN " + d.presence(c) + " THEN 2 END")
		b.add(", CASE WHEN NOT ", no, " AND NOT ", yes, " THEN NULLIF(", v, ", '') END", way)
	default:
		by("NULLIF(" + v + ", '')")
	}
}

func (d maria) holds(b *builder, c *column, old any) {
	if adapters.NoValue(old) {
		b.add("(")
		d.present(b, c)
		b.add(") IS NOT TRUE")
		return
	}
	d.equal(b, c, adapters.Text(old))
}
