package rest

import (
	"time"

	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

// Text is a scalar of the configuration and where it stands.
type Text = steps.Text

// A Pair is a named text.
type Pair struct{ Name, Value Text }

// A Config is what the configuration says about a system.
type Config struct {
	URL       string // before every path
	Headers   map[string]string
	User      string // Basic, if there is one
	Password  string
	Secrets   map[string]string // secret.NAME in expressions
	Namespace string            // of SOAP and XML bodies
	Format    string            // of bodies: json, if nothing is said

	Login *Login
	OAuth *OAuth
	Probe *Probe

	Cookies   bool  // keep them
	Size      int64 // of an answer, at most; 0: 16 MiB
	TLS       TLS
	UserAgent string
}

// A Login is how a session begins.
type Login struct {
	Steps   []Step
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
	At         Text
	Name, When Text
	Verb       Text // get, post, put, patch, delete, search; rpc, soap
	Path       Text // of rpc and soap: the method
	Query      []Pair
	Headers    []Pair
	Send       Text
	Format     Text
	Each       Text
	Fails      []Fail
	Undo       *Step

	Record, Records, Key, Total, Next, Truncated Text
	Let, Set                                     []Pair
	Lacks                                        []Text
	Size                                         int
	Ordered                                      bool
}

// A Fail is a rule about answers.
type Fail struct{ When, Kind, Field Text }

// A Find is a list that answers some filters.
type Find struct {
	Steps       []Step
	Answers     []Answer
	Exact       bool
	IgnoresCase bool
}

// An Answer says which operators a find answers on a field.
type Answer struct {
	Field Text
	Ops   filter.Ops
}

// Members are the calls that change the values of a field.
type Members struct {
	Field               Text
	Add, Remove, Change []Step
}

// A Target is what the configuration says about one kind of object.
type Target struct {
	Fields []string // the shape
	Multi  []string // fields with several values
	Key    []string
	Given  bool
	Read   []Pair // how a field is read from item
	Clear  Text   // an expression: what is sent for a value that was taken away

	Get, List, Create, Update, Delete []Step
	Finds                             []Find
	Members                           []Members
	Fails                             []Fail // after those of each step
}
