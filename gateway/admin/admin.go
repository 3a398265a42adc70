package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// DefaultAddress is where the second listener is when nothing else is said.
const DefaultAddress = "127.0.0.1:8081"

// defaultTimeout bounds a probe: an orchestrator gives up sooner or later, and
// the backend's own timeouts may be longer.
const defaultTimeout = 3 * time.Second

// Options are what New needs.
type Options struct {
	Ready   func(context.Context) error // nil: always ready
	Version string
	Timeout time.Duration // of one readiness probe; 0: 3 s
	Logger  *slog.Logger

	// API is what administrators with a token can do; nil: nothing.
	API *API
}

// New is the handler: /healthz says that the process is up, /readyz whether it
// can serve requests now. Both take GET and HEAD, answer JSON, and are open. What
// is under /v1/ needs a token.
func New(o Options) http.Handler {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, status{Status: "up", Version: o.Version})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := o.probe(r.Context()); err != nil {
			// The cause may hold a backend's own words: they are for the log.
			o.Logger.LogAttrs(r.Context(), slog.LevelWarn, "not ready")
			o.Logger.LogAttrs(r.Context(), slog.LevelDebug, "not ready", slog.Any("cause", err))
			write(w, http.StatusServiceUnavailable, status{Status: "not ready", Version: o.Version})
			return
		}
		write(w, http.StatusOK, status{Status: "ready", Version: o.Version})
	})
	if o.API != nil {
		o.API.mount(mux, o.Logger)
	}
	return mux
}

func (o *Options) probe(ctx context.Context) error {
	if o.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return o.Ready(ctx)
}

type status struct {
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
}

func write(w http.ResponseWriter, code int, s status) {
	body, err := json.Marshal(s)
	if err != nil { // two strings always marshal
		code, body = http.StatusInternalServerError, []byte(`{"status":"broken"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	w.Write(body) //nolint:errcheck // the prober has gone; there is nobody to tell
}
