package gateway

import (
	"net/http"
	"strings"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// condition reads If-Match and If-None-Match (RFC 9110 section 13.1).
func condition(h http.Header) (c provision.Condition, err error) {
	if c.Match, err = tags(h, "If-Match"); err == nil {
		c.NoneMatch, err = tags(h, "If-None-Match")
	}
	return c, err
}

// mostTags bounds what one header can make the gateway compare.
const mostTags = 100

// tags reads a list of entity tags. A header that is there but cannot be read is
// refused: to ignore it would break the promise that the client relies on. Tags
// without quotes, which some clients send, are taken for what they must mean.
func tags(h http.Header, name string) ([]provision.Tag, error) {
	lines, given := h[name]
	if !given {
		return nil, nil
	}
	var out []provision.Tag
	for _, line := range lines {
		for rest := strings.Trim(line, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			tag, after, ok := cutTag(rest)
			if !ok || len(out) == mostTags {
				return nil, scim.Bad(scim.InvalidValue, "The header %s is no list of entity tags; send an ETag as it was received, or *.", name)
			}
			out, rest = append(out, tag), after
		}
	}
	if len(out) == 0 {
		return nil, scim.Bad(scim.InvalidValue, "The header %s is empty; send an ETag as it was received, or *.", name)
	}
	return out, nil
}

// cutTag takes one entity tag off a list.
func cutTag(s string) (t provision.Tag, rest string, ok bool) {
	if strings.HasPrefix(s, "W/") || strings.HasPrefix(s, "w/") {
		t.Weak, s = true, s[2:]
	}
	if strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s[1:], '"')
		if end < 0 {
			return t, "", false
		}
		t.Opaque = s[:end+2]
		rest = s[end+2:]
		return t, rest, rest == "" || strings.HasPrefix(strings.TrimLeft(rest, " \t"), ",")
	}
	word, rest, _ := strings.Cut(s, ",")
	word = strings.TrimRight(word, " \t")
	if word == "" || strings.ContainsAny(word, "\" \t") {
		return t, "", false
	}
	if t.Opaque = word; word != "*" {
		t.Opaque = `"` + word + `"`
	}
	return t, rest, true
}

// unchanged answers a GET whose client has this version already, and refuses one
// that wants another. It reports whether the answer was sent.
func (x *exchange) unchanged(col *collection, c *provision.Call, r *scim.Resource) (bool, error) {
	if !c.If.Given() || r == nil {
		return false, nil
	}
	version := r.Get(col.version).String()
	switch {
	case !c.If.Holds(version):
		return false, scim.Errorf(http.StatusPreconditionFailed, "", "The %s has another version than those in If-Match.", col.t.Name)
	case !c.If.Known(version):
		return false, nil
	}
	x.locate(col, r)
	x.send(http.StatusNotModified, nil)
	return true, nil
}
