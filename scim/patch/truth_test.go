package patch

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// A truth is a line of testdata/truth.txt.
type truth struct {
	line                              int
	kind, state, attr, mutability, op string
	path, value, before, want         string
}

func truths(t *testing.T) []truth {
	t.Helper()
	data, err := os.ReadFile("testdata/truth.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []truth
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 9 {
			t.Fatalf("line %d has %d fields", i+1, len(f))
		}
		all = append(all, truth{line: i + 1, kind: f[0], state: f[1], attr: f[2], mutability: f[3], op: f[4],
			path: f[5], value: f[6], before: f[7], want: f[8]})
	}
	return all
}

func (c *truth) body() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, `{"schemas":[%q],"Operations":[{"op":%q`, scim.PatchOpMessage, c.op)
	switch c.path {
	case "-":
	case `""`:
		b.WriteString(`,"path":""`)
	default:
		fmt.Fprintf(b, `,"path":%q`, c.path)
	}
	if c.value != "-" {
		b.WriteString(`,"value":` + c.value)
	}
	b.WriteString("}]}")
	return b.String()
}

func (c *truth) change() func(*scim.Attribute) {
	return map[string]func(*scim.Attribute){
		"rw": func(*scim.Attribute) {},
		"ro": func(a *scim.Attribute) { a.Mutability = scim.ReadOnly },
		"im": func(a *scim.Attribute) { a.Mutability = scim.Immutable },
		"wo": func(a *scim.Attribute) { a.Mutability = scim.WriteOnly },
		"rq": func(a *scim.Attribute) { a.Required = true },
	}[c.mutability]
}

// TestTruth is the PATCH truth table: op x kind of path x state of the target x
// mutability (P-22, P-30..P-60). The table was not made by this package.
func TestTruth(t *testing.T) {
	types := map[string]*schema.ResourceType{}
	all := truths(t)
	if len(all) < 2000 {
		t.Fatalf("only %d truths", len(all))
	}
	for _, c := range all {
		name := fmt.Sprintf("%d %s, %s, %s, %s %s", c.line, c.op, c.kind, c.state, c.mutability, c.attr)
		t.Run(name, func(t *testing.T) {
			key := c.mutability + " " + c.attr
			if types[key] == nil {
				types[key] = thing(t, strings.TrimPrefix(c.attr, "-"), c.change())
			}
			c.check(t, types[key])
		})
	}
}

func (c *truth) check(t *testing.T, rt *schema.ResourceType) {
	before := resource(t, rt.Layout, c.before)
	after, err := apply(t, rt, before, c.body(), Options{})
	got, want := "", c.want
	switch {
	case err != nil:
		got = keyword(err)
		if !strings.Contains(err.Error(), "Operations[0]: ") {
			t.Errorf("the error does not name the operation: %v", err)
		}
	default:
		got = show(after)
	}
	switch {
	case want == "=":
		want = show(before)
	case strings.HasPrefix(want, "{"):
		want = show(resource(t, rt.Layout, want))
	}
	if got != want {
		t.Errorf("%s\n  before %s\n  got    %s\n  want   %s\n  %v", c.body(), c.before, got, want, err)
	}
}
