package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A filler says what ${param:NAME} does in what is read. The values are data,
// which whoever adds a tenant gives: none may change what the rest of a setting
// means, and none is expanded itself.
type filler int

const (
	fillNothing  filler = iota // a parameter cannot stand there
	fillSettings               // of backends
	fillData                   // what becomes the value of a field
)

// filling reads a form in which parameters may stand.
func filling[V any](how filler, f form[V]) form[V] {
	return form[V]{shape: f.shape, read: func(r *reader, t *Tree, into *V) {
		before := r.fill
		r.fill = how
		f.read(r, t, into)
		r.fill = before
	}}
}

// fills reports whether a scalar holds parameters, which may stand there.
func (r *reader) fills(t *Tree) bool {
	return r.fill != fillNothing && paramReference.MatchString(t.Value)
}

// isMade reports whether values were made up for parameters of a scalar.
func (r *reader) isMade(t *Tree) bool {
	if len(r.made) == 0 || r.fill == fillNothing {
		return false
	}
	written := t.Value
	if t.filled != "" {
		written = t.filled
	}
	return slices.ContainsFunc(r.made, func(name string) bool { return strings.Contains(written, "${param:"+name+"}") })
}

// fillIn puts values into a scalar that is no secret.
func (r *reader) fillIn(t *Tree) bool {
	var b strings.Builder
	last, good := 0, true
	for _, m := range reference.FindAllStringIndex(t.Value, -1) {
		ref := t.Value[m[0]:m[1]]
		value, wrong, hint := "", fmt.Sprintf("%s cannot stand here", ref), "only parameters can"
		if paramReference.MatchString(ref) && !strings.HasPrefix(ref, "$$") {
			value, wrong, hint = r.param(ref, t.Value, r.fill == fillData)
		}
		if wrong != "" {
			r.report.Inside(t.Text, m[0], m[1]-m[0], t.label+": "+wrong, hint, false)
			good = false
		}
		b.WriteString(t.Value[last:m[0]] + value)
		last = m[1]
	}
	b.WriteString(t.Value[last:])
	t.filled, t.Value = t.Value, b.String()
	return good
}

// param is the value of a parameter as it can stand in a text. Where it is the whole
// of it, or where free says that the text is a value and nothing else, it may be
// anything. As a part of a URL it is escaped, but in the options of a database. Elsewhere only what has no
// meaning anywhere is let in.
func (r *reader) param(ref, text string, free bool) (value, wrong, hint string) {
	name := ref[len("${param:") : len(ref)-1]
	value, ok := r.values[name]
	const whole = "a setting that is a parameter and nothing else takes any value"
	switch {
	case !ok:
		var known []string
		for n := range r.values {
			known = append(known, n)
		}
		slices.Sort(known)
		return "", fmt.Sprintf("there is no parameter %q", name), didYouMean(name, known)
	case strings.ContainsFunc(value, unicode.IsControl) && r.fill != fillData:
		return "", fmt.Sprintf("the value of the parameter %q holds a control character", name), ""
	case free || text == ref && !strings.HasPrefix(value, "-"):
		return value, "", ""
	case strings.Trim(value, ".") == "" || strings.Contains(value, "..") || strings.HasPrefix(value, "-"):
		return "", fmt.Sprintf("the value of the parameter %q cannot stand here: it begins with a hyphen, or dots follow each other", name), ""
	case strings.Contains(text, "://") && !inOptions(ref, text):
		return escaped(value), "", ""
	case strings.HasPrefix(value, ".") || strings.ContainsFunc(value, func(c rune) bool { return !unreserved(c) }):
		return "", fmt.Sprintf("the value of the parameter %q cannot be a part of this: it holds more than letters, digits and - . _ ~", name), whole
	}
	return value, "", ""
}

// inOptions reports whether a reference stands in the options of a database's URL.
// They are languages of their own (options=-csearch_path=x), which escaping is not for.
func inOptions(ref, text string) bool {
	_, options, _ := strings.Cut(text, "?")
	return strings.Contains(options, ref) && !strings.HasPrefix(text, "http")
}

// unreserved are the characters that mean nothing but themselves (RFC 3986 section 2.3).
func unreserved(c rune) bool {
	return c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-._~", c))
}

func escaped(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c < 0x80 && unreserved(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
