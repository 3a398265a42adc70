package route

import (
	"strings"

	"github.com/postern/postern/adapters"
)

// Key makes the key of a record from that which it has in its place. Those of the
// first place, whose name is empty, stay as they are, so that places can be added
// to a type whose records are known already.
func Key(place string, inner adapters.Key) adapters.Key {
	if place == "" && !strings.HasPrefix(string(inner), "|") {
		return inner
	}
	return adapters.JoinKey("", place, string(inner))
}

// Split is the inverse of Key: false for what Key never makes.
func Split(k adapters.Key) (place string, inner adapters.Key, ok bool) {
	if !strings.HasPrefix(string(k), "|") {
		return "", k, true
	}
	parts, ok := adapters.SplitKey(k, 3)
	if !ok || Key(parts[1], adapters.Key(parts[2])) != k {
		return "", "", false
	}
	return parts[1], adapters.Key(parts[2]), true
}
