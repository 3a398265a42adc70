package provision_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// TestAdopt: a client that creates what the backend has gets that record, if the
// configuration says so, and only if it has no id for it yet.
func TestAdopt(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}, scope: `record.status != "X"`, log: &log})
	key := r.raw(map[string]any{"login": "ada", "status": "A", "nick": "Addie", "title": "Prof"})
	r.raw(map[string]any{"login": "root", "status": "X"})
	c := r.call(r.User)
	res := r.create(c, `{"userName":"ADA","externalId":"e7","title":"Dr"}`)
	for path, want := range map[string]any{"userName": "ADA", "externalId": "e7", "title": "Dr", "nickName": "Addie", "active": true} {
		if got := value(t, c, res, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if r.keyOf(res.ID()) != key || r.stored() != 2 {
		t.Error("the create made a record of its own")
	}
	if !bytes.Contains(log.Bytes(), []byte("a create was correlated with a record that was there already")) || bytes.Contains(log.Bytes(), []byte(keyMark)) {
		t.Errorf("the log says: %s", &log)
	}
	_, err := r.tryCreate(c, `{"userName":"ada"}`)
	refused(t, "the client knows it now", err, 409, scim.Uniqueness)
	_, err = r.tryCreate(c, `{"userName":"root"}`)
	refused(t, "what is out of scope is nobody's", err, 409, scim.Uniqueness)
	other := r.create(r.call(r.User, as("okta")), `{"userName":"ada"}`)
	if other.ID() == res.ID() || r.stored() != 2 {
		t.Error("another client must get an id of its own for the same record")
	}
}

// TestAdoptBy: by an address only where the configuration names it, and never
// when it is not certain which record is meant.
func TestAdoptBy(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}, by: []string{"emails.value", "name.familyName"}})
	key := r.raw(map[string]any{"login": "ada", "mail": "ada@example.org", "last": "Byron", "status": "A"})
	r.raw(map[string]any{"login": "bob", "mail": "both@example.org", "last": "Byron", "status": "A"})
	r.raw(map[string]any{"login": "eve", "mail": "both@example.org", "last": "Byron", "status": "A"})
	c := r.call(r.User)
	body := func(name, mail, last string) string {
		return `{"userName":"` + name + `","name":{"familyName":"` + last + `"},"emails":[{"type":"home","value":"x@example.org"},{"type":"work","value":"` + mail + `"}]}`
	}
	_, err := r.tryCreate(c, body("new", "both@example.org", "Byron"))
	refused(t, "two records", err, 409, scim.Uniqueness)
	_, err = r.tryCreate(c, body("bob", "ada@example.org", "Byron"))
	refused(t, "the userName is somebody else's", err, 409, scim.Uniqueness)
	if res := r.create(c, "%s", body("ada3", "ada@example.org", "Other")); r.keyOf(res.ID()) == key {
		t.Error("one of two attributes is enough")
	}
	if res := r.create(c, `{"userName":"ada4","name":{"familyName":"Byron"}}`); r.keyOf(res.ID()) == key {
		t.Error("an attribute that was not sent correlates")
	}
	res := r.create(c, "%s", body("ada2", "ADA@example.org", "byron"))
	if r.keyOf(res.ID()) != key || value(t, c, res, "userName") != "ada2" {
		t.Errorf("not correlated: %v", value(t, c, res, "userName"))
	}
}

// TestReactivate: what is inactive comes back under its id.
func TestReactivate(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Reactivate: true}})
	c := r.call(r.User)
	id := r.user(`{"userName":"ada","title":"Prof","externalId":"e1"}`)
	_, err := r.tryCreate(c, `{"userName":"ada"}`)
	refused(t, "it is active", err, 409, scim.Uniqueness)
	r.patch(c, id, `{"op":"replace","path":"active","value":false}`)
	res := r.create(c, `{"userName":"ada","externalId":"e2"}`)
	if res.ID() != id || r.stored() != 1 {
		t.Errorf("the id is %s, was %s", res.ID(), id)
	}
	for path, want := range map[string]any{"externalId": "e2", "title": "Prof", "active": true} {
		if got := value(t, c, res, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	r.raw(map[string]any{"login": "bob", "status": "A"})
	_, err = r.tryCreate(c, `{"userName":"bob"}`)
	refused(t, "an active record is nobody's", err, 409, scim.Uniqueness)
	key := r.raw(map[string]any{"login": "eve", "status": "L"})
	if res := r.create(c, `{"userName":"eve","active":false}`); r.keyOf(res.ID()) != key || value(t, c, res, "active") != false {
		t.Error("what was sent as inactive stays so")
	}
}

// TestAdoptTogether: however many clients create one person at once, there is
// one account, and each has an id for it.
func TestAdoptTogether(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}})
	clients := []string{"a", "b", "c", "d", "e", "f"}
	got := make([]string, len(clients))
	var all sync.WaitGroup
	for i, client := range clients {
		all.Go(func() {
			res, err := r.tryCreate(r.call(r.User, as(client)), `{"userName":"ada"}`)
			if err != nil {
				t.Error(client, err)
				return
			}
			got[i] = res.ID()
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, id := range got {
		seen[id] = true
	}
	if len(seen) != len(clients) || r.stored() != 1 {
		t.Errorf("%d records, ids %v", r.stored(), got)
	}
}

// TestAdoptVanished: who is deleted while somebody adopts them is created.
func TestAdoptVanished(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}})
	c := r.call(r.User)
	gone := r.create(c, `{"userName":"ada","title":"Prof"}`)
	var once sync.Once
	r.users.hook(func(op string) error {
		if op == "get" { // the first is adopt's
			once.Do(func() {
				if err := r.users.Adapter.Delete(t.Context(), r.keyOf(gone.ID())); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	}, nil)
	other := r.call(r.User, as("okta"))
	res := r.create(other, `{"userName":"ada"}`)
	if r.stored() != 1 || value(t, other, res, "title") != nil {
		t.Errorf("%d records, %v", r.stored(), res)
	}
}

// TestAdoptTried: a dry run answers what would be, with an id that leads nowhere.
func TestAdoptTried(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}, managed: `record.title != "Service"`})
	r.raw(map[string]any{"login": "ada", "status": "A", "nick": "Addie"})
	before := r.snapshot()
	c := r.call(r.User, may(provision.Trying))
	res := r.create(c, `{"userName":"ADA","externalId":"e7","title":"Dr"}`)
	for path, want := range map[string]any{"userName": "ADA", "externalId": "e7", "title": "Dr", "nickName": "Addie"} {
		if got := value(t, c, res, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if !strings.HasPrefix(res.ID(), "dry-run-") || r.snapshot() != before {
		t.Errorf("id %q, and the backend holds %s", res.ID(), r.snapshot())
	}
	_, err := r.tryCreate(r.call(r.User), `{"userName":"ada","title":"Service"}`)
	refused(t, "GW-25 an adoption that leads out of what is managed", err, 400, scim.InvalidValue)
	r.create(r.call(r.User), `{"userName":"ada"}`) // for the client it is new, still
}

// TestAdoptedCount: an adoption that sets somebody inactive counts (GW-29).
func TestAdoptedCount(t *testing.T) {
	r := newRig(t, settings{correlate: provision.Correlation{Adopt: true}})
	for _, name := range []string{"ada", "bob"} {
		r.raw(map[string]any{"login": name, "status": "A"})
	}
	few := func(c *provision.Call) { c.Caller.Removals = provision.Quota{Most: 1, Within: time.Hour} }
	r.create(r.call(r.User, few), `{"userName":"ada","active":false}`)
	_, err := r.tryCreate(r.call(r.User, few), `{"userName":"bob","active":false}`)
	refused(t, "GW-29", err, 403, "")
}
