package memory_test

import (
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/memory"
)

// fields are those of adaptertest.StandardFields.
func fields(rel *memory.Relation) []memory.Field {
	return []memory.Field{
		{Name: "name", Unique: true},
		{Name: "nick"},
		{Name: "note", Costly: true},
		{Name: "age"},
		{Name: "active"},
		{Name: "born"},
		{Name: "members", Relation: rel},
		{Name: "emails", Parts: []string{"value", "kind", "rank"}, Costly: true},
	}
}

func harness(change func(o *memory.Options)) adaptertest.Harness {
	h := adaptertest.Harness{
		New: func(testing.TB) adapters.Adapter {
			o := memory.Options{Fields: fields(memory.NewRelation())}
			change(&o)
			return memory.New(o)
		},
		Fields:  adaptertest.StandardFields,
		OddKeys: true,
		Brief:   true,
	}
	h.Fields.Born, h.Fields.Emails = "born", "emails"
	return h
}

func TestSuite(t *testing.T) {
	t.Run("generated keys", func(t *testing.T) {
		var rel *memory.Relation
		h := harness(func(o *memory.Options) { rel = o.Fields[6].Relation })
		h.MembersRead = func(adapters.Adapter) int { return rel.Read() }
		h.Brief = false
		adaptertest.Run(t, h)
	})
	t.Run("given keys", func(t *testing.T) {
		adaptertest.Run(t, harness(func(o *memory.Options) { o.GivenKeys = true }))
	})
	t.Run("key from name", func(t *testing.T) {
		h := harness(func(o *memory.Options) { o.KeyFrom = "name"; o.Fields[0].Folded = true })
		h.KeyFrom = "name"
		h.FoldedUnique = true
		adaptertest.Run(t, h)
	})
	t.Run("lists in the record", func(t *testing.T) {
		adaptertest.Run(t, harness(func(o *memory.Options) { o.Fields[6] = memory.Field{Name: "members", Multi: true} }))
	})
	t.Run("folded unique", func(t *testing.T) {
		h := harness(func(o *memory.Options) { o.Fields[0].Folded = true })
		h.FoldedUnique = true
		adaptertest.Run(t, h)
	})
}

// TestSuiteRestricted runs the suite with capabilities taken away.
func TestSuiteRestricted(t *testing.T) {
	for name, restrict := range map[string][]func(*adapters.Capabilities){
		"no filters":  {memory.NoFilters},
		"only eq":     {memory.OnlyEq},
		"no sort":     {memory.NoSort},
		"no total":    {memory.NoTotal},
		"cursor only": {memory.CursorOnly},
		"no delta":    {memory.NoDelta},
		"almost none": {memory.NoFilters, memory.NoSort, memory.NoTotal, memory.CursorOnly, memory.NoDelta},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, harness(func(o *memory.Options) { o.Restrict = restrict }))
		})
	}
}
