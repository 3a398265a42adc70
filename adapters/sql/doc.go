// Package sql fronts one table of a SQL database: its rows are records, its
// columns fields, and join tables are multi-valued fields. Statements are
// derived from the table's description, once it has been read from the database;
// what a filter says is turned into a condition that is true of exactly the rows
// of which filter.Matches is true.
//
// What changes records may be said by the configuration instead, as steps whose
// calls are statements (own*.go); package named reads them.
//
// Values travel as parameters and never become part of a statement. Names come
// from the configuration only, are checked at start and quoted always.
//
// What differs from one database to the next is behind the interface dialect,
// one file family per database: sqlite*.go, postgres*.go, maria*.go. The
// package may know the adapter contract, the filter tree and the engine of steps; it knows nothing of SCIM, of other kinds of
// backend or of the configuration file.
package sql
