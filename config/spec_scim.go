package config

import "slices"

// A SCIMBackend is another SCIM server, beside what it has of an API over HTTP.
type SCIMBackend struct {
	Version       Text
	Patch, Filter Bool
}

// A SCIMTarget is a resource type of the server.
type SCIMTarget struct{ Endpoint Text }

func scimBackend() []key[Backend] {
	type B = Backend
	shared := slices.DeleteFunc(restBackend(), func(k key[B]) bool {
		return slices.Contains([]string{"probe", "cookies", "format", "namespace"}, k.name)
	})
	for i, k := range shared {
		if k.name == "url" {
			shared[i] = field("url", baseURL(), func(b *B) *Text { return &b.REST.URL }).required().like("https://scim.example.com/v2").
				says("The base URL of the server: /Users and /ServiceProviderConfig stand behind it.")
		}
	}
	return append(shared,
		field("version", choice("2.0", "1.1"), func(b *B) *Text { return &b.SCIM.Version }).like(`"1.1"`).says("The version of the protocol. Default: what the server says."),
		field("patch", boolean(), func(b *B) *Bool { return &b.SCIM.Patch }).like("false").says("`false`: do not use PATCH, whatever the server says of itself; resources are replaced."),
		field("filter", boolean(), func(b *B) *Bool { return &b.SCIM.Filter }).like("false").says("`false`: do not use filters, whatever the server says of itself; lists are walked."),
	)
}

func scimTarget() []key[Target] {
	return []key[Target]{
		field("endpoint", endpoint(), func(t *Target) *Text { return &t.SCIM.Endpoint }).like("/Users").
			says("The endpoint of the server. Default: what its /ResourceTypes say of a type with the same schema, or else that of this resource type."),
	}
}

// allOthers is the path that stands for the attributes that no other line maps.
const allOthers = "*"

// rulesOf are the attributes of a resource type, or the word for all of them.
func rulesOf() form[[]Rule] {
	long, word := named("path", rule(), anyName, func(r *Rule) *Text { return &r.Path }), choice("all")
	sh := *long.shape
	sh.short = word.shape
	return form[[]Rule]{shape: &sh, read: func(r *reader, t *Tree, into *[]Rule) {
		if t.Kind != ScalarNode {
			long.read(r, t, into)
			return
		}
		all := Rule{Path: Text{Value: allOthers, Line: t.Line, Column: t.Column}}
		word.read(r, t, &all.Name)
		*into = []Rule{all}
	}}
}

// takeAll notes that a resource type takes over what the other server has. It is no
// attribute itself.
func (r *reader) takeAll(c *Config, res *Resource) {
	i := slices.IndexFunc(res.Attributes, func(a Rule) bool { return a.Path.Value == allOthers })
	if i < 0 {
		return
	}
	rule := res.Attributes[i]
	res.Attributes = slices.Delete(slices.Clone(res.Attributes), i, i+1)
	b := c.Backend(res.Target.Backend.Value)
	switch {
	case rule.Name.IsSet() && rule.Name.Value != "all", !rule.Name.IsSet() && rule.In.IsSet():
		r.report.Errorf(rule.Path, `as in "*": all`, "all that can be said of %q is all", allOthers)
	case b != nil && b.Type.Value != "scim":
		r.report.Errorf(rule.Path, "name each attribute that it has", "only another SCIM server has the same attributes, and %s is of type %s", b.Name.Value, b.Type.Value)
	default:
		res.All = Text{Value: "all", Line: rule.Path.Line, Column: rule.Path.Column}
	}
}
