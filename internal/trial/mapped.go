package trial

import (
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/rules"
)

// A Field is one field of an operation, with the rule that reads or makes it.
type Field struct {
	Name      string       `json:"field"`
	Old       *trace.Value `json:"old,omitempty"`
	Value     trace.Value  `json:"value"`
	Attribute string       `json:"attribute,omitempty"` // the path of the rule
	Line      int          `json:"line,omitempty"`      // where the rule stands; 0: constants, the key, the scope
}

// Mapped says which rules an operation's fields belong to: those of what is
// written, or else of the first record that was read.
func Mapped(m *rules.Mapping, s *trace.Step) []Field {
	switch {
	case s.Create != nil:
		return fieldsOf(m, s.Create, func(r *rules.Rule) []string { return []string{r.Field()} })
	case len(s.Changes)+len(s.Members) > 0:
		return changesOf(m, s)
	case len(s.Records) > 0:
		return fieldsOf(m, s.Records[0].Fields, (*rules.Rule).Reads)
	}
	return nil
}

// fieldsOf orders a record's fields as the configuration does. A field that two
// rules read comes twice.
func fieldsOf(m *rules.Mapping, held map[string]trace.Value, of func(*rules.Rule) []string) []Field {
	var out []Field
	told := map[string]bool{}
	for _, r := range m.Rules() {
		for _, name := range of(r) {
			if v, ok := held[name]; ok {
				told[name] = true
				out = append(out, Field{Name: FieldName(m, name), Value: v, Attribute: r.Path, Line: r.Line})
			}
		}
	}
	for _, name := range m.Shape().Names() {
		if v, ok := held[name]; ok && !told[name] {
			f := Field{Name: FieldName(m, name), Value: v}
			if slices.Contains(m.ScopeFields(), name) {
				f.Attribute = "(scope)"
			}
			out = append(out, f)
		}
	}
	return out
}

func changesOf(m *rules.Mapping, s *trace.Step) []Field {
	var out []Field
	for _, c := range s.Changes {
		f := Field{Name: FieldName(m, c.Field), Old: &c.Old, Value: c.New}
		f.Attribute, f.Line = ruleOf(m, c.Field)
		out = append(out, f)
	}
	for _, c := range s.Members {
		var all []string
		for _, k := range c.Add {
			all = append(all, "+"+k)
		}
		for _, k := range c.Remove {
			all = append(all, "-"+k)
		}
		f := Field{Name: FieldName(m, c.Field), Value: trace.Value{V: all}}
		f.Attribute, f.Line = ruleOf(m, c.Field)
		out = append(out, f)
	}
	return out
}

func ruleOf(m *rules.Mapping, field string) (string, int) {
	i := slices.IndexFunc(m.Rules(), func(r *rules.Rule) bool { return r.Field() == field })
	if i < 0 {
		return "", 0
	}
	return m.Rules()[i].Path, m.Rules()[i].Line
}

// FieldName is a field as the configuration names it: of the record's key its
// columns, and of a relation the column with the members.
func FieldName(m *rules.Mapping, field string) string {
	if field == adapters.KeyField {
		return strings.Join(m.Key(), "+")
	}
	for _, r := range m.Relations {
		if r.Field == field {
			return r.Table + "." + r.Member
		}
	}
	for _, rows := range m.Rows {
		if rows.Field == field {
			return rows.Rows.Table.Value
		}
	}
	return field
}
