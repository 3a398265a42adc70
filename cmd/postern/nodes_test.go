package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Nodes that live, beside each other on one mapping table.

// twoNodes starts two over a backend of whole records that notices nothing.
func twoNodes(t *testing.T, edit ...string) (a, b *rig) {
	t.Helper()
	if testing.Short() {
		t.Skip("processes")
	}
	back, at := newUnreliable(t)
	back.drops = false
	yaml, _ := shared(t, strings.NewReplacer(append(edit,
		`send: changes`, `send: record`, `displayName: shown, `, `displayName: shown, title: title, `)...).Replace(fmt.Sprintf(crashREST, at)))
	r := stage(t, yaml, "")
	node := func() *rig { return &rig{t: t, dir: r.dir, base: r.fork().base, token: r.token} }
	return node(), node()
}

// settles replaces one attribute; a 409 or 503 says to try again.
func (r *rig) settles(id, attribute, value string) {
	body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"` + attribute + `","value":"` + value + `"}]}`
	for range 20 {
		a, err := r.send("PATCH", "/Users/"+id, body)
		switch {
		case err != nil:
			r.t.Error(err)
			return
		case a.status == 200:
			return
		case a.status != 409 && a.status != 503:
			r.t.Errorf("%d %s", a.status, a.body)
			return
		}
	}
	r.t.Error("no patch goes through")
}

// TestNodesChangeOne: two nodes change one record, of which each writes the whole:
// what the one has written the other does not undo.
func TestNodesChangeOne(t *testing.T) {
	a, b := twoNodes(t)
	id := fmt.Sprint(a.do("POST", "/Users", user("both", `,"displayName":"d","title":"t"`)).want(201).at("id"))
	const rounds = 15
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range rounds {
			a.settles(id, "displayName", fmt.Sprint("d", n))
		}
	})
	wg.Go(func() {
		for n := range rounds {
			b.settles(id, "title", fmt.Sprint("t", n))
		}
	})
	wg.Wait()
	last := fmt.Sprint(rounds - 1)
	a.get("/Users/"+id).want(200).is("displayName", "d"+last).is("title", "t"+last)
	b.get("/Users/"+id).want(200).is("displayName", "d"+last).is("title", "t"+last)
}

// TestNodesCreateOne: a person that clients create through two nodes at the same
// moment is one account.
func TestNodesCreateOne(t *testing.T) {
	a, b := twoNodes(t)
	for n := range 10 {
		var made [4]*answer
		var wg sync.WaitGroup
		for i := range made {
			wg.Go(func() {
				at := []*rig{a, b}[i%2]
				made[i], _ = at.send("POST", "/Users", user(fmt.Sprint("one", n), ""))
			})
		}
		wg.Wait()
		created := 0
		for _, m := range made {
			switch {
			case m == nil:
				t.Fatal("no answer")
			case m.status == 201:
				created++
			case m.status != 409 && m.status != 503:
				t.Errorf("%d %s", m.status, m.body)
			}
		}
		if total := a.get("/Users", "filter", fmt.Sprintf(`userName eq "one%d"`, n)).total(); created != 1 || total != 1 {
			t.Errorf("%d were created, and %d are there", created, total)
		}
	}
}

// TestNodesCache: what one node remembers it forgets when another one has written.
func TestNodesCache(t *testing.T) {
	a, b := twoNodes(t, `timeout: 5s`, `timeout: 5s, cache: 10m`)
	id := fmt.Sprint(a.do("POST", "/Users", user("cached", `,"displayName":"old"`)).want(201).at("id"))
	for n := 0; n < 2; n++ {
		a.get("/Users/" + id).want(200)
		b.get("/Users/" + id).want(200)
	}
	// They learn of each other within seconds, and until then tell nothing.
	for until := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		value := fmt.Sprint("new ", time.Now().UnixNano())
		b.settles(id, "displayName", value)
		time.Sleep(300 * time.Millisecond)
		if a.get("/Users/"+id).want(200).at("displayName") == value {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the other node answers what was")
		}
	}
}
