// Package scim holds the nouns and messages of SCIM 2.0 (RFC 7643, RFC 7644):
// attributes and their characteristics, the layout that is compiled from them,
// values, resources, errors and list responses.
//
// Nothing in scim does I/O, and it may import nothing else of Postern. What a
// resource may hold is declared in scim/schema; what a request does to it, in
// scim/patch. Slots (the positions of values in a resource) never leave this
// package: everybody else speaks of attributes and paths.
package scim
