package schema

import (
	"strings"

	"github.com/postern/postern/scim"
)

// A builtinSchema is one that Postern brings along. Those that extend a type have
// its base schema.
type builtinSchema struct {
	urn, extends string
	make         func() *Schema
}

func builtins() []builtinSchema {
	return append([]builtinSchema{
		{scim.UserSchema, "", user},
		{scim.GroupSchema, "", group},
		{scim.EnterpriseUserSchema, scim.UserSchema, enterpriseUser},
		{scim.RoleSchema, "", role},
		{scim.EntitlementSchema, "", entitlement},
	}, deviceSchemas()...)
}

// Builtin returns a schema that Postern brings along: those of RFC 7643, of roles
// and entitlements, and of devices (RFC 9944). URNs compare without case. It is a
// fresh copy.
//
// The definitions are those of RFC 7643 section 8.7 with these corrections:
//
//   - Group.displayName is required (erratum 5368), and members have display (6011);
//   - groups.$ref refers to Group only (8471); manager.value is caseExact (8472);
//   - addresses.primary exists, and types have "other" where the text has it
//     (5990, 5991); x509Certificates.value is binary, a legal type (8415);
//   - references, binaries and the ids of other resources are caseExact, as
//     sections 2.3.6, 2.3.7 and 3.1 demand and filters here compare them;
//   - complex attributes have no uniqueness (6004).
func Builtin(urn string) (*Schema, bool) {
	for _, b := range builtins() {
		if strings.EqualFold(urn, b.urn) {
			return b.make(), true
		}
	}
	return nil, false
}

// BuiltinURNs lists the schemas that Builtin knows.
func BuiltinURNs() []string {
	var out []string
	for _, b := range builtins() {
		out = append(out, b.urn)
	}
	return out
}

// isBase reports whether a schema that Postern brings along is no extension.
func isBase(urn string) bool {
	for _, b := range builtins() {
		if strings.EqualFold(urn, b.urn) {
			return b.extends == ""
		}
	}
	return false
}

func user() *Schema {
	return &Schema{ID: scim.UserSchema, Name: "User", Description: "User account.", Attributes: concat(identityAttributes(), profileAttributes(),
		contactAttributes(), grantAttributes())}
}

func identityAttributes() []*scim.Attribute {
	userName := str("userName", "The name with which the user signs in. Not empty, and unique among all users whatever its case.")
	userName.Required, userName.Uniqueness = true, scim.UniqueServer
	return []*scim.Attribute{
		userName,
		complexAttr("name", "The parts of the user's real name.",
			str("formatted", "The full name, fit to be shown, such as 'Ms. Barbara J Jensen, III'."),
			str("familyName", "The family name, or last name, such as 'Jensen'."),
			str("givenName", "The given name, or first name, such as 'Barbara'."),
			str("middleName", "The middle names, such as 'Jane'."),
			str("honorificPrefix", "The title in front of the name, such as 'Ms.'."),
			str("honorificSuffix", "The addition behind the name, such as 'III'."),
		),
		str("displayName", "The name that is shown to other users."),
		str("nickName", "The casual name, such as 'Bob' for a Robert; not the userName."),
	}
}

func profileAttributes() []*scim.Attribute {
	password := str("password", "The password in clear text, to set it or to compare with it. It is never returned.")
	password.Mutability, password.Returned = scim.WriteOnly, scim.ReturnedNever
	return []*scim.Attribute{
		ref("profileUrl", "The URL of the user's online profile.", "external"),
		str("title", "The job title, such as 'Vice President'."),
		str("userType", "The relation between the organisation and the user, such as 'Contractor', 'Employee' or 'Intern'."),
		str("preferredLanguage", "The preferred languages, written as in the HTTP header Accept-Language, such as 'en-US'."),
		str("locale", "The language tag by which dates, numbers and currency are shown, such as 'en-US'."),
		str("timezone", "The time zone's name in the IANA database, such as 'America/Los_Angeles'."),
		boolean("active", "Whether the user may use the service; what that means is up to the service."),
		password,
	}
}

func contactAttributes() []*scim.Attribute {
	return []*scim.Attribute{
		many("emails", "The user's e-mail addresses.", str("value", "An e-mail address, as in RFC 5321."), "work", "home", "other"),
		many("phoneNumbers", "The user's telephone numbers.", str("value", "A telephone number; as a URI of RFC 3966 if possible."),
			"work", "home", "mobile", "fax", "pager", "other"),
		many("ims", "The user's instant messaging addresses.", str("value", "An instant messaging address."),
			"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		many("photos", "Pictures of the user.", ref("value", "The URI of a picture.", "external"), "photo", "thumbnail"),
		multi(complexAttr("addresses", "The user's postal addresses.",
			str("formatted", "The full address, fit for a label; it may hold line breaks."),
			str("streetAddress", "Street, house number, post office box; it may hold line breaks."),
			str("locality", "The city or locality."),
			str("region", "The state or region."),
			str("postalCode", "The postal code."),
			str("country", "The country, as a two-letter code of ISO 3166-1."),
			canon(str("type", "What the address is used for."), "work", "home", "other"),
			boolean("primary", "Whether this is the preferred address; true at most once."),
		)),
	}
}

func grantAttributes() []*scim.Attribute {
	groups := multi(complexAttr("groups", "The groups that the user belongs to, directly or through other groups. "+
		"Membership is changed in the group.",
		exact(str("value", "The id of the group.")),
		ref("$ref", "The URI of the group.", "Group"),
		str("display", "The group's name, to be shown."),
		canon(str("type", "Whether the user is a member of the group itself or of a group in it."), "direct", "indirect"),
	))
	groups.Mutability = scim.ReadOnly
	for _, s := range groups.Sub {
		s.Mutability = scim.ReadOnly
	}
	certificate := exact(str("value", "One DER certificate in base64."))
	certificate.Type = scim.TypeBinary
	return []*scim.Attribute{
		groups,
		many("entitlements", "What the user is entitled to.", str("value", "An entitlement.")),
		many("roles", "The user's roles, such as 'Student' or 'Faculty'.", str("value", "A role.")),
		many("x509Certificates", "The user's certificates.", certificate),
	}
}

func group() *Schema {
	displayName := str("displayName", "The group's name, to be shown.")
	displayName.Required = true
	display := str("display", "The member's name, to be shown.")
	display.Mutability = scim.ReadOnly
	return &Schema{ID: scim.GroupSchema, Name: "Group", Description: "Group of users and groups.", Attributes: []*scim.Attribute{
		displayName,
		multi(complexAttr("members", "The members of the group.",
			immutable(exact(str("value", "The id of the member."))),
			immutable(ref("$ref", "The URI of the member.", "User", "Group")),
			immutable(canon(str("type", "The member's resource type."), "User", "Group")),
			display,
		)),
	}}
}

func enterpriseUser() *Schema {
	managerName := str("displayName", "The manager's name, to be shown.")
	managerName.Mutability = scim.ReadOnly
	return &Schema{ID: scim.EnterpriseUserSchema, Name: "EnterpriseUser", Description: "Enterprise user.", Attributes: []*scim.Attribute{
		str("employeeNumber", "The number or string that an organisation gives a person, usually in the order of hiring."),
		str("costCenter", "The name of the cost center."),
		str("organization", "The name of the organisation."),
		str("division", "The name of the division."),
		str("department", "The name of the department."),
		complexAttr("manager", "The user's manager.",
			exact(str("value", "The id of the user who is the manager.")),
			ref("$ref", "The URI of the user who is the manager.", "User"),
			managerName,
		),
	}}
}

// many is a multi-valued attribute with the sub-attributes of RFC 7643 section
// 2.4; $ref is left to those that refer to resources.
func many(name, description string, value *scim.Attribute, types ...string) *scim.Attribute {
	return multi(complexAttr(name, description,
		value,
		str("display", "The value in words, to be shown."),
		canon(str("type", "What the value is used for."), types...),
		boolean("primary", "Whether this is the preferred value; true at most once."),
	))
}

func str(name, description string) *scim.Attribute {
	return &scim.Attribute{Name: name, Description: description}
}

func boolean(name, description string) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeBoolean, Description: description}
}

func ref(name, description string, types ...string) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeReference, Description: description, CaseExact: true, ReferenceTypes: types}
}

func complexAttr(name, description string, sub ...*scim.Attribute) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeComplex, Description: description, Sub: sub}
}

func multi(a *scim.Attribute) *scim.Attribute {
	a.MultiValued = true
	return a
}

func exact(a *scim.Attribute) *scim.Attribute {
	a.CaseExact = true
	return a
}

func immutable(a *scim.Attribute) *scim.Attribute {
	a.Mutability = scim.Immutable
	return a
}

func canon(a *scim.Attribute, values ...string) *scim.Attribute {
	a.CanonicalValues = values
	return a
}

func concat(groups ...[]*scim.Attribute) []*scim.Attribute {
	var all []*scim.Attribute
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func findIn(attrs []*scim.Attribute, path string) *scim.Attribute {
	head, sub, dotted := strings.Cut(path, ".")
	for _, a := range attrs {
		if !strings.EqualFold(a.Name, head) {
			continue
		}
		if !dotted {
			return a
		}
		return findIn(a.Sub, sub)
	}
	return nil
}
