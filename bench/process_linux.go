package main

import "syscall"

// dieWithParent ends a server even if the benchmark is killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
