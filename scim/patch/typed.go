package patch

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// typed gives the value of a resolved draft the type of its target.
func (p *parser) typed(d *draft) error {
	if d.op == Remove {
		return p.removal(d)
	}
	if !d.hasValue {
		return noValue(d.op) // P-35
	}
	p.rewrite(d, ofValue)
	if p.isSplit(d) {
		return p.split(d)
	}
	v, err := p.value(d)
	if err != nil {
		return err
	}
	p.emit(d, v)
	return nil
}

// isSplit reports whether the value is taken apart: objects for a single-valued
// complex attribute, or the container of an extension, of which only the named
// parts change (P-38, P-51).
func (p *parser) isSplit(d *draft) bool {
	return d.sub == nil && !d.attr.MultiValued && d.attr.Type == scim.TypeComplex && d.attr.Mutability != scim.ReadOnly &&
		d.value.Kind == scim.NodeObject
}

func (p *parser) split(d *draft) error {
	for _, m := range valueFirst(d.value.Members) {
		sub := d.attr.Find(m.Name)
		if sub == nil {
			if err := p.unknownPart(d, m); err != nil {
				return err
			}
			continue
		}
		if sub.Mutability == scim.ReadOnly && !d.attr.IsExtension() {
			continue // the manager's displayName is filled in by the server
		}
		part := d.part(sub, m.Value)
		part.repeat = d.repeat || d.attr.IsExtension()
		if err := p.typed(&part); err != nil {
			return err
		}
	}
	return nil
}

// valueFirst puts a reference's value in front of what describes it, which a new
// value takes away.
func valueFirst(members []scim.Member) []scim.Member {
	i := slices.IndexFunc(members, func(m scim.Member) bool { return strings.EqualFold(m.Name, "value") })
	if i <= 0 {
		return members
	}
	return slices.Concat(members[i:i+1], members[:i], members[i+1:])
}

// unknownPart is a name that the complex attribute does not have. It may be
// dotted, as in {"manager.value": "x"} within an extension.
func (p *parser) unknownPart(d *draft, m scim.Member) error {
	part := d.part(nil, m.Value)
	separator := "."
	if d.attr.IsExtension() {
		separator = ":"
	}
	part.path, part.hasPath = d.attr.Path()+separator+m.Name, true
	if !strings.Contains(m.Name, ".") {
		return p.unknownKey(&part)
	}
	return p.key(&part)
}

// value reads the JSON value for the target.
func (p *parser) value(d *draft) (scim.Value, error) {
	if isEmptyNode(d.value) {
		return scim.Value{}, nil // P-54
	}
	if err := p.shape(d); err != nil {
		return scim.Value{}, err
	}
	if d.attr.MultiValued && d.sub == nil {
		return p.elements(d)
	}
	return schema.ParseValue(d.aimed(), d.value, p.schemaOptions(d))
}

// shape refuses, if asked to be strict, an array where one value belongs and the
// reverse, which the schema would read with tolerance.
func (p *parser) shape(d *draft) error {
	isArray := d.value.Kind == scim.NodeArray
	switch {
	case !p.Strict || (d.op == Remove && d.where != nil):
	case d.many() && !isArray:
		return scim.Bad(scim.InvalidValue, "%q is multi-valued: expected an array, found %s.", d.aimed().Path(), d.value.Kind)
	case !d.many() && isArray:
		return scim.Bad(scim.InvalidValue, "%q takes one value here: found an array.", d.aimed().Path())
	case d.aimed().Type == scim.TypeComplex && isScalar(d.value):
		return scim.Bad(scim.InvalidValue, "%q is complex: expected an object, found %s.", d.aimed().Path(), d.value.Kind)
	}
	return nil
}

func (p *parser) schemaOptions(d *draft) schema.Options {
	return schema.Options{Reject: p.Reject, StrictBooleans: p.Strict, Warn: func(text string) { p.warn(d.index, "%s", text) }}
}

// elements reads one element, where the path selects, or a list.
func (p *parser) elements(d *draft) (scim.Value, error) {
	if len(d.value.Items) > p.Values {
		return scim.Value{}, scim.Errorf(413, "", "value has %d elements; at most %d are taken at once. Send it in parts.",
			len(d.value.Items), p.Values)
	}
	if !d.many() && d.op != Remove {
		if d.op == Replace {
			if err := haveValue(d.attr, []scim.Node{d.value}); err != nil {
				return scim.Value{}, err
			}
		}
		return schema.ParseElement(d.attr, d.value, p.schemaOptions(d))
	}
	if d.attr.Type != scim.TypeComplex || d.attr.Mutability == scim.ReadOnly {
		return schema.ParseValue(d.attr, d.value, p.schemaOptions(d))
	}
	if err := haveValue(d.attr, d.value.Items); err != nil {
		return scim.Value{}, err
	}
	v, err := schema.ParseValue(d.attr, d.value, p.schemaOptions(d))
	if err != nil || d.op == Remove {
		return v, err
	}
	// A type without an e-mail address adds none.
	return scim.List(slices.DeleteFunc(slices.Clone(v.Elems()), func(e scim.Value) bool { return onlyLabels(d.attr, e) })...), nil
}

// haveValue refuses references without value. They must not be taken for
// nothing, or a replace would empty the list.
func haveValue(a *scim.Attribute, items []scim.Node) error {
	if !isReferences(a) {
		return nil
	}
	for _, n := range items {
		if id, _ := n.Find("value"); id.Kind == scim.NodeNull || (id.Kind == scim.NodeString && id.Str == "") {
			return scim.Bad(scim.InvalidValue, "Each element of %q needs a value, the id of what it refers to.", a.Path())
		}
	}
	return nil
}

// removal reads a remove. A value is no part of it in RFC 7644, but where clients
// send one for a multi-valued attribute it lists what to remove, and nothing else
// may go (P-48, J1). Of a single-valued target there is only one thing to remove.
func (p *parser) removal(d *draft) error {
	if !d.hasValue || d.value.Kind == scim.NodeNull {
		if listed, ok := listedByFilter(d); ok {
			d.where = nil
			p.emit(d, listed)
			return nil
		}
		p.emit(d, scim.Value{})
		return nil
	}
	if !(d.attr.MultiValued && d.sub == nil) && !d.many() {
		d.note(valueOfRemove)
		p.emit(d, scim.Value{})
		return nil
	}
	d.note(listOfRemove)
	p.rewrite(d, ofValue)
	v, err := p.value(d)
	if err != nil {
		return err
	}
	if !v.Present() {
		return p.emptyList(d)
	}
	p.emit(d, v)
	return nil
}

// emptyList is a remove whose list names nothing: nothing goes. Elements without
// content in it are a mistake that must not be taken for one.
func (p *parser) emptyList(d *draft) error {
	if isEmptyNode(d.value) {
		p.warn(d.index, "the list of values to remove from %q is empty: nothing is removed", d.attr.Path())
		return nil
	}
	return scim.Bad(scim.InvalidValue, "value does not say which elements of %q to remove; give each its value.", d.attr.Path())
}
