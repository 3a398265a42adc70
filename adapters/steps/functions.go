package steps

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math/big"
	"net/url"
	"regexp"
	"strings"

	"github.com/postern/postern/adapters"
)

// A Function is one that Postern adds to the expression language.
type Function struct {
	Name, Signature, Doc string
	Example, Result      string // Result "": differs each time

	run func(...any) (any, error)
	typ any
}

// Functions lists them, for the documentation and its test.
func Functions() []Function {
	return []Function{
		{Name: "list", Signature: "list(value)", Doc: "The value as a list: no value is an empty one, a single value a list of one. XML does not tell one from many.",
			Example: `list("a")`, Result: "[a]", typ: new(func(any) []any),
			run: func(p ...any) (any, error) { return listOf(p[0]), nil }},
		{Name: "lastSegment", Signature: "lastSegment(url)", Doc: "What follows the last slash of a URL's path, unescaped: the id in a Location header.",
			Example: `lastSegment("http://x/users/5?a=b")`, Result: "5", typ: new(func(any) string), run: lastSegment},
		{Name: "link", Signature: "link(header, rel)", Doc: "The URL of that relation in a Link header (RFC 8288); no value if there is none.",
			Example: `link("<http://x/u?page=2>; rel=\"next\"", "next")`, Result: "http://x/u?page=2", typ: new(func(any, string) any), run: link},
		{Name: "escape", Signature: "escape(value, characters)", Doc: "The text with a backslash before each of the characters, and before each backslash: literals of query languages.",
			Example: `escape("O'Brien", "'")`, Result: `O\'Brien`, typ: new(func(any, string) string), run: escape},
		{Name: "base64", Signature: "base64(value)", Doc: "The text in base64.",
			Example: `base64("a:b")`, Result: "YTpi", typ: new(func(any) string),
			run: func(p ...any) (any, error) {
				return base64.StdEncoding.EncodeToString([]byte(textOf(p[0]))), nil
			}},
		{Name: "match", Signature: "match(value, pattern)", Doc: "What the first group of a regular expression finds in the text, or all that it finds; no value if nothing.",
			Example: `match("uid=7;", "uid=([0-9]+)")`, Result: "7", typ: new(func(any, any) any), run: match},
		{Name: "rewrite", Signature: "rewrite(value, pattern, replacement)", Doc: "The text with all that a regular expression finds replaced; `$1` stands for what its first group found.",
			Example: `rewrite("a.b@c", "[^a-z]", "_")`, Result: "a_b_c", typ: new(func(any, any, string) string), run: rewrite},
		{Name: "password", Signature: "password(length)", Doc: "A random password with small and capital letters, digits and signs.",
			Example: `len(password(20))`, Result: "20", typ: new(func(int) string), run: password},
		{Name: "jwt", Signature: "jwt(header, claims, key)", Doc: "A signed JSON Web Token, for a log-in by assertion (RFC 7523). `alg` in the header says how: RS256, PS256, ES256 (or 384, 512) and EdDSA with a private key in PEM, HS256 (384, 512) with a shared secret. The claims `iat`, `exp` (in five minutes) and `jti` are added if they are not there.",
			Example: `len(split(jwt({alg: "HS256"}, {iss: "postern"}, "a secret"), "."))`, Result: "3", typ: new(func(map[string]any, map[string]any, any) string), run: signed},
		{Name: "utf8Once", Signature: "utf8Once(value)", Doc: "A text that was encoded in UTF-8 twice, as it should be; another one as it is.",
			Example: `utf8Once("JosÃ©")`, Result: "José", typ: new(func(any) string),
			run: func(p ...any) (any, error) { return utf8Once(textOf(p[0])), nil }},
		{Name: "utf8Twice", Signature: "utf8Twice(value)", Doc: "The text encoded in UTF-8 twice, for an application that holds it so.",
			Example: `utf8Twice("José")`, Result: "JosÃ©", typ: new(func(any) string),
			run: func(p ...any) (any, error) { return utf8Twice(textOf(p[0])), nil }},
	}
}

func lastSegment(p ...any) (any, error) {
	u, err := url.Parse(textOf(p[0]))
	if err != nil {
		return "", nil
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	return url.PathUnescape(path[strings.LastIndex(path, "/")+1:])
}

var linkParts = regexp.MustCompile(`<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)`)

var linkRel = regexp.MustCompile(`(?i)rel\s*=\s*"?([^";]*)`)

func link(p ...any) (any, error) {
	rel, _ := p[1].(string)
	for _, m := range linkParts.FindAllStringSubmatch(textOf(p[0]), -1) {
		if re := linkRel.FindStringSubmatch(m[2]); re != nil {
			for _, r := range strings.Fields(re[1]) {
				if strings.EqualFold(r, rel) {
					return m[1], nil
				}
			}
		}
	}
	return nil, nil
}

func escape(p ...any) (any, error) {
	chars, _ := p[1].(string)
	var b strings.Builder
	for _, r := range textOf(p[0]) {
		if r == '\\' || strings.ContainsRune(chars, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// patterned are the functions whose second argument is a regular expression: a
// constant, compiled at start.
func patterned(name string) bool { return name == "match" || name == "rewrite" }

func rewrite(p ...any) (any, error) {
	re, with := p[1].(*regexp.Regexp), p[2].(string)
	return re.ReplaceAllString(textOf(p[0]), with), nil
}

func match(p ...any) (any, error) {
	m := p[1].(*regexp.Regexp).FindStringSubmatch(textOf(p[0]))
	switch {
	case m == nil:
		return nil, nil
	case len(m) > 1:
		return m[1], nil
	}
	return m[0], nil
}

var passwordSets = [...]string{"abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "!#%+-.:=@_"}

func password(p ...any) (any, error) {
	n, _ := p[0].(int)
	if n < 8 || n > 256 {
		return nil, errors.New("a password has from 8 to 256 characters")
	}
	all := strings.Join(passwordSets[:], "")
	out := make([]byte, n)
	for i := range out {
		set := all
		if i < len(passwordSets) {
			set = passwordSets[i]
		}
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(set))))
		if err != nil {
			return nil, err
		}
		out[i] = set[at.Int64()]
	}
	return string(out), nil
}

// listOf is a value as a list.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	}
	return []any{v}
}

// textOf is a scalar as text, "" for what has none.
func textOf(v any) string {
	if n, ok := v.(int); ok {
		v = int64(n)
	}
	return adapters.Text(v)
}
