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
			says("The endpoint of the server. Default: that of this resource type."),
	}
}
