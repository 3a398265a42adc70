// Package schema says what a resource may hold (RFC 7643): the schemas of users,
// groups and the enterprise extension, resource types, what is checked when a
// client's JSON becomes a resource, what a replacement may change, how names in
// filters and sortBy bind to attributes, and the discovery documents in which
// all of this is published (RFC 7644 section 4).
//
// It does no I/O and knows no backend, no mapping and no HTTP: which attributes
// a configuration serves, it is told through Restrict.
package schema
