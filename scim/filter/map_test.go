package filter

import "testing"

// TestMap: every leaf is given, wherever it stands, and an element as a whole.
func TestMap(t *testing.T) {
	e, err := Parse(`a eq 1 and (not (b eq 2) or c[d eq 3])`, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got := Print(Map(e, func(leaf Expr) Expr {
		if c, ok := leaf.(*Compare); ok && c.Name == "b" {
			return True{}
		}
		return leaf
	}))
	if want := Print(And{e.(And)[0], Or{Not{Term: True{}}, e.(And)[1].(Or)[1]}}); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if Map(nil, func(Expr) Expr { return True{} }) != nil {
		t.Error("no filter became one")
	}
}
