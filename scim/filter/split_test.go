package filter

import (
	"testing"

	"pgregory.net/rapid"
)

var leafNames = []string{"p", "q", "r", "x", "y", "z"}

// drawExpr draws a bound tree of any shape, constants included.
func drawExpr(t *rapid.T, depth int, inElement bool) Expr {
	kinds := 7
	if depth == 0 {
		kinds = 3
	}
	terms := func() []Expr {
		out := make([]Expr, rapid.IntRange(2, 3).Draw(t, "terms"))
		for i := range out {
			out[i] = drawExpr(t, depth-1, inElement)
		}
		return out
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 3:
		return Not{drawExpr(t, depth-1, inElement)}
	case 4:
		return And(terms())
	case 5:
		return Or(terms())
	case 6:
		if !inElement {
			return &Element{Name: rapid.SampledFrom(leafNames).Draw(t, "name"), Where: drawExpr(t, depth-1, true)}
		}
	}
	return drawCompare(t)
}

func drawCompare(t *rapid.T) *Compare {
	c := &Compare{Name: rapid.SampledFrom(leafNames).Draw(t, "name"), Match: Folded,
		Op: rapid.SampledFrom([]Op{Eq, Ne, Co, Gt, Le, Pr}).Draw(t, "op")}
	if c.Op != Pr {
		c.Value = StringValue(rapid.SampledFrom([]string{"a", "B", "ab", ""}).Draw(t, "value"))
	}
	if c.Op <= Ne && rapid.Bool().Draw(t, "null") {
		c.Value = Value{}
	}
	return c
}

func drawObject(t *rapid.T, depth int) object {
	o := object{values: map[string][]Value{}, elements: map[string][]object{}}
	for _, n := range leafNames {
		o.values[n] = strs(rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "A", "b", "ab"}), 0, 2).Draw(t, "values")...)
		o.values["back_"+n] = o.values[n]
		for i := 0; depth > 0 && i < rapid.IntRange(0, 2).Draw(t, "elements"); i++ {
			o.elements[n] = append(o.elements[n], drawObject(t, depth-1))
		}
		o.elements["back_"+n] = o.elements[n]
	}
	o.values["always"] = strs("a")
	return o
}

// A backend answers some leaves, under names of its own. It knows of "always"
// that it has a value.
type backend struct {
	names map[string]bool
	ops   Ops
}

func (b backend) push(leaf Expr) (Expr, bool) {
	switch l := leaf.(type) {
	case *Compare:
		if !b.names[l.Name] || !b.ops.Has(l.Op) {
			return nil, false
		}
		if l.Value.Kind == String && l.Value.Str == "" && l.Op == Eq {
			return False{}, true // nothing equals the empty string
		}
		c := *l
		c.Name = "back_" + l.Name
		return &c, true
	case *Element:
		e := *l
		e.Name = "back_" + l.Name
		return &e, b.names[l.Name]
	}
	return nil, false
}

// within reports whether a pushed tree holds only what the backend can answer.
func (b backend) within(e Expr, caps Caps) (ok bool) {
	ok = true
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case Or:
			ok = ok && caps.Or
		case Not:
			ok = ok && caps.Not
		case *Compare:
			ok = ok && b.names[e.Name[len("back_"):]] && b.ops.Has(e.Op)
		case *Element:
			ok = ok && b.names[e.Name[len("back_"):]]
			return false // the backend took it as a whole
		case True:
			ok = false
		}
		return true
	})
	return ok
}

// F-34: e is pushed AND rest, and what is pushed is within what the backend can.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpr(t, 3, false)
		b := backend{names: map[string]bool{}}
		for _, n := range leafNames {
			b.names[n] = rapid.IntRange(0, 3).Draw(t, "pushable") > 0
		}
		b.ops = AllOps
		if rapid.Bool().Draw(t, "only some operators") {
			b.ops = Ops(rapid.IntRange(0, int(AllOps)).Draw(t, "ops"))
		}
		caps := Caps{Or: rapid.Bool().Draw(t, "or"), Not: rapid.Bool().Draw(t, "not")}
		pushed, rest := Split(e, b.push, caps)
		if !b.within(pushed, caps) {
			t.Fatalf("%s: %s was pushed", Print(e), Print(pushed))
		}
		for range 4 {
			o := drawObject(t, 1)
			if want, got := Matches(e, o), Matches(pushed, o) && Matches(rest, o); got != want {
				t.Fatalf("%s is %v; %s AND %s is %v", Print(e), want, Print(pushed), Print(rest), got)
			}
		}
	})
}

// Simplify keeps the meaning, and leaves no constant but for [true].
func TestSimplify(t *testing.T) {
	withConstants := func(t *rapid.T) Expr {
		e := drawExpr(t, 3, false)
		return replaceLeaves(t, e)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := withConstants(t)
		s := Simplify(e)
		for range 3 {
			o := drawObject(t, 1)
			if Matches(e, o) != Matches(s, o) {
				t.Fatalf("%s is %v; %s is not", Print(e), Matches(e, o), Print(s))
			}
		}
		if !Equal(Simplify(s), s) {
			t.Fatalf("%s simplifies to %s and then to %s", Print(e), Print(s), Print(Simplify(s)))
		}
		top := true
		Walk(s, func(e Expr) bool {
			switch e := e.(type) {
			case True, False:
				if !top {
					t.Fatalf("a constant in %s", Print(s))
				}
			case *Element:
				if _, all := e.Where.(True); all {
					return false
				}
			}
			top = false
			return true
		})
	})
}

// replaceLeaves puts constants, and nil under Not, in place of some leaves.
func replaceLeaves(t *rapid.T, e Expr) Expr {
	all := func(terms []Expr) []Expr {
		out := make([]Expr, len(terms))
		for i, x := range terms {
			out[i] = replaceLeaves(t, x)
		}
		return out
	}
	switch e := e.(type) {
	case And:
		return And(all(e))
	case Or:
		return Or(all(e))
	case Not:
		return Not{replaceLeaves(t, e.Term)}
	case *Element:
		return &Element{Name: e.Name, Where: replaceLeaves(t, e.Where)}
	}
	switch rapid.IntRange(0, 5).Draw(t, "constant") {
	case 0:
		return True{}
	case 1:
		return False{}
	}
	return e
}

// Print and Parse are inverse, for every tree without constants.
func TestPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpr(t, 4, false)
		Walk(e, func(e Expr) bool {
			if c, ok := e.(*Compare); ok && c.Value.Kind == String {
				c.Value.Str = rapid.String().Draw(t, "value")
			} else if ok && c.Op != Pr && c.Value.Kind == Null {
				c.Value = rapid.SampledFrom([]Value{{}, BoolValue(true), BoolValue(false), IntValue(-7), NumberValue("1.5e-3")}).Draw(t, "value")
			}
			return true
		})
		text := Print(e)
		again, err := Parse(text, unbounded)
		if err != nil || !Equal(e, again) {
			t.Fatalf("%s: %v %v", text, again, err)
		}
	})
}

func TestPrintText(t *testing.T) {
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{nil, ""},
		{True{}, "true"},
		{False{}, "false"},
		{&Element{Name: "a", Where: True{}}, "a[true]"},
		{&Compare{Name: "a", Op: Eq, Value: StringValue("\"\\\n\x00é\u2028\xff")}, `a eq "\"\\\u000a\u0000é` + "\u2028\uFFFD" + `"`},
		{And{Or{&Compare{Name: "a", Op: Pr}, Not{&Compare{Name: "b", Op: Pr}}}, &Compare{Name: "c", Op: Lt, Value: IntValue(5)}},
			"(a pr or not (b pr)) and c lt 5"},
	} {
		if got := Print(c.e); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestSplitCases(t *testing.T) {
	b := backend{names: map[string]bool{"p": true, "q": true, "r": true}, ops: AllOps}
	all := Caps{Or: true, Not: true}
	for _, c := range []struct {
		text         string
		caps         Caps
		pushed, rest string
	}{
		{`p pr`, Caps{}, `back_p pr`, ``},
		{`x pr`, all, ``, `x pr`},
		{`p pr and x pr and q eq "a"`, Caps{}, `back_p pr and back_q eq "a"`, `x pr`},
		{`(p pr and x pr) and (q pr and y pr)`, Caps{}, `back_p pr and back_q pr`, `x pr and y pr`},
		{`p pr or q pr`, Caps{}, ``, `p pr or q pr`},
		{`p pr or q pr`, all, `back_p pr or back_q pr`, ``},
		{`p pr or x pr`, all, ``, `p pr or x pr`},
		{`p eq "a" or q eq "a"`, Caps{Not: true}, `not (not (back_p eq "a") and not (back_q eq "a"))`, ``},
		{`not (p eq "a")`, Caps{}, ``, `not (p eq "a")`},
		{`not (p eq "a")`, all, `not (back_p eq "a")`, ``},
		{`not (p pr)`, Caps{}, `back_p eq null`, ``},
		{`not (p eq null)`, Caps{}, `back_p pr`, ``},
		{`not (p ne null)`, Caps{}, `back_p eq null`, ``},
		{`not (p pr or x pr)`, Caps{}, `back_p eq null`, `not (x pr)`},
		{`not (p pr and q pr)`, Caps{Or: true}, `back_p eq null or back_q eq null`, ``},
		{`not (p pr and x pr)`, all, ``, `not (p pr and x pr)`},
		{`not (not (p eq "a"))`, Caps{}, `back_p eq "a"`, ``},
		{`not (not (p eq "a" and x pr))`, Caps{}, `back_p eq "a"`, `x pr`},
		{`p[type eq "work"] and x[type pr]`, Caps{}, `back_p[type eq "work"]`, `x[type pr]`},
		{`p eq "" and x pr`, Caps{}, `false`, ``},
		{`not (p eq "") and x pr`, all, ``, `x pr`},
		{`p eq "" or q pr`, all, `back_q pr`, ``},
	} {
		pushed, rest := Split(bound(t, c.text, Folded), b.push, c.caps)
		if Print(pushed) != c.pushed || Print(rest) != c.rest {
			t.Errorf("F-34 %s %+v: pushed %q, rest %q", c.text, c.caps, Print(pushed), Print(rest))
		}
	}
	if pushed, rest := Split(nil, b.push, all); pushed != nil || rest != nil {
		t.Errorf("nil splits into %v and %v", pushed, rest)
	}
}

func TestAndOf(t *testing.T) {
	a, b := &Compare{Name: "a", Op: Pr}, &Compare{Name: "b", Op: Pr}
	for _, c := range []struct{ got, want Expr }{
		{AndOf(), nil},
		{AndOf(nil, nil), nil},
		{AndOf(nil, True{}), True{}},
		{AndOf(a, nil), a},
		{AndOf(a, False{}), False{}},
		{AndOf(And{a, b}, True{}, a), And{a, b, a}},
		{OrOf(), False{}},
		{OrOf(a, nil), True{}},
		{OrOf(False{}, a), a},
		{OrOf(Or{a, b}, b), Or{a, b, b}},
		{NotOf(nil), False{}},
		{NotOf(Not{a}), a},
	} {
		if !Equal(c.got, c.want) {
			t.Errorf("got %s, want %s", Print(c.got), Print(c.want))
		}
	}
}

func TestWalk(t *testing.T) {
	e := bound(t, `a pr and not (b[c pr or d pr]) and (e pr or f pr)`, Exact)
	names := ""
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Compare:
			names += e.Name
		case *Element:
			names += e.Name + "["
			return false
		}
		return true
	})
	if names != "ab[ef" {
		t.Error(names)
	}
	Walk(nil, func(Expr) bool { t.Error("nil is no node"); return true })
}
