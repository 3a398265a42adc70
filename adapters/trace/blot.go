package trace

import (
	"encoding/base64"
	"encoding/xml"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// Hidden stands where a secret was.
const Hidden = "(hidden)"

// A blotter covers secrets: the texts that it has learned, in whatever way they are
// written, and what stands under a name that looks like a secret's.
type blotter struct {
	texts   []string // long ones first, so that no part of one is left
	shorter []string // too short to be looked for within a text
}

// minimum is how long a text must be to be looked for inside of others.
const minimum = 4

func (b *blotter) learn(text string) {
	if text == "" || text == Hidden {
		return
	}
	if len(text) < minimum {
		b.shorter = append(b.shorter, text)
		return
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(text))
	quoted, _ := marshal(text)
	for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text), string(quoted[1 : len(quoted)-1]), escaped.String(),
		html.EscapeString(text), base64.StdEncoding.EncodeToString([]byte(text))} {
		if !slices.Contains(b.texts, form) {
			b.texts = append(b.texts, form)
		}
	}
	slices.SortStableFunc(b.texts, func(x, y string) int { return len(y) - len(x) })
}

// SecretName reports whether what stands under a name is not for everybody's eyes.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	return (name == "pw" || has("pass", "pwd", "secret", "token", "hash", "apikey", "api_key", "api-key", "credential", "authorization")) &&
		!has("next", "page", "cursor", "continu")
}

var (
	jsonMember = regexp.MustCompile(`("(?:[^"\\]|\\.)*"\s*:\s*)("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)`)
	formField  = regexp.MustCompile(`(^|[?&])([^=&?\s]+)=([^&\s]+)`)
	xmlElement = regexp.MustCompile(`<([A-Za-z_][\w:.-]*)((?:\s[^<>]*)?)>([^<]+)<`)
)

// text is a text without secrets.
func (b *blotter) text(s string) string {
	if slices.Contains(b.shorter, s) {
		return Hidden
	}
	for _, secret := range b.texts {
		s = strings.ReplaceAll(s, secret, Hidden)
	}
	return s
}

// body is a message's body, or the URL of one, without secrets.
func (b *blotter) body(s string) string {
	s = jsonMember.ReplaceAllStringFunc(s, func(member string) string {
		m := jsonMember.FindStringSubmatch(member)
		name, value := m[1][:strings.LastIndexByte(m[1], '"')], strings.Trim(m[2], `"`)
		if SecretName(name) && value != "" || slices.Contains(b.shorter, value) {
			return m[1] + `"` + Hidden + `"`
		}
		return member
	})
	s = formField.ReplaceAllStringFunc(s, func(field string) string {
		m := formField.FindStringSubmatch(field)
		if name, err := url.QueryUnescape(m[2]); err == nil && SecretName(name) {
			return m[1] + m[2] + "=" + Hidden
		}
		return field
	})
	s = xmlElement.ReplaceAllStringFunc(s, func(element string) string {
		m := xmlElement.FindStringSubmatch(element)
		if SecretName(m[1]) && strings.TrimSpace(m[3]) != "" {
			return "<" + m[1] + m[2] + ">" + Hidden + "<"
		}
		return element
	})
	return b.text(s)
}

var jsonText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// form is what may be seen of a log-in: of JSON the names and the numbers, so that
// it can be replayed, and of anything else nothing.
func (b *blotter) form(s string) string {
	if trimmed := strings.TrimSpace(s); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		if s == "" {
			return ""
		}
		return Hidden
	}
	var out strings.Builder
	last := 0
	for _, at := range jsonText.FindAllStringIndex(s, -1) {
		if strings.HasPrefix(strings.TrimLeft(s[at[1]:], " \t\r\n"), ":") {
			continue // a name
		}
		out.WriteString(s[last:at[0]] + `"` + Hidden + `"`)
		last = at[1]
	}
	return b.body(out.String() + s[last:])
}

// address is a method and a URL without secrets, however the URL writes them.
func (b *blotter) address(s string) string {
	before, query, _ := strings.Cut(s, "?")
	parts := strings.SplitAfter(before, "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil && b.text(plain) != plain {
			parts[i] = strings.ReplaceAll(b.text(plain), " ", "%20")
		}
	}
	s = strings.Join(parts, "")
	if query == "" {
		return b.text(s)
	}
	pairs := strings.Split(query, "&")
	for i, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(value); err == nil && b.text(plain) != plain {
			pairs[i] = name + "=" + Hidden
		}
	}
	return b.body(s + "?" + strings.Join(pairs, "&"))
}

func (b *blotter) value(v Value) Value {
	switch x := v.V.(type) {
	case string:
		return Value{b.text(x)}
	case []byte:
		if b.text(string(x)) != string(x) {
			return Value{Hidden}
		}
	case []string:
		out := make([]string, len(x))
		for i, s := range x {
			out[i] = b.text(s)
		}
		return Value{out}
	case []adapters.Record:
		out := make([]map[string]Value, len(x))
		for i, e := range x {
			out[i] = b.fields(fieldsOf(e), SecretName)
		}
		return Value{out}
	}
	return v
}

func (b *blotter) fields(m map[string]Value, secret func(string) bool) map[string]Value {
	if m == nil {
		return nil
	}
	out := make(map[string]Value, len(m))
	for name, v := range m {
		out[name] = b.field(name, v, secret)
	}
	return out
}

func (b *blotter) field(name string, v Value, secret func(string) bool) Value {
	if v.V != nil && secret != nil && secret(name) {
		return Value{Hidden}
	}
	return b.value(v)
}

// step is a step without secrets.
func (b *blotter) step(s *Step) Step {
	out := *s
	if s.Query != nil {
		q := *s.Query
		q.Filter = b.text(q.Filter)
		out.Query = &q
	}
	out.Create = b.fields(s.Create, s.secret)
	out.Changes, out.Members, out.Records, out.Exchanges = nil, nil, nil, nil
	for _, c := range s.Changes {
		out.Changes = append(out.Changes, Change{c.Field, b.field(c.Field, c.Old, s.secret), b.field(c.Field, c.New, s.secret)})
	}
	out.Members = append(out.Members, s.Members...)
	for _, r := range s.Records {
		out.Records = append(out.Records, Record{Key: r.Key, Fields: b.fields(r.Fields, s.secret)})
	}
	for _, e := range s.Exchanges {
		out.Exchanges = append(out.Exchanges, b.exchange(e))
	}
	if s.Failure != nil {
		f := *s.Failure
		f.Text = b.text(f.Text)
		out.Failure = &f
	}
	return out
}

func (b *blotter) exchange(e *Exchange) *Exchange {
	out := *e
	out.Request, out.Error = b.text(e.Request), b.text(e.Error)
	if method, address, ok := strings.Cut(e.Request, " "); ok && strings.HasPrefix(address, "http") {
		out.Request = method + " " + b.address(address)
	}
	out.Parameters = nil
	for _, p := range e.Parameters {
		out.Parameters = append(out.Parameters, b.value(p))
	}
	cover := b.body
	if e.secretive {
		cover = b.form
	}
	out.Body, out.AnswerBody = cover(e.Body), cover(e.AnswerBody)
	if e.Binary {
		out.AnswerBody = e.AnswerBody
	}
	out.Headers = map[string]string{}
	for name, v := range e.Headers {
		if out.Headers[name] = b.text(v); SecretName(name) {
			out.Headers[name] = Hidden
		}
	}
	return &out
}
