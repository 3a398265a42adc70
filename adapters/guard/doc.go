// Package guard keeps Postern up when a backend is not: an Adapter around an
// Adapter that bounds how long a call takes and how many run at once, stops
// asking a backend that does not answer, turns a panic into an error, tells the
// log what happened and, if asked to, remembers records that were read.
//
// A Guard stands before one backend and may wrap several adapters, which
// then share its limit, its breaker and its cache: a write through one of them
// may change what another reads.
//
// It knows the contract of package adapters and no kind of backend.
package guard
