package sql

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/scim/filter"
)

// This file compares text without regard to case on PostgreSQL.

// foldIndex is the function of an index that ignores case, "" without one.
func (postgres) foldIndex(c *column) string {
	switch {
	case c.pg.lower:
		return "lower"
	case c.pg.upper:
		return "upper"
	}
	return ""
}

// foldTable lists the characters that fold like one of s, other than the one
// that stands for all of its like, and what each becomes.
func foldTable(s string) (from, to string) {
	var a, z strings.Builder
	seen := map[rune]bool{}
	for _, r := range s {
		ascii, rest := others(r)
		if ascii != 0 {
			rest = append(rest, ascii, ascii^0x20)
		}
		if len(rest) < 2 {
			continue
		}
		least, _ := utf8.DecodeRuneInString(filter.Fold(string(r)))
		if seen[least] {
			continue
		}
		seen[least] = true
		for _, o := range rest {
			if o != least && filter.Fold(string(o)) == string(least) {
				a.WriteRune(o)
				z.WriteRune(least)
			}
		}
	}
	return a.String(), z.String()
}

// allFolds is foldTable of every character there is.
var allFolds = sync.OnceValues(func() (string, string) {
	var every strings.Builder
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if unicode.SimpleFold(r) != r {
			every.WriteRune(r)
		}
	}
	return foldTable(every.String())
})

// folded compares text by simple case folding, whatever the collation thinks of
// case: the characters that matter to the literal are replaced by the one that
// stands for them.
func (d postgres) folded(b *builder, c *column, op filter.Op, s string) {
	fold := filter.Fold(s)
	from, to := foldTable(s)
	switch op {
	case filter.Eq, filter.Co, filter.Sw, filter.Ew:
		if s == "" || from == "" {
			d.exact(b, c, op, s)
			return
		}
		if c.kind == integerKind && op == filter.Eq {
			b.add("FALSE")
			return
		}
		b.add("(")
		if op == filter.Eq {
			d.candidates(b, c, s)
		}
		inner := newBuilder().add("translate(", d.text(c), ", ")
		inner.bind(from).add("::text, ").bind(to).add("::text)")
		d.foldedPart(b, inner, op, fold)
		b.add(")")
	default:
		b.add("(")
		d.whole(b, c)
		b.add(` COLLATE "C" `, symbols[op], " ").bind(fold).add("::text AND ")
		d.present(b, c)
		b.add(")")
	}
}

func (postgres) foldedPart(b, expr *builder, op filter.Op, fold string) {
	n := int64(utf8.RuneCountInString(fold))
	switch op {
	case filter.Eq:
		b.include(expr).add(" = ")
	case filter.Co:
		b.add("strpos(").include(expr).add(", ").bind(fold).add("::text) > 0")
		return
	case filter.Sw:
		b.add("left(").include(expr).add(", ").bind(n).add("::int4) = ")
	case filter.Ew:
		b.add("right(").include(expr).add(", ").bind(n).add("::int4) = ")
	}
	b.bind(fold).add("::text")
}

// candidates adds the condition that an index which ignores case, as the
// collation has it, answers: it is true of all that fold like s, and of more.
func (d postgres) candidates(b *builder, c *column, s string) {
	fn := d.foldIndex(c)
	if fn == "" && !c.pg.citext {
		return
	}
	list := variantsUpTo(s, maxCandidates)
	if len(list) == 0 {
		return
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i], _ = v.(string)
	}
	switch {
	case c.pg.citext && len(texts) == 1:
		b.add(c.ref, " = ").bind(texts[0]).add("::", c.pg.typ)
	case c.pg.citext:
		b.add(c.ref, " = ANY (").bind(texts).add("::", c.pg.typ, "[])")
	case len(texts) == 1:
		b.add(fn, "(", c.ref, ") = ", fn, "(").bind(texts[0]).add("::text)")
	default:
		b.add(fn, "(", c.ref, ") = ANY (ARRAY(SELECT ", fn, "(v) FROM unnest(").bind(texts).add("::text[]) AS v))")
	}
	b.add(" AND ")
}
