package sql

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/scim/filter"
)

// mariaLetters is what the server makes of letters by UPPER, and how that becomes
// simple case folding: which of them it takes for others, and which it leaves as
// they are, depends on its version, and so it is asked.
type mariaLetters struct {
	mu           sync.Mutex
	known        bool
	collations   map[string]mariaCollation // by name
	kept         [][2]string               // letters, and what hides them
	common, rare [][2]string               // what UPPER leaves, and what it should be
	class        string                    // a class of the letters of the rare kind
}

// mariaUpper has the mappings of Unicode, not only those of one language.
const mariaUpper = " COLLATE utf8mb4_unicode_520_ci"

// lastCased is beyond the last character that has a case.
const lastCased = 0x1FFFF

// ask learns what the server makes of each character, once.
func (l *mariaLetters) ask(ctx context.Context, s session) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		return nil
	}
	var every strings.Builder
	for r := rune(0x80); r <= lastCased; r++ {
		if utf8.ValidRune(r) {
			every.WriteRune(r)
		}
	}
	asked := []rune(every.String())
	found, err := values(s.query(ctx, "SELECT UPPER(CONVERT(? USING utf8mb4)"+mariaUpper+")", every.String()))
	if err != nil {
		return err
	}
	text, _ := found[0].([]byte)
	upper := []rune(string(text))
	if len(upper) != len(asked) {
		return fmt.Errorf("%w: the database does not keep all letters apart", errStale)
	}
	l.learn(asked, upper)
	l.known = true
	return nil
}

// learn sorts what is to be replaced. Letters that the server would make those
// of another alphabet are kept from it, as an escape character and a number.
func (l *mariaLetters) learn(asked, upper []rune) {
	done := map[rune]bool{}
	rare := &unicode.RangeTable{}
	for i, r := range asked {
		least, u := foldRune(r), upper[i]
		switch {
		case u != r && foldRune(u) != least:
			l.kept = append(l.kept, [2]string{string(r), escape + fmt.Sprintf("%03d", len(l.kept)+1)})
			l.common = append(l.common, [2]string{l.kept[len(l.kept)-1][1], string(least)})
		case u == least:
		case isCommon(u):
			if !done[u] {
				l.common = append(l.common, [2]string{string(u), string(least)})
			}
			done[u] = true
		default:
			if !done[u] {
				l.rare = append(l.rare, [2]string{string(u), string(least)})
			}
			done[u] = true
			rare.R32 = append(rare.R32, unicode.Range32{Lo: uint32(r), Hi: uint32(r), Stride: 1})
		}
	}
	l.class = classOf(rare)
}

// escape is what hides letters from the server, and 000 after it the character itself.
const escape = "\x01"

// isCommon tells the letters that are met every day from those of scripts that few use.
func isCommon(r rune) bool {
	return r < 0x500 || r >= 0x1E00 && r < 0x1F00 || r >= 0x2100 && r < 0x2190
}

// classOf writes a class of characters of a regular expression.
func classOf(t *unicode.RangeTable) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := 0; i < len(t.R32); i++ {
		lo, hi := t.R32[i].Lo, t.R32[i].Hi
		for i+1 < len(t.R32) && t.R32[i+1].Lo == hi+1 {
			i++
			hi = t.R32[i].Hi
		}
		b.WriteRune(rune(lo))
		if hi > lo {
			b.WriteByte('-')
			b.WriteRune(rune(hi))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// replacing writes the replacement of some texts in an expression of bytes, by bytes.
func replacing(expr string, pairs [][2]string) string {
	var b strings.Builder
	b.WriteString(strings.Repeat("REPLACE(", len(pairs)))
	b.WriteString(expr)
	for _, p := range pairs {
		fmt.Fprintf(&b, ", x'%x', x'%x')", p[0], p[1])
	}
	return b.String()
}

// depth bounds how deep calls are nested, for which the server needs its stack.
const depth = 150

// whole is filter.Fold of an expression of text, as bytes. Most texts are ASCII;
// of the others most have no letters of the rare kind.
func (l *mariaLetters) whole(v string) string {
	hidden := replacing("REPLACE(CAST("+v+" AS BINARY), x'01', x'01303030')", l.kept)
	most := "REPLACE(" + replacing("CAST(UPPER(CONVERT("+hidden+" USING utf8mb4)"+mariaUpper+") AS BINARY)", l.common) + ", x'01303030', x'01')"
	stages := ""
	rest, from := l.rare, most
	for n := 1; len(rest) > depth; n++ {
		stage := fmt.Sprint("r", n)
		if stages != "" {
			stages += ", "
		}
		stages += "JSON_TABLE(JSON_ARRAY(CONVERT(" + from + " USING utf8mb4)), '$[*]' COLUMNS (v LONGTEXT CHARACTER SET utf8mb4 PATH '$')) AS " + stage
		from, rest = replacing("CAST("+stage+".v AS BINARY)", rest[:depth]), rest[depth:]
	}
	from = replacing(from, rest)
	if stages != "" {
		from = "(SELECT " + from + " FROM " + stages + ")"
	}
	return "CASE WHEN LENGTH(" + v + ") = CHAR_LENGTH(" + v + ") THEN CAST(UPPER(" + v + " COLLATE utf8mb4_bin) AS BINARY) WHEN NOT " +
		v + " REGEXP '" + l.class + "' COLLATE utf8mb4_bin THEN " + most + " ELSE " + from + " END"
}

// foldRune is filter.Fold of one character.
func foldRune(r rune) rune {
	least, _ := utf8.DecodeRuneInString(filter.Fold(string(r)))
	return least
}

// fold is filter.Fold of a column, as bytes.
func (d maria) fold(c *column) string { return d.letters.whole(d.utf8(c)) }

// folded compares text by simple case folding, whatever the collation thinks of
// case: the characters that matter to the literal are replaced by the one that
// stands for them.
func (d maria) folded(b *builder, c *column, op filter.Op, s string) {
	switch op {
	case filter.Eq, filter.Co, filter.Sw, filter.Ew:
		from, to := foldTable(s)
		if s == "" || from == "" {
			d.exact(b, c, op, s)
			return
		}
		if c.kind == integerKind && op == filter.Eq {
			b.add("FALSE")
			return
		}
		expr, fold := replaced(d.text(c), from, to), filter.Fold(s)
		b.add("(")
		if op == filter.Eq {
			d.candidates(b, c, s)
			b.add(expr, " = ")
			bytewise(b, fold)
		} else {
			mariaPart(b, expr, op, fold)
		}
		b.add(")")
	default:
		b.add("(", d.fold(c), " ", symbols[op], " ")
		bytewise(b, filter.Fold(s)).add(" AND ")
		d.present(b, c)
		b.add(")")
	}
}

// replaced replaces characters by others in bytes of UTF-8.
func replaced(expr, from, to string) string {
	var before, after strings.Builder
	become := []rune(to)
	at := 0
	for _, r := range from {
		before.WriteString("REPLACE(")
		fmt.Fprintf(&after, ", x'%x', x'%x')", string(r), string(become[at]))
		at++
	}
	return before.String() + expr + after.String()
}

// candidates adds the condition that an index which ignores case answers: it is
// true of all that fold like s, and of more.
func (d maria) candidates(b *builder, c *column, s string) {
	if !c.folded || !utf8.ValidString(s) {
		return
	}
	texts := spellings(s, c.my.kelvin)
	if len(texts) == 0 {
		return
	}
	b.add(c.ref, " IN (")
	for i, text := range texts {
		if i > 0 {
			b.add(", ")
		}
		d.bound(b, c, text)
	}
	b.add(") AND ")
}

// spellings lists the texts that fold like s, those left out that differ by the
// case of ASCII letters only, or by what else the collation does not tell apart:
// none if they are too many. Their number is a power of two, so that few
// statements differ by it.
func spellings(s string, kelvin bool) []string {
	out := []string{""}
	for _, r := range s {
		ascii, rest := others(r)
		if ascii != 0 && kelvin {
			rest = nil
		}
		if ascii != 0 {
			rest = append(rest, ascii)
		}
		if len(out)*len(rest) > maxSpellings {
			return nil
		}
		out = extend(out, rest)
	}
	for len(out)&(len(out)-1) != 0 {
		out = append(out, out[len(out)-1])
	}
	return out
}
