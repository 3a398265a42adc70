//go:build race

package command_test

func init() { racing = true }
