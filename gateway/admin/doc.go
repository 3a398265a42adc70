// Package admin is the handler of the second listener, which is for operators
// and their machines and never for SCIM clients: health and readiness, and an API
// for identities; backends, metrics and the console when their issues come.
//
// The probes ask for no credential, and so say nothing about a resource or a
// client. The API asks for a token with a scope. What it answers holds keys of
// backends and the ids of all clients; what it logs holds neither.
package admin
