package provision

import (
	"slices"
	"testing"
)

// TestNicknames: a key that has been given away means no other element, ever (GW-13).
func TestNicknames(t *testing.T) {
	var none nicknames
	if got := none.keys([]string{"a", "b"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a mark is the key: %q", got)
	}
	n, ok := none.with("a", "x") // a has become x
	if got := n.keys([]string{"x", "b"}); !ok || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the key stays: %q", got)
	}
	alone, beside := n.keys([]string{"a"}), n.keys([]string{"x", "a"})
	if alone[0] == "a" || alone[0] != beside[1] || beside[0] != "a" {
		t.Errorf("what is like a was: %q, and beside it %q", alone, beside)
	}
	n, _ = n.with("b", "x") // a has gone meanwhile, and b is now what a was
	if got := n.keys([]string{"x", "a"}); got[0] != "b" || got[1] == "a" || len(n.fresh) != 2 {
		t.Errorf("two nicknames of one mark: %q", got)
	}
	for i := 0; ok; i++ {
		n, ok = n.with(string(rune('A'+i)), string(rune(0x4e00+i)))
		if i > mostNicknames {
			t.Fatal("they have no end")
		}
	}
}
