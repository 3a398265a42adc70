package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// A draft is a rule whose path is known in the full schema.
type draft struct {
	spec     Spec
	at       place
	computed bool // by its out, from other attributes: clients cannot write it
}

// inOnly and outOnly report rules that work in one direction.
func (d *draft) inOnly() bool {
	s := d.spec
	return d.computed || s.Mutability.Value == "readOnly" || s.In.Value != "" && (s.Out.Value == "" || s.Field.Value == "")
}

func (d *draft) outOnly() bool {
	s := d.spec
	return s.Mutability.Value == "writeOnly" || s.In.Value == "" && s.Out.Value != "" && !s.Kept
}

// plan finds every path's place and works out the schema that will be served.
func (c *compiler) plan() {
	c.view = newView()
	seen := map[string]int{}
	var whole []Spec // extensions
	for _, s := range c.in.Attributes {
		if c.extensionOf(s) != nil && s.Kept {
			whole = append(whole, s)
			continue
		}
		p, ok := parsePath(s.Path, c.in.Aliases, &c.ps)
		if !ok {
			continue
		}
		at, ok := p.resolve(c.full, c.in.Aliases, &c.ps)
		if !ok {
			continue
		}
		d := &draft{spec: s, at: at}
		d.computed = c.computed(d)
		c.include(d) // even if the rule is wrong: expressions may name the attribute
		if !c.check(d) {
			continue
		}
		if line, dup := seen[d.at.id()]; dup {
			c.ps.add(s.Path, "delete one of the two", "%s is mapped twice, first in line %d", s.Path.Value, line)
			continue
		}
		seen[d.at.id()] = s.Path.Line
		c.drafts = append(c.drafts, d)
	}
	c.keepExtensions(whole)
	c.checkOverlaps()
	c.checkRequired()
	c.characteristics()
}

// include keeps in the served schema what a rule maps.
func (c *compiler) include(d *draft) {
	for _, f := range d.at.consts {
		c.view.includeOnly(f.attr)
	}
	a, s := d.at.attr, d.spec
	switch {
	case s.Rows != nil:
		c.includeRows(a, s.Rows)
	case s.Refers.Value != "":
		c.includeReference(a)
	case a.Type == scim.TypeComplex && (s.Split.Value != "" || c.isList(d)) && s.In.Value == "" && a.Find("value") != nil:
		c.view.includeOnly(a.Find("value"))
	default:
		c.view.include(a)
	}
}

// includeReference keeps of a reference what Postern can fill: value, $ref, type.
func (c *compiler) includeReference(a *scim.Attribute) {
	c.view.includeOnly(a)
	for _, n := range []string{"value", "$ref", "type"} {
		if s := holderOf(a).Find(n); s != nil {
			c.view.includeOnly(s)
		}
	}
}

// check refuses rules that could make no value, or the wrong one. A reference
// or a list that is mapped to the value of a multi-valued attribute means the
// attribute as a whole.
func (c *compiler) check(d *draft) bool {
	s, before := d.spec, len(c.ps)
	whole := s.Refers.Value != "" || s.Split.Value != "" || s.Relation != nil || s.Rows != nil
	if d.at.element != nil && whole {
		if len(d.at.consts) > 0 || !strings.EqualFold(d.at.attr.Name, "value") {
			c.ps.add(s.Path, "write "+c.short(d.at.element), "refers, split, columns and join tables make whole elements of %s, and this is a part of one", c.short(d.at.element))
			return false
		}
		d.at = place{attr: d.at.element}
	}
	c.checkGoal(d)
	c.checkSource(d)
	c.checkOverrides(d)
	return len(c.ps) == before
}

// checkGoal refuses attributes that are not for rules to make.
func (c *compiler) checkGoal(d *draft) {
	a, l := d.at.attr, c.full
	meta := a == l.Meta || a.Parent() == l.Meta && a.Name != "created" && a.Name != "lastModified"
	if a == l.ID || a == l.Schemas || meta {
		c.ps.add(d.spec.Path, "", "%s is made by Postern, not by a rule", c.short(a))
	}
}

// checkSource refuses combinations that say too little, or two things at once.
func (c *compiler) checkSource(d *draft) {
	s, a := d.spec, d.at.attr
	expression := s.In.Value != "" || s.Out.Value != ""
	if s.Rows != nil {
		if !a.MultiValued {
			c.ps.add(s.Path, "", "%s has one value, and rows of a table give several", s.Path.Value)
			return
		}
		c.checkRows(d)
		return
	}
	if s.Kept && !c.checkKept(d) {
		return
	}
	if !c.checkJoined(d) {
		return
	}
	one := s.Relation == nil && !expression && s.Refers.Value == "" && s.Split.Value == ""
	switch {
	case s.Kept && s.Field.Value == "":
	case s.Field.Value == "" && s.Relation == nil && !expression:
		c.ps.add(s.Path, "name a field, or write an expression with in or out", "the rule for %s does not say where its value comes from", s.Path.Value)
	case s.Out.Value != "" && s.Field.Value == "":
		c.ps.add(s.Out, "add name, the field that takes the value", "out computes what a field holds, and no field is named")
	case s.Relation != nil && !a.MultiValued:
		c.ps.add(s.Path, "", "%s has one value, and a join table gives several", s.Path.Value)
	case s.Relation != nil && s.Refers.Value == "":
		c.ps.add(s.Path, "add refers: User or refers: Group", "a join table needs the resource type that its values are")
	case expression && (s.Refers.Value != "" || s.Relation != nil):
		c.ps.add(s.Path, "", "the values of %s are keys, which no expression may see", s.Path.Value)
	case expression && (len(s.Values) > 0 || s.Split.Value != "" || s.Format.Value != ""):
		c.ps.add(s.Path, "use one of the two", "the rule for %s has an expression and values, split or format", s.Path.Value)
	case s.Refers.Value != "" && (len(s.Values) > 0 || s.Format.Value != ""):
		c.ps.add(s.Path, "", "the values of %s are keys: values and format do not go with refers", s.Path.Value)
	case s.Refers.Value != "" && holderOf(a).Type == scim.TypeComplex && holderOf(a).Find("value") == nil:
		c.ps.add(s.Path, "", "%s has no sub-attribute value that could refer to a %s", s.Path.Value, s.Refers.Value)
	case s.Split.Value != "" && !a.MultiValued:
		c.ps.add(s.Split, "", "%s has one value, and split makes several", s.Path.Value)
	case s.Split.Value != "" && a.Type == scim.TypeComplex && a.Find("value") == nil:
		c.ps.add(s.Split, "", "%s has no sub-attribute value for the parts", s.Path.Value)
	case c.isList(d):
	case one && a.Type == scim.TypeComplex:
		c.ps.add(s.Path, "map its sub-attributes, as "+d.example(), "%s is complex, and one field cannot hold it", s.Path.Value)
	case one && a.MultiValued:
		c.ps.add(s.Path, `add split: "," if the field holds them all`, "%s has several values, and one field holds one", s.Path.Value)
	}
	if s.Format.Value != "" && a.Type != scim.TypeDateTime {
		c.ps.add(s.Format, "", "format says how a dateTime is stored, and %s is %s", c.short(a), article(a))
	}
}

// example is a path of a sub-attribute of a complex attribute.
func (d *draft) example() string {
	a, name := d.at.attr, d.spec.Path.Value
	switch {
	case a.MultiValued && a.Find("type") != nil && a.Find("value") != nil:
		return name + `[type eq "work"].value`
	case len(a.Sub) > 0:
		return name + "." + a.Sub[0].Name
	}
	return name
}

func (c *compiler) checkOverrides(d *draft) {
	s := d.spec
	if v := s.Mutability.Value; v != "" && v != "readOnly" && v != "immutable" && v != "writeOnly" {
		c.ps.add(s.Mutability, "readOnly, immutable or writeOnly", "mutability %q cannot be set here", v)
	}
	if _, ok := scim.ParseUnique(s.Uniqueness.Value); s.Uniqueness.Value != "" && !ok {
		c.ps.add(s.Uniqueness, "none, server or global", "there is no uniqueness %q", s.Uniqueness.Value)
	}
}

// checkOverlaps refuses an attribute that is mapped as a whole and in parts:
// one would overwrite the other.
func (c *compiler) checkOverlaps() {
	whole := map[*scim.Attribute]Text{}
	for _, d := range c.drafts {
		if a := d.at.attr; a.Type == scim.TypeComplex {
			whole[a] = d.spec.Path
		}
	}
	for _, d := range c.drafts {
		for a := d.at.attr.Parent(); a != nil; a = a.Parent() {
			if by, ok := whole[a]; ok {
				c.ps.add(d.spec.Path, "delete one of the two", "%s is mapped as a whole in line %d, and here in part", by.Value, by.Line)
			}
		}
	}
}

func (c *compiler) checkRequired() {
	for _, a := range c.full.Attributes() {
		mapped := c.view.keep[strings.ToLower(a.Path())]
		if a.Required && a.Schema() == c.in.Schema.ID && !mapped && !slices.ContainsFunc(c.in.Attributes, named(a)) {
			c.ps.add(c.in.At, "add a line such as "+a.Name+": COLUMN", "a %s must have the attribute %s, and no rule makes it", c.in.Name, a.Name)
		}
	}
}

// named finds the attempt at a rule, of which something else is wrong.
func named(a *scim.Attribute) func(Spec) bool {
	return func(s Spec) bool { return strings.HasPrefix(strings.ToLower(s.Path.Value), strings.ToLower(a.Name)) }
}
