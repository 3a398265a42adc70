package adapters

import "context"

// A Journal writes down what a write still has to do, so that it can be carried on if
// the process dies, or a backend gives no answer. An adapter that writes to several
// backends notes it before it touches the first (Note); whoever calls the adapter
// keeps it (WithJournal), and hands it to Capabilities.Finish until that succeeds.
type Journal interface {
	// Note writes down what is left to do of the record with the key, "" for one that
	// does not exist yet, in place of what was noted of it before. Of what
	// Capabilities.Finish notes, only Text counts: the rest is as it was.
	Note(ctx context.Context, key Key, r Rest) error
}

// A Rest is what a write has still to do. It holds no secrets.
type Rest struct {
	Fields []string // that it is about
	Text   string   // the adapter's own words

	Secrets bool // there was more, that must not be written down, and cannot be carried on
}

type journalKey struct{}

// WithJournal is ctx for a write whose intent j keeps.
func WithJournal(ctx context.Context, j Journal) context.Context {
	return context.WithValue(ctx, journalKey{}, j)
}

// Note writes down what is left to do, if somebody keeps it.
func Note(ctx context.Context, key Key, r Rest) error {
	if j, ok := ctx.Value(journalKey{}).(Journal); ok {
		return j.Note(ctx, key, r)
	}
	return nil
}
