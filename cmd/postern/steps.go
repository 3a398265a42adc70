package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim/filter"
)

// This file says what is described by steps in the words of package steps, whatever
// the kind of backend.

// described reports whether targets of a type of backend run on package steps: their
// records may hold lists.
func described(kind string) bool { return kind == restKind || kind == commandKind || kind == scimKind }

// stepTarget is the target of a resource type; step says one step of the kind.
func stepTarget[S any](m *rules.Mapping, r *config.Resource, step func(*config.Step) S) steps.Target[S] {
	w := &r.Target.REST
	g := generated(m, r)
	all := func(from []config.Step) []S { return stepsOf(from, step) }
	t := steps.Target[S]{Kind: r.Name.Value, Fields: m.Shape().Names(), Refers: map[string]string{}, Key: m.Key(), Given: g == nil || !*g,
		Read: pairs(w.Read), Write: pairs(w.Write), Clear: steps.Text(w.Clear), Fails: writtenFails(w.Fails),
		Get: all(w.Get), List: all(w.List), Many: all(w.Many), Create: all(w.Create), Update: all(w.Update), Delete: all(w.Delete)}
	for _, rule := range m.Rules() {
		to, list := rule.Refers()
		if list && !slices.Contains(t.Multi, rule.Field()) {
			t.Multi = append(t.Multi, rule.Field())
		}
		if to != "" {
			t.Refers[rule.Field()] = to
		}
	}
	for _, f := range w.Finds {
		find := steps.WrittenFind[S]{Exact: f.Exact.Value, IgnoresCase: f.IgnoresCase.Value, Steps: all(f.Steps), Answers: writtenAnswers(f.Answers)}
		if len(f.Steps) == 0 {
			find.Steps = []S{step(&f.Step)}
		}
		t.Finds = append(t.Finds, find)
	}
	for _, x := range w.Members {
		t.Members = append(t.Members, steps.WrittenMembers[S]{Field: steps.Text(x.Field), Add: all(x.Add), Remove: all(x.Remove), Change: all(x.Change)})
	}
	return t
}

func stepsOf[S any](all []config.Step, step func(*config.Step) S) []S {
	var out []S
	for i := range all {
		out = append(out, step(&all[i]))
	}
	return out
}

func writtenAnswers(all []config.Answers) []steps.WrittenAnswer {
	var out []steps.WrittenAnswer
	for _, a := range all {
		var ops filter.Ops
		for _, o := range a.Ops {
			for op := filter.Eq; op <= filter.Pr; op++ {
				if op.String() == o.Value {
					ops |= filter.OpsOf(op)
				}
			}
		}
		out = append(out, steps.WrittenAnswer{Field: steps.Text(a.Field), Ops: ops})
	}
	return out
}

// writtenStep is what a step says whatever its call.
func writtenStep(s *config.Step) steps.Written {
	out := steps.Written{At: steps.Text(s.At), Name: steps.Text(s.Name), When: steps.Text(s.When), Each: steps.Text(s.Each),
		Fails: writtenFails(s.Fails), Let: pairs(s.Let), Set: pairs(s.Set),
		Record: steps.Text(s.Record), Records: steps.Text(s.Records), Key: steps.Text(s.Key), Total: steps.Text(s.Total), Next: steps.Text(s.Next),
		Truncated: steps.Text(s.Truncated), Size: s.Size.Value, Ordered: s.Ordered.Value}
	for _, l := range s.Lacks {
		out.Lacks = append(out.Lacks, steps.Text(l))
	}
	return out
}

func pairs(all []config.Pair) []steps.Pair {
	var out []steps.Pair
	for _, p := range all {
		out = append(out, steps.Pair{Name: steps.Text(p.Name), Value: steps.Text(p.Value)})
	}
	return out
}

func writtenFails(all []config.Fail) []steps.WrittenFail {
	var out []steps.WrittenFail
	for _, f := range all {
		out = append(out, steps.WrittenFail{When: steps.Text(f.When), Kind: steps.Text(f.Kind), Field: steps.Text(f.Field)})
	}
	return out
}

// sure are the problems that are no consequence of rules that are not there: those
// within an expression.
func (u *unit) sure(problems []steps.Problem) []steps.Problem {
	if !u.sketch {
		return problems
	}
	return slices.DeleteFunc(problems, func(p steps.Problem) bool { return p.Length == 0 })
}

func reportSteps(cfg *config.Config, problems []steps.Problem) {
	for _, p := range problems {
		at := config.Text(p.At)
		switch {
		case p.Length > 0:
			cfg.Report.Inside(at, p.Offset, p.Length, p.Message, p.Hint, p.Warning)
		case p.Warning:
			cfg.Report.Warnf(at, p.Hint, "%s", p.Message)
		default:
			cfg.Report.Errorf(at, p.Hint, "%s", p.Message)
		}
	}
}

// faults are the problems of a file that was changed since it was checked.
func faults(problems []steps.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.Error())
	}
	return fmt.Errorf("%s", strings.Join(all, "; "))
}
