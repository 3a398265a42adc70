package order

import (
	"cmp"
	"strconv"

	"github.com/postern/postern/adapters"
)

// A Rank is a key as the order by key compares it: decimal numbers by value, before
// all other keys by text.
type Rank struct {
	Key    adapters.Key
	n      int64
	number bool
}

// RankOf makes the rank of a key. A text is a number if it is written as one writes
// numbers.
func RankOf(k adapters.Key) Rank {
	n, err := strconv.ParseInt(string(k), 10, 64)
	return Rank{Key: k, n: n, number: err == nil && strconv.FormatInt(n, 10) == string(k)}
}

// Number is the key as a number, if it is one.
func (r Rank) Number() (int64, bool) { return r.n, r.number }

// Compare orders ranks.
func (r Rank) Compare(o Rank) int {
	switch {
	case r.number && o.number:
		return cmp.Compare(r.n, o.n)
	case r.number:
		return -1
	case o.number:
		return 1
	}
	return cmp.Compare(r.Key, o.Key)
}

// Keys orders keys.
func Keys(a, b adapters.Key) int { return RankOf(a).Compare(RankOf(b)) }
