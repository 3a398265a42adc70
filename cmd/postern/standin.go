package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// A standIn holds records in memory in place of a backend.
type standIn struct {
	*memory.Adapter
	mapping *rules.Mapping

	own  *sql.Own // statements of the configuration, which are told; nil: none
	told adapters.Watcher
}

// standsIn reports whether records given by a test stand in for a backend.
func (t *trialRun) standsIn(b *config.Backend) bool {
	return t != nil && t.stands != nil && !t.answered[b.Name.Value]
}

// standIn makes the stand-in of a resource type. Two resource types whose rules
// name one join table from its two ends share its pairs.
func (t *trialRun) standIn(m *rules.Mapping, r *config.Resource, own *sql.Own) (adapters.Adapter, error) {
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
	made := &standIn{Adapter: memory.New(o), mapping: m, own: own, told: t.watcher(r.Target.Backend.Value)}
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

// Create implements adapters.Adapter.
func (s *standIn) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	out, err := s.Adapter.Create(ctx, r, want)
	if err == nil {
		s.rehearse(ctx, "create", sql.Rehearsal{Key: r.Key, Record: r, Members: joining(r)})
	}
	return out, err
}

// joining are the lists of a new record, as changes.
func joining(r adapters.Record) []adapters.MemberChange {
	var out []adapters.MemberChange
	for _, name := range r.Shape().Names() {
		if list, ok := r.Get(name).([]string); ok {
			out = append(out, adapters.MemberChange{Field: name, Add: list})
		}
	}
	return out
}

// Update implements adapters.Adapter.
func (s *standIn) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	old, _ := s.Get(ctx, key, adapters.AllFields)
	out, err := s.Adapter.Update(ctx, key, d, want)
	if err == nil && s.own != nil {
		r := sql.Rehearsal{Key: key, Old: old, Record: old.Clone(), Members: d.Members}
		for _, c := range d.Set {
			r.Record.Set(c.Field, c.New)
			if s.own.Members[c.Field] == nil {
				r.Changes = append(r.Changes, c)
			}
		}
		s.rehearse(ctx, "update", r)
	}
	return out, err
}

// Delete implements adapters.Adapter.
func (s *standIn) Delete(ctx context.Context, key adapters.Key) error {
	old, _ := s.Get(ctx, key, adapters.AllFields)
	err := s.Adapter.Delete(ctx, key)
	if err == nil {
		s.rehearse(ctx, "delete", sql.Rehearsal{Key: key, Old: old, Record: old})
	}
	return err
}

// rehearse tells the statements that a database would be sent.
func (s *standIn) rehearse(ctx context.Context, op string, r sql.Rehearsal) {
	if s.own == nil {
		return
	}
	r.Parts = len(s.mapping.Key())
	r.Told = func(statement string, values map[string]any) {
		body, _ := json.Marshal(values)
		s.told.After(ctx, &adapters.Exchange{Request: statement, Body: string(body)})
	}
	s.own.Rehearse(ctx, op, r)
}
