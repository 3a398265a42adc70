package memory

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
	"github.com/postern/postern/scim/filter"
)

// An Adapter holds one kind of object in memory. New makes it.
type Adapter struct {
	caps   adapters.Capabilities
	fields []Field // by position in the shape
	ends   []*end  // by position; nil where the record itself holds the value
	given  bool
	from   int // position of KeyFrom, -1 if there is none

	mu      sync.RWMutex
	records map[adapters.Key]adapters.Record // without the values that ends hold
	order   []adapters.Key                   // of records, by order.Keys
	taken   []map[string]adapters.Key        // by position; nil where not unique
	last    int64                            // generated key
}

var _ adapters.Adapter = (*Adapter)(nil)

// New makes an adapter without records. Names of fields must differ.
func New(o Options) *Adapter {
	a := &Adapter{
		caps:    o.capabilities(),
		fields:  o.Fields,
		ends:    make([]*end, len(o.Fields)),
		taken:   make([]map[string]adapters.Key, len(o.Fields)),
		given:   o.GivenKeys,
		records: map[adapters.Key]adapters.Record{},
	}
	a.from = a.caps.Shape.Index(o.KeyFrom)
	for i, f := range o.Fields {
		a.ends[i] = f.end()
		if f.Unique {
			a.taken[i] = map[string]adapters.Key{}
		}
	}
	return a
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// Get implements adapters.Adapter.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	if err := alive(ctx, "get"); err != nil {
		return adapters.Record{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if _, ok := a.records[key]; !ok {
		return adapters.Record{}, notFound("get")
	}
	return a.read(key, want), nil
}

// Create implements adapters.Adapter.
func (a *Adapter) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	if err := alive(ctx, "create"); err != nil {
		return adapters.Record{}, err
	}
	if a.caps.NoCreate {
		return adapters.Record{}, refuse("create")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.stored(r, "create")
	if err != nil {
		return adapters.Record{}, err
	}
	key, err := a.newKey(r)
	if err != nil {
		return adapters.Record{}, err
	}
	if err := a.free(r, key, "create"); err != nil {
		return adapters.Record{}, err
	}
	lists := a.takeLists(r)
	r.Key = key
	a.insert(r)
	for i, list := range lists {
		a.ends[i].replace(key, list)
	}
	return a.read(key, want), nil
}

// Put stores a record under a key of the caller's choice, also where keys are
// generated: what a backend holds before anybody asks it.
func (a *Adapter) Put(ctx context.Context, r adapters.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := r.Key
	if key == "" && a.from >= 0 {
		key = adapters.Key(adapters.Text(r.Get(a.keyName())))
	}
	if key == "" {
		return fieldError(adapters.Invalid, "put", a.keyName(), "a record must have a key")
	}
	r, err := a.stored(r, "put")
	if err != nil {
		return err
	}
	if err := a.free(r, key, "create"); err != nil {
		return err
	}
	lists := a.takeLists(r)
	r.Key = key
	a.insert(r)
	for i, list := range lists {
		if len(list) > 0 { // an end without members may have some by the other
			a.ends[i].change(key, list, nil)
		}
	}
	return alive(ctx, "put")
}

// Update implements adapters.Adapter.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	if err := alive(ctx, "update"); err != nil {
		return adapters.Record{}, err
	}
	if a.caps.NoUpdate {
		return adapters.Record{}, refuse("update")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old, ok := a.records[key]
	if !ok {
		return adapters.Record{}, notFound("update")
	}
	r, err := a.changed(old, d)
	if err != nil {
		return adapters.Record{}, err
	}
	if err := a.free(r, key, "update"); err != nil {
		return adapters.Record{}, err
	}
	lists := a.takeLists(r)
	a.remove(old)
	a.insert(r)
	a.relate(key, r.Key, lists, d.Members)
	return a.read(r.Key, want), nil
}

// relate carries a change over to the relations.
func (a *Adapter) relate(from, to adapters.Key, lists map[int][]string, members []adapters.MemberChange) {
	for i, e := range a.ends {
		if e != nil && from != to {
			e.rename(from, to)
		}
		if list, ok := lists[i]; ok {
			e.replace(to, list)
		}
	}
	for _, m := range members {
		a.ends[a.caps.Shape.Index(m.Field)].change(to, m.Add, m.Remove)
	}
}

// Delete implements adapters.Adapter.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	if err := alive(ctx, "delete"); err != nil {
		return err
	}
	if a.caps.NoDelete {
		return refuse("delete")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.records[key]
	if !ok {
		return notFound("delete")
	}
	a.remove(r)
	for _, e := range a.ends {
		if e != nil {
			e.forget(key)
		}
	}
	return nil
}

// Probe implements adapters.Adapter.
func (a *Adapter) Probe(ctx context.Context) error { return alive(ctx, "probe") }

// Close implements adapters.Adapter.
func (a *Adapter) Close() error { return nil }

// read copies out the wanted fields of a record that is there.
func (a *Adapter) read(key adapters.Key, want adapters.Fields) adapters.Record {
	out := adapters.NewRecord(a.caps.Shape, key)
	held := a.records[key]
	for i, e := range a.ends {
		switch {
		case !want.Has(i):
		case e == nil:
			out.SetAt(i, copied(held.At(i)))
		default:
			if list := e.of(key); list != nil {
				out.SetAt(i, list)
			}
		}
	}
	return out
}

// newKey is the key under which Create stores r.
func (a *Adapter) newKey(r adapters.Record) (adapters.Key, error) {
	key := r.Key
	switch {
	case a.from >= 0:
		key = adapters.Key(adapters.Text(r.At(a.from)))
	case !a.given && key != "":
		return "", adapters.Errorf(adapters.Invalid, "create", "keys are generated here")
	case !a.given:
		for a.last++; a.has(a.last); a.last++ {
		}
		return adapters.Key(strconv.FormatInt(a.last, 10)), nil
	}
	if key == "" {
		return "", fieldError(adapters.Invalid, "create", a.keyName(), "a record must have a key")
	}
	return key, nil
}

// has reports whether a key that would be generated was put there.
func (a *Adapter) has(n int64) bool {
	_, there := a.records[adapters.Key(strconv.FormatInt(n, 10))]
	return there
}

// keyName is the field to blame for a key.
func (a *Adapter) keyName() string {
	if a.from >= 0 {
		return a.fields[a.from].Name
	}
	return adapters.KeyField
}

// free fails with Exists if another record than the one at key has r's key or
// one of its unique values.
func (a *Adapter) free(r adapters.Record, key adapters.Key, op string) error {
	target := r.Key
	if op == "create" {
		target = key
	}
	if _, ok := a.records[target]; ok && (op == "create" || target != key) {
		return fieldError(adapters.Exists, op, a.keyName(), "the key is taken")
	}
	for i, taken := range a.taken {
		if by, ok := taken[a.uniqueText(r, i)]; ok && (op == "create" || by != key) {
			return fieldError(adapters.Exists, op, a.fields[i].Name, "the value is taken")
		}
	}
	return nil
}

// uniqueText is the value of a field as uniqueness compares it.
func (a *Adapter) uniqueText(r adapters.Record, i int) string {
	text := adapters.Text(r.At(i))
	if a.fields[i].Folded {
		text = filter.Fold(text)
	}
	return text
}

func (a *Adapter) insert(r adapters.Record) {
	a.records[r.Key] = r
	at, _ := slices.BinarySearchFunc(a.order, r.Key, order.Keys)
	a.order = slices.Insert(a.order, at, r.Key)
	for i, taken := range a.taken {
		if text := a.uniqueText(r, i); taken != nil && text != "" {
			taken[text] = r.Key
		}
	}
}

func (a *Adapter) remove(r adapters.Record) {
	delete(a.records, r.Key)
	at, _ := slices.BinarySearchFunc(a.order, r.Key, order.Keys)
	a.order = slices.Delete(a.order, at, at+1)
	for i, taken := range a.taken {
		delete(taken, a.uniqueText(r, i))
	}
}
