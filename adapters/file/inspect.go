package file

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern/postern/adapters"
)

// Inspect compares the target with its files: every line and column that is wrong,
// and whether the files can be replaced.
func (a *Adapter) Inspect(ctx context.Context) ([]Problem, error) {
	v, err := a.settled(ctx)
	if err != nil {
		return nil, as("probe", err)
	}
	out := near(v.bad, v.c)
	out = append(out, a.main.writable()...)
	for _, l := range a.links {
		c, err := l.file.current(ctx)
		if err != nil {
			return out, as("probe", err)
		}
		for _, p := range near(l.of(c).bad, c) {
			p.Beside = true
			out = append(out, p)
		}
		out = append(out, l.file.writable()...)
	}
	return out, nil
}

// near names, for columns that are missing, those that are there under a like name.
func near(all []Problem, c *content) []Problem {
	out := make([]Problem, len(all))
	for i, p := range all {
		for _, name := range c.names {
			if p.Column != "" && like(name, p.Column) {
				p.Near = name
			}
		}
		out[i] = p
	}
	return out
}

// like reports whether two names differ by case, signs or one letter.
func like(a, b string) bool {
	plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "")
	a, b = strings.ToLower(plain.Replace(a)), strings.ToLower(plain.Replace(b))
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	}
	return a[i:] == b[i+1:]
}

// writable tries what a change needs: a file beside this one, with its owner.
func (s *source) writable() []Problem {
	f, err := os.Open(s.path)
	if err != nil {
		return []Problem{{File: s.name, Text: "it cannot be read"}}
	}
	defer f.Close()
	staged, err := s.stage(f, nil)
	if err == nil {
		drop(staged)
		return nil
	}
	text := "it cannot be replaced: no file can be made in its folder (" + filepath.Base(filepath.Dir(s.path)) + ")"
	if info, e := f.Stat(); e == nil {
		if e := s.replaceable(info); e != nil {
			text = "it cannot be replaced: " + strings.TrimPrefix(e.(*adapters.Error).Err.Error(), s.name+" ") //nolint:errorlint // made here
		} else if adapters.Is(err, adapters.Denied) {
			text = "it cannot be replaced: this user may not make files in its folder, or not give them its owner"
		}
	}
	return []Problem{{File: s.name, Text: text}}
}
