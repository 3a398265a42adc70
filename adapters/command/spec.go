package command

import (
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// Text is a scalar of the configuration and where it stands.
type Text = steps.Text

// A Config is what the configuration says about a program.
type Config struct {
	Program     string   // a path, or a name to look for in PATH
	Arguments   []string // before those of every step
	Directory   string   // where it runs; "": where Postern runs
	Environment map[string]string
	Secrets     map[string]string // secret.NAME in expressions
	Values      map[string]any    // further names for every expression
	Format      string            // of standard input and output: json, if nothing is said
	Size        int               // of an answer, at most; 0: 16 MiB
	Processes   int               // at a time; 0: 8
	Dashes      bool              // an argument that begins with a dash may be a value
	Probe       *Probe

	Watch adapters.Watcher // told every run; nil: nobody
}

// A Probe proves that the program reaches what it should.
type Probe struct {
	Step   Step
	Expect Text          // an expression that must be true of the answer
	Every  time.Duration // how long one proof is good; 0: 30 s
}

// A Step is one step as it is written.
type Step struct {
	steps.Written
	Run    []Text // the arguments
	Send   Text   // an expression: standard input
	Format Text
	Undo   *Step
}

// A Target is what the configuration says about one kind of object.
type Target = steps.Target[Step]
