package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/internal/expect"
	"github.com/postern/postern/internal/trial"
)

// judge holds what came against what was wanted.
func (a *attempt) judge(ctx context.Context) {
	for _, missing := range a.out.Missing {
		a.wrong(a.test.Place, "add it to answers", "no answer is given to %s", missing)
	}
	answer := a.answered()
	if !a.status(answer) {
		return
	}
	for _, want := range []*config.Tree{a.test.Resource, a.test.Answer} {
		if want != nil {
			a.differences(expect.Match(want, answer, ""))
		}
	}
	if a.test.Stores != nil {
		a.stores(ctx)
	}
	if a.test.Calls != nil {
		a.calls()
	}
}

// answered is the body of the answer.
func (a *attempt) answered() any {
	var v any
	d := json.NewDecoder(bytes.NewReader(a.out.Answer))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

func (a *attempt) differences(all []expect.Difference) {
	for _, d := range all {
		a.wrong(d.At, d.Hint, "%s", d.Message)
	}
}

// status judges the status and the error. False if the rest is not worth a look.
func (a *attempt) status(answer any) bool {
	t, body := a.test, map[string]any{}
	if m, ok := answer.(map[string]any); ok {
		body = m
	}
	detail, _ := body["detail"].(string)
	got := fmt.Sprintf("the answer is %d %s", a.out.Status, http.StatusText(a.out.Status))
	failed := a.out.Status >= 400
	switch {
	case t.Status.Set && a.out.Status != t.Status.Value:
		a.wrong(config.Text{Value: fmt.Sprint(t.Status.Value), Line: t.Status.Line, Column: t.Status.Column}, detail, "%s", got)
		return false
	case t.Hidden.Value && a.out.Status != http.StatusNotFound:
		a.wrong(config.Text{Value: "true", Line: t.Hidden.Line, Column: t.Hidden.Column}, "it is in scope", "the record is not hidden")
		return false
	case t.Hidden.Value:
		return true
	case t.Error.IsSet():
		scimType, _ := body["scimType"].(string)
		if !failed || scimType != t.Error.Value && !strings.Contains(detail, t.Error.Value) {
			a.wrong(t.Error, strings.TrimSpace(scimType+" "+detail), "%s", got)
		}
		return failed
	case failed && !t.Status.Set:
		a.wrong(t.Place, a.why(), "%s: %s", got, detail)
		return false
	}
	return true
}

// why is what a backend's failure says.
func (a *attempt) why() string {
	if a.out.Status == http.StatusNotFound && a.key != "" && !a.test.Request.IsSet() {
		return "it is out of scope; hidden: true would want that"
	}
	for _, s := range a.out.Steps {
		if s.Failure != nil {
			return strings.TrimSpace(s.Backend + ": " + s.Failure.Kind + " " + s.Failure.Text)
		}
	}
	return ""
}

// stores compares the record that was written, or else the one that was given, with
// what the stand-in holds now.
func (a *attempt) stores(ctx context.Context) {
	want := a.test.Stores
	stand := a.run.made[a.mapping.Type.Name]
	if stand == nil {
		a.wrong(place(want), "use calls", "what a REST backend stores is not known here")
		return
	}
	key := a.key
	for _, s := range a.out.Steps {
		if s.Type != a.mapping.Type.Name || s.Op == "get" || s.Op == "list" {
			continue
		}
		if key = s.Key; len(s.Records) > 0 {
			key = s.Records[0].Key
		}
	}
	rec, err := stand.Get(ctx, adapters.Key(key), adapters.AllFields)
	switch {
	case err != nil && want.Kind == config.NullNode:
	case err != nil:
		a.wrong(place(want), "", "the backend has no record")
	case want.Kind != config.MappingNode:
		a.wrong(place(want), "as in {login: ada, status: A}", "the backend has the record")
	default:
		a.differences(a.compareFields(want, func(field string) any { return rec.Get(field) }))
	}
}

// compareFields compares fields by their text: a column's type is not known here.
func (a *attempt) compareFields(want *config.Tree, held func(string) any) []expect.Difference {
	var out []expect.Difference
	for _, item := range want.Items {
		name, ok := fieldNamed(a.mapping, item.Key.Value)
		if !ok {
			hint := ""
			if n := config.Nearest(item.Key.Value, a.mapping.Shape().Names()); n != "" {
				hint = fmt.Sprintf("did you mean %q?", n)
			}
			out = append(out, expect.Difference{At: item.Key, Hint: hint,
				Message: fmt.Sprintf("the mapping of %s names no field %q", a.mapping.Type.Name, item.Key.Value)})
			continue
		}
		wanted, ok := fieldValue(a.mapping, name, item)
		if got := held(name); !ok || !sameField(wanted, got) {
			at := item.Text
			if item.Kind != config.ScalarNode {
				at = item.Key
			}
			out = append(out, expect.Difference{At: at, Message: fmt.Sprintf("%s is %s", item.Key.Value, expect.Show(trace.Plain(got)))})
		}
	}
	return out
}

func sameField(want, got any) bool {
	if rows, ok := want.([]adapters.Record); ok {
		held, _ := got.([]adapters.Record)
		return slices.EqualFunc(rows, held, sameElement)
	}
	w, wList := want.([]string)
	g, gList := got.([]string)
	if wList || gList {
		slices.Sort(w)
		g = slices.Sorted(slices.Values(g))
		return slices.Equal(w, g)
	}
	if adapters.NoValue(want) || adapters.NoValue(got) {
		return adapters.NoValue(want) && adapters.NoValue(got)
	}
	return adapters.Text(want) == adapters.Text(got)
}

// sameElement compares what a test names of a row.
func sameElement(want, got adapters.Record) bool {
	for _, name := range want.Shape().Names() {
		if v := want.Get(name); v != nil && adapters.Text(v) != adapters.Text(got.Get(name)) {
			return false
		}
	}
	return true
}

func place(t *config.Tree) config.Text {
	if t.Key.Line > 0 {
		return t.Key
	}
	return t.Text
}

// A made is a change that was sent.
type made struct {
	title string
	body  string // of an HTTP call
	step  *trial.Step
}

// calls compares the changes, all of them, in order.
func (a *attempt) calls() {
	sent := a.changes()
	for i, item := range a.test.Calls {
		call, body := item.Text, (*config.Tree)(nil)
		if item.Kind == config.MappingNode && len(item.Items) == 1 {
			call, body = item.Items[0].Key, item.Items[0]
		}
		if i >= len(sent) {
			a.wrong(call, "", "this is not sent")
			continue
		}
		if sent[i].title != call.Value {
			a.wrong(call, "", "this is sent instead: %s", sent[i].title)
			continue
		}
		if body != nil {
			a.differences(a.compareCall(body, sent[i]))
		}
	}
	if n := len(a.test.Calls); len(sent) > n {
		at := a.test.Place
		if n > 0 {
			at = a.test.Calls[n-1].Text
		}
		a.wrong(at, "", "this is sent too: %s", sent[n].title)
	}
}

// changes lists what was sent to change something.
func (a *attempt) changes() []made {
	var out []made
	for i := range a.out.Steps {
		s := &a.out.Steps[i]
		if !a.run.answered[s.Backend] && len(s.Exchanges) == 0 {
			if s.Op == "create" || s.Op == "update" || s.Op == "delete" {
				out = append(out, made{title: s.Title(), step: s})
			}
			continue
		}
		for _, e := range s.Exchanges {
			if !e.Reads {
				out = append(out, made{title: a.short(e), body: e.Body})
			}
		}
	}
	return out
}

// short is a call without the backend's own URL.
func (a *attempt) short(e *trace.Exchange) string {
	method, address, _ := strings.Cut(e.Request, " ")
	return method + " " + strings.TrimPrefix(address, a.urlOf(""))
}

func (a *attempt) compareCall(want *config.Tree, m made) []expect.Difference {
	if m.step == nil {
		var v any
		d := json.NewDecoder(strings.NewReader(m.body))
		d.UseNumber()
		if d.Decode(&v) != nil {
			v = m.body
		}
		return expect.Match(want, v, "")
	}
	held := map[string]any{}
	for name, v := range m.step.Create {
		held[name] = v.V
	}
	for _, c := range m.step.Changes {
		held[c.Field] = c.New.V
	}
	for _, c := range m.step.Members {
		list := slices.Clone(c.Add)
		for _, k := range c.Remove {
			list = append(list, "-"+k)
		}
		held[c.Field] = list
	}
	return a.compareFields(want, func(field string) any { return held[field] })
}
