package provision

import (
	"context"
	"maps"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// lookup translates the identifiers in a filter, all at once. In the filter that
// it returns, ids that a merge made secondary are replaced by those that stand in
// resources.
func (s *Service) lookup(ctx context.Context, c Call, t *target, e filter.Expr) (filter.Expr, rules.Lookup, error) {
	ids, referred, externals := t.Mapping.FilterIDs(e)
	own, err := s.entries(ctx, c, ids)
	if err != nil {
		return nil, rules.Lookup{}, err
	}
	if c.Caller.Secondary == Gone {
		maps.DeleteFunc(own, func(_ rules.ID, e identity.Entry) bool { return !e.Primary })
	}
	others, err := s.entries(ctx, c, referred)
	if err != nil {
		return nil, rules.Lookup{}, err
	}
	keys, err := s.visibleKeys(ctx, t, others)
	if err != nil {
		return nil, rules.Lookup{}, err
	}
	external, err := s.externalKeys(ctx, c, t, externals)
	if err != nil {
		return nil, rules.Lookup{}, err
	}
	e = t.sent(e, own, others)
	kept, err := s.keptLookup(ctx, c.Caller.Tenant, t, e)
	if err != nil {
		return nil, rules.Lookup{}, err
	}
	self := make(map[rules.ID]string, len(own))
	for ref, entry := range own {
		self[rules.ID{Type: ref.Type, ID: entry.ID}] = string(t.key(entry))
	}
	for ref, entry := range others {
		keys[rules.ID{Type: ref.Type, ID: entry.ID}] = keys[ref]
	}
	return e, rules.Lookup{
		Key: func(typ, id string) (string, bool) {
			key, ok := self[rules.ID{Type: typ, ID: id}]
			return key, ok
		},
		All:        func(typ, id string) []string { return keys[rules.ID{Type: typ, ID: id}] },
		ExternalID: func(x string) []string { return external[x] },
		Kept:       kept,
	}, nil
}

// entries finds the entries of ids of several types; unknown ones are left out.
func (s *Service) entries(ctx context.Context, c Call, ids []rules.ID) (map[rules.ID]identity.Entry, error) {
	byType := map[string][]string{}
	for _, i := range ids {
		byType[i.Type] = append(byType[i.Type], i.ID)
	}
	out := make(map[rules.ID]identity.Entry, len(ids))
	for typ, list := range byType {
		found, err := s.ids.Resolve(ctx, c.Caller.domain(), typ, list)
		if err != nil {
			return nil, err
		}
		backend := s.targets[typ].Backend
		for i, e := range found {
			if e.ID != "" && e.Identity == "" { // ids: existing
				e.Backend = backend
			}
			if _, ok := e.KeyIn(backend); ok {
				out[rules.ID{Type: typ, ID: list[i]}] = e
			}
		}
	}
	return out, nil
}

// visibleKeys are all the keys by which records may refer to entries that
// provisioning may see.
func (s *Service) visibleKeys(ctx context.Context, t *target, found map[rules.ID]identity.Entry) (map[rules.ID][]string, error) {
	keys := make(map[rules.ID][]string, len(found))
	for ref, e := range found {
		other := s.targets[ref.Type]
		all := other.keys(e)
		shown := map[adapters.Key]bool{}
		if other.scoped && !t.Mapping.Checked(ref.Type) {
			var err error
			if shown, err = other.recalled(ctx, all); err != nil {
				return nil, err
			}
		}
		for _, k := range all {
			if shown[k] || !other.scoped || t.Mapping.Checked(ref.Type) {
				keys[ref] = append(keys[ref], string(k))
			}
		}
	}
	return keys, nil
}

// keys are those of all records of an identity in the target, the one to read
// and write first.
func (t *target) keys(e identity.Entry) []adapters.Key {
	first := t.key(e)
	out := []adapters.Key{first}
	for _, l := range e.Links() {
		if l.Backend == t.Backend && l.Key != string(first) {
			out = append(out, adapters.Key(l.Key))
		}
	}
	return out
}

func (s *Service) externalKeys(ctx context.Context, c Call, t *target, externals []string) (map[string][]string, error) {
	out := make(map[string][]string, len(externals))
	if t.Mapping.MapsExternalID() {
		return out, nil
	}
	for _, x := range externals {
		if _, again := out[x]; again {
			continue
		}
		found, err := s.ids.ByExternalID(ctx, c.Caller.domain(), t.name, x)
		if err != nil {
			return nil, err
		}
		out[x] = nil
		for _, e := range found {
			if k, ok := e.KeyIn(t.Backend); ok {
				out[x] = append(out[x], k)
			}
		}
	}
	return out, nil
}

// sent replaces ids in a filter by the ones that are sent for them.
func (t *target) sent(e filter.Expr, found ...map[rules.ID]identity.Entry) filter.Expr {
	other := map[string]string{}
	for _, m := range found {
		for ref, entry := range m {
			if ref.ID != entry.ID {
				other[ref.ID] = entry.ID
			}
		}
	}
	if len(other) == 0 {
		return e
	}
	return replaceIDs(e, func(c *filter.Compare) (string, bool) {
		if a, ok := c.Ref.(*scim.Attribute); !ok || !t.Mapping.Identifies(a) {
			return "", false
		}
		id, ok := other[c.Value.Str]
		return id, ok && c.Value.Kind == filter.String
	})
}

func replaceIDs(e filter.Expr, by func(*filter.Compare) (string, bool)) filter.Expr {
	return filter.Map(e, func(e filter.Expr) filter.Expr {
		switch e := e.(type) {
		case *filter.Element:
			c := *e
			c.Where = replaceIDs(e.Where, by)
			return &c
		case *filter.Compare:
			if id, ok := by(e); ok {
				c := *e
				c.Value = filter.StringValue(id)
				return &c
			}
		}
		return e
	})
}
