// Package memory is the reference adapter: records in memory, every capability
// of the contract, evaluation by package filter. Other adapters are compared
// with it; tests of the rooms above use it as a real backend; Options.Restrict
// takes capabilities away, so that they can be tested against weak backends too.
//
// It knows the contract and nothing above it, and it keeps nothing on disk.
package memory
