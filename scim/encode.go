package scim

import "strconv"

// AppendValue appends the whole value of the attribute a as JSON: for a
// multi-valued attribute, one element or all of them.
func AppendValue(dst []byte, a *Attribute, v Value) []byte {
	switch v.kind {
	case KindComplex:
		return appendComplex(dst, a, v, nil)
	case KindList:
		dst = append(dst, '[')
		for i := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, a, v.list[i])
		}
		return append(dst, ']')
	}
	return appendSimple(dst, v)
}

func appendSimple(dst []byte, v Value) []byte {
	switch v.kind {
	case KindString:
		return AppendString(dst, v.str)
	case KindBool:
		return strconv.AppendBool(dst, v.num == 1)
	case KindInt:
		return strconv.AppendInt(dst, v.num, 10)
	case KindDecimal:
		return append(dst, v.str...)
	}
	return append(dst, "null"...)
}

func appendComplex(dst []byte, a *Attribute, v Value, _ []bool) []byte {
	dst = append(dst, '{')
	for i, sub := range a.Sub {
		if !v.list[i].Present() {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, sub.key...)
		dst = AppendValue(dst, sub, v.list[i])
	}
	return append(dst, '}')
}
