package provision_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// TestManyHidden: pages of any size, anywhere, hold what they should, and totals
// are true, though a third of the records is hidden and others are created,
// deleted and merged meanwhile.
func TestManyHidden(t *testing.T) {
	r := newRig(t, settings{recall: true})
	c := r.call(r.User)
	ctx := t.Context()
	for n := range 720 {
		r.raw(map[string]any{"login": fmt.Sprintf("u%04d", n), "status": "A", "title": strconv.Itoa(n % 4)})
	}
	entries := r.list(c, "", page(1, 1000)).Resources
	merge := func(keep, drop string) {
		t.Helper()
		if _, err := r.ids.Merge(ctx, "", keep, []string{drop}, identity.Reason{Who: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i+2 < len(entries); i += 3 {
		merge(entries[i].ID(), entries[i+1].ID())
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		r.checkPages(c, rnd)
		hidden, err := r.ids.Hidden(ctx, identity.Domain{Client: "entra"}, "User", "hr")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "visible", r.list(c, "", page(1, 1)).Total, r.stored()-len(hidden))
		switch all := r.list(c, "", page(1, 1000)).Resources; round % 4 {
		case 0:
			r.user(`{"userName":"new%d"}`, round)
		case 1:
			if err := r.svc.Delete(ctx, c, all[rnd.IntN(len(all))].ID()); err != nil {
				t.Fatal(err)
			}
		case 2:
			merge(all[7].ID(), all[50+rnd.IntN(100)].ID())
		case 3:
			if _, err := r.ids.Undo(ctx, "", r.lastMove(), identity.Reason{Who: "test"}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// stored counts the users in the backend.
func (r *rig) stored() int {
	r.t.Helper()
	pg, err := r.users.Adapter.List(r.t.Context(), adapters.Query{Total: true})
	if err != nil {
		r.t.Fatal(err)
	}
	return pg.Total
}

func (r *rig) lastMove() int64 {
	r.t.Helper()
	moves, err := r.ids.Moves(r.t.Context(), "", "", 0, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	return moves[0].Nr
}

// checkPages compares pages of lists, in the backend's order, sorted and filtered,
// with what a look at each record for itself finds.
func (r *rig) checkPages(c provision.Call, rnd *rand.Rand) {
	r.t.Helper()
	for _, q := range []struct {
		text   string
		change []func(*provision.Search)
	}{
		{"", nil},
		{"", []func(*provision.Search){r.sortBy(r.User, "userName", true)}},
		{`title eq "1"`, nil},
	} {
		all := r.list(c, q.text, append(q.change, page(1, 2000))...)
		want := loginsOf(all.Resources)
		if all.Total != len(want) || len(slices.Compact(slices.Sorted(slices.Values(want)))) != len(want) {
			r.t.Fatalf("%q: %d resources, the total is %d", q.text, len(want), all.Total)
		}
		for start := 1; start <= len(want)+5; {
			n := 1 + rnd.IntN(150)
			at := start
			if rnd.IntN(4) == 0 {
				at = 1 + rnd.IntN(len(want))
			}
			got := r.list(c, q.text, append(q.change, page(at, n))...)
			part := want[min(at-1, len(want)):min(at-1+n, len(want))]
			if got.Total != len(want) || !slices.Equal(loginsOf(got.Resources), part) {
				r.t.Fatalf("%q from %d, %d: total %d, want %d:\n%v\n%v", q.text, at, n, got.Total, len(want), loginsOf(got.Resources), part)
			}
			if at == start {
				start += n
			}
		}
	}
}

func loginsOf(rs []*scim.Resource) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Get(r.Layout().Find("userName")).String()
	}
	return out
}
