package adapters

import "context"

type freshKey struct{}

// Fresh marks a context so that reads under it never come from a cache: whoever
// works out a change must start from what the backend holds now.
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

// IsFresh reports whether the context was marked by Fresh.
func IsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }
