package main

import (
	"context"
	"strings"
	"time"
)

// What one node knows of the others.

// regularly does work at the start, and then when it was last done so long ago. Of
// the nodes that share a mapping table one does it at a time.
func (a *assembly) regularly(ctx context.Context, name string, every time.Duration, work func(context.Context) error) {
	tick := time.NewTicker(max(every/12, time.Millisecond))
	defer tick.Stop()
	for due := time.Duration(0); ; due = every {
		_, err := a.ids.Once(ctx, name+" "+a.cfg.Tenant, due, work)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const backendTopic = "backend "

// wrote tells other nodes that they may remember records of a backend wrongly.
func (a *assembly) wrote(backend string) func() {
	return func() {
		switch {
		case a.ids == nil:
		case a.shared != nil:
			a.ids.Changed(backendTopic + backend + " " + a.cfg.Tenant)
		default:
			a.ids.Changed(backendTopic + backend)
		}
	}
}

// follow forgets what is remembered of backends where another node has written.
func (a *assembly) follow(ctx context.Context) {
	a.ids.Follow(ctx, func(topic string) {
		backend, ok := strings.CutPrefix(topic, backendTopic)
		if topic != "" && !ok {
			return
		}
		for name, g := range a.guards {
			if topic == "" || name == backend {
				g.Forget()
			}
		}
		a.service.Forget(backend)
	})
}
