package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// A Problem is what Inspect found in the directory.
type Problem struct {
	Key     string // of the target, as the configuration calls it: base, classes, key, ...
	Name    string // the attribute or the class, if it is about one
	Text    string // one sentence
	Near    string // the name that the directory has, and that is nearly it
	Hint    string
	Warning bool // it works, but not well
}

// Inspect compares the target with the directory: all problems at once. Which fields
// are written, and which attributes new entries are given, the caller knows. Indexes
// cannot be seen over LDAP. The error says that the directory does not answer.
func (a *Adapter) Inspect(ctx context.Context, written, given []string) ([]Problem, error) {
	a.d.known.Store(nil)
	in := &inspection{a: a}
	err := a.d.use(ctx, "probe", func(s *session) error {
		in.s, in.found = s, nil
		if err := s.prove(); err != nil {
			return err
		}
		if err := in.places(); err != nil {
			return err
		}
		if len(s.attributes) == 0 {
			in.say(Problem{Key: "classes", Text: "the directory does not show its schema: nothing is known of its attributes", Warning: true,
				Hint: "let the credential read it; without it most filters are evaluated on every entry"})
			return nil
		}
		in.classes()
		in.attributes(written)
		in.required(given)
		return nil
	})
	return in.found, err
}

type inspection struct {
	a       *Adapter
	s       *session
	found   []Problem
	allowed map[*attributeType]bool
	must    map[*attributeType]string
}

func (in *inspection) say(p Problem) { in.found = append(in.found, p) }

// places looks for the base and the container.
func (in *inspection) places() error {
	for key, dn := range map[string]string{"base": in.a.target.Base, "container": in.a.target.Container} {
		if key == "container" && dn == in.a.target.Base {
			continue
		}
		e, err := in.s.base(dn, "(objectClass=*)", noAttributes)
		if err != nil {
			return err
		}
		if e == nil {
			in.say(Problem{Key: key, Text: fmt.Sprintf("there is no entry %s, or this credential does not see it", dn)})
		}
	}
	return nil
}

// classes looks the classes up, and notes what they allow.
func (in *inspection) classes() {
	in.allowed, in.must = map[*attributeType]bool{}, map[*attributeType]string{}
	t := in.a.target
	for key, list := range map[string][]string{"classes": t.Classes, "auxiliary": t.Auxiliary} {
		for _, name := range list {
			c := in.s.class(name)
			if c == nil {
				in.say(Problem{Key: key, Name: name, Text: fmt.Sprintf("the directory has no object class %q", name), Near: nearest(name, in.classNames())})
				continue
			}
			in.include(c, 0)
		}
	}
}

func (in *inspection) include(c *objectClass, depth int) {
	for _, name := range c.Must {
		if t := in.s.attribute(name); t != nil {
			in.must[t], in.allowed[t] = first(c.Names), true
		}
	}
	for _, name := range c.May {
		if t := in.s.attribute(name); t != nil {
			in.allowed[t] = true
		}
	}
	for _, up := range c.Sup {
		if s := in.s.class(up); s != nil && depth < 20 {
			in.include(s, depth+1)
		}
	}
}

// attributes looks every attribute up.
func (in *inspection) attributes(written []string) {
	if k := in.a.target.Key; k != keyDN && in.s.attribute(k) == nil {
		in.unknown("key", k)
	}
	for i, name := range in.a.caps.Shape.Names() {
		f := in.a.fields[i]
		if f.refers != nil && f.refers.From != "" {
			continue
		}
		t := in.s.attribute(f.attribute)
		switch {
		case t == nil:
			in.unknown("attributes", name)
		case t.Fixed && slices.Contains(written, name):
			in.say(Problem{Key: "attributes", Name: name, Text: fmt.Sprintf("the directory keeps %s by itself, and the rule writes it", f.attribute), Hint: "add mutability: readOnly"})
		case !in.allowed[t] && !t.Internal && len(in.allowed) > 0 && slices.Contains(written, name):
			in.say(Problem{Key: "attributes", Name: name, Text: fmt.Sprintf("none of the classes allows %s", f.attribute), Hint: "name a class that has it, in classes or auxiliary"})
		case f.list && t.Single:
			in.say(Problem{Key: "attributes", Name: name, Text: fmt.Sprintf("%s has one value, and the rule makes several", f.attribute), Warning: true})
		}
	}
	for _, p := range in.a.rdn {
		if in.s.attribute(p.attribute) == nil {
			in.unknown("rdn", p.attribute)
		}
	}
}

func (in *inspection) unknown(key, name string) {
	p := Problem{Key: key, Name: name, Text: fmt.Sprintf("the directory has no attribute %q", name)}
	p.Near = nearest(name, in.names())
	if strings.EqualFold(name, "memberOf") {
		p.Hint = "write reverse: {groups: member} in the target: the groups are then looked for"
	}
	in.say(p)
}

func (in *inspection) classNames() []string {
	var out []string
	for _, c := range in.s.schema.classes {
		out = append(out, c.Names...)
	}
	return out
}

func (in *inspection) names() []string {
	var out []string
	for _, t := range in.s.schema.attributes {
		out = append(out, t.Names...)
	}
	return out
}

// madeByAD are attributes that every entry must have and that Active Directory gives it.
var madeByAD = []string{"instanceType", "nTSecurityDescriptor", "objectCategory", "objectSid", "sAMAccountName", "groupType"}

// required finds attributes that every entry must have and nobody gives.
func (in *inspection) required(given []string) {
	if in.a.caps.NoCreate {
		return
	}
	for _, p := range in.a.rdn {
		given = append(given, p.attribute)
	}
	var lacking []string
	for t, class := range in.must {
		has := strings.EqualFold(first(t.Names), "objectClass") || slices.ContainsFunc(given, func(g string) bool { return in.s.attribute(g) == t })
		if !has && !in.placed(t) && !(in.s.active && slices.Contains(madeByAD, first(t.Names))) {
			lacking = append(lacking, fmt.Sprintf("%s (%s)", first(t.Names), class))
		}
	}
	if slices.Sort(lacking); len(lacking) > 0 {
		in.say(Problem{Key: "classes", Warning: true, Text: "new entries must have " + strings.Join(lacking, ", ") + ", and no rule gives it to them", Hint: "map an attribute to it, or name it under constants"})
	}
}

// placed reports the attribute of members, which the placeholder fills.
func (in *inspection) placed(t *attributeType) bool {
	return in.a.target.Placeholder != "" && slices.ContainsFunc(in.a.fields, func(f field) bool { return f.list && f.refers != nil && in.s.attribute(f.attribute) == t })
}

// nearest is the name that differs in the fewest letters, if they are few.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters must be added, taken away or exchanged.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// Explain is the filter that is sent for a condition. What the directory finds is
// compared again.
func (a *Adapter) Explain(ctx context.Context, e adapters.Query) (string, error) {
	var text string
	err := a.d.use(ctx, "list", func(s *session) error {
		j, err := a.judge(s, e.Filter)
		text = allOf(a.classes, a.condition(s.server, j, e.Filter))
		return err
	})
	return text, err
}

// CheckDN reports text that is no distinguished name.
func CheckDN(text string) error {
	if _, err := ldap.ParseDN(text); err != nil {
		return fmt.Errorf("%q is no distinguished name", text)
	}
	return nil
}

// CheckRDN reports text that is no template of names, or one that names a field which
// is not there.
func CheckRDN(text string, has func(field string) bool) (unknown string, err error) {
	parts, err := parseRDN(text)
	for _, p := range parts {
		for _, f := range p.fields {
			if !has(f) && f != randomName {
				return f, err
			}
		}
	}
	return "", err
}

// CheckField reports a name that is no attribute, nor a bit of one.
func CheckField(name string) error {
	_, err := parseField(name)
	return err
}
