package schema

import (
	"cmp"
	"strings"

	"github.com/postern/postern/scim"
)

// SchemaNode is a schema as a resource (RFC 7643 section 7; D-12 to D-14). The
// base is the URL in front of /Schemas, as clients see it.
func SchemaNode(s *Schema, base string) scim.Node {
	var o object
	o.add("schemas", stringsNode(scim.SchemaSchema))
	o.text("id", s.ID)
	o.text("name", s.Name)
	o.text("description", s.Description)
	o.add("attributes", attributeNodes(s.Attributes))
	o.add("meta", metaNode("Schema", base, "/Schemas/"+s.ID))
	return o.node()
}

// SchemaNodes are the schemas of all resource types, each once (D-05).
func SchemaNodes(types []*ResourceType, base string) []scim.Node {
	var nodes []scim.Node
	var listed []*Schema
	for _, t := range types {
		for _, s := range withNested(t.Schemas()) {
			if find(listed, s.ID) == nil {
				listed = append(listed, s)
				nodes = append(nodes, SchemaNode(s, base))
			}
		}
	}
	return nodes
}

// withNested are schemas, each before the objects that are nested in it: these have
// schemas of their own (RFC 9944).
func withNested(schemas []*Schema) []*Schema {
	var out []*Schema
	for _, s := range schemas {
		out = append(out, s)
		for _, a := range s.Attributes {
			if a.Nested() {
				out = append(out, &Schema{ID: a.Name, Name: NestedName(a.Name), Description: a.Description, Attributes: a.Sub})
			}
		}
	}
	return out
}

// NestedName is the word of a URN that tells it from others: pairingOOB.
func NestedName(urn string) string {
	parts := strings.Split(urn, ":")
	return parts[max(0, len(parts)-3)]
}

// ResourceTypeNode is a resource type as a resource (RFC 7643 section 6; D-09 to D-11).
func ResourceTypeNode(t *ResourceType, base string) scim.Node {
	var o object
	o.add("schemas", stringsNode(scim.ResourceTypeSchema))
	o.text("id", t.Name)
	o.text("name", t.Name)
	o.text("endpoint", t.Endpoint)
	o.text("description", t.Description)
	o.text("schema", t.Schema.ID)
	if len(t.Extensions) > 0 {
		list := scim.Node{Kind: scim.NodeArray}
		for _, e := range t.Extensions {
			var ext object
			ext.text("schema", e.Schema.ID)
			ext.bool("required", e.Required)
			list.Items = append(list.Items, ext.node())
		}
		o.add("schemaExtensions", list)
	}
	o.add("meta", metaNode("ResourceType", base, "/ResourceTypes/"+t.Name))
	return o.node()
}

// ResourceTypeNodes are all resource types (D-06).
func ResourceTypeNodes(types []*ResourceType, base string) []scim.Node {
	nodes := make([]scim.Node, len(types))
	for i, t := range types {
		nodes[i] = ResourceTypeNode(t, base)
	}
	return nodes
}

// ListNode is a ListResponse that holds all there is.
func ListNode(resources []scim.Node) scim.Node {
	var o object
	o.add("schemas", stringsNode(scim.ListResponseMessage))
	o.int("totalResults", len(resources))
	o.int("startIndex", 1)
	o.int("itemsPerPage", len(resources))
	o.add("Resources", scim.Node{Kind: scim.NodeArray, Items: resources})
	return o.node()
}

func metaNode(resourceType, base, path string) scim.Node {
	var o object
	o.text("resourceType", resourceType)
	o.text("location", strings.TrimSuffix(base, "/")+path)
	return o.node()
}

func attributeNodes(attrs []*scim.Attribute) scim.Node {
	list := scim.Node{Kind: scim.NodeArray}
	for _, a := range attrs {
		if !a.Nested() {
			list.Items = append(list.Items, attributeNode(a))
		}
	}
	return list
}

// attributeNode is a definition with the members that mean something for its
// type: booleans have no case, complex attributes no case and no uniqueness.
func attributeNode(a *scim.Attribute) scim.Node {
	var o object
	o.text("name", a.Name)
	o.text("type", a.Type.String())
	if a.Type == scim.TypeComplex {
		o.add("subAttributes", attributeNodes(a.Sub))
	}
	o.bool("multiValued", a.MultiValued)
	o.text("description", cmp.Or(a.Description, a.Name)) // D-13: there is one always
	o.bool("required", a.Required)
	o.texts("canonicalValues", a.CanonicalValues)
	switch a.Type {
	case scim.TypeString, scim.TypeReference, scim.TypeBinary:
		o.bool("caseExact", Exact(a))
	}
	o.text("mutability", a.Mutability.String())
	o.text("returned", a.Returned.String())
	if a.Type != scim.TypeComplex && a.Type != scim.TypeBoolean {
		o.text("uniqueness", a.Uniqueness.String())
	}
	o.texts("referenceTypes", a.ReferenceTypes)
	return o.node()
}
