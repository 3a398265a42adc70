package adapters

import "context"

type clientKey struct{}

// ForClient is ctx for what is done on behalf of a client, for backends that note
// who changed a record.
func ForClient(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, clientKey{}, name)
}

// Client is the name of the client on whose behalf something is done, "" if it is
// not known.
func Client(ctx context.Context) string {
	name, _ := ctx.Value(clientKey{}).(string)
	return name
}
