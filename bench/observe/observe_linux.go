package observe

/*
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#include <stdint.h>

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_auto_extension(void (*)(void));
int sqlite3_trace_v2(sqlite3 *, unsigned, int (*)(unsigned, void *, void *, void *), void *);

void observed(char *);

// A statement begins. The text of a trigger's begins with "--", and is part of another.
static int traced(unsigned what, void *context, void *statement, void *text) {
	char *t = text;
	if (t != 0 && !(t[0] == '-' && t[1] == '-')) observed(t);
	return 0;
}

static int opened(sqlite3 *db, char **message, const void *api) {
	sqlite3_trace_v2(db, 1, traced, 0);
	return 0;
}

static int observe(void) { return sqlite3_auto_extension((void (*)(void))opened); }
*/
import "C"

import (
	"encoding/json"
	"net"
	"net/http"
	_ "net/http/pprof" // its handlers
	"os"
	"runtime"
	"sync"

	_ "github.com/mattn/go-sqlite3" // SQLite itself
)

var (
	mu         sync.Mutex
	statements = map[string]int{}
)

//export observed
func observed(text *C.char) {
	mu.Lock()
	defer mu.Unlock()
	statements[C.GoString(text)]++
}

func init() {
	path := os.Getenv(Socket)
	if path == "" {
		return
	}
	if C.observe() != 0 {
		panic("observe: SQLite takes no extension")
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/counts", counts)
	go http.Serve(l, nil) //nolint:errcheck // ends with the process
}

func counts(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	mu.Lock()
	defer mu.Unlock()
	_ = json.NewEncoder(w).Encode(Counts{Statements: statements, Mallocs: m.Mallocs, Bytes: m.TotalAlloc})
}
