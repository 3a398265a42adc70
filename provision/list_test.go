package provision_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// populate makes 60 users, some with managers, and 3 groups. It answers their ids
// by name.
func (r *rig) populate() map[string]string {
	r.t.Helper()
	by := map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("User%02d", i)
		body := fmt.Sprintf(`{"userName":%q,"externalId":"ext%d","active":%t`, name, i%50, i%3 != 0)
		if i%2 == 0 {
			body += fmt.Sprintf(`,"title":%q`, []string{"Zoe", "ann", "Bob", "ÉMILE", "émile"}[i/2%5])
		}
		if i%4 != 0 {
			body += fmt.Sprintf(`,"emails":[{"type":"work","value":"w%d@Example.org"}]`, i%7)
		}
		if i%5 == 0 && i > 0 {
			body += fmt.Sprintf(`,%q:{"department":"d%d","manager":{"value":%q}}`, enterprise, i%3, by[fmt.Sprintf("User%02d", i%7)])
		}
		by[name] = r.create(r.call(r.User), "%s}", body).ID()
	}
	for i := range 3 {
		name := fmt.Sprintf("Group%d", i)
		body := fmt.Sprintf(`{"displayName":%q,"members":[{"value":%q},{"value":%q}]}`, name, by[fmt.Sprintf("User%02d", i)], by["User10"])
		by[name] = r.create(r.call(r.Group), "%s", body).ID()
	}
	return by
}

// filters are what the clients of F-35 ask, and more. %s are ids by name.
func filters(by map[string]string) []string {
	out := []string{
		"", `userName eq "user07"`, `userName eq "nobody"`, `userName sw "USER1"`, `userName co "r0" and active eq true`, `active eq false`,
		`title pr`, `not (title pr)`, `title eq "ANN"`, `title ne "ann"`, `title gt "b"`, `title eq "émile"`,
		`emails.value eq "W3@example.org"`, `emails[type eq "work" and value co "w1"]`, `emails.type eq "work"`, `emails[type eq "home"]`, `not (emails pr)`,
		`userType eq "employee"`, `userType eq "Former" and title pr`, `userType eq "employee" or title eq "bob"`,
		`externalId eq "ext3"`, `externalId eq "EXT3"`, `externalId eq "none"`, `externalId eq "ext3" or externalId eq "ext4"`, `externalId sw "ext1"`, `not (externalId eq "ext3")`,
		`id pr`, `id eq "nobody"`, `not (id eq "nobody")`, enterprise + `:department eq "D1"`, enterprise + `:manager pr`,
		enterprise + `:manager eq "nobody"`, `not (` + enterprise + `:manager eq "nobody")`, `meta.resourceType eq "User"`, `meta.location sw "https"`,
		`groups pr`, `groups.value eq "nobody"`, `schemas eq "` + enterprise + `"`,
	}
	for _, f := range []string{`id eq %q`, `id ne %q`, enterprise + `:manager eq %q`, enterprise + `:manager.value ne %q`, `id eq %[1]q and ` + enterprise + `:manager eq %[1]q`, `id sw %q`} {
		out = append(out, fmt.Sprintf(f, by["User04"]))
	}
	for _, f := range []string{`groups.value eq %q`, `groups[value eq %q]`, `groups eq %q and active eq true`} {
		out = append(out, fmt.Sprintf(f, by["Group1"]))
	}
	return out
}

// TestEqualAnswers: F-34, O-08. Whatever a backend cannot do, the gateway does, and
// the answers are those of a backend that can do everything.
func TestEqualAnswers(t *testing.T) {
	strong := newRig(t, settings{groups: true})
	c := strong.call(strong.User)
	by := strong.populate()
	names := map[string]string{}
	for n, id := range by {
		names[id] = n
	}
	sorts := []string{"", "userName", "title", "emails", "active", "id", "meta.created", enterprise + ":department"}
	for name, o := range weakBackends() {
		t.Run(name, func(t *testing.T) {
			o.groups = true
			weak := newRig(t, o)
			theirs := weak.populate()
			back := map[string]string{}
			for n, id := range theirs {
				back[id] = n
			}
			wc := weak.call(weak.User)
			asked := filters(theirs)
			for i, f := range filters(by) {
				for j, by := range sorts {
					if j > 0 && i > 6 {
						break // each filter once, and all orders with some
					}
					for _, w := range [][2]int{{1, 100}, {4, 3}, {1, 0}, {58, 10}} {
						p, sort, wsort := page(w[0], w[1]), nothing, nothing
						if by != "" && by != "id" {
							sort, wsort = strong.sortBy(strong.User, by, i%2 == 1), weak.sortBy(weak.User, by, i%2 == 1)
						}
						want, got := strong.list(c, f, p, sort), weak.list(wc, asked[i], p, wsort)
						equal(t, fmt.Sprintf("%s by %s %v: total", f, by, w), got.Total, want.Total)
						equal(t, fmt.Sprintf("%s by %s %v", f, by, w), named(got, back), named(want, names))
					}
				}
			}
		})
	}
}

func nothing(*provision.Search) {}

func named(l provision.List, names map[string]string) []string {
	out := []string{}
	for _, res := range l.Resources {
		out = append(out, names[res.ID()])
	}
	return out
}

// TestEvaluation: the strong backend's answers are those of the filter on the
// resources as they are sent.
func TestEvaluation(t *testing.T) {
	r := newRig(t, settings{groups: true})
	by := r.populate()
	c := r.call(r.User)
	count := func(f string, want int) {
		t.Helper()
		equal(t, f, r.list(c, f).Total, want)
	}
	count(`userName eq "uSER07"`, 1)
	count(`title pr`, 30)
	count(`not (title pr)`, 30)
	count(`title eq "émile"`, 12)
	count(`title ne "ann"`, 54) // also those without a title
	count(`active eq false`, 20)
	count(`externalId eq "ext3"`, 2)
	count(`emails.type eq "work"`, 45)
	count(`id ne "`+by["User04"]+`"`, 59)
	count(enterprise+`:manager pr`, 10)
	count(enterprise+`:manager eq "`+by["User04"]+`"`, 1) // 25
	count(`groups.value eq "`+by["Group1"]+`"`, 2)
	gc := r.call(r.Group)
	for f, want := range map[string]int{`members eq "` + by["User10"] + `"`: 3, `members[value eq "` + by["User01"] + `"]`: 1, `members.value eq "nobody"`: 0,
		`displayName eq "group1" and members.value eq "` + by["User10"] + `"`: 1, `id eq "` + by["Group2"] + `"`: 1, `not (members eq "` + by["User01"] + `")`: 2} {
		equal(t, f, r.list(gc, f).Total, want)
	}
}

// TestPages: N-01, N-02, N-05, N-06, G-10, O-03, O-06. Pages are complete and do
// not overlap, also where many resources are equal in the order.
func TestPages(t *testing.T) {
	for name, o := range map[string]settings{"everything": {}, "no sort, cursors": {restrict: append(noSort, noOffset...)}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, o)
			by := r.populate()
			names := map[string]string{}
			for n, id := range by {
				names[id] = n
			}
			c := r.call(r.User)
			for _, descending := range []bool{false, true} {
				order := r.sortBy(r.User, "title", descending)
				whole := r.list(c, "", order)
				var pages []string
				for start := 1; start <= 60; start += 7 {
					l := r.list(c, "", order, page(start, 7))
					equal(t, "total", l.Total, 60)
					equal(t, "startIndex", l.StartIndex, start)
					pages = append(pages, named(l, names)...)
				}
				equal(t, "pages", pages, named(whole, names))
				titles := []any{}
				for _, res := range whole.Resources {
					titles = append(titles, value(t, c, res, "title"))
				}
				absent := titles[30:]
				if descending {
					absent = titles[:30]
				}
				if slices.ContainsFunc(absent, func(v any) bool { return v != nil }) {
					t.Errorf("without a title is not where it belongs: %v", titles)
				}
			}
			l := r.list(c, "", page(9999, 10))
			equal(t, "beyond the end", fmt.Sprint(l.Total, l.StartIndex, len(l.Resources)), "60 9999 0")
			l = r.list(c, "", page(1, 0))
			equal(t, "count=0", fmt.Sprint(l.Total, len(l.Resources)), "60 0")
			l = r.list(c, `title pr and userType pr`, page(1, 0))
			equal(t, "count=0 and a remainder", fmt.Sprint(l.Total, len(l.Resources)), "30 0")
			l = r.list(c, "", page(-3, -1))
			equal(t, "out of range", fmt.Sprint(l.Total, l.StartIndex, len(l.Resources)), "60 1 0")
		})
	}
}

// TestScanLimit: G-06, F-38. What would take too much looking is refused, and what
// the backend answers by itself is not.
func TestScanLimit(t *testing.T) {
	r := newRig(t, settings{scan: 59})
	r.populate()
	c := r.call(r.User)
	r.users.reset()
	_, err := r.search(c, `userType eq "employee"`)
	refused(t, "60 users", err, 400, scim.TooMany)
	equal(t, "calls", r.users.calls(), int64(1))
	equal(t, "narrowed", r.list(c, `userName sw "user0" and userType eq "employee"`).Total, 6)
	equal(t, "pushed", r.list(c, "").Total, 60)
	noTotals := newRig(t, settings{scan: 60, restrict: noTotal})
	noTotals.populate()
	equal(t, "60 of 60", noTotals.list(noTotals.call(noTotals.User), "").Total, 60)
}

// TestScanWhole: of a backend that reads its whole list for every page, a search asks
// for a first page and for the rest.
func TestScanWhole(t *testing.T) {
	for name, c := range map[string]struct {
		restrict []func(*adapters.Capabilities)
		lists    int64
	}{
		"pages are cheap": {nil, 3},
		"pages are whole": {[]func(*adapters.Capabilities){func(c *adapters.Capabilities) { c.Whole = true }}, 2},
	} {
		r := newRig(t, settings{scan: 3000, restrict: c.restrict})
		for i := range 2500 {
			r.raw(map[string]any{"login": fmt.Sprintf("u%d", i), "status": "A"})
		}
		r.users.reset()
		equal(t, name+": found", r.list(r.call(r.User), `userType eq "employee"`, page(1, 1)).Total, 2500)
		equal(t, name+": calls", r.users.lists.Load(), c.lists)
	}
}

// TestFirstSight: records that appear by themselves have ids that stay, each
// client its own, also those that are only referred to.
func TestFirstSight(t *testing.T) {
	r := newRig(t, settings{})
	boss := r.raw(map[string]any{"login": "boss"})
	r.raw(map[string]any{"login": "ann", "boss": string(boss)})
	r.raw(map[string]any{"login": "bob", "boss": "KEY999999"})
	c, okta := r.call(r.User), r.call(r.User, as("okta"))
	ann := r.list(c, `userName eq "ann"`).Resources[0]
	bossID := managerOf(t, c, ann)
	equal(t, "manager seen first as such", r.list(c, `userName eq "boss"`).Resources[0].ID(), bossID.(string))
	first := ids(r.list(c, ""))
	equal(t, "again", ids(r.list(c, "")), first)
	equal(t, "nobody's manager", managerOf(t, c, r.get(c, first[2])), any(nil))
	for i, id := range ids(r.list(okta, "")) {
		if id == first[i] {
			t.Error("two clients have the same id")
		}
	}
}

// TestStatements: the steady state costs one call to the backend and one look-up
// for a page, and one of each for a resource without references.
func TestStatements(t *testing.T) {
	r := newRig(t, settings{recall: true, scope: `record.kind != "builtin"`})
	by := r.populate()
	c := r.call(r.User)
	r.list(c, "", page(1, 20))
	r.users.reset()
	r.list(c, "", page(1, 20))
	equal(t, "calls for a page", r.users.calls(), int64(1))
	r.users.reset()
	r.list(c, "", page(21, 40)) // their managers are on the first page
	equal(t, "calls for the next page", r.users.calls(), int64(1))
	r.get(c, by["User05"])
	r.users.reset()
	r.get(c, by["User05"])
	equal(t, "calls for a get", r.users.calls(), int64(1))
}

// TestHeld: an identity that was split off is seen by nobody before it is released.
func TestHeld(t *testing.T) {
	r := newRig(t, settings{})
	c := r.call(r.User)
	a, b := r.user(`{"userName":"a"}`), r.user(`{"userName":"b"}`)
	r.user(`{"userName":"c"}`)
	boss := r.create(c, "%s", withManager("d", b)).ID()
	key := r.keyOf(b)
	ctx := t.Context()
	if _, err := r.ids.Merge(ctx, "", a, []string{b}, identity.Reason{Who: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ids.Split(ctx, "", a, [][]identity.Link{{{Type: "User", Backend: "hr", Key: string(key)}}}, identity.Reason{Who: "test"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "list", r.list(c, "").Total, 3)
	equal(t, "page", r.list(c, "", page(1, 1)).Total, 3)
	equal(t, "manager", managerOf(t, c, r.get(c, boss)), any(nil))
}

// TestVanished: who is deleted after a list has read the record, and before it asks who
// that is, gets no new id. Records that nobody knew, and that are still there, get theirs.
func TestVanished(t *testing.T) {
	for name, q := range map[string]struct {
		filter string
		change []func(*provision.Search)
	}{
		"all":                  {},
		"found by the backend": {filter: `userName sw "u"`},
		"found here":           {filter: `displayName co "x" or userType eq "Employee"`},
		"a page":               {change: []func(*provision.Search){page(1, 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, settings{})
			var ids []string
			for n := range 4 {
				ids = append(ids, r.user(`{"userName":"u%d"}`, n))
			}
			r.raw(map[string]any{"login": "u9", "status": "A"})
			var once sync.Once
			r.users.hook(nil, func(op string) {
				if op == "list" {
					once.Do(func() {
						if err := r.svc.Delete(t.Context(), r.call(r.User), ids[0]); err != nil {
							t.Error(err)
						}
					})
				}
			})
			got := r.list(r.call(r.User), q.filter, q.change...)
			for _, res := range got.Resources {
				if name := res.Get(res.Layout().Resolve("userName")).String(); name == "u0" {
					t.Errorf("%s is listed as %s, and was %s", name, res.ID(), ids[0])
				}
			}
			r.users.hook(nil, nil)
			if got.Total != 4 || name != "a page" && len(got.Resources) != 4 {
				t.Errorf("%d of %d", len(got.Resources), got.Total)
			}
			equal(t, "afterwards", r.list(r.call(r.User), "").Total, 4)
			links, err := r.ids.Find(t.Context(), identity.Domain{Client: "entra"}, []identity.Link{{Type: "User", Backend: "hr", Key: keyMark + "000001"}})
			if err != nil || links[0].Identity != "" {
				t.Errorf("somebody is there still: %+v, %v", links, err)
			}
		})
	}
}
