package main

import (
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// profiles are how much tolerance each kind of client gets. rfc is the zero
// Profile: tolerant where RFC 7644 leaves room.
func profiles() map[string]gateway.Profile {
	tolerant := gateway.Profile{
		Schema:        schema.Options{InferSchemas: true},
		Patch:         patch.Options{Create: true},
		Bind:          schema.BindOptions{Lenient: true},
		LenientFilter: true,
		Brief:         true,
	}
	return map[string]gateway.Profile{
		"entra": tolerant,
		"okta":  tolerant,
		"strict": {
			Schema: schema.Options{StrictBooleans: true},
			Patch:  patch.Options{Strict: true},
		},
	}
}
