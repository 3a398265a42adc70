package scim

import (
	"cmp"
	"math/big"
	"strings"
	"time"
)

// A SortKey is the value by which a resource is sorted (RFC 7644 section
// 3.4.2.3), prepared so that comparing two of them is cheap.
type SortKey struct {
	present bool
	num     int64 // integers, booleans, seconds
	nano    int64
	text    string
	dec     *big.Float
}

// sortPrecision keeps decimals of some 150 digits apart.
const sortPrecision = 512

// SortKeyOf is a resource's key for the attribute a, which is simple or a
// sub-attribute of a complex one. Of a multi-valued attribute the primary
// element counts, else the first (O-02).
func SortKeyOf(r *Resource, a *Attribute) SortKey {
	return sortKey(a, sortValue(r, a))
}

func sortValue(r *Resource, a *Attribute) Value {
	var v Value
	switch {
	case a.parent == nil:
		v = r.Get(a)
	default:
		v = sortValue(r, a.parent).Get(a)
	}
	if v.kind == KindList {
		return preferred(a, v)
	}
	return v
}

func preferred(a *Attribute, v Value) Value {
	if primary := a.Find("primary"); primary != nil {
		for _, e := range v.items() {
			if e.Get(primary).Bool() {
				return e
			}
		}
	}
	return v.items()[0]
}

func sortKey(a *Attribute, v Value) SortKey {
	k := SortKey{present: v.Present(), num: rank(v), text: v.String()}
	switch {
	case v.kind == KindDecimal:
		k.dec, _, _ = big.ParseFloat(v.str, 10, sortPrecision, big.ToNearestEven)
	case v.kind != KindString:
	case a.Type == TypeDateTime:
		if t, err := time.Parse(time.RFC3339Nano, v.str); err == nil {
			k.num, k.nano, k.text = t.Unix(), int64(t.Nanosecond()), ""
		}
	case a.Type == TypeString && !a.CaseExact:
		k.text = Fold(v.str)
	}
	return k
}

// Compare orders ascending: by type, strings by code points after folding unless
// caseExact (O-05); a resource without a value comes last (O-03). Descending is
// the exact opposite, so that it comes first.
func (k SortKey) Compare(o SortKey) int {
	switch {
	case !k.present || !o.present:
		return -compareBool(k.present, o.present)
	case k.dec != nil && o.dec != nil:
		return k.dec.Cmp(o.dec)
	}
	return cmp.Or(cmp.Compare(k.num, o.num), cmp.Compare(k.nano, o.nano), strings.Compare(k.text, o.text))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// rank is the number by which integers and booleans are ordered.
func rank(v Value) int64 {
	if v.yes {
		return 1
	}
	return v.Int()
}
