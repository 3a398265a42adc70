package patch

import (
	"errors"
	"testing"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

const (
	thingSchema = "urn:example:2.0:Thing"
	extSchema   = "urn:example:2.0:Ext"
)

func str(name string) *scim.Attribute { return &scim.Attribute{Name: name} }

func boolean(name string) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeBoolean}
}

func complexOf(name string, sub ...*scim.Attribute) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeComplex, Sub: sub}
}

func multi(a *scim.Attribute) *scim.Attribute {
	a.MultiValued = true
	return a
}

func with(m scim.Mutable, a *scim.Attribute) *scim.Attribute {
	a.Mutability = m
	return a
}

func reference(name string) *scim.Attribute {
	return &scim.Attribute{Name: name, Type: scim.TypeReference, CaseExact: true, ReferenceTypes: []string{"User"}}
}

// thing is a resource type with an attribute of every shape. The attribute at
// path, if any, is changed by change.
func thing(t testing.TB, path string, change func(*scim.Attribute)) *schema.ResourceType {
	t.Helper()
	base := &schema.Schema{ID: thingSchema, Name: "Thing", Attributes: []*scim.Attribute{
		str("s"), boolean("t"),
		complexOf("c", str("a"), str("b")),
		multi(str("l")),
		multi(complexOf("m", str("value"), str("type"), str("display"), boolean("primary"))),
		multi(complexOf("r", with(scim.Immutable, &scim.Attribute{Name: "value", CaseExact: true}), with(scim.Immutable, reference("$ref")),
			with(scim.Immutable, str("type")), with(scim.ReadOnly, str("display")))),
		complexOf("g", &scim.Attribute{Name: "value", CaseExact: true}, reference("$ref"), with(scim.ReadOnly, str("displayName"))),
	}}
	ext := &schema.Schema{ID: extSchema, Name: "Ext", Attributes: []*scim.Attribute{str("es"), complexOf("ec", str("a"), str("b"))}}
	if path != "" {
		a := base.Find(path)
		if a == nil {
			a = ext.Find(path)
		}
		change(a)
	}
	rt, err := schema.NewResourceType("Thing", "/Things", "", base, []schema.Extension{{Schema: ext}})
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// builtin is a resource type of RFC 7643 with everything.
func builtin(t testing.TB, name string) *schema.ResourceType {
	t.Helper()
	var exts []schema.Extension
	urn := scim.GroupSchema
	if name == "User" {
		urn = scim.UserSchema
		e, _ := schema.Builtin(scim.EnterpriseUserSchema)
		exts = []schema.Extension{{Schema: e}}
	}
	base, _ := schema.Builtin(urn)
	rt, err := schema.NewResourceType(name, "/"+name+"s", "", base, exts)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func readJSON(t testing.TB, text string) scim.Node {
	t.Helper()
	n, err := scim.ReadJSON([]byte(text), scim.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// resource builds a resource from JSON as a backend would: readOnly attributes
// and all, nothing checked.
func resource(t testing.TB, l *scim.Layout, text string) *scim.Resource {
	t.Helper()
	r := scim.NewResource(l)
	for _, m := range readJSON(t, text).Members {
		a := l.Find(m.Name)
		if a == nil {
			t.Fatalf("no attribute %q", m.Name)
		}
		if a != l.Schemas {
			r.Set(a, valueOf(t, a, m.Value).Compact())
		}
	}
	return r
}

func valueOf(t testing.TB, a *scim.Attribute, n scim.Node) scim.Value {
	t.Helper()
	switch n.Kind {
	case scim.NodeArray:
		var elems []scim.Value
		for _, e := range n.Items {
			elems = append(elems, valueOf(t, a, e))
		}
		return scim.List(elems...)
	case scim.NodeObject:
		v := scim.NewComplex(a)
		for _, m := range n.Members {
			sub := a.Find(m.Name)
			if sub == nil {
				t.Fatalf("no attribute %q in %s", m.Name, a.Path())
			}
			v.Set(sub, valueOf(t, sub, m.Value))
		}
		return v
	case scim.NodeBool:
		return scim.Bool(n.IsTrue())
	case scim.NodeNull:
		return scim.Value{}
	}
	return scim.Str(n.Str)
}

// show is everything that a resource holds.
func show(r *scim.Resource) string {
	out := []byte("{")
	for _, a := range r.Layout().Attributes() {
		v := r.Get(a)
		if a == r.Layout().Schemas || !v.Present() {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(scim.AppendString(out, a.Name), ':')
		out = scim.AppendValue(out, a, v)
	}
	return string(append(out, '}'))
}

// apply parses and applies a body, and checks that before is not changed.
func apply(t testing.TB, rt *schema.ResourceType, before *scim.Resource, body string, o Options) (*scim.Resource, error) {
	t.Helper()
	was := show(before)
	ops, err := Parse(readJSON(t, body), rt, o)
	if err != nil {
		return nil, err
	}
	after, err := Apply(before, ops)
	if show(before) != was {
		t.Errorf("P-07: the resource before has changed:\n  from %s\n  to   %s", was, show(before))
	}
	if err != nil && after != nil {
		t.Error("P-07: an error and a result")
	}
	return after, err
}

// keyword is the scimType of a 400, or the text of any other error.
func keyword(err error) string {
	var e *scim.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	if e.Status != 400 || e.Detail == "" {
		return e.Error()
	}
	return string(e.Type)
}
