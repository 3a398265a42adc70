// Package patch is PATCH of RFC 7644 section 3.5.2, in two halves.
//
// Parse reads a request body against a resource type. What known clients send
// beside the RFC is rewritten there, by small named functions in one table, so
// that what leaves Parse is strict: every operation names one attribute of the
// layout, its filter is bound, its value has the attribute's type. Values
// without path and values of complex attributes are taken apart into one
// operation for each attribute they name.
//
// Apply is the strict core: a pure function from a resource and operations to a
// new resource. Operations run in order, each sees what the one before left, and
// the first that fails fails the request; the resource given is never changed.
//
// MembersOnly and Touches tell the service provider what it need not read.
//
// The package does no I/O and knows neither HTTP nor backends nor the mapping.
package patch
