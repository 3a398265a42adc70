// Package adaptertest is the conformance suite of the adapter contract: every
// adapter, and every guard around one, must pass Run. What package adapters
// promises in words is checked here by deeds; what an adapter's Capabilities
// declare is compared with the in-memory evaluation of package filter, so that
// two backends that declare the same answer the same.
//
// A check is a function from a Rig, which holds an adapter, to an error. That makes the
// suite testable itself: its own test runs the checks against adapters that are
// broken on purpose and wants to see each of them fail.
//
// It may know the contract and the reference adapter, and no other kind.
package adaptertest
