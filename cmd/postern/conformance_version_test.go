package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func (a *answer) etag() string {
	a.t.Helper()
	tag := a.header.Get("Etag")
	if !strings.HasPrefix(tag, `"`) {
		a.t.Fatalf("V-01: ETag %q", tag)
	}
	if a.json != nil && a.json["meta"] != nil && a.at("meta.version") != tag {
		a.t.Errorf("S-36: meta.version %v, ETag %s", a.at("meta.version"), tag)
	}
	return tag
}

// thereAndBack changes a user and takes the change back, within one second, for the
// database notes the second of a change: then the content is the same, and so is
// the version.
func (r *rig) thereAndBack() (version string) {
	r.t.Helper()
	title := func(v string) *answer {
		return r.patch("/Users/{u}", `{"op":"replace","path":"title","value":"`+v+`"}`).want(200)
	}
	for range 100 {
		was := title("T")
		title("U")
		is := title("T")
		if was.at("meta.lastModified") != is.at("meta.lastModified") {
			continue
		}
		if version = is.etag(); version != was.etag() {
			r.t.Errorf("V-02: the same content has %s and %s", was.etag(), version)
		}
		return version
	}
	r.t.Fatal("three changes never were within one second")
	return ""
}

// TestVersions: rows V of the requirements, against the quickstart's database.
func TestVersions(t *testing.T) {
	r := start(t)
	r.do("POST", "/Users", user("v1", `,"title":"T"`)).want(201).keep(r, "u")
	r.run("V-01, V-02, V-07 the version is that of the content", func() {
		first := r.get("/Users/{u}").etag()
		if again := r.get("/Users/{u}").etag(); again != first {
			r.t.Errorf("V-02: %s, then %s", first, again)
		}
		if same := r.patch("/Users/{u}", `{"op":"replace","path":"title","value":"T"}`).want(200).etag(); same != first {
			r.t.Errorf("V-02: a change of nothing makes %s of %s", same, first)
		}
		changed := r.patch("/Users/{u}", `{"op":"replace","path":"title","value":"U"}`).want(200).etag()
		if read := r.get("/Users/{u}").etag(); changed == first || read != changed {
			r.t.Errorf("V-02: %s, changed %s, read %s", first, changed, read)
		}
		first = r.thereAndBack()
		r.do("GET", `/Users?filter=userName eq "v1"`, "").is("Resources.0.meta.version", first)
		r.do("GET", `/Users?filter=meta.version eq "`+strings.ReplaceAll(first, `"`, `\"`)+`"`, "").want(200).is("totalResults", "1").is("Resources.0.userName", "v1")
		r.do("GET", "/Users/{u}?attributes=userName", "", "If-None-Match: "+first).want(304)
	})
	r.run("V-05 nothing new", func() {
		tag := r.get("/Users/{u}").etag()
		r.do("GET", "/Users/{u}", "", "If-None-Match: "+tag).want(304)
		r.do("GET", "/Users/{u}", "", `If-None-Match: "x", W/`+tag).want(304)
		r.do("GET", "/Users/{u}", "", `If-None-Match: "x"`).want(200)
		r.do("PUT", "/Users/{u}", user("v1", ""), "If-None-Match: *").want(412)
	})
	r.run("V-03, V-04, V-06, V-10 changes on condition", func() {
		tag := r.get("/Users/{u}").etag()
		patch := `{` + patchOp + `,"Operations":[{"op":"replace","path":"title","value":"V"}]}`
		r.do("PATCH", "/Users/{u}", patch, `If-Match: "x"`).want(412)
		r.do("PATCH", "/Users/{u}", patch, `If-Match: W/`+tag).want(412)
		r.get("/Users/{u}").is("title", "T")
		now := r.do("PATCH", "/Users/{u}", patch, `If-Match: "x", `+tag).want(200).etag()
		r.do("PUT", "/Users/{u}", user("v1", `,"title":"W"`), "If-Match: "+tag).want(412)
		last := r.do("PUT", "/Users/{u}", user("v1", `,"title":"W"`), "If-Match: "+now).want(200).etag()
		r.do("PATCH", "/Users/{u}", patch, "If-Match: *").want(200)
		r.do("DELETE", "/Users/{u}", "", "If-Match: "+last).want(412)
		r.do("DELETE", "/Users/{u}", "", "If-Match: "+r.get("/Users/{u}").etag()).want(204)
	})
	r.run("V-08 changes behind our back", func() {
		r.do("POST", "/Users", user("v2", `,"title":"T"`)).want(201).keep(r, "u")
		tag := r.get("/Users/{u}").etag()
		r.sql(`UPDATE employee SET nick = 'theirs' WHERE login = 'v2'`)
		r.do("PATCH", "/Users/{u}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"V"}]}`, "If-Match: "+tag).want(412)
		r.get("/Users/{u}").is("title", "T").is("nickName", "theirs")
	})
	r.run("V-01, V-02, V-03 groups and their members", func() {
		r.do("POST", "/Groups", group("vg", "")).want(201).keep(r, "g")
		r.do("POST", "/Users", user("v3", "")).want(201).keep(r, "m")
		tag := r.get("/Groups/{g}").etag()
		if part := r.get("/Groups/{g}?excludedAttributes=members").header.Get("Etag"); part != "" {
			r.t.Errorf("A-09: a version without a look at the members: %s", part)
		}
		join := `{` + patchOp + `,"Operations":[{"op":"add","path":"members","value":[{"value":"{m}"}]}]}`
		r.do("PATCH", "/Groups/{g}", join, `If-Match: "x"`).want(412)
		r.do("PATCH", "/Groups/{g}", join, "If-Match: "+tag).want(200)
		if joined := r.get("/Groups/{g}").etag(); joined == tag {
			r.t.Error("V-02: a new member, and the same version")
		}
		r.do("DELETE", "/Groups/{g}", "", "If-Match: "+tag).want(412)
	})
	r.run("V-09 without versions", func() {
		off := start(r.t, func(yaml string) string { return strings.Replace(yaml, "gateway:\n", "gateway:\n  etags: false\n", 1) })
		a := off.get("/Users/" + off.id("ada.lovelace")).want(200)
		if a.header.Get("Etag") != "" || a.at("meta.version") != nil {
			r.t.Errorf("V-01: %v", a.header)
		}
		off.get("/ServiceProviderConfig").is("etag.supported", "false")
		off.do("PATCH", "/Users/"+off.id("ada.lovelace"), `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"x"}]}`, `If-Match: "1"`).want(412)
	})
}

// TestNoLostUpdate: clients that send If-Match count up in one attribute; each
// success is one step.
func TestNoLostUpdate(t *testing.T) {
	r := start(t)
	r.do("POST", "/Users", user("counter", `,"title":"0"`)).want(201).keep(r, "u")
	const clients, steps = 4, 10
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range clients {
		wg.Go(func() {
			for n := 0; n < steps; {
				a, err := r.send("GET", "/Users/{u}", "")
				if err != nil {
					t.Error(err)
					return
				}
				var was int
				fmt.Sscan(fmt.Sprint(a.at("title")), &was)
				body := fmt.Sprintf(`{%s,"Operations":[{"op":"replace","path":"title","value":"%d"}]}`, patchOp, was+1)
				b, err := r.send("PATCH", "/Users/{u}", body, "If-Match: "+a.header.Get("Etag"))
				switch {
				case err != nil || b.status != 200 && b.status != 412:
					t.Errorf("V-08: %v %+v", err, b)
					return
				case b.status == 200:
					n++
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	r.get("/Users/{u}").is("title", fmt.Sprint(done))
	if done != clients*steps {
		t.Errorf("V-08: %d of %d changes", done, clients*steps)
	}
}
