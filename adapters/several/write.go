package several

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
)

// Create implements adapters.Adapter: the main record, then its parts.
func (a *Adapter) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	w := &writing{Adapter: a, op: "create", want: want}
	main := adapters.NewRecord(a.main.shape, r.Key)
	a.main.take(r, main)
	for _, p := range a.parts {
		if c := p.given(r); len(c) > 0 {
			w.steps = append(w.steps, &step{place: p, set: c, fresh: p.Create})
		}
	}
	if err := w.vacant(ctx, main); err != nil {
		return adapters.Record{}, err
	}
	if len(w.steps) == 0 {
		rec, err := a.main.Adapter.Create(ctx, main, a.mainWant(want, a.wanted(want)))
		if err != nil {
			return adapters.Record{}, err
		}
		return w.answer(ctx, rec)
	}
	if err := adapters.Note(ctx, "", a.noteOf(w.steps, adapters.Record{}, nil)); err != nil {
		return adapters.Record{}, err
	}
	rec, err := a.main.Adapter.Create(ctx, main, a.mainWant(want, a.parts))
	if err != nil {
		return adapters.Record{}, err
	}
	w.main, w.made = rec, true
	return w.carryOut(context.WithoutCancel(ctx))
}

// take copies what is a place's of a record of the whole.
func (p *place) take(whole, own adapters.Record) {
	for i, at := range p.whole {
		if at >= 0 {
			own.SetAt(i, whole.At(at))
		}
	}
}

// given are the values that a new record has in a part, as changes.
func (p *place) given(whole adapters.Record) []adapters.Change {
	var out []adapters.Change
	for i, at := range p.whole {
		if at >= 0 && !adapters.NoValue(whole.At(at)) {
			out = append(out, adapters.Change{Field: p.shape.Names()[i], New: whole.At(at)})
		}
	}
	return out
}

// A writing is a write that touches several places.
type writing struct {
	*Adapter
	op    string
	want  adapters.Fields
	steps []*step         // of the parts, in order
	main  adapters.Record // as it is now
	was   adapters.Record // before the write
	made  bool            // by this write
	set   *adapters.Delta // by which it was changed; nil if it was not
	from  adapters.Key    // before that
}

// A step is what is to be done in one part.
type step struct {
	*place
	set    []adapters.Change
	held   []string
	before adapters.Record // as it was; the zero Record if there was none
	fresh  bool            // there must be none
	moves  bool            // the link changes, too
	next   string          // to this, as far as it is known before
	done   adapters.Record // as it is
	made   bool
	wrote  bool // done is what the part answered
}

// vacant refuses a new record whose parts are there already, also those that it gives
// no value, as far as that can be known before its key is. Where it cannot, the parts
// must at least answer: nothing is begun that cannot be ended.
func (w *writing) vacant(ctx context.Context, main adapters.Record) error {
	return w.each(w.parts, func(p *place) error {
		link := p.link(main)
		touched := slices.ContainsFunc(w.steps, func(s *step) bool { return s.place == p })
		switch {
		case !touched && (link == "" || !p.Create):
			return nil
		case link == "":
			return p.Adapter.Probe(ctx)
		}
		found, err := p.find(ctx, []string{link}, p.shape.FieldSet(p.On))
		if _, there := found[link]; err == nil && there && p.Create {
			return w.takenBy(p)
		}
		return err
	})
}

// takenBy says that a part holds a record already that another one would be joined to.
func (w *writing) takenBy(p *place) error {
	e := adapters.Errorf(adapters.Exists, w.op, "part %s has a record for it already", p.Name)
	e.Field = p.On
	return e
}

// carryOut does the steps, the main record being written already. What is refused is
// taken back; what has no answer is left to be carried on.
func (w *writing) carryOut(ctx context.Context) (adapters.Record, error) {
	for i, s := range w.steps {
		err := w.do(ctx, s)
		switch {
		case err == nil:
			continue
		case refusal(err) && w.takeBack(ctx, w.steps[:i]):
			return adapters.Record{}, w.outward(s.place, err)
		case i == 0 && !w.made && w.set == nil: // nothing was done before
			return adapters.Record{}, w.outward(s.place, err)
		}
		if w.set != nil && !refusal(err) { // whoever changes the main record again has the last word
			_ = adapters.Note(ctx, w.from, w.noteOf(w.steps, w.was, nil)) // if that fails, the first one is as good for all but this
		}
		return adapters.Record{}, w.left(w.main.Key, err)
	}
	return w.answer(ctx, w.main)
}

// refusal reports whether a place has said that it will not do it.
func refusal(err error) bool {
	switch adapters.KindOf(err) {
	case adapters.Unavailable, adapters.Internal, adapters.Defect:
		return false
	}
	return true
}

// left says that a write was carried out in part.
func (w *writing) left(key adapters.Key, cause error) error {
	return &adapters.Error{Kind: adapters.KindOf(cause), Op: w.op, Err: cause, Left: true, Key: key}
}

// do brings a part's record to what it is to hold.
func (w *writing) do(ctx context.Context, s *step) (err error) {
	link := s.link(w.main)
	if link == "" {
		return &adapters.Error{Kind: adapters.Invalid, Op: w.op, Field: s.field(), Err: unlinked(s.Name)}
	}
	if s.before.IsZero() && !s.fresh && w.op == "create" {
		found, err := s.find(ctx, []string{link}, adapters.AllFields)
		if err != nil {
			return err
		}
		s.before = found[link]
	}
	if s.before.IsZero() {
		err := s.insert(ctx, link, w.want, w.Adapter)
		if adapters.Is(err, adapters.Exists) {
			return w.met(ctx, s, link, err)
		}
		return err
	}
	d := s.delta(link)
	if d.Empty() {
		s.done = s.before
		return nil
	}
	s.done, err = s.Adapter.Update(ctx, s.before.Key, d, w.partWant(s.place, w.want))
	s.wrote = err == nil
	if adapters.Is(err, adapters.NotFound) { // the record itself is there
		err = &adapters.Error{Kind: adapters.Conflict, Op: w.op, Err: err}
	}
	return err
}

// met tells, of a part's record that could not be made, whether somebody else has made
// it meanwhile, from another one that has a unique value.
func (w *writing) met(ctx context.Context, s *step, link string, cause error) error {
	found, err := s.find(adapters.WithoutCache(ctx), []string{link}, s.shape.FieldSet(s.On))
	if _, there := found[link]; err != nil || !there {
		return cause
	}
	if w.op == "create" {
		return w.takenBy(s.place)
	}
	return &adapters.Error{Kind: adapters.Conflict, Op: w.op, Err: cause}
}

type unlinked string

func (e unlinked) Error() string {
	return "the main record does not say which record of part " + string(e) + " is its own"
}

// field is a field of the part to name when the part as a whole is at fault.
func (s *step) field() string {
	if len(s.set) > 0 {
		return s.set[0].Field
	}
	return ""
}

// insert makes the part's record, if that is wanted here.
func (s *step) insert(ctx context.Context, link string, want adapters.Fields, a *Adapter) error {
	if !s.Create {
		return &adapters.Error{Kind: adapters.Invalid, Op: "create", Field: s.field(), Err: missing(s.Name)}
	}
	rec := adapters.NewRecord(s.shape, "")
	for name, v := range s.Constants {
		rec.Set(name, v)
	}
	for _, c := range s.set {
		rec.Set(c.Field, c.New)
	}
	rec.Set(s.On, link)
	if s.ByKey && s.caps.GivenKeys {
		rec.Key = adapters.Key(link)
	}
	made, err := s.Adapter.Create(ctx, rec, a.partWant(s.place, want))
	s.done, s.made, s.wrote = made, err == nil, err == nil
	return err
}

type missing string

func (e missing) Error() string { return "part " + string(e) + " has no record for it" }

// delta is the step as a change of the part's record.
func (s *step) delta(link string) adapters.Delta {
	d := adapters.Delta{Set: slices.Clone(s.set), Before: s.before, After: s.before.Clone(), Held: s.held}
	if s.moves && s.linkOf(s.before) != link {
		d.Set = append(d.Set, adapters.Change{Field: s.On, Old: s.before.Get(s.On), New: link})
	} else if !s.ByKey && !slices.Contains(d.Held, s.On) { // its key may be another one's by now
		d.Held = append(slices.Clone(d.Held), s.On)
	}
	for i := range d.Set {
		d.After.Set(d.Set[i].Field, d.Set[i].New)
	}
	return d
}

// takeBack makes what was done undone, the latest first. It answers whether that
// was possible for all of it.
func (w *writing) takeBack(ctx context.Context, done []*step) bool {
	whole := true
	for i := len(done) - 1; i >= 0; i-- {
		s := done[i]
		var err error
		switch {
		case s.made:
			err = s.Adapter.Delete(ctx, s.done.Key)
		case s.wrote:
			var d adapters.Delta
			if d, err = w.reverse(ctx, s.place, s.delta(s.link(w.main)), s.done.Key); err == nil && !d.Empty() {
				_, err = s.Adapter.Update(ctx, s.done.Key, d, adapters.Fields{})
			}
		}
		whole = whole && ignoring(adapters.NotFound, err) == nil
	}
	switch {
	case w.made:
		whole = whole && ignoring(adapters.NotFound, w.Adapter.main.Adapter.Delete(ctx, w.main.Key)) == nil
	case w.set != nil:
		d, err := w.reverse(ctx, w.Adapter.main, *w.set, w.main.Key)
		if err == nil {
			_, err = w.Adapter.main.Adapter.Update(ctx, w.main.Key, d, adapters.Fields{})
		}
		whole = whole && err == nil
	}
	return whole
}

// reverse is the change that takes another one back. What was not known before, such
// as a password that a backend does not give out, cannot be brought back.
func (a *Adapter) reverse(ctx context.Context, p *place, d adapters.Delta, key adapters.Key) (adapters.Delta, error) {
	back := adapters.Delta{Before: d.After, After: d.Before}
	if !back.Before.IsZero() {
		back.Before.Key = key
	}
	if err := p.sinceThen(ctx, &d, &back, key); err != nil {
		return back, err
	}
	for _, c := range d.Set {
		if adapters.NoValue(c.Old) && a.secret(p, c.Field) {
			return back, adapters.Errorf(adapters.Unsupported, "update", "what %s held is not known", c.Field)
		}
		back.Set = append(back.Set, adapters.Change{Field: c.Field, Old: c.New, New: c.Old})
	}
	if len(d.Members) > 0 { // who was a member before is not known
		return back, adapters.Errorf(adapters.Unsupported, "update", "members were changed")
	}
	return back, nil
}

// sinceThen prepares what takes a change of elements back: which keys they have is known
// only to the backend, and nobody else must have changed them.
func (p *place) sinceThen(ctx context.Context, d, back *adapters.Delta, key adapters.Key) error {
	var names []string
	for _, c := range d.Set {
		if f := p.caps.Fields[p.shape.Index(c.Field)]; f.Elements != nil {
			names = append(names, c.Field)
		}
	}
	if len(names) == 0 {
		return nil
	}
	now, err := p.Adapter.Get(adapters.WithoutCache(ctx), key, p.shape.FieldSet(names...))
	if err != nil {
		return err
	}
	d.Set = slices.Clone(d.Set)
	back.Before, back.After = back.Before.Clone(), back.After.Clone()
	for i, c := range d.Set {
		if !slices.Contains(names, c.Field) {
			continue
		}
		is := now.Get(c.Field)
		if !sameValue(is, c.New) {
			return adapters.Errorf(adapters.Conflict, "update", "%s has changed meanwhile", c.Field)
		}
		d.Set[i].Old, d.Set[i].New = restored(c.Old, is), is
		back.Before.Set(c.Field, is)
		back.After.Set(c.Field, d.Set[i].Old)
	}
	return nil
}

func (a *Adapter) secret(p *place, own string) bool {
	if i := p.shape.Index(own); i >= 0 && p.whole[i] >= 0 {
		return a.o.Secret(a.o.Shape.Names()[p.whole[i]])
	}
	return false
}

// answer is the record as it is stored: what the steps have told, and what is read of
// the parts that they did not touch.
func (w *writing) answer(ctx context.Context, main adapters.Record) (adapters.Record, error) {
	found := make([]map[string]adapters.Record, len(w.parts))
	var open []*place
	for _, p := range w.wanted(w.want) {
		i := slices.IndexFunc(w.steps, func(s *step) bool { return s.place == p && s.wrote })
		if i < 0 {
			open = append(open, p)
			continue
		}
		found[slices.Index(w.parts, p)] = map[string]adapters.Record{p.link(main): w.steps[i].done}
	}
	err := w.each(open, func(p *place) (err error) {
		found[slices.Index(w.parts, p)], err = p.find(ctx, []string{p.link(main)}, w.partWant(p, w.want))
		return err
	})
	if err != nil { // all is stored, but it cannot be said what
		return adapters.Record{}, &adapters.Error{Kind: adapters.Unavailable, Op: w.op, Err: err, Unsure: true}
	}
	return w.joined(main, found), nil
}
