package ldap

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Entries say which entries are records, and what their keys are.
type Entries struct {
	Base    string   // a DN, below that of the directory
	Subtree bool     // at any depth; else only directly below the base
	Classes []string // that each entry has
	Key     string   // an attribute, or "dn"

	// Where is a scope: entries of which it is not true do not count as values of
	// references. Its names are attributes; its leaves are bound. nil: all do.
	Where filter.Expr

	shape  *adapters.Shape // of what Where names
	fields []field
}

// A Target describes one kind of object.
type Target struct {
	Entries
	Container   string   // where new entries go, a DN below that of the directory; "": the base
	Auxiliary   []string // classes that entries are given when they are written
	RDN         string   // the template of names: uid, or cn={cn}
	Given       bool     // the key of a new record is in the record
	Lists       []string // fields with several values
	References  []Reference
	Placeholder string // the DN that stands in a list of members that must not be empty
}

// A Reference is a field whose values name other entries.
type Reference struct {
	Field string
	By    string // the attribute of the other entry that the values are; "": its DN
	From  string // the attribute of the other entries whose values name this one: the field is worked out
	To    *Entries

	// Unchecked says that what the values name need not be in scope: the scope is none
	// that can be followed here.
	Unchecked bool
}

// An Adapter is a branch as an adapters.Adapter.
type Adapter struct {
	d       *Directory
	target  Target
	rdn     []part
	fields  []field // by position in the shape
	caps    adapters.Capabilities
	kept    snapshots
	classes string       // the condition that an entry is one of these
	size    atomic.Int64 // how many entries there were, and one; 0: not known
}

var _ adapters.Adapter = (*Adapter)(nil)

// A field is what the name of a field means: an attribute, or one bit of it.
type field struct {
	attribute string
	mask      int64 // of the bit; 0: the whole
	list      bool
	refers    *Reference
	secret    bool // never read
}

// secrets are attributes that are written and never read.
var secrets = []string{"userpassword", "unicodepwd"}

// A referrer is a reference that names entries of another branch.
type referrer struct {
	a     *Adapter
	field *field
}

// Branch makes the adapter of a target. It does no I/O; all that is wrong is
// reported at once.
func (d *Directory) Branch(t Target, shape *adapters.Shape) (*Adapter, error) {
	a := &Adapter{d: d, target: t, fields: make([]field, shape.Len())}
	a.target.Entries = d.entries(t.Entries)
	a.target.References = slices.Clone(t.References)
	for i := range a.target.References {
		if to := a.target.References[i].To; to != nil {
			there := d.entries(*to)
			a.target.References[i].To = &there
		}
	}
	a.target.Container = a.target.Base
	if t.Container != "" {
		a.target.Container = below(t.Container, d.cfg.Base)
	}
	var err error
	if a.rdn, err = parseRDN(t.RDN); err != nil {
		err = fmt.Errorf("rdn: %w", err)
	}
	errs := append(t.check(), err, checkDN("base", a.target.Base), checkDN("container", a.target.Container), checkDN("placeholder", t.Placeholder))
	for i, name := range shape.Names() {
		f, err := parseField(name)
		f.list = slices.Contains(t.Lists, name)
		for n := range a.target.References {
			if r := &a.target.References[n]; r.Field == name {
				f.refers = r
			}
		}
		a.fields[i], errs = f, append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a.classes = a.target.condition()
	a.caps = a.capabilities(shape)
	d.refer(a)
	return a, nil
}

// refer notes which fields of a branch name entries of others.
func (d *Directory) refer(a *Adapter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range a.fields {
		if f := &a.fields[i]; f.refers != nil && f.refers.From == "" && !strings.EqualFold(f.attribute, "memberOf") {
			d.referrs = append(d.referrs, &referrer{a, f})
		}
	}
}

// check lists what is wrong with a target's description.
func (t *Target) check() []error {
	var errs []error
	if len(t.Classes) == 0 {
		errs = append(errs, errors.New("no object class is named"))
	}
	for _, c := range slices.Concat(t.Classes, t.Auxiliary, []string{t.Key}) {
		if !attributeName.MatchString(c) {
			errs = append(errs, fmt.Errorf("%q is no name of an object class or an attribute", c))
		}
	}
	return errs
}

func checkDN(what, dn string) error {
	if err := CheckDN(dn); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// parseField reads a name: userAccountControl, or userAccountControl:2, which is a bit.
func parseField(name string) (field, error) {
	f := field{attribute: name, secret: slices.Contains(secrets, strings.ToLower(name))}
	if attribute, mask, ok := strings.Cut(name, ":"); ok {
		n, err := strconv.ParseInt(mask, 10, 64)
		if err != nil || n <= 0 || bits.OnesCount64(uint64(n)) != 1 {
			return f, fmt.Errorf("%q: what stands behind the colon must be one bit, as 2", name)
		}
		f.attribute, f.mask = attribute, n
	}
	plain, _, _ := strings.Cut(f.attribute, ";")
	if !attributeName.MatchString(plain) {
		return f, fmt.Errorf("%q is no name of an attribute", name)
	}
	return f, nil
}

// entries completes a description: what stands in the configuration is below the
// directory's own base.
func (d *Directory) entries(t Entries) Entries {
	t.Base = below(t.Base, d.cfg.Base)
	var names []string
	if t.Where != nil {
		filter.Walk(t.Where, func(e filter.Expr) bool {
			if c, ok := e.(*filter.Compare); ok && c.Name != adapters.KeyField {
				names = append(names, c.Name)
			}
			return true
		})
	}
	t.shape = adapters.NewShape(names...)
	for _, n := range t.shape.Names() {
		f, err := parseField(n)
		if err != nil { // no attribute: no entry has it
			f = field{attribute: n, secret: true}
		}
		t.fields = append(t.fields, f)
	}
	return t
}

// condition is true of entries of the classes.
func (t *Entries) condition() string {
	terms := make([]string, len(t.Classes))
	for i, c := range t.Classes {
		terms[i] = equals("objectClass", c)
	}
	return allOf(terms...)
}

// capabilities: whatever is asked is sent in a weaker form and compared again, so
// every comparison is exact. Reading all keys gives totals and offsets.
func (a *Adapter) capabilities(shape *adapters.Shape) adapters.Capabilities {
	plain := adapters.Field{Filter: map[filter.Match]filter.Ops{}, Sort: map[filter.Match]bool{}}
	for m := filter.Exact; m <= filter.Presence; m++ {
		plain.Filter[m] = filter.OpsFor(m)
		plain.Sort[m] = m != filter.Presence
	}
	c := adapters.Capabilities{Shape: shape, Fields: make([]adapters.Field, shape.Len()), Or: true, Not: true, Offset: true, Total: true, GivenKeys: a.target.Given,
		Key: adapters.Field{Filter: map[filter.Match]filter.Ops{filter.Exact: filter.OpsOf(filter.Eq, filter.Ne, filter.Pr)}, Unique: true}}
	for i, f := range a.fields {
		switch {
		case f.refers != nil:
			c.Fields[i] = adapters.Field{Multi: f.list, Delta: f.list && f.refers.From == "", Costly: true, Checked: !f.refers.Unchecked}
			if f.refers.From == "" {
				c.Fields[i].Filter = map[filter.Match]filter.Ops{filter.Exact: filter.OpsOf(filter.Eq)}
			}
		case f.secret:
		default:
			c.Fields[i] = plain
			if c.Fields[i].Multi = f.list; f.list {
				c.Fields[i].Sort = nil
			}
		}
		name := shape.Names()[i]
		c.Fields[i].Unique = name == a.target.Key || !a.target.Subtree && len(a.rdn) == 1 && a.rdn[0].simple() == name
	}
	return c
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// Probe implements adapters.Adapter.
func (a *Adapter) Probe(ctx context.Context) error {
	return a.d.use(ctx, "probe", func(s *session) error {
		if err := s.prove(); err != nil {
			return err
		}
		return s.visible(a.target.Base)
	})
}

// Close implements adapters.Adapter. The directory stays open for its other branches.
func (a *Adapter) Close() error { return nil }
