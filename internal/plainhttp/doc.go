// Package plainhttp carries requests that only read over HTTP/1.1 without encryption, in
// the goroutine of whoever asks. The transport of net/http has two goroutines for each
// connection, as it must where a body may still be sent while the answer comes, or where
// many requests share one connection; to hand a small GET from one to the next costs more
// than all else that is done with it. What is no such request goes to net/http's
// transport, which also decides about proxies and makes the connections; answers are read
// by net/http (ReadResponse).
//
// It knows nothing of adapters, and nothing of SCIM.
package plainhttp
