package main

import (
	"strings"

	"github.com/postern/postern/config"
)

// Records that all rows with the same key make together: groups that exist only as
// a name in a table of memberships.

// makes reports whether a rule's rows are those that make the records.
func makes(r *config.Resource, rule config.Rule) bool {
	t := r.Target
	return t.SQL.Distinct.Value && len(t.Key) == 1 && len(rule.Owner) == 1 && rule.Member.IsSet() &&
		strings.EqualFold(rule.Table.Value, t.SQL.Table.Value) && strings.EqualFold(rule.Owner[0].Value, t.Key[0].Value)
}

// needsMembers reports whether there is no record of which a rule's attribute has no
// value.
func needsMembers(r *config.Resource, rule config.Rule) bool {
	return makes(r, rule) && len(r.Target.SQL.Vacant) == 0
}

// checkDistinct reports what such records cannot have.
func checkDistinct(cfg *config.Config, r *config.Resource) {
	t := r.Target
	if !t.SQL.Distinct.Value {
		if len(t.SQL.Vacant) > 0 {
			cfg.Report.Errorf(t.SQL.Vacant[0].Field, "add distinct: true", "vacant is for records that rows make together")
		}
		return
	}
	const whole = "with distinct, rows make a record together, and "
	if len(t.Key) != 1 {
		cfg.Report.Errorf(t.SQL.Table, "name one column in key", whole+"the key must be one column")
		return
	}
	key, made := t.Key[0].Value, false
	for _, rule := range r.Attributes {
		made = made || makes(r, rule)
		if n := rule.Name; n.IsSet() && !strings.EqualFold(n.Value, key) && !beside(r, n.Value) {
			cfg.Report.Errorf(n, "only "+key+" can be mapped, and columns of a join", whole+"%s is a column of each row", n.Value)
		}
	}
	stamps := t.SQL.Stamps
	for _, c := range [][]config.Constant{t.SQL.Where, t.Constants, stamps.Create, stamps.Change, stamps.Delete} {
		if len(c) > 0 {
			cfg.Report.Errorf(c[0].Field, "", whole+"%s is a column of each row", c[0].Field.Value)
		}
	}
	if !made {
		cfg.Report.Errorf(t.SQL.Table, "as in members: {table: "+t.SQL.Table.Value+", owner: "+key+", member: …}",
			whole+"no attribute says which of its columns holds the members")
	}
}
