package rules

import "github.com/postern/postern/scim"

// What a configuration says about attributes besides how they are mapped: by which
// of them creates are correlated with records, and by which resources end.

// correlation finds the attributes by which creates are correlated: texts that a
// rule makes of what the backend holds.
func (c *compiler) correlation() {
	l := c.m.Type.Layout
	for _, written := range c.in.Correlate {
		p, ok := parsePath(written, c.in.Aliases, &c.ps)
		if !ok {
			continue
		}
		pl, ok := p.resolve(c.full, c.in.Aliases, &c.ps)
		if !ok {
			continue
		}
		a := l.Resolve(pl.attr.Path())
		switch {
		case len(pl.consts) > 0:
			c.ps.add(written, "as in emails.value", "a create cannot be correlated by one element")
		case a == nil || a == l.ID || a == l.ExternalID && c.ruleFor(a) == nil:
			c.ps.add(written, "name one that attributes maps", "%s is not mapped, and so no record can be found by it", c.short(pl.attr))
		case a.Type != scim.TypeString || len(a.Sub) > 0:
			c.ps.add(written, "name a text, such as userName", "a create cannot be correlated by %s", article(a))
		default:
			c.m.correlate = append(c.m.correlate, a)
		}
	}
	if c.in.Reactivate.Value != "" && !c.switches() {
		c.ps.add(c.in.Reactivate, "map active, so that it can be read and written", "nothing can be reactivated where active is not mapped both ways")
	}
	c.ending()
}

// switches reports whether resources can be set active and inactive.
func (c *compiler) switches() bool {
	r := c.ruleFor(c.m.Type.Layout.Find("active"))
	return r != nil && r.readable && r.writable
}

// ending finds the attribute after whose time a resource is set inactive.
func (c *compiler) ending() {
	written := c.in.Ends
	if written.Value == "" {
		return
	}
	if !c.switches() {
		c.ps.add(written, "map active, so that it can be read and written", "nothing can be set inactive where active is not mapped both ways")
	}
	p, ok := parsePath(written, c.in.Aliases, &c.ps)
	if !ok {
		return
	}
	pl, ok := p.resolve(c.full, c.in.Aliases, &c.ps)
	if !ok {
		return
	}
	a := c.m.Type.Layout.Resolve(pl.attr.Path())
	switch r := c.ruleFor(a); {
	case r == nil || !r.readable:
		c.ps.add(written, "name one that attributes maps", "%s is not mapped, and so nobody knows when it is", c.short(pl.attr))
	case a.Type != scim.TypeDateTime || a.MultiValued || pl.element != nil:
		c.ps.add(written, "name a single dateTime", "a resource cannot end by %s", article(a))
	default:
		c.m.ends = a
	}
}

// ruleFor is a rule that makes the attribute, or nil.
func (c *compiler) ruleFor(a *scim.Attribute) *Rule {
	for _, r := range c.m.rules {
		if a != nil && r.attr == a {
			return r
		}
	}
	return nil
}
