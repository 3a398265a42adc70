package gateway

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/corpus"
	"github.com/postern/postern/scim"
)

func testSealer(t testing.TB, now func() time.Time) *sealer {
	s, err := newSealer([]byte(strings.Repeat("k", 32)), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	s.now = now
	return s
}

func kindOf(err error) scim.Keyword {
	var e *scim.Error
	if errors.As(err, &e) {
		return e.Type
	}
	return ""
}

// TestSealer: K-04, K-06, K-13.
func TestSealer(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := testSealer(t, func() time.Time { return now })
	at := place{Position: "k secret-key-42", Total: 7, Count: 3}
	c := s.seal(at, []byte("about"))
	if strings.Contains(c, "secret") || s.seal(at, []byte("about")) == c {
		t.Errorf("K-04: a cursor tells something: %s", c)
	}
	p, err := s.open(c, []byte("about"))
	if err != nil || p.Position != at.Position || p.Total != 7 || p.Count != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := s.open(c, []byte("another")); kindOf(err) != scim.InvalidCursor {
		t.Errorf("K-12: %v", err)
	}
	now = now.Add(time.Minute)
	if _, err := s.open(c, []byte("about")); kindOf(err) != scim.ExpiredCursor {
		t.Errorf("K-13: %v", err)
	}
	if _, err := newSealer([]byte("short"), time.Minute); err == nil {
		t.Error("a key of five bytes")
	}
}

func FuzzCursor(f *testing.F) {
	s := testSealer(f, time.Now)
	others, err := newSealer([]byte(strings.Repeat("o", 32)), time.Minute) // what s sealed would open
	if err != nil {
		f.Fatal(err)
	}
	f.Add(others.seal(place{Position: "k x"}, []byte("about")))
	f.Add("")
	f.Add("AAAA")
	for _, s := range corpus.Texts(f, "FuzzCursor") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := s.open(text, []byte("about")); err == nil || kindOf(err) != scim.InvalidCursor {
			t.Errorf("%q opens: %+v, %v", text, p, err)
		}
	})
}
