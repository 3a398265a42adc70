package file_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/file"
	"github.com/postern/postern/adapters/guard"
)

// A fixture is a folder of files and what is said about it.
type fixture struct {
	config file.Config
	target file.Target
	fields []string
	files  map[string]string
}

// open makes an adapter of a folder of its own, and tells the folder.
func (f fixture) open(t testing.TB) (*file.Adapter, string) {
	t.Helper()
	dir := folder(t)
	for name, text := range f.files {
		put(t, dir, name, text)
	}
	return f.openIn(t, dir), dir
}

// folder is a new folder, in memory where that can be: the suite writes thousands of
// files, each to the disk.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "postern-file-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (f fixture) openIn(t testing.TB, dir string) *file.Adapter {
	t.Helper()
	f.config.Folder = dir
	b, err := file.Open(f.config)
	if err != nil {
		t.Fatal(err)
	}
	fields := f.fields
	if fields == nil {
		fields = []string{"name", "nick", "note", "active", "members"}
	}
	a, err := b.New(f.target, adapters.NewShape(fields...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func held(t testing.TB, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var unique = []file.Unique{{Field: "name"}}

// inCell is a CSV file whose members stand in a cell.
func inCell() fixture {
	return fixture{
		target: file.Target{Type: "Thing", File: "things.csv", Key: []string{"id"}, Keys: file.KeysNumber, Unique: unique,
			Lists: []file.List{{Field: "members", Separator: "|"}}},
		files: map[string]string{"things.csv": "id,name,nick,note,active,members,more\r\n"},
	}
}

// inPairs is a CSV file whose members stand in another one.
func inPairs() fixture {
	return fixture{
		config: file.Config{Delimiter: ";", Quote: "'"},
		target: file.Target{Type: "Thing", File: "things.csv", Key: []string{"id"}, Keys: file.KeysUUID, Unique: unique,
			Links: []file.Link{{Field: "members", File: "pairs.csv", Owner: "thing", Member: "member"}}},
		files: map[string]string{"things.csv": "\ufeffid;name;nick;note;active\n", "pairs.csv": "since;member;thing\n"},
	}
}

// objects are JSON lines whose members are a list.
func objects() fixture {
	return fixture{
		fields: []string{"name", "nick", "note", "age", "active", "members"},
		target: file.Target{Type: "Thing", File: "things.jsonl", Key: []string{"id"}, Keys: file.KeysNumber, Unique: unique,
			Lists: []file.List{{Field: "members"}}},
		files: map[string]string{"things.jsonl": ""},
	}
}

// objectsInPairs are JSON lines whose members stand in another file; keys are given.
func objectsInPairs() fixture {
	f := objects()
	f.target.Keys, f.target.Lists = file.KeysGiven, nil
	f.target.Links = []file.Link{{Field: "members", File: "pairs.jsonl", Owner: "thing", Member: "member"}}
	f.files["pairs.jsonl"] = ""
	return f
}

// renamed are records whose key is their name.
func renamed() fixture {
	f := inPairs()
	f.target.Keys, f.target.Key = file.KeysGiven, []string{"name"}
	return f
}

func TestSuite(t *testing.T) {
	standard, texts := adaptertest.StandardFields, adaptertest.StandardFields
	texts.Age = ""
	folded := inCell()
	folded.target.Unique = []file.Unique{{Field: "name", Folded: true}}
	for name, c := range map[string]struct {
		fixture
		h adaptertest.Harness
	}{
		"CSV, members in a cell":       {inCell(), adaptertest.Harness{Fields: texts}},
		"CSV, members in pairs":        {inPairs(), adaptertest.Harness{Fields: texts, Brief: true}},
		"CSV, folded":                  {folded, adaptertest.Harness{Fields: texts, Brief: true, FoldedUnique: true}},
		"CSV, key from name":           {renamed(), adaptertest.Harness{Fields: texts, Brief: true, KeyFrom: "name"}},
		"JSON lines":                   {objects(), adaptertest.Harness{Fields: standard}},
		"JSON lines, members in pairs": {objectsInPairs(), adaptertest.Harness{Fields: standard, Brief: true, OddKeys: true}},
	} {
		h := c.h
		t.Run(name, func(t *testing.T) {
			h.New = func(t testing.TB) adapters.Adapter { a, _ := c.open(t); return a }
			adaptertest.Run(t, h)
		})
		t.Run(name+", guarded", func(t *testing.T) {
			h.Brief = true
			h.New = func(t testing.TB) adapters.Adapter {
				a, _ := c.open(t)
				return guard.Wrap(a, "files", guard.Options{Cache: time.Hour})
			}
			adaptertest.Run(t, h)
		})
	}
}
