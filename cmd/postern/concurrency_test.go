package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many clients at once, over HTTP: no update is lost, no name is given twice.

// crowd runs f so many times side by side.
func crowd(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// crowdTime is how long a crowd is at work: CROWD_TIME, or two seconds.
func crowdTime(t *testing.T) time.Duration {
	text := os.Getenv("CROWD_TIME")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal("CROWD_TIME:", err)
	}
	return d
}

// TestLostUpdates lets sixteen clients change one user and one group. Each has an
// attribute, or members, of its own and checks that nobody else undoes them.
func TestLostUpdates(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "timeout: 5s", "timeout: 5s, cache: 1s", 1) })
	r.do("POST", "/Users", user("contested", "")).want(201).keep(r, "u")
	r.do("POST", "/Groups", group("contested", "")).want(201).keep(r, "g")
	users := r.get("/Users", "count", "64").items("Resources")
	paths := []string{"title", "nickName", "displayName", "preferredLanguage", "name.givenName", "name.familyName", `emails[type eq \"work\"].value`, `phoneNumbers[type eq \"work\"].value`,
		`phoneNumbers[type eq \"mobile\"].value`, `addresses[type eq \"work\"].streetAddress`, `addresses[type eq \"work\"].postalCode`, `addresses[type eq \"work\"].locality`,
		enterpriseUser + ":department", enterpriseUser + ":costCenter", enterpriseUser + ":employeeNumber", "externalId"}
	until := time.Now().Add(crowdTime(t))
	var changes, conflicts atomic.Int64
	last := make([]string, len(paths))
	sets := make([][]string, len(paths))
	crowd(len(paths), func(i int) {
		for n := 0; time.Now().Before(until); n++ {
			value := fmt.Sprintf("v%d.%d", i, n)
			a, err := r.send("PATCH", "/Users/{u}", `{`+patchOp+`,"Operations":[{"op":"add","path":"`+paths[i]+`","value":"`+value+`"}]}`)
			switch {
			case err != nil || a.status != 200 && a.status != 409 && a.status != 503:
				t.Errorf("%s: %v %v", paths[i], a, err)
				return
			case a.status != 200:
				conflicts.Add(1)
				continue
			case !strings.Contains(a.body, `"`+value+`"`):
				t.Errorf("%s: the answer lacks %s: %s", paths[i], value, a.body)
				return
			}
			last[i] = value
			member := fmt.Sprint(users[i*4+n%4]["id"])
			op, path := "add", `"path":"members","value":[{"value":"`+member+`"}]`
			if slices.Contains(sets[i], member) {
				op, path = "remove", `"path":"members[value eq \"`+member+`\"]"`
			}
			a, err = r.send("PATCH", "/Groups/{g}", `{`+patchOp+`,"Operations":[{"op":"`+op+`",`+path+`}]}`)
			if err != nil || a.status != 200 {
				t.Errorf("group: %v %v", a, err)
				return
			}
			if op == "add" {
				sets[i] = append(sets[i], member)
			} else {
				sets[i] = slices.DeleteFunc(sets[i], func(m string) bool { return m == member })
			}
			changes.Add(2)
		}
	})
	a := r.get("/Users/{u}").want(200)
	for i, v := range last {
		if v == "" || !strings.Contains(a.body, `"`+v+`"`) {
			t.Errorf("%s: %q was lost: %s", paths[i], v, a.body)
		}
	}
	var want []string
	for _, s := range sets {
		want = append(want, s...)
	}
	slices.Sort(want)
	if got := r.get("/Groups/{g}").values("members", "value"); !slices.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
	t.Logf("%d changes, %d conflicts", changes.Load(), conflicts.Load())
	if changes.Load() < 30 {
		t.Errorf("only %d changes", changes.Load())
	}
	if conflicts.Load() > changes.Load()/10 {
		t.Errorf("%d conflicts in %d changes", conflicts.Load(), changes.Load())
	}
}

// TestOneOfMany: creates of one name in several spellings give one user.
func TestOneOfMany(t *testing.T) {
	r := start(t)
	for round := range 5 {
		var made, refused atomic.Int64
		crowd(16, func(i int) {
			name := fmt.Sprintf("Straße.é.%d", round)
			switch i % 4 {
			case 1:
				name = strings.ToLower(name)
			case 2:
				name = strings.Replace(name, "é", "É", 1)
			case 3:
				name = strings.Replace(strings.ToLower(name), "é", "É", 1)
			}
			a, err := r.send("POST", "/Users", user(name, ""))
			switch {
			case err == nil && a.status == 201:
				made.Add(1)
			case err == nil && a.status == 409 && a.at("scimType") == "uniqueness":
				refused.Add(1)
			default:
				t.Errorf("%v %v", a, err)
			}
		})
		if made.Load() != 1 || refused.Load() != 15 {
			t.Errorf("%d made, %d refused", made.Load(), refused.Load())
		}
		r.get("/Users", "filter", fmt.Sprintf(`userName eq "STRAßE.É.%d"`, round)).is("totalResults", "1")
	}
	r.run("groups, and renames", func() {
		var made atomic.Int64
		crowd(16, func(i int) {
			a, err := r.send("POST", "/Groups", group([]string{"one of mäny", "ONE of mÄny"}[i%2], ""))
			if err == nil && a.status == 201 {
				made.Add(1)
			}
		})
		if made.Load() != 1 {
			r.t.Errorf("%d groups", made.Load())
		}
		ids := r.get("/Users", "count", "16").items("Resources")
		for round := range 5 {
			made.Store(0)
			crowd(16, func(i int) {
				name := fmt.Sprint([]string{"umbenännt", "UmbenÄnnt"}[i%2], round)
				a, err := r.send("PATCH", "/Users/"+fmt.Sprint(ids[i]["id"]), `{`+patchOp+`,"Operations":[{"op":"replace","path":"userName","value":"`+name+`"}]}`)
				if err == nil && a.status == 200 {
					made.Add(1)
				}
			})
			if made.Load() != 1 {
				r.t.Errorf("%d have the name", made.Load())
			}
		}
	})
}

// TestCreateAndDelete lets clients make and delete the same names: nobody ever
// sees an id that another user had.
func TestCreateAndDelete(t *testing.T) {
	r := start(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	until := time.Now().Add(700 * time.Millisecond)
	crowd(8, func(i int) {
		for n := 0; time.Now().Before(until); n++ {
			name := fmt.Sprintf("cd%d", (i+n)%3)
			a, err := r.send("POST", "/Users", user(name, ""))
			if err != nil || a.status != 201 && a.status != 409 {
				t.Errorf("%v %v", a, err)
				return
			}
			if a.status == 409 {
				continue
			}
			id := fmt.Sprint(a.at("id"))
			mu.Lock()
			if seen[id] {
				t.Errorf("S-32: the id %s came back", id)
			}
			seen[id] = true
			mu.Unlock()
			if a, err := r.send("GET", "/Users/"+id, ""); err != nil || a.status != 200 || a.at("userName") != name {
				t.Errorf("%v %v", a, err)
			}
			if a, err := r.send("DELETE", "/Users/"+id, ""); err != nil || a.status != 204 {
				t.Errorf("%v %v", a, err)
			}
			if a, err := r.send("GET", "/Users/"+id, ""); err != nil || a.status != 404 {
				t.Errorf("%v %v", a, err)
			}
		}
	})
	if len(seen) < 10 {
		t.Errorf("only %d users", len(seen))
	}
	r.holds("0", "SELECT count(*) FROM employee WHERE login LIKE 'cd_'")
}

// TestReadersBesideWriters: a list is never torn, and no answer is an error.
func TestReadersBesideWriters(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	until := time.Now().Add(700 * time.Millisecond)
	crowd(8, func(i int) {
		for n := 0; time.Now().Before(until); n++ {
			var a *answer
			var err error
			switch i % 4 {
			case 0: // both attributes always have one value
				a, err = r.send("PATCH", "/Users/"+ada, fmt.Sprintf(`{%s,"Operations":[{"op":"replace","path":"title","value":"x%d"},{"op":"replace","path":"nickName","value":"x%d"}]}`, patchOp, i*100000+n, i*100000+n))
			case 1:
				a, err = r.send("GET", "/Users/"+ada, "")
			case 2:
				a, err = r.send("GET", `/Users?filter=userName eq "ada.lovelace"`, "")
			default:
				a, err = r.send("GET", "/Users?count=200", "")
			}
			if err != nil || a.status != 200 && a.status != 409 {
				t.Errorf("%v %v", a, err)
				return
			}
			if i%4 == 1 && n > 0 && a.at("title") != a.at("nickName") && strings.HasPrefix(fmt.Sprint(a.at("title")), "x") {
				t.Errorf("half of a change is seen: %v, %v", a.at("title"), a.at("nickName"))
			}
		}
	})
}
