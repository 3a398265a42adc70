package provision_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// The cost of the gateway's own work and of the mapping table: the backend is in
// memory and takes no time to speak of.

func benchRig(b *testing.B) (*rig, []string) {
	r := newRig(b, settings{groups: true, recall: true, scope: `record.kind != "builtin"`, unique: true})
	var list []string
	for i := range 1000 {
		body := fmt.Sprintf(`{"userName":"user%d","name":{"givenName":"Ann","familyName":"Lee"},"title":"clerk","emails":[{"type":"work","value":"u%d@example.org"}]`, i, i)
		if i > 10 {
			body += fmt.Sprintf(`,%q:{"department":"d","manager":{"value":%q}}`, enterprise, list[i%10])
		}
		list = append(list, r.user("%s}", body))
	}
	b.ReportAllocs()
	b.ResetTimer()
	return r, list
}

func BenchmarkGet(b *testing.B) {
	for name, at := range map[string]int{"plain": 5, "with manager": 500} {
		b.Run(name, func(b *testing.B) {
			r, ids := benchRig(b)
			c := r.call(r.User)
			for b.Loop() {
				r.get(c, ids[at])
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	r, _ := benchRig(b)
	c := r.call(r.User)
	for b.Loop() {
		if l := r.list(c, "", page(101, 100)); len(l.Resources) != 100 {
			b.Fatal(len(l.Resources))
		}
	}
}

func BenchmarkUserNameEq(b *testing.B) {
	r, _ := benchRig(b)
	c := r.call(r.User)
	for b.Loop() {
		if l := r.list(c, `userName eq "USER500"`); l.Total != 1 {
			b.Fatal(l.Total)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	r, _ := benchRig(b)
	c := r.call(r.User)
	for b.Loop() {
		if l := r.list(c, `userType eq "employee"`); l.Total != 1000 {
			b.Fatal(l.Total)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	r, ids := benchRig(b)
	c := r.call(r.User)
	for i := 0; b.Loop(); i++ {
		r.create(c, `{"userName":"new%d","title":"x",%q:{"manager":{"value":%q}}}`, i, enterprise, ids[3])
	}
}

func BenchmarkPatch(b *testing.B) {
	r, ids := benchRig(b)
	c := r.call(r.User)
	for i := 0; b.Loop(); i++ {
		r.patch(c, ids[500], `{"op":"replace","path":"title","value":"t%d"}`, i)
	}
}

func BenchmarkAddMember(b *testing.B) {
	r, ids := benchRig(b)
	c := r.call(r.Group)
	g := r.group(`{"displayName":"g"}`)
	for i := 0; b.Loop(); i++ {
		r.patch(c, g, `{"op":"add","path":"members","value":[{"value":%q}]}`, ids[i%len(ids)])
	}
}

// BenchmarkPlan is what a selection of the client's own costs a request.
func BenchmarkPlan(b *testing.B) {
	r := newRig(b, settings{groups: true})
	c := provision.Call{Type: r.User, Base: base}
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if c.Select, err = scim.Select(r.User.Layout, []string{"userName", "active"}, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := r.svc.List(context.Background(), c, provision.Search{StartIndex: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
