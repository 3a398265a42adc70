package memory

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
)

// A Relation is a set of pairs, as a join table holds them: the owner's key and
// the member's. Its methods may be called from many goroutines.
type Relation struct {
	mu    sync.RWMutex
	sides [2]side // owner to members, member to owners
	read  atomic.Int64
}

// A side maps each key of one end to the set of keys at the other.
type side map[adapters.Key]map[adapters.Key]bool

// NewRelation is a relation without pairs.
func NewRelation() *Relation {
	return &Relation{sides: [2]side{{}, {}}}
}

// Read is how many members have been read from the relation so far, for tests
// that no more are read than needed.
func (r *Relation) Read() int {
	return int(r.read.Load())
}

// An end is the relation as one of its two adapters sees it.
type end struct {
	*Relation
	near, far int
}

func (f Field) end() *end {
	switch {
	case f.Relation == nil:
		return nil
	case f.Inverse:
		return &end{f.Relation, 1, 0}
	}
	return &end{f.Relation, 0, 1}
}

// of lists what belongs to key, ordered as keys are.
func (e *end) of(key adapters.Key) []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	set := e.sides[e.near][key]
	e.read.Add(int64(len(set)))
	if len(set) == 0 {
		return nil
	}
	out := make([]string, 0, len(set))
	for _, k := range slices.SortedFunc(maps.Keys(set), order.Keys) {
		out = append(out, string(k))
	}
	return out
}

func (e *end) change(key adapters.Key, add, remove []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range remove {
		e.cut(key, adapters.Key(m))
	}
	for _, m := range add {
		e.join(key, adapters.Key(m))
	}
}

// replace makes what belongs to key be the list.
func (e *end) replace(key adapters.Key, list []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(key)
	for _, m := range list {
		e.join(key, adapters.Key(m))
	}
}

// rename moves what belongs to from over to to.
func (e *end) rename(from, to adapters.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.drop(from)
	for m := range all {
		e.join(to, m)
	}
}

// forget takes key out of the relation.
func (e *end) forget(key adapters.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(key)
}

func (e *end) drop(key adapters.Key) map[adapters.Key]bool {
	all := maps.Clone(e.sides[e.near][key])
	for m := range all {
		e.cut(key, m)
	}
	return all
}

func (e *end) join(key, member adapters.Key) {
	if member == "" {
		return
	}
	e.sides[e.near].add(key, member)
	e.sides[e.far].add(member, key)
}

func (e *end) cut(key, member adapters.Key) {
	e.sides[e.near].remove(key, member)
	e.sides[e.far].remove(member, key)
}

func (s side) add(key, other adapters.Key) {
	if s[key] == nil {
		s[key] = map[adapters.Key]bool{}
	}
	s[key][other] = true
}

func (s side) remove(key, other adapters.Key) {
	delete(s[key], other)
	if len(s[key]) == 0 {
		delete(s, key)
	}
}
