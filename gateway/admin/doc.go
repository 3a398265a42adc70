// Package admin is the handler of the second listener, which is for operators
// and their machines and never for SCIM clients: health and readiness today;
// identities, backends, jobs, metrics and the console when their issues come.
//
// It belongs on a loopback or otherwise closed address: nothing here asks for a
// credential, and so nothing here says anything about a resource or a client.
package admin
