package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/file"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// This file says the configuration of files in the words of package file.

// fileKind is the type of backend.
const fileKind = "file"

// A folder is a backend of type file.
type folder struct {
	*file.Backend
	cfg  file.Config
	made map[string]*file.Adapter // by resource type
}

// openFolder looks at the folder. No file is read.
func openFolder(_ *config.Config, b *config.Backend, t *trialRun) (opened, []steps.Problem, error) {
	w := &b.File
	cfg := file.Config{Folder: w.Path.Resolved, Format: w.Format.Value, Delimiter: w.Delimiter.Value, Quote: w.Quote.Value,
		Encoding: w.Encoding.Value, Watch: t.watcher(b.Name.Value)}
	made, err := file.Open(cfg)
	return folder{made, cfg, map[string]*file.Adapter{}}, nil, err
}

func (f folder) close() {}

func (f folder) adapter(m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem) {
	t := file.Target{Type: m.Type.Name, File: r.Target.File.File.Value, Columns: wordsOf(r.Target.File.Columns), Key: m.Key(), Keys: r.Target.File.Keys.Value}
	if given := generated(m, r) == nil; t.Keys == "" && !given {
		t.Keys = file.KeysUUID
	}
	problems := f.fields(&t, m, r)
	if t.Keys == file.KeysGiven {
		for i, k := range m.Key() {
			if m.Shape().Index(k) < 0 {
				problems = append(problems, steps.Problem{At: steps.Text(r.Target.Key[i]), Message: fmt.Sprintf("no rule makes the field %q, so new records would have no key", k),
					Hint: "map an attribute to it, or write keys: uuid"})
			}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	a, err := f.New(t, m.Shape())
	if err != nil {
		return nil, []steps.Problem{{At: steps.Text(r.Target.File.File), Message: err.Error()}}
	}
	f.made[t.Type] = a
	return a, nil
}

// fields says what the fields hold.
func (f folder) fields(t *file.Target, m *rules.Mapping, r *config.Resource) (problems []steps.Problem) {
	for _, rel := range m.Relations {
		t.Links = append(t.Links, file.Link{Field: rel.Field, File: rel.Table, Owner: rel.Owner, Member: rel.Member})
	}
	for _, rule := range m.Rules() {
		field := rule.Field()
		typ, several := rule.Refers()
		if typ != "" {
			t.Refers = append(t.Refers, file.Reference{Field: field, Type: typ})
		}
		linked := slices.ContainsFunc(t.Links, func(l file.Link) bool { return l.Field == field })
		listed := slices.ContainsFunc(t.Lists, func(l file.List) bool { return l.Field == field })
		if (several || rule.List()) && !linked && !listed {
			w := writtenRule(r, field)
			if f.cfg.FormatOf(t.File) == file.FormatCSV && !w.Split.IsSet() {
				problems = append(problems, steps.Problem{At: steps.Text(w.Name), Message: fmt.Sprintf("nothing says what stands between the values of %s", field),
					Hint: `add split: ";", or name a file of pairs in table`})
			}
			t.Lists = append(t.Lists, file.List{Field: field, Separator: w.Split.Value})
		}
		if a := rule.Attribute(); field != "" && !several && a.Uniqueness != scim.UniqueNone && a.Type == scim.TypeString {
			t.Unique = append(t.Unique, file.Unique{Field: field, Folded: !a.CaseExact})
		}
	}
	return problems
}

// writtenRule is the rule that names a field, as it is written.
func writtenRule(r *config.Resource, field string) config.Rule {
	for _, w := range r.Attributes {
		if w.Name.Value == field {
			return w
		}
	}
	return config.Rule{Name: r.Name}
}

// inspect compares a resource type with its files.
func (f folder) inspect(ctx context.Context, c *config.Config, m *rules.Mapping, r *config.Resource) (bool, error) {
	problems, err := f.made[m.Type.Name].Inspect(ctx)
	for _, p := range problems {
		at, hint := r.Target.File.File, ""
		if p.Column != "" {
			at = placeOfColumn(r, p)
		}
		if p.Near != "" {
			hint = fmt.Sprintf("did you mean %q?", p.Near)
		}
		c.Report.Errorf(at, hint, "%s", p)
	}
	return true, err
}

// placeOfColumn is where the configuration names a column.
func placeOfColumn(r *config.Resource, p file.Problem) config.Text {
	if p.Beside { // of a file of pairs
		at, _ := placeInJoin(r, p.File, p.Column)
		return at
	}
	for _, k := range r.Target.Key {
		if k.Value == p.Column {
			return k
		}
	}
	if w := writtenRule(r, p.Column); w.Name.Value == p.Column {
		return w.Name
	}
	for _, c := range r.Target.Constants {
		if c.Field.Value == p.Column {
			return c.Field
		}
	}
	return r.Target.File.File
}

// separated takes the separators of lists of keys out of rules: of what stands in a
// file, the adapter makes the lists.
func separated(all []rules.Spec) {
	for i := range all {
		if all[i].Refers.Value != "" {
			all[i].Split = rules.Text{}
		}
	}
}
