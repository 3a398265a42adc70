// Package trial sends one SCIM request through a whole gateway in memory, and
// tells what happened on the way: how the request was understood, which fields of
// which records became which attributes by which line of the configuration, what
// the backends were sent, and the answer. It also holds answers against what
// somebody wanted (postern test).
//
// It knows the door, the service and the rules; it knows no kind of backend and
// not the configuration file.
package trial
