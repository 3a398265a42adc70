package rules

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

const testURN = "urn:example:params:scim:schemas:test:2.0:User"

// testExtension has an attribute of every data type.
func testExtension() *schema.Schema {
	simple := func(name string, t scim.Type) *scim.Attribute { return &scim.Attribute{Name: name, Type: t} }
	exact := &scim.Attribute{Name: "code", CaseExact: true}
	tags := &scim.Attribute{Name: "tags", MultiValued: true}
	numbers := &scim.Attribute{Name: "numbers", Type: scim.TypeInteger, MultiValued: true}
	kind := &scim.Attribute{Name: "kind", CanonicalValues: []string{"one", "two"}, EnforceCanonical: true}
	pet := &scim.Attribute{Name: "pet", Type: scim.TypeComplex, Sub: []*scim.Attribute{simple("name", scim.TypeString), simple("age", scim.TypeInteger)}}
	return &schema.Schema{ID: testURN, Name: "Test", Attributes: []*scim.Attribute{
		simple("text", scim.TypeString), exact, simple("flag", scim.TypeBoolean), simple("level", scim.TypeInteger), simple("score", scim.TypeDecimal),
		simple("born", scim.TypeDateTime), simple("since", scim.TypeDateTime), simple("tick", scim.TypeDateTime), simple("day", scim.TypeDateTime),
		simple("cert", scim.TypeBinary), simple("page", scim.TypeReference), tags, numbers, kind, pet,
		{Name: "boss", Type: scim.TypeReference, ReferenceTypes: []string{"User"}},
	}}
}

// at is a text in a line of its own.
func at(line int, s string) Text { return Text{Value: s, Line: line, Column: 1} }

// A line is one rule as tests write it: its path, and what it says.
type line func(*Spec)

func rule(path string, says ...line) Spec {
	s := Spec{Path: Text{Value: path}}
	for _, say := range says {
		say(&s)
	}
	return s
}

func name(f string) line     { return func(s *Spec) { s.Field.Value = f } }
func in(e string) line       { return func(s *Spec) { s.In.Value = e } }
func out(e string) line      { return func(s *Spec) { s.Out.Value = e } }
func split(sep string) line  { return func(s *Spec) { s.Split.Value = sep } }
func format(f string) line   { return func(s *Spec) { s.Format.Value = f } }
func refers(t string) line   { return func(s *Spec) { s.Refers.Value = t } }
func mutable(m string) line  { return func(s *Spec) { s.Mutability.Value = m } }
func unique(u string) line   { return func(s *Spec) { s.Uniqueness.Value = u } }
func required() line         { return func(s *Spec) { s.Required = true } }
func fallback(v string) line { return func(s *Spec) { s.Default = &Text{Value: v} } }

// table says pairs of backend value and SCIM value.
func table(pairs ...string) line {
	return func(s *Spec) {
		for i := 0; i < len(pairs); i += 2 {
			s.Values = append(s.Values, Coded{Backend: Text{Value: pairs[i]}, SCIM: Text{Value: pairs[i+1]}})
		}
	}
}

func join(table, owner, member string) line {
	return func(s *Spec) {
		s.Relation = &Relation{Table: Text{Value: table}, Owner: Text{Value: owner}, Member: Text{Value: member}}
	}
}

// rows says a table of elements and its columns.
func rows(columns ...Spec) line {
	return func(s *Spec) {
		s.Rows = &Rows{Table: Text{Value: "rows"}, Owner: []Text{{Value: "no"}}, Columns: columns}
	}
}

// userInput is a User with the enterprise extension and that of every data type.
// Rule n stands in line n+1; everything else in line 1.
func userInput(specs ...Spec) Input {
	user, _ := schema.Builtin(scim.UserSchema)
	enterprise, _ := schema.Builtin(scim.EnterpriseUserSchema)
	return typeInput("User", user, []schema.Extension{{Schema: enterprise}, {Schema: testExtension()}}, specs)
}

func groupInput(specs ...Spec) Input {
	group, _ := schema.Builtin(scim.GroupSchema)
	return typeInput("Group", group, nil, specs)
}

func typeInput(name string, base *schema.Schema, exts []schema.Extension, specs []Spec) Input {
	for i := range specs {
		specs[i].place(i + 2)
	}
	return Input{Name: name, Endpoint: "/" + name + "s", At: at(1, name), Schema: base, Extensions: exts, Attributes: specs,
		Aliases: map[string]string{"enterprise": scim.EnterpriseUserSchema, "test": testURN},
		Key:     []Text{at(1, "no")}, Types: map[string]string{"User": "/Users", "Group": "/Groups"}}
}

func (s *Spec) place(line int) {
	for _, t := range []*Text{&s.Path, &s.Field, &s.In, &s.Out, &s.Split, &s.Format, &s.Refers, &s.Mutability, &s.Uniqueness} {
		t.Line, t.Column = line, 1
	}
	if s.Rows != nil {
		for i := range s.Rows.Columns {
			s.Rows.Columns[i].place(line)
		}
	}
	for i := range s.Values {
		s.Values[i].Backend.Line, s.Values[i].SCIM.Line = line, line
	}
	if s.Default != nil {
		s.Default.Line = line
	}
}

// userName is the rule without which no User is.
func userName() Spec { return rule("userName", name("login")) }

// compiled compiles an input, binds it to a memory adapter's capabilities, and
// fails on any mistake.
func compiled(t testing.TB, in Input, restrict ...func(*adapters.Capabilities)) *Mapping {
	t.Helper()
	m, ps := Compile(in)
	if m == nil {
		t.Fatalf("the input has mistakes:\n%s", told(ps))
	}
	bind(m, restrict...)
	return m
}

func bind(m *Mapping, restrict ...func(*adapters.Capabilities)) {
	o := memory.Options{Restrict: restrict}
	for _, n := range m.Shape().Names() {
		f := memory.Field{Name: n}
		i := slices.IndexFunc(m.Rows, func(r RowsField) bool { return r.Field == n })
		if i >= 0 {
			f.Parts = m.Rows[i].Shape.Names()
		} else if strings.HasPrefix(n, relationPrefix) {
			f.Relation = memory.NewRelation()
		}
		o.Fields = append(o.Fields, f)
	}
	m.Bind(memory.New(o).Capabilities())
}

func told(ps []Problem) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%d: %s (%s)\n", p.At.Line, p.Message, p.Hint)
	}
	return b.String()
}

type fields map[string]any

func (m *Mapping) record(f fields) adapters.Record {
	r := adapters.NewRecord(m.shape, "k1")
	for _, n := range slices.Sorted(maps.Keys(f)) {
		if m.shape.Index(n) < 0 {
			panic("no rule names the field " + n)
		}
		r.Set(n, f[n])
	}
	return r
}

func everything(*scim.Attribute) bool { return true }

// read makes the whole resource of a record, with the id "id-KEY" for every key
// that is not hidden, and lists the lines of the rules that warned.
func (m *Mapping) read(rec adapters.Record) (*scim.Resource, []int) {
	var warned []int
	res, refs := m.Read(rec, m.Plan(everything), func(r *Rule, _ error) { warned = append(warned, r.Line) })
	for _, f := range refs {
		ids := make([]string, len(f.Keys))
		for i, k := range f.Keys {
			ids[i], _ = idOf(f.Type, k)
		}
		f.Fill(ids, "http://x")
	}
	return res, warned
}

func idOf(_, key string) (string, bool) {
	if strings.HasPrefix(key, "hidden") {
		return "", false
	}
	return "id-" + key, true
}

func keyOf(_, id string) (string, bool) {
	key, ok := strings.CutPrefix(id, "id-")
	return key, ok && !strings.HasPrefix(key, "hidden")
}

func notNull(*scim.Attribute) bool { return false }

// resource decodes JSON, without a check for what is required.
func (m *Mapping) resource(t testing.TB, text string) *scim.Resource {
	t.Helper()
	n, err := scim.ReadJSON([]byte(text), scim.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	res := scim.NewResource(m.Type.Layout)
	for _, mem := range n.Members {
		a := m.Type.Layout.Find(mem.Name)
		if a == nil {
			t.Fatalf("no attribute %q", mem.Name)
		}
		v, err := schema.ParseValue(a, mem.Value, schema.Options{})
		if err != nil {
			t.Fatal(err)
		}
		res.Set(a, v)
	}
	return res
}

// json is a resource as clients see it, without schemas and meta.location.
func shown(res *scim.Resource) string {
	text := string(scim.AppendResource(nil, res, scim.DefaultSelection(res.Layout())))
	_, rest, _ := strings.Cut(text, "],")
	return "{" + rest
}

// values are the fields of a record that have one.
func values(r adapters.Record) fields {
	out := fields{}
	for i, n := range r.Shape().Names() {
		if v := r.At(i); !adapters.NoValue(v) {
			out[n] = v
		}
	}
	return out
}

// bound is a filter as a request has it.
func (m *Mapping) bound(t testing.TB, text string) filter.Expr {
	t.Helper()
	e, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e, err = schema.Bind(m.Type.Layout, e, schema.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var testLookup = Lookup{Key: keyOf, ExternalID: func(x string) []string {
	if x == "ext" {
		return []string{"k1"}
	}
	return nil
}}

// TestMain lets the properties look longer than rapid does by itself.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1500"); err != nil {
		panic(err)
	}
	m.Run()
}
