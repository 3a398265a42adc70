package scim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A place is where a field is in a resource.
type place struct {
	field string
	urn   string // of an extension, "" for the core
	attr  string
	where []term // of an element
	sub   string
	multi bool // all values, not one
}

// A term is what an element must have: type eq "work".
type term struct {
	name  string
	value any
}

// parse reads an attribute path.
func parse(field string, multi bool) (place, error) {
	t, err := filter.ParsePath(field, filter.Limits{})
	if err != nil {
		return place{}, err
	}
	p := place{field: field, attr: t.Name, sub: t.Sub, multi: multi}
	if strings.HasPrefix(strings.ToLower(t.Name), "urn:") {
		i := strings.LastIndex(t.Name, ":")
		p.urn, p.attr = t.Name[:i], t.Name[i+1:]
		if strings.HasPrefix(strings.ToLower(p.urn), "urn:ietf:params:scim:schemas:core:") {
			p.urn = ""
		}
	}
	if attr, sub, ok := strings.Cut(p.attr, "."); ok && p.sub == "" {
		p.attr, p.sub = attr, sub
	}
	if t.Where != nil {
		if p.where, err = terms(t.Where); err != nil {
			return place{}, err
		}
		if p.sub == "" {
			p.sub = "value"
		}
	}
	return p, nil
}

var errWhere = errors.New("an element is chosen by eq, and by several joined with and")

func terms(e filter.Expr) ([]term, error) {
	switch e := e.(type) {
	case filter.And:
		var out []term
		for _, x := range e {
			more, err := terms(x)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, nil
	case *filter.Compare:
		switch {
		case e.Op == filter.Eq && e.Value.Kind == filter.String:
			return []term{{e.Name, e.Value.Str}}, nil
		case e.Op == filter.Eq && e.Value.Kind == filter.Bool:
			return []term{{e.Name, e.Value.Num == 1}}, nil
		}
	}
	return nil, errWhere
}

// is reports whether an element is the one meant.
func (p *place) is(element any) bool {
	o, ok := element.(object)
	return ok && !slices.ContainsFunc(p.where, func(t term) bool {
		v := field(o, t.name)
		text, isText := v.(string)
		if want, both := t.value.(string); both && isText {
			return !strings.EqualFold(text, want)
		}
		return v != t.value && (v != nil || t.value != false)
	})
}

// holder is the object that has the attribute: the resource, or an extension of it.
func (p *place) holder(doc object) object {
	if p.urn == "" {
		return doc
	}
	o, _ := field(doc, p.urn).(object)
	return o
}

// read is the value of the field in a resource.
func (p *place) read(doc object) any {
	v := field(p.holder(doc), p.attr)
	list, isList := v.([]any)
	switch {
	case p.multi:
		return p.values(list)
	case p.where != nil:
		i := slices.IndexFunc(list, p.is)
		if i < 0 {
			return nil
		}
		v = list[i]
	case isList:
		v = chief(list)
	}
	return p.part(v)
}

func (p *place) values(list []any) any {
	out := []any{}
	for _, e := range list {
		if v := p.part(e); v != nil {
			out = append(out, v)
		}
	}
	return out
}

// part is the sub-attribute of a complex value, or the value itself.
func (p *place) part(v any) any {
	o, complex := v.(object)
	if !complex {
		return v
	}
	if p.sub != "" {
		return field(o, p.sub)
	}
	return field(o, "value")
}

// chief is the primary element of a list, or the first.
func chief(list []any) any {
	for _, e := range list {
		if o, ok := e.(object); ok && field(o, "primary") == true {
			return e
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return nil
}

// write stores a value in a resource, nil for none.
func (p *place) write(doc object, v any) {
	o := p.holder(doc)
	if o == nil {
		if adapters.NoValue(v) {
			return
		}
		o = object{}
		doc[p.urn] = o
	}
	name, old := member(o, p.attr)
	list, isList := old.([]any)
	var now any
	switch {
	case p.multi:
		now = p.elements(list, v)
	case p.where != nil || isList:
		now = p.element(list, v)
	case p.sub != "":
		now = set(old, p.sub, v)
	default:
		now = v
	}
	if gone(now) {
		delete(o, name)
		return
	}
	o[name] = now
}

func gone(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case object:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// elements are the values as a list; elements that are there stay as they are.
func (p *place) elements(list []any, v any) any {
	out := []any{}
	wanted, _ := v.([]any)
	for _, w := range wanted {
		i := slices.IndexFunc(list, func(e any) bool { return p.part(e) == w })
		if i >= 0 {
			out = append(out, list[i])
		} else {
			out = append(out, object{"value": w})
		}
	}
	return out
}

// element changes the element that is meant, makes it, or takes it away.
func (p *place) element(list []any, v any) any {
	list = slices.Clone(list)
	i := slices.IndexFunc(list, p.is)
	if p.where == nil && len(list) > 0 {
		i = slices.IndexFunc(list, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(chief(list)) })
	}
	switch {
	case i < 0 && v == nil:
	case i < 0:
		e := object{p.name(): v}
		for _, t := range p.where {
			e[t.name] = t.value
		}
		list = append(list, e)
	case v == nil && p.name() == "value":
		list = slices.Delete(list, i, i+1)
	default:
		list[i] = set(list[i], p.name(), v)
	}
	return list
}

func (p *place) name() string {
	if p.sub == "" {
		return "value"
	}
	return p.sub
}

// set changes a sub-attribute of a complex value.
func set(old any, sub string, v any) object {
	out := object{}
	if o, ok := old.(object); ok {
		for n, x := range o {
			out[n] = x
		}
	}
	name, _ := member(out, sub)
	if v == nil {
		delete(out, name)
	} else {
		out[name] = v
	}
	return out
}

// path is the attribute as PATCH names it, without the element.
func (p *place) path() string {
	if p.urn != "" {
		return p.urn + ":" + p.attr
	}
	return p.attr
}

// simple reports whether PATCH can name the field itself whatever is there.
func (p *place) simple() bool { return p.where == nil && !p.multi }
