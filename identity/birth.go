package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A Birth is something about a record that never changes, and that another record
// under the same key would hardly share: when it was created, or a number of its
// own. It is of the form made by BirthOf; "" is not known.
type Birth string

// mostBirth is how long a value may be that is kept as it is.
const mostBirth = 64

// BirthOf makes a birth of a field's value. The field is part of it: what was kept
// of one field says nothing once the configuration names another.
func BirthOf(field, value string) Birth {
	if value == "" || field == "" {
		return ""
	}
	if len(value) > mostBirth || !isText(value) {
		sum := sha256.Sum256([]byte(value))
		value = hex.EncodeToString(sum[:])
	}
	return Birth(field + "=" + value)
}

// Differs reports whether two births are certainly those of different records.
func (b Birth) Differs(o Birth) bool {
	if b == o || b == "" || o == "" {
		return false
	}
	field, _, _ := strings.Cut(string(b), "=")
	other, _, _ := strings.Cut(string(o), "=")
	return field == other
}

// News reports whether b is worth keeping where was is kept.
func (b Birth) News(was Birth) bool { return b != "" && b != was && !b.Differs(was) }

// A Born is a link with the birth of the record that is there now.
type Born struct {
	Link
	Birth Birth
}

// Mark keeps the births of links of which none was known, or that of another
// field. A link with a birth that differs is left alone: there is another record.
func (s *Store) Mark(ctx context.Context, tenant string, links ...Born) error {
	if len(links) == 0 {
		return nil
	}
	return s.write(ctx, "mark", func(x *session) error {
		for _, l := range links {
			row, ok, err := x.linkAt(tenant, l.Link)
			if err != nil {
				return err
			}
			if !ok || !l.Birth.News(row.birth) {
				continue
			}
			if _, err := x.exec(qSetBirth, row.Nr, string(l.Birth)); err != nil {
				return err
			}
		}
		return nil
	})
}
