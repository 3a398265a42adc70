package provision_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

const enterprise = scim.EnterpriseUserSchema

func withManager(name, id string) string {
	return fmt.Sprintf(`{"userName":%q,%q:{"manager":{"value":%q}}}`, name, enterprise, id)
}

func setManager(id string) string {
	return fmt.Sprintf(`{"op":"add","path":"%s:manager","value":{"value":%q}}`, enterprise, id)
}

func managerOf(t testing.TB, c provision.Call, res *scim.Resource) any {
	return value(t, c, res, enterprise, "manager", "value")
}

// TestReferences: GW-09, members, manager and groups are translated both ways, for
// each client into its own ids.
func TestReferences(t *testing.T) {
	for name, o := range map[string]settings{"allocated keys": {groups: true}, "keys from names": {groups: true, fromName: true}, "no delta": {groups: true, restrict: noDelta}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, o)
			c, gc := r.call(r.User), r.call(r.Group)
			boss := r.user(`{"userName":"boss"}`)
			ann := r.create(c, "%s", withManager("ann", boss))
			equal(t, "manager", managerOf(t, c, ann), any(boss))
			equal(t, "$ref", value(t, c, ann, enterprise, "manager", "$ref"), any(base+"/Users/"+boss))
			g := r.create(gc, `{"displayName":"g","members":[{"value":%q},{"value":%q},{"value":%q}]}`, boss, ann.ID(), boss)
			equal(t, "members", members(t, gc, g, "members"), sorted(boss, ann.ID()))
			equal(t, "groups", members(t, c, r.get(c, boss), "groups"), []string{g.ID()})

			okta, goktas := r.call(r.User, as("okta")), r.call(r.Group, as("okta"))
			theirs := r.list(okta, `userName eq "ann"`).Resources[0]
			boss2 := r.list(okta, `userName eq "boss"`).Resources[0].ID()
			if theirs.ID() == ann.ID() || boss2 == boss {
				t.Error("two clients have the same ids")
			}
			equal(t, "manager for another client", managerOf(t, okta, theirs), any(boss2))
			g2 := r.list(goktas, `displayName eq "g"`).Resources[0]
			equal(t, "members for another client", members(t, goktas, g2, "members"), sorted(boss2, theirs.ID()))

			res := r.patch(c, ann.ID(), `{"op":"remove","path":"%s:manager"}`, enterprise)
			equal(t, "no manager", managerOf(t, c, res), any(nil))
			res = r.patch(c, ann.ID(), "%s", setManager(ann.ID()))
			equal(t, "own manager", managerOf(t, c, res), any(ann.ID()))
		})
	}
}

// TestUnknownReferences: P-63, an id that names nobody is 400 and changes nothing:
// of nobody, of another client, of another type, of a record that is no more, of
// one that is out of scope, and with `ids: existing` any text.
func TestUnknownReferences(t *testing.T) {
	for name, o := range map[string]settings{"delta": {fromName: true}, "no delta": {fromName: true, restrict: noDelta}} {
		t.Run(name, func(t *testing.T) {
			o.scope = `record.kind != "builtin"`
			r := newRig(t, o)
			c, gc := r.call(r.User), r.call(r.Group)
			ann := r.user(`{"userName":"ann"}`)
			g := r.group(`{"displayName":"g","members":[{"value":%q}]}`, ann)
			lost, hidden := r.user(`{"userName":"lost"}`), r.user(`{"userName":"hidden"}`)
			okta := r.list(r.call(r.User, as("okta")), `userName eq "ann"`).Resources[0].ID()
			if err := r.users.Adapter.Delete(context.Background(), "lost"); err != nil {
				t.Fatal(err)
			}
			r.rawSet("hidden", "kind", "builtin")
			r.raw(map[string]any{"login": "root", "kind": "builtin"})
			before := r.snapshot()
			for _, id := range []string{"nobody", okta, g, lost, hidden, "root"} {
				for _, opts := range [][]func(*provision.Call){{}, {existing}} {
					c, gc := r.call(r.User, opts...), r.call(r.Group, opts...)
					_, err := r.tryCreate(c, withManager("x", id))
					refused(t, "create", err, 400, scim.InvalidValue)
					_, err = r.tryReplace(c, ann, withManager("ann", id))
					refused(t, "replace", err, 400, scim.InvalidValue)
					_, err = r.tryPatch(c, ann, setManager(id))
					refused(t, "patch", err, 400, scim.InvalidValue)
					_, err = r.tryCreate(gc, fmt.Sprintf(`{"displayName":"x","members":[{"value":%q}]}`, id))
					refused(t, "create group", err, 400, scim.InvalidValue)
					_, err = r.tryReplace(gc, g, fmt.Sprintf(`{"displayName":"x","members":[{"value":%q}]}`, id))
					refused(t, "replace group", err, 400, scim.InvalidValue)
					_, err = r.tryPatch(gc, g, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id))
					refused(t, "add member "+id, err, 400, scim.InvalidValue)
				}
			}
			r.patch(gc, g, `{"op":"remove","path":"members[value eq \"nobody\"]"}`) // P-47
			equal(t, "backend", r.snapshot(), before)
			_ = c
		})
	}
}

// TestScope: what is out of scope is invisible and untouchable, from the start and
// from one moment to the next.
func TestScope(t *testing.T) {
	for name, o := range map[string]settings{
		"pushed":     {scope: `record.kind != "builtin"`},
		"not pushed": {scope: `(record.kind ?? "") startsWith "p" or record.kind == nil`},
		"no filter":  {scope: `record.kind != "builtin"`, restrict: noFilters},
		"no delta":   {scope: `record.kind != "builtin"`, restrict: noDelta},
	} {
		t.Run(name, func(t *testing.T) {
			o.groups = true
			r := newRig(t, o)
			c, gc := r.call(r.User), r.call(r.Group)
			root := r.raw(map[string]any{"login": "root", "kind": "builtin"})
			was := r.user(`{"userName":"was","externalId":"W"}`)
			ann := r.create(c, "%s", withManager("ann", was)).ID()
			bob := r.user(`{"userName":"bob"}`)
			r.rawSet(r.keyOf(bob), "boss", string(root))
			g := r.group(`{"displayName":"g","members":[{"value":%q},{"value":%q}]}`, was, ann)
			r.addMember(g, string(root))
			r.rawSet(r.keyOf(was), "kind", "builtin")

			equal(t, "list", fmt.Sprint(names(t, c, r.list(c, ""))), "[ann bob]")
			equal(t, "total", r.list(c, "", page(1, 0)).Total, 2)
			for _, f := range []string{`userName eq "root"`, `userName eq "was"`, `externalId eq "W"`, `id eq "` + was + `"`, `userName sw "w" or userName sw "r"`,
				enterprise + `:manager eq "` + was + `"`, enterprise + `:manager pr`, `not (userName eq "ann") and not (userName eq "bob")`} {
				equal(t, f, r.list(c, f).Total, 0)
			}
			equal(t, "members eq", r.list(gc, `members eq "`+was+`"`).Total, 0)
			equal(t, "manager that became hidden", managerOf(t, c, r.get(c, ann)), any(nil))
			equal(t, "manager that always was", managerOf(t, c, r.get(c, bob)), any(nil))
			equal(t, "members", members(t, gc, r.get(gc, g), "members"), []string{ann})
			_, err := r.svc.Get(context.Background(), c, was)
			refused(t, "get", err, 404, "")
			before := r.snapshot()
			_, err = r.tryPatch(c, was, `{"op":"add","path":"title","value":"x"}`)
			refused(t, "patch", err, 404, "")
			_, err = r.tryReplace(c, was, `{"userName":"was"}`)
			refused(t, "replace", err, 404, "")
			refused(t, "delete", r.svc.Delete(context.Background(), c, was), 404, "")
			for _, id := range []string{string(root), "root"} { // ids: existing tells no more
				_, err = r.svc.Get(context.Background(), r.call(r.User, existing, as("e")), id)
				refused(t, "get by key", err, 404, "")
			}
			equal(t, "backend", r.snapshot(), before)

			// Changes do not touch hidden members and managers.
			res, err := r.tryReplace(gc, g, fmt.Sprintf(`{"displayName":"g","members":[{"value":%q}]}`, bob))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "members", members(t, gc, res, "members"), []string{bob})
			r.patch(gc, g, `{"op":"remove","path":"members"}`)
			equal(t, "hidden members stay", len(r.rawMembers(g)), 2)
			r.patch(c, ann, `{"op":"add","path":"title","value":"x"}`)
			if _, err := r.tryReplace(c, bob, `{"userName":"bob","title":"y"}`); err != nil {
				t.Fatal(err)
			}
			rec, _ := r.users.Adapter.Get(context.Background(), r.keyOf(bob), adapters.AllFields)
			equal(t, "hidden manager stays", rec.Get("boss"), any(string(root)))
			res = r.patch(c, bob, "%s", setManager(ann))
			equal(t, "manager", managerOf(t, c, res), any(ann))
			r.rawSet(r.keyOf(was), "kind", nil)
			equal(t, "visible again", managerOf(t, c, r.get(c, ann)), any(was))
		})
	}
}

// addMember and rawMembers work on a group behind the service's back.
func (r *rig) addMember(g, key string) {
	r.t.Helper()
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: "$members", Add: []string{key}}}}
	a := r.groups.Adapter
	if !a.Capabilities().Fields[a.Capabilities().Shape.Index("$members")].Delta {
		d = adapters.Delta{Set: []adapters.Change{{Field: "$members", Old: r.rawMembers(g), New: append(r.rawMembers(g), key)}}}
	}
	if _, err := a.Update(context.Background(), r.keyOf(g), d, adapters.Fields{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) rawMembers(g string) []string {
	r.t.Helper()
	rec, err := r.groups.Adapter.Get(context.Background(), r.keyOf(g), adapters.AllFields)
	if err != nil {
		r.t.Fatal(err)
	}
	list, _ := rec.Get("$members").([]string)
	return list
}

func names(t testing.TB, c provision.Call, l provision.List) []string {
	out := []string{}
	for _, res := range l.Resources {
		out = append(out, fmt.Sprint(value(t, c, res, "userName")))
	}
	return sorted(out...)
}

// TestMembersUnread: P-64 and A-09, members are read only when the answer needs
// them.
func TestMembersUnread(t *testing.T) {
	r := newRig(t, settings{})
	gc := r.call(r.Group)
	var list []string
	for i := range 50 {
		list = append(list, fmt.Sprintf(`{"value":%q}`, r.user(`{"userName":"u%d"}`, i)))
	}
	ann := r.user(`{"userName":"ann"}`)
	g := r.group(`{"displayName":"g","members":[%s]}`, strings.Join(list, ","))
	read := func(what string, want int, f func()) {
		t.Helper()
		before := r.groups.relation.Read()
		f()
		equal(t, "members read by "+what, r.groups.relation.Read()-before, want)
	}
	read("add", 0, func() { // P-09: nothing to answer with
		res := r.patch(gc, g, `{"op":"add","path":"members","value":[{"value":%q}]}`, ann)
		if res != nil {
			t.Error("an answer")
		}
	})
	r.groups.reset()
	read("remove", 0, func() { r.patch(gc, g, `{"op":"remove","path":"members[value eq \"%s\"]"}`, ann) })
	equal(t, "calls", r.groups.calls(), int64(1))
	read("remove by list", 0, func() { r.patch(gc, g, `{"op":"Remove","path":"members","value":[{"value":%q}]}`, ann) })
	read("attributes=displayName", 0, func() {
		c := r.call(r.Group, attributes("displayName"))
		res := r.patch(c, g, `{"op":"add","path":"members","value":[{"value":%q}]}`, ann)
		equal(t, "answer", value(t, c, res, "displayName"), any("g"))
	})
	read("get without members", 0, func() { r.get(r.call(r.Group, excluding("members")), g) })
	read("list without members", 0, func() {
		equal(t, "total", r.list(r.call(r.Group, excluding("members")), `displayName eq "g"`).Total, 1)
	})
	read("rename, answered without members", 0, func() {
		r.patch(r.call(r.Group, excluding("members")), g, `{"op":"replace","path":"displayName","value":"h"}`)
	})
	read("rename, with the answer", 51, func() { r.patch(gc, g, `{"op":"replace","path":"displayName","value":"i"}`) })
	equal(t, "members", len(members(t, gc, r.get(gc, g), "members")), 51)
	r.groups.reset()
	read("remove of nobody", 0, func() { r.patch(gc, g, `{"op":"remove","path":"members[value eq \"nobody\"]"}`) })
	equal(t, "writes", r.groups.updates.Load(), int64(0)) // P-12
	_, err := r.tryPatch(gc, "nobody", fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, ann))
	refused(t, "unknown group", err, 404, "")
	_, err = r.tryPatch(gc, "nobody", `{"op":"remove","path":"members[value eq \"x\"]"}`)
	refused(t, "unknown group, nothing to do", err, 404, "")
}

// TestMerged: the records of a merged identity are one resource, one member, and
// leave together.
func TestMerged(t *testing.T) {
	for name, o := range weakBackends() {
		t.Run(name, func(t *testing.T) {
			o.groups = true
			r := newRig(t, o)
			ctx := context.Background()
			c, gc := r.call(r.User), r.call(r.Group)
			var all []string
			for i := range 10 {
				all = append(all, r.user(`{"userName":"u%d","title":"t"}`, i))
			}
			keep, drop := all[2], all[7]
			sub := r.create(c, "%s", withManager("sub", drop)).ID()
			g := r.group(`{"displayName":"g","members":[{"value":%q},{"value":%q},{"value":%q}]}`, keep, drop, sub)
			dropKey, keepKey := r.keyOf(drop), r.keyOf(keep)
			if _, err := r.ids.Merge(ctx, "", keep, []string{drop}, identity.Reason{Who: "test"}); err != nil {
				t.Fatal(err)
			}
			for _, f := range []string{"", `title eq "t" or userName eq "sub"`, `userName pr`} {
				var got []string
				for start := 1; start < 15; start += 3 {
					l := r.list(c, f, page(start, 3))
					equal(t, fmt.Sprint("total from ", start), l.Total, 10)
					got = append(got, ids(l)...)
				}
				want := append([]string{}, all[:7]...)
				want = append(append(want, all[8:]...), sub)
				equal(t, "pages of "+f, sorted(got...), sorted(want...))
				equal(t, "count=0", r.list(c, f, page(1, 0)).Total, 10)
				equal(t, "whole", r.list(c, f).Total, 10)
			}
			equal(t, "the other record", r.list(c, `userName eq "u7"`).Total, 0)
			equal(t, "id", r.get(c, drop).ID(), keep)                                                     // GW-02
			equal(t, "by id", fmt.Sprint(ids(r.list(c, `id eq "`+drop+`"`))), fmt.Sprint([]string{keep})) // GW-02
			equal(t, "by manager", ids(r.list(c, enterprise+`:manager eq "`+drop+`"`)), []string{sub})
			equal(t, "by manager", ids(r.list(c, enterprise+`:manager eq "`+keep+`"`)), []string{sub})
			equal(t, "by member", ids(r.list(gc, `members[value eq "`+drop+`"]`)), []string{g})
			equal(t, "manager", managerOf(t, c, r.get(c, sub)), any(keep))
			equal(t, "members", members(t, gc, r.get(gc, g), "members"), sorted(keep, sub))
			equal(t, "by group", r.list(gc, `members eq "`+keep+`"`).Total, 1)
			res := r.patch(c, drop, `{"op":"add","path":"nickName","value":"n"}`)
			equal(t, "patched", res.ID(), keep)
			res = r.patch(gc, g, `{"op":"add","path":"displayName","value":"h"},{"op":"remove","path":"members[value eq \"%s\"]"}`, keep)
			equal(t, "members", members(t, gc, res, "members"), []string{sub})
			r.patch(gc, g, `{"op":"add","path":"members","value":[{"value":%q}]}`, drop)
			equal(t, "members", members(t, gc, r.get(gc, g), "members"), sorted(keep, sub))
			r.addMember(g, string(dropKey))
			r.patch(gc, g, `{"op":"remove","path":"members[value eq \"%s\"]"}`, keep)
			equal(t, "members", members(t, gc, r.get(gc, g), "members"), []string{sub})

			if err := r.svc.Delete(ctx, c, drop); err != nil { // acknowledges the merge
				t.Fatal(err)
			}
			equal(t, "still there", r.get(c, keep).ID(), keep)
			_, err := r.svc.Get(ctx, c, drop)
			refused(t, "acknowledged", err, 404, "")
			if err := r.svc.Delete(ctx, c, keep); err != nil {
				t.Fatal(err)
			}
			for _, k := range []adapters.Key{keepKey, dropKey} {
				if _, err := r.users.Adapter.Get(ctx, k, adapters.Fields{}); !adapters.Is(err, adapters.NotFound) {
					t.Errorf("after the deletion: %v", err)
				}
			}
			equal(t, "total", r.list(c, "", page(2, 1)).Total, 9)
		})
	}
}

// TestExistingIDs: with `ids: existing` the key is the id, also of records that
// nobody has met.
func TestExistingIDs(t *testing.T) {
	r := newRig(t, settings{fromName: true, groups: true})
	c, gc := r.call(r.User, existing), r.call(r.Group, existing)
	r.raw(map[string]any{"login": "a/b c", "status": "A"})
	r.raw(map[string]any{"login": "ann", "status": "A", "boss": "a/b c"})
	res := r.get(c, "ann")
	equal(t, "id", res.ID(), "ann")
	equal(t, "manager", managerOf(t, c, res), any("a/b c"))
	equal(t, "$ref", value(t, c, res, enterprise, "manager", "$ref"), any(base+"/Users/a%2Fb%20c"))
	equal(t, "location", value(t, c, r.get(c, "a/b c"), "meta", "location"), any(base+"/Users/a%2Fb%20c"))
	g := r.create(gc, `{"displayName":"g","members":[{"value":"ann"}]}`)
	equal(t, "members", members(t, gc, g, "members"), []string{"ann"})
	equal(t, "by id", r.list(c, `id eq "ann"`).Total, 1)
	_, err := r.svc.Get(context.Background(), c, "nobody")
	refused(t, "get", err, 404, "")
	allocated := r.list(r.call(r.User, as("okta")), `userName eq "ann"`).Resources[0].ID()
	if allocated == "ann" {
		t.Error("the key is shown to a client of allocated ids")
	}
	made := r.create(c, `{"userName":"bob"}`)
	equal(t, "id", made.ID(), "bob")
}

// TestExternalID: S-33 and Y-06, externalId is each client's own, unless the
// backend keeps it.
func TestExternalID(t *testing.T) {
	r := newRig(t, settings{})
	c, okta := r.call(r.User), r.call(r.User, as("okta"))
	id := r.user(`{"userName":"ann","externalId":"E1"}`)
	theirs := r.list(okta, "").Resources[0]
	equal(t, "not set", value(t, okta, theirs, "externalId"), any(nil))
	r.patch(okta, theirs.ID(), `{"op":"add","path":"externalId","value":"O1"}`)
	equal(t, "entra's", value(t, c, r.get(c, id), "externalId"), any("E1"))
	equal(t, "okta's", value(t, okta, r.get(okta, theirs.ID()), "externalId"), any("O1"))
	equal(t, "by okta's", r.list(c, `externalId eq "O1"`).Total, 0)
	equal(t, "by entra's", r.list(c, `externalId eq "E1"`).Total, 1)
	equal(t, "case", r.list(c, `externalId eq "e1"`).Total, 0)
	r.user(`{"userName":"bob","externalId":"E1"}`) // not unique
	equal(t, "two", r.list(c, `externalId eq "E1"`).Total, 2)
	_, err := r.svc.Get(context.Background(), okta, id)
	refused(t, "another client's id", err, 404, "")

	kept := newRig(t, settings{external: true})
	okta = kept.call(kept.User, as("okta"))
	kept.user(`{"userName":"ann","externalId":"E1"}`)
	equal(t, "kept in the backend", value(t, okta, kept.list(okta, `externalId eq "E1"`).Resources[0], "externalId"), any("E1"))
}
