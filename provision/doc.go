// Package provision is the service provider: one method per SCIM operation
// (RFC 7644 section 3). It passes every request through one gate, finds the
// identity, reads the backend, lets rules and patch work out what should be, plans
// the change, carries it out, and answers with what the backend then holds.
// Errors of backends get their SCIM status here.
//
// It knows neither HTTP nor any kind of backend nor the configuration file.
package provision
