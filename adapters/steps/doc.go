// Package steps is the engine under adapters that are described rather than
// written: every operation on a kind of object (get, list, create, update,
// delete, adding and removing members, the probe) is a list of steps, and a step is
// always the same five things: when it is needed, the call, what counts as a
// failure, what it yields, and how it repeats or is undone.
//
// The package knows what is the same for every protocol: the order of steps,
// walking pages, checking again what a backend claims to have filtered, locking
// and comparing before a change, reading back after it. It does not know how a
// call is made: a kind of backend, such as package rest, brings its own Call. It
// knows the contract of package adapters and nothing above it.
package steps
