// Package filter is the filter language of RFC 7644 section 3.4.2.2: the tree,
// its parser and printer, its evaluation against any Subject, and its split into
// what a backend can answer and what remains. It also reads the paths of PATCH
// (section 3.5.2), whose value filters are the same language.
//
// It is a leaf: it knows no schema, no resource and no backend. A tree as parsed
// holds names as they were written; binding (scim/schema) and translation
// (rules) make new trees whose leaves say how values compare.
package filter
