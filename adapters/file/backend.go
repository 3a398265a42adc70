package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/postern/postern/adapters"
)

// A Backend is a folder of files. Open makes it; its methods may be called from many
// goroutines.
type Backend struct {
	cfg Config
	enc encoding

	mu      sync.Mutex
	sources map[string]*source
	all     []*Adapter

	turn   chan struct{} // whoever changes files has it
	intent intent

	stop func(files int) // for tests: told how many files of a change are in place; nil: nobody
}

// Open looks at the folder. It reads no file.
func Open(cfg Config) (*Backend, error) {
	info, err := os.Stat(cfg.Folder)
	switch e := (*fs.PathError)(nil); {
	case errors.As(err, &e):
		return nil, fmt.Errorf("the folder cannot be read: %w", e.Err)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, errors.New("it is no folder")
	}
	if cfg.Delimiter == "" {
		cfg.Delimiter = ","
	}
	switch cfg.Quote {
	case "":
		cfg.Quote = `"`
	case "none":
		cfg.Quote = ""
	}
	if err := checkCharacters(cfg.Delimiter, cfg.Quote); err != nil {
		return nil, err
	}
	enc, ok := encodingOf(cfg.Encoding)
	if !ok {
		return nil, fmt.Errorf("there is no encoding %q", cfg.Encoding)
	}
	return &Backend{cfg: cfg, enc: enc, sources: map[string]*source{}, turn: make(chan struct{}, 1), intent: intentIn(cfg.Folder)}, nil
}

// FormatOf is the format of a file: the one of the configuration, or else the one
// that its name says.
func (c Config) FormatOf(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".jsonl", ".ndjson", ".json":
		if c.Format == "" {
			return FormatLines
		}
	}
	if c.Format == "" {
		return FormatCSV
	}
	return c.Format
}

// source is a file of the folder.
func (b *Backend) source(file string, columns []string, lists map[string]string) *source {
	path := filepath.Join(b.cfg.Folder, filepath.FromSlash(file))
	if filepath.IsAbs(file) {
		path = file
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the link stays, and what it leads to is replaced
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[path]
	if s == nil {
		s = &source{path: path, name: filepath.Base(file), enc: b.enc, turn: make(chan struct{}, 1)}
		b.sources[path] = s
		if b.cfg.FormatOf(file) == FormatLines {
			s.form = lines{map[string]string{}}
		} else {
			s.form = &table{comma: b.cfg.Delimiter, quote: b.cfg.Quote, columns: columns, lists: map[string]string{}}
		}
	}
	if t, ok := s.form.(*table); ok && t.columns == nil {
		t.columns = columns
	}
	for column, separator := range lists {
		s.form.list(column, separator)
	}
	return s
}

// New makes the adapter of a target. All adapters of a backend are made before the
// first is used.
func (b *Backend) New(t Target, shape *adapters.Shape) (*Adapter, error) {
	lists := map[string]string{}
	for _, l := range t.Lists {
		lists[l.Field] = l.Separator
		if l.Separator == "" && b.cfg.FormatOf(t.File) == FormatCSV {
			return nil, fmt.Errorf("%s holds several values, and nothing says what stands between them", l.Field)
		}
	}
	a := &Adapter{b: b, t: t, main: b.source(t.File, t.Columns, lists)}
	if a.t.Keys == "" {
		a.t.Keys = KeysGiven
	}
	if len(t.Key) == 0 || len(t.Key) > 1 && (a.t.Keys != KeysGiven || len(t.Links) > 0) {
		return nil, errors.New("keys that are made here, and those of pairs, are one column")
	}
	for _, name := range shape.Names() {
		if !slices.ContainsFunc(t.Links, func(l Link) bool { return l.Field == name }) {
			a.columns = append(a.columns, name)
			a.positions = append(a.positions, shape.Index(name))
		}
	}
	for _, l := range t.Links {
		a.links = append(a.links, &link{Link: l, at: shape.Index(l.Field), file: b.source(l.File, nil, nil)})
	}
	a.keyAt = len(a.columns)
	a.columns = append(a.columns, t.Key...)
	a.caps = a.capabilities(shape)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, a)
	return a, nil
}
