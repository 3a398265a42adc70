// Package named reads SQL statements in which values are written as :name. It finds
// the names, what a statement does, and what cannot be a step of an operation; it
// knows of each kind of database only how its texts, names and comments are quoted,
// so that what stands in them is left alone. It sends nothing and imports nothing of
// ours.
package named
