// Command postern puts a SCIM 2.0 service provider in front of applications that
// have none, as one YAML file says. This package is the wiring: the only one that
// knows everybody. Each subcommand has a file of its own.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
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
}

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve SCIM as a configuration says."`
	Check   checkCommand   `cmd:"" help:"Find every problem of a configuration."`
	Explain explainCommand `cmd:"" help:"Show what becomes of a filter or a resource."`
	Token   tokenCommand   `cmd:"" help:"Make a client token and the hash for the configuration."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// exitStatus ends kong's own handling of --help and errors.
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
		kong.Description("Postern is a SCIM 2.0 gateway: one YAML file puts a complete service provider in front of a legacy application."),
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Bind(m),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(m.Stderr, "postern:", err)
		return 2
	}
	run, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(m.Stderr, "postern: %s\nRun \"postern --help\" for the commands.\n", err)
		return 2
	}
	if err := run.Run(); err != nil {
		fmt.Fprintln(m.Stderr, err)
		return 1
	}
	return 0
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(m.Run(ctx, os.Args[1:]))
}
