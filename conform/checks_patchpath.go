package conform

import "strings"

// The paths of PATCH.
var patchPathChecks = []Check{
	{"P-20", Must, "A path is an attribute, a part of one, or either behind the URN of its schema.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		for _, at := range p.plainTexts()[:min(3, len(p.plainTexts()))] {
			path, _ := p.user()
			v := p.word()
			if a := p.patch(path, op{"replace", at.String(), v}); a.status == 400 && text(a.json["scimType"]) == "invalidValue" {
				continue // the server has a mind about its values
			} else {
				a.want(200, 204)
			}
			p.get(path).want(200).is(at, v)
		}
	}},
	{"P-23", Must, "A path that is none is refused with invalidPath.", "RFC 7644 section 3.12", false, func(p *probe) {
		for _, path := range []string{"emails[", "[type]", "userName..x"} {
			p.refuses(top("userName"), op{"replace", path, "x"}, "invalidPath", "invalidFilter")
		}
	}},
	{"P-24", Should, "A bad filter in a path is refused with invalidFilter.", "RFC 7644 section 3.12", false, func(p *probe) {
		m := p.many()
		p.refuses(m.top(), op{"replace", m.name + `[type zz "x"].value`, "x"}, "invalidFilter", "invalidPath")
	}},
	{"P-25", Should, "An attribute that the schema does not have is refused with invalidPath.", "RFC 7644 section 3.12", false, func(p *probe) {
		p.refuses(top("userName"), op{"replace", "conformUnknown.part", "x"}, "invalidPath", "noTarget")
	}},
	{"P-26", Must, "Positions in lists are no paths.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		m := p.many()
		for _, path := range []string{m.name + "[0]", m.name + "[0].value", "/" + m.name + "/0"} {
			p.refuses(m.top(), op{"replace", path, "x"})
		}
	}},
	{"P-27", Must, "A path may have the URN of its schema, in any case.", "RFC 7644 section 3.10", false, func(p *probe) {
		at := p.plain()
		if at.urn == "" {
			p.turns(at, "Before", "After", func(path string) op { return op{"replace", userURN + ":" + path, "After"} })
		}
		p.turns(p.plain(), "Before", "After", func(path string) op { return op{"replace", strings.ToUpper(path), "After"} })
	}},
	{"P-28", Should, "The URN of an extension stands for all its attributes.", "RFC 7644 section 3.10", false, func(p *probe) {
		at, v := p.extended(), p.word()
		p.turns(at, nil, v, func(string) op { return op{"add", at.urn, Object{at.name: v}} })
	}},
	{"P-29", Must, "A filter in a path follows the rules of filters: names and operators ignore case, and so do values whose case does not matter.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.both("a", "b")...)
		p.patch(path, op{"replace", m.name + `[TYPE EQ "` + strings.ToUpper(m.kinds[1]) + `"].value`, m.valueOf("c")}).want(200, 204)
		p.holds(path, m, "a", "c")
	}},
	{"P-34", Must, "Who writes an attribute of an extension adds the extension to the schemas.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		at, v := p.extended(), p.word()
		path, _ := p.user()
		p.patch(path, op{"add", at.String(), v}).want(200, 204)
		a := p.get(path).want(200).is(at, v)
		for _, s := range texts(a.json["schemas"]) {
			if strings.EqualFold(s, at.urn) {
				return
			}
		}
		a.fail("schemas is %s, want %s in it", show(a.json["schemas"]), at.urn)
	}},
	{"P-56", Should, "A value without a path may have names with dots, and names behind a URN.", "the practice of clients", false, func(p *probe) {
		p.needs("patch")
		at := p.dotted()
		path, _ := p.user()
		p.patch(path, op{Op: "replace", Value: Object{at.String(): "After"}}).want(200, 204)
		p.get(path).want(200).is(at, "After")
	}},
}

// dotted is a text with more than a name.
func (p *probe) dotted() attr {
	for _, a := range p.plainTexts() {
		if a.sub != "" || a.urn != "" {
			return a
		}
	}
	p.skip("users have no text in a complex attribute or an extension that is free to be set")
	return attr{}
}
