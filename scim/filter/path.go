package filter

import (
	"strings"
	"unicode/utf8"
)

// ParsePath reads the path of a PATCH operation (RFC 7644 section 3.5.2, figure
// 7): userName, name.familyName, emails[type eq "work"], the same with
// .value, each after the URN of a schema, or the URN of an extension alone
// (P-28), which is then the Name. The bare expression schemas eq "urn:x" (P-21)
// is read as schemas[value eq "urn:x"]. Errors are *Error; InFilter tells a bad
// filter within [ ] from a bad path.
func ParsePath(text string, lim Limits) (Target, error) {
	p, err := newParser(text, "path", lim)
	if err != nil {
		return Target{}, outside(err)
	}
	if text == "" {
		return Target{}, outside(p.errorf(0, "the path is empty"))
	}
	if !isNameStart(text[0]) {
		return Target{}, outside(p.errorf(0, "unexpected %s; expected an attribute name", p.token(0)))
	}
	var t Target
	if t.Name, err = p.name(); err != nil {
		return Target{}, outside(err)
	}
	switch {
	case p.peek() == '[':
		err = p.selection(&t)
	case !p.atEnd():
		err = outside(p.expression(&t))
	}
	if err != nil {
		return Target{}, err
	}
	return t, nil
}

// selection reads [filter] and .sub.
func (p *parser) selection(t *Target) (err error) {
	index := *p
	if index.isIndex() {
		_, err = p.brackets(t.Name)
		return outside(err)
	}
	if t.Where, err = p.brackets(t.Name); err != nil {
		return p.closed(err)
	}
	if p.peek() == '.' {
		if t.Sub, _, err = p.sub(); err != nil {
			return outside(err)
		}
	}
	if !p.atEnd() {
		return outside(p.errorf(p.pos, "unexpected %s after the path", p.token(p.pos)))
	}
	return nil
}

// expression reads the operator and value of a bare expression.
func (p *parser) expression(t *Target) error {
	if strings.TrimSpace(p.text[p.pos:]) == "" {
		return p.errorf(p.pos, "the path ends in a space")
	}
	if !isSpace(p.peek()) {
		return p.errorf(p.pos, "unexpected %s after the path", p.token(p.pos))
	}
	c, err := p.compare(t.Name, 0)
	if err != nil {
		return err
	}
	if !p.atEnd() {
		return p.errorf(p.pos, "unexpected %s after the path", p.token(p.pos))
	}
	c.Name = "value"
	t.Where = c
	return nil
}

// outside marks an error as one of the path.
func outside(err error) error {
	if e, ok := err.(*Error); ok && e != nil {
		e.InFilter = false
	}
	return err
}

// closed is the error of a filter, or of the path if its bracket never closes.
func (p *parser) closed(err error) error {
	if e, ok := err.(*Error); ok && e.Pos > utf8.RuneCountInString(p.text) {
		return outside(err)
	}
	return err
}
