package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// What may be kept beside records, and what may not.

// checkKept refuses what cannot be kept; false if it did.
func (c *compiler) checkKept(d *draft) bool {
	s, a, before := d.spec, d.at.attr, len(c.ps)
	switch {
	case a == c.full.ExternalID:
		c.ps.add(s.KeptAt, "delete the line", "externalId is kept already, for each client its own")
	case secret(a):
		c.ps.add(s.KeptAt, "name the field that takes it", "%s is a secret, and secrets are never kept", c.short(a))
	case c.pointsAway(a):
		c.ps.add(s.KeptAt, "", "%s names other resources, and what is kept could not follow them", c.short(a))
	case s.In.Value != "" || len(s.Values) > 0 || s.Split.Value != "" || s.Format.Value != "" || s.Refers.Value != "" || s.Lookup != nil:
		c.ps.add(s.KeptAt, "delete what stands beside it, but for name and out", "what is kept of %s is what the client sent, as it was sent", c.short(a))
	case c.isTime(d) && (s.Field.Value != "" || s.Out.Value != ""):
		c.ps.add(s.KeptAt, "use one of the two", "%s is either kept or a field", c.short(a))
	case !c.isTime(d) && (readOnly(a) || s.Mutability.Value == "readOnly"):
		c.ps.add(s.KeptAt, "", "%s is readOnly: there would be nothing to keep", c.short(a))
	}
	return len(c.ps) == before
}

// isTime reports meta.created and meta.lastModified, which the mapping table has by
// itself.
func (c *compiler) isTime(d *draft) bool { return d.at.attr.Parent() == c.full.Meta }

// secret reports an attribute that no answer may hold, or of which a part may not.
func secret(a *scim.Attribute) bool {
	for p := a; p != nil; p = p.Parent() {
		if p.Returned == scim.ReturnedNever || p.Mutability == scim.WriteOnly {
			return true
		}
	}
	return slices.ContainsFunc(a.Sub, func(s *scim.Attribute) bool {
		return s.Returned == scim.ReturnedNever || s.Mutability == scim.WriteOnly
	})
}

// pointsAway reports an attribute whose values are the ids of resources: each client
// has ids of its own.
func (c *compiler) pointsAway(a *scim.Attribute) bool {
	if holderOf(a).Find("$ref") != nil && holderOf(a).Find("value") != nil {
		return true
	}
	for ; a != nil; a = a.Parent() {
		if a.Type == scim.TypeReference && slices.ContainsFunc(a.ReferenceTypes, func(t string) bool { return c.in.Types[t] != "" }) {
			return true
		}
	}
	return false
}

// extensionOf is the extension that a rule is for as a whole, nil for others.
func (c *compiler) extensionOf(s Spec) *scim.Attribute {
	urn := s.Path.Value
	if full, ok := c.in.Aliases[urn]; ok {
		urn = full
	}
	for _, e := range c.full.Extensions {
		if strings.EqualFold(e.Name, urn) {
			return e
		}
	}
	return nil
}

// keepExtensions makes a rule for each attribute of the extensions that has none of
// its own, and that can be kept.
func (c *compiler) keepExtensions(whole []Spec) {
	for _, s := range whole {
		e := c.extensionOf(s)
		if s.Field.Value != "" || s.Out.Value != "" || s.In.Value != "" || s.Default != nil || s.Relation != nil || s.Rows != nil ||
			len(s.Values) > 0 || s.Required || s.Uniqueness.Value != "" {
			c.ps.add(s.KeptAt, "say the other things of its attributes", "an extension as a whole can only be kept")
			continue
		}
		for _, a := range e.Sub {
			mapped := slices.ContainsFunc(c.drafts, func(d *draft) bool { return within(d.at.attr, a) })
			if mapped || secret(a) || c.pointsAway(a) || readOnly(a) {
				continue
			}
			d := &draft{spec: s, at: place{attr: a}}
			d.spec.Path.Value = s.Path.Value + ":" + a.Name
			c.include(d)
			c.drafts = append(c.drafts, d)
		}
	}
}

// checkMemories refuses expressions that would have Postern remember a secret, or
// several values.
func (c *compiler) checkMemories() {
	for _, r := range c.m.rules {
		if !r.remembers() {
			continue
		}
		if r.attr.Type == scim.TypeComplex || r.attr.MultiValued || r.group != nil {
			c.ps.add(r.spec.Out, "", "kept goes with an attribute that has one plain value")
		}
		for _, o := range c.m.rules {
			if o.field == r.field && secret(o.attr) {
				c.ps.add(r.spec.Out, "write another value instead, such as a random one",
					"the field %q holds a secret, of %s in line %d, and secrets are never kept", r.field, o.Path, o.Line)
			}
		}
	}
}
