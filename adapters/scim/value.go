package scim

import (
	"errors"

	"github.com/postern/postern/adapters"
)

var errMoved = errors.New("the value is not what it was when it was read")

// text is a scalar of JSON as text.
func text(v any) string {
	if n, ok := v.(int); ok {
		v = int64(n)
	}
	return adapters.Text(v)
}
