package several_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/several"
)

// A faulty adapter fails as it is told.
type faulty struct {
	*memory.Adapter
	fail  map[string]error // by operation
	reads int
}

func (f *faulty) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	f.reads++
	return f.Adapter.List(ctx, q)
}

func (f *faulty) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	if err := f.fail["create"]; err != nil {
		return adapters.Record{}, err
	}
	return f.Adapter.Create(ctx, r, want)
}

func (f *faulty) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	if err := f.fail["update"]; err != nil {
		return adapters.Record{}, err
	}
	return f.Adapter.Update(ctx, key, d, want)
}

func (f *faulty) Delete(ctx context.Context, key adapters.Key) error {
	if err := f.fail["delete"]; err != nil {
		return err
	}
	return f.Adapter.Delete(ctx, key)
}

// A stage is a whole over two places that can fail.
type stage struct {
	adapters.Adapter
	t          *testing.T
	main, mail *faulty
	notes      map[adapters.Key]adapters.Rest
	ctx        context.Context
}

func (s *stage) Note(_ context.Context, key adapters.Key, r adapters.Rest) error {
	s.notes[key] = r
	return nil
}

func newStage(t *testing.T, change ...func(*several.Part)) *stage {
	t.Helper()
	s := &stage{t: t, notes: map[adapters.Key]adapters.Rest{},
		main: &faulty{Adapter: memory.New(memory.Options{Fields: []memory.Field{{Name: "login", Unique: true}, {Name: "title"}}}), fail: map[string]error{}},
		mail: &faulty{Adapter: memory.New(memory.Options{Fields: []memory.Field{{Name: "owner", Unique: true}, {Name: "address", Unique: true}, {Name: "password"}, {Name: "size"}}}), fail: map[string]error{}}}
	p := several.Part{Name: "mail", Adapter: s.mail, On: "owner", From: "login", Create: true, Sure: true, Ask: []string{"mail.address"}}
	for _, c := range change {
		c(&p)
	}
	a, err := several.New(several.Options{Main: s.main, Shape: adapters.NewShape("login", "title", "mail.address", "mail.password", "mail.size"),
		Parts: []several.Part{p}, Secret: func(f string) bool { return f == "mail.password" }})
	if err != nil {
		t.Fatal(err)
	}
	s.Adapter, s.ctx = a, adapters.WithJournal(t.Context(), s)
	return s
}

func (s *stage) create(login, address string) (adapters.Record, error) {
	r := adapters.NewRecord(s.Capabilities().Shape, "")
	r.Set("login", login)
	r.Set("mail.address", address)
	r.Set("mail.size", int64(7))
	return s.Create(s.ctx, r, adapters.AllFields)
}

func (s *stage) made(login, address string) adapters.Record {
	s.t.Helper()
	r, err := s.create(login, address)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stage) change(r adapters.Record, fields ...string) error {
	d := adapters.Delta{Before: r, After: r.Clone()}
	for i := 0; i < len(fields); i += 2 {
		d.After.Set(fields[i], fields[i+1])
		d.Set = append(d.Set, adapters.Change{Field: fields[i], Old: r.Get(fields[i]), New: fields[i+1]})
	}
	_, err := s.Update(s.ctx, r.Key, d, adapters.AllFields)
	return err
}

// holds compares what is stored with "login title address", "-" for nothing.
func (s *stage) holds(want ...string) {
	s.t.Helper()
	pg, err := s.List(s.t.Context(), adapters.Query{Limit: 10, Want: adapters.AllFields})
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, r := range pg.Records {
		line := ""
		for _, f := range []string{"login", "title", "mail.address"} {
			if v := adapters.Text(r.Get(f)); v != "" {
				line += " " + v
			} else {
				line += " -"
			}
		}
		got = append(got, line[1:])
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		s.t.Errorf("stored %q, want %q", got, want)
	}
	parts, err := s.mail.Adapter.List(s.t.Context(), adapters.Query{Limit: 10, Want: adapters.AllFields})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range parts.Records {
		if owner := adapters.Text(p.Get("owner")); !strings.Contains(" "+strings.Join(got, " ; "), " "+owner+" ") && s.mail.fail["delete"] == nil {
			s.t.Errorf("the part of %s belongs to nobody", owner)
		}
	}
}

func kind(err error) adapters.Kind { return adapters.KindOf(err) }

var silence = &adapters.Error{Kind: adapters.Unavailable, Op: "test", Err: errors.New("no answer"), Unsure: true}

// TestRefused: what a part refuses is taken back, and the refusal names the field.
func TestRefused(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	_, err := s.create("bob", "ada@x")
	var ae *adapters.Error
	if !errors.As(err, &ae) || ae.Kind != adapters.Exists || ae.Field != "mail.address" || ae.Left {
		t.Errorf("a create: %v", err)
	}
	s.holds("ada - ada@x")
	bob := s.made("bob", "bob@x")
	if err := s.change(bob, "title", "Dr", "login", "robert", "mail.address", "ada@x"); kind(err) != adapters.Exists {
		t.Errorf("a change: %v", err)
	}
	s.holds("ada - ada@x", "bob - bob@x")
	s.main.fail["delete"] = adapters.Errorf(adapters.Conflict, "delete", "others refer to it")
	if err := s.Delete(s.ctx, ada.Key); kind(err) != adapters.Conflict {
		t.Errorf("a delete: %v", err)
	}
	s.holds("ada - ada@x", "bob - bob@x")
}

// TestSilence: what has no answer is carried on from the note, and twice does no harm.
func TestSilence(t *testing.T) {
	s := newStage(t)
	left := func(what string, err error) adapters.Key {
		t.Helper()
		var ae *adapters.Error
		if !errors.As(err, &ae) || !ae.Left || ae.Kind != adapters.Unavailable {
			t.Fatalf("%s: %v", what, err)
		}
		s.mail.fail = map[string]error{}
		return ae.Key
	}
	finish := func(key adapters.Key, note adapters.Key) {
		t.Helper()
		for range 2 {
			if now, err := s.Capabilities().Finish(t.Context(), key, s.notes[note].Text, true); err != nil || now != key {
				t.Fatalf("%s %v", now, err)
			}
		}
	}
	s.mail.fail["create"] = silence
	_, err := s.create("ada", "ada@x")
	key := left("create", err)
	s.holds("ada - -")
	finish(key, "")
	s.holds("ada - ada@x")

	s.mail.fail["update"] = silence
	rec, _ := s.Get(t.Context(), key, adapters.AllFields)
	left("change", s.change(rec, "title", "Dr", "login", "ada2", "mail.address", "ada2@x"))
	finish(key, key)
	s.holds("ada2 Dr ada2@x")

	s.mail.fail["delete"] = silence
	left("delete", s.Delete(s.ctx, key))
	if _, err := s.Capabilities().Finish(t.Context(), key, s.notes[key].Text, true); err != nil {
		t.Fatal(err)
	}
	s.holds()
}

// TestFinish leaves alone what somebody has changed since, and a record that is not its
// own by now.
func TestFinish(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	s.mail.fail["update"] = silence
	if err := s.change(ada, "title", "Dr", "mail.address", "new@x"); err == nil {
		t.Fatal("no error")
	}
	note := s.notes[ada.Key].Text
	s.mail.fail = map[string]error{}
	rec, _ := s.Get(t.Context(), ada.Key, adapters.AllFields)
	if err := s.change(rec, "mail.address", "newer@x"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Capabilities().Finish(t.Context(), ada.Key, note, true); err != nil {
		t.Fatal(err)
	}
	s.holds("ada Dr newer@x")
	if err := s.Delete(s.ctx, ada.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Capabilities().Finish(t.Context(), ada.Key, note, true); kind(err) != adapters.NotFound {
		t.Errorf("of a record that is gone: %v", err)
	}
	if _, err := s.Capabilities().Finish(t.Context(), ada.Key, "nonsense", true); kind(err) != adapters.Invalid {
		t.Errorf("nonsense: %v", err)
	}
}

// TestSecrets are in no note.
func TestSecrets(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	if err := s.change(ada, "title", "Dr", "mail.password", "tr0ub4dor"); err != nil {
		t.Fatal(err)
	}
	if n := s.notes[ada.Key]; strings.Contains(n.Text, "tr0ub4dor") || !n.Secrets {
		t.Errorf("%+v", n)
	}
}

// TestHeld: what must not have changed is compared in places that are not written, too.
func TestHeld(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	if err := s.change(ada, "mail.address", "new@x"); err != nil {
		t.Fatal(err)
	}
	d := adapters.Delta{Before: ada, After: ada.Clone(), Set: []adapters.Change{{Field: "title", New: "Dr"}}, Held: []string{"login", "mail.address"}}
	if _, err := s.Update(s.ctx, ada.Key, d, adapters.AllFields); kind(err) != adapters.Conflict {
		t.Errorf("a field of a part: %v", err)
	}
	now, _ := s.Get(t.Context(), ada.Key, adapters.AllFields)
	if err := s.change(now, "title", "Prof"); err != nil {
		t.Fatal(err)
	}
	d = adapters.Delta{Before: now, After: now.Clone(), Set: []adapters.Change{{Field: "mail.address", Old: "new@x", New: "x@x"}}, Held: []string{"title"}}
	if _, err := s.Update(s.ctx, ada.Key, d, adapters.AllFields); kind(err) != adapters.Conflict {
		t.Errorf("a field of the record itself: %v", err)
	}
	s.holds("ada Prof new@x")
}

// TestPage: a part is asked once for a page, and not at all if it is not wanted.
func TestPage(t *testing.T) {
	s := newStage(t)
	for _, n := range []string{"a", "b", "c", "d"} {
		s.made(n, n+"@x")
	}
	s.mail.reads = 0
	if _, err := s.List(t.Context(), adapters.Query{Limit: 10, Want: s.Capabilities().Shape.FieldSet("login", "title")}); err != nil || s.mail.reads != 0 {
		t.Errorf("not wanted: %d questions, %v", s.mail.reads, err)
	}
	if _, err := s.List(t.Context(), adapters.Query{Limit: 10, Want: adapters.AllFields}); err != nil || s.mail.reads != 1 {
		t.Errorf("wanted: %d questions, %v", s.mail.reads, err)
	}
}

// TestPartsOfOthers: a new record gets no part that was somebody else's, unless the
// backend makes it by itself; one that stays or is not made here.
func TestPartsOfOthers(t *testing.T) {
	s := newStage(t, func(p *several.Part) { p.Keep = true })
	ada := s.made("ada", "ada@x")
	if err := s.Delete(s.ctx, ada.Key); err != nil {
		t.Fatal(err)
	}
	var ae *adapters.Error
	if _, err := s.create("ada", "new@x"); !errors.As(err, &ae) || ae.Kind != adapters.Exists || ae.Field != "login" {
		t.Errorf("somebody else's mailbox: %v", err)
	}
	s = newStage(t, func(p *several.Part) { p.Create = false })
	if _, err := s.create("bob", "bob@x"); kind(err) != adapters.Invalid {
		t.Errorf("a mailbox that is not made here: %v", err)
	}
	s.holds()
	box := adapters.NewRecord(s.mail.Capabilities().Shape, "")
	box.Set("owner", "bob")
	if _, err := s.mail.Create(t.Context(), box, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	s.made("bob", "bob@x")
	s.holds("bob - bob@x")
}

// withPhones is a stage whose main records have elements.
func withPhones(t *testing.T) (*stage, adapters.Record) {
	t.Helper()
	s := newStage(t)
	s.main.Adapter = memory.New(memory.Options{Fields: []memory.Field{{Name: "login", Unique: true}, {Name: "title"}, {Name: "phones", Parts: []string{"number", "kind"}}}})
	a, err := several.New(several.Options{Main: s.main, Shape: adapters.NewShape("login", "title", "phones", "mail.address", "mail.password", "mail.size"),
		Parts: []several.Part{{Name: "mail", Adapter: s.mail, On: "owner", From: "login", Create: true, Sure: true, Ask: []string{"mail.address"}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Adapter = a
	s.made("ada", "ada@x")
	r := adapters.NewRecord(a.Capabilities().Shape, "")
	r.Set("login", "bob")
	r.Set("mail.address", "bob@x")
	r.Set("phones", phones(a, "", "1 work", "", "2 home"))
	r, err = s.Create(s.ctx, r, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// phones makes elements of keys and of what they hold.
func phones(a adapters.Adapter, said ...string) []adapters.Record {
	shape := a.Capabilities().Fields[a.Capabilities().Shape.Index("phones")].Elements.Shape
	var out []adapters.Record
	for i := 0; i < len(said); i += 2 {
		e := adapters.NewRecord(shape, adapters.Key(said[i]))
		e.Set("number", said[i+1][:1])
		e.Set("kind", said[i+1][2:])
		out = append(out, e)
	}
	return out
}

func (s *stage) phones(key adapters.Key) string {
	s.t.Helper()
	r, err := s.Get(s.t.Context(), key, adapters.AllFields)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	elems, _ := r.Get("phones").([]adapters.Record)
	for _, e := range elems {
		out = append(out, adapters.Text(e.Get("number"))+" "+adapters.Text(e.Get("kind")))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// changePhones gives the first phone another kind, takes the second away, adds a third
// one, and changes the address.
func (s *stage) changePhones(r adapters.Record, address string) error {
	old := r.Get("phones").([]adapters.Record)
	now := phones(s, string(old[0].Key), "1 mobile", "", "3 work")
	d := adapters.Delta{Before: r, After: r.Clone(), Set: []adapters.Change{{Field: "phones", Old: old, New: now}, {Field: "mail.address", Old: r.Get("mail.address"), New: address}}}
	for _, c := range d.Set {
		d.After.Set(c.Field, c.New)
	}
	_, err := s.Update(s.ctx, r.Key, d, adapters.AllFields)
	return err
}

// TestElementsTakenBack: what a part refuses is taken back, elements included, whatever
// keys they have now.
func TestElementsTakenBack(t *testing.T) {
	s, bob := withPhones(t)
	if err := s.changePhones(bob, "ada@x"); kind(err) != adapters.Exists {
		t.Errorf("%v", err)
	}
	if got := s.phones(bob.Key); got != "1 work, 2 home" {
		t.Errorf("phones %s", got)
	}
	s.holds("ada - ada@x", "bob - bob@x")
}

// TestElementsCarriedOn: and what was not begun is done later, elements included.
func TestElementsCarriedOn(t *testing.T) {
	s, bob := withPhones(t)
	s.main.fail["update"] = adapters.Errorf(adapters.Unavailable, "update", "killed")
	if err := s.changePhones(bob, "bob@y"); kind(err) != adapters.Unavailable {
		t.Errorf("%v", err)
	}
	delete(s.main.fail, "update")
	if _, err := s.Capabilities().Finish(t.Context(), bob.Key, s.notes[bob.Key].Text, true); err != nil {
		t.Error(err)
	}
	if got := s.phones(bob.Key); got != "1 mobile, 3 work" {
		t.Errorf("phones %s", got)
	}
	s.holds("ada - ada@x", "bob - bob@y")
}
