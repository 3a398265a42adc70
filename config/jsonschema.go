package config

import (
	"encoding/json"
	"reflect"
)

// JSONSchema is the JSON Schema of a configuration file, for editors. It knows
// every key and value of the spec; what depends on a backend's type is allowed
// for every type.
func JSONSchema() ([]byte, error) {
	s := root().shape.json()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Postern configuration"
	defs := object{}
	for _, d := range root().shape.sharedBlocks(nil) {
		defs[d.shared] = d.json()
	}
	s["$defs"] = defs
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

type object = map[string]any

func (s *shape) json() object {
	switch {
	case s.block != nil && s.block.shared != "":
		return s.orShort(object{"$ref": "#/$defs/" + s.block.shared})
	case s.block != nil:
		return s.orShort(s.block.json())
	case s.isMap:
		o := object{"type": []string{"object", "null"}, "additionalProperties": s.item.json()}
		if s.match != "" {
			o["propertyNames"] = object{"pattern": s.match}
		}
		return s.orShort(o)
	case s.item != nil:
		return s.orShort(object{"type": []string{"array", "null"}, "items": s.item.json()})
	case len(s.enum) > 0:
		return object{"enum": s.enum}
	}
	o := object{"type": s.types}
	if len(s.types) == 1 {
		o["type"] = s.types[0]
	}
	if s.match != "" && !s.secret {
		o["pattern"] = s.match
	}
	return o
}

// sharedBlocks adds the blocks below a shape that are described once.
func (s *shape) sharedBlocks(found []*description) []*description {
	if s == nil {
		return found
	}
	found = s.item.sharedBlocks(found)
	if s.block == nil {
		return found
	}
	if s.block.shared != "" {
		for _, d := range found {
			if d.shared == s.block.shared {
				return found
			}
		}
		found = append(found, s.block)
	}
	for _, e := range s.block.all() {
		found = e.shape.sharedBlocks(found)
	}
	return found
}

// orShort allows the short form beside the long one.
func (s *shape) orShort(long object) object {
	if s.short == nil {
		return long
	}
	return object{"anyOf": []object{s.short.json(), long}}
}

func (d *description) json() object {
	properties := object{}
	for _, e := range d.all() {
		p := e.shape.json()
		p["description"] = e.doc
		if scalar := e.shape.block == nil && e.shape.item == nil; scalar && e.fallback != "" {
			p["default"] = e.defaultJSON()
		}
		if other, ok := properties[e.name].(object); ok && !reflect.DeepEqual(other, p) {
			p = object{"anyOf": []object{other, p}} // another kind has a key of that name
		}
		properties[e.name] = p
	}
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	var required []string
	for _, e := range d.entries {
		if e.must {
			required = append(required, e.name)
		}
	}
	if required != nil {
		o["required"] = required
	} else {
		o["type"] = []string{"object", "null"}
	}
	return o
}

// defaultJSON is the default in the type that an editor would write.
func (e entry) defaultJSON() any {
	if len(e.shape.types) == 1 && (e.shape.types[0] == "boolean" || e.shape.types[0] == "integer") {
		return json.RawMessage(e.fallback)
	}
	return e.fallback
}
