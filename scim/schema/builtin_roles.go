package schema

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// Roles and entitlements as resources (draft-ietf-scim-roles-entitlements): the
// values that User.roles and User.entitlements can have. They are read only.

func role() *Schema {
	s := grant("Role", "A role that users can have.", "role")
	s.ID, s.Find("supported").Required = scim.RoleSchema, true
	return s
}

func entitlement() *Schema {
	s := grant("Entitlement", "An entitlement that users can have.", "entitlement")
	s.ID = scim.EntitlementSchema
	return s
}

func grant(name, description, what string) *Schema {
	value := str("value", "The value that users have as their "+what+".")
	value.Required = true
	s := &Schema{Name: name, Description: description, Attributes: []*scim.Attribute{
		value,
		str("display", "The "+what+" in words, to be shown."),
		str("type", "What the "+what+" is for."),
		boolean("supported", "Whether the "+what+" can be used at present."),
		boolean("limitedAssignmentsPermitted", "Whether only so many users can have the "+what+"."),
		number("totalAssignmentsPermitted", "How many users can have the "+what+"."),
		number("totalAssignmentsUsed", "How many users have the "+what+"."),
		multi(str("containedBy", "What grants everything that this "+what+" grants, and more.")),
		multi(str("contains", "What this "+what+" grants as a whole.")),
	}}
	for _, a := range s.Attributes {
		a.Mutability = scim.ReadOnly
	}
	return s
}

func number(name, description string) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeInteger, Description: description}
}

// Grants is what ServiceProviderConfig says of roles and entitlements (RE-03):
// nothing, unless one of them is served.
func Grants(types []*ResourceType) []scim.Member {
	served := func(urn string) bool {
		return slices.ContainsFunc(types, func(t *ResourceType) bool { return strings.EqualFold(t.Schema.ID, urn) })
	}
	if !served(scim.RoleSchema) && !served(scim.EntitlementSchema) {
		return nil
	}
	var both object
	both.add("roles", grantsOf(types, served(scim.RoleSchema), "roles", "multipleRolesSupported"))
	both.add("entitlements", grantsOf(types, served(scim.EntitlementSchema), "entitlements", "multipleEntitlementsSupported"))
	var o object
	o.add("RolesAndEntitlements", both.node())
	return o.members
}

// grantsOf says what users can have of one of them.
func grantsOf(types []*ResourceType, served bool, name, several string) scim.Node {
	o := supported(served)
	for _, t := range types {
		if !strings.EqualFold(t.Schema.ID, scim.UserSchema) {
			continue
		}
		a := t.Schema.Find(name)
		o.bool(several, a != nil && a.MultiValued)
		o.bool("primarySupported", a != nil && findIn(a.Sub, "primary") != nil)
		kind := t.Schema.Find(name + ".type")
		o.bool("typeSupported", kind != nil)
		if kind != nil && len(kind.CanonicalValues) > 0 {
			o.add("types", stringsNode(kind.CanonicalValues...))
		}
	}
	return o.node()
}
