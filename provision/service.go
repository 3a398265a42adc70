package provision

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"

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
	Backend string // its name in the configuration
}

// Options are what a Service is made of.
type Options struct {
	Targets []Target
	IDs     *identity.Store
	Scan    int // records that a query may make the gateway look at itself (limits.scan)
	Log     *slog.Logger
}

// A Service provides SCIM. Its methods may be called from many goroutines. They
// fail with *scim.Error whenever there is something a client can be told.
type Service struct {
	targets map[string]*target
	types   []*schema.ResourceType
	ids     *identity.Store
	scan    int
	log     *slog.Logger
	seed    maphash.Seed
	locks   [256]sync.Mutex // by unique value: two creates of one name wait for each other
}

// A target is a Target with what is worked out once.
type target struct {
	Target
	name     string
	standard *rules.Plan // what the default selection needs
	defaults *scim.Selection
	unique   []*scim.Attribute
	scopes   rules.Plan
}

// New makes a Service. The mappings are bound to their adapters here.
func New(o Options) *Service {
	s := &Service{targets: map[string]*target{}, ids: o.IDs, scan: o.Scan, log: o.Log, seed: maphash.MakeSeed()}
	for _, t := range o.Targets {
		t.Mapping.Bind(t.Adapter.Capabilities())
		typ := t.Mapping.Type
		nt := &target{Target: t, name: typ.Name, defaults: scim.DefaultSelection(typ.Layout)}
		nt.standard = t.Mapping.Plan(nt.defaults.Needs)
		nt.scopes = *t.Mapping.Plan(func(*scim.Attribute) bool { return false })
		nt.unique = uniqueAttributes(typ.Layout)
		s.targets[typ.Name] = nt
		s.types = append(s.types, typ)
	}
	return s
}

// Types lists the resource types in the order of the configuration.
func (s *Service) Types() []*schema.ResourceType { return s.types }

// Ready reports whether the mapping table answers. Backends that are down do not
// make the gateway unready: it answers 503 for them, and serves the others.
func (s *Service) Ready(ctx context.Context) error { return s.ids.Ping(ctx) }

func (s *Service) target(c Call) *target { return s.targets[c.Type.Name] }

// plan is what must be read for the answer.
func (t *target) plan(c Call) *rules.Plan {
	if c.Select == t.defaults || c.Select == nil {
		return t.standard
	}
	return t.Mapping.Plan(c.Select.Needs)
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

// ruleWarner reports values that a rule could not make anything of. It names
// the rule and never the value.
func (s *Service) ruleWarner(ctx context.Context, t *target) func(*rules.Rule, error) {
	return func(r *rules.Rule, err error) {
		s.log.WarnContext(ctx, "attribute left out", "type", t.name, "rule", r.Path, "line", r.Line, "reason", err.Error())
	}
}
