// Package identity is the mapping table: who is who, and under which id each
// client knows them.
//
// An identity is one person or group as Postern knows it. A link ties it to one
// record of a backend by key; in each backend one link of an identity is primary:
// reads and writes go there. An external id is what one client (provisioning
// domain) sees; of several, one is primary: the one that is sent. Identities come
// into being at first sight, and are merged and split by moves, which are on
// record and can be undone.
//
// What must hold is held by the database itself (see migrations): a key belongs
// to one identity, an identity has at most one primary id per client, and an id
// that was once given is never given again, for its row stays as a tombstone.
//
// The package knows nothing of SCIM, adapters or configuration: tenants, clients,
// types, backends and keys are strings. It keeps nothing of the table in memory, so
// that several processes may work on it and see each other's changes at once. The
// table is a file of SQLite or in a PostgreSQL database (dialect); there processes on
// many machines say to each other what they must know (heart, leases, changes).
// Its errors never hold a key or an external id.
package identity
