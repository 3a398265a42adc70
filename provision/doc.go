// Package provision is the service provider: one method per SCIM operation
// (RFC 7644 section 3). It finds the identity behind an id, reads the backend, lets
// rules and patch work out what should be, carries the difference out, and answers
// with what the backend then holds.
//
// Four things are decided here and nowhere else. What provisioning may see:
// records out of scope are neither found nor counted nor referred to. Who is who:
// keys become ids on the way out and ids become keys on the way in, through the
// mapping table. What the backend evaluates of a search and what the gateway does,
// with equal answers. And which status a backend's failure gets.
//
// It knows neither HTTP nor any kind of backend nor the configuration file.
package provision
