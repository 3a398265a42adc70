// Package gateway is the HTTP door of RFC 7644: routes, credentials, decoding,
// encoding, headers, limits, the log line. It decides nothing about resources:
// each request becomes one call of a Provider, whose answer one writer sends.
//
// It knows no backend, no rule and no configuration file, and it is the only
// package that knows Gin. No *gin.Context leaves it: what goes down is a
// context.Context, so that a client that goes away cancels the work.
package gateway
