package scim

import (
	"errors"
	"fmt"
	"strings"
)

// A Keyword is a scimType of RFC 7644 section 3.12, table 9.
type Keyword string

// The detail error keywords.
const (
	InvalidFilter Keyword = "invalidFilter"
	TooMany       Keyword = "tooMany"
	Uniqueness    Keyword = "uniqueness"
	Mutability    Keyword = "mutability"
	InvalidSyntax Keyword = "invalidSyntax"
	InvalidPath   Keyword = "invalidPath"
	NoTarget      Keyword = "noTarget"
	InvalidValue  Keyword = "invalidValue"
	InvalidVers   Keyword = "invalidVers"
	Sensitive     Keyword = "sensitive"
	InvalidCursor Keyword = "invalidCursor" // RFC 9865 section 2.1, as the next two
	ExpiredCursor Keyword = "expiredCursor"
	InvalidCount  Keyword = "invalidCount"
)

// An Error is what a SCIM client is told (RFC 7644 section 3.12). Detail is
// read by people: it says what is wrong and what to do, and never holds a
// backend key, a secret or a backend's own text.
type Error struct {
	Status     int     // HTTP status
	Type       Keyword // scimType; empty where RFC 7644 defines none
	Detail     string
	RetryAfter int    // seconds; 0 for no Retry-After header
	Location   string // with status 308: where the resource is
	Traced     bool   // whoever answers says the request's id, too: only the log can tell more
	Err        error  // the cause, for the log only
}

func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("%d: %s", e.Status, e.Detail)
	}
	return fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Detail)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error with a formatted detail.
func Errorf(status int, typ Keyword, format string, args ...any) *Error {
	detail := fmt.Sprintf(format, args...)
	if strings.HasSuffix(detail, "?.") { // a sentence that ends with a proposal
		detail = detail[:len(detail)-1]
	}
	return &Error{Status: status, Type: typ, Detail: detail}
}

// Bad is the usual 400 with a scimType.
func Bad(typ Keyword, format string, args ...any) *Error {
	return Errorf(400, typ, format, args...)
}

// Prefix puts where in front of the detail of a SCIM error, as in
// "Operations[1]: ...". Other errors pass unchanged.
func Prefix(where string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Detail = where + ": " + e.Detail
	return &c
}
