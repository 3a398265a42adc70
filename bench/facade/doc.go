// Command facade is what a developer would write by hand in place of Postern: a
// SCIM service in front of one particular staff database, with Gin, database/sql
// and encoding/json. It answers what Postern answers for the same database, as far
// as the benchmark asks, and is written to be fast: prepared statements, structs,
// one look-up for all references of a page, one writer and several readers on
// each of its two SQLite files.
//
// It exists to be measured beside Postern. It is no example of how to do SCIM: it
// knows one filter, patches two attributes, and sorts nothing.
package main
