// Package ldap is the adapter for directories (RFC 4510 to 4519): OpenLDAP, 389
// Directory Server, Active Directory and what else speaks LDAP version 3.
//
// A Directory is one server: its address, its credential, its connections. A
// Branch of it is one kind of object: the entries of some object classes below a
// base. A record's key is an attribute that the server keeps (entryUUID,
// objectGUID), or any other, or the DN; an entry is looked for by its key before
// every change, so that its DN may change.
//
// What a directory calls equal is not what SCIM calls equal: it folds blanks, and
// more letters than Unicode's simple folding. So filters are sent in a form that
// finds too much rather than too little, and what comes back is compared again.
//
// The package knows the contract of package adapters and nothing above it. It
// does not use the engine of package steps: a directory has five operations, which
// mean the same everywhere.
package ldap
