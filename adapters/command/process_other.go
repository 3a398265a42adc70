//go:build !unix

package command

import "os/exec"

// Where there are no process groups, the program alone is ended.
func ownGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}

func busy(error) bool { return false }
