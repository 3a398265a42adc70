package gateway

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// TestTags: V-06, lists of tags.
func TestTags(t *testing.T) {
	strong := func(s string) provision.Tag { return provision.Tag{Opaque: s} }
	weak := func(s string) provision.Tag { return provision.Tag{Opaque: s, Weak: true} }
	for _, c := range []struct {
		lines []string
		want  []provision.Tag // nil: refused
	}{
		{[]string{`"a"`}, []provision.Tag{strong(`"a"`)}},
		{[]string{`*`}, []provision.Tag{strong(`*`)}},
		{[]string{`"a", W/"b"`, `"c"`}, []provision.Tag{strong(`"a"`), weak(`"b"`), strong(`"c"`)}},
		{[]string{`"a,b" ,"c"`}, []provision.Tag{strong(`"a,b"`), strong(`"c"`)}},
		{[]string{`, "a",,`}, []provision.Tag{strong(`"a"`)}},
		{[]string{`abc, w/def`}, []provision.Tag{strong(`"abc"`), weak(`"def"`)}},
		{[]string{``}, nil},
		{[]string{`"a`}, nil},
		{[]string{`"a"b`}, nil},
		{[]string{`a"b"`}, nil},
		{[]string{`W/`}, nil},
		{[]string{strings.Repeat(`"a",`, mostTags+1)}, nil},
	} {
		got, err := tags(http.Header{"If-Match": c.lines}, "If-Match")
		if (err != nil) != (c.want == nil) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("V-06 %q: %v, %v, want %v", c.lines, got, err, c.want)
		}
	}
	if got, err := tags(http.Header{}, "If-Match"); got != nil || err != nil {
		t.Errorf("V-09: %v, %v", got, err)
	}
}

func TestConditionsOnGet(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	item := r.shelf.items[0]
	item.Set(item.Layout().Meta.Find("version"), scim.Str(`"v1"`))
	for _, c := range []struct {
		header string
		status int
	}{
		{`If-None-Match: "v1"`, 304}, {`If-None-Match: W/"v1"`, 304}, {`If-None-Match: "v0", "v1"`, 304}, {`If-None-Match: *`, 304},
		{`If-None-Match: "v0"`, 200}, {`If-Match: "v1"`, 200}, {`If-Match: *`, 200},
		{`If-Match: "v0"`, 412}, {`If-Match: W/"v1"`, 412}, {`If-Match: "`, 400},
	} {
		a := r.do("GET", "/Users/"+id, "", c.header)
		if a.StatusCode != c.status {
			t.Errorf("V-05 %s: %d, want %d: %s", c.header, a.StatusCode, c.status, a.body)
		}
		if c.status == 304 && (len(a.body) > 0 || a.Header.Get("Etag") != `"v1"`) {
			t.Errorf("V-05 %s: body %q, headers %v", c.header, a.body, a.Header)
		}
	}
}

func FuzzTags(f *testing.F) {
	for _, s := range []string{`"a", W/"b"`, `*`, `a`, `"`, `W/W/"a"`, `,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := tags(http.Header{"If-Match": {line}}, "If-Match")
		if (err == nil) != (len(got) > 0) {
			t.Errorf("%q: %v, %v", line, got, err)
		}
	})
}
