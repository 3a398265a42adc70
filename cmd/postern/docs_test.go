package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The documentation is tested: what it shows is what happens.
//
//	```console   commands after "$ ", and below each what it prints
//	```sh        commands that must succeed
//	```yaml      whole top-level keys of a configuration, or attributes of a User,
//	             to put into the quickstart's
//
// A comment in the line before may say <!-- same as FILE --> or <!-- not run: WHY -->.
// The quickstart runs beside each page; 127.0.0.1:8080 and 8081 stand for it.

// pages are all that is written by hand.
func pages(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md", "CONTRIBUTING.md"}
	for _, pattern := range []string{"docs/*.md", "docs/adapters/*.md", "docs/decisions/*.md", "examples/*/README.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if !strings.HasSuffix(f, "configuration.md") { // generated, and tested in config
				out = append(out, strings.TrimPrefix(f, "../../"))
			}
		}
	}
	return out
}

func TestDocs(t *testing.T) {
	bin := command(t)
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			text := read(t, "../../"+page)
			blocks := fences(text)
			d := &sandbox{t: t, dir: t.TempDir(), command: filepath.Join(bin, "postern")}
			d.prepare()
			for i, b := range blocks {
				blocks[i].lines = d.try(b)
			}
			if *update {
				write(t, "../../"+page, replaced(text, blocks))
			}
		})
	}
}

// TestLinks: links to files of the repository have a target.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, "../../"+page), -1) {
			if _, err := os.Stat(filepath.Join("../..", filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
			}
		}
	}
}

// A fence is a block of a page.
type fence struct {
	language, comment string
	from              int // the line of its first line
	lines, was        []string
}

func fences(text string) []fence {
	var out []fence
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		language, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		f := fence{language: language, from: i + 1}
		if i > 0 && strings.HasPrefix(lines[i-1], "<!-- ") {
			f.comment = strings.TrimSuffix(strings.TrimPrefix(lines[i-1], "<!-- "), " -->")
		}
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			f.lines = append(f.lines, lines[i])
		}
		f.was = slices.Clone(f.lines)
		out = append(out, f)
	}
	return out
}

// replaced puts what the blocks hold now in place of what they held.
func replaced(text string, blocks []fence) string {
	lines := strings.Split(text, "\n")
	for _, b := range slices.Backward(blocks) {
		lines = slices.Replace(lines, b.from, b.from+len(b.was), b.lines...)
	}
	return strings.Join(lines, "\n")
}

// A sandbox is where the blocks of one page are tried, one after the other.
type sandbox struct {
	t            *testing.T
	dir, command string
	scim, admin  string // the quickstart's addresses; "" until it runs
	hello        string // what it said
}

// prepare makes what a clone has that was built.
func (d *sandbox) prepare() {
	if err := os.CopyFS(filepath.Join(d.dir, "examples"), os.DirFS("../../examples")); err != nil {
		d.t.Fatal(err)
	}
	for _, state := range []string{"state", "README.md"} {
		if err := os.RemoveAll(filepath.Join(d.dir, "examples/quickstart", state)); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(d.dir, "bin"), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Link(d.command, filepath.Join(d.dir, "bin/postern")); err != nil {
		d.t.Fatal(err)
	}
}

// try answers what a block should hold.
func (d *sandbox) try(f fence) []string {
	file, same := strings.CutPrefix(f.comment, "same as ")
	switch {
	case strings.HasPrefix(f.comment, "not run: "):
	case same:
		return d.compare(f, strings.Split(strings.TrimSuffix(read(d.t, "../../"+file), "\n"), "\n"))
	case f.language == "yaml":
		d.configuration(f)
	case f.language == "sh":
		for _, c := range commandsOf(f.lines) {
			if c.line != "make run" {
				d.run(c.line)
			}
		}
	case f.language == "console":
		return d.session(f)
	}
	return f.lines
}

func (d *sandbox) compare(f fence, want []string) []string {
	if !*update && !slices.Equal(f.lines, want) {
		d.t.Errorf("the block in line %d is not what it should be; go test -update rewrites it:\n%s", f.from, strings.Join(want, "\n"))
	}
	return want
}

// configuration checks a configuration, or a part of one.
func (d *sandbox) configuration(f fence) {
	text := strings.Join(f.lines, "\n") + "\n"
	for _, m := range regexp.MustCompile(`\$\{env:([A-Z_]+)\}`).FindAllStringSubmatch(text, -1) {
		d.t.Setenv(m[1], "pst_c3VjaCBhIGxvbmcgYW5kIHJhbmRvbSB0b2tlbiE"+m[1])
	}
	dir := d.t.TempDir()
	for _, name := range []string{"server.pem", "server.key", "legacy.sql"} {
		write(d.t, filepath.Join(dir, name), "")
	}
	parts := sections(read(d.t, "../../examples/quickstart/postern.yaml"))
	for key, part := range sections(asConfiguration(text)) {
		parts[key] = part
	}
	whole := ""
	for _, p := range parts {
		whole += p
	}
	write(d.t, filepath.Join(dir, "postern.yaml"), whole)
	if _, _, err := load(filepath.Join(dir, "postern.yaml")); err != nil {
		d.t.Errorf("the configuration in line %d:\n%v", f.from, err)
	}
}

// asConfiguration puts attributes of a User where they belong.
func asConfiguration(text string) string {
	first, _, _ := strings.Cut(text, ":")
	switch first {
	case "gateway", "identities", "clients", "backends", "schemas", "resources", "admins", "housekeeping", "tests":
		return text
	case "attributes":
		_, text, _ = strings.Cut(text, "\n")
	}
	if !strings.Contains(text, "userName:") {
		text = "userName: login\n" + text
	}
	out := "resources:\n  Group:\n    target: {backend: staff, table: role, key: role_id}\n    attributes: {displayName: title}\n" +
		"  User:\n    extensions: [EnterpriseUser]\n    target: {backend: staff, table: employee, key: emp_no}\n    attributes:\n"
	for line := range strings.Lines(text) {
		out += "      " + strings.TrimLeft(line, " ")
	}
	return out
}

// sections divides a configuration by its top-level keys.
func sections(yaml string) map[string]string {
	out := map[string]string{}
	key := ""
	for line := range strings.Lines(yaml) {
		if line[0] >= 'a' && line[0] <= 'z' {
			key, _, _ = strings.Cut(line, ":")
		}
		if key != "" {
			out[key] += line
		}
	}
	return out
}

// A shellCommand is one of a block, with what the block says it prints.
type shellCommand struct {
	line  string
	lines []string // as it is written
	print []string
}

// commandsOf reads the commands of a block. They go on after a backslash.
func commandsOf(lines []string) []shellCommand {
	var out []shellCommand
	console := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "$ ") })
	more := false
	for _, l := range lines {
		switch text, begins := strings.CutPrefix(l, "$ "); {
		case more:
			last := &out[len(out)-1]
			last.line, last.lines = last.line+"\n"+l, append(last.lines, l)
			more = strings.HasSuffix(l, `\`)
		case begins || !console && strings.TrimSpace(l) != "" && l[0] != '#':
			out = append(out, shellCommand{line: text, lines: []string{l}})
			more = strings.HasSuffix(l, `\`)
		case console && len(out) > 0:
			out[len(out)-1].print = append(out[len(out)-1].print, l)
		}
	}
	return out
}

// session runs commands and compares what they print.
func (d *sandbox) session(f fence) []string {
	var all []string
	for _, c := range commandsOf(f.lines) {
		var got []string
		if c.line == "make run" {
			d.start()
			got = strings.Split(strings.Trim(d.hello, "\n"), "\n")
		} else {
			got = d.run(c.line)
		}
		all = append(all, c.lines...)
		if masked(got) != masked(c.print) {
			if !*update {
				d.t.Errorf("%s\nprints\n%s", c.line, strings.Join(got, "\n"))
			}
			c.print = got
		}
		all = append(all, c.print...)
	}
	return all
}

// run runs a command in a shell and answers what it printed, JSON for readers.
func (d *sandbox) run(line string) []string {
	if strings.Contains(line, "127.0.0.1:808") {
		d.start()
		line = strings.NewReplacer("127.0.0.1:8080", d.scim, "127.0.0.1:8081", d.admin).Replace(line)
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(d.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Errorf("%s: %v\n%s", line, err, out)
	}
	text := string(out)
	if d.scim != "" {
		text = strings.NewReplacer(d.scim, "127.0.0.1:8080", d.admin, "127.0.0.1:8081").Replace(text)
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(strings.TrimSpace(text)), "", "  ") == nil {
		text = pretty.String()
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// start runs the quickstart as make run does, on ports of the system's choice.
func (d *sandbox) start() {
	if d.scim != "" {
		return
	}
	cmd := exec.Command("sh", "examples/quickstart/run.sh", "bin/postern", "127.0.0.1:0")
	cmd.Dir = d.dir
	var said, log transcript
	cmd.Stdout, cmd.Stderr = &said, &log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("the quickstart ended with %v", err)
		}
	})
	d.await(&said, &log)
}

// await waits until the quickstart has said everything.
func (d *sandbox) await(said, log *transcript) {
	address := regexp.MustCompile(`door=(?:scim|admin) address=(\S+)`)
	for range 300 {
		at := address.FindAllStringSubmatch(log.take(), -1)
		if hello := said.take(); strings.HasSuffix(hello, "\n\n") && len(at) == 2 {
			d.scim, d.admin = at[0][1], at[1][1]
			d.hello = strings.ReplaceAll(hello, d.scim, "127.0.0.1:8080")
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	d.t.Fatalf("the quickstart does not start:\n%s%s", said.take(), log.take())
}

var differing = regexp.MustCompile(`\b[0-9a-v]{26}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z|pst_[A-Za-z0-9_-]{43}|[0-9a-f]{64}|\bgo1[0-9.]+|` +
	`request=[0-9a-f]+|took=\S+|time=\S+|new\.person\.\d+`)

// masked is what is printed without what differs from one run to the next.
func masked(lines []string) string {
	return differing.ReplaceAllString(strings.TrimSpace(strings.Join(lines, "\n")), "…")
}
