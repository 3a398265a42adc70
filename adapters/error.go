package adapters

import (
	"errors"
	"fmt"
	"time"
)

// A Kind is the class of a backend's failure. It is decided where the error is
// born, in the adapter, and becomes a status where it leaves, in provision.
type Kind uint8

// The kinds.
const (
	Internal    Kind = iota // the backend failed in a way that no rule knows
	NotFound                // no such record
	Exists                  // a unique value is taken
	Conflict                // the record changed meanwhile, or the backend's state forbids it
	Invalid                 // the backend refuses the value
	Denied                  // the credential may not do this
	Unavailable             // no answer, or none in time; trying again may help
	Unsupported             // the backend cannot do this at all
	TooMany                 // the answer would be longer than the backend gives, or than may be read
	Defect                  // Postern itself failed: an adapter panicked
)

var kindNames = [...]string{"internal", "notFound", "exists", "conflict", "invalid", "denied", "unavailable", "unsupported", "tooMany", "defect"}

func (k Kind) String() string { return kindNames[k] }

// An Error is a backend's failure. Err may hold the backend's own words and
// values: it is for the log at debug level, never for a client.
type Error struct {
	Kind  Kind
	Op    string // get, list, create, update, delete, probe
	Field string // the field at fault, if known
	Err   error
	Told  string // Invalid, with a Field: what a client may be told of it, in place of the usual

	RetryAfter time.Duration // Unavailable: when the backend said so, or the breaker half-opens
	Unsure     bool          // Unavailable after a write was sent: it may have happened

	// Left: a write of several backends was carried out in part, of the record that now
	// has the key Key. What is left was noted (Note), and is to be carried on (Finish).
	Left bool
	Key  Key
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.String()
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error.
func Errorf(k Kind, op, format string, args ...any) *Error {
	return &Error{Kind: k, Op: op, Err: fmt.Errorf(format, args...)}
}

// KindOf is the kind of an error; Internal for errors that have none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a backend error of that kind.
func Is(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}
