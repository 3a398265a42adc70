package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
)

// logger makes the log. What end does must be done before the process ends.
func logger(w io.Writer, l config.Log) (log *slog.Logger, end func()) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level.Value)) // checked by config
	o, h, end := &slog.HandlerOptions{Level: level}, requestLog{}, func() {}
	if _, file := w.(*os.File); file { // in memory, writing costs nothing
		h.later = &later{to: w}
		w, end = h.later, func() { _ = h.later.release() }
	}
	if h.Handler = slog.Handler(slog.NewTextHandler(w, o)); l.Format.Value == "json" {
		h.Handler = slog.NewJSONHandler(w, o)
	}
	return slog.New(h), end
}

// A requestLog adds the request's id to lines that other rooms write during a
// request, so that one search finds all that belongs together. The lines of reads may
// wait for a moment, and no others.
type requestLog struct {
	slog.Handler
	later *later // nil if no line waits
}

func (h requestLog) Handle(ctx context.Context, r slog.Record) error {
	if id := gateway.RequestID(ctx); id != "" && !has(r, "request") {
		r.AddAttrs(slog.String("request", id))
	}
	err := h.Handler.Handle(ctx, r)
	if err == nil && h.later != nil && !patient(r) {
		err = h.later.release()
	}
	return err
}

// patient reports whether a line is that of a GET that was answered.
func patient(r slog.Record) bool {
	if r.Level != slog.LevelInfo || r.Message != "request" {
		return false
	}
	got, answered := false, false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "method":
			got = a.Value.String() == http.MethodGet
		case "status":
			answered = a.Value.Kind() == slog.KindInt64 && a.Value.Int64() < http.StatusBadRequest
		}
		return !answered
	})
	return got && answered
}

func (h requestLog) WithAttrs(as []slog.Attr) slog.Handler {
	return requestLog{h.Handler.WithAttrs(as), h.later}
}

func (h requestLog) WithGroup(name string) slog.Handler {
	return requestLog{h.Handler.WithGroup(name), h.later}
}

func has(r slog.Record, key string) bool {
	found := false
	r.Attrs(func(a slog.Attr) bool { found = a.Key == key; return !found })
	return found
}
