package ldap

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/scim/filter"
)

// FuzzEscaped: a value becomes one value of one comparison, whatever is in it.
func FuzzEscaped(f *testing.F) {
	for _, s := range []string{"", "bob", "*", ")(uid=*", `\`, "a\x00b", "é", "(", "\xff", `*)(|(uid=*`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := goldap.CompileFilter(equals("uid", s))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if p.Tag != goldap.FilterEqualityMatch || len(p.Children) != 2 || string(p.Children[1].ByteValue) != s && p.Children[1].Value != s {
			t.Errorf("%q became %v", s, p.Children)
		}
	})
}

// FuzzPattern: a pattern is a filter of substrings, and what it was made of fits it.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"", "bob", "a b", "straße", "e\u0301", "*", ")(", "a*c", " x ", "-", "<=>"} {
		f.Add(s, "x", "y")
	}
	f.Fuzz(func(t *testing.T, s, before, after string) {
		for _, c := range []struct {
			begins, ends bool
			whole        string
		}{{true, true, s}, {true, false, s + after}, {false, true, before + s}, {false, false, before + s + after}} {
			p := pattern(s, c.begins, c.ends, false)
			if _, err := goldap.CompileFilter("(cn=" + p + ")"); err != nil {
				t.Fatalf("%q became %q: %v", s, p, err)
			}
			if !fits(p, c.whole) {
				t.Errorf("%q does not fit %q, made of %q", c.whole, p, s)
			}
		}
	})
}

// fits compares a text with a pattern, as a server that prepares nothing.
func fits(p, s string) bool {
	parts := strings.Split(p, "*")
	for i, part := range parts {
		parts[i] = unescaped(part)
	}
	if len(parts) == 1 {
		return s == parts[0]
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(s, part)
		if !found {
			return false
		}
		s = rest
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

func unescaped(s string) string {
	p, err := goldap.CompileFilter("(x=" + s + ")")
	if err != nil || s == "" {
		return s
	}
	return p.Children[1].Data.String()
}

// FuzzEscapedDN: a value is one part of a name, whatever is in it.
func FuzzEscapedDN(f *testing.F) {
	for _, s := range []string{"bob", " a ", "#x", `a,b+c="d"<e>;f\g`, "é", "\x00\n", "ou=x,dc=y", "  "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || !utf8.ValidString(s) {
			return
		}
		dn := below("cn="+escapedDN(s), "ou=people,dc=example,dc=com")
		p, err := goldap.ParseDN(dn)
		if err != nil || len(p.RDNs) != 4 || len(p.RDNs[0].Attributes) != 1 || p.RDNs[0].Attributes[0].Value != s {
			t.Fatalf("%q became %q: %v, %v", s, dn, p, err)
		}
		if parent(dn) != "ou=people,dc=example,dc=com" {
			t.Errorf("the parent of %q is %q", dn, parent(dn))
		}
	})
}

// FuzzSchema: definitions of a server never harm.
func FuzzSchema(f *testing.F) {
	f.Add("( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: it''s' SUP name )")
	f.Add("( 1.2 NAME 'x' SUP ( a $ b ) STRUCTURAL MUST ( cn $ sn ) MAY description )")
	f.Add("( ( ) '")
	f.Fuzz(func(t *testing.T, text string) {
		s := newSchema()
		s.read([]string{text, "( 1.1 NAME 'name' SUP loop )", "( 1.2 NAME 'loop' SUP name )"}, []string{text}, true)
		s.attribute(text)
	})
}

func TestSchema(t *testing.T) {
	s := newSchema()
	s.read([]string{
		"( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
		"( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'common name(s) $' SUP name )",
		"( 2.5.18.1 NAME 'createTimestamp' EQUALITY generalizedTimeMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
	}, []string{"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword $ telephoneNumber ) )"}, false)
	cn := s.attribute("CommonName;lang-en")
	if cn == nil || cn.Equality != "caseignorematch" || cn.Substring == "" || cn.Syntax != syntaxDirectoryString || cn.Single || cn.Internal || !s.same("cn", "2.5.4.3") {
		t.Errorf("cn: %+v", cn)
	}
	if c := s.attribute("createTimestamp"); c == nil || !c.Single || !c.Fixed || !c.Internal {
		t.Errorf("createTimestamp: %+v", c)
	}
	if p := s.class("PERSON"); p == nil || !slices.Equal(p.Must, []string{"sn", "cn"}) || len(p.May) != 2 || p.Kind != "STRUCTURAL" {
		t.Errorf("person: %+v", p)
	}
}

// TestConditions writes down what is sent for a comparison.
func TestConditions(t *testing.T) {
	v := &server{schema: newSchema()}
	v.read([]string{
		"( 1.1 NAME 'uid' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
		"( 1.2 NAME 'exact' EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
		"( 1.3 NAME 'age' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )",
		"( 1.4 NAME 'at' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 )",
		"( 1.5 NAME 'bare' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
	}, nil, false)
	text, number := filter.StringValue, filter.IntValue
	for _, c := range []struct {
		name  string
		op    filter.Op
		match filter.Match
		value filter.Value
		want  string
	}{
		{"uid", filter.Eq, filter.Folded, text("Bob"), "(uid=Bob)"},
		{"uid", filter.Eq, filter.Exact, text("straße"), `(uid=stra\c3\9fe)`},
		{"uid", filter.Eq, filter.Folded, text("straße"), "(uid=str*e)"},
		{"uid", filter.Eq, filter.Folded, text("*"), `(uid=\2a)`},
		{"uid", filter.Co, filter.Folded, text("o'b"), `(uid=*o\27*)`},
		{"uid", filter.Co, filter.Folded, text("7 8"), "(uid=*7*8*)"},
		{"uid", filter.Co, filter.Folded, text("a"), "(uid=*)"},
		{"uid", filter.Sw, filter.Folded, text("bj."), "(uid=bj.*)"},
		{"uid", filter.Ew, filter.Folded, text("sen"), "(uid=*sen)"},
		{"uid", filter.Ew, filter.Folded, text("sen "), "(uid=*sen*)"},
		{"uid", filter.Gt, filter.Folded, text("b"), "(uid=*)"},
		{"uid", filter.Ne, filter.Folded, text("b"), ""},
		{"uid", filter.Eq, filter.Folded, filter.Value{}, ""},
		{"uid", filter.Pr, filter.Folded, filter.Value{}, "(uid=*)"},
		{"exact", filter.Eq, filter.Exact, text("Bob"), "(exact=Bob)"},
		{"exact", filter.Eq, filter.Folded, text("Bob"), "(exact=*)"},
		{"exact", filter.Sw, filter.Exact, text("Bo7"), "(exact=Bo7*)"},
		{"age", filter.Eq, filter.Integer, number(7), "(age=7)"},
		{"age", filter.Gt, filter.Integer, number(-7), "(age>=-7)"},
		{"age", filter.Le, filter.Integer, number(7), "(age<=7)"},
		{"age", filter.Eq, filter.Exact, text("007"), "(age=*)"},
		{"at", filter.Ge, filter.DateTime, text("2024-02-01T13:30:00.5Z"), "(at>=20240201133000Z)"},
		{"at", filter.Lt, filter.DateTime, text("2024-02-01T14:30:00+01:00"), "(at<=20240201133001Z)"},
		{"at", filter.Eq, filter.DateTime, text("yesterday"), "(at=*)"},
		{"bare", filter.Eq, filter.Folded, text("x"), "(bare=*)"},
		{"unknown", filter.Co, filter.Folded, text("x"), "(unknown=*)"},
	} {
		if got := v.wide(c.name, &filter.Compare{Name: c.name, Op: c.op, Match: c.match, Value: c.value}); got != c.want {
			t.Errorf("%s %v %v: %s, want %s", c.name, c.op, c.value, got, c.want)
		}
	}
}

func TestGUID(t *testing.T) {
	raw := string([]byte{0x04, 0x2e, 0x50, 0x3f, 0x89, 0x4f, 0xd3, 0x11, 0x9a, 0x0c, 0x03, 0x05, 0xe8, 0x2c, 0x33, 0x01})
	const text = "3f502e04-4f89-11d3-9a0c-0305e82c3301"
	if got := formatGUID([]byte(raw)); got != text {
		t.Errorf("%s, want %s", got, text)
	}
	if b, ok := parseGUID(text); !ok || string(b) != raw {
		t.Errorf("%x", b)
	}
	for _, other := range []string{strings.ToUpper(text), strings.ReplaceAll(text, "-", ""), text + "0", "", "x"} {
		if _, ok := parseGUID(other); ok {
			t.Errorf("%q is another spelling", other)
		}
	}
}

func TestPasswordForms(t *testing.T) {
	if got := unicodePassword("é1"); got != "\"\x00\xe9\x001\x00\"\x00" {
		t.Errorf("unicodePwd: %q", got)
	}
	h, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(ssha("secret", []byte("salt")), "{SSHA}"))
	if err != nil || len(h) != 24 || string(h[20:]) != "salt" || ssha("secret", []byte("salt")) == ssha("other", []byte("salt")) {
		t.Errorf("ssha: %x, %v", h, err)
	}
	for _, c := range [][3]string{{"512", "1", "514"}, {"514", "0", "512"}, {"514", "1", "514"}, {"66048", "1", "66050"}, {"x", "1", "2"}} {
		if got := withBit(c[0], 2, c[1]); got != c[2] {
			t.Errorf("bit 2 of %s as %s: %s", c[0], c[1], got)
		}
	}
}

func TestRDNTemplates(t *testing.T) {
	for text, ok := range map[string]bool{"uid": true, "cn={cn}": true, "cn={a} {b}+uid={uid}": true, "2.5.4.3": true, "": false, "cn=": false, "cn=x": false, "={x}": false, "c n": false} {
		if _, err := parseRDN(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	parts, err := parseRDN("cn={first} {last}, x")
	if err != nil || parts[0].value(func(f string) string { return strings.ToUpper(f) }) != "FIRST LAST, x" || parts[0].value(func(string) string { return "" }) != "" {
		t.Errorf("%+v, %v", parts, err)
	}
}
