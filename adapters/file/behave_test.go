package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/file"
	"github.com/postern/postern/scim/filter"
)

// people is a file with much that nobody would write today.
const people = "\ufeffid,login ,\"last, first\",\"roles\",note\r\n" +
	"7,ada,\"Lovelace, Ada\",\"a|b\",\"\"\r\n" +
	"\r\n" +
	"8,grace,\"Hopper,\n\"\"Amazing\"\" Grace\",,=1+1\n" +
	"9,\"edsger\",x,c,-2"

func peopleFixture() fixture {
	return fixture{
		fields: []string{"login", "note", "roles"},
		target: file.Target{Type: "User", File: "people.csv", Key: []string{"id"}, Keys: file.KeysNumber,
			Unique: []file.Unique{{Field: "login", Folded: true}}, Lists: []file.List{{Field: "roles", Separator: "|"}}},
		files: map[string]string{"people.csv": people},
	}
}

func change(t testing.TB, a adapters.Adapter, key adapters.Key, field string, to any) error {
	t.Helper()
	r, err := a.Get(t.Context(), key, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Update(t.Context(), key, adapters.Delta{Set: []adapters.Change{{Field: field, Old: r.Get(field), New: to}}}, adapters.AllFields)
	return err
}

// TestUntouched: what a change does not speak of stays byte for byte.
func TestUntouched(t *testing.T) {
	a, dir := peopleFixture().open(t)
	try := func(what string, err error, want string) {
		t.Helper()
		if got := held(t, dir, "people.csv"); err != nil || got != want {
			t.Errorf("%s: %v\n%q, want\n%q", what, err, got, want)
		}
	}
	try("one cell", change(t, a, "7", "login", "ada2"), strings.Replace(people, "7,ada,", "7,ada2,", 1))
	try("back", change(t, a, "7", "login", "ada"), people)
	try("a quoted one", change(t, a, "9", "login", "e"), strings.Replace(people, `"edsger"`, `"e"`, 1))
	try("back", change(t, a, "9", "login", "edsger"), people)
	try("a delimiter", change(t, a, "8", "login", `g,"`), strings.Replace(people, "8,grace,", `8,"g,""",`, 1))
	try("back", change(t, a, "8", "login", "grace"), people[:strings.Index(people, "grace")]+`"grace"`+people[strings.Index(people, "grace")+5:])
	a, dir = peopleFixture().open(t)
	member := adapters.Delta{Members: []adapters.MemberChange{{Field: "roles", Add: []string{"c"}, Remove: []string{"a"}}}}
	_, err := a.Update(t.Context(), "7", member, adapters.AllFields)
	try("members", err, strings.Replace(people, `"a|b"`, `"b|c"`, 1))
	r, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"login": "new", "note": "=cmd"}), adapters.AllFields)
	try("create", err, strings.Replace(people, `"a|b"`, `"b|c"`, 1)+"\r\n10,\"new\",,,=cmd")
	try("delete", a.Delete(t.Context(), r.Key), strings.Replace(people, `"a|b"`, `"b|c"`, 1)+"\r\n")
}

// TestAfterAppended: what was the last line of a file that does not end with a line end
// is another one once a record stands behind it, and is changed and deleted as such.
func TestAfterAppended(t *testing.T) {
	for name, text := range map[string]string{"people.csv": "id,login\n8,grace\n9,edsger", "people.jsonl": "{\"id\":8,\"login\":\"grace\"}\n{\"id\":9,\"login\":\"edsger\"}"} {
		f := fixture{fields: []string{"login"}, files: map[string]string{name: text}, target: file.Target{Type: "User", File: name, Key: []string{"id"}, Keys: file.KeysNumber}}
		a, dir := f.open(t)
		fresh := func() string {
			t.Helper()
			all := ""
			again := fixture{fields: f.fields, target: f.target, files: map[string]string{name: held(t, dir, name)}}
			b, _ := again.open(t)
			for _, x := range []adapters.Adapter{a, b} {
				page, err := x.List(t.Context(), adapters.Query{Limit: 100, Want: adapters.AllFields})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					all += " " + string(r.Key) + ":" + adapters.Text(r.Get("login"))
				}
				all += ";"
			}
			return all
		}
		if _, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"login": "new"}), adapters.AllFields); err != nil {
			t.Fatal(err)
		}
		if err := change(t, a, "9", "login", "e"); err != nil {
			t.Fatal(err)
		}
		if got, want := fresh(), " 8:grace 9:e 10:new; 8:grace 9:e 10:new;"; got != want {
			t.Errorf("%s after a change: %s, want %s", name, got, want)
		}
		if err := a.Delete(t.Context(), "9"); err != nil {
			t.Fatal(err)
		}
		if got, want := fresh(), " 8:grace 10:new; 8:grace 10:new;"; got != want {
			t.Errorf("%s after a deletion: %s, want %s", name, got, want)
		}
	}
}

// TestNoNumberLeft: behind the highest number there is none, and not the lowest.
func TestNoNumberLeft(t *testing.T) {
	f := fixture{fields: []string{"login"}, files: map[string]string{"p.csv": "id,login\n9223372036854775807,max\n"}, target: file.Target{File: "p.csv", Key: []string{"id"}, Keys: file.KeysNumber}}
	a, dir := f.open(t)
	_, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"login": "x"}), adapters.AllFields)
	if got := held(t, dir, "p.csv"); !adapters.Is(err, adapters.Internal) || got != f.files["p.csv"] {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestUntouchedLines is the same for JSON lines.
func TestUntouchedLines(t *testing.T) {
	const was = "{ \"id\" : 7, \"login\":\"ada\", \"more\":{\"x\":[1,{}]} ,\"roles\":[1,2]}\r\n" +
		"{\"login\":\"gr\\u0061ce\",\"id\":8,\"age\":1.50}\n"
	f := fixture{fields: []string{"login", "age", "roles", "on"}, files: map[string]string{"p.jsonl": was},
		target: file.Target{File: "p.jsonl", Key: []string{"id"}, Keys: file.KeysNumber, Lists: []file.List{{Field: "roles"}}}}
	a, dir := f.open(t)
	for _, c := range []struct {
		what, key, field string
		to               any
		old, now         string
	}{
		{"text", "7", "login", "ada\n<2>", `"ada"`, `"ada\n<2>"`},
		{"numbers", "7", "roles", []string{"2", "30"}, "[1,2]", "[2,30]"},
		{"no numbers", "7", "roles", []string{"x"}, "[1,2]", `["x"]`},
		{"none", "7", "roles", nil, "[1,2]", "[]"},
		{"no value", "8", "age", nil, "1.50", "null"},
		{"a number as text", "8", "age", "2.50", "1.50", "2.50"},
		{"a new member", "8", "on", true, `1.50}`, `1.50,"on":true}`},
	} {
		put(t, dir, "p.jsonl", was)
		if err := change(t, a, adapters.Key(c.key), c.field, c.to); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if got, want := held(t, dir, "p.jsonl"), strings.Replace(was, c.old, c.now, 1); got != want {
			t.Errorf("%s: %q, want %q", c.what, got, want)
		}
	}
	put(t, dir, "p.jsonl", was)
	made, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"login": "x", "roles": []string{"3"}}), adapters.AllFields)
	if got, want := held(t, dir, "p.jsonl"), was+`{"login":"x","id":9,"roles":[3]}`+"\r\n"; err != nil || got != want || made.Key != "9" {
		t.Errorf("create: %v\n%q, want\n%q", err, got, want)
	}
}

// TestUnreadable: a line that cannot be read is told with its place, and nothing is
// listed, written or said not to be there until it can.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"ragged", "id,login,note,roles\n7,ada,,\n8,grace,\n", "people.csv:3: the line has 3 cells, and there are 4 columns"},
		{"quote within", "id,login,note,roles\n7,ada,,\n8,gr\"ace,,\n9,x,,\n", "people.csv:3: there is a quote within a cell"},
		{"behind a quote", "id,login,note,roles\n7,ada,,\n8,\"gr\"ace,,\n", "people.csv:3: there is something between"},
		{"open quote", "id,login,note,roles\n7,ada,,\n8,\"grace,,\n", "people.csv:3: a quoted cell does not end"},
		{"doubled key", "id,login,note,roles\n7,ada,,\n8,grace,,\n\n8,x,,\n", "people.csv:5: the key is that of line 3"},
		{"no key", "id,login,note,roles\n7,ada,,\n,grace,,\n", "people.csv:3: the record has no key"},
		{"a carriage return", "id,login,note,roles\n7,ada,,\n8,gr\race,,\n", "people.csv:3: there is a carriage return"},
		{"not UTF-8", "id,login,note,roles\n7,ada,,\n8,gr\xfface,,\n", "people.csv:3: the line is not in the encoding"},
		{"a quote over lines", "id,login,note,roles\n7,ada,\"\n\n\",\n8,x\n", "people.csv:5: the line has 2 cells"},
	} {
		a, dir := peopleFixture().open(t)
		put(t, dir, "people.csv", c.text)
		_, list := a.List(t.Context(), adapters.Query{Limit: 10})
		_, missing := a.Get(t.Context(), "99", adapters.AllFields)
		_, doubled := a.Get(t.Context(), "8", adapters.AllFields)
		_, create := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"login": "new"}), adapters.AllFields)
		for what, err := range map[string]error{"list": list, "get of nobody": missing, "get of the line": doubled, "create": create,
			"delete": a.Delete(t.Context(), "7"), "probe": a.Probe(t.Context())} {
			if !adapters.Is(err, adapters.Unavailable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want %s", c.name, what, err, c.want)
			}
		}
		if r, err := a.Get(t.Context(), "7", adapters.AllFields); err != nil || r.Get("login") != "ada" {
			t.Errorf("%s: a line that can be read: %v, %v", c.name, r, err)
		}
		if got := held(t, dir, "people.csv"); got != c.text {
			t.Errorf("%s: the file was rewritten: %q", c.name, got)
		}
		problems, err := a.Inspect(t.Context())
		if err != nil || len(problems) == 0 || !strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%s: inspect: %v, %v", c.name, problems, err)
		}
	}
}

// TestUnreadableLines is the same for JSON lines.
func TestUnreadableLines(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\"id\":1}\n{\"id\":2\n", "things.jsonl:2: the line is no JSON object"},
		{"{\"id\":1}\n\n[]\n", "things.jsonl:3: the line is no JSON object"},
		{"{\"id\":1}\n{\"id\":2,\"n\":1,\"id\":3}\n", "things.jsonl:2: a member of the object stands there twice"},
		{"{\"id\":1}\n{\"id\":2,\"name\":{}}\n", "things.jsonl:2: a member that is mapped holds an object"},
		{"{\"id\":1}\n{\"id\":2,\"members\":[{}]}\n", "things.jsonl:2: a list holds something else"},
		{"{\"id\":1}\n{\"id\":\"1\"}\n", "things.jsonl:2: the key is that of line 1"},
	} {
		f := objects()
		f.files["things.jsonl"] = c.text
		a, _ := f.open(t)
		if _, err := a.List(t.Context(), adapters.Query{Limit: 10}); !adapters.Is(err, adapters.Unavailable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

// TestEmptyIsNotNothing: a file that is not there, or whose first line is not, is no
// list of nobody (danger 1).
func TestEmptyIsNotNothing(t *testing.T) {
	a, dir := peopleFixture().open(t)
	put(t, dir, "people.csv", "")
	_, empty := a.List(t.Context(), adapters.Query{Limit: 10})
	if err := os.Remove(filepath.Join(dir, "people.csv")); err != nil {
		t.Fatal(err)
	}
	_, gone := a.List(t.Context(), adapters.Query{Limit: 10})
	_, get := a.Get(t.Context(), "7", adapters.AllFields)
	for what, err := range map[string]error{"empty": empty, "gone": gone, "get": get} {
		if !adapters.Is(err, adapters.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestOthersWrite: what others write is seen at once, however they do it, and never
// overwritten.
func TestOthersWrite(t *testing.T) {
	a, dir := peopleFixture().open(t)
	path := filepath.Join(dir, "people.csv")
	for i, login := range []string{"bob", "eve", "joe", "sam"} { // of one length, and in one moment
		text := "id,login,note,roles\n7," + login + ",,\n"
		if i%2 == 0 {
			put(t, dir, "people.csv", text)
		} else {
			put(t, dir, "other", text)
			if err := os.Rename(filepath.Join(dir, "other"), path); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := a.Get(t.Context(), "7", adapters.AllFields); err != nil || r.Get("login") != login {
			t.Errorf("%s: %v, %v", login, r.Values(), err)
		}
		if err := change(t, a, "7", "note", login); err != nil || held(t, dir, "people.csv") != "id,login,note,roles\n7,"+login+","+login+",\n" {
			t.Errorf("%s: %v, %q", login, err, held(t, dir, "people.csv"))
		}
	}
}

// TestLock: a change waits for whoever else has the lock, and a caller that gives up
// has changed nothing.
func TestLock(t *testing.T) {
	a, dir := peopleFixture().open(t)
	path := filepath.Join(dir, "people.csv")
	other, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- a.Delete(t.Context(), "7") }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	put(t, dir, "people.csv", "id,login,note,roles\n7,ada,,\n11,late,,\n")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || held(t, dir, "people.csv") != "id,login,note,roles\n11,late,,\n" {
		t.Errorf("%v, %q", err, held(t, dir, "people.csv"))
	}
}

// TestKept: mode and symbolic links stay; nothing is left beside the file.
func TestKept(t *testing.T) {
	f := peopleFixture()
	dir := folder(t)
	put(t, dir, "real.csv", people)
	if err := os.Chmod(filepath.Join(dir, "real.csv"), 0o604); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.csv", filepath.Join(dir, "people.csv")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, ".real.csv.postern-left")
	put(t, dir, ".real.csv.postern-left", "half")
	if err := os.Chtimes(left, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	a := f.openIn(t, dir)
	if err := change(t, a, "7", "login", "x"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "people.csv")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "real.csv")); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("the folder holds %v, %v", all, err)
	}
	if err := os.Link(filepath.Join(dir, "real.csv"), filepath.Join(dir, "second.csv")); err != nil {
		t.Fatal(err)
	}
	if err := change(t, a, "7", "login", "y"); !adapters.Is(err, adapters.Denied) {
		t.Errorf("a file with two names: %v", err)
	}
}

// TestDelimitersAndEncodings reads and writes what is not RFC 4180.
func TestDelimitersAndEncodings(t *testing.T) {
	passwd := fixture{config: file.Config{Delimiter: ":", Quote: "none"}, fields: []string{"login", "shell"}, files: map[string]string{"passwd": "root:x:0:\"ro:/bin/sh\nada:x:7:A'da:\n"},
		target: file.Target{File: "passwd", Columns: []string{"login", "pw", "uid", "name", "shell"}, Key: []string{"uid"}, Keys: file.KeysNumber}}
	a, dir := passwd.open(t)
	if err := change(t, a, "7", "shell", "/bin/ash"); err != nil || held(t, dir, "passwd") != "root:x:0:\"ro:/bin/sh\nada:x:7:A'da:/bin/ash\n" {
		t.Errorf("passwd: %v, %q", err, held(t, dir, "passwd"))
	}
	if err := change(t, a, "7", "shell", "a:b"); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("a delimiter where nothing is quoted: %v", err)
	}
	latin := fixture{config: file.Config{Encoding: "windows-1252", Delimiter: "\t"}, fields: []string{"name"}, files: map[string]string{"t.csv": "id\tname\r\n1\t\x80\xe9\r\n"},
		target: file.Target{File: "t.csv", Key: []string{"id"}}}
	a, dir = latin.open(t)
	if r, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil || r.Get("name") != "€é" {
		t.Errorf("windows-1252: %v, %v", r.Values(), err)
	}
	if err := change(t, a, "1", "name", "ü€"); err != nil || held(t, dir, "t.csv") != "id\tname\r\n1\t\xfc\x80\r\n" {
		t.Errorf("windows-1252: %v, %q", err, held(t, dir, "t.csv"))
	}
	if err := change(t, a, "1", "name", "日本"); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("a character that the encoding lacks: %v", err)
	}
	for _, cfg := range []file.Config{{Delimiter: `"`}, {Delimiter: "ab"}, {Quote: "\n"}, {Encoding: "ebcdic"}, {Folder: "/no/such/folder"}} {
		if cfg.Folder == "" {
			cfg.Folder = dir
		}
		if _, err := file.Open(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}

// TestReferences: a record that goes, or gets another key, goes from the lists of
// others, or is followed there.
func TestReferences(t *testing.T) {
	dir := folder(t)
	put(t, dir, "users.csv", "login,boss\nada,\ngrace,ada\n")
	put(t, dir, "groups.csv", "id,people\n1,ada|grace\n")
	put(t, dir, "pairs.csv", "team,who\nx,ada\nx,grace\n")
	put(t, dir, "teams.csv", "id\nx\n")
	b, err := file.Open(file.Config{Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	made := func(t2 file.Target, fields ...string) *file.Adapter {
		a, err := b.New(t2, adapters.NewShape(fields...))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	users := made(file.Target{Type: "User", File: "users.csv", Key: []string{"login"}, Refers: []file.Reference{{Field: "boss", Type: "User"}},
		Links: []file.Link{{Field: "teams", File: "pairs.csv", Owner: "who", Member: "team"}}}, "login", "boss", "teams")
	made(file.Target{Type: "Group", File: "groups.csv", Key: []string{"id"}, Keys: file.KeysNumber, Lists: []file.List{{Field: "people", Separator: "|"}},
		Refers: []file.Reference{{Field: "people", Type: "User"}}}, "people")
	teams := made(file.Target{Type: "Team", File: "teams.csv", Key: []string{"id"}, Links: []file.Link{{Field: "members", File: "pairs.csv", Owner: "team", Member: "who"}},
		Refers: []file.Reference{{Field: "members", Type: "User"}}}, "id", "members")
	if err := change(t, users, "ada", "login", "ada2"); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "login,boss\nada2,\ngrace,ada2\n", "id,people\n1,ada2|grace\n", "team,who\nx,ada2\nx,grace\n")
	if err := users.Delete(t.Context(), "ada2"); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "login,boss\ngrace,ada2\n", "id,people\n1,grace\n", "team,who\nx,grace\n")
	if r, err := users.Get(t.Context(), "grace", adapters.AllFields); err != nil || !adapters.Same(r.Get("teams"), []string{"x"}) {
		t.Errorf("%v, %v", r.Values(), err)
	}
	page, err := teams.List(t.Context(), adapters.Query{Limit: 9, Filter: &filter.Compare{Name: "members", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("grace")}})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%v, %v", page, err)
	}
}

func wantFiles(t *testing.T, dir, users, groups, pairs string) {
	t.Helper()
	for name, want := range map[string]string{"users.csv": users, "groups.csv": groups, "pairs.csv": pairs} {
		if got := held(t, dir, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestMissingColumns names the column that is meant.
func TestMissingColumns(t *testing.T) {
	f := peopleFixture()
	f.files["people.csv"] = "id,Log-In,notes,roles\n"
	a, _ := f.open(t)
	problems, err := a.Inspect(t.Context())
	if err != nil || len(problems) != 2 || problems[0].Near != "Log-In" || problems[1].Near != "notes" {
		t.Errorf("%+v, %v", problems, err)
	}
	if _, err := a.List(t.Context(), adapters.Query{Limit: 1}); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("%v", err)
	}
}
