package provision

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// A Target is what one resource type runs on.
type Target struct {
	Mapping *rules.Mapping
	Adapter adapters.Adapter
	Backend string   // its name in the configuration
	Further []string // of the other places, where there are several
	// All is an Adapter of the same records that shows those out of scope too. It is
	// only asked whether a record is really gone, and for reports to administrators.
	// Nil if Adapter hides none.
	All adapters.Adapter
	// Correlate is what becomes of creates of what the backend has already.
	Correlate Correlation

	// Alone says that the backend does not notice when a record has changed between
	// being read and being written: then only one process may do that at a time.
	Alone bool

	// Moving is what becomes of records that go to another place; only where the
	// mapping has places.
	Moving Moving
}

// Options are what a Service is made of.
type Options struct {
	Targets []Target
	IDs     *identity.Store
	Scan    int // records that a query may make the gateway look at itself (limits.scan)
	Log     *slog.Logger

	// Recall is how long it is remembered that a record that others refer to was,
	// or was not, there and in scope: 5 s if zero, not at all if negative.
	// Nothing is written on the strength of it.
	Recall time.Duration

	// NoVersions leaves resources without versions: no ETag, no meta.version.
	NoVersions bool
}

const defaultRecall = 5 * time.Second

// A Service provides SCIM. Its methods may be called from many goroutines. They
// fail with *scim.Error whenever there is something a client can be told; after
// the context's end there is nothing.
type Service struct {
	targets map[string]*target
	types   []*schema.ResourceType
	ids     *identity.Store
	scan    int
	log     *slog.Logger
	values  *turns // writers of the same unique value wait for each other
	records *turns // and so do those who change one record
	changes atomic.Uint64
}

// A target is a Target with what is worked out once.
type target struct {
	Target
	name     string
	caps     adapters.Capabilities
	usual    *scim.Selection // what an answer holds unless the client says otherwise
	whole    *scim.Selection // what a version is made of; nil: there are none
	standard *rules.Plan     // what is read for usual and whole
	scope    *rules.Plan     // what is read to learn whether a record is in scope
	scoped   bool
	created  bool // the time of a record's creation is kept
	modified bool // and that of its last change
	born     bool // records tell by what they differ from others that get their key
	unique   []*scim.Attribute
	weighty  []*rules.Rule     // rules that a change need not read
	apart    []*scim.Attribute // of them those whose fields live in other places
	recall   *recall
	referred bool // it is scoped, and others refer to it without their backend's checking that
	losses   losses
	merged   sync.Map   // by tenant: *mergedSet
	reading  sync.Mutex // of merged
	places   shelf
	moves    atomic.Uint64 // how many records have gone to another place
	gone     atomic.Uint64 // how many were deleted, each counted before the table forgets it
	hides    atomic.Bool   // the last look found records that must stay out of lists
}

// New makes a Service. The mappings are bound to their adapters here.
func New(o Options) *Service {
	s := &Service{targets: map[string]*target{}, ids: o.IDs, scan: o.Scan, log: o.Log, values: newTurns(), records: newTurns()}
	for _, t := range o.Targets {
		nt := newTarget(t, cmp.Or(o.Recall, defaultRecall), !o.NoVersions)
		s.targets[nt.name] = nt
		s.types = append(s.types, t.Mapping.Type)
	}
	for _, t := range s.targets {
		for _, typ := range t.Mapping.References() {
			if other := s.targets[typ]; other != nil && other.scoped && !t.Mapping.Checked(typ) {
				other.referred = true
			}
		}
	}
	return s
}

func newTarget(t Target, remember time.Duration, versions bool) *target {
	typ := t.Mapping.Type
	nt := &target{Target: t, name: typ.Name, caps: t.Adapter.Capabilities(), usual: scim.DefaultSelection(typ.Layout),
		scoped: t.Mapping.HasScope(), born: t.Mapping.HasBirth(), unique: uniqueAttributes(typ.Layout), recall: newRecall(remember)}
	t.Mapping.Bind(nt.caps)
	nt.created, nt.modified = t.Mapping.KeepsTimes()
	needs := nt.usual.Needs
	if versions {
		nt.whole = wholeOf(nt)
		needs = func(a *scim.Attribute) bool { return nt.usual.Needs(a) || nt.whole.Needs(a) }
	}
	nt.standard = t.Mapping.Plan(needs)
	nt.scope = t.Mapping.Plan(func(*scim.Attribute) bool { return false })
	consulted := t.Mapping.Consulted()
	for _, r := range t.Mapping.Rules() {
		f, _ := nt.caps.Field(r.Field())
		apart := f.Apart && !r.Top().Required && !r.Attribute().Required
		if (r.Costly() || r.IsReference() || apart) && !slices.Contains(consulted, r.Top()) {
			nt.weighty = append(nt.weighty, r)
			if apart {
				nt.apart = append(nt.apart, r.Attribute())
			}
		}
	}
	return nt
}

// Types lists the resource types in the order of the configuration.
func (s *Service) Types() []*schema.ResourceType { return s.types }

// Forget forgets what is remembered of a backend's records, of all backends if it
// is "": another process has written there.
func (s *Service) Forget(backend string) {
	for _, t := range s.targets {
		if backend == "" || t.Backend == backend || slices.Contains(t.Further, backend) {
			t.recall.clear()
		}
	}
}

// Ready reports whether the mapping table answers. Backends that are down do not
// make the gateway unready: it answers 503 for them, and serves the others.
func (s *Service) Ready(ctx context.Context) error { return s.ids.Ping(ctx) }

func (s *Service) target(c Call) *target { return s.targets[c.Type.Name] }

// plan is what must be read for the answer.
func (t *target) plan(c Call) *rules.Plan {
	if c.Select == t.usual || c.Select == nil {
		return t.standard
	}
	return t.special(c)
}

// special is plan for an answer that holds what the client has named.
func (t *target) special(c Call) *rules.Plan {
	if c.Sorts != nil {
		return t.Mapping.Plan(t.needs(c, func(a *scim.Attribute) bool { return c.Select.Needs(a) || within(a, c.Sorts) || within(c.Sorts, a) }))
	}
	return t.Mapping.Plan(t.needs(c, c.Select.Needs))
}

// needs adds what the version is made of where the call depends on it.
func (t *target) needs(c Call, need func(*scim.Attribute) bool) func(*scim.Attribute) bool {
	if t.whole == nil || !c.If.needsVersion() {
		return need
	}
	return func(a *scim.Attribute) bool { return need(a) || t.usual.Needs(a) || t.whole.Needs(a) }
}

// inScope reports whether provisioning may see a record.
func (t *target) inScope(r adapters.Record) bool { return t.Mapping.InScope(r) }

func (t *target) link(key adapters.Key) identity.Link {
	return identity.Link{Type: t.name, Backend: t.Backend, Key: string(key)}
}

// uniqueAttributes lists the attributes whose values the service provider keeps
// unique (RFC 7643 section 7), except the id.
func uniqueAttributes(l *scim.Layout) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range l.Attributes() {
		if a == l.ID {
			continue
		}
		for _, s := range append([]*scim.Attribute{a}, extensionAttributes(a)...) {
			if s.Uniqueness != scim.UniqueNone && !s.MultiValued && s.Type == scim.TypeString {
				out = append(out, s)
			}
		}
	}
	return out
}

func extensionAttributes(a *scim.Attribute) []*scim.Attribute {
	if a.IsExtension() {
		return a.Sub
	}
	return nil
}

// top is the top-level attribute, or the extension, that an attribute is part of.
func top(a *scim.Attribute) *scim.Attribute {
	for a.Parent() != nil {
		a = a.Parent()
	}
	return a
}

// within reports whether a is b or part of it.
func within(a, b *scim.Attribute) bool {
	for ; a != nil; a = a.Parent() {
		if a == b {
			return true
		}
	}
	return false
}

// warner reports values that a rule could not make anything of: each rule once
// for a request. It names the rule; the reason could hold what a record holds.
func (s *Service) warner(ctx context.Context, t *target) func(*rules.Rule, error) {
	var told []*rules.Rule
	return func(r *rules.Rule, err error) {
		if slices.Contains(told, r) {
			return
		}
		told = append(told, r)
		s.log.WarnContext(ctx, "attribute left out: its rule makes nothing of what the backend holds",
			"type", t.name, "rule", r.Path, "line", r.Line)
		s.log.DebugContext(ctx, "attribute left out", "type", t.name, "line", r.Line, "reason", err.Error())
	}
}
