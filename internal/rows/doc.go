// Package rows holds the requirements that can be seen from outside, as a list of
// rows, and makes docs/conformance.md of it: which test looks at which row.
package rows
