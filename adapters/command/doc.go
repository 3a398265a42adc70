// Package command is the adapter for what has only a command line: a program is
// called for every exchange, with arguments and with data on its standard input,
// and answers on its standard output, with its exit status and its standard error.
// It makes the calls; package steps decides which, when, and what their answers mean.
//
// There is no shell: an argument is one argument whatever it holds. A program that is
// too slow is killed with everything that it started. It sees the environment that
// the configuration gives it and nothing else of Postern's.
//
// The package knows the contract of package adapters and the engine, and nothing
// above them.
package command
