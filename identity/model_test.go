package identity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A model is the mapping table as one would think of it: persons that hold records
// and ids. It knows nothing of rows, statements or plans, and says what the store
// must answer.
type model struct {
	persons []*person         // the living ones
	records map[Link]*mRecord // linked ones
	ids     map[mClientID]*mID
	all     []*mID // in the order given, so that a seed repeats a run
	moves   []*mMove
	seq     int // orders records and ids
}

type mClientID struct{ client, typ, id string }

type person struct {
	identity string // as the store calls it
	typ      string
	held     bool
	gone     bool
	records  []*mRecord // oldest first
	ids      []*mID     // live ones
}

type mRecord struct {
	link    Link
	seq     int
	primary bool
	of      *person
}

type mID struct {
	client, typ, id string
	externalID      string
	own             bool
	primary         bool
	retired         bool
	of              *person
}

// An mMove remembers what a merge or split found and what it left.
type mMove struct {
	nr            int64
	undone        bool
	before, after picture
}

// A picture is the state of some persons.
type picture struct {
	persons map[*person][2]bool // held, gone
	records map[*mRecord]mRecord
	ids     map[*mID]mID
}

func newModel() *model {
	return &model{records: map[Link]*mRecord{}, ids: map[mClientID]*mID{}}
}

func take(persons []*person) picture {
	p := picture{map[*person][2]bool{}, map[*mRecord]mRecord{}, map[*mID]mID{}}
	for _, x := range persons {
		p.persons[x] = [2]bool{x.held, x.gone}
		for _, r := range x.records {
			p.records[r] = *r
		}
		for _, e := range x.ids {
			p.ids[e] = *e
		}
	}
	return p
}

func (p *person) primaryID(client string) *mID {
	for _, e := range p.ids {
		if e.client == client && e.primary {
			return e
		}
	}
	return nil
}

func (p *person) primaryIn(backend string) *mRecord {
	for _, r := range p.records {
		if r.link.Backend == backend && r.primary {
			return r
		}
	}
	return nil
}

// ordered are the records as Resolve lists them.
func (p *person) ordered() []*mRecord {
	out := slices.Clone(p.records)
	slices.SortFunc(out, func(a, b *mRecord) int { return cmp.Or(first(a.primary, b.primary), cmp.Compare(a.seq, b.seq)) })
	return out
}

func (p *person) form() Identity {
	out := Identity{ID: p.identity, Type: p.typ, Links: []IdentityLink{}, ExternalIDs: []IdentityID{}}
	for _, r := range p.records {
		out.Links = append(out.Links, IdentityLink{r.link.Backend, r.link.Key, r.primary})
	}
	for _, e := range p.ids {
		out.ExternalIDs = append(out.ExternalIDs, IdentityID{e.client, e.id, e.primary, !e.primary})
	}
	slices.SortFunc(out.Links, func(a, b IdentityLink) int {
		return cmp.Or(first(a.Primary, b.Primary), cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Key, b.Key))
	})
	slices.SortFunc(out.ExternalIDs, func(a, b IdentityID) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), first(a.Primary, b.Primary), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// born links a record to a new person.
func (m *model) born(l Link) *person {
	p := &person{typ: l.Type}
	m.persons = append(m.persons, p)
	m.give(p, l)
	return p
}

func (m *model) give(p *person, l Link) *mRecord {
	m.seq++
	r := &mRecord{link: l, seq: m.seq, of: p, primary: p.primaryIn(l.Backend) == nil}
	p.records = append(p.records, r)
	m.records[l] = r
	return r
}

// wantID is the id that a client with existing ids gets for a record.
func (m *model) wantID(client, typ, key string) string {
	for n := 1; ; n++ {
		id := key
		if n > 1 {
			id += "~" + strconv.Itoa(n)
		}
		if m.given(client, typ, id) == nil {
			return id
		}
	}
}

// given answers who of the client has, or had, the id; allocated ids are of all types.
func (m *model) given(client, typ, id string) *mID { return m.ids[mClientID{client, typ, id}] }

func (m *model) named(p *person, client, id string, own bool) *mID {
	e := &mID{client: client, typ: p.typ, id: id, own: own, primary: true, of: p}
	p.ids = append(p.ids, e)
	m.ids[mClientID{client, p.typ, id}] = e
	m.all = append(m.all, e)
	return e
}

// forget drops a record, and with the last one the person.
func (m *model) forget(r *mRecord) {
	p := r.of
	delete(m.records, r.link)
	p.records = slices.DeleteFunc(p.records, func(x *mRecord) bool { return x == r })
	if len(p.records) == 0 {
		p.gone = true
		for _, e := range p.ids {
			e.retired = true
		}
		p.ids = nil
		m.bury()
		return
	}
	p.promote()
}

func (m *model) bury() {
	m.persons = slices.DeleteFunc(m.persons, func(p *person) bool { return p.gone })
}

func (p *person) promote() {
	slices.SortFunc(p.records, func(a, b *mRecord) int { return cmp.Compare(a.seq, b.seq) })
	for _, r := range p.records {
		if p.primaryIn(r.link.Backend) == nil {
			r.primary = true
		}
	}
}

// retire takes one id off its person.
func (e *mID) retire() {
	e.retired = true
	e.of.ids = slices.DeleteFunc(e.of.ids, func(x *mID) bool { return x == e })
}

func (m *model) merge(keep *person, drops []*person) *mMove {
	all := append([]*person{keep}, drops...)
	mv := &mMove{before: take(all)}
	for _, d := range drops {
		keep.held = keep.held && d.held
		d.gone = true
		for _, r := range d.records {
			r.primary = r.primary && keep.primaryIn(r.link.Backend) == nil
		}
		for _, e := range d.ids {
			e.primary = e.primary && keep.primaryID(e.client) == nil
		}
		for _, r := range d.records {
			r.of, keep.records = keep, append(keep.records, r)
		}
		for _, e := range d.ids {
			e.of, keep.ids = keep, append(keep.ids, e)
		}
		d.records, d.ids = nil, nil
	}
	keep.promote()
	m.bury()
	mv.after = take(all)
	m.moves = append(m.moves, mv)
	return mv
}

// splittable says whether the groups are records of p, or of nobody, each named
// once, so that p keeps one.
func (m *model) splittable(p *person, groups [][]Link) bool {
	seen := map[Link]bool{}
	taken := 0
	for _, g := range groups {
		for _, l := range g {
			r := m.records[l]
			if seen[l] || r != nil && r.of != p {
				return false
			}
			seen[l] = true
			if r != nil {
				taken++
			}
		}
		if len(g) == 0 {
			return false
		}
	}
	return taken < len(p.records)
}

// split makes the new persons, in order.
func (m *model) split(p *person, groups [][]Link) (*mMove, []*person) {
	mv := &mMove{before: take([]*person{p})}
	all := []*person{p}
	for _, g := range groups {
		n := &person{typ: p.typ, held: true}
		m.persons = append(m.persons, n)
		all = append(all, n)
		for _, l := range g {
			if r := m.records[l]; r != nil {
				p.records = slices.DeleteFunc(p.records, func(x *mRecord) bool { return x == r })
				r.of, r.primary, n.records = n, false, append(n.records, r)
			}
		}
	}
	// Records that nobody had are entered in the order named, after the move.
	for i, g := range groups {
		for _, l := range g {
			if m.records[l] == nil {
				m.give(all[1+i], l).primary = false
			}
		}
	}
	for _, x := range all {
		x.promote()
	}
	mv.after = take(all)
	m.moves = append(m.moves, mv)
	return mv, all[1:]
}

// undoable says whether all that the move touched is as it left it.
func (m *model) undoable(mv *mMove) bool {
	if mv.undone {
		return false
	}
	for _, later := range m.moves[slices.Index(m.moves, mv)+1:] {
		for p := range later.after.persons {
			if _, ok := mv.after.persons[p]; ok && !later.undone {
				return false
			}
		}
	}
	now := take(slices.Collect(maps.Keys(mv.after.persons)))
	if !maps.Equal(now.persons, mv.after.persons) || len(now.records) != len(mv.after.records) {
		return false
	}
	for r, was := range mv.after.records {
		if is, ok := now.records[r]; !ok || is.primary != was.primary || is.of != was.of {
			return false
		}
	}
	for e, was := range mv.after.ids {
		if is, ok := now.ids[e]; !ok || is.primary != was.primary || is.of != was.of {
			return false
		}
	}
	for e := range now.ids {
		if _, known := mv.after.ids[e]; !known && !mv.before.has(e.of) {
			return false // of a person that will not be
		}
	}
	return true
}

func (p picture) has(x *person) bool {
	state, ok := p.persons[x]
	return ok && !state[1]
}

func (m *model) undo(mv *mMove) {
	mv.undone = true
	var fresh []*mID
	for p := range mv.after.persons {
		for _, r := range p.records {
			if _, ok := mv.before.records[r]; !ok {
				delete(m.records, r.link)
			}
		}
		for _, e := range p.ids {
			if _, ok := mv.before.ids[e]; !ok {
				fresh = append(fresh, e)
			}
		}
		p.records, p.ids, p.gone = nil, nil, true
	}
	for p, state := range mv.before.persons {
		p.held, p.gone = state[0], state[1]
		if !p.gone && !slices.Contains(m.persons, p) {
			m.persons = append(m.persons, p)
		}
	}
	for r, was := range mv.before.records {
		r.of, r.primary = was.of, was.primary
		r.of.records = append(r.of.records, r)
	}
	for e, was := range mv.before.ids {
		e.of, e.primary = was.of, was.primary
		e.of.ids = append(e.of.ids, e)
	}
	for _, e := range fresh {
		e.of.ids = append(e.of.ids, e)
	}
	for p := range mv.before.persons {
		p.promote()
	}
	m.bury()
}

// rekey gives a record another key; who had that is forgotten.
func (m *model) rekey(r *mRecord, key string) {
	to := r.link
	to.Key = key
	if to == r.link {
		return
	}
	if there := m.records[to]; there != nil {
		m.forget(there)
	}
	delete(m.records, r.link)
	r.link = to
	m.records[to] = r
}

func (e *mID) String() string { return fmt.Sprintf("%s:%s", e.client, e.id) }
