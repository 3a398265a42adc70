package config

import "slices"

// uses reports whether resources live in a backend.
func (r *Resource) uses(backend string) bool {
	return r.Target.Backend.Value == backend || slices.ContainsFunc(r.Places, func(p Place) bool { return p.Backend.Value == backend }) ||
		slices.ContainsFunc(r.Parts, func(p Part) bool { return p.Target.Backend.Value == backend })
}

// Placed reports whether a resource type lives in several places.
func (c *Config) Placed(typ string) bool {
	r := c.Resource(typ)
	return r != nil && len(r.Places) > 0
}

// checkPlaces finds what cannot be where resources live in several places.
func (r *reader) checkPlaces(c *Config, res *Resource) {
	for _, rule := range res.Attributes {
		if c.Placed(rule.Refers.Value) && rule.Split.IsSet() {
			r.report.Errorf(rule.Split, "use a column for each, or a join table", "a text of keys cannot refer to a %s, which lives in several places", rule.Refers.Value)
		}
	}
	if len(res.Places) == 0 {
		if res.Moving.Left.Value != "delete" || res.Moving.Password.Value != "refuse" {
			r.report.Errorf(res.Name, "add places, or delete moving", "resource type %q has moving and no places", res.Name.Value)
		}
		return
	}
	r.checkIDs(res, c.Clients)
	for _, t := range c.Tenants {
		r.checkIDs(res, t.Clients)
	}
	if len(res.Parts) > 0 {
		r.report.Errorf(res.Places[0].Name, "use one of the two", "resource type %q has both parts and places", res.Name.Value)
	}
	for _, p := range res.Places {
		r.checkLDAPTarget(c, &p)
		if p.SQL.NewKey.Value.IsSet() {
			r.report.Errorf(p.SQL.NewKey.Value, "use a sequence, a statement, or a column that makes its values", "the key of a new record in a place cannot be made by an expression")
		}
	}
}

// checkIDs refuses keys as ids: a record that moves gets another key.
func (r *reader) checkIDs(res *Resource, clients []Client) {
	for _, cl := range clients {
		if len(res.Places) > 0 && cl.IDs.Value == "existing" {
			r.report.Errorf(cl.IDs, "delete ids: a record that moves gets another key, and its id must not change",
				"ids cannot be keys where a %s lives in several places", res.Name.Value)
		}
	}
}
