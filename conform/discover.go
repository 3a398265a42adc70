package conform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What the server says of itself. It is read with tolerance: whether it is said in
// the right way is the business of checks.
type server struct {
	config  Object
	types   []resourceType
	schemas []schema
}

type resourceType struct {
	Name             string
	Endpoint         string
	Schema           string
	SchemaExtensions []struct {
		Schema   string
		Required bool
	}
}

type schema struct {
	ID         string
	Attributes []attribute
}

type attribute struct {
	Name, Type                       string
	MultiValued, Required, CaseExact bool
	Mutability, Returned, Uniqueness string
	CanonicalValues                  []string
	SubAttributes                    []attribute
}

// discover reads the three documents. Only a server that answers nothing at all is
// an error.
func (r *run) discover() error {
	p := &probe{run: r}
	config, err := p.exchange("GET", "/ServiceProviderConfig", nil, nil)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", r.base, err)
	}
	if config.status == 200 {
		r.server.config = config.json
	}
	types, err := p.exchange("GET", "/ResourceTypes", nil, nil)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", r.base, err)
	}
	if types.status == 401 || types.status == 403 {
		return fmt.Errorf("%s refuses the credential with status %d", r.base, types.status)
	}
	remember(types.json["Resources"], &r.server.types)
	if schemas, err := p.exchange("GET", "/Schemas", nil, nil); err == nil {
		remember(schemas.json["Resources"], &r.server.schemas)
	}
	if len(r.server.types) == 0 { // whoever does not say has these
		r.server.types = []resourceType{{Name: "User", Endpoint: "/Users", Schema: userURN}, {Name: "Group", Endpoint: "/Groups", Schema: groupURN}}
	}
	return nil
}

// remember decodes a list one by one, so that one broken element hides no other.
func remember[T any](list any, to *[]T) {
	for _, o := range objects(list) {
		var t T
		if data, err := json.Marshal(o); err == nil && json.Unmarshal(data, &t) == nil {
			*to = append(*to, t)
		}
	}
}

// supports reports what ServiceProviderConfig says.
func (s *server) supports(feature string) bool {
	yes, _ := object(s.config[feature])["supported"].(bool)
	return yes
}

// needs skips a check of what the server does not support.
func (p *probe) needs(features ...string) {
	for _, f := range features {
		if !p.server.supports(f) {
			p.skip("ServiceProviderConfig does not say that %s is supported", f)
		}
	}
}

func (s *server) schema(urn string) *schema {
	i := slices.IndexFunc(s.schemas, func(x schema) bool { return strings.EqualFold(x.ID, urn) })
	if i < 0 {
		return nil
	}
	return &s.schemas[i]
}

// typeOf is the resource type with a base schema, nil if there is none.
func (s *server) typeOf(urn string) *resourceType {
	i := slices.IndexFunc(s.types, func(t resourceType) bool { return strings.EqualFold(t.Schema, urn) })
	if i < 0 {
		return nil
	}
	return &s.types[i]
}

// users is the endpoint of users.
func (p *probe) users() string {
	if t := p.server.typeOf(userURN); t != nil {
		return t.Endpoint
	}
	p.skip("there is no resource type with the schema of User")
	return ""
}

func (p *probe) groups() string {
	if t := p.server.typeOf(groupURN); t != nil {
		return t.Endpoint
	}
	p.skip("there is no resource type with the schema of Group")
	return ""
}

// A place is an attribute with its definition.
type place struct {
	attr
	attribute
}

// places are the attributes of a type that are not complex, with parts and those of
// extensions. Of multi-valued attributes there are none.
func (s *server) places(t *resourceType) []place {
	var out []place
	urns := []string{t.Schema}
	for _, e := range t.SchemaExtensions {
		urns = append(urns, e.Schema)
	}
	for i, urn := range urns {
		sch := s.schema(urn)
		if sch == nil {
			continue
		}
		if i == 0 {
			urn = ""
		}
		for _, a := range sch.Attributes {
			if a.MultiValued {
				continue
			}
			if a.Type != "complex" {
				out = append(out, place{attr{urn: urn, name: a.Name}, a})
			}
			for _, sub := range a.SubAttributes {
				if sub.Mutability == "" || a.Mutability == "readOnly" {
					sub.Mutability = a.Mutability
				}
				out = append(out, place{attr{urn: urn, name: a.Name, sub: sub.Name}, sub})
			}
		}
	}
	return out
}

// find is the definition of a top-level attribute of users, nil if there is none.
func (s *server) find(urn, name string) *attribute {
	sch := s.schema(urn)
	if sch == nil {
		return nil
	}
	i := slices.IndexFunc(sch.Attributes, func(a attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return nil
	}
	return &sch.Attributes[i]
}

func (a *attribute) sub(name string) *attribute {
	if a == nil {
		return nil
	}
	i := slices.IndexFunc(a.SubAttributes, func(s attribute) bool { return strings.EqualFold(s.Name, name) })
	if i < 0 {
		return nil
	}
	return &a.SubAttributes[i]
}

// writable reports whether clients may set it.
func (a *attribute) writable() bool { return a != nil && a.Mutability != "readOnly" }
