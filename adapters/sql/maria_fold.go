package sql

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/postern/postern/scim/filter"
)

// mariaLetters is what the server makes of letters by UPPER, and how that becomes
// simple case folding: which of them it takes for others, and which it leaves as
// they are, depends on its version, and so it is asked.
type mariaLetters struct {
	mu            sync.Mutex
	known         bool
	collations    map[string]mariaCollation // by name
	before, after strings.Builder           // what encloses a text, to fold it
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

// learn writes down what is to be replaced. Letters that the server would make
// those of another alphabet are kept from it: by an escape character and a
// number, and that character by itself and 0.
func (l *mariaLetters) learn(asked, upper []rune) {
	const escape = "01"
	kept, replaced := 0, map[rune]rune{}
	var guard, restore, after strings.Builder
	for i, r := range asked {
		least, u := foldRune(r), upper[i]
		switch {
		case u != r && foldRune(u) != least:
			kept++
			fmt.Fprintf(&guard, ", x'%x', x'%s%x')", string(r), escape, fmt.Sprintf("%03d", kept))
			fmt.Fprintf(&restore, ", x'%s%x', x'%x')", escape, fmt.Sprintf("%03d", kept), string(least))
		case u != least && replaced[u] == 0:
			replaced[u] = least
			fmt.Fprintf(&after, ", x'%x', x'%x')", string(u), string(least))
		}
	}
	l.before.WriteString(strings.Repeat("REPLACE(", len(replaced)+kept+1))
	l.before.WriteString("CAST(UPPER(CONVERT(" + strings.Repeat("REPLACE(", kept+1) + "CAST(")
	l.after.WriteString(" AS BINARY), x'" + escape + "', x'" + escape + "303030')" + guard.String())
	l.after.WriteString(" USING utf8mb4)" + mariaUpper + ") AS BINARY)")
	l.after.WriteString(after.String() + restore.String() + ", x'" + escape + "303030', x'" + escape + "')")
}

// foldRune is filter.Fold of one character.
func foldRune(r rune) rune {
	least, _ := utf8.DecodeRuneInString(filter.Fold(string(r)))
	return least
}

// fold is filter.Fold of a column, as bytes.
func (d maria) fold(c *column) string {
	v := d.utf8(c)
	return "CASE WHEN LENGTH(" + v + ") = CHAR_LENGTH(" + v + ") THEN CAST(UPPER(" + v + " COLLATE utf8mb4_bin) AS BINARY) ELSE " +
		d.letters.before.String() + v + d.letters.after.String() + " END"
}
