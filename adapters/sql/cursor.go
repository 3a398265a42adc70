package sql

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/postern/postern/adapters"
)

// A start is where a page begins: after a key, or at an offset.
type start struct {
	after  []any
	offset int
}

// start reads the query's cursor. Lists in the order of keys continue after a
// key, however far down that is; sorted lists continue at an offset.
func (p *plan) start(q adapters.Query) (start, error) {
	if q.Cursor == "" {
		return start{offset: max(q.Offset, 0)}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return start{}, errCursor
	}
	if len(q.Sort) > 0 {
		n, err := strconv.Atoi(string(text))
		if err != nil || n < 0 {
			return start{}, errCursor
		}
		return start{offset: n}, nil
	}
	parts, ok := adapters.SplitKey(adapters.Key(text), len(p.key))
	if !ok {
		return start{}, errCursor
	}
	var s start
	for i, part := range parts {
		v, err := untag(part)
		if err != nil {
			return start{}, err
		}
		if p.dialect != nil && !p.dialect.fits(p.key[i], v) {
			return start{}, errCursor
		}
		s.after = append(s.after, v)
	}
	return s, nil
}

var errCursor = &adapters.Error{Kind: adapters.Invalid, Op: "list", Err: errors.New("the cursor is none of this list's")}

// next is the cursor of the page after one that ended with the row of a key.
func (s start) next(last []any, q adapters.Query) string {
	if len(q.Sort) > 0 {
		return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, int64(s.offset+q.Limit), 10))
	}
	parts := make([]string, len(last))
	for i, v := range last {
		parts[i] = tag(v)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(adapters.JoinKey(parts...)))
}

// tag writes a value of a key so that its type survives.
func tag(v any) string {
	switch v := v.(type) {
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return "b" + string(v)
	}
	return "s" + adapters.Text(v)
}

func untag(s string) (any, error) {
	if s == "" {
		return nil, errCursor
	}
	var v any
	var err error
	switch rest := s[1:]; s[0] {
	case 'i':
		v, err = strconv.ParseInt(rest, 10, 64)
	case 'f':
		v, err = strconv.ParseFloat(rest, 64)
	case 'b':
		v = []byte(rest)
	case 's':
		v = rest
	default:
		err = errCursor
	}
	if err != nil {
		return nil, errCursor
	}
	return v, nil
}
