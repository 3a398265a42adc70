package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// TestMembersAllOrNone: where the members of one change have calls of their own and one
// of them is refused, those before it are taken back, but not what was so before. A
// single call reads nothing before it.
func TestMembersAllOrNone(t *testing.T) {
	for name, c := range map[string]struct {
		add, remove []string
		status      int // of what is said of member 9
		want        string
		gets        int // before the first change, the look at the record included
	}{
		"added":           {[]string{"1", "3", "9", "4"}, nil, 422, "1 2", 2},
		"removed":         {[]string{"3", "9"}, []string{"2", "5"}, 422, "1 2", 2},
		"not taken back":  {[]string{"3", "9"}, []string{"2"}, 503, "1 3", 2},
		"all":             {[]string{"3", "4"}, []string{"2"}, 422, "1 3 4", 2},
		"one is not read": {[]string{"3"}, nil, 422, "1 2 3", 1},
	} {
		members := []string{"1", "2"}
		gets, changed := 0, false
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			_, who, one := strings.Cut(r.URL.Path, "/users/7/members/")
			switch {
			case !one:
				if !changed {
					gets++
				}
				reply(w, 200, map[string]any{"id": 7, "name": "x", "members": members})
				return
			case who == "9":
				w.WriteHeader(c.status)
				return
			case r.Method == "DELETE":
				members = slices.DeleteFunc(members, func(m string) bool { return m == who })
			case !slices.Contains(members, who):
				members = append(members, who)
			}
			changed = true
			w.WriteHeader(204)
		}, func(_ *rest.Config, target *rest.Target) {
			target.Members = []rest.Members{{Field: text("members"), Add: step("post", "/users/{key}/members/{item}"), Remove: step("delete", "/users/{key}/members/{item}")}}
		})
		_, err := a.Update(t.Context(), "7", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: c.add, Remove: c.remove}}}, adapters.Fields{})
		slices.Sort(members)
		if got := strings.Join(members, " "); got != c.want || gets != c.gets || (err != nil) != slices.Contains(c.add, "9") {
			t.Errorf("%s: %s, want %s; %d reads, want %d; %v", name, got, c.want, gets, c.gets, err)
		}
	}
}
