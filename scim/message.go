package scim

import "strconv"

// AppendList appends a ListResponse (RFC 7644 section 3.4.2) with one page of
// resources. The three counters and the array are always there, and numbers, as
// Entra and Okta want them (G-04). Resources of several types may each have
// their selection; one without has the default.
func AppendList(dst []byte, total, startIndex int, resources []*Resource, selections ...*Selection) []byte {
	dst = AppendListHead(dst, total, startIndex, len(resources))
	for i, r := range resources {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendResource(dst, r, selectionFor(r, selections))
	}
	return append(dst, ']', '}')
}

// AppendCursorList appends a ListResponse with one page by cursor (RFC 9865
// section 2). A negative total is not known and left out; an empty next means
// that this is the last page.
func AppendCursorList(dst []byte, total int, resources []*Resource, next string, selections ...*Selection) []byte {
	dst = append(dst, `{"schemas":["`+ListResponseMessage+`"]`...)
	if total >= 0 {
		dst = append(dst, `,"totalResults":`...)
		dst = strconv.AppendInt(dst, int64(total), 10)
	}
	dst = append(dst, `,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(len(resources)), 10)
	if next != "" {
		dst = append(dst, `,"nextCursor":`...)
		dst = AppendString(dst, next)
	}
	dst = append(dst, `,"Resources":[`...)
	for i, r := range resources {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendResource(dst, r, selectionFor(r, selections))
	}
	return append(dst, ']', '}')
}

// AppendListHead appends a ListResponse up to the opening bracket of Resources.
// The caller appends the items, with commas, and "]}".
func AppendListHead(dst []byte, total, startIndex, items int) []byte {
	dst = append(dst, `{"schemas":["`+ListResponseMessage+`"],"totalResults":`...)
	dst = strconv.AppendInt(dst, int64(total), 10)
	dst = append(dst, `,"startIndex":`...)
	dst = strconv.AppendInt(dst, int64(startIndex), 10)
	dst = append(dst, `,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(items), 10)
	return append(dst, `,"Resources":[`...)
}

func selectionFor(r *Resource, selections []*Selection) *Selection {
	for _, s := range selections {
		if s != nil && s.layout == r.layout {
			return s
		}
	}
	return nil
}

// AppendError appends an error message (RFC 7644 section 3.12). Its status is a
// string (E-01) and its detail is never empty (E-02).
func AppendError(dst []byte, e *Error) []byte {
	dst = append(dst, `{"schemas":["`+ErrorMessage+`"],"status":"`...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, '"')
	if e.Type != "" {
		dst = append(dst, `,"scimType":`...)
		dst = AppendString(dst, string(e.Type))
	}
	detail := e.Detail
	if detail == "" {
		detail = "The request failed with status " + strconv.Itoa(e.Status) + "."
	}
	dst = append(dst, `,"detail":`...)
	dst = AppendString(dst, detail)
	return append(dst, '}')
}
