package adapters

import "context"

type freshKey struct{}

// WithoutCache is ctx for reads that must come from the backend itself: what a
// change starts from, and what it is answered with. A cache between passes
// them on.
func WithoutCache(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

// MayCache reports whether a read with ctx may be answered from a cache.
func MayCache(ctx context.Context) bool { return ctx.Value(freshKey{}) == nil }
