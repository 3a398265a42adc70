package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
)

// A roll is the records that a page speaks of, each once: first its own, then
// those that it refers to.
type roll struct {
	own     int
	known   int // so many of own have their entry already
	links   []identity.Link
	entries []identity.Entry
	shown   []bool           // of references: sure to be there and in scope
	at      map[rules.ID]int // by type and key
	settled map[rules.ID]string
	hides   bool

	// fleeting tells which of the own records that nobody knows get no ids; nil: all do.
	fleeting func(ctx context.Context) (func(i int) bool, error)
	late     []adapters.Key // those are they
	allotted bool           // some entries were read later than the others
}

// enroll calls the roll of a page.
func (s *Service) enroll(t *target, recs []adapters.Record, own *identity.Entry, refs []rules.Reference, who *cast) *roll {
	r := &roll{own: len(recs), links: make([]identity.Link, len(recs), len(recs)+len(refs))}
	for i, rec := range recs {
		r.links[i] = t.link(rec.Key)
	}
	// One without an identity but with an id is a key that this client has not met;
	// one without either is about to be adopted, and gets none before that is done.
	if own != nil && (own.Identity != "" || own.ID == "") {
		r.known = 1
		r.entries = append(r.entries, *own)
	}
	if len(refs) == 0 {
		return r
	}
	if who != nil {
		r.settled = who.ids
	}
	r.at = make(map[rules.ID]int, len(recs)+len(refs))
	r.shown = make([]bool, len(recs), cap(r.links))
	for i, rec := range recs {
		r.at[rules.ID{Type: t.name, ID: string(rec.Key)}] = i
		r.shown[i] = true
	}
	for _, f := range refs {
		s.enrollReference(r, f)
	}
	return r
}

func (s *Service) enrollReference(r *roll, f rules.Reference) {
	backend := s.targets[f.Type].Backend
	for _, k := range f.Keys {
		ref := rules.ID{Type: f.Type, ID: k}
		if _, ok := r.settled[ref]; ok {
			continue
		}
		i, ok := r.at[ref]
		if !ok {
			i = len(r.links)
			r.at[ref] = i
			r.links = append(r.links, identity.Link{Type: f.Type, Backend: backend, Key: k})
			r.shown = append(r.shown, false)
		}
		r.shown[i] = r.shown[i] || f.Checked
	}
}

// look finds the entries of a roll. Own records and references get identities at
// first sight, references only if provisioning may see the record.
func (s *Service) look(ctx context.Context, c Call, r *roll) error {
	found, err := s.find(ctx, c, r)
	if err != nil {
		return err
	}
	r.entries = append(r.entries, found...)
	if err := s.check(ctx, r); err != nil {
		return err
	}
	late, err := r.strange(ctx)
	if err != nil {
		return err
	}
	var missing []identity.Link
	var at []int
	for i := r.known; i < len(r.links); i++ {
		switch {
		case i >= r.own && !r.shown[i]:
			r.entries[i].ID = ""
		case i < r.own && r.entries[i].Identity == "" && late != nil && late(i):
			r.late = append(r.late, adapters.Key(r.links[i].Key))
		case r.entries[i].ID == "" && !r.entries[i].Held:
			missing, at = append(missing, r.links[i]), append(at, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	r.allotted = true
	made, err := s.ids.Allot(ctx, c.Caller.domain(), missing)
	if err != nil {
		return err
	}
	for j, i := range at {
		r.entries[i] = made[j]
	}
	return nil
}

// twice reports whether two of the own records seem to be the one that shows the same
// resource.
func (r *roll) twice() bool {
	if !r.allotted || r.own < 2 {
		return false
	}
	seen := make(map[string]bool, r.own)
	for _, e := range r.entries[:r.own] {
		if e.Primary && e.ID != "" && seen[e.ID] {
			return true
		}
		seen[e.ID] = seen[e.ID] || e.Primary
	}
	return false
}

// strange asks about own records that nobody knows, if there are any.
func (r *roll) strange(ctx context.Context) (func(i int) bool, error) {
	for i := r.known; i < r.own && r.fleeting != nil; i++ {
		if r.entries[i].Identity == "" {
			return r.fleeting(ctx)
		}
	}
	return nil, nil
}

func (s *Service) find(ctx context.Context, c Call, r *roll) (found []identity.Entry, err error) {
	links := r.links[r.known:]
	switch {
	case r.known == 0:
		found, r.hides, err = s.ids.Listed(ctx, c.Caller.domain(), links)
	case len(links) > 0:
		found, err = s.ids.Find(ctx, c.Caller.domain(), links)
	}
	return found, err
}

// check asks the backends about references of which it is not sure that there is
// a record in scope: all of a type with a scope, and others that nobody knows.
func (s *Service) check(ctx context.Context, r *roll) error {
	open := map[string][]int{}
	for i := r.own; i < len(r.links); i++ {
		typ := r.links[i].Type
		if !r.shown[i] && r.entries[i].ID != "" && !s.targets[typ].scoped {
			r.shown[i] = true
		}
		if !r.shown[i] {
			open[typ] = append(open[typ], i)
		}
	}
	for typ, at := range open {
		keys := make([]adapters.Key, len(at))
		for j, i := range at {
			keys[j] = adapters.Key(r.links[i].Key)
		}
		shown, err := s.targets[typ].recalled(ctx, keys)
		if err != nil {
			return err
		}
		for j, i := range at {
			r.shown[i] = shown[keys[j]]
		}
	}
	return nil
}

// idsOf are the ids of a reference's records; empty for those that the client
// may not see, and for the second record of one identity: it is one member.
func (r *roll) idsOf(f rules.Reference) []string {
	ids := make([]string, len(f.Keys))
	for i, k := range f.Keys {
		ref := rules.ID{Type: f.Type, ID: k}
		id, ok := r.settled[ref]
		if !ok {
			id = r.entries[r.at[ref]].ID
		}
		ids[i] = id
	}
	unrepeated(ids)
	return ids
}

// fewIDs is up to how many ids it is faster to compare each with each.
const fewIDs = 16

// unrepeated empties the second appearance of an id.
func unrepeated(ids []string) {
	if len(ids) <= fewIDs {
		for i := range ids {
			for _, before := range ids[:i] {
				if ids[i] == before {
					ids[i] = ""
				}
			}
		}
		return
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		if seen[id] {
			ids[i] = ""
		}
		seen[id] = true
	}
}

// A cast is who is who in one request that changes something: ids to keys, and
// keys to the ids that are sent.
type cast struct {
	keys map[rules.ID]string
	ids  map[rules.ID]string
}

func newCast() *cast {
	return &cast{keys: map[rules.ID]string{}, ids: map[rules.ID]string{}}
}

// learn takes over the references of a roll; who may be nil.
func (who *cast) learn(r *roll) {
	if who == nil {
		return
	}
	for ref, i := range r.at {
		if e := r.entries[i]; e.ID != "" {
			who.ids[ref] = e.ID
			if as := (rules.ID{Type: ref.Type, ID: e.ID}); e.Primary || who.keys[as] == "" {
				who.keys[as] = ref.ID
			}
		}
	}
}

func (who *cast) key(typ, id string) (string, bool) {
	k, ok := who.keys[rules.ID{Type: typ, ID: id}]
	return k, ok
}

func (who *cast) id(typ, key string) (string, bool) {
	id, ok := who.ids[rules.ID{Type: typ, ID: key}]
	return id, ok
}
