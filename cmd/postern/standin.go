package main

import (
	"context"
	"fmt"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// A standIn holds records in memory in place of a backend.
type standIn struct {
	*memory.Adapter
	mapping *rules.Mapping
}

// standsIn reports whether records given by a test stand in for a backend.
func (t *trialRun) standsIn(b *config.Backend) bool {
	return t != nil && t.stands != nil && !t.answered[b.Name.Value]
}

// standIn makes the stand-in of a resource type. Two resource types whose rules
// name one join table from its two ends share its pairs.
func (t *trialRun) standIn(m *rules.Mapping, r *config.Resource) (adapters.Adapter, error) {
	o := memory.Options{}
	for _, n := range m.Shape().Names() {
		o.Fields = append(o.Fields, t.standInField(m, n))
	}
	if g := generated(m, r); g == nil || !*g {
		o.GivenKeys = true
		if len(m.Key()) == 1 {
			o.KeyFrom = m.Key()[0]
		}
	}
	made := &standIn{Adapter: memory.New(o), mapping: m}
	if t.made == nil {
		t.made = map[string]*standIn{}
	}
	t.made[m.Type.Name] = made
	for _, rec := range t.stands[m.Type.Name] {
		if err := made.Put(context.Background(), adapters.FromMap(m.Shape(), rec.Key, rec.Fields)); err != nil {
			return nil, fmt.Errorf("record %s: %w", rec.Key, err)
		}
	}
	return made, nil
}

func (t *trialRun) standInField(m *rules.Mapping, name string) memory.Field {
	f := memory.Field{Name: name}
	for _, rows := range m.Rows {
		if rows.Field == name {
			f.Parts = rows.Shape.Names()
		}
	}
	for _, rel := range m.Relations {
		if rel.Field == name && rel.Table != "" {
			end, inverse := rel.Table+" "+rel.Owner+" "+rel.Member, rel.Table+" "+rel.Member+" "+rel.Owner
			if t.relations == nil {
				t.relations = map[string]*memory.Relation{}
			}
			if r := t.relations[inverse]; r != nil {
				f.Relation, f.Inverse = r, true
				return f
			}
			if t.relations[end] == nil {
				t.relations[end] = memory.NewRelation()
			}
			f.Relation = t.relations[end]
			return f
		}
	}
	for _, r := range m.Rules() {
		if _, list := r.Refers(); list && r.Field() == name && !r.Joined() {
			f.Multi = true
		}
	}
	return f
}
