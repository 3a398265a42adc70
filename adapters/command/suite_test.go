package command_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/command"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

func text(s string) command.Text { return command.Text{Value: s, Line: 1} }

// run makes a step of arguments.
func run(args ...string) command.Step {
	s := command.Step{Written: steps.Written{At: text(args[0])}}
	for _, a := range args {
		s.Run = append(s.Run, text(a))
	}
	return s
}

func (o one) send(e string) one    { o.Send = text(e); return o }
func (o one) record(e string) one  { o.Record = text(e); return o }
func (o one) records(e string) one { o.Records = text(e); return o }
func (o one) format(f string) one  { o.Format = text(f); return o }

// one is a step under construction.
type one struct{ command.Step }

func step(args ...string) one   { return one{run(args...)} }
func list(s one) []command.Step { return []command.Step{s.Step} }
func fail(w, k, f string) steps.WrittenFail {
	return steps.WrittenFail{When: text(w), Kind: text(k), Field: text(f)}
}

// open makes an adapter of the program in program_test.go with a folder of its own.
func open(t testing.TB, target command.Target, change func(*command.Config)) adapters.Adapter {
	t.Helper()
	cfg := command.Config{Program: program, Environment: map[string]string{"STORE": filepath.Join(t.TempDir(), "store")}}
	if change != nil {
		change(&cfg)
	}
	b, problems, err := command.Open(cfg)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	a, problems := b.New(target)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return a
}

var fields = []string{"name", "nick", "note", "age", "active", "members"}

// plain is a program that keys are given by, and members are told in one call.
func plain() command.Target {
	return command.Target{
		Fields: fields, Multi: []string{"members"}, Key: []string{"id"},
		List:   list(step("list").records("body")),
		Get:    list(step("get").send("{id: key}").record("body")),
		Create: list(step("create").send("record").record("body")),
		Update: list(step("update").send("{id: key, set: changes}").record("body")),
		Delete: list(step("delete", "--", "{key}")),
		Finds:  []steps.WrittenFind[command.Step]{{Steps: list(step("find", "--", "{filter.value}").records("body")), Answers: []steps.WrittenAnswer{{Field: text("name"), Ops: filter.OpsOf(filter.Eq)}}}},
		Members: []steps.WrittenMembers[command.Step]{{Field: text("members"),
			Change: list(step("members", "--id={key}", "--add={add}", "--remove={remove}"))}},
		Fails: []steps.WrittenFail{fail("status == 9", "exists", "name"), fail("status == 6", "notFound", "")},
	}
}

// lines is a program that lists JSON lines, takes keys, and is told of members one by one.
func lines() command.Target {
	t := plain()
	t.Given = true
	t.List = list(step("list", "--lines").records("body").format("lines"))
	t.Create = list(step("create", "--id={key}").send("record"))
	t.Update = list(step("update").send("{id: key, set: changes}"))
	t.Members[0].Change = nil
	t.Members[0].Add = list(step("members", "--id={key}", "--add={item}"))
	t.Members[0].Remove = list(step("members", "--id={key}", "--remove={item}"))
	return t
}

// racing says that the race detector watches: each call is a process, and two shapes
// show it no more than one.
var racing bool

func TestSuite(t *testing.T) {
	for name, c := range map[string]struct {
		target  command.Target
		harness adaptertest.Harness
	}{
		"JSON, keys made by the program": {plain(), adaptertest.Harness{}},
		"lines, given keys":              {lines(), adaptertest.Harness{}},
	} {
		h := c.harness
		h.Fields, h.Brief = adaptertest.StandardFields, true
		if racing && c.target.Given {
			continue
		}
		t.Run(name, func(t *testing.T) {
			h.New = func(t testing.TB) adapters.Adapter { return open(t, c.target, nil) }
			adaptertest.Run(t, h)
		})
		if c.target.Given {
			continue // the guards know no shapes, and each call is a process
		}
		t.Run(name+", guarded", func(t *testing.T) {
			h.New = func(t testing.TB) adapters.Adapter {
				return guard.Wrap(open(t, c.target, nil), "program", guard.Options{Cache: time.Minute})
			}
			adaptertest.Run(t, h)
		})
	}
}
