package rest

import (
	"net/http"
	"time"

	"github.com/postern/postern/adapters/steps"
)

// Text is a scalar of the configuration and where it stands.
type Text = steps.Text

// A Pair is a named text.
type Pair = steps.Pair

// A Config is what the configuration says about a system.
type Config struct {
	URL       string // before every path
	Headers   map[string]string
	User      string // Basic, if there is one
	Password  string
	Secrets   map[string]string // secret.NAME in expressions
	Values    map[string]any    // further names for every expression
	Namespace string            // of SOAP and XML bodies
	Format    string            // of bodies: json, if nothing is said

	Login *Login
	OAuth *OAuth
	Probe *Probe

	Cookies bool  // keep them
	Size    int64 // of an answer, at most; 0: 16 MiB
	// Refresh gives the credential as it is now: of what it answers only Headers,
	// User, Password, Secrets and OAuth count. nil: it never changes.
	Refresh func() Config

	Repeats   int // how often a call that reads is made again when there is no answer
	TLS       TLS
	UserAgent string

	// Transport, if set, stands between the backend and the network. It learns what
	// each request is for by adapters.Purpose.
	Transport func(http.RoundTripper) http.RoundTripper
}

// A Login is how a session begins.
type Login struct {
	Steps   []Step
	Refresh []Step        // made instead of Steps before a session ends; if they are refused, Steps are
	Headers []Pair        // expressions over session, for every call
	Expires Text          // an expression: seconds, a unix time or a date
	Time    time.Duration // how long a session is good; 0: until it is refused
	Again   Text          // when an answer means that the session is over; default: status == 401
}

// An OAuth is the client credentials grant (RFC 6749 section 4.4).
type OAuth struct{ URL, Client, Secret, Scope string }

// A Probe proves that the credential sees what it should.
type Probe struct {
	Step   Step
	Expect Text          // an expression that must be true of the answer
	Every  time.Duration // how long one proof is good; 0: 30 s
}

// A TLS names files in PEM.
type TLS struct{ CA, Cert, Key string }

// A Step is one step as it is written.
type Step struct {
	steps.Written
	Verb    Text // get, post, put, patch, delete, search; rpc, soap
	Path    Text // of rpc and soap: the method
	Query   []Pair
	Headers []Pair
	Send    Text
	Format  Text
	Undo    *Step
}

// What is written as for every kind of backend that is described by steps.
type (
	Fail    = steps.WrittenFail
	Find    = steps.WrittenFind[Step]
	Answer  = steps.WrittenAnswer
	Members = steps.WrittenMembers[Step]
	Target  = steps.Target[Step]
)
