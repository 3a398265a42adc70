package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Options describe one kind of object.
type Options struct {
	Fields []string // the shape
	Key    []string // the raw fields that are the key
	Given  bool     // Create takes the key from the record

	Multi []string         // fields that hold several values
	Read  map[string]*Expr // how a field is read from item, where it is not simply there
	Write map[string]*Expr // what is sent of a field's value, where it is not simply that
	Clear any              // what takes a value away; nil: null

	Get, Create, Update, Delete Operation
	List                        Operation
	Many                        Operation // reads records by keys; its size is how many keys a call takes; nil: each by itself
	Batch                       Batch     // says it instead, where the backend may not know Many; there is Get then; nil: it does
	Finds                       []*Find
	Members                     map[string]*Members
	Probe                       func(context.Context) error
	Believe                     func(context.Context) error // asked before "there is nothing" is believed; nil: believed
	Sessions                    func() int                  // how many sessions have ended before their time; nil: there are none
	Close                       func() error

	Locks    *Locks         // of this kind of object; nil: nobody else changes it
	Values   map[string]any // further names for every expression
	Parallel int            // details read at a time; 0: 4
	Limit    int            // records that a list may walk; 0: 100,000
}

// A Find is a list that answers some filters.
type Find struct {
	When        *Expr // over the filter: whether it answers this one; nil: yes
	Steps       Operation
	Answers     map[string]filter.Ops
	Exact       bool // it finds what the filter says and nothing else
	IgnoresCase bool // it finds values that differ in case, too
}

// Members say how the values of a field are added and removed. Change does both
// in one call; otherwise Add and Remove are made for each value, as item. Of is
// the kind of object that the values are keys of: where a membership is kept with
// the member, it is the member that the calls change.
type Members struct {
	Add, Remove, Change Operation
	Of                  *Locks
}

// An Adapter runs operations. New makes it.
type Adapter struct {
	o      Options
	caps   adapters.Capabilities
	fields []field // by position in the shape
	key    []field
	locks  *Locks
	chunk  int             // keys in one call of many
	unsaid adapters.Fields // that many does not bring
}

var _ adapters.Adapter = (*Adapter)(nil)

// New makes an adapter.
func New(o Options) *Adapter {
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	if o.Limit == 0 {
		o.Limit = 100_000
	}
	if o.Locks == nil {
		o.Locks = NewLocks()
	}
	a := &Adapter{o: o, locks: o.Locks}
	for _, k := range o.Key {
		a.key = append(a.key, newField(k))
	}
	a.caps = a.capabilities()
	for _, n := range a.caps.Shape.Names() {
		f := newField(n)
		f.read, f.write, f.multi = o.Read[n], o.Write[n], a.caps.Fields[a.caps.Shape.Index(n)].Multi
		f.apart = o.Members[n] != nil
		a.fields = append(a.fields, f)
	}
	for _, st := range o.Many {
		if st.Records != nil && !o.Many.helps(st) {
			a.chunk, a.unsaid = st.size(), a.unsaid.Union(a.caps.Shape.FieldSet(st.Lacks...))
		}
	}
	for _, op := range append([]Operation{o.Get, o.List, o.Many}, searches(o.Finds)...) {
		a.spare(op)
	}
	return a
}

func searches(finds []*Find) []Operation {
	out := make([]Operation, len(finds))
	for i, f := range finds {
		out[i] = f.Steps
	}
	return out
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// Probe implements adapters.Adapter.
func (a *Adapter) Probe(ctx context.Context) error {
	if err := alive(ctx, "probe"); err != nil || a.o.Probe == nil {
		return err
	}
	return newRun("probe", nil).fix(a.o.Probe(ctx))
}

// Close implements adapters.Adapter.
func (a *Adapter) Close() error {
	if a.o.Close == nil {
		return nil
	}
	return a.o.Close()
}

// scope is what every expression of an operation sees.
func (a *Adapter) scope(want adapters.Fields) Scope {
	s := make(Scope, len(a.o.Values)+scopeRoom)
	maps.Copy(s, a.o.Values)
	s["needs"] = func(name string) bool { return want.Has(a.caps.Shape.Index(name)) }
	s["changed"] = never
	return s
}

// scopeRoom is for what operations and their answers add to a scope.
const scopeRoom = 10

// maxKey is longer than any key.
const maxKey = 1024

// plausible leaves out what cannot be a key, and what would change the meaning of
// a path: nobody need be asked about it.
func plausible(k adapters.Key) bool {
	s := string(k)
	return s != "" && s != "." && s != ".." && len(s) <= maxKey && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Create implements adapters.Adapter.
func (a *Adapter) Create(ctx context.Context, in adapters.Record, want adapters.Fields) (adapters.Record, error) {
	const op = "create"
	if err := alive(ctx, op); err != nil {
		return adapters.Record{}, err
	}
	if a.caps.NoCreate {
		return adapters.Record{}, unsupported(op)
	}
	for i, n := range a.caps.Shape.Names() {
		if err := a.checkText(op, n, in.Get(n)); err != nil {
			return adapters.Record{}, err
		}
		if _, list := in.Get(n).([]string); list && !a.caps.Fields[i].Multi {
			return adapters.Record{}, &adapters.Error{Kind: adapters.Invalid, Op: op, Field: n, Err: errors.New("one value is wanted")}
		}
	}
	obj, err := a.object(op, in)
	if err != nil {
		return adapters.Record{}, err
	}
	key, unlock, err := a.reserve(ctx, in, obj)
	if err != nil {
		return adapters.Record{}, err
	}
	defer unlock()
	r := newRun(op, a.scope(adapters.AllFields).with(map[string]any{"record": obj, "key": a.said(key)}))
	y, err := r.all(ctx, a.o.Create)
	if err != nil {
		return adapters.Record{}, err
	}
	if key, err = a.made(r, y, key); err != nil {
		return adapters.Record{}, err
	}
	joined, err := a.join(ctx, op, key, in)
	if err != nil {
		r.revert(ctx)
		return adapters.Record{}, err
	}
	return a.answer(ctx, r, y, key, want, joined)
}

// reserve sees to it that a key that was given is free.
func (a *Adapter) reserve(ctx context.Context, in adapters.Record, obj map[string]any) (adapters.Key, func(), error) {
	key := in.Key
	if !a.o.Given {
		if key != "" {
			return "", nil, adapters.Errorf(adapters.Invalid, "create", "the backend makes the keys")
		}
		return "", func() {}, nil
	}
	if key == "" {
		key = a.keyOf(obj)
	}
	name := a.keyName()
	if !plausible(key) {
		return "", nil, &adapters.Error{Kind: adapters.Invalid, Op: "create", Field: name, Err: errors.New("this can be no key")}
	}
	unlock, err := a.locks.lock(ctx, "create", key)
	if err != nil {
		return "", nil, err
	}
	_, err = a.get(ctx, "create", key, adapters.Fields{})
	switch {
	case err == nil:
		err = &adapters.Error{Kind: adapters.Exists, Op: "create", Field: name, Err: errors.New("the key is taken")}
	case adapters.Is(err, adapters.NotFound):
		return key, unlock, nil
	}
	unlock()
	return "", nil, err
}

// keyName is the field to blame for a key.
func (a *Adapter) keyName() string {
	if a.caps.Shape.Index(a.o.Key[0]) >= 0 {
		return a.o.Key[0]
	}
	return adapters.KeyField
}

// made is the key of what was created.
func (a *Adapter) made(r *run, y yield, given adapters.Key) (adapters.Key, error) {
	key := given
	if k := a.keyOf(y.record); k != "" {
		key = k
	}
	if y.key != nil {
		key = joined(y.key)
	}
	if !plausible(key) {
		return "", r.internal(errors.New("no answer of create tells the key"))
	}
	return key, nil
}

// answer is what the backend holds after a write: what it said, if that is
// whole, or what it says now.
func (a *Adapter) answer(ctx context.Context, r *run, y yield, key adapters.Key, want adapters.Fields, stale bool) (adapters.Record, error) {
	if y.record != nil && !stale && !a.wantsCostly(want) {
		rec, err := a.record(y.record, want, r.scope)
		if told := err == nil && !a.blank(rec, want); told {
			rec.Key = key
			return rec, nil
		}
	}
	rec, err := a.get(ctx, r.op, key, want)
	if adapters.Is(err, adapters.NotFound) {
		return rec, r.internal(errors.New("the backend said yes, but there is no such record afterwards"))
	}
	return rec, err
}

func (a *Adapter) wantsCostly(want adapters.Fields) bool {
	for i, f := range a.caps.Fields {
		if f.Costly && want.Has(i) {
			return true
		}
	}
	return false
}

// Delete implements adapters.Adapter. The record is looked for first: what is
// not there must not be reported deleted, and many backends would.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	const op = "delete"
	if err := alive(ctx, op); err != nil {
		return err
	}
	if a.caps.NoDelete {
		return unsupported(op)
	}
	unlock, err := a.locks.lock(ctx, op, key)
	if err != nil {
		return err
	}
	defer unlock()
	rec, err := a.get(ctx, op, key, a.wantedBy(a.o.Delete))
	if err != nil {
		return err
	}
	obj, err := a.object(op, rec)
	if err != nil {
		return err
	}
	r := newRun(op, a.scope(adapters.Fields{}).with(map[string]any{"key": a.said(key), "record": obj}))
	_, err = r.all(ctx, a.o.Delete)
	return err
}

// wantedBy are the costly fields that the steps name, as record.NAME or old.NAME.
func (a *Adapter) wantedBy(op Operation) adapters.Fields {
	var names []string
	for _, n := range a.caps.Shape.Names() {
		root := strings.Split(n, ".")[0]
		if slices.ContainsFunc(op, func(st *Step) bool {
			return slices.ContainsFunc(st.exprs(), func(e *Expr) bool { return e.Uses("old."+root) || e.Uses("record."+root) })
		}) {
			names = append(names, n)
		}
	}
	return a.caps.Shape.FieldSet(names...)
}

func alive(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: err}
	}
	return nil
}

func notFound(op string) error    { return &adapters.Error{Kind: adapters.NotFound, Op: op} }
func unsupported(op string) error { return &adapters.Error{Kind: adapters.Unsupported, Op: op} }

// fix names the operation in an error that may be none.
func (r *run) fix(err error) error {
	if err == nil {
		return nil
	}
	return r.named(err)
}

func fieldError(k adapters.Kind, op, name, format string, args ...any) error {
	return &adapters.Error{Kind: k, Op: op, Field: name, Err: fmt.Errorf(format, args...)}
}
