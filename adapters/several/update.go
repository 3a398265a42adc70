package several

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
)

// Update implements adapters.Adapter. Only places of which a field changes are
// written; what must not have changed is compared in the others, too.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	w := &writing{Adapter: a, op: "update", want: want, from: key}
	main := a.share(a.main, d)
	main.Members = d.Members
	w.plan(d, main)
	if len(w.steps) == 0 {
		rec, err := a.main.Adapter.Update(ctx, key, main, a.mainWant(want, a.wanted(want)))
		if err != nil {
			return adapters.Record{}, err
		}
		return w.answer(ctx, rec)
	}
	if err := w.look(ctx, key, main); err != nil {
		return adapters.Record{}, err
	}
	w.steps = slices.DeleteFunc(w.steps, func(s *step) bool { return s.idle() })
	if w.noteworthy(main) {
		if err := adapters.Note(ctx, key, a.noteOf(w.steps, w.main, main.Set)); err != nil {
			return adapters.Record{}, err
		}
	}
	if !main.Empty() {
		rec, err := a.main.Adapter.Update(ctx, key, main, a.mainWant(want, a.parts))
		if err != nil {
			return adapters.Record{}, err
		}
		w.was, w.main, w.set = w.main, rec, &main
	}
	return w.carryOut(context.WithoutCancel(ctx))
}

// noteworthy reports whether a change could be left undone: it touches several places,
// or makes a record of which a backend may say nothing, and that must not be made again.
func (w *writing) noteworthy(main adapters.Delta) bool {
	return len(w.steps) > 1 || len(w.steps) == 1 && !main.Empty() ||
		slices.ContainsFunc(w.steps, func(s *step) bool { return s.before.IsZero() && !s.Sure })
}

// share is what of a change is a place's own.
func (a *Adapter) share(p *place, d adapters.Delta) adapters.Delta {
	var out adapters.Delta
	for _, c := range d.Set {
		if q, own := a.placeOf(c.Field); q == p {
			c.Field = own
			out.Set = append(out.Set, c)
		}
	}
	for _, h := range d.Held {
		if q, own := a.placeOf(h); q == p {
			out.Held = append(out.Held, own)
		}
	}
	out.Before, out.After = p.half(d.Before), p.half(d.After)
	return out
}

// half is a place's half of a record of the whole.
func (p *place) half(whole adapters.Record) adapters.Record {
	if whole.IsZero() {
		return whole
	}
	own := adapters.NewRecord(p.shape, whole.Key)
	p.take(whole, own)
	return own
}

// plan finds the parts that a change is about: of which a field changes, or must not
// have changed, or that are found by what changes.
func (w *writing) plan(d, main adapters.Delta) {
	for _, p := range w.parts {
		own := w.share(p, d)
		s := &step{place: p, set: own.Set, held: own.Held, before: own.Before}
		if i := w.moves(p, main); i >= 0 {
			s.moves, s.next = true, adapters.Text(main.Set[i].New)
		}
		if len(s.set) > 0 || len(s.held) > 0 || s.moves {
			w.steps = append(w.steps, s)
		}
	}
}

// moves is the change of the main record that changes what a part's is found by, or -1.
func (w *writing) moves(p *place, main adapters.Delta) int {
	return slices.IndexFunc(main.Set, func(c adapters.Change) bool {
		return c.Field == p.From || p.From == adapters.KeyField && slices.Contains(w.o.Key, c.Field)
	})
}

// look reads what the steps start from, and compares it with what it is to be. Where
// the main record is not written, what must not have changed of it is compared as well.
func (w *writing) look(ctx context.Context, key adapters.Key, main adapters.Delta) error {
	places := make([]*place, len(w.steps))
	for i, s := range w.steps {
		places[i] = s.place
	}
	need := w.mainWant(w.want, w.parts).Union(w.Adapter.main.shape.FieldSet(main.Held...))
	var err error
	if w.main, err = w.Adapter.main.Adapter.Get(adapters.WithoutCache(ctx), key, need); err != nil {
		return err
	}
	if main.Empty() {
		if err := same(main.Held, main.Before, w.main); err != nil {
			return err
		}
	}
	return w.each(places, func(p *place) error {
		s := w.steps[slices.Index(places, p)]
		link := s.link(w.main)
		found, err := s.find(adapters.WithoutCache(ctx), []string{link, s.next}, adapters.AllFields)
		if err != nil {
			return err
		}
		if _, there := found[s.next]; there && s.Create && s.next != link {
			return w.takenBy(p)
		}
		was := s.before
		s.before = found[link]
		if err := same(s.held, was, s.before); err != nil {
			return err
		}
		return s.asExpected(w.Adapter)
	})
}

// same reports whether fields still hold what they held.
func same(fields []string, was, is adapters.Record) error {
	for _, f := range fields {
		if !adapters.Same(was.Get(f), is.Get(f)) {
			return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: f, Err: fmt.Errorf("%s has changed meanwhile", f)}
		}
	}
	return nil
}

// asExpected reports whether a step can be done on what is there.
func (s *step) asExpected(a *Adapter) error {
	for _, c := range s.set {
		if !adapters.Same(c.Old, s.before.Get(c.Field)) && !a.secret(s.place, c.Field) {
			return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: c.Field, Err: fmt.Errorf("%s has changed meanwhile", c.Field)}
		}
	}
	if s.before.IsZero() && !s.Create && !s.clears() {
		return &adapters.Error{Kind: adapters.Invalid, Op: "update", Field: s.field(), Err: missing(s.Name)}
	}
	return nil
}

// clears reports whether a step gives no field a value.
func (s *step) clears() bool {
	return !slices.ContainsFunc(s.set, func(c adapters.Change) bool { return !adapters.NoValue(c.New) })
}

// idle reports whether there is nothing to write: a field that must not have changed
// has been compared, and of a record that is not there nothing is to be taken.
func (s *step) idle() bool {
	if s.before.IsZero() {
		return s.clears()
	}
	return len(s.set) == 0 && !s.moves
}

// Delete implements adapters.Adapter: the main record, and then its parts. Until the
// main record is gone nothing is; then nobody sees what is left.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	var goes []*place
	for _, p := range a.parts {
		if !p.Keep {
			goes = append(goes, p)
		}
	}
	if len(goes) == 0 {
		return a.main.Adapter.Delete(ctx, key)
	}
	main, err := a.main.Adapter.Get(adapters.WithoutCache(ctx), key, a.mainWant(adapters.Fields{}, goes))
	if err != nil {
		return inOp("delete", err)
	}
	keys := make([]adapters.Key, len(goes))
	err = a.each(goes, func(p *place) error {
		link := p.link(main)
		found, err := p.find(adapters.WithoutCache(ctx), []string{link}, p.shape.FieldSet(p.On))
		keys[slices.Index(goes, p)] = found[link].Key
		return err
	})
	if err != nil {
		return inOp("delete", err)
	}
	note := a.noteOfDelete(main, goes, keys)
	if note.Text != "" {
		if err := adapters.Note(ctx, key, note); err != nil {
			return err
		}
	}
	if err := a.main.Adapter.Delete(ctx, key); err != nil {
		return err
	}
	return a.deleteParts(context.WithoutCancel(ctx), key, goes, keys)
}

// deleteParts deletes the parts' records with these keys, "" for none.
func (a *Adapter) deleteParts(ctx context.Context, key adapters.Key, goes []*place, keys []adapters.Key) error {
	var failed error
	for i, p := range goes {
		if keys[i] == "" {
			continue
		}
		if err := ignoring(adapters.NotFound, p.Adapter.Delete(ctx, keys[i])); err != nil && failed == nil {
			failed = &adapters.Error{Kind: adapters.KindOf(err), Op: "delete", Err: err, Left: true, Key: key}
		}
	}
	return failed
}

// inOp is an error of a question that another operation has asked.
func inOp(op string, err error) error {
	if ae, ok := err.(*adapters.Error); ok {
		out := *ae
		out.Op = op
		return &out
	}
	return err
}
