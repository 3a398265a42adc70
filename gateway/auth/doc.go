// Package auth says who is calling: it turns the credential of a request into a
// Principal (RFC 7644 section 2, RFC 6750). Tokens are known only as hashes, so
// neither the configuration nor a dump of memory gives one away.
//
// It decides nothing about what a caller may do (that is the gate of provision)
// and writes no response: a refusal is an error that says which status and
// which challenge the door should answer with.
package auth
