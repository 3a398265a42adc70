package memory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
)

func filled(t *testing.T, o memory.Options, nicks ...string) *memory.Adapter {
	t.Helper()
	o.Fields = []memory.Field{{Name: "nick"}}
	a := memory.New(o)
	for _, n := range nicks {
		if _, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, adapters.Key(n), map[string]any{"nick": n}), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// TestOrderOfKeys: numbers by value before texts by bytes; other spellings of
// a number are texts.
func TestOrderOfKeys(t *testing.T) {
	a := filled(t, memory.Options{GivenKeys: true}, "b", "10", "9", "a", "-1", "010", "é", "B", "+3")
	page, err := a.List(t.Context(), adapters.Query{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Records {
		got = append(got, string(r.Key))
	}
	if want := []string{"-1", "9", "10", "+3", "010", "B", "a", "b", "é"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCursorStays follows pages while records come and go: those that are there
// all the time come exactly once.
func TestCursorStays(t *testing.T) {
	a := filled(t, memory.Options{GivenKeys: true}, "a", "b", "c", "d", "e", "f")
	by := []adapters.Sort{{Field: "nick", Match: filter.Exact, Descending: true}}
	q := adapters.Query{Limit: 2, Sort: by}
	var got []string
	for i := range 10 {
		page, err := a.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			got = append(got, string(r.Key))
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
		if i == 0 { // the last record of the page before goes, another comes before it
			if err := a.Delete(t.Context(), "e"); err != nil {
				t.Fatal(err)
			}
			r := adapters.FromMap(a.Capabilities().Shape, "z", map[string]any{"nick": "z"})
			if _, err := a.Create(t.Context(), r, adapters.Fields{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := []string{"f", "e", "d", "c", "b", "a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCursorOfAnotherSort is refused, not misread.
func TestCursorOfAnotherSort(t *testing.T) {
	a := filled(t, memory.Options{}, "", "", "")
	page, err := a.List(t.Context(), adapters.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	q := adapters.Query{Limit: 1, Cursor: page.Next, Sort: []adapters.Sort{{Field: "nick", Match: filter.Exact}}}
	if _, err := a.List(t.Context(), q); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestCursorKeepsBytes(t *testing.T) {
	nicks := []string{"\xff1", "\xff2", "\xff3", "\x00", "é"}
	a := filled(t, memory.Options{GivenKeys: true}, nicks...)
	q := adapters.Query{Limit: 1, Sort: []adapters.Sort{{Field: "nick", Match: filter.Exact}}}
	n := 0
	for range 10 {
		page, err := a.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Records)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if n != len(nicks) {
		t.Errorf("%d records, want %d", n, len(nicks))
	}
}

// TestValues stores what is in no record's types, and lists where there is none.
func TestValues(t *testing.T) {
	a := memory.New(memory.Options{Fields: []memory.Field{{Name: "one"}, {Name: "many", Multi: true}}})
	for _, values := range []map[string]any{
		{"one": 1}, {"one": []string{"x"}}, {"many": "x"}, {"one": struct{}{}}, {"many": []any{"x"}},
	} {
		r := adapters.FromMap(a.Capabilities().Shape, "", values)
		if _, err := a.Create(t.Context(), r, adapters.Fields{}); !adapters.Is(err, adapters.Invalid) {
			t.Errorf("create %#v: %v", values, err)
		}
	}
	r := adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"one": "", "many": []string{}})
	made, err := a.Create(t.Context(), r, adapters.AllFields)
	if err != nil || made.Get("one") != nil || made.Get("many") != nil {
		t.Errorf("%#v, %v", made.Values(), err)
	}
	if _, err := a.Update(t.Context(), made.Key, adapters.Delta{Set: []adapters.Change{{Field: "other", New: "x"}}}, adapters.Fields{}); !adapters.Is(err, adapters.Unsupported) {
		t.Errorf("update of an unknown field: %v", err)
	}
}

// TestSwitchedOff: what Restrict takes away is refused.
func TestSwitchedOff(t *testing.T) {
	a := memory.New(memory.Options{Restrict: []func(*adapters.Capabilities){func(c *adapters.Capabilities) {
		c.NoCreate, c.NoUpdate, c.NoDelete = true, true, true
	}}})
	_, create := a.Create(t.Context(), adapters.NewRecord(a.Capabilities().Shape, ""), adapters.Fields{})
	_, update := a.Update(t.Context(), "1", adapters.Delta{}, adapters.Fields{})
	for op, err := range map[string]error{"create": create, "update": update, "delete": a.Delete(t.Context(), "1")} {
		if !adapters.Is(err, adapters.Unsupported) {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func Example() {
	rel := memory.NewRelation()
	groups := memory.New(memory.Options{
		Fields: []memory.Field{{Name: "title", Unique: true}, {Name: "members", Relation: rel}},
	})
	fmt.Println(groups.Capabilities().Shape.Names())
	// Output: [title members]
}
