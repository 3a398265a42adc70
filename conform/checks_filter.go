package conform

import (
	"fmt"
	"strings"
)

// The language of filters. The crowd has in the plain attribute: a Bravo, b alpha,
// c Delta, d charlie, e nothing.
var filterChecks = []Check{
	{"F-02", Must, "Only what matches is found, and what cannot be honoured is refused.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		p.needs("filter")
		all, _ := p.crowd()
		for i, o := range all[:2] {
			got := p.found(query(p.users(), "filter", `userName eq "`+text(o["userName"])+`"`))
			if got != string(rune('a'+i)) {
				p.fail("userName eq finds %q of the five, want %c", got, 'a'+i)
			}
		}
	}},
	{"F-03", Must, "Names and operators ignore case.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(strings.ToUpper(at)+` EQ "alpha"`, "b")
		p.finds(at+` Eq "alpha" OR `+at+` eQ "Delta"`, "bc")
	}},
	{"F-04", Must, "Filters are joined by and and or, and grouped by parentheses.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` sw "a" and `+at+` ew "a"`, "b")
		p.finds(at+` eq "alpha" or `+at+` eq "Bravo"`, "ab")
		p.finds(`(`+at+` eq "alpha" or `+at+` eq "Bravo") and (`+at+` sw "b")`, "a")
	}},
	{"F-05", Must, "and binds closer than or, and not closest.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` eq "alpha" or `+at+` eq "Bravo" and `+at+` eq "Delta"`, "b")
		p.finds(`not (`+at+` eq "alpha") and `+at+` ew "a"`, "c")
	}},
	{"F-06", Must, "not stands before a filter in parentheses.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(`not (`+at+` eq "alpha")`, "acde")
		p.finds(`not(`+at+` eq "alpha")`, "acde")
	}},
	{"F-07", Must, "In brackets all is said of one and the same element.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		m, f := p.needsMany()
		path, o := p.user(with(m.top(), m.both("a"+f, "b"+f)))
		p.one(o, fmt.Sprintf("%s[type eq %q and value eq %q]", m.name, m.kinds[0], m.valueOf("a"+f)), idOf(path))
		p.one(o, fmt.Sprintf("%s[type eq %q and value eq %q]", m.name, m.kinds[0], m.valueOf("b"+f)), "")
	}},
	{"F-08", Should, "In brackets there may be and, or, not and parentheses.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		m, f := p.needsMany()
		path, o := p.user(with(m.top(), m.both("a"+f, "b"+f)))
		p.one(o, fmt.Sprintf("%s[type eq %q and (value eq %q or value eq %q)]", m.name, m.kinds[1], m.valueOf("a"+f), m.valueOf("b"+f)), idOf(path))
		p.one(o, fmt.Sprintf("%s[not (type eq %q) and value eq %q]", m.name, m.kinds[0], m.valueOf("a"+f)), "")
	}},
	{"F-09", Should, "A part may follow the brackets.", "the practice of clients", false, func(p *probe) {
		m, f := p.needsMany()
		path, o := p.user(with(m.top(), m.both("a"+f, "b"+f)))
		p.one(o, fmt.Sprintf("%s eq %q", m.pick(1, "value"), m.valueOf("b"+f)), idOf(path))
		p.one(o, fmt.Sprintf("%s eq %q", m.pick(1, "value"), m.valueOf("a"+f)), "")
	}},
	{"F-10", Must, "Texts in filters are escaped as in JSON.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		path, o := p.user(with(p.plain(), `Say "hi" \ é`))
		p.one(o, at+` eq "Say \"hi\" \\ \u00e9"`, idOf(path))
		p.one(o, at+` eq "Say \"ho\" \\ \u00e9"`, "")
	}},
	{"F-11", Should, "A text without quotes is refused with invalidFilter.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		p.rejects(`userName eq conform`, `userName eq 'conform'`)
	}},
	{"F-15", Must, "co, sw and ew compare texts only.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		if p.server.find(userURN, "active") == nil {
			p.skip("users have no boolean")
		}
		p.rejects(`active co "t"`, `active sw "t"`)
	}},
	{"F-17", Must, "Booleans have no order.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		if p.server.find(userURN, "active") == nil {
			p.skip("users have no boolean")
		}
		p.rejects(`active gt false`)
	}},
	{"F-20", Should, "A complex attribute is compared by naming one of its parts.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		if p.server.find(userURN, "name") == nil {
			p.skip("users have no name")
		}
		p.rejects(`name eq "x"`)
	}},
	{"F-23", Must, "An operator that does not exist is refused with invalidFilter.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		p.rejects(`userName regex "x"`, `userName zz "x"`, `userName = "x"`)
	}},
	{"F-28", Should, "A literal of the wrong type is refused with invalidFilter.", "RFC 7644 section 3.12", true, func(p *probe) { p.rejects(`userName eq 5`) }},
	{"F-32", Must, "A filter that ends too early or goes on is refused with invalidFilter.", "RFC 7644 section 3.4.2.2", true, func(p *probe) {
		p.rejects(``, `userName`, `userName eq`, `userName eq "x" and`, `(userName eq "x"`, `userName eq "x") `, `userName eq "x" "y"`, `and`)
	}},
	{"G-08", Should, "An attribute that no schema has is refused in a filter with invalidFilter.", "RFC 7644 section 3.12", true, func(p *probe) { p.rejects(`conformUnknown eq "x"`) }},
	{"H-12", Should, "A plus sign in the quotes of a filter is a plus sign.", "RFC 3986 section 2.2", false, func(p *probe) {
		at := p.needsPlain()
		path, o := p.user(with(p.plain(), "a+b"))
		f := strings.ReplaceAll(query(p.users(), "filter", `userName eq "`+text(o["userName"])+`" and `+at+` eq "a+b"`), "%2B", "+")
		a := p.get(f).want(200)
		if got := values(a.object()["Resources"], "id"); len(got) != 1 || got[0] != idOf(path) {
			a.fail("found are %q", got)
		}
	}},
}

// What the operators compare.
var filterValueChecks = []Check{
	{"F-13", Must, "eq and ne compare by the type, and texts with case only if their case matters.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` eq "ALPHA"`, "b")
		p.finds(at+` eq "alph"`, "")
		all, _ := p.crowd()
		p.finds(`userName eq "`+strings.ToUpper(text(all[2]["userName"]))+`"`, "c")
		p.finds(`userName ne "`+strings.ToUpper(text(all[2]["userName"]))+`"`, "abde")
	}},
	{"F-14", Should, "ne is true of what has no value.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		p.finds(p.needsPlain()+` ne "alpha"`, "acde")
	}},
	{"F-16", Must, "pr is true of what has a value.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` pr`, "abcd")
		p.finds(`not (`+at+` pr)`, "e")
	}},
	{"F-19", Must, "An attribute with several values matches if one of them does.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		m, f := p.needsMany()
		path, o := p.user(with(m.top(), m.both("a"+f, "b"+f)))
		for _, word := range []string{"a", "b"} {
			p.one(o, fmt.Sprintf("%s.value eq %q", m.name, m.valueOf(word+f)), idOf(path))
		}
		p.one(o, fmt.Sprintf("%s.value eq %q", m.name, m.valueOf("c"+f)), "")
	}},
	{"F-22", Must, "Attributes may have the URN of their schema.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		if p.plain().urn == "" {
			at = userURN + ":" + at
		}
		p.finds(at+` eq "alpha"`, "b")
	}},
	{"F-24", Must, "schemas can be compared.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		p.needs("filter")
		p.finds(`schemas eq "`+userURN+`"`, "abcde")
		p.finds(`schemas eq "urn:example:conform"`, "")
	}},
	{"F-25", Must, "id, externalId and the parts of meta can be compared.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		p.needs("filter")
		all, _ := p.crowd()
		p.finds(`id eq "`+text(all[3]["id"])+`"`, "d")
		p.finds(`meta.resourceType eq "`+p.server.typeOf(userURN).Name+`"`, "abcde")
	}},
	{"F-18", Must, "Times compare as moments, whatever their offset.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		p.needs("filter")
		all, _ := p.crowd()
		if object(all[0]["meta"])["created"] == nil {
			p.skip("there is no meta.created")
		}
		p.finds(`meta.created gt "2000-01-01T00:00:00Z"`, "abcde")
		p.finds(`meta.created lt "2000-01-01T02:00:00+02:00"`, "")
		p.finds(`meta.created ge "2000-01-01T00:00:00.5-05:00"`, "abcde")
		p.rejects(`meta.created gt "yesterday"`)
	}},
	{"F-26", Must, "co, sw and ew find parts of texts, without case where case does not matter.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` co "LPH"`, "b")
		p.finds(at+` co "r"`, "ad")
		p.finds(at+` sw "c"`, "d")
		p.finds(at+` sw "LP"`, "")
		p.finds(at+` ew "VO"`, "a")
		p.finds(at+` ew "alpha"`, "b")
		p.finds(at+` co "%"`, "")
		p.finds(at+` sw "_lpha"`, "")
	}},
	{"F-27", Should, "eq null is true of what has no value.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` eq null`, "e")
		p.finds(at+` ne null`, "abcd")
	}},
	{"F-31", Must, "gt, ge, lt and le compare texts by their order.", "RFC 7644 section 3.4.2.2", false, func(p *probe) {
		at := p.needsPlain()
		p.finds(at+` gt "bravo"`, "cd")
		p.finds(at+` ge "bravo"`, "acd")
		p.finds(at+` lt "bravo"`, "b")
		p.finds(at+` le "bravo"`, "ab")
	}},
	{"F-35", Must, "Users are found by userName and id, by and, as clients do.", "the practice of clients", false, func(p *probe) {
		p.needs("filter")
		all, _ := p.crowd()
		o := all[1]
		p.finds(`userName eq "`+text(o["userName"])+`" and id eq "`+text(o["id"])+`"`, "b")
		p.finds(`userName eq "`+text(o["userName"])+`" and id eq "`+text(all[0]["id"])+`"`, "")
	}},
}

// needsPlain is the plain attribute's name, where filters are supported.
func (p *probe) needsPlain() string {
	p.needs("filter")
	return p.plain().String()
}

// needsMany is the attribute with two values, and a word for them.
func (p *probe) needsMany() (m manyAttr, word string) {
	p.needs("filter")
	return p.many(), p.word()
}

// one fails unless a filter finds the user, or nobody.
func (p *probe) one(o Object, filter, id string) {
	a := p.get(query(p.users(), "filter", `userName eq "`+text(o["userName"])+`" and `+filter)).want(200)
	got := strings.Join(values(a.object()["Resources"], "id"), " ")
	if got != id {
		a.fail("%s finds %q, want %q", filter, got, id)
	}
}
