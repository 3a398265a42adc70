// Command postern puts a SCIM 2.0 service provider in front of applications that
// have none, as one YAML file says. This package is the wiring: the only one that
// knows everybody. Each subcommand has a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/postern/postern/config"
)

// A Main is one run of the command, with everything it takes from and gives to
// the outside, so that a test starts the real program.
type Main struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Listening, if set, is told the addresses once requests are answered.
	Listening func(scim, admin string)
	// Trace, if set, is told every SQL statement that backends are sent.
	Trace func(statement string)
	// TraceIDs is told every one that the mapping table is sent.
	TraceIDs func(statement string)
}

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve SCIM as a configuration says."`
	Check   checkCommand   `cmd:"" help:"Find every problem of a configuration at once."`
	Explain explainCommand `cmd:"" help:"Show what becomes of a filter or a resource."`
	Init    initCommand    `cmd:"" help:"Start a configuration from a database, or from a sample of an API."`
	Try     tryCommand     `cmd:"" help:"Send one request through a configuration and show what happens."`
	Test    testCommand    `cmd:"" help:"Run the tests of a configuration."`
	Conform conformCommand `cmd:"" help:"Check how well a SCIM server, of whatever make, keeps the standards."`
	Schema  schemaCommand  `cmd:"" help:"Print the JSON Schema of configurations, for editors."`
	Token   tokenCommand   `cmd:"" help:"Make a token for a client, and the hash for the configuration."`
	Version versionCommand `cmd:"" help:"Print the version."`

	Journal     journalCommand     `cmd:"" help:"Show and settle writes that were left behind."`
	Maintenance maintenanceCommand `cmd:"" help:"Refuse clients for a while, or only their changes."`
	Removals    removalsCommand    `cmd:"" help:"Show what clients have deleted or deactivated, and let one go on that was stopped."`

	Tenants    tenantsCommand    `cmd:"" help:"Add, change and remove tenants while the server runs."`
	Identities identitiesCommand `cmd:"" help:"Merge, split and look after identities: who is who."`
}

const about = "Postern is a SCIM 2.0 gateway: one YAML file puts a complete service provider in front of a legacy application."

// A source is the configuration that a command works on.
type source struct {
	Config string `short:"c" help:"The configuration file (default: postern.yaml)." placeholder:"FILE"`
}

func (s source) file() string {
	if s.Config == "" {
		return "postern.yaml"
	}
	return s.Config
}

// What a run ends with. A usage error is about the command line; a failure about
// everything else.
const (
	statusFailure = 1
	statusUsage   = 2
)

// exitStatus ends kong's own handling of --help.
type exitStatus int

// Run parses the arguments, carries the command out, and returns the status to
// exit with.
func (m *Main) Run(ctx context.Context, args []string) (status int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exitStatus:
			status = int(r)
		default:
			panic(r)
		}
	}()
	var c commands
	parser, err := kong.New(&c,
		kong.Name("postern"),
		kong.Description(about),
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.Bind(m),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return m.fail(err)
	}
	if len(args) == 0 {
		parser.Stdout, parser.Exit = m.Stderr, func(int) { panic(exitStatus(statusUsage)) }
		args = []string{"--help"}
	}
	run, err := parser.Parse(args)
	if err != nil {
		return m.fail(usage(err))
	}
	return m.fail(run.Run())
}

// A usageError is a mistake in the command line.
type usageError struct{ text, help string }

func (e usageError) Error() string { return e.text }

// usage says where the help for a mistyped command line is.
func usage(err error) error {
	e := usageError{text: err.Error(), help: "postern --help"}
	var parse *kong.ParseError
	switch {
	case !errors.As(err, &parse) || parse.Context == nil:
	case parse.Context.Selected() != nil:
		e.help = parse.Context.Selected().FullPath() + " --help"
	case strings.HasPrefix(e.text, "unexpected argument "):
		e.text = "there is no command " + strings.TrimPrefix(e.text, "unexpected argument ")
	}
	return e
}

// fail prints what went wrong, if anything did, and says how to exit.
func (m *Main) fail(err error) int {
	var problems config.Problems
	var mistyped usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
	case errors.As(err, &problems):
		fmt.Fprintf(m.Stderr, "%s\n\n%s.\n", problems, problems.Summary())
	case errors.As(err, &mistyped):
		fmt.Fprintf(m.Stderr, "postern: %s\nTry \"%s\".\n", mistyped.text, mistyped.help)
		return statusUsage
	default:
		fmt.Fprintf(m.Stderr, "postern: %s\n", err)
	}
	return statusFailure
}

func main() {
	oneArena()
	room := ballast() // before anything else: what was used before would be written to
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	status := m.Run(ctx, os.Args[1:])
	runtime.KeepAlive(room)
	os.Exit(status)
}
