// Package adapters is the contract between Postern and the systems it fronts:
// Adapter, what it can do (Capabilities), what it is asked (Query), what it is
// told to change (Delta), what it answers (Record, Page) and how it fails
// (Error, with a Kind).
//
// It speaks of fields and keys, never of SCIM: the tree of a filter is the only
// thing it shares with the layers above, and there the names are fields.
package adapters
