package several

import (
	"context"
	"slices"
	"sync"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// most bounds what a part is asked for at once.
const most = 500

// Get implements adapters.Adapter.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	parts := a.wanted(want)
	if len(parts) == 0 || slices.ContainsFunc(parts, func(p *place) bool { return p.From != adapters.KeyField }) {
		rec, err := a.main.Adapter.Get(ctx, key, a.mainWant(want, parts))
		if err != nil {
			return adapters.Record{}, err
		}
		all, err := a.complete(ctx, []adapters.Record{rec}, parts, want)
		return first(all), err
	}
	var rec adapters.Record
	found := make([]map[string]adapters.Record, len(a.parts))
	err := a.each(append([]*place{a.main}, parts...), func(p *place) (err error) {
		if p == a.main {
			rec, err = a.main.Adapter.Get(ctx, key, a.mainWant(want, nil))
			return err
		}
		found[slices.Index(a.parts, p)], err = p.find(ctx, []string{string(key)}, a.partWant(p, want))
		return err
	})
	switch {
	case err != nil:
		return adapters.Record{}, err
	case rec.Key != key: // known by another spelling
		all, err := a.complete(ctx, []adapters.Record{rec}, parts, want)
		return first(all), err
	}
	return a.joined(rec, found), nil
}

func first(all []adapters.Record) adapters.Record {
	if len(all) == 0 {
		return adapters.Record{}
	}
	return all[0]
}

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	if err := a.caps.Check(q); err != nil {
		return adapters.Page{}, err
	}
	var err error
	if q.Filter, err = a.put(ctx, q.Filter); err != nil {
		return adapters.Page{}, err
	}
	parts, want := a.wanted(q.Want), q.Want
	q.Want = a.mainWant(want, parts)
	pg, err := a.main.Adapter.List(ctx, q)
	if err != nil {
		return adapters.Page{}, err
	}
	pg.Records, err = a.complete(ctx, pg.Records, parts, want)
	return pg, err
}

// wanted are the parts of which a field is wanted.
func (a *Adapter) wanted(want adapters.Fields) []*place {
	var out []*place
	for i, at := range a.at {
		if at.place != a.main && want.Has(i) && !slices.Contains(out, at.place) {
			out = append(out, at.place)
		}
	}
	return out
}

// mainWant are the fields of the main record that are wanted, or needed to find parts.
func (a *Adapter) mainWant(want adapters.Fields, parts []*place) adapters.Fields {
	names := a.namesAt(a.main, want)
	for _, p := range parts {
		names = append(names, p.From)
	}
	return a.main.shape.FieldSet(names...)
}

// partWant are the fields of a part that are wanted, and what it is known by.
func (a *Adapter) partWant(p *place, want adapters.Fields) adapters.Fields {
	return p.shape.FieldSet(append(a.namesAt(p, want), p.On)...)
}

func (a *Adapter) namesAt(p *place, want adapters.Fields) []string {
	var names []string
	for own, i := range p.whole {
		if i >= 0 && want.Has(i) {
			names = append(names, p.shape.Names()[own])
		}
	}
	return names
}

// complete joins records to their parts, of which each is asked once.
func (a *Adapter) complete(ctx context.Context, recs []adapters.Record, parts []*place, want adapters.Fields) ([]adapters.Record, error) {
	found := make([]map[string]adapters.Record, len(a.parts))
	if len(recs) > 0 && len(parts) > 0 {
		err := a.each(parts, func(p *place) (err error) {
			var links []string
			for _, r := range recs {
				if l := p.link(r); l != "" {
					links = append(links, l)
				}
			}
			found[slices.Index(a.parts, p)], err = p.find(ctx, links, a.partWant(p, want))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]adapters.Record, len(recs))
	for i, r := range recs {
		out[i] = a.joined(r, found)
	}
	return out, nil
}

// joined is a record of the whole. found has the parts' records by position of the
// part and by link.
func (a *Adapter) joined(rec adapters.Record, found []map[string]adapters.Record) adapters.Record {
	out := adapters.NewRecord(a.o.Shape, rec.Key)
	a.main.give(rec, out)
	for i, p := range a.parts {
		if r, ok := found[i][p.link(rec)]; ok {
			p.give(r, out)
		}
	}
	return out
}

// give copies what a place's record holds into a record of the whole.
func (p *place) give(rec, whole adapters.Record) {
	for own, i := range p.whole {
		if i >= 0 {
			whole.SetAt(i, rec.At(own))
		}
	}
}

// link is what the main record holds by which the part's is found.
func (p *place) link(main adapters.Record) string {
	if p.From == adapters.KeyField {
		return string(main.Key)
	}
	return adapters.Text(main.Get(p.From))
}

// linkOf is what the part's own record says whose it is.
func (p *place) linkOf(rec adapters.Record) string {
	if p.ByKey {
		return string(rec.Key)
	}
	return adapters.Text(rec.Get(p.On))
}

// find reads the part's records with these links.
func (p *place) find(ctx context.Context, links []string, want adapters.Fields) (map[string]adapters.Record, error) {
	out := make(map[string]adapters.Record, len(links))
	links = slices.DeleteFunc(slices.Clone(links), func(l string) bool { return l == "" })
	slices.Sort(links)
	links = slices.Compact(links)
	name := p.On
	if p.ByKey && p.caps.Key.Filter[filter.Exact].Has(filter.Eq) {
		name = adapters.KeyField
	}
	f, _ := p.caps.Field(name)
	size := most
	if !p.caps.Or || !f.Filter[filter.Exact].Has(filter.Eq) || len(links) == 1 {
		size = 1
	}
	if p.ByKey && size == 1 {
		name = "" // by Get
	}
	chunks := slices.Collect(slices.Chunk(links, size))
	var mu sync.Mutex
	err := parallel(len(chunks), func(i int) error {
		return p.findChunk(ctx, name, chunks[i], want, func(link string, rec adapters.Record) error {
			mu.Lock()
			defer mu.Unlock()
			if _, again := out[link]; again {
				return &adapters.Error{Kind: adapters.Internal, Op: "list", Err: ambiguous(p.Name)}
			}
			out[link] = rec
			return nil
		})
	})
	return out, err
}

// atOnce bounds how many questions a part is asked at the same time.
const atOnce = 8

// parallel runs f for the numbers below n and answers the first error by number.
func parallel(n int, f func(int) error) error {
	if n == 1 {
		return f(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(i)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *place) findChunk(ctx context.Context, by string, links []string, want adapters.Fields, found func(string, adapters.Record) error) error {
	if by == "" {
		rec, err := p.Adapter.Get(ctx, adapters.Key(links[0]), want)
		if err == nil {
			err = found(links[0], rec)
		}
		return ignoring(adapters.NotFound, err)
	}
	terms := make([]filter.Expr, len(links))
	for i, l := range links {
		terms[i] = &filter.Compare{Name: by, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(l)}
	}
	for q := (adapters.Query{Filter: filter.OrOf(terms...), Limit: len(links) + 1, Want: want}); ; {
		pg, err := p.Adapter.List(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range pg.Records {
			if err := found(p.linkOf(rec), rec); err != nil {
				return err
			}
		}
		if q.Cursor = pg.Next; q.Cursor == "" {
			return nil
		}
	}
}

type ambiguous string

func (e ambiguous) Error() string {
	return "several records of part " + string(e) + " belong to one main record"
}

func ignoring(k adapters.Kind, err error) error {
	if adapters.Is(err, k) {
		return nil
	}
	return err
}

// put is a filter as the main adapter is asked: in place of each comparison of a
// part's field stand the records that it is true of, which the part is asked for.
func (a *Adapter) put(ctx context.Context, e filter.Expr) (filter.Expr, error) {
	switch e := e.(type) {
	case filter.And:
		terms, err := a.putAll(ctx, e)
		return filter.AndOf(terms...), err
	case filter.Or:
		terms, err := a.putAll(ctx, e)
		return filter.OrOf(terms...), err
	case filter.Not:
		term, err := a.put(ctx, e.Term)
		return filter.NotOf(term), err
	case *filter.Compare:
		if p, own := a.placeOf(e.Name); p != a.main {
			return a.askFirst(ctx, p, own, e)
		}
	}
	return e, nil
}

func (a *Adapter) putAll(ctx context.Context, terms []filter.Expr) ([]filter.Expr, error) {
	out := make([]filter.Expr, len(terms))
	for i, t := range terms {
		var err error
		if out[i], err = a.put(ctx, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *Adapter) askFirst(ctx context.Context, p *place, own string, e *filter.Compare) (filter.Expr, error) {
	c := *e
	c.Name = own
	if c.Op == filter.Eq && c.Value.Kind == filter.Null { // of those without a record it is true, too
		present := filter.Compare{Name: own, Op: filter.Pr, Match: e.Match}
		if f, _ := p.caps.Field(own); !f.Filter[e.Match].Has(filter.Pr) || !a.main.caps.Not {
			return nil, adapters.Errorf(adapters.Unsupported, "list", "part %s cannot be asked for records with %s", p.Name, own)
		}
		with, err := a.askFirst(ctx, p, own, &present)
		return filter.NotOf(with), err
	}
	pg, err := p.Adapter.List(ctx, adapters.Query{Filter: &c, Limit: most + 1, Want: p.shape.FieldSet(p.On)})
	switch {
	case err != nil:
		return nil, a.outward(p, err)
	case len(pg.Records) > most || pg.Next != "":
		return nil, adapters.Errorf(adapters.TooMany, "list", "more than %d records of part %s", most, p.Name)
	}
	var terms []filter.Expr
	for _, rec := range pg.Records {
		if l := p.linkOf(rec); l != "" {
			terms = append(terms, &filter.Compare{Name: p.From, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(l)})
		}
	}
	return filter.OrOf(terms...), nil
}
