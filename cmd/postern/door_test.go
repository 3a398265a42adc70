package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// childMark makes a test binary the program itself, for tests that kill it.
const childMark = "POSTERN_TEST_SERVES"

// child runs the program instead of the tests if the environment says so.
func child() {
	if os.Getenv(childMark) == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(m.Run(ctx, os.Args[1:]))
}
