package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
)

func logger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level.Value)) // checked by config
	o := &slog.HandlerOptions{Level: level}
	if l.Format.Value == "json" {
		return slog.New(requestLog{slog.NewJSONHandler(w, o)})
	}
	return slog.New(requestLog{slog.NewTextHandler(w, o)})
}

// A requestLog adds the request's id to lines that other rooms write during a
// request, so that one search finds all that belongs together.
type requestLog struct{ slog.Handler }

func (h requestLog) Handle(ctx context.Context, r slog.Record) error {
	if id := gateway.RequestID(ctx); id != "" && !has(r, "request") {
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestLog) WithAttrs(as []slog.Attr) slog.Handler {
	return requestLog{h.Handler.WithAttrs(as)}
}
func (h requestLog) WithGroup(name string) slog.Handler { return requestLog{h.Handler.WithGroup(name)} }

func has(r slog.Record, key string) bool {
	found := false
	r.Attrs(func(a slog.Attr) bool { found = a.Key == key; return !found })
	return found
}
