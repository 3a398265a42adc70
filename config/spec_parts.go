package config

import (
	"regexp"
	"slices"
	"strings"
)

// A Part is a record of another backend that belongs to a resource's own.
type Part struct {
	Name   Text
	Target Target
	On     []Constant // one: the part's field, and the main record's field whose value it holds ("": its key)
	Create Bool
	Delete Text // record, nothing
}

func part() form[Part] {
	type P = Part
	return block[P]{
		title: "part",
		doc: "One record of another backend for each resource. Its fields are written with the part's name before them, `mail.address`, and its backend is the authority for the " +
			"attributes that are mapped to them. See [several backends](several.md).",
		example: `
target: {backend: mailer, table: mailbox, key: id}
on: {owner: login}
`,
		keys: []key[P]{
			field("target", target(), func(p *P) *Target { return &p.Target }).required().like("{backend: mailer, table: mailbox, key: id}").
				says("Where its records live. `scope`, `managed`, `when`, `birth` and `newKey` are the resource's own."),
			field("on", abbreviated(constants("field"), text(), func(t Text, on *[]Constant) { *on = []Constant{{Field: t}} }), func(p *P) *[]Constant { return &p.On }).
				required().like("{owner: login}").
				says("Which record belongs to a resource: the one whose field `owner` holds what the resource's own record holds in `login`. A field alone holds its key. " +
					"No two records may hold the same there."),
			field("create", boolean(), func(p *P) *Bool { return &p.Create }).or("true").
				says("Its record is made when an attribute of it first has a value. `false`: its backend makes it by itself, and until then such a value is refused."),
			field("delete", choice("record", "nothing"), func(p *P) *Text { return &p.Delete }).or("record").
				says("What goes when the resource is deleted: its record, or `nothing`."),
		},
		check: func(r *reader, t *Tree, _ string, p *P) {
			on := t.Find("on")
			switch {
			case on == nil:
			case on.Kind == MappingNode && len(p.On) == 0:
				r.report.Errorf(on.Key, "as in on: {owner: login}", "on names no field")
			case on.Kind == MappingNode && (!p.On[0].Field.IsSet() || !p.On[0].Value.IsSet()):
				r.report.Errorf(on.Key, "as in on: {owner: login}, or the first alone if it holds the key", "on needs the field of the part and the field of the resource's own record")
			}
		},
	}.form()
}

// checkParts finds what parts cannot say, and fields of parts that are not there.
func (r *reader) checkParts(c *Config, res *Resource) {
	names := make([]string, len(res.Parts))
	for i := range res.Parts {
		names[i] = res.Parts[i].Name.Value
	}
	for i := range res.Parts {
		p := &res.Parts[i]
		r.checkLDAPTarget(c, &p.Target)
		r.checkPart(res, p)
	}
	if len(names) == 0 {
		return
	}
	for _, rule := range res.Attributes {
		name, _, dotted := strings.Cut(rule.Name.Value, ".")
		if dotted && !slices.Contains(names, name) && nearest(name, names) != "" {
			r.report.Errorf(rule.Name, didYouMean(name, names), "there is no part %q", name)
		}
	}
}

func (r *reader) checkPart(res *Resource, p *Part) {
	t := &p.Target
	for key, at := range map[string]Text{"scope": t.Scope, "managed": t.Managed, "when": t.When, "birth": t.Birth} {
		if at.IsSet() {
			r.report.Errorf(at, "say it in the target of the "+res.Name.Value, "a part has no %s: its record goes with the resource's own", key)
		}
	}
	for _, k := range []Text{t.SQL.NewKey.Value, t.SQL.NewKey.Sequence, t.SQL.NewKey.Statement} {
		if k.IsSet() {
			r.report.Errorf(k, "let its backend make it", "a part has no newKey")
		}
	}
	if len(p.On) > 1 {
		r.report.Errorf(p.On[1].Field, "name the one by which its records are found", "on has more than one field")
	}
	for _, j := range res.Target.SQL.Joins {
		if j.Name.Value == p.Name.Value {
			r.report.Errorf(p.Name, "rename one of the two", "there is a join %q, too: nobody could tell whose fields are meant", j.Name.Value)
		}
	}
	used, named := false, regexp.MustCompile(`\brecord\.`+regexp.QuoteMeta(p.Name.Value)+`\b`)
	for _, rule := range res.Attributes {
		own, is := strings.CutPrefix(rule.Name.Value, p.Name.Value+".")
		used = used || is || named.MatchString(rule.In.Value)
		switch {
		case !is:
		case own == "":
			r.report.Errorf(rule.Name, "as in "+p.Name.Value+".FIELD", "the field of part %q is missing", p.Name.Value)
		case len(p.On) > 0 && own == p.On[0].Field.Value:
			r.report.Errorf(rule.Name, "map it with in: 'record."+rule.Name.Value+"', which is read only", "%q says whose record it is, and follows the resource's own", rule.Name.Value)
		case rule.Lookup != nil:
			r.report.Errorf(rule.Lookup.Table, "", "lookup is for columns of the resource's own table")
		}
	}
	if !used {
		r.report.Errorf(p.Name, "as in "+p.Name.Value+".FIELD, or delete the part", "no attribute is mapped to a field of part %q", p.Name.Value)
	}
}
