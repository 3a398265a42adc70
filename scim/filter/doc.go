// Package filter is the filter language of RFC 7644 section 3.4.2.2: the tree,
// its parser and printer, its evaluation against any Subject, and its split into
// what a backend can answer and what remains. It also reads the paths of PATCH
// (section 3.5.2), whose value filters are the same language.
//
// It is a leaf: it knows no schema, no resource and no backend. A tree as parsed
// holds names as they were written; binding (scim/schema) and translation
// (rules) make new trees whose leaves say how values compare.
//
// Where the RFC is silent, one rule holds everywhere: a comparison is true or
// false, never unknown. An attribute without a value makes "ne" true and every
// other comparison with a value false; "eq null" is true of it and "ne null" is
// not (F-14, F-27). Of several values one that fits is enough (F-19), for "ne"
// too: it asks whether any value differs, where not(… eq …) asks whether none
// is equal. The empty string is no value.
//
// The parser takes more than the grammar where that cannot be misread: runs of
// spaces, "not(" (J13), eq"x" (F-12), and emails[type eq "work"].value eq "x"
// (F-09). Keywords and names ignore case; true, false and null do not, being
// JSON. With Limits.Lenient it also reads 'single quotes', bare words, True and
// FALSE (F-11).
package filter
