package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/config"
)

// logFile is a log that goes to a file, and what is in it.
func logFile(t *testing.T) (log *slog.Logger, end func(), lines func() []string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	log, end = logger(f, config.Log{})
	return log, end, func() []string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
}

func sayRequest(log *slog.Logger, method string, status, n int) {
	log.LogAttrs(context.Background(), slog.LevelInfo, "request", slog.String("method", method), slog.String("route", "/r"), slog.Int("status", status), slog.Int("n", n))
}

// TestLogWaits: lines of reads wait, whatever else is said is there at once, after those
// that waited, and the last come when the process ends, or when the time is over.
func TestLogWaits(t *testing.T) {
	for what, say := range map[string]func(*slog.Logger){
		"a write":        func(l *slog.Logger) { sayRequest(l, "POST", 201, 3) },
		"a denied read":  func(l *slog.Logger) { sayRequest(l, "GET", 401, 3) },
		"a warning":      func(l *slog.Logger) { l.Warn("request", "method", "GET", "status", 200, "n", 3) },
		"anything else":  func(l *slog.Logger) { l.Info("started", "method", "GET", "status", 200, "n", 3) },
		"with more said": func(l *slog.Logger) { l.With("a", 1).WithGroup("g").Info("started", "n", 3) },
	} {
		t.Run(what, func(t *testing.T) {
			log, end, lines := logFile(t)
			sayRequest(log, "GET", 200, 1)
			sayRequest(log, "GET", 200, 2)
			say(log)
			got := lines()
			if len(got) != 3 {
				t.Fatalf("%d lines are in the file:\n%s", len(got), strings.Join(got, "\n"))
			}
			for i, line := range got {
				if !strings.HasSuffix(line, fmt.Sprintf("n=%d", i+1)) {
					t.Errorf("line %d is %s", i+1, line)
				}
			}
			sayRequest(log, "GET", 200, 4)
			if end(); len(lines()) != 4 {
				t.Error("the last line is lost")
			}
		})
	}
}

func TestLogIsWrittenInTime(t *testing.T) {
	log, _, lines := logFile(t)
	for n := range 3 { // again, after it was written
		sayRequest(log, "GET", 200, n)
		for deadline := time.Now().Add(10 * time.Second); len(lines()) != n+1 || lines()[n] == ""; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("line %d is still not there", n)
			}
		}
	}
}

// TestLogIsBounded: so much does not wait.
func TestLogIsBounded(t *testing.T) {
	var got strings.Builder
	w := &later{to: &got, waits: true} // the time is never over
	line := strings.Repeat("a", 1000) + "\n"
	for range holdSize/len(line) + 1 {
		if _, err := w.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got.Len() < holdSize {
		t.Errorf("%d bytes were written", got.Len())
	}
}
