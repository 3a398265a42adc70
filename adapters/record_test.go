package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/adapters"
)

func TestShape(t *testing.T) {
	s := adapters.NewShape("login", "mail", "login", "note")
	if got := s.Names(); !slices.Equal(got, []string{"login", "mail", "note"}) || s.Len() != 3 {
		t.Errorf("names: %v", got)
	}
	for name, want := range map[string]int{"login": 0, "mail": 1, "note": 2, "Login": -1, "": -1} {
		if got := s.Index(name); got != want {
			t.Errorf("Index(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestRecord(t *testing.T) {
	s := adapters.NewShape("login", "mail")
	r := adapters.NewRecord(s, "7")
	r.Set("mail", "a@x")
	r.Set("no such field", "lost")
	r.SetAt(0, "alice")
	if r.Get("mail") != "a@x" || r.At(1) != "a@x" || r.Get("login") != "alice" || r.Get("no such field") != nil {
		t.Errorf("the record holds %v", r.Values())
	}
	c := r.Clone()
	c.Set("mail", "b@x")
	if r.Get("mail") != "a@x" || c.Key != "7" {
		t.Errorf("the clone shares values: %v", r.Values())
	}
	if r.IsZero() || !(adapters.Record{}).IsZero() || (adapters.Record{}).Get("mail") != nil || (adapters.Record{}).Shape() != nil {
		t.Error("the zero Record is not what it should be")
	}
}

func TestFromMap(t *testing.T) {
	s := adapters.NewShape("login", "mail")
	r := adapters.FromMap(s, "7", map[string]any{"mail": "a@x", "other": 1})
	if r.Key != "7" || r.Get("mail") != "a@x" || r.Get("login") != nil {
		t.Errorf("%q %v", r.Key, r.Values())
	}
}

func TestNoValue(t *testing.T) {
	for _, v := range []any{nil, "", []string{}, []string(nil), []byte{}} {
		if !adapters.NoValue(v) {
			t.Errorf("%#v is a value", v)
		}
	}
	for _, v := range []any{" ", int64(0), 0.0, false, []string{""}, []byte{0}, time.Time{}} {
		if adapters.NoValue(v) {
			t.Errorf("%#v is no value", v)
		}
	}
}

// TestFields uses more than 64 fields, so that sets take more than one word.
func TestFields(t *testing.T) {
	names := make([]string, 130)
	for i := range names {
		names[i] = fmt.Sprint("f", i)
	}
	s := adapters.NewShape(names...)
	a, b := s.FieldSet("f0", "f64", "unknown"), s.FieldSet("f129", "f0")
	for _, c := range []struct {
		what string
		set  adapters.Fields
		want []int
	}{
		{"a", a, []int{0, 64}},
		{"b", b, []int{0, 129}},
		{"both", a.Union(b), []int{0, 64, 129}},
		{"both, the other way", b.Union(a), []int{0, 64, 129}},
		{"a and none", a.Union(adapters.Fields{}), []int{0, 64}},
		{"none and a", adapters.Fields{}.Union(a), []int{0, 64}},
		{"none", adapters.Fields{}, nil},
	} {
		var got []int
		for i := range 200 {
			if c.set.Has(i) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	if !a.Union(adapters.AllFields).Has(1000) || !adapters.AllFields.Union(a).Has(1000) {
		t.Error("a set with AllFields is not all fields")
	}
	a.Union(b)
	if a.Has(129) {
		t.Error("Union changed its receiver")
	}
}

func TestSplitKey(t *testing.T) {
	for _, c := range []struct {
		key  adapters.Key
		n    int
		want string // parts joined by " / ", "-" if there are not n
	}{
		{"7", 1, "7"},
		{"a|b", 1, "a|b"},
		{`a\`, 1, `a\`},
		{"a|b", 2, "a / b"},
		{"|", 2, " / "},
		{`a\|b|c`, 2, "a|b / c"},
		{`a\\|b`, 2, `a\ / b`},
		{"a", 2, "-"},
		{"a|b|c", 2, "-"},
		{`a\|b`, 2, "-"},
		{`\a|b`, 2, "-"}, // another spelling of a|b
		{`a|b\`, 2, "-"},
		{"", 2, "-"},
	} {
		parts, ok := adapters.SplitKey(c.key, c.n)
		got := strings.Join(parts, " / ")
		if !ok {
			got = "-"
		}
		if got != c.want {
			t.Errorf("SplitKey(%q, %d) = %q, want %q", c.key, c.n, got, c.want)
		}
	}
}

func TestJoinKeyRoundTrip(t *testing.T) {
	part := rapid.StringOf(rapid.SampledFrom([]rune{'a', '|', '\\', 'é', '\x00'}))
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(part, 1, 4).Draw(t, "parts")
		key := adapters.JoinKey(parts...)
		got, ok := adapters.SplitKey(key, len(parts))
		if !ok || !slices.Equal(got, parts) {
			t.Fatalf("%q became %q and then %q", parts, key, got)
		}
	})
}

// FuzzSplitKey: a key that can be taken apart is put together again as it was.
func FuzzSplitKey(f *testing.F) {
	for _, seed := range []string{"", "7", "a|b", `a\|b|c`, `\`, `a|b\`, "|||"} {
		f.Add(seed, 2)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		parts, ok := adapters.SplitKey(adapters.Key(text), n)
		if ok && (len(parts) != n || adapters.JoinKey(parts...) != adapters.Key(text)) {
			t.Errorf("%q became %q", text, parts)
		}
	})
}

func TestError(t *testing.T) {
	cause := errors.New("cause")
	e := &adapters.Error{Kind: adapters.Exists, Op: "create", Field: "login", Err: cause}
	wrapped := fmt.Errorf("outer: %w", e)
	if got := e.Error(); got != "create: exists (login): cause" {
		t.Errorf("Error() = %q", got)
	}
	if !errors.Is(wrapped, cause) || adapters.KindOf(wrapped) != adapters.Exists || !adapters.Is(wrapped, adapters.Exists) {
		t.Error("a wrapped error loses its kind or its cause")
	}
	if adapters.Is(cause, adapters.Internal) || adapters.Is(nil, adapters.Internal) || adapters.KindOf(cause) != adapters.Internal {
		t.Error("an error without a kind is Internal, and no error is none")
	}
	if got := adapters.Errorf(adapters.Conflict, "update", "%d times", 2).Error(); got != "update: conflict: 2 times" {
		t.Errorf("Errorf: %q", got)
	}
	for k := adapters.Internal; k <= adapters.Unsupported; k++ {
		if k.String() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

func TestDeltaEmpty(t *testing.T) {
	if !(adapters.Delta{}).Empty() || !(adapters.Delta{Before: adapters.NewRecord(adapters.NewShape("a"), "1")}).Empty() {
		t.Error("a delta without changes is not empty")
	}
	if (adapters.Delta{Set: make([]adapters.Change, 1)}).Empty() || (adapters.Delta{Members: make([]adapters.MemberChange, 1)}).Empty() {
		t.Error("a delta with changes is empty")
	}
}

func TestMayCache(t *testing.T) {
	ctx, cancel := context.WithCancel(adapters.WithoutCache(t.Context()))
	defer cancel()
	if !adapters.MayCache(t.Context()) || adapters.MayCache(ctx) {
		t.Error("WithoutCache does not reach what is derived from it, or more than that")
	}
}
