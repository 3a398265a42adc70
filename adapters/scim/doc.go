// Package scim is the adapter for another SCIM server as backend, of version 2.0
// (RFC 7644) or 1.1. It reads what the server says of itself and does without what
// the server cannot: without PATCH it replaces the whole resource, without filters it
// walks the list, and what a filter finds is compared again in any case. Package steps
// is the engine.
//
// A record is a resource; its fields are attribute paths (userName, name.givenName,
// emails[type eq "work"].value), its key is the id. The package does not know the
// packages of Postern's own SCIM side, but for the language of filters and paths, and
// it does not know how requests get their credential: whoever opens a Backend says so.
package scim
