package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProbes(t *testing.T) {
	var down error
	var log strings.Builder
	srv := httptest.NewServer(New(Options{
		Ready:   func(context.Context) error { return down },
		Version: "1.2.3",
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	}))
	defer srv.Close()
	secret := errors.New("password=hunter2")
	cases := []struct {
		method, path string
		down         error
		code         int
		body         string
	}{
		{"GET", "/healthz", nil, 200, `{"status":"up","version":"1.2.3"}`},
		{"GET", "/healthz", secret, 200, `{"status":"up","version":"1.2.3"}`},
		{"GET", "/readyz", nil, 200, `{"status":"ready","version":"1.2.3"}`},
		{"GET", "/readyz", secret, 503, `{"status":"not ready","version":"1.2.3"}`},
		{"HEAD", "/readyz", nil, 200, ""},
		{"POST", "/readyz", nil, 405, "Method Not Allowed\n"},
		{"GET", "/Users", nil, 404, "404 page not found\n"},
	}
	for _, c := range cases {
		t.Run(c.method+c.path, func(t *testing.T) {
			down = c.down
			req, _ := http.NewRequest(c.method, srv.URL+c.path, nil)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.code || string(body) != c.body {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	if !strings.Contains(log.String(), "not ready") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("log: %s", log.String())
	}
}

func TestProbeIsBounded(t *testing.T) {
	h := New(Options{
		Ready:   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		Timeout: time.Millisecond,
		Logger:  slog.New(slog.DiscardHandler),
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}
