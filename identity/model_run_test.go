package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestModel lets clients and an administrator do random things to the store and
// to the model, and compares everything that can be asked after each step: 1,500 of
// them by default; IDENTITY_MODEL_STEPS=1000000 for the long run, and
// IDENTITY_MODEL_SEED to repeat one.
func TestModel(t *testing.T) { onBoth(t, testModel) }

func testModel(t *testing.T) {
	steps, seed := envInt("IDENTITY_MODEL_STEPS", 1500), envInt("IDENTITY_MODEL_SEED", time.Now().UnixNano())
	t.Logf("%d steps, seed %d", steps, seed)
	s := open(t, Options{})
	const perWorld = 250
	for world := int64(0); world*perWorld < steps; world++ {
		r := &run{t: t, s: s, m: newModel(), rnd: rand.New(rand.NewPCG(uint64(seed), uint64(world))),
			tenant: "t" + strconv.FormatInt(world, 10), did: map[string]int{}}
		for range min(perWorld, steps-world*perWorld) {
			r.step()
			if t.Failed() {
				t.Fatalf("seed %d, world %d; the last steps:\n%s", seed, world, strings.Join(r.log[max(0, len(r.log)-15):], "\n"))
			}
		}
		if world%20 == 0 {
			checkInvariants(t, s)
			t.Logf("world %d: %v", world, r.did)
		}
	}
	checkInvariants(t, s)
}

func envInt(name string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

type run struct {
	t      *testing.T
	s      *Store
	m      *model
	rnd    *rand.Rand
	tenant string
	log    []string
	did    map[string]int
	merged []string // as of the version veil
	veil   int64
}

var clients = []string{"D1", "D2", "EX"}

func (r *run) domain(client string) Domain {
	return Domain{Tenant: r.tenant, Client: client, Existing: client == "EX"}
}

func (r *run) step() {
	steps := []struct {
		name   string
		weight int
		do     func()
	}{
		{"ensure", 10, r.ensure}, {"create", 6, r.create}, {"merge", 8, r.merge}, {"split", 7, r.split},
		{"undo", 6, r.undo}, {"forget", 3, r.forget}, {"rekey", 3, r.rekey}, {"acknowledge", 3, r.acknowledge},
		{"retire", 1, r.retire}, {"release", 3, r.release}, {"externalId", 3, r.externalID}, {"find", 2, r.find},
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := r.rnd.IntN(total)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			r.note("%s", s.name)
			s.do()
			break
		}
	}
	r.compare()
}

func (r *run) note(format string, args ...any) { r.log = append(r.log, fmt.Sprintf(format, args...)) }

func (r *run) errorf(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf(format, args...)
}

// agreed says whether store and model agree that it can be done, and counts.
func (r *run) agreed(name string, err error, want bool, refusals ...error) bool {
	r.t.Helper()
	if (err == nil) != want {
		r.errorf("%s: error %v, the model says %t", name, err, want)
		return false
	}
	if err != nil && !slices.ContainsFunc(refusals, func(e error) bool { return errors.Is(err, e) }) {
		r.errorf("%s: refused with %v", name, err)
	}
	if want {
		r.did[name]++
	} else {
		r.did["no "+name]++
	}
	return want
}

func (r *run) client() string { return clients[r.rnd.IntN(len(clients))] }

func (r *run) link() Link {
	l := Link{"User", "hr", strconv.Itoa(r.rnd.IntN(25))}
	if r.rnd.IntN(5) == 0 {
		l.Type = "Group"
	}
	if r.rnd.IntN(3) == 0 {
		l.Backend = "crm"
	}
	return l
}

func (r *run) person() *person {
	if len(r.m.persons) == 0 {
		return nil
	}
	return r.m.persons[r.rnd.IntN(len(r.m.persons))]
}

// ref names a person by its identity or by an id of a client that is not ambiguous.
func (r *run) ref(p *person) string {
	if len(p.ids) > 0 && r.rnd.IntN(2) == 0 {
		if e := p.ids[r.rnd.IntN(len(p.ids))]; !e.own {
			return e.id
		}
	}
	return p.identity
}

// check compares the answer about one link, and gives the model the new names.
func (r *run) check(name, client string, l Link, e Entry, allocate bool) {
	r.t.Helper()
	rec := r.m.records[l]
	if rec == nil && allocate {
		rec = r.m.born(l).records[0]
		rec.of.identity = e.Identity
	}
	if rec == nil {
		if e.ID != "" || e.Identity != "" {
			r.errorf("%s: nobody knows %v, got %+v", name, l, e)
		}
		return
	}
	p := rec.of
	id := p.primaryID(client)
	if id == nil && allocate && (!p.held || name == "create") {
		if client == "EX" {
			if want := r.m.wantID(client, p.typ, p.primaryIn(l.Backend).link.Key); e.ID != want {
				r.errorf("%s: %v got the id %q, want %q", name, l, e.ID, want)
			}
		} else if r.m.given(client, p.typ, e.ID) != nil || len(e.ID) != 26 {
			r.errorf("%s: %v got the id %q", name, l, e.ID)
		}
		id = r.m.named(p, client, e.ID, client == "EX")
	}
	want := Entry{Identity: p.identity, Type: l.Type, Backend: l.Backend, Key: l.Key, Primary: rec.primary, Held: p.held && id == nil}
	if id != nil {
		want.ID, want.ExternalID = id.id, id.externalID
	}
	e = timeless(e)
	if !reflect.DeepEqual(e, want) {
		r.errorf("%s as %s: got %+v, want %+v", name, client, e, want)
	}
}

func (r *run) ensure() {
	client := r.client()
	links := make([]Link, 1+r.rnd.IntN(6))
	for i := range links {
		links[i] = r.link()
	}
	r.note("  %s sees %v", client, links)
	entries, err := r.s.Ensure(context.Background(), r.domain(client), links)
	if !r.agreed("ensure", err, true) {
		return
	}
	for i, l := range links {
		r.check("ensure", client, l, entries[i], true)
	}
}

func (r *run) find() {
	client, l := r.client(), r.link()
	entries, err := r.s.Find(context.Background(), r.domain(client), []Link{l})
	if r.agreed("find", err, true) {
		r.check("find", client, l, entries[0], false)
	}
}

func (r *run) create() {
	client, l, external := r.client(), r.link(), ""
	if r.rnd.IntN(2) == 0 {
		external = "ext" + strconv.Itoa(r.rnd.IntN(5))
	}
	r.note("  %s creates %v", client, l)
	begun := time.Time{}
	if r.rnd.IntN(3) == 0 { // the backend has made a new record
		begun = time.Now()
		if old := r.m.records[l]; old != nil {
			r.m.forget(old)
		}
	}
	e, err := r.s.CreateSince(context.Background(), r.domain(client), l, external, begun)
	if !r.agreed("create", err, true) {
		return
	}
	got := e.ExternalID
	if rec := r.m.records[l]; external != "" && rec != nil {
		if id := rec.of.primaryID(client); id != nil {
			id.externalID = external
		}
	}
	if r.m.records[l] == nil || r.m.records[l].of.primaryID(client) == nil {
		e.ExternalID = "" // a new id: the model hears of it after
	}
	r.check("create", client, l, e, true)
	if id := r.m.records[l].of.primaryID(client); external != "" {
		id.externalID = external
		if got != external {
			r.errorf("create answered the externalId %q, want %q", got, external)
		}
	}
}

func (r *run) merge() {
	keep := r.person()
	if keep == nil {
		return
	}
	refs, drops, fits := []string{}, []*person{}, true
	for range 1 + r.rnd.IntN(3) {
		d := r.person()
		for d.typ != keep.typ && r.rnd.IntN(8) > 0 {
			d = r.person()
		}
		refs = append(refs, r.ref(d))
		if d != keep && !slices.Contains(drops, d) {
			drops = append(drops, d)
			fits = fits && d.typ == keep.typ
		}
	}
	reason := because
	reason.DryRun = r.rnd.IntN(6) == 0
	r.note("  %s takes %v dry=%t", keep.identity, refs, reason.DryRun)
	mv, err := r.s.Merge(context.Background(), r.tenant, r.ref(keep), refs, reason)
	if !r.agreed("merge", err, fits && len(drops) > 0, ErrConflict) || reason.DryRun {
		return
	}
	r.m.merge(keep, drops).nr = mv.Nr
	if len(mv.After) != 1 || !same(mv.After[0], keep.form()) {
		r.errorf("merge answered %+v, want %+v", mv.After, keep.form())
	}
}

func (r *run) split() {
	p := r.person()
	if p == nil {
		return
	}
	groups := make([][]Link, 1+r.rnd.IntN(4)/3)
	for i := range groups {
		for range 1 + r.rnd.IntN(4)/3 {
			l := p.records[r.rnd.IntN(len(p.records))].link
			if r.rnd.IntN(3) > 0 {
				l = Link{p.typ, l.Backend, strconv.Itoa(r.rnd.IntN(40))} // perhaps nobody's
			}
			groups[i] = append(groups[i], l)
		}
	}
	reason := because
	reason.DryRun = r.rnd.IntN(6) == 0
	r.note("  %s gives %v dry=%t", p.identity, groups, reason.DryRun)
	mv, err := r.s.Split(context.Background(), r.tenant, r.ref(p), groups, reason)
	if !r.agreed("split", err, r.m.splittable(p, groups), ErrConflict) || reason.DryRun {
		return
	}
	made, fresh := r.m.split(p, groups)
	made.nr = mv.Nr
	for i, n := range fresh {
		n.identity = mv.After[1+i].ID
		if !same(mv.After[1+i], n.form()) {
			r.errorf("split answered %+v, want %+v", mv.After[1+i], n.form())
		}
	}
}

func (r *run) undo() {
	if len(r.m.moves) == 0 {
		return
	}
	mv := r.m.moves[len(r.m.moves)-1-r.rnd.IntN(min(4, len(r.m.moves)))]
	reason := because
	reason.DryRun = r.rnd.IntN(6) == 0
	r.note("  move %d dry=%t", mv.nr, reason.DryRun)
	_, err := r.s.Undo(context.Background(), r.tenant, mv.nr, reason)
	if r.agreed("undo", err, r.m.undoable(mv), ErrConflict) && !reason.DryRun {
		r.m.undo(mv)
	}
}

func (r *run) forget() {
	l := r.link()
	r.note("  %v", l)
	if r.agreed("forget", r.s.Forget(context.Background(), r.tenant, l), true) && r.m.records[l] != nil {
		r.m.forget(r.m.records[l])
	}
}

func (r *run) rekey() {
	l, key := r.link(), strconv.Itoa(r.rnd.IntN(30))
	r.note("  %v to %s", l, key)
	err := r.s.Rekey(context.Background(), r.tenant, l, key)
	if r.agreed("rekey", err, r.m.records[l] != nil || l.Key == key, ErrUnknown) && r.m.records[l] != nil {
		r.m.rekey(r.m.records[l], key)
	}
}

// anyID picks an id that was given some time, live or not.
func (r *run) anyID() *mID {
	if len(r.m.all) == 0 {
		return nil
	}
	for range 20 { // a secondary one, if there are some
		if e := r.m.all[r.rnd.IntN(len(r.m.all))]; !e.retired && !e.primary {
			return e
		}
	}
	return r.m.all[r.rnd.IntN(len(r.m.all))]
}

func (r *run) acknowledge() {
	e := r.anyID()
	if e == nil {
		return
	}
	r.note("  %v", e)
	err := r.s.Acknowledge(context.Background(), r.domain(e.client), e.typ, e.id)
	if r.agreed("acknowledge", err, !e.retired && !e.primary, ErrUnknown) {
		e.retire()
	}
}

func (r *run) retire() {
	client := r.client()
	got, err := r.s.Retire(context.Background(), r.tenant, client, time.Now().Add(time.Hour))
	if !r.agreed("retire", err, true) {
		return
	}
	n := 0
	for _, p := range r.m.persons {
		for _, e := range slices.Clone(p.ids) {
			if e.client == client && !e.primary {
				e.retire()
				n++
			}
		}
	}
	if len(got) != n {
		r.errorf("%d ids of %s were retired, want %d", len(got), client, n)
	}
}

func (r *run) release() {
	p, client := r.person(), r.client()
	if p == nil {
		return
	}
	if r.rnd.IntN(4) == 0 {
		_, _, err := r.s.Release(context.Background(), Domain{Tenant: r.tenant}, r.ref(p), because)
		if r.agreed("release to all", err, true) {
			p.held = false
		}
		return
	}
	e, _, err := r.s.Release(context.Background(), r.domain(client), r.ref(p), because)
	if !r.agreed("release", err, true) {
		return
	}
	held := p.held
	p.held = false // for this client
	r.check("release", client, p.ordered()[0].link, e, true)
	p.held = held
}

func (r *run) externalID() {
	e := r.anyID()
	if e == nil {
		return
	}
	value := []string{"", "ext1", "ext2"}[r.rnd.IntN(3)]
	err := r.s.SetExternalID(context.Background(), r.domain(e.client), e.typ, e.id, value)
	if r.agreed("externalId", err, !e.retired, ErrUnknown) {
		e.of.primaryID(e.client).externalID = value
	}
}

func same(got, want Identity) bool {
	return reflect.DeepEqual(Identity{ID: got.ID, Type: got.Type, Links: got.Links, ExternalIDs: got.ExternalIDs}, want)
}

// compare asks the store everything that the model knows.
func (r *run) compare() {
	r.compareIdentities()
	for _, client := range clients {
		r.compareIDs(client)
	}
	client := r.client()
	r.compareExternalID(client)
	r.compareHidden(client)
	r.comparePending(client)
}

func (r *run) compareIdentities() {
	got, err := r.s.List(context.Background(), r.tenant, "", "", 1000)
	if err != nil || len(got) != len(r.m.persons) {
		r.errorf("list: %d identities, want %d; %v", len(got), len(r.m.persons), err)
		return
	}
	byID := map[string]*person{}
	for _, p := range r.m.persons {
		byID[p.identity] = p
	}
	for _, it := range got {
		p := byID[it.ID]
		if p == nil || !same(it, p.form()) || it.Held != p.held {
			r.errorf("list: %+v", it)
			if p != nil {
				r.errorf("want %+v held=%t", p.form(), p.held)
			}
		}
	}
}

func (r *run) compareIDs(client string) {
	byType := map[string][]*mID{}
	for _, e := range r.m.all {
		if e.client == client && (!e.retired || r.rnd.IntN(8) == 0) {
			byType[e.typ] = append(byType[e.typ], e)
		}
	}
	for typ, ids := range byType {
		asked := make([]string, len(ids))
		for i, e := range ids {
			asked[i] = e.id
		}
		got, err := r.s.Resolve(context.Background(), r.domain(client), typ, asked)
		if err != nil {
			r.errorf("resolve: %v", err)
			return
		}
		for i, e := range ids {
			want := entryOf(e)
			got[i] = timeless(got[i])
			if !reflect.DeepEqual(got[i], want) {
				r.errorf("resolve %v: got %+v, want %+v", e, got[i], want)
			}
		}
	}
}

// timeless is an entry without what the model does not know.
func timeless(e Entry) Entry {
	e.Created, e.Made, e.Modified = time.Time{}, time.Time{}, time.Time{}
	for i := range e.Others {
		e.Others[i].Made, e.Others[i].Modified = time.Time{}, time.Time{}
	}
	return e
}

func entryOf(e *mID) Entry {
	if e.retired {
		return Entry{}
	}
	p, rec := e.of, e.of.ordered()
	id := p.primaryID(e.client)
	want := Entry{ID: id.id, Identity: p.identity, Type: p.typ, Backend: rec[0].link.Backend, Key: rec[0].link.Key,
		ExternalID: id.externalID, Primary: e.primary, DeletionRequired: !e.primary}
	for _, o := range rec[1:] {
		want.Others = append(want.Others, Linked{Link: o.link, Primary: o.primary})
	}
	return want
}

func (r *run) compareExternalID(client string) {
	var want []string
	for _, p := range r.m.persons {
		if id := p.primaryID(client); id != nil && id.externalID == "ext1" {
			want = append(want, p.typ+id.id)
		}
	}
	entries, err := r.s.ByExternalID(context.Background(), r.domain(client), "", "ext1")
	var got []string
	for _, e := range entries {
		got = append(got, e.Type+e.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		r.errorf("by externalId as %s: got %v, want %v; %v", client, got, want, err)
	}
}

func (r *run) compareHidden(client string) {
	var want []string
	for _, rec := range r.m.records {
		if rec.link.Type == "User" && rec.link.Backend == "hr" && (!rec.primary || rec.of.held && rec.of.primaryID(client) == nil) {
			want = append(want, rec.link.Key)
		}
	}
	got, err := r.hidden(client)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		r.errorf("hidden from %s: got %v, want %v; %v", client, got, want, err)
	}
}

// hidden reads the merged records again only when their version says so.
func (r *run) hidden(client string) ([]string, error) {
	ctx := context.Background()
	v, err := r.s.Veil(ctx, r.domain(client), "User", "hr")
	if err == nil && (v.Version != r.veil || r.merged == nil) {
		r.merged, r.veil, err = r.s.Merged(ctx, r.tenant, "User", "hr")
	}
	return append(slices.Clone(r.merged), v.Held...), err
}

func (r *run) comparePending(client string) {
	want := map[string]string{} // id -> primary id
	for _, p := range r.m.persons {
		for _, e := range p.ids {
			if e.client == client && !e.primary {
				want[p.typ+e.id] = p.primaryID(client).id
			}
		}
	}
	all, err := r.s.Pending(context.Background(), r.tenant, client, time.Now().Add(time.Hour))
	got := map[string]string{}
	for _, p := range all {
		got[p.Type+p.ID] = p.Primary
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		r.errorf("pending for %s: got %v, want %v; %v", client, got, want, err)
	}
}
