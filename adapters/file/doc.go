// Package file is the adapter for files as backend: tables in CSV and objects in
// JSON lines (RFC 4180, RFC 8259). A file is read when it has changed and kept in
// memory; a change writes all of it anew, beside it, and puts that in its place, so
// that whoever reads it sees it as it was or as it is. What a change does not speak
// of stays byte for byte: rows, columns, line ends, quotes, spaces.
//
// A line that cannot be read is never passed over: as long as there is one, nothing
// is listed and nothing is written.
//
// The package knows the contract of package adapters and nothing above it.
package file
