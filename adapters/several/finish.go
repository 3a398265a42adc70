package several

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A note is what is written down of a write before it begins.
type note struct {
	Main    []noted    `json:"main,omitempty"` // changes of the main record
	Parts   []notePart `json:"parts,omitempty"`
	Deletes []noteKey  `json:"deletes,omitempty"`
}

type notePart struct {
	Name  string  `json:"name"`
	Was   string  `json:"was,omitempty"` // the link by which its record was found
	Moves bool    `json:"moves,omitempty"`
	Set   []noted `json:"set,omitempty"`
}

type noteKey struct {
	Part string `json:"part"`
	Key  string `json:"key"`
	Link string `json:"link"` // which its record has: a key may be used again
}

// A noted is a change of one field.
type noted struct {
	Field string `json:"field"`
	Old   value  `json:"old"`
	New   value  `json:"new"`
}

// noteOf is what a write has to do. main is the main record before it.
func (a *Adapter) noteOf(steps []*step, main adapters.Record, set []adapters.Change) adapters.Rest {
	var n note
	var r adapters.Rest
	n.Main = a.noted(a.main, set, &r.Secrets)
	for _, s := range steps {
		p := notePart{Name: s.Name, Moves: s.moves, Set: a.noted(s.place, s.set, &r.Secrets)}
		if !main.IsZero() {
			p.Was = s.link(main)
		}
		n.Parts = append(n.Parts, p)
		for _, c := range s.set {
			r.Fields = append(r.Fields, s.Name+"."+c.Field)
		}
	}
	r.Text = n.text()
	return r
}

// noted leaves out what is secret.
func (a *Adapter) noted(p *place, set []adapters.Change, secrets *bool) []noted {
	var out []noted
	for _, c := range set {
		if a.secret(p, c.Field) {
			*secrets = true
			continue
		}
		out = append(out, noted{c.Field, value{c.Old}, value{c.New}})
	}
	return out
}

// noteOfDelete is what a deletion has to do; nothing if no part has a record.
func (a *Adapter) noteOfDelete(main adapters.Record, goes []*place, keys []adapters.Key) adapters.Rest {
	var n note
	for i, p := range goes {
		if keys[i] != "" {
			n.Deletes = append(n.Deletes, noteKey{p.Name, string(keys[i]), p.link(main)})
		}
	}
	if len(n.Deletes) == 0 {
		return adapters.Rest{}
	}
	return adapters.Rest{Text: n.text()}
}

func (n note) text() string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // values always have a JSON form
	}
	return string(b)
}

// finish is Capabilities.Finish. A field that holds neither what it held nor what it
// is to hold was changed by somebody since, and stays.
func (a *Adapter) finish(ctx context.Context, key adapters.Key, rest string, late bool) (adapters.Key, error) {
	var n note
	if err := json.Unmarshal([]byte(rest), &n); err != nil {
		return key, adapters.Errorf(adapters.Invalid, "finish", "the note cannot be read: %w", err)
	}
	ctx = adapters.WithoutCache(ctx)
	if len(n.Deletes) > 0 {
		return key, a.finishDelete(ctx, key, n.Deletes)
	}
	main, err := a.finishMain(ctx, key, n.Main)
	if err != nil {
		return key, err
	}
	for _, p := range n.Parts {
		if err := a.finishPart(ctx, main, p, late); err != nil {
			if len(n.Main) > 0 && main.Key == key { // that is done: whoever changes it again has the last word
				n.Main = nil
				_ = adapters.Note(ctx, key, adapters.Rest{Text: n.text()})
			}
			return main.Key, err
		}
	}
	return main.Key, nil
}

// finishDelete deletes what is left of a record that is gone.
func (a *Adapter) finishDelete(ctx context.Context, key adapters.Key, deletes []noteKey) error {
	var goes []*place
	var keys []adapters.Key
	for _, d := range deletes {
		p, err := a.part(d.Part)
		if err != nil {
			return err
		}
		rec, err := p.Adapter.Get(ctx, adapters.Key(d.Key), p.shape.FieldSet(p.On))
		if err = ignoring(adapters.NotFound, err); err != nil {
			return err
		}
		if rec.IsZero() || p.linkOf(rec) != d.Link {
			continue
		}
		owned, err := a.owned(ctx, p, d.Link)
		if err != nil {
			return err
		}
		if !owned {
			goes, keys = append(goes, p), append(keys, rec.Key)
		}
	}
	return a.deleteParts(ctx, key, goes, keys)
}

// owned reports whether there is a main record with a link: the part is that one's by
// now. Where the main adapter cannot tell, it is nobody's.
func (a *Adapter) owned(ctx context.Context, p *place, link string) (bool, error) {
	if p.From == adapters.KeyField {
		_, err := a.main.Adapter.Get(ctx, adapters.Key(link), adapters.Fields{})
		return err == nil, ignoring(adapters.NotFound, err)
	}
	if f, _ := a.main.caps.Field(p.From); !f.Filter[filter.Exact].Has(filter.Eq) {
		return false, nil
	}
	e := &filter.Compare{Name: p.From, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(link)}
	pg, err := a.main.Adapter.List(ctx, adapters.Query{Filter: e, Limit: 1})
	return len(pg.Records) > 0, err
}

func (a *Adapter) part(name string) (*place, error) {
	i := slices.IndexFunc(a.parts, func(p *place) bool { return p.Name == name })
	if i < 0 {
		return nil, adapters.Errorf(adapters.Invalid, "finish", "the configuration has no part %q any more", name)
	}
	return a.parts[i], nil
}

func (a *Adapter) finishMain(ctx context.Context, key adapters.Key, set []noted) (adapters.Record, error) {
	want := a.mainWant(adapters.Fields{}, a.parts).Union(a.main.shape.FieldSet(namesOf(set)...))
	main, err := a.main.Adapter.Get(ctx, key, want)
	if err != nil {
		return main, err
	}
	d := a.main.open(main, set, false)
	if d.Empty() {
		return main, nil
	}
	return a.main.Adapter.Update(ctx, key, d, want)
}

func (a *Adapter) finishPart(ctx context.Context, main adapters.Record, n notePart, late bool) error {
	p, err := a.part(n.Name)
	if err != nil {
		return err
	}
	link := p.link(main)
	found, err := p.find(ctx, []string{link, n.Was}, p.shape.FieldSet(append(namesOf(n.Set), p.On)...))
	if err != nil {
		return err
	}
	rec, there := found[link]
	if !there && n.Moves {
		rec, there = found[n.Was]
	}
	s := &step{place: p, before: rec, moves: n.Moves}
	if !there {
		rec = adapters.NewRecord(p.shape, "")
	}
	s.set = p.open(rec, n.Set, !there || n.Was == "" && !p.Create).Set
	switch {
	case !there && s.clears():
		return nil
	case !there && !late && !p.Sure: // it would be there twice
		return adapters.Errorf(adapters.Unavailable, "finish", "part %s may still make it", p.Name)
	}
	w := &writing{Adapter: a, op: "update", main: main}
	err = a.outward(p, w.do(ctx, s))
	if ae := (*adapters.Error)(nil); errors.As(err, &ae) && ae.Field == "" {
		out := *ae
		out.Field = p.Name // for whoever must look at it
		return &out
	}
	return err
}

func namesOf(set []noted) []string {
	var out []string
	for _, c := range set {
		out = append(out, c.Field)
	}
	return out
}

// open are the changes that are still to be made of a record: of one that has just
// come to be, all.
func (p *place) open(rec adapters.Record, set []noted, fresh bool) adapters.Delta {
	d := adapters.Delta{Before: rec, After: rec.Clone()}
	for _, c := range set {
		at, is := rec.Shape().Index(c.Field), rec.Get(c.Field)
		if at < 0 {
			continue
		}
		was, becomes := p.stored(at, c.Old), p.stored(at, c.New)
		if sameValue(is, becomes) || !fresh && !sameValue(is, was) {
			continue
		}
		d.Set = append(d.Set, adapters.Change{Field: c.Field, Old: is, New: becomes})
		d.After.Set(c.Field, becomes)
	}
	return d
}
