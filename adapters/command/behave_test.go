package command_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/command"
)

// listing is a target whose list is one run of the program, and whose creation is another.
func listing(args ...string) command.Target {
	return command.Target{Fields: []string{"value"}, Key: []string{"value"},
		List: list(step(args...).records("body")), Create: list(step(args...).send("record").record("{value: body}"))}
}

func all(ctx context.Context, a adapters.Adapter) ([]string, error) {
	page, err := a.List(ctx, adapters.Query{Limit: 1000, Want: adapters.AllFields})
	var out []string
	for _, r := range page.Records {
		out = append(out, adapters.Text(r.Get("value")))
	}
	return out, err
}

// TestArguments: what a value holds is one argument, and never a part of a shell.
func TestArguments(t *testing.T) {
	for _, v := range []string{"a b", "$(id)", "`id`", "a;b", "'", `"`, "*", "é", "-rf", "--help"} {
		target := command.Target{Fields: []string{"value"}, Key: []string{"id"}, Get: list(step("arguments", "--", "{key}", "--x={key}").record(`{id: key, value: string(body)}`))}
		a := open(t, target, nil)
		rec, err := a.Get(t.Context(), adapters.Key(v), adapters.AllFields)
		if got := adapters.Text(rec.Get("value")); err != nil || got != "[-- "+v+" --x="+v+"]" {
			t.Errorf("%q: %q, %v", v, got, err)
		}
	}
}

// TestEnvironment: a program sees what is configured, and none of Postern's secrets.
func TestEnvironment(t *testing.T) {
	t.Setenv("SCIM_TOKEN", "a secret of Postern")
	a := open(t, listing("environment"), func(c *command.Config) { c.Environment = map[string]string{"OWN": "1"} })
	got, err := all(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(got, "OWN=1") || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "PATH=") }) ||
		slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "SCIM_TOKEN") }) {
		t.Errorf("%q", got)
	}
}

// TestExitStatus: what a status means without a rule. The program's words stay in Err.
func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		status         string
		reading, write adapters.Kind
	}{
		{"1", adapters.Internal, adapters.Internal},
		{"65", adapters.Internal, adapters.Invalid},
		{"67", adapters.Internal, adapters.Internal},
		{"69", adapters.Unavailable, adapters.Unavailable},
		{"75", adapters.Unavailable, adapters.Unavailable},
		{"77", adapters.Denied, adapters.Denied},
	} {
		a := open(t, listing("exit", c.status), nil)
		_, reading := all(t.Context(), a)
		_, write := a.Create(t.Context(), adapters.NewRecord(a.Capabilities().Shape, ""), adapters.AllFields)
		if !adapters.Is(reading, c.reading) || !adapters.Is(write, c.write) {
			t.Errorf("status %s: %v, %v", c.status, reading, write)
		}
		var e *adapters.Error
		if errors.As(write, &e) && e.Unsure != (e.Kind == adapters.Unavailable) {
			t.Errorf("status %s: unsure %t", c.status, e.Unsure)
		}
	}
	target := listing("exit", "0")
	target.Get = list(step("exit", "67").record("body"))
	if _, err := open(t, target, nil).Get(t.Context(), "x", adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("get with status 67: %v", err)
	}
	if _, err := all(t.Context(), open(t, listing("signal"), nil)); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("killed by a signal: %v", err)
	}
}

// braces writes a text as a template without holes.
var braces = strings.NewReplacer("{", "{{", "}", "}}")

// TestOutput: what is no JSON, cut or empty breaks nothing.
func TestOutput(t *testing.T) {
	for said, want := range map[string]adapters.Kind{
		`["a"`:     adapters.Unavailable,
		"Usage: …": adapters.Unavailable,
		"":         adapters.Internal,
		"{}":       adapters.Internal,
		"\xff":     adapters.Unavailable,
	} {
		if _, err := all(t.Context(), open(t, listing("say", braces.Replace(said)), nil)); !adapters.Is(err, want) {
			t.Errorf("%q: %v", said, err)
		}
	}
	a := open(t, listing("endless"), func(c *command.Config) { c.Size = 100_000 })
	begun := time.Now()
	if _, err := all(t.Context(), a); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("endless output: %v", err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("endless output took %v", took)
	}
}

// TestFormats reads each format.
func TestFormats(t *testing.T) {
	for _, c := range []struct{ format, said, records string }{
		{"json", `["a","b"]`, "body"},
		{"lines", "{\"value\":\"a\"}\n\n{\"value\":\"b\"}\n", "body"},
		{"csv", "id,value\n1,a\n2,\"b\"\n", "body"},
		{"text", "a:1\nb:2\n", `map(split(trim(body), "\n"), split(#, ":")[0])`},
	} {
		target := listing("say", braces.Replace(c.said))
		target.List = list(one{target.List[0]}.records(c.records).format(c.format))
		if got, err := all(t.Context(), open(t, target, nil)); err != nil || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: %q, %v", c.format, got, err)
		}
	}
}

// TestTimeLimit kills the program and what it started; a write may have happened.
func TestTimeLimit(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	a := open(t, listing("child", pidFile, "wait"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if data, _ := os.ReadFile(pidFile); len(data) > 0 {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := a.Create(ctx, adapters.NewRecord(a.Capabilities().Shape, ""), adapters.AllFields)
	var e *adapters.Error
	if !errors.As(err, &e) || e.Kind != adapters.Unavailable || !e.Unsure || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	data, _ := os.ReadFile(pidFile)
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		t.Fatal(err)
	}
	for range 300 { // until init has reaped it
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("what the program started, %d, lives on", pid)
}

// zombie reports whether a process is dead and nobody has asked for it.
func zombie(pid int) bool {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(after, "Z")
}

// TestLeftOpen: a program that ends and leaves a child with its output is not waited for
// for ever, and its answer is not believed.
func TestLeftOpen(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() {
		data, _ := os.ReadFile(pidFile)
		if pid, err := strconv.Atoi(string(data)); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	if _, err := all(t.Context(), open(t, listing("child", pidFile, "leave"), nil)); !adapters.Is(err, adapters.Unavailable) {
		t.Errorf("%v", err)
	}
}

// TestProof: an answer "there is nothing" is not believed of a program that does not see
// what it should (backends.md, row 8; danger 1).
func TestProof(t *testing.T) {
	for said, want := range map[string]bool{`{{"admin":true}}`: true, `{{"admin":false}}`: false} {
		a := open(t, listing("say", "[]"), func(c *command.Config) {
			c.Probe = &command.Probe{Step: run("say", said), Expect: text("body.admin")}
		})
		if _, err := all(t.Context(), a); (err == nil) != want || err != nil && !adapters.Is(err, adapters.Denied) {
			t.Errorf("%s: %v", said, err)
		}
		if err := a.Probe(t.Context()); (err == nil) != want {
			t.Errorf("%s: probe: %v", said, err)
		}
	}
}

// TestMistakes: what is wrong in the configuration is found without a run.
func TestMistakes(t *testing.T) {
	b, _, err := command.Open(command.Config{Program: program, Secrets: map[string]string{"x": "y"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"get", "{key}"}, "taken for an option"},
		{[]string{"get", "--", "{key}"}, ""},
		{[]string{"get", "--id={key}"}, ""},
		{[]string{"get", "--x={secret.x}"}, "a secret cannot be one"},
		{[]string{"get", "--x={kee}"}, "unknown name kee"},
		{[]string{"get", "--x={key"}, "closing }"},
	} {
		target := command.Target{Fields: []string{"value"}, Key: []string{"value"}, Get: list(step(c.args...).record("body"))}
		_, problems := b.New(target)
		if (c.want == "") != (len(problems) == 0) || c.want != "" && !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%q: %v", c.args, problems)
		}
	}
	for _, p := range []string{"/no/such/program", "no-such-program", t.TempDir()} {
		if _, _, err := command.Open(command.Config{Program: p}); err == nil || strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
	}
}
