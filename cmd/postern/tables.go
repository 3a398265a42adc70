package main

import (
	"slices"
	"strings"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim/filter"
)

// What the configuration says of tables beside a resource type's own, in the words
// of rules and of the SQL adapter.

func rowsSpec(r config.Rule) *rules.Rows {
	rows := &rules.Rows{Table: rules.Text(r.Table), Owner: texts(r.Owner), Where: constantsOf(r.Where), Order: rules.Text(r.Order), Key: texts(r.Key)}
	for _, c := range r.Columns {
		s := rules.Spec{Path: rules.Text(c.Path), Field: rules.Text(c.Name), Format: rules.Text(c.Format), Lookup: lookupSpec(c.Lookup)}
		for _, v := range c.Values {
			s.Values = append(s.Values, rules.Coded{Backend: rules.Text(v.Backend), SCIM: rules.Text(v.SCIM)})
		}
		rows.Columns = append(rows.Columns, s)
	}
	return rows
}

func lookupSpec(l *config.Lookup) *rules.LookupTable {
	if l == nil {
		return nil
	}
	return &rules.LookupTable{Table: rules.Text(l.Table), Key: rules.Text(l.Key), Name: rules.Text(l.Name), Where: constantsOf(l.Where), Create: l.Create.Value}
}

func texts(ts []config.Text) []rules.Text {
	out := make([]rules.Text, len(ts))
	for i, t := range ts {
		out[i] = rules.Text(t)
	}
	return out
}

func constantsOf(cs []config.Constant) []rules.Constant {
	out := make([]rules.Constant, len(cs))
	for i, c := range cs {
		out[i] = rules.Constant{Field: rules.Text(c.Field), Value: rules.Text(c.Value)}
	}
	return out
}

// addTables describes the tables beside the resource type's own.
func addTables(t *sql.Table, m *rules.Mapping, r *config.Resource) {
	for _, c := range r.Target.SQL.Where {
		t.Fixed = append(t.Fixed, sql.Fixed{Column: c.Field.Value, Value: c.Value.Value})
	}
	for _, j := range r.Target.SQL.Joins {
		t.Sides = append(t.Sides, sql.Side{Name: j.Name.Value, Table: j.Table.Value, On: values(j.On),
			Where: fixed(constantsOf(j.Where)), Names: j.Names.Value, Values: j.Values.Value})
	}
	t.NewKey = sql.NewKey{Sequence: r.Target.SQL.NewKey.Sequence.Value, Statement: r.Target.SQL.NewKey.Statement.Value}
	t.Vacant = fixed(constantsOf(r.Target.SQL.Vacant))
	s := r.Target.SQL.Stamps
	t.Stamps = sql.Stamps{Create: stampsOf(s.Create), Change: stampsOf(s.Change), Delete: stampsOf(s.Delete)}
	t.Lookups = lookupsOf(m.Lookups)
	for _, f := range m.Rows {
		t.Children = append(t.Children, sql.Child{Field: f.Field, Table: f.Rows.Table.Value, Owner: plainTexts(f.Rows.Owner), Where: fixed(f.Rows.Where),
			Order: f.Rows.Order.Value, Key: plainTexts(f.Rows.Key), Shape: f.Shape, Lookups: lookupsOf(f.Lookups)})
	}
}

func stampsOf(cs []config.Constant) []sql.Stamp {
	var out []sql.Stamp
	for _, c := range cs {
		s := sql.Stamp{Column: c.Field.Value, Value: c.Value.Value}
		switch s.Value {
		case "now":
			s.Kind = sql.StampNow
		case "client":
			s.Kind = sql.StampClient
		}
		out = append(out, s)
	}
	return out
}

func lookupsOf(fields []rules.LookupField) []sql.Lookup {
	var out []sql.Lookup
	for _, f := range fields {
		l := f.Lookup
		out = append(out, sql.Lookup{Field: f.Field, Column: f.Column, Table: l.Table.Value, Key: l.Key.Value, Name: l.Name.Value,
			Where: fixed(l.Where), Create: l.Create})
	}
	return out
}

func fixed(cs []rules.Constant) []sql.Fixed {
	var out []sql.Fixed
	for _, c := range cs {
		out = append(out, sql.Fixed{Column: c.Field.Value, Value: c.Value.Value})
	}
	return out
}

func plainTexts(ts []rules.Text) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.Value)
	}
	return out
}

// held are the columns that the ends of a join table hold where they are not keys.
func held(r *config.Resource, rel rules.RelationField) (own, other string) {
	for _, rule := range r.Attributes {
		if len(rule.Owner) == 1 && rule.Table.Value == rel.Table && rule.Owner[0].Value == rel.Owner && rule.Member.Value == rel.Member {
			return rule.OwnerHolds.Value, rule.MemberHolds.Value
		}
	}
	return "", ""
}

// checkNewKey reports keys that cannot be made as the configuration says.
func checkNewKey(cfg *config.Config, r *config.Resource, b *config.Backend) {
	k := r.Target.SQL.NewKey
	switch {
	case k.Sequence.IsSet() && !b.SQL.DSN.Made && strings.HasPrefix(b.SQL.DSN.Reveal(), "sqlite:"):
		cfg.Report.Errorf(k.Sequence, "use value or statement", "SQLite has no sequences")
	case strings.Contains(k.Statement.Value, "?"):
		cfg.Report.Errorf(k.Statement, "call a function that finds out by itself", "the statement that makes keys can have no parameters")
	case len(r.Target.Key) > 1 && (k.Sequence.IsSet() || k.Statement.IsSet()):
		at := k.Sequence
		if !at.IsSet() {
			at = k.Statement
		}
		cfg.Report.Errorf(at, "use value, which may give a list", "one value is made, and the key of the %s has %d columns", r.Name.Value, len(r.Target.Key))
	}
	if r.Target.SQL.Generated.Set && (k.Value.IsSet() || k.Sequence.IsSet() || k.Statement.IsSet()) {
		cfg.Report.Errorf(r.Target.SQL.Table, "delete generated", "the target has both generated and newKey")
	}
}

// visible is the scope of a table as others may ask for it: with what all its rows
// hold. False if it needs more than the table's own columns.
func visible(r *config.Resource, scope filter.Expr) (filter.Expr, bool) {
	ok := true
	filter.Walk(scope, func(e filter.Expr) bool {
		if c, is := e.(*filter.Compare); is && beside(r, c.Name) {
			ok = false
		}
		return ok
	})
	terms := []filter.Expr{scope}
	for _, c := range r.Target.SQL.Where {
		terms = append(terms, &filter.Compare{Name: c.Field.Value, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(c.Value.Value)})
	}
	return filter.AndOf(terms...), ok
}

// beside reports whether a field is a column of a row beside the record.
func beside(r *config.Resource, field string) bool {
	name, _, ok := strings.Cut(field, ".")
	return ok && slices.ContainsFunc(r.Target.SQL.Joins, func(j config.Join) bool { return j.Name.Value == name })
}

// checkTables reports what tables beside a resource type's own cannot be.
func checkTables(cfg *config.Config) {
	for _, r := range resourcesOf(cfg) {
		b := cfg.Backend(r.Target.Backend.Value)
		if b == nil {
			continue
		}
		sqlTarget := b.Type.Value == "sql"
		for _, j := range r.Target.SQL.Joins {
			checkKeyColumns(cfg, r, j.On, "on")
		}
		if stamps := r.Target.SQL.Stamps.Delete; len(stamps) > 0 && !r.Target.Scope.IsSet() {
			cfg.Report.Errorf(stamps[0].Field, "as in scope: 'record."+stamps[0].Field.Value+" == nil'", "rows that are marked as deleted would still be shown: there is no scope that hides them")
		}
		if sqlTarget {
			checkDistinct(cfg, r)
			checkNewKey(cfg, r, b)
		}
		for _, rule := range r.Attributes {
			if !sqlTarget {
				checkNoTables(cfg, rule)
				continue
			}
			checkJoinName(cfg, r, rule.Name)
			if len(rule.Columns) > 0 {
				checkKeyColumns(cfg, r, rule.Owner, "owner")
			} else if len(rule.Owner) > 1 {
				cfg.Report.Errorf(rule.Owner[1], "", "a join table has one column for the owner")
			}
		}
	}
}

func checkKeyColumns(cfg *config.Config, r *config.Resource, columns []config.Text, what string) {
	if n := len(r.Target.Key); len(columns) > 0 && n > 0 && len(columns) != n {
		cfg.Report.Errorf(columns[0], "name one for each, in the same order", "%s has not as many columns as the key of the %s, which has %d", what, r.Name.Value, n)
	}
}

func checkNoTables(cfg *config.Config, rule config.Rule) {
	switch {
	case len(rule.Columns) > 0:
		cfg.Report.Errorf(rule.Columns[0].Path, "", "columns are for backends of type sql")
	case rule.Lookup != nil:
		cfg.Report.Errorf(rule.Lookup.Table, "", "lookup is for backends of type sql")
	}
}

// checkJoinName refuses contact.email where there is no join that is called contact.
func checkJoinName(cfg *config.Config, r *config.Resource, field config.Text) {
	if !strings.Contains(field.Value, ".") || beside(r, field.Value) {
		return
	}
	name, _, _ := strings.Cut(field.Value, ".")
	if slices.ContainsFunc(cfg.Report.Problems(), func(p config.Problem) bool { return p.Line == field.Line && p.Column == field.Column }) {
		return // it is no part, either
	}
	cfg.Report.Errorf(field, "add it under join of the target", "there is no join %q", name)
}
