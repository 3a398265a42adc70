// Package rest is the adapter for what is reached over HTTP: REST APIs in JSON or
// XML, forms, JSON-RPC, SOAP. It makes the calls; package steps decides
// which, when, and what their answers mean.
//
// A Backend is one system: its address, its credential, its session. Compile
// turns what a configuration says about a kind of object there into an adapter.
// The package knows the contract of package adapters and the engine, and nothing
// above them.
package rest
