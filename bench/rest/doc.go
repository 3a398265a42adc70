// Command rest measures what Postern costs before an HTTP API: beside a plain
// reverse proxy (net/http/httputil), before the same backend. Backend, proxy and
// Postern are processes of their own, loaded from outside over loopback, in turns. A
// GET by id is one call to the backend for either: that is counted, and more than one
// is a failure.
//
// It prints a line such as
//
//	RATIO case=rest-get-by-id connections=32 value=0.71 target=0.60
//
// where value is the median over the turns of Postern's throughput divided by the
// proxy's. The table above it has the processor time of both for a request, which
// scatters less on a machine that does other things. Nothing stays behind.
package main
