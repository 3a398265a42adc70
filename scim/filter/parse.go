package filter

import "strings"

// Parse reads a filter. Errors are *Error.
func Parse(text string, lim Limits) (Expr, error) {
	p, err := newParser(text, "filter", lim)
	if err != nil {
		return nil, err
	}
	p.spaces()
	if p.atEnd() {
		return nil, p.errorf(0, "the filter is empty")
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.atEnd() {
		return nil, p.unexpected("")
	}
	return e, nil
}

// unexpected is the error for whatever stands after a finished term.
func (p *parser) unexpected(open string) error {
	switch c := p.peek(); {
	case p.atEnd():
		return p.errorf(p.pos, "the text ends and a %q is not closed", open)
	case c == ')' && open != "(":
		return p.errorf(p.pos, `")" closes nothing`)
	case c == ']' && open != "[":
		return p.errorf(p.pos, `"]" closes nothing`)
	case c == '[':
		return p.errorf(p.pos, `"[" must follow an attribute name directly`)
	}
	want := map[string]string{"": "the end", "(": `")"`, "[": `"]"`}[open]
	return p.errorf(p.pos, `unexpected %s; expected "and", "or" or %s`, p.token(p.pos), want)
}

func (p *parser) or() (Expr, error) {
	first, err := p.and()
	if err != nil || !p.keyword("or") {
		return first, err
	}
	terms := Or{first}
	for more := true; more; more = p.keyword("or") {
		t, err := p.and()
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// and reads terms, and the spaces after them.
func (p *parser) and() (Expr, error) {
	first, err := p.term()
	if err != nil || !p.keyword("and") {
		p.spaces()
		return first, err
	}
	terms := And{first}
	for more := true; more; more = p.keyword("and") {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	p.spaces()
	return terms, nil
}

func (p *parser) term() (Expr, error) {
	p.spaces()
	at := p.pos
	switch c := p.peek(); {
	case p.atEnd():
		return nil, p.errorf(at, "the text ends where a comparison was expected")
	case c == '(':
		return p.group('(', ')')
	case !isNameStart(c):
		return nil, p.errorf(at, "unexpected %s; expected an attribute name", p.token(at))
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.peek() == '[' {
		return p.element(name, at)
	}
	if strings.EqualFold(name, "not") && p.parenthesisNext() {
		t, err := p.group('(', ')')
		return Not{t}, err
	}
	return p.compare(name, at)
}

// parenthesisNext skips spaces if a parenthesis follows them.
func (p *parser) parenthesisNext() bool {
	back := p.pos
	p.spaces()
	if p.peek() == '(' {
		return true
	}
	p.pos = back
	return false
}

// group reads a filter between two brackets.
func (p *parser) group(open, close byte) (Expr, error) {
	at := p.pos
	p.pos++
	if p.depth++; p.depth > p.lim.Depth {
		return nil, p.errorf(at, "brackets are nested deeper than %d", p.lim.Depth)
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(close) {
		return nil, p.unexpected(string(open))
	}
	p.depth--
	return e, nil
}

// compare reads what follows the name: operator and value.
func (p *parser) compare(name string, at int) (*Compare, error) {
	if p.terms++; p.terms > p.lim.Terms {
		return nil, p.errorf(at, "there are more than %d comparisons", p.lim.Terms)
	}
	c := &Compare{Name: name, Pos: at}
	if err := p.operator(c); err != nil || c.Op == Pr {
		return c, err
	}
	op := p.text[p.pos-2 : p.pos]
	p.spaces()
	if p.atEnd() {
		return nil, p.errorf(p.pos, "the text ends where a value was expected after %q", op)
	}
	var err error
	c.Value, err = p.value(op)
	return c, err
}

func (p *parser) operator(c *Compare) error {
	p.spaces()
	at := p.pos
	word := p.word(at)
	for o, n := range opNames {
		if len(word) == 2 && strings.EqualFold(word, n) {
			c.Op = Op(o)
			p.pos += 2
			return nil
		}
	}
	switch {
	case strings.EqualFold(c.Name, "not"):
		return p.errorf(c.Pos, `%q needs a filter in parentheses after it, as in not (active eq true)`, c.Name)
	case strings.EqualFold(c.Name, "and"), strings.EqualFold(c.Name, "or"):
		return p.errorf(c.Pos, "%q stands where a comparison was expected", c.Name)
	case p.atEnd():
		return p.errorf(at, "the text ends where an operator was expected after %s", quote(c.Name))
	case p.peek() == '[':
		return p.errorf(at, `"[" must follow an attribute name directly`)
	case word == "", strings.EqualFold(word, "and"), strings.EqualFold(word, "or"):
		return p.errorf(at, "unexpected %s; expected an operator after %s", p.token(at), quote(c.Name))
	}
	return p.errorf(at, "%s", unknownOperator(word))
}

// element reads name[filter] and the F-09 form name[filter].sub op value.
func (p *parser) element(name string, at int) (Expr, error) {
	where, err := p.brackets(name)
	if err != nil {
		return nil, err
	}
	e := &Element{Name: name, Where: where, Pos: at}
	if p.peek() != '.' {
		return e, nil
	}
	sub, subAt, err := p.sub()
	if err != nil {
		return nil, err
	}
	c, err := p.compare(sub, subAt)
	if err != nil {
		return nil, err
	}
	terms, ok := where.(And)
	if !ok {
		terms = And{where}
	}
	e.Where = append(terms, c)
	return e, nil
}

// brackets reads [filter] after the name.
func (p *parser) brackets(name string) (Expr, error) {
	at := p.pos
	if p.inside {
		return nil, p.errorf(at, `"[" cannot stand within "[ ]"`)
	}
	if p.isIndex() {
		return nil, p.errorf(at, "%s: elements have no index; choose them by a filter, as in emails[type eq \"work\"]",
			quote(p.text[at:p.pos]))
	}
	if strings.HasPrefix(strings.TrimLeft(p.text[at+1:], " "), "]") {
		return nil, p.errorf(at, `the filter in "[ ]" is empty`)
	}
	p.inside = true
	where, err := p.group('[', ']')
	p.inside = false
	return where, err
}

// isIndex reports whether [0], [-] or [*] stands here, and then skips it.
func (p *parser) isIndex() bool {
	end := strings.IndexByte(p.text[p.pos:], ']')
	if end < 0 {
		return false
	}
	in := strings.TrimSpace(p.text[p.pos+1 : p.pos+end])
	if in == "" || in != "*" && strings.Trim(in, "-0123456789") != "" {
		return false
	}
	p.pos += end + 1
	return true
}

// sub reads .name after a bracket.
func (p *parser) sub() (name string, at int, err error) {
	p.pos++
	at = p.pos
	if !isNameStart(p.peek()) {
		return "", at, p.errorf(at, `"]." needs the name of a sub-attribute after it`)
	}
	name, err = p.name()
	if err == nil && strings.ContainsAny(name, ".:") {
		err = p.errorf(at, "%s is no sub-attribute: after \"]\" only one name is possible", quote(name))
	}
	return name, at, err
}
