// Package observe lets the benchmark look into a process from outside: how many
// SQL statements SQLite ran, how much was allocated, and the profiles of net/http/pprof,
// on a Unix socket that the environment names. It works by being imported, and is
// linked only into binaries that the benchmark builds for looking, never into
// those that it times, and never into Postern as it is shipped. It works on Linux;
// elsewhere it does nothing.
package observe

// Socket is the environment variable that names the Unix socket to listen on.
const Socket = "POSTERN_BENCH_OBSERVE"

// Counts are what has happened since the process began.
type Counts struct {
	Statements map[string]int // by text
	Mallocs    uint64
	Bytes      uint64
}
