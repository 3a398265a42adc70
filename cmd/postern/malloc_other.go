//go:build !linux || !cgo

package main

func oneArena() {}
