package config

import (
	"slices"
	"strings"
)

// A Schema is one of the file's own (RFC 7643 section 7).
type Schema struct {
	ID, Name, Description Text
	Attributes            []Attribute
}

// An Attribute is the definition of an attribute, with the characteristics of
// RFC 7643 section 7. Keywords are checked.
type Attribute struct {
	Name, Type, Description          Text
	MultiValued, Required, CaseExact Bool
	Mutability, Returned, Uniqueness Text
	CanonicalValues                  []Text
	EnforceCanonical                 Bool
	ReferenceTypes                   []Text
	SubAttributes                    []Attribute
}

func ownSchema() form[Schema] {
	return block[Schema]{
		title: "schema",
		doc:   "A schema is used as the `schema` of a resource type, or as one of its `extensions`.",
		keys: []key[Schema]{
			field("id", urn(), func(s *Schema) *Text { return &s.ID }).required().like("urn:example:scim:schemas:Badge").
				says("The schema's URN."),
			field("name", nameText(typeName), func(s *Schema) *Text { return &s.Name }).required().like("Badge").
				says("A short name, by which resource types and attribute paths can refer to the schema: `Badge:number`."),
			field("description", text(), func(s *Schema) *Text { return &s.Description }).says("Shown in /Schemas."),
			field("attributes", named("attribute", attribute(true), attributeName, func(a *Attribute) *Text { return &a.Name }),
				func(s *Schema) *[]Attribute { return &s.Attributes }).required().like("{number: string, active: {type: boolean, required: true}}").
				says("The attributes."),
		},
		check: func(r *reader, _ *Tree, _ string, s *Schema) {
			for _, squat := range []string{"urn:ietf:params:scim:schemas:core:", "urn:ietf:params:scim:api:"} {
				if strings.HasPrefix(strings.ToLower(s.ID.Value), squat) {
					r.report.Warnf(s.ID, "take a URN of your own", "%s… is reserved for RFCs", squat)
				}
			}
			checkAttributeNames(r, s.Attributes)
		},
	}.form()
}

func attribute(sub bool) form[Attribute] {
	type A = Attribute
	types := []string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference"}
	title, doc := "sub-attribute", "A part of a complex attribute. It cannot have parts itself (RFC 7643 section 2.3.8)."
	if sub {
		types = append(types, "complex")
		title, doc = "attribute", "The characteristics of RFC 7643 section 7. A type alone is short for `{type: ...}`."
	}
	keyword, short := choice(types...), choice(types[:7]...) // complex needs its parts
	keys := []key[A]{
		field("type", keyword, func(a *A) *Text { return &a.Type }).like("boolean").
			says("Default: `string`, or `complex` with `subAttributes`."),
		field("description", text(), func(a *A) *Text { return &a.Description }).says("Shown in /Schemas."),
		field("multiValued", boolean(), func(a *A) *Bool { return &a.MultiValued }).or("false").says("A list of values."),
		field("required", boolean(), func(a *A) *Bool { return &a.Required }).or("false").says("A resource must have it."),
		field("caseExact", boolean(), func(a *A) *Bool { return &a.CaseExact }).or("false").says("Upper and lower case differ in filters and for uniqueness."),
		field("mutability", choice("readWrite", "readOnly", "immutable", "writeOnly"), func(a *A) *Text { return &a.Mutability }).or("readWrite").says("Who may change it."),
		field("returned", choice("default", "always", "never", "request"), func(a *A) *Text { return &a.Returned }).or("default").says("When it is part of an answer."),
		field("uniqueness", choice("none", "server", "global"), func(a *A) *Text { return &a.Uniqueness }).or("none").says("Whether two resources may have the same value."),
		field("canonicalValues", list(text()), func(a *A) *[]Text { return &a.CanonicalValues }).like("[work, home]").says("Suggested values."),
		field("enforceCanonical", boolean(), func(a *A) *Bool { return &a.EnforceCanonical }).or("false").says("Refuse other values."),
		field("referenceTypes", list(text()), func(a *A) *[]Text { return &a.ReferenceTypes }).like("[User]").
			says("What a reference points at: resource types, `external` or `uri`."),
	}
	if sub {
		keys = append(keys, field("subAttributes", named("sub-attribute", attribute(false), attributeName, func(a *A) *Text { return &a.Name }),
			func(a *A) *[]Attribute { return &a.SubAttributes }).like("{value: string, type: string}").says("The parts of a complex attribute."))
	}
	b := block[A]{title: title, doc: doc, keys: keys, check: checkAttribute}
	return abbreviated(b.form(), short, func(t Text, a *A) { a.Type = t })
}

// checkAttribute fills in the type, and keeps complex and its parts together.
func checkAttribute(r *reader, t *Tree, where string, a *Attribute) {
	parts, written := t.Find("subAttributes"), t.Find("type")
	if written == nil {
		a.Type = Text{Value: "string", Line: t.Line, Column: t.Column}
		if parts != nil {
			a.Type.Value = "complex"
		}
	}
	switch {
	case parts != nil && a.Type.IsSet() && a.Type.Value != "complex":
		r.report.Errorf(a.Type, "delete the type", "%s has subAttributes and so is complex", where)
	case a.Type.Value == "complex" && len(a.SubAttributes) == 0:
		r.report.Errorf(at(t, "subAttributes", "type"), "as in subAttributes: {value: string}", "%s is complex and has no subAttributes", where)
	}
	if a.EnforceCanonical.Value && len(a.CanonicalValues) == 0 {
		r.report.Errorf(at(t, "enforceCanonical"), "add canonicalValues", "%s would refuse every value", where)
	}
	checkAttributeNames(r, a.SubAttributes)
}

// checkAttributeNames finds names that differ in case only: SCIM cannot tell
// them apart.
func checkAttributeNames(r *reader, as []Attribute) {
	for i, a := range as {
		same := slices.IndexFunc(as[:i], func(b Attribute) bool { return strings.EqualFold(a.Name.Value, b.Name.Value) })
		if same >= 0 {
			r.report.Errorf(a.Name, "attribute names ignore case", "%q and %q are the same attribute", as[same].Name.Value, a.Name.Value)
		}
	}
}
