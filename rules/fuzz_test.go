package rules

import "testing"

// FuzzCompile: whatever stands in a configuration, the answer is a mapping or
// problems whose places are within what was written, and never a panic.
func FuzzCompile(f *testing.F) {
	for _, m := range mistakes {
		for _, r := range m.rules {
			f.Add(r.Path.Value, r.In.Value, r.Out.Value, "")
		}
	}
	f.Add(`emails[type eq "work"].value`, `lower(record["a b"])`, `value ?? resource.userName`, `record.kind != "é" && record.n in [1, -2]`)
	f.Add("enterprise:manager.displayName", `let x = record; x?.a`, `resource.enterprise?.manager.displayName`, `not (record.a == nil or true)`)
	f.Fuzz(func(t *testing.T, path, in, out, scope string) {
		input := userInput(userName(), rule(path, name("f"), func(s *Spec) { s.In.Value, s.Out.Value = in, out }))
		input.Scope = at(9, scope)
		m, ps := Compile(input)
		for _, p := range ps {
			if p.Message == "" || p.Offset < 0 || p.Width < 0 || p.Offset > len(p.At.Value) {
				t.Fatalf("%+v", p)
			}
		}
		if (m == nil) != Broken(ps) {
			t.Fatal(told(ps))
		}
		if m == nil {
			return
		}
		bind(m)
		rec := m.record(fields{"login": "a"})
		res, _ := m.read(rec)
		m.InScope(rec)
		if _, err := m.NewRecord(res, notNull, keyOf); err == nil {
			_, _ = m.Delta(rec, res, res, keyOf, idOf)
		}
	})
}
