package provision_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

func TestCreate(t *testing.T) {
	r := newRig(t, settings{groups: true})
	c := r.call(r.User)
	ann := r.create(c, `{"userName":"ann","id":"forged","meta":{"resourceType":"Group","location":"x"},"externalId":"E1","name":{"givenName":"Ann"},
		"emails":[{"type":"work","value":"ann@example.org"}],"password":"pw","groups":[{"value":"x"}]}`)
	id := ann.ID()
	t.Run("C-01 C-02 C-06 S-34 S-35", func(t *testing.T) {
		if id == "forged" || id == "" {
			t.Errorf("id %q", id)
		}
		equal(t, "location", value(t, c, ann, "meta", "location"), any(base+"/Users/"+id))
		equal(t, "resourceType", value(t, c, ann, "meta", "resourceType"), any("User"))
		equal(t, "externalId", value(t, c, ann, "externalId"), any("E1"))
		equal(t, "groups", value(t, c, ann, "groups"), any(nil))
	})
	t.Run("C-03 C-04", func(t *testing.T) {
		equal(t, "default", value(t, c, ann, "active"), any(true))
		eve := r.create(c, `{"userName":"eve","active":null}`)
		equal(t, "null overrides a default", value(t, c, eve, "active"), any(nil))
	})
	t.Run("answer is what Get answers", func(t *testing.T) {
		equal(t, "get", text(c, r.get(c, id)), text(c, ann))
	})
	t.Run("as stored", func(t *testing.T) { // the backend changes what it is given
		r.users.hook(nil, nil)
		r.users.Adapter = &upper{r.users.Adapter}
		bob := r.create(c, `{"userName":"bob","title":"clerk"}`)
		equal(t, "title", value(t, c, bob, "title"), any("CLERK"))
		bob = r.patch(c, bob.ID(), `{"op":"replace","path":"title","value":"boss"}`)
		equal(t, "title", value(t, c, bob, "title"), any("BOSS"))
	})
	t.Run("C-11", func(t *testing.T) {
		c := r.call(r.User, attributes("userName"))
		res := r.create(c, `{"userName":"cid","title":"x"}`)
		equal(t, "title", value(t, c, res, "title"), any(nil))
		equal(t, "userName", value(t, c, res, "userName"), any("cid"))
	})
	t.Run("C-17 C-18", func(t *testing.T) {
		g := r.create(r.call(r.Group), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
			"displayName":"empty","members":[]}`)
		equal(t, "displayName", value(t, r.call(r.Group), g, "displayName"), any("empty"))
	})
}

// upper is a backend that stores titles in upper case.
type upper struct{ adapters.Adapter }

func (u *upper) shout(r adapters.Record) adapters.Record {
	if s, ok := r.Get("title").(string); ok {
		r.Set("title", strings.ToUpper(s))
	}
	return r
}

func (u *upper) Create(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
	return u.Adapter.Create(ctx, u.shout(r.Clone()), w)
}

func (u *upper) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
	for i, c := range d.Set {
		if s, ok := c.New.(string); ok && c.Field == "title" {
			d.Set[i].New = strings.ToUpper(s)
		}
	}
	return u.Adapter.Update(ctx, k, d, w)
}

// TestUnique: C-05, C-09, F-37, U-12, P-61, X-04. The rule is that of filters,
// whatever the backend can do and whatever it refuses by itself.
func TestUnique(t *testing.T) {
	for name, o := range weakBackends() {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, o)
			c := r.call(r.User)
			ann := r.user(`{"userName":"Ann"}`)
			bob := r.user(`{"userName":"bob"}`)
			before := r.snapshot()
			for _, same := range []string{"Ann", "ann", "ANN"} {
				_, err := r.tryCreate(c, `{"userName":"`+same+`"}`)
				e := refused(t, "create "+same, err, 409, scim.Uniqueness)
				if !strings.Contains(e.Detail, "userName") {
					t.Errorf("detail %q", e.Detail)
				}
				_, err = r.tryReplace(c, bob, `{"userName":"`+same+`"}`)
				refused(t, "replace", err, 409, scim.Uniqueness)
				_, err = r.tryPatch(c, bob, `{"op":"replace","path":"userName","value":"`+same+`"}`)
				refused(t, "patch", err, 409, scim.Uniqueness)
			}
			equal(t, "after refusals", r.snapshot(), before)
			r.patch(c, ann, `{"op":"replace","path":"userName","value":"aNN"}`) // its own
			if err := r.svc.Delete(context.Background(), c, ann); err != nil {
				t.Fatal(err)
			}
			r.user(`{"userName":"ANN"}`)
			g := r.group(`{"displayName":"Staff"}`)
			_, err := r.tryCreate(r.call(r.Group), `{"displayName":"STAFF"}`) // J18
			refused(t, "group", err, 409, scim.Uniqueness)
			r.patch(r.call(r.Group), g, `{"op":"replace","path":"displayName","value":"staff"}`)
		})
	}
}

// weakBackends are rigs with more and more capabilities taken away.
func weakBackends() map[string]settings {
	return map[string]settings{
		"everything":   {},
		"no filter":    {restrict: noFilters},
		"no or, not":   {restrict: noOrNot},
		"no sort":      {restrict: noSort},
		"no total":     {restrict: noTotal},
		"no offset":    {restrict: noOffset},
		"no delta":     {restrict: noDelta},
		"almost none":  {restrict: append(append(append(append(noFilters, noSort...), noTotal...), noOffset...), noDelta...)},
		"only eq keys": {restrict: onlyEq},
	}
}

// TestUniqueConcurrently: of creates at the same time whose names differ in case
// alone, exactly one succeeds, although the backend would take them all.
func TestUniqueConcurrently(t *testing.T) {
	r := newRig(t, settings{})
	r.users.hook(nil, func(op string) {
		if op == "list" {
			time.Sleep(2 * time.Millisecond) // time for the others to look as well
		}
	})
	for _, names := range [][]string{
		{"straße", "STRAßE", "Straße", "strAße", "straẞe"},
		{"jos\u00e9", "jose\u0301", "JOS\u00c9"}, // F-31: composed and decomposed
		{"ann", "ANN", "aNN", "Ann"},
	} {
		var wg sync.WaitGroup
		results := make([]error, len(names))
		made := make([]*scim.Resource, len(names))
		for i, n := range names {
			d := r.decode(r.User, `{"userName":"`+n+`"}`, false)
			wg.Add(1)
			go func() {
				defer wg.Done()
				made[i], results[i] = r.svc.Create(context.Background(), r.call(r.User), d)
			}()
		}
		wg.Wait()
		created := ""
		for i, err := range results {
			switch {
			case err == nil && created == "":
				created = made[i].ID()
			case err == nil:
				t.Error("two created")
			default:
				refused(t, names[i], err, 409, scim.Uniqueness)
			}
		}
		if created == "" {
			t.Fatal("none created")
		}
		if err := r.svc.Delete(context.Background(), r.call(r.User), created); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUniqueHidden: the message about a name that a hidden account has says what
// it says about any other (E-07).
func TestUniqueHidden(t *testing.T) {
	r := newRig(t, settings{scope: `record.kind != "builtin"`})
	r.raw(map[string]any{"login": "root", "kind": "builtin"})
	r.user(`{"userName":"ann"}`)
	_, hidden := r.tryCreate(r.call(r.User), `{"userName":"ROOT"}`)
	_, open := r.tryCreate(r.call(r.User), `{"userName":"ANN"}`)
	equal(t, "details", refused(t, "hidden", hidden, 409, scim.Uniqueness).Detail, refused(t, "open", open, 409, scim.Uniqueness).Detail)
	byBackend := newRig(t, settings{scope: `record.kind != "builtin"`, unique: true, restrict: noFilters})
	byBackend.raw(map[string]any{"login": "root", "kind": "builtin"})
	_, err := byBackend.tryCreate(byBackend.call(byBackend.User), `{"userName":"root"}`)
	equal(t, "detail", refused(t, "by the backend", err, 409, scim.Uniqueness).Detail, refused(t, "open", open, 409, scim.Uniqueness).Detail)
}

// TestCreateTakenBack: what cannot be entered in the mapping table, or would be
// hidden from its creator, is not left behind in the backend.
func TestCreateTakenBack(t *testing.T) {
	t.Run("out of scope", func(t *testing.T) {
		r := newRig(t, settings{scope: `record.dept != "secret"`})
		before := r.snapshot()
		_, err := r.tryCreate(r.call(r.User), `{"userName":"x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"secret"}}`)
		refused(t, "create", err, 400, scim.InvalidValue)
		equal(t, "backend", r.snapshot(), before)
	})
	t.Run("mapping table fails", func(t *testing.T) {
		r := newRig(t, settings{})
		before := r.snapshot()
		r.users.hook(nil, func(op string) {
			if op == "create" {
				r.ids.Close()
			}
		})
		_, err := r.tryCreate(r.call(r.User), `{"userName":"x"}`)
		refused(t, "create", err, 500, "")
		equal(t, "backend", r.snapshot(), before)
	})
	t.Run("client gone", func(t *testing.T) { // after the backend's answer, the rest is done
		r := newRig(t, settings{})
		ctx, cancel := context.WithCancel(context.Background())
		r.users.hook(nil, func(op string) {
			if op == "create" {
				cancel()
			}
		})
		_, err := r.svc.Create(ctx, r.call(r.User), r.decode(r.User, `{"userName":"x","externalId":"E"}`, false))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		equal(t, "by externalId", r.list(r.call(r.User), `externalId eq "E"`).Total, 1)
	})
}

// TestKeyUsedAgain: a record that was deleted without our doing, and whose key the
// backend gives to a new one, does not pass its id on (S-32).
func TestKeyUsedAgain(t *testing.T) {
	r := newRig(t, settings{fromName: true})
	c := r.call(r.User)
	old := r.user(`{"userName":"ann","externalId":"E"}`)
	if err := r.users.Adapter.Delete(context.Background(), "ann"); err != nil {
		t.Fatal(err)
	}
	res := r.create(c, `{"userName":"ann"}`)
	if res.ID() == old {
		t.Error("the new record has the id of the old one")
	}
	equal(t, "externalId", value(t, c, res, "externalId"), any(nil))
	_, err := r.svc.Get(context.Background(), c, old)
	refused(t, "get", err, 404, "")
}
