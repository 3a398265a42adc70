package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// introduce makes known to who the resources that r refers to. Those that who
// knows were found in the record itself; the others must exist and be in scope.
func (s *Service) introduce(ctx context.Context, c Call, t *target, who *cast, r *scim.Resource) error {
	var strangers []rules.ID
	for _, id := range t.Mapping.ReferencedIDs(r) {
		if _, known := who.keys[id]; !known {
			strangers = append(strangers, id)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	_, err := s.meet(ctx, c, t, who, strangers)
	return err
}

// meet resolves ids for who, and answers the keys of all records of each. An id
// whose record is not there, or may not be seen, stays unknown.
func (s *Service) meet(ctx context.Context, c Call, t *target, who *cast, ids []rules.ID) (map[rules.ID][]string, error) {
	found, err := s.entries(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	asked := map[string][]adapters.Key{}
	for ref, e := range found {
		if !t.Mapping.Checked(ref.Type) || s.targets[ref.Type].born {
			asked[ref.Type] = append(asked[ref.Type], s.targets[ref.Type].key(e))
		}
	}
	there := map[string]map[adapters.Key]adapters.Record{}
	for typ, keys := range asked {
		other := s.targets[typ]
		if there[typ], err = other.fetch(adapters.WithoutCache(ctx), keys, other.scope.Want); err != nil {
			return nil, err
		}
	}
	all := make(map[rules.ID][]string, len(found))
	for ref, e := range found {
		other := s.targets[ref.Type]
		for _, k := range other.keys(e) {
			all[ref] = append(all[ref], string(k))
		}
		key := other.key(e)
		if recs, open := there[ref.Type]; open {
			if rec, ok := recs[key]; !ok || !other.isOf(e, rec) {
				continue
			}
		}
		who.keys[ref] = string(key)
		for _, k := range all[ref] {
			who.ids[rules.ID{Type: ref.Type, ID: k}] = e.ID
		}
	}
	return all, nil
}
