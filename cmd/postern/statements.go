package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// This file says the configuration's own statements in the words of package sql.

// hasStatements reports whether a target changes records by statements of its own.
func hasStatements(r *config.Resource) bool {
	w, none := &r.Target.REST, &r.Target.SQL
	return len(w.Create)+len(w.Update)+len(w.Delete)+len(w.Members) > 0 || none.NoCreate || none.NoUpdate || none.NoDelete
}

// ownStatements compiles them; nil where there are none.
func ownStatements(m *rules.Mapping, r *config.Resource, b *config.Backend) (*sql.Own, []steps.Problem) {
	if b.Type.Value != "sql" || !hasStatements(r) {
		return nil, nil
	}
	none, newKey := r.Target.SQL, r.Target.SQL.NewKey
	t := sql.OwnTarget{Target: stepTarget(m, r, sqlStep), NoCreate: none.NoCreate, NoUpdate: none.NoUpdate, NoDelete: none.NoDelete, Lookups: lookupsOf(m.Lookups)}
	t.Made = newKey.Value.IsSet() || newKey.Sequence.IsSet() || newKey.Statement.IsSet() ||
		!slices.ContainsFunc(m.Key(), func(k string) bool { return m.Shape().Index(k) < 0 })
	for _, rel := range m.Relations {
		t.Lists = append(t.Lists, rel.Field)
	}
	for _, rows := range m.Rows {
		t.Lists = append(t.Lists, rows.Field)
	}
	t.Members = slices.DeleteFunc(t.Members, func(x steps.WrittenMembers[sql.Step]) bool { return memberField(m, x.Field.Value) == "" }) // which is reported
	for i := range t.Members {
		t.Members[i].Field.Value = memberField(m, t.Members[i].Field.Value)
	}
	dsn := b.SQL.DSN.Reveal()
	if b.SQL.DSN.Made { // nobody knows which kind of database it is
		dsn = ""
	}
	return sql.CompileOwn(dsn, t)
}

// memberField is the field of an attribute that stands in a join table, "" if it
// stands in none.
func memberField(m *rules.Mapping, path string) string {
	for _, rel := range m.Relations {
		if strings.TrimPrefix(rel.Field, "$") == path {
			return rel.Field
		}
	}
	return ""
}

func sqlStep(s *config.Step) sql.Step {
	return sql.Step{Written: writtenStep(s), Statement: steps.Text(s.Statement), With: pairs(s.With)}
}

// checkStatements compiles the statements of all targets and reports their mistakes.
func checkStatements(cfg *config.Config, units []*unit) {
	for _, u := range units {
		m, r := u.mapping, u.resource
		b := cfg.Backend(r.Target.Backend.Value)
		if b == nil {
			continue
		}
		own, problems := ownStatements(m, r, b)
		if own == nil {
			continue
		}
		reportSteps(cfg, problems)
		checkBeside(cfg, r)
		if len(problems) == 0 {
			checkWritten(cfg, m, r, own)
		}
	}
}

// checkBeside reports what derived statements do, and own ones do not.
func checkBeside(cfg *config.Config, r *config.Resource) {
	w, t := &r.Target.REST, &r.Target.SQL
	if t.Distinct.Value {
		cfg.Report.Errorf(t.Table, "delete distinct, or the statements", "there are no statements of its own for records that are made of several rows")
	}
	for _, s := range []struct {
		said   []config.Step
		stamps []config.Constant
		op     string
	}{{w.Create, t.Stamps.Create, "create"}, {w.Update, t.Stamps.Change, "update"}, {w.Delete, t.Stamps.Delete, "delete"}} {
		if len(s.said) > 0 && len(s.stamps) > 0 {
			cfg.Report.Errorf(s.stamps[0].Field, "use :client and the functions of the database in the statement", "%s says its own statements, which do not write stamps", s.op)
		}
	}
	for _, m := range w.Members {
		if !slices.ContainsFunc(r.Attributes, func(a config.Rule) bool { return a.Path.Value == m.Field.Value && a.Member.IsSet() }) {
			cfg.Report.Errorf(m.Field, "map it, as in "+m.Field.Value+": {table: v_member, owner: group_id, member: user_id, refers: User}", "no join table, or view of one, is mapped to %s", m.Field.Value)
		}
	}
}

// checkWritten reports fields that clients may write and no statement names: they
// would be taken and lost.
func checkWritten(cfg *config.Config, m *rules.Mapping, r *config.Resource, own *sql.Own) {
	lists := map[string]bool{}
	for _, rel := range m.Relations {
		lists[rel.Field] = true
	}
	for _, rows := range m.Rows {
		lists[rows.Field] = true
	}
	for _, rule := range m.Rules() {
		a := rule.Attribute()
		if rule.Field() == "" || lists[rule.Field()] || a.Mutability == scim.ReadOnly {
			continue
		}
		at := config.Text{Value: rule.Path, Line: rule.Line, Column: 1}
		if i := slices.IndexFunc(r.Attributes, func(c config.Rule) bool { return c.Path.Value == rule.Path }); i >= 0 {
			at = r.Attributes[i].Path
		}
		switch {
		case own.Create != nil && !own.Says("create", rule.Field()):
			unwritten(cfg, at, "create", rule.Field(), "readOnly")
		case own.NoUpdate && len(own.Members) > 0 && a.Mutability != scim.Immutable:
			cfg.Report.Errorf(at, "say mutability: immutable, or readOnly", "clients may write it, and update says that they cannot")
		case own.Update != nil && a.Mutability != scim.Immutable && !own.Says("update", rule.Field()):
			unwritten(cfg, at, "update", rule.Field(), "immutable")
		}
	}
}

func unwritten(cfg *config.Config, at config.Text, op, field, otherwise string) {
	cfg.Report.Errorf(at, "name :"+field+" there, or say mutability: "+otherwise, "clients may write it, and no statement of %s names the field %q", op, field)
}

// explainStatements lists the statements of a target, in the order in which they are
// sent. Those that are derived depend on what changes: postern try shows them.
func explainStatements(out io.Writer, all *config.Resource) error {
	for i, r := range takenApart(all) {
		if !hasStatements(r) {
			continue
		}
		if i > 0 {
			fmt.Fprintf(out, "\npart %s:\n", all.Parts[i-1].Name.Value)
		}
		if err := explainOwn(out, r); err != nil {
			return err
		}
	}
	return nil
}

func explainOwn(out io.Writer, r *config.Resource) error {
	w := &r.Target.REST
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nLINE\tOPERATION\tWHEN\tSTATEMENT")
	for _, op := range []struct {
		name string
		all  []config.Step
		none bool
	}{{"create", w.Create, r.Target.SQL.NoCreate}, {"update", w.Update, r.Target.SQL.NoUpdate}, {"delete", w.Delete, r.Target.SQL.NoDelete}} {
		explainSteps(t, op.name, op.all)
		switch {
		case op.none:
			fmt.Fprintf(t, "\t%s\t\t(clients cannot)\n", op.name)
		case len(op.all) == 0:
			fmt.Fprintf(t, "\t%s\t\t(derived)\n", op.name)
		}
	}
	for _, m := range w.Members {
		for _, part := range []struct {
			name string
			all  []config.Step
		}{{"add to ", m.Add}, {"remove from ", m.Remove}, {"change ", m.Change}} {
			explainSteps(t, part.name+m.Field.Value, part.all)
		}
	}
	return t.Flush()
}

func explainSteps(w io.Writer, op string, all []config.Step) {
	for _, s := range all {
		when := s.When.Value
		if s.Each.IsSet() {
			when = strings.TrimSpace(when + " each " + s.Each.Value)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", s.At.Line, op, brief(when, maxWhen), brief(s.Statement.Value, maxStatement))
	}
}

// What is longer is cut: its line says where the whole stands.
const (
	maxWhen      = 50
	maxStatement = 100
)

// brief is a text in one line, without what makes it long.
func brief(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if all := []rune(text); len(all) > most {
		return strings.TrimRight(string(all[:most-1]), " ") + "…"
	}
	return text
}
