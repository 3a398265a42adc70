package trace

import (
	"context"

	"github.com/postern/postern/adapters"
)

// Watch keeps the operations of an adapter. Values of fields of which secret is true
// are secrets from then on. With native, the adapter's messages are told to the
// tape themselves: then those are what a dry run stops, and what a recording
// answers.
func (t *Tape) Watch(a adapters.Adapter, backend, typ string, native bool, secret func(field string) bool) adapters.Adapter {
	return &watched{Adapter: a, tape: t, backend: backend, typ: typ, native: native, secret: secret}
}

type watched struct {
	adapters.Adapter
	tape         *Tape
	backend, typ string
	native       bool
	secret       func(string) bool
}

func (w *watched) step(op string) *Step {
	return &Step{Backend: w.backend, Type: w.typ, Op: op, secret: w.secret}
}

// run makes an operation, or lets the recording answer, or stops.
func (w *watched) run(ctx context.Context, s *Step, answers bool, f func(context.Context) error) error {
	ctx = w.tape.begin(ctx, s)
	var err error
	switch {
	case w.tape.dry && s.writes() && (!w.native || w.tape.Stopped()):
		err = w.tape.stop(s, nil)
	case answers:
		err = w.tape.replay.answer(w.tape, s)
	default:
		err = f(ctx)
	}
	w.tape.mu.Lock()
	defer w.tape.mu.Unlock()
	if err != nil && !s.Stopped {
		s.Failure = failureOf(err)
	}
	return err
}

// answers reports whether the recording answers operations themselves.
func (w *watched) answers() bool { return w.tape.replay != nil && !w.native }

// Get implements adapters.Adapter.
func (w *watched) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (rec adapters.Record, err error) {
	s := w.step("get")
	s.Key = string(key)
	err = w.run(ctx, s, w.answers(), func(ctx context.Context) error {
		r, err := w.Adapter.Get(ctx, key, want)
		w.found(s, err, r)
		return err
	})
	return w.first(s), err
}

// List implements adapters.Adapter.
func (w *watched) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	s := w.step("list")
	s.Query = queryOf(q)
	err := w.run(ctx, s, w.answers(), func(ctx context.Context) error {
		p, err := w.Adapter.List(ctx, q)
		if err == nil {
			w.found(s, nil, p.Records...)
			s.Total, s.Next = &p.Total, p.Next
		}
		return err
	})
	page := adapters.Page{Total: -1, Next: s.Next}
	if s.Total != nil {
		page.Total = *s.Total
	}
	for _, r := range s.Records {
		page.Records = append(page.Records, w.record(r))
	}
	return page, err
}

// Create implements adapters.Adapter.
func (w *watched) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	s := w.step("create")
	s.Key, s.Create = string(r.Key), fieldsOf(r)
	w.learn(s.Create)
	err := w.run(ctx, s, w.answers(), func(ctx context.Context) error {
		stored, err := w.Adapter.Create(ctx, r, want)
		w.found(s, err, stored)
		return err
	})
	return w.first(s), err
}

// Update implements adapters.Adapter.
func (w *watched) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	s := w.step("update")
	s.Key = string(key)
	s.change(d)
	for _, c := range s.Changes {
		w.learn(map[string]Value{c.Field: c.New})
		w.learn(map[string]Value{c.Field: c.Old})
	}
	err := w.run(ctx, s, w.answers(), func(ctx context.Context) error {
		stored, err := w.Adapter.Update(ctx, key, d, want)
		w.found(s, err, stored)
		return err
	})
	return w.first(s), err
}

// Delete implements adapters.Adapter.
func (w *watched) Delete(ctx context.Context, key adapters.Key) error {
	s := w.step("delete")
	s.Key = string(key)
	return w.run(ctx, s, w.answers(), func(ctx context.Context) error { return w.Adapter.Delete(ctx, key) })
}

// Probe implements adapters.Adapter.
func (w *watched) Probe(ctx context.Context) error {
	if w.tape.replay != nil {
		return nil
	}
	return w.run(ctx, w.step("probe"), false, w.Adapter.Probe)
}

// found keeps what the backend answered.
func (w *watched) found(s *Step, err error, all ...adapters.Record) {
	if err != nil {
		return
	}
	w.tape.mu.Lock()
	defer w.tape.mu.Unlock()
	for _, r := range all {
		fields := fieldsOf(r)
		w.hide(fields)
		s.Records = append(s.Records, Record{Key: string(r.Key), Fields: fields})
	}
}

func (w *watched) learn(fields map[string]Value) {
	w.tape.mu.Lock()
	defer w.tape.mu.Unlock()
	w.hide(fields)
}

func (w *watched) hide(fields map[string]Value) {
	for name, v := range fields {
		if text, ok := v.V.(string); ok && w.secret(name) {
			w.tape.blot.learn(text)
		}
	}
}

// first is the record that a step answered.
func (w *watched) first(s *Step) adapters.Record {
	if len(s.Records) == 0 {
		return adapters.Record{}
	}
	return w.record(s.Records[0])
}

func (w *watched) record(r Record) adapters.Record {
	out := adapters.NewRecord(w.Capabilities().Shape, adapters.Key(r.Key))
	caps := w.Capabilities()
	for name, v := range r.Fields {
		if all, ok := v.V.([]map[string]Value); ok {
			if f, _ := caps.Field(name); f.Elements != nil {
				v.V = elements(f.Elements.Shape, all)
			}
		}
		out.Set(name, v.V)
	}
	return out
}
