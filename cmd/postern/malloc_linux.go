//go:build linux && cgo

package main

// #include <malloc.h>
//
// static void one_arena(void) {
// #ifdef M_ARENA_MAX
// 	mallopt(M_ARENA_MAX, 1);
// #endif
// }
import "C"

// oneArena makes the C library, of which SQLite has its memory, keep one heap
// instead of one for each thread. SQLite asks for memory under a lock of its own,
// so that more of them are not faster; four mebibytes of fragments go.
func oneArena() { C.one_arena() }
