package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A mistake is an input that something is wrong with, or unwise.
type mistake struct {
	name  string
	rules []Spec // besides userName
	more  func(*Input)
}

func scoped(s string) func(*Input)      { return func(in *Input) { in.Scope = at(90, s) } }
func conditional(s string) func(*Input) { return func(in *Input) { in.When = at(91, s) } }

var mistakes = []mistake{
	{"path: syntax", []Spec{rule("emails[", name("f"))}, nil},
	{"path: operator", []Spec{rule(`emails[type is "work"].value`, name("f"))}, nil},
	{"path: syntax behind an alias", []Spec{rule(`enterprise:manager..value`, name("f"))}, nil},
	{"path: not only eq", []Spec{rule(`emails[type ne "work"].value`, name("f"))}, nil},
	{"path: or", []Spec{rule(`emails[type eq "work" or type eq "home"].value`, name("f"))}, nil},
	{"path: null", []Spec{rule(`emails[type eq null].value`, name("f"))}, nil},
	{"path: unknown attribute", []Spec{rule("nikcName", name("f"))}, nil},
	{"path: unknown sub-attribute", []Spec{rule("name.gvenName", name("f"))}, nil},
	{"path: unknown in an extension", []Spec{rule("enterprise:departement", name("f"))}, nil},
	{"path: unknown alias", []Spec{rule("entreprise:department", name("f"))}, nil},
	{"path: unknown with brackets", []Spec{rule(`email[type eq "work"].value`, name("f"))}, nil},
	{"path: nothing near", []Spec{rule("zzzzzzzzzz", name("f"))}, nil},
	{"path: unknown behind brackets", []Spec{rule(`emails[type eq "work"].vlaue`, name("f"))}, nil},
	{"path: unknown in brackets", []Spec{rule(`emails[tpye eq "work"].value`, name("f"))}, nil},
	{"path: type in brackets", []Spec{rule(`emails[primary eq "yes"].value`, name("f"))}, nil},
	{"path: empty in brackets", []Spec{rule(`emails[type eq ""].value`, name("f"))}, nil},
	{"path: fixed twice", []Spec{rule(`emails[type eq "a" and type eq "b"].value`, name("f"))}, nil},
	{"path: fixed and mapped", []Spec{rule(`emails[type eq "a"].type`, name("f"))}, nil},
	{"path: brackets at one value", []Spec{rule(`name[givenName eq "a"].familyName`, name("f"))}, nil},
	{"path: brackets without a part", []Spec{rule(`emails[type eq "work"]`, name("f"))}, nil},
	{"path: an extension", []Spec{rule(scim.EnterpriseUserSchema, name("f"))}, nil},
	{"path: id", []Spec{rule("id", name("f"))}, nil},
	{"path: schemas", []Spec{rule("schemas", name("f"), split(","))}, nil},
	{"path: meta.version", []Spec{rule("meta.version", name("f"))}, nil},
	{"path: meta", []Spec{rule("meta", in(`{}`))}, nil},
	{"twice", []Spec{rule("title", name("f")), rule("TITLE", name("g"))}, nil},
	{"twice, an element", []Spec{rule(`emails[type eq "work"].value`, name("f")), rule(`emails[type eq "WORK"].value`, name("g"))}, nil},
	{"twice, a reference", []Spec{rule(`groups`, name("f"), refers("Group")), rule(`groups.value`, name("g"), refers("Group"))}, nil},
	{"whole and part", []Spec{rule("name", in(`{givenName: "x"}`)), rule("name.givenName", name("g"))}, nil},
	{"whole and element", []Spec{rule("emails", name("f"), split(",")), rule(`emails[type eq "work"].value`, name("g"))}, nil},

	{"complex by a field", []Spec{rule("name", name("f"))}, nil},
	{"several complex by a field", []Spec{rule("emails", name("f"))}, nil},
	{"several by a field", []Spec{rule("test:tags", name("f"))}, nil},
	{"split of one", []Spec{rule("title", name("f"), split(","))}, nil},
	{"split of addresses", []Spec{rule("addresses", name("f"), split(","))}, nil},
	{"split of an element", []Spec{rule(`emails[type eq "work"].value`, name("f"), split(","))}, nil},
	{"nothing said", []Spec{rule("title")}, nil},
	{"only a default", []Spec{rule("title", fallback("x"))}, nil},
	{"out without name", []Spec{rule("title", out("lower(value)"))}, nil},
	{"expression and table", []Spec{rule("title", name("f"), in("value"), table("A", "x"))}, nil},
	{"expression of a reference", []Spec{rule("enterprise:manager.value", name("f"), in("value"), refers("User"))}, nil},
	{"format of text", []Spec{rule("title", name("f"), format("unix"))}, nil},

	{"table: boolean", []Spec{rule("active", name("f"), table("A", "yes"))}, nil},
	{"table: integer", []Spec{rule("test:level", name("f"), table("A", "high"))}, nil},
	{"table: dateTime", []Spec{rule("test:born", name("f"), table("A", "soon"))}, nil},
	{"table: canonical", []Spec{rule("test:kind", name("f"), table("A", "three"))}, nil},
	{"table: nothing", []Spec{rule("active", name("f"), table("", "false"))}, nil},
	{"table: twice", []Spec{rule("active", name("f"), table("A", "true", "A", "false"))}, nil},
	{"default: boolean", []Spec{rule("active", name("f"), fallback("yes"))}, nil},
	{"default: empty", []Spec{rule("title", name("f"), fallback(""))}, nil},
	{"default: reference", []Spec{rule("enterprise:manager.value", name("f"), refers("User"), fallback("7"))}, nil},
	{"default: readOnly", []Spec{rule("title", name("f"), mutable("readOnly"), fallback("x"))}, nil},
	{"refers: unknown", []Spec{rule("enterprise:manager.value", name("f"), refers("Usr"))}, nil},
	{"refers: no value", []Spec{rule("addresses", name("f"), refers("User"))}, nil},
	{"refers: in an element", []Spec{rule(`groups[type eq "direct"].value`, name("f"), refers("Group"))}, nil},
	{"refers: with a table", []Spec{rule("enterprise:manager.value", name("f"), refers("User"), table("A", "x"))}, nil},
	{"refers: a text of one value", []Spec{rule("enterprise:manager.value", name("f"), split(","), refers("User"))}, nil},
	{"refers: a text beside", []Spec{rule("groups", name("side.f"), split(","), refers("Group"))}, func(in *Input) { in.Joins = []string{"side"} }},
	{"refers: a text where there are lists", []Spec{rule("groups", name("f"), split(","), refers("Group"))}, func(in *Input) { in.Lists = true }},
	{"join table without refers", []Spec{rule("groups", join("a", "b", "c"))}, nil},
	{"join table for one value", []Spec{rule("enterprise:manager", join("a", "b", "c"), refers("User"))}, nil},
	{"mutability", []Spec{rule("title", name("f"), mutable("readWrite"))}, nil},
	{"uniqueness", []Spec{rule("title", name("f"), unique("yes"))}, nil},
	{"constant and rule", []Spec{rule("title", name("kind"))}, func(in *Input) { in.Constants = []Constant{{Field: at(92, "kind"), Value: at(92, "x")}} }},
	{"required", nil, func(in *Input) { in.Attributes = nil }},
	{"required, but wrong", nil, func(in *Input) { in.Attributes = in.Attributes[:1]; in.Attributes[0].Field.Value = "" }},

	{"expression: syntax", []Spec{rule("title", in(`record.first last`))}, nil},
	{"expression: too short", []Spec{rule("title", in(`record.first +`))}, nil},
	{"expression: empty part", []Spec{rule("title", in(`record.`))}, nil},
	{"expression: text without end", []Spec{rule("title", in(`record.a + "x`))}, nil},
	{"expression: bracket", []Spec{rule("title", in(`(record.a`))}, nil},
	{"expression: one =", []Spec{rule("title", in(`record.a = "x" ? 1 : 2`))}, nil},
	{"expression: escape", []Spec{rule("title", in(`"a\q"`))}, nil},
	{"expression: function", []Spec{rule("title", in(`uper(record.a)`))}, nil},
	{"expression: own function", []Spec{rule("title", in(`word(record.a)`))}, nil},
	{"expression: piped function", []Spec{rule("title", in(`record.a | trimm()`))}, nil},
	{"expression: unknown function", []Spec{rule("title", in(`zzzzz(record.a)`))}, nil},
	{"expression: name", []Spec{rule("title", in(`recrod.a`))}, nil},
	{"expression: a field without record", []Spec{rule("title", in(`first_name`))}, nil},
	{"expression: value without name", []Spec{rule("title", in(`lower(value)`))}, nil},
	{"expression: resource in in", []Spec{rule("title", in(`resource.userName`))}, nil},
	{"expression: record in out", []Spec{rule("title", name("f"), out(`record.a`))}, nil},
	{"expression: an attribute without resource", []Spec{rule("title", name("f"), out(`lower(username)`))}, nil},
	{"expression: attribute", []Spec{rule("title", name("f"), out(`resource.usrName`))}, nil},
	{"expression: case of an attribute", []Spec{rule("title", name("f"), out(`resource.username`))}, nil},
	{"expression: sub-attribute", []Spec{rule("title", name("f"), out(`"ä" + resource.name.gvenName`)), rule("name.givenName", name("g"))}, nil},
	{"expression: sub-attribute with ?.", []Spec{rule("title", name("f"), out(`resource?.name?.gvenName`)), rule("name.givenName", name("g"))}, nil},
	{"expression: not mapped", []Spec{rule("title", name("f"), out(`resource.nickName`))}, nil},
	{"expression: sub-attribute not mapped", []Spec{rule("title", name("f"), out(`resource.name.familyName`)), rule("name.givenName", name("g"))}, nil},
	{"expression: extension", []Spec{rule("title", name("f"), out(`resource.enterprise.departmnt`)), rule("enterprise:department", name("g"))}, nil},
	{"expression: alias", []Spec{rule("title", name("f"), out(`resource.entrprise.department`)), rule("enterprise:department", name("g"))}, nil},
	{"expression: element", []Spec{rule("title", name("f"), out(`resource.emails[0].vlaue`)), rule("emails.value", name("g"))}, nil},
	{"expression: element by name", []Spec{rule("title", name("f"), out(`resource.emails.value`)), rule("emails.value", name("g"))}, nil},
	{"expression: in a predicate", []Spec{rule("title", name("f"), out(`find(resource.emails, .tpe == "work")?.value`)), rule(`emails[type eq "work"].value`, name("g"))}, nil},
	{"expression: part of a text", []Spec{rule("title", name("f"), out(`resource.userName.first`))}, nil},
	{"expression: in the second line", []Spec{rule("title", name("f"), out("\"é\" +\n  resource.usrName"))}, nil},
	{"expression: mismatch", []Spec{rule("title", name("f"), out(`resource.userName + 1`))}, nil},
	{"expression: mismatch of one", []Spec{rule("title", name("f"), out(`not resource.userName`))}, nil},
	{"expression: argument", []Spec{rule("title", name("f"), out(`lower(resource.active)`)), rule("active", name("a"))}, nil},
	{"expression: no arguments", []Spec{rule("title", in(`lower()`))}, nil},
	{"expression: value's type", []Spec{rule("active", name("f"), in("truth(value)"), out(`lower(value)`))}, nil},
	{"expression: $env", []Spec{rule("title", in(`$env.record.a`))}, nil},
	{"expression: too long", []Spec{rule("title", in(strings.Repeat("1+", 2000)+"1"))}, nil},
	{"result: boolean for text", []Spec{rule("title", in(`record.a == "x"`))}, nil},
	{"result: list for one", []Spec{rule("title", in(`["x"]`))}, nil},
	{"result: object for text", []Spec{rule("title", in(`{a: 1}`))}, nil},
	{"result: number for boolean", []Spec{rule("active", in(`1`))}, nil},
	{"result: text for a complex one", []Spec{rule("name", in(`"x"`))}, nil},
	{"result: list into a field", []Spec{rule("title", name("f"), out(`["x"]`))}, nil},
	{"result: object into a field", []Spec{rule("title", name("f"), out(`{a: 1}`))}, nil},
	{"scope: not a condition", nil, scoped(`"x" + "y"`)},
	{"scope: a field", nil, scoped(`record.visible`)},
	{"scope: perhaps a condition", nil, scoped(`record.a == 1 ? record.b : true`)},
	{"scope: compared with nothing", nil, scoped(`record.kind != ""`)},
	{"scope: over resource", nil, scoped(`resource.userName == "x"`)},
	{"scope: syntax", nil, scoped(`record.kind <> "x"`)},
	{"when: not a condition", nil, conditional(`resource.userName`)},
	{"when: mismatch", nil, conditional(`resource.userName == 1`)},
	{"when: unknown", nil, conditional(`resource.userTyp == "x"`)},

	{"absent: +", []Spec{rule("title", in(`"é" + record.a`))}, nil},
	{"absent: several", []Spec{rule("title", in(`record.a + " " + record.b`))}, nil},
	{"absent: function", []Spec{rule("title", in(`lower(record.a)`))}, nil},
	{"absent: pipe", []Spec{rule("title", in(`record.a | trim() | lower()`))}, nil},
	{"absent: number", []Spec{rule("test:level", in(`record.a * 2`))}, nil},
	{"absent: comparison", []Spec{rule("active", in(`record.a > 2`))}, nil},
	{"absent: condition", []Spec{rule("title", in(`record.a ? "x" : "y"`))}, nil},
	{"absent: not", []Spec{rule("active", in(`not record.a`))}, nil},
	{"absent: compared with nothing", []Spec{rule("active", in(`record.a == ""`))}, nil},
	{"absent: resource", []Spec{rule("title", name("f"), out(`lower(resource.nickName)`)), rule("nickName", name("n"))}, nil},
	{"absent: deeper", []Spec{rule("title", name("f"), out(`resource.name.givenName + "x"`)), rule("name.givenName", name("n"))}, nil},
	{"absent: with ?.", []Spec{rule("title", name("f"), out(`resource.name?.givenName + "x"`)), rule("name.givenName", name("n"))}, nil},
	{"absent: element by position", []Spec{rule("title", name("f"), out(`resource.emails[0].value`)), rule("emails.value", name("e"))}, nil},
	{"absent: in when", []Spec{rule("title", name("f"))}, conditional(`resource.title startsWith "Dr"`)},
	{"absent: in scope", nil, scoped(`record.level + 1 > 3`)},
}

// TestProblems compares what is said of every mistake with a golden file, with
// a caret under what is meant. -update writes it anew.
func TestProblems(t *testing.T) {
	var b strings.Builder
	for _, m := range mistakes {
		input := userInput(append([]Spec{userName()}, m.rules...)...)
		if m.more != nil {
			m.more(&input)
		}
		mapping, ps := Compile(input)
		if len(ps) == 0 {
			t.Errorf("%s: nothing is wrong with it", m.name)
		}
		if (mapping == nil) != Broken(ps) {
			t.Errorf("%s: a mapping %v, broken %v", m.name, mapping != nil, Broken(ps))
		}
		fmt.Fprintf(&b, "# %s\n", m.name)
		for _, p := range ps {
			if p.At.Line == 0 {
				t.Errorf("%s: %q has no line", m.name, p.Message)
			}
			b.WriteString(drawn(t, p))
		}
		b.WriteByte('\n')
	}
	golden(t, "problems.txt", b.String())
}

func drawn(t *testing.T, p Problem) string {
	kind := "mistake"
	if p.Warning {
		kind = "warning"
	}
	var b strings.Builder
	value := p.At.Value
	if len(value) > 200 {
		value = value[:200]
	}
	if p.Offset > len(p.At.Value) || p.Offset+p.Width > len(p.At.Value)+1 {
		t.Errorf("%q: %d+%d is outside of %q", p.Message, p.Offset, p.Width, p.At.Value)
	}
	fmt.Fprintf(&b, "%s in line %d: %s\n", kind, p.At.Line, p.Message)
	if p.Hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", p.Hint)
	}
	from := 0
	for _, line := range strings.Split(value, "\n") {
		fmt.Fprintf(&b, "  | %s\n", line)
		if p.Width > 0 && from <= p.Offset && p.Offset <= from+len(line) {
			before := utf8.RuneCountInString(line[:p.Offset-from])
			width := utf8.RuneCountInString(p.At.Value[p.Offset:min(p.Offset+p.Width, len(p.At.Value))])
			fmt.Fprintf(&b, "  | %s%s\n", strings.Repeat(" ", before), strings.Repeat("^", max(1, width)))
		}
		from += len(line) + 1
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range g {
			if i >= len(w) || g[i] != w[i] {
				t.Fatalf("%s, line %d (-update writes it anew):\n%s", file, i+1, strings.Join(g[max(0, i-3):min(i+4, len(g))], "\n"))
			}
		}
		t.Fatalf("%s is longer (-update writes it anew)", file)
	}
}

// What takes no value does not trigger a warning, nor what is known to be there
// or was thought of.
func TestNoWarnings(t *testing.T) {
	for _, e := range []string{
		`words(record.a, record.b)`, `dateTime(record.a)`, `dateFormat(record.a, "unix")`, `(record.a ?? "") + "x"`, `record.a`,
		`record.a == "x" ? "y" : "z"`, `record.a in ["x"] ? "y" : "z"`, `record.a != nil ? record.a + "x" : nil`, `string(record.a)`, `truth(record.a) ? "x" : "y"`,
		`record.a ?? record.b`, `lower(words(record.a))`, `nil == record.a ? "" : upper(record.a)`,
	} {
		if _, ps := Compile(userInput(userName(), rule("title", in(e)))); len(ps) > 0 {
			t.Errorf("%s: %s", e, told(ps))
		}
	}
	for _, e := range []string{
		`lower(resource.userName)`, `len(resource.emails) > 0 ? "x" : "y"`, `any(resource.emails, .value == "x") ? "x" : "y"`, `words(resource.title)`,
		`resource.active == true ? "x" : "y"`, `get(resource.emails, 0)?.value`, `resource.name?.givenName ?? "x"`, `join(map(resource.emails, .value), ",")`,
	} {
		if _, ps := Compile(userInput(userName(), rule("displayName", name("f"), in("value"), out(e)), rule("title", name("t")), rule("active", name("a")),
			rule("name.givenName", name("g")), rule("emails.value", name("e")))); len(ps) > 0 {
			t.Errorf("%s: %s", e, told(ps))
		}
	}
}

// A schema that cannot be compiled is reported, not believed.
func TestBadSchema(t *testing.T) {
	base := &schema.Schema{ID: "urn:x", Name: "X", Attributes: []*scim.Attribute{{Name: "a"}, {Name: "A"}}}
	m, ps := Compile(Input{Name: "X", Endpoint: "/Xs", At: at(3, "X"), Schema: base})
	if m != nil || len(ps) != 1 || !strings.Contains(ps[0].Message, "declared twice") || ps[0].Error() == "" {
		t.Errorf("%v", told(ps))
	}
	base.Attributes = base.Attributes[:1]
	m, ps = Compile(Input{Name: "X", Endpoint: "no slash", At: at(3, "X"), Schema: base, Attributes: []Spec{rule("a", name("f"))}})
	if m != nil || len(ps) != 1 || !strings.Contains(ps[0].Message, "endpoint") {
		t.Errorf("%v", told(ps))
	}
}
