package provision_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

func TestReplace(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	boss := r.user(`{"userName":"boss"}`)
	id := r.user(`{"userName":"ann","externalId":"E","title":"x","nickName":"n","name":{"givenName":"Ann"},"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","manager":{"value":%q}}}`, boss)
	t.Run("U-02", func(t *testing.T) {
		_, err := r.tryReplace(c, "nobody", `{"userName":"x"}`)
		refused(t, "unknown id", err, 404, "")
	})
	t.Run("U-03 U-04 U-06 U-08 U-10", func(t *testing.T) {
		res, err := r.tryReplace(c, id, `{"userName":"ann","id":"forged","externalId":"F","title":"y","emails":[{"type":"work","value":"c@x"}],"groups":[{"value":"x"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "id", res.ID(), id)
		equal(t, "externalId", value(t, c, res, "externalId"), any("F"))
		equal(t, "title", value(t, c, res, "title"), any("y"))
		equal(t, "nickName", value(t, c, res, "nickName"), any(nil))
		equal(t, "emails", fmt.Sprint(value(t, c, res, "emails")), "[map[type:work value:c@x]]")
		equal(t, "extension", value(t, c, res, scim.EnterpriseUserSchema), any(nil))
		equal(t, "get", text(c, r.get(c, id)), text(c, res))
		l := r.list(c, `externalId eq "F"`)
		equal(t, "by externalId", fmt.Sprint(ids(l)), fmt.Sprint([]string{id}))
	})
	t.Run("U-11", func(t *testing.T) {
		res := r.get(c, id)
		r.users.reset()
		again, err := r.tryReplace(c, id, text(c, res))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "answer", text(c, again), text(c, res))
		equal(t, "updates", r.users.updates.Load(), int64(0))
	})
	t.Run("U-13", func(t *testing.T) {
		other := r.user(`{"userName":"other"}`)
		g := r.group(`{"displayName":"g","members":[{"value":%q},{"value":%q},{"value":%q}]}`, id, boss, other)
		gc := r.call(r.Group)
		res, err := r.tryReplace(gc, g, fmt.Sprintf(`{"displayName":"g","members":[{"value":%q}]}`, boss))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "members", members(t, gc, res, "members"), []string{boss})
		res, err = r.tryReplace(gc, g, `{"displayName":"g"}`)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "members", members(t, gc, res, "members"), []string{})
	})
}

func TestPatch(t *testing.T) {
	r := newRig(t, settings{groups: true})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann","title":"x","name":{"givenName":"Ann","familyName":"Lee"}}`)
	g := r.group(`{"displayName":"g","members":[{"value":%q}]}`, id)
	t.Run("P-06 P-36 P-51", func(t *testing.T) {
		res := r.patch(c, id, `{"op":"add","value":{"nickName":"n","name":{"familyName":"Poe"}}},{"op":"remove","path":"title"}`)
		equal(t, "name", fmt.Sprint(value(t, c, res, "name")), "map[familyName:Poe givenName:Ann]")
		equal(t, "title", value(t, c, res, "title"), any(nil))
		equal(t, "groups", members(t, c, res, "groups"), []string{g})
		equal(t, "get", text(c, r.get(c, id)), text(c, res))
	})
	t.Run("P-07 P-30", func(t *testing.T) {
		before := r.snapshot()
		_, err := r.tryPatch(c, id, `{"op":"replace","path":"title","value":"z"},{"op":"replace","path":"id","value":"z"}`)
		refused(t, "readOnly", err, 400, scim.Mutability)
		_, err = r.tryPatch(c, id, `{"op":"replace","path":"title","value":"z"},{"op":"replace","path":"phoneNumbers[type eq \"x\"].value","value":"z"},{"op":"remove","path":"userName"}`)
		refused(t, "required", err, 400, scim.Mutability)
		equal(t, "backend", r.snapshot(), before)
	})
	t.Run("P-12", func(t *testing.T) {
		r.users.reset()
		res := r.patch(c, id, `{"op":"add","path":"nickName","value":"n"}`)
		equal(t, "updates", r.users.updates.Load(), int64(0))
		equal(t, "answer", text(c, res), text(c, r.get(c, id)))
		equal(t, "groups", members(t, c, res, "groups"), []string{g})
	})
	t.Run("P-11", func(t *testing.T) {
		_, err := r.tryPatch(c, "nobody", `{"op":"add","path":"nickName","value":"n"}`)
		refused(t, "unknown id", err, 404, "")
		_, err = r.tryPatch(r.call(r.Group), id, `{"op":"replace","path":"displayName","value":"n"}`)
		refused(t, "id of a user", err, 404, "")
	})
	t.Run("P-57", func(t *testing.T) { // Okta's rename of a group repeats the id
		gc := r.call(r.Group)
		res := r.patch(gc, g, `{"op":"replace","value":{"id":%q,"displayName":"h"}}`, g)
		equal(t, "displayName", value(t, gc, res, "displayName"), any("h"))
		_, err := r.tryPatch(gc, g, `{"op":"replace","value":{"id":"other","displayName":"i"}}`)
		refused(t, "another id", err, 400, scim.Mutability)
	})
	t.Run("A-06", func(t *testing.T) {
		c := r.call(r.User, attributes("userName"))
		res := r.patch(c, id, `{"op":"add","path":"nickName","value":"m"}`)
		equal(t, "nickName", value(t, c, res, "nickName"), any(nil))
		c = r.call(r.User, excluding("name"))
		res = r.patch(c, id, `{"op":"add","path":"nickName","value":"m"}`)
		equal(t, "nickName", value(t, c, res, "nickName"), any("m"))
		equal(t, "name", value(t, c, res, "name"), any(nil))
	})
	t.Run("externalId alone", func(t *testing.T) {
		r.users.reset()
		res := r.patch(c, id, `{"op":"add","path":"externalId","value":"X"}`)
		equal(t, "externalId", value(t, c, res, "externalId"), any("X"))
		equal(t, "updates", r.users.updates.Load(), int64(0))
		equal(t, "get", text(c, r.get(c, id)), text(c, res))
		res = r.patch(c, id, `{"op":"remove","path":"externalId"}`)
		equal(t, "externalId", value(t, c, res, "externalId"), any(nil))
	})
}

// TestScopeIsKept: no change takes a resource out of what its client may see.
func TestScopeIsKept(t *testing.T) {
	r := newRig(t, settings{scope: `record.dept != "secret"`})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	before := r.snapshot()
	_, err := r.tryPatch(c, id, `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"secret"}`)
	refused(t, "patch", err, 400, scim.InvalidValue)
	_, err = r.tryReplace(c, id, `{"userName":"ann","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"secret"}}`)
	refused(t, "replace", err, 400, scim.InvalidValue)
	equal(t, "backend", r.snapshot(), before)
}

// TestRename: a key that our own write changes keeps its id, and whoever looks
// meanwhile finds the record.
func TestRename(t *testing.T) {
	r := newRig(t, settings{fromName: true, groups: true})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann","externalId":"E"}`)
	g := r.group(`{"displayName":"g","members":[{"value":%q}]}`, id)
	res := r.patch(c, id, `{"op":"replace","path":"userName","value":"zoe"}`)
	equal(t, "id", res.ID(), id)
	equal(t, "get", text(c, r.get(c, id)), text(c, res))
	equal(t, "groups", members(t, c, res, "groups"), []string{g})
	equal(t, "members", members(t, r.call(r.Group), r.get(r.call(r.Group), g), "members"), []string{id})
	other := r.user(`{"userName":"ann"}`)
	if other == id {
		t.Error("the old name leads to the same id")
	}

	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := r.svc.Get(context.Background(), c, id); err != nil {
				t.Errorf("get during a rename: %v", err)
				return
			}
		}
	}()
	for i := range 50 {
		r.patch(c, id, `{"op":"replace","path":"userName","value":"zoe%d"}`, i)
	}
	close(stop)
	wg.Wait()
}

// TestConcurrentPatches: no update is lost, of one attribute or of many, and
// nobody is told of a conflict that is ours alone.
func TestConcurrentPatches(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	paths := []string{"title", "nickName", "displayName", "name.givenName", "name.familyName", `emails[type eq \"work\"].value`, `emails[type eq \"home\"].value`,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range 5 {
				path := paths[i%len(paths)]
				_, err := r.tryPatch(c, id, fmt.Sprintf(`{"op":"add","path":"%s","value":"v%d"},{"op":"add","path":"title","value":"t%d-%d"}`, path, i%len(paths), i, n))
				if err != nil {
					t.Errorf("patch: %v", err)
				}
			}
		}()
	}
	wg.Wait()
	res := r.get(c, id)
	for i, path := range [][]string{2: {"displayName"}, 1: {"nickName"}, 3: {"name", "givenName"}, 4: {"name", "familyName"}, 7: {scim.EnterpriseUserSchema, "department"}} {
		if path != nil {
			equal(t, path[len(path)-1], value(t, c, res, path...), any(fmt.Sprintf("v%d", i)))
		}
	}
	equal(t, "emails", fmt.Sprint(value(t, c, res, "emails")), "[map[type:work value:v5] map[type:home value:v6]]")
}

// TestConflict: a record that somebody else changes between reading and writing
// is read again, a few times.
func TestConflict(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann","title":"x"}`)
	key := r.keyOf(id)
	n := 0
	meddle := func(times int) {
		n = 0
		r.users.hook(nil, func(op string) {
			if op == "get" && n < times {
				n++
				r.rawSet(key, "title", fmt.Sprintf("by another %d", n))
			}
		})
	}
	meddle(3)
	res := r.patch(c, id, `{"op":"replace","path":"title","value":"mine"}`)
	equal(t, "title", value(t, c, res, "title"), any("mine"))
	meddle(1000)
	_, err := r.tryPatch(c, id, `{"op":"replace","path":"title","value":"again"}`)
	refused(t, "always in the way", err, 409, "")
	if n > 10 {
		t.Errorf("tried %d times", n)
	}
}

func TestDelete(t *testing.T) {
	r := newRig(t, settings{groups: true})
	c, gc := r.call(r.User), r.call(r.Group)
	id := r.user(`{"userName":"ann","externalId":"E"}`)
	boss := id
	sub := r.user(`{"userName":"bob","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}}`, boss)
	g := r.group(`{"displayName":"g","members":[{"value":%q},{"value":%q}]}`, id, sub)
	other := r.call(r.User, as("okta"))
	oid := r.list(other, `userName eq "ann"`).Resources[0].ID()
	if err := r.svc.Delete(context.Background(), c, id); err != nil {
		t.Fatal(err)
	}
	for _, o := range []struct {
		what string
		c    provision.Call
		id   string
	}{{"the client that deleted it", c, id}, {"another", other, oid}} {
		_, err := r.svc.Get(context.Background(), o.c, o.id)
		refused(t, "get, "+o.what, err, 404, "")
		_, err = r.tryPatch(o.c, o.id, `{"op":"add","path":"title","value":"x"}`)
		refused(t, "patch, "+o.what, err, 404, "")
		_, err = r.tryReplace(o.c, o.id, `{"userName":"ann"}`)
		refused(t, "replace, "+o.what, err, 404, "")
		refused(t, "delete, "+o.what, r.svc.Delete(context.Background(), o.c, o.id), 404, "")
	}
	equal(t, "X-07 members", members(t, gc, r.get(gc, g), "members"), []string{sub})
	equal(t, "X-07 manager", value(t, c, r.get(c, sub), scim.EnterpriseUserSchema), any(nil))
	equal(t, "G-13", r.list(c, `externalId eq "E"`).Total, 0)
	if again := r.user(`{"userName":"ann"}`); again == id { // X-04, S-32
		t.Error("the id was used again")
	}
}

// TestDeleteGone: a record that is gone already is 404, and its id is retired.
func TestDeleteGone(t *testing.T) {
	r := newRig(t, settings{fromName: true})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	if err := r.users.Adapter.Delete(context.Background(), "ann"); err != nil {
		t.Fatal(err)
	}
	refused(t, "delete", r.svc.Delete(context.Background(), c, id), 404, "")
	r.raw(map[string]any{"login": "ann"})
	l := r.list(c, "")
	if len(l.Resources) != 1 || l.Resources[0].ID() == id {
		t.Errorf("%v, the id was %s", ids(l), id)
	}
}

// TestWaitingEnds: whoever waits for its turn gives up with its request.
func TestWaitingEnds(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann"}`)
	inside, finish := make(chan struct{}), make(chan struct{})
	r.users.hook(func(op string) error {
		if op == "update" {
			close(inside)
			<-finish
		}
		return nil
	}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := r.tryPatch(c, id, `{"op":"add","path":"title","value":"x"}`); err != nil {
			t.Error(err)
		}
	}()
	<-inside
	r.users.hook(nil, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := r.svc.Patch(ctx, c, id, r.ops(r.User, `{"op":"add","path":"title","value":"y"}`))
	if err != context.DeadlineExceeded {
		t.Errorf("waiting: %v", err)
	}
	r.get(c, id) // readers do not wait
	close(finish)
	<-done
	equal(t, "title", value(t, c, r.get(c, id), "title"), any("x"))
}

func TestSwitchedOff(t *testing.T) {
	r := newRig(t, settings{})
	id := r.user(`{"userName":"ann"}`)
	off := newRig(t, settings{restrict: restriction{func(c *adapters.Capabilities) { c.NoCreate, c.NoUpdate, c.NoDelete = true, true, true }}})
	c := off.call(off.User)
	_, err := off.tryCreate(c, `{"userName":"x"}`)
	refused(t, "create", err, 501, "")
	_, err = off.tryReplace(c, id, `{"userName":"x"}`)
	refused(t, "replace", err, 501, "")
	_, err = off.tryPatch(c, id, `{"op":"add","path":"title","value":"x"}`)
	refused(t, "patch", err, 501, "")
	_, err = off.tryPatch(off.call(off.Group), id, `{"op":"add","path":"members","value":[{"value":"x"}]}`)
	refused(t, "members", err, 501, "")
	refused(t, "delete", off.svc.Delete(context.Background(), c, id), 501, "")
}

// TestClaimIsFresh: whoever waited for its turn goes on from what the one before
// left, also of what the mapping table holds.
func TestClaimIsFresh(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	id := r.user(`{"userName":"ann","externalId":"old"}`)
	inside, finish := make(chan struct{}), make(chan struct{})
	r.users.hook(func(op string) error {
		if op == "update" {
			close(inside)
			<-finish
		}
		return nil
	}, nil)
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		r.patch(c, id, `{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"externalId","value":"new"}`)
	}()
	<-inside
	r.users.hook(nil, nil)
	go func() {
		defer wg.Done()
		res := r.patch(c, id, `{"op":"replace","path":"nickName","value":"n"}`)
		equal(t, "externalId", value(t, c, res, "externalId"), any("new"))
	}()
	time.Sleep(20 * time.Millisecond) // for the second to get in line
	close(finish)
	wg.Wait()
}
