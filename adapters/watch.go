package adapters

import "context"

// A Watcher is told what passes between an adapter and its backend, as a person
// would read it. It is part of an adapter's configuration; nil watches nothing,
// and costs nothing.
type Watcher interface {
	// Before is told what is about to be sent. If it fails, the message must not be
	// sent, and the operation ends with that error.
	Before(ctx context.Context, e *Exchange) error

	// After is told, of what was sent, what came of it.
	After(ctx context.Context, e *Exchange)
}

// An Exchange is one message to a backend, and its answer.
type Exchange struct {
	Request    string // a statement, a command line, an operation of a directory
	Parameters []any  // of a statement, in order
	Body       string // what is sent with it, if it is data for everybody's eyes but secrets'
	Reads      bool   // it changes nothing
	Answer     string // in a few words, if there is something to say
	AnswerBody string // what comes back, as Body
	Err        error
}

type purposeKey struct{}

type purpose struct {
	op    string
	reads bool
}

// WithPurpose says what a message is for, for those who watch messages on their
// way, where they are only bytes: the operation that it is part of ("login" for one
// that only opens the way, "describe" for one that asks what there is), and whether
// it changes nothing.
func WithPurpose(ctx context.Context, op string, reads bool) context.Context {
	return context.WithValue(ctx, purposeKey{}, purpose{op, reads})
}

// Purpose is what WithPurpose said.
func Purpose(ctx context.Context) (op string, reads bool) {
	p, _ := ctx.Value(purposeKey{}).(purpose)
	return p.op, p.reads
}
