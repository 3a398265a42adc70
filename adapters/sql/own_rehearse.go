package sql

import (
	"context"
	"maps"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A Rehearsal is a change whose statements are told and not sent: no database is
// asked. What a statement would answer is not known, so that values that come from an
// answer are none.
type Rehearsal struct {
	Key         adapters.Key
	Parts       int // columns of the key
	Record, Old adapters.Record
	Changes     []adapters.Change
	Members     []adapters.MemberChange
	Told        func(statement string, values map[string]any)
}

// Rehearse tells the statements of an operation.
func (o *Own) Rehearse(ctx context.Context, op string, r Rehearsal) {
	changes, changed := map[string]any{}, map[string]bool{}
	for _, c := range r.Changes {
		short := strings.TrimPrefix(c.Field, listPrefix)
		putAt(changes, strings.Split(short, "."), dataOf(c.New))
		changed[short] = true
	}
	w := &work{record: r.Record, told: r.Told}
	if parts, ok := adapters.SplitKey(r.Key, r.Parts); ok && r.Key != "" {
		for _, p := range parts {
			w.key = append(w.key, p)
		}
	}
	all := map[string]steps.Operation{"create": o.Create, "update": o.Update, "delete": o.Delete}[op]
	if op != "update" || len(r.Changes) > 0 {
		_, _ = w.do(ctx, op, unyielding(all), map[string]any{"old": objectOf(r.Old), "changes": changes, "changed": func(name string) bool { return changed[name] }})
	}
	for _, m := range r.Members {
		if calls := o.Members[m.Field]; calls != nil {
			w.members(ctx, calls, m)
		}
	}
}

func (w *work) members(ctx context.Context, calls *steps.Members, m adapters.MemberChange) {
	if calls.Change != nil {
		_, _ = w.do(ctx, "members", unyielding(calls.Change), map[string]any{"add": dataOf(m.Add), "remove": dataOf(m.Remove)})
		return
	}
	for _, v := range m.Remove {
		w.item = v
		_, _ = w.do(ctx, "members", unyielding(calls.Remove), map[string]any{"item": v})
	}
	for _, v := range m.Add {
		w.item = v
		_, _ = w.do(ctx, "members", unyielding(calls.Add), map[string]any{"item": v})
	}
}

// unyielding are steps that yield nothing.
func unyielding(op steps.Operation) steps.Operation {
	out := make(steps.Operation, len(op))
	for i, st := range op {
		b := *st
		b.Key, b.Let, b.Fails = nil, nil, nil
		out[i] = &b
	}
	return out
}

// tell tells a statement in place of sending it.
func (c *ownCall) tell(w *work, scope steps.Scope) steps.Answer {
	values := map[string]any{}
	for _, p := range c.params {
		values[p.name] = w.plainly(p, scope)
	}
	w.told(strings.Join(strings.Fields(c.at.Value), " "), values)
	v := (&answer{affected: -1}).values()
	maps.Copy(v, map[string]any{"row": map[string]any{}, "affected": 1})
	return steps.Answer{Values: v}
}

// plainly is a value as the configuration's author would write it.
func (w *work) plainly(p ownParam, scope steps.Scope) any {
	switch {
	case p.expr != nil:
		v, _ := p.expr.Eval(scope)
		return steps.Plain(v)
	case p.field != "":
		return shownValue(w.record.Get(p.field))
	case p.part > 0 && p.part <= len(w.key):
		return w.key[p.part-1]
	case p.part > 0:
		return nil
	case p.name == itemName && w.item != nil:
		return w.item
	}
	return scope[p.name]
}
