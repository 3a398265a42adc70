package provision

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
)

// An element's mark is a keyed hash of what tells it apart: of its place, where the
// mapping stores it in one ("the e-mail of type work"), or else of its content, as PATCH
// tells elements apart. The mark is the element's key, unless it has a nickname: an
// element that was changed by its key is called by that key for ever, although its content
// has another mark now. Nicknames are kept beside the record. See
// docs/decisions/0014-element-keys.md.

// marks are those of all elements of an attribute of a resource, in their order.
func (s *Keyed) marks(c Call, t *target, res *scim.Resource, a *scim.Attribute) []string {
	places := t.Mapping.Places(res, a)
	out := patch.Identities(a, res.Get(a))
	for i, content := range out {
		kind, text := "content", content
		if places[i] != "" {
			kind, text = "place", places[i]
		}
		out[i] = s.markOf(c.Caller.Tenant, t.name, a.Path(), kind, text)
	}
	return out
}

func (s *Keyed) markOf(words ...string) string {
	h := hmac.New(sha256.New, s.secret)
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s", len(w), w)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}

// A nickname is a key that stays with an element whose mark has changed.
type nickname struct{ key, mark string }

// nicknames are those of one attribute of one record, in any order.
type nicknames struct {
	list  []nickname
	fresh []nickname // of them, those that are not kept yet
}

// mostNicknames bounds what is kept of one attribute of one record. Beyond it keys change
// with the content.
const mostNicknames = 1000

// nicknamePrefix begins the names under which they are kept, each by itself, so that
// two changes at a time do not lose one another's. No path begins so.
func nicknamePrefix(a *scim.Attribute) string { return "key " + a.Path() + " " }

func readNicknames(kept identity.Kept, a *scim.Attribute) (n nicknames) {
	prefix := nicknamePrefix(a)
	for name, value := range kept {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			n.list = append(n.list, nickname{key, strings.Trim(value, `"`)})
		}
	}
	return n
}

// keeping is what has to be kept.
func (n nicknames) keeping(a *scim.Attribute) []identity.Keeping {
	var out []identity.Keeping
	for _, k := range n.fresh {
		out = append(out, identity.Keeping{Name: nicknamePrefix(a) + k.key, Value: `"` + k.mark + `"`})
	}
	return out
}

// with is the nicknames, with one for a mark; false if there are too many. What was
// called otherwise is not called so any more, but its key means nothing else ever.
func (n nicknames) with(key, mark string) (nicknames, bool) {
	out := nicknames{fresh: []nickname{{key, mark}}}
	for _, k := range n.list {
		switch {
		case k.key == key:
		case k.mark == mark:
			out.fresh = append(out.fresh, nickname{key: k.key})
		default:
			out.list = append(out.list, k)
		}
	}
	out.list = append(out.list, out.fresh...)
	return out, len(out.list) <= mostNicknames
}

// keys are the keys of elements with these marks. A key that was once given away as a
// nickname means no other element again, also when its bearer is gone: a mark that is
// equal to it becomes another one, always the same.
func (n nicknames) keys(marks []string) []string {
	called, taken := make(map[string]string, len(n.list)), make(map[string]bool, len(n.list))
	for _, k := range n.list {
		called[k.mark], taken[k.key] = k.key, true
	}
	out := make([]string, len(marks))
	for i, m := range marks {
		if key, ok := called[m]; ok {
			out[i] = key
			continue
		}
		for taken[m] {
			sum := sha256.Sum256([]byte("again " + m))
			m = base64.RawURLEncoding.EncodeToString(sum[:15])
		}
		out[i] = m
	}
	return out
}

// visible is an element without what no client may see.
func visible(a *scim.Attribute, e scim.Value) scim.Value {
	hidden := func(sub *scim.Attribute) bool {
		return sub.Returned == scim.ReturnedNever || sub.Mutability == scim.WriteOnly
	}
	if !slices.ContainsFunc(a.Sub, hidden) {
		return e
	}
	e = e.Clone()
	for _, sub := range a.Sub {
		if hidden(sub) {
			e.Set(sub, scim.Value{})
		}
	}
	return e
}

// elementVersion is the entity tag of an element, "" if there are none.
func (t *target) elementVersion(a *scim.Attribute, e scim.Value) string {
	if t.whole == nil {
		return ""
	}
	return scim.ValueVersion(a, e)
}

// permitElement answers 412 if a change must not be made of an element with this version.
func (c Condition) permitElement(version string) error {
	switch {
	case !c.Holds(version):
		return scim.Errorf(412, "", "The element has changed since this version; read it again, and send its ETag in If-Match.")
	case c.Known(version):
		return scim.Errorf(412, "", "The element is there in the version that If-None-Match excludes.")
	}
	return nil
}
