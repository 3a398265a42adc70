// Package route makes one adapter of several that hold records of the same kind
// in different places: each record lives in exactly one of them. A list is the
// union of all, and a record's key says in which place it is.
//
// Which place a record belongs to is not decided here: who creates one says it in
// the field adapters.PlaceField, and a record that must go elsewhere is created there and
// deleted where it was by whoever wants it. The package knows the contract of
// package adapters and no backend.
package route
