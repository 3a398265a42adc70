// Package trace keeps what passes between Postern and its backends while one
// request is tried out: each operation of the contract with the records that it
// read or wrote, and below it each message (a statement, an HTTP call) and its
// answer.
//
// A Tape is put between guard and adapter when postern try or postern test wires a
// configuration, and nowhere else: a gateway that serves has none. It can stop a
// request before its first change (a dry run), and it can answer in the backend's
// place from a Recording. Secrets are blotted out of all that leaves it.
//
// The package may know the adapters' contract and the messages of the standard
// library; it knows no kind of backend, no SCIM and no configuration.
package trace
