// Package conform tells how well a SCIM server keeps the standards. It is a client
// and nothing more: it reads what the server says of itself, makes users and groups
// of its own, and looks at what comes back. It knows nothing of Postern, and is run
// against the servers of others just as well.
//
// A [Check] is one requirement that can be seen from outside, under the name of its
// row. The files checks_*.go hold them, one area each. A check ends by the methods
// of [probe]: fail, if the server breaks the requirement; skip, if it cannot be
// asked of this server.
//
// Whatever was made is deleted at the end, however that comes. Nothing else is
// changed: the checks write to nothing that they did not make.
package conform
