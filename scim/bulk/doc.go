// Package bulk reads the bulk requests of RFC 7644 section 3.7: operations, the
// bulkIds by which they refer to one another, and what of an operation must wait
// for another. It knows nothing of how an operation is carried out, of HTTP, or
// of backends.
package bulk
