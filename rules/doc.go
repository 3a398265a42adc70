// Package rules turns a backend's records into SCIM resources and back, as the
// configuration says. A rule has one of three strengths: it renames a field, it
// translates it by a table, or it computes it by an expression; a filter can
// follow the first two into the backend. Rules also decide which records
// provisioning may see at all (scope) and which resources a backend takes (when).
//
// Everything is compiled and type-checked once, at start: paths against the
// SCIM schema, expressions against the attributes they name. The package does no
// I/O and knows neither the mapping table nor the configuration file: references
// to other resources leave and enter it as backend keys, and whoever calls it
// translates them.
package rules
