// Package draft proposes a configuration: from what a database says of its tables,
// or from a sample of what an API answers. It goes by names and types, says in
// comments what it guessed and what must be looked at, and leaves everything to the
// person who will read it.
//
// Proposals are pure functions; what they are made from is read by others.
package draft
