package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// isolationRequests is how often one tenant tries to get at another.
const isolationRequests = 10_000

// A loot is what one tenant could have got hold of of another: or, made up, what
// nobody ever had.
type loot struct {
	users, groups, cursors, etags, tokens, names []string
}

// TestIsolation: Y-03, Y-07, K-12: random requests of one tenant with the ids, cursors,
// versions, names, tokens, hosts and paths of another. Each is sent once more with
// what was made up, and the two answers must be the same: so nothing of another
// tenant can be read, changed, or guessed at. Afterwards the other tenant's data is
// what it was. The other tenant stands in the configuration, or was added at run time.
func TestIsolation(t *testing.T) {
	for _, one := range []bool{false, true} {
		t.Run(fmt.Sprintf("one database %v", one), func(t *testing.T) { isolate(t, one, false) })
		t.Run(fmt.Sprintf("added at run time, one database %v", one), func(t *testing.T) { isolate(t, one, true) })
	}
}

func isolate(t *testing.T, shared, added bool) {
	edit := []func(string) string{manyTenants, tenantBase("http://localhost/{tenant}/v2")}
	if added {
		edit = append(edit, onlyAcme)
	}
	if shared { // the two have the same records behind them, and still know nothing of each other
		edit = append(edit, func(yaml string) string { return strings.ReplaceAll(yaml, "{database: acme}", "{database: globex}") })
	}
	r := start(t, edit...)
	r.base = strings.TrimSuffix(r.base, "/scim/v2")
	if added {
		globexAdded(r, "globex")
	}
	their := collect(r, shared)
	rng := rand.New(rand.NewPCG(20261129, 7))
	none := invent(rng, their)
	before := dump(r, "globex")
	kinds := map[string]int{}
	for n := range isolationRequests {
		a := intrusions[n%len(intrusions)]
		seed := rng.Uint64()
		with := func(l loot) (string, *answer) {
			p := rand.New(rand.NewPCG(seed, 1)) // the same choices for both
			req := a.make(p, l)
			if req.token == "" {
				req.token = "acme-token"
			}
			got := sendAs(r, req)
			return req.method + " " + req.path, got
		}
		what, got := with(their)
		_, control := with(none)
		if s := differ(got, control, their, none); s != "" {
			t.Fatalf("request %d, %s: %s: with what is another tenant's the answer is not as with what is nobody's:\n%s", n, a.name, what, s)
		}
		if !a.allowed(got) {
			t.Fatalf("request %d, %s: %s succeeded: %d %s", n, a.name, what, got.status, got.body)
		}
		kinds[fmt.Sprint(got.status)]++
	}
	if after := dump(r, "globex"); after != before {
		t.Errorf("the other tenant's data has changed:\n%s\n%s", before, after)
	}
	t.Logf("%d requests, and as many with what was made up; statuses %v", isolationRequests, kinds)
}

// collect is what globex has.
func collect(r *rig, shared bool) loot {
	g := r.with("globex-token")
	var l loot
	for _, typ := range []string{"/Users", "/Groups"} {
		list := g.do("GET", "/globex/v2"+typ+"?count=7", "").want(200)
		for i := range list.at("Resources").([]any) {
			at := fmt.Sprintf("Resources.%d.", i)
			id := list.at(at + "id").(string)
			l.etags = append(l.etags, list.at(at+"meta.version").(string))
			if typ == "/Users" {
				l.users = append(l.users, id)
			} else {
				l.groups = append(l.groups, id)
			}
		}
		l.cursors = append(l.cursors, g.do("GET", "/globex/v2"+typ+"?count=2&cursor", "").want(200).at("nextCursor").(string))
	}
	if !shared {
		for i := range 5 {
			name := fmt.Sprintf("only.at.globex.%d", i)
			l.names = append(l.names, name)
			l.users = append(l.users, g.do("POST", "/globex/v2/Users", aUser(name)).want(201).at("id").(string))
		}
	} else {
		l.names = []string{"nobody.at.all"} // names are the same for both
	}
	l.tokens = []string{"globex-token"}
	r.with("acme-token").do("GET", "/acme/v2/Users?count=1", "").want(200)
	return l
}

// invent makes things of the same form that nobody has.
func invent(rng *rand.Rand, l loot) loot {
	like := func(all []string) []string {
		out := make([]string, len(all))
		for i, s := range all {
			b := []byte(s)
			for k, c := range b {
				switch {
				case c >= 'a' && c <= 'z':
					b[k] = byte('a' + rng.IntN(26))
				case c >= '0' && c <= '9':
					b[k] = byte('0' + rng.IntN(10))
				}
			}
			out[i] = string(b)
		}
		return out
	}
	out := loot{like(l.users), like(l.groups), nil, like(l.etags), like(l.tokens), like(l.names)}
	for _, c := range l.cursors {
		raw, _ := base64.RawURLEncoding.DecodeString(c)
		for i := range raw {
			raw[i] = byte(rng.Uint32())
		}
		out.cursors = append(out.cursors, base64.RawURLEncoding.EncodeToString(raw))
	}
	return out
}

// A forged is a request that should lead nowhere.
type forged struct {
	method, path, body, token string
	headers                   []string
}

func sendAs(r *rig, f forged) *answer {
	r.t.Helper()
	if p, q, ok := strings.Cut(f.path, "?"); ok {
		f.path = p + "?" + encodeQuery(q)
	}
	req, err := http.NewRequest(f.method, r.base+f.path, strings.NewReader(f.body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	if f.body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for _, h := range f.headers {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := r.answered(res, f.method+" "+f.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// differ tells by what two answers differ besides what they repeat of the request.
func differ(got, control *answer, their, none loot) string {
	plain := func(a *answer, l loot) string {
		text := fmt.Sprint(a.status, " ", a.header.Get("ETag"), a.header.Get("Location"), " ", a.body)
		for _, all := range [][]string{l.users, l.groups, l.cursors, l.etags, l.tokens, l.names} {
			for _, s := range all {
				text = strings.ReplaceAll(text, s, "X")
			}
		}
		return text
	}
	if a, b := plain(got, their), plain(control, none); a != b {
		return a + "\n" + b
	}
	return ""
}

// dump is everything that a tenant's client sees.
func dump(r *rig, tenant string) string {
	all := ""
	for _, typ := range []string{"/Users", "/Groups"} {
		for start := 1; ; start += 5 {
			list := r.with(tenant+"-token").do("GET", fmt.Sprintf("/%s/v2%s?startIndex=%d&count=5", tenant, typ, start), "").want(200)
			found, _ := list.at("Resources").([]any)
			b, _ := json.Marshal(found)
			if all += string(b) + "\n"; len(found) == 0 {
				break
			}
		}
	}
	return all
}

func pick(p *rand.Rand, all []string) string { return all[p.IntN(len(all))] }

// An intrusion is one way to get at another tenant.
type intrusion struct {
	name    string
	make    func(p *rand.Rand, l loot) forged
	allowed func(*answer) bool
}

func statuses(all ...int) func(*answer) bool {
	return func(a *answer) bool {
		for _, s := range all {
			if a.status == s {
				return true
			}
		}
		return false
	}
}

// empty is an answer that found nothing.
func empty(a *answer) bool {
	return a.status == 200 && a.at("totalResults") == 0.0 || a.status == 400
}

// nothingDone is a bulk answer in which every operation failed.
func nothingDone(a *answer) bool {
	ops, _ := a.at("Operations").([]any)
	for i := range ops {
		if s := fmt.Sprint(a.at(fmt.Sprintf("Operations.%d.status", i))); s[0] == '2' {
			return false
		}
	}
	return a.status == 200 && len(ops) > 0
}

const patchHead = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`

var intrusions = []intrusion{
	{"get", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Users/" + pick(p, l.users)}
	}, statuses(404)},
	{"get a group", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Groups/" + pick(p, l.groups) + "?attributes=members"}
	}, statuses(404)},
	{"get if none matches", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Users/" + pick(p, l.users), headers: []string{"If-None-Match: " + pick(p, l.etags)}}
	}, statuses(404)},
	{"delete", func(p *rand.Rand, l loot) forged {
		return forged{method: "DELETE", path: "/acme/v2/Users/" + pick(p, l.users), headers: []string{"If-Match: " + pick(p, l.etags)}}
	}, statuses(404)},
	{"replace", func(p *rand.Rand, l loot) forged {
		return forged{method: "PUT", path: "/acme/v2/Users/" + pick(p, l.users), body: aUser("who")}
	}, statuses(404)},
	{"patch", func(p *rand.Rand, l loot) forged {
		return forged{method: "PATCH", path: "/acme/v2/Users/" + pick(p, l.users), body: patchHead + `{"op":"replace","path":"active","value":false}]}`}
	}, statuses(404)},
	{"patch members of theirs", func(p *rand.Rand, l loot) forged {
		return forged{method: "PATCH", path: "/acme/v2/Groups/" + pick(p, l.groups), body: patchHead + `{"op":"add","path":"members","value":[{"value":"` + pick(p, l.users) + `"}]}]}`}
	}, statuses(404)},
	{"create a member of theirs", func(p *rand.Rand, l loot) forged {
		return forged{method: "POST", path: "/acme/v2/Groups", body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[{"value":"` + pick(p, l.users) + `"}]}`}
	}, statuses(400)},
	{"create with their manager", func(p *rand.Rand, l loot) forged {
		return forged{method: "POST", path: "/acme/v2/Users", body: strings.Replace(aUser("managed"), `"userName"`,
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"`+pick(p, l.users)+`"}},"userName"`, 1)}
	}, statuses(400)},
	{"filter by id", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: `/acme/v2/Users?filter=id eq "` + pick(p, l.users) + `"`}
	}, empty},
	{"filter by name", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: `/acme/v2/Users?filter=userName eq "` + pick(p, l.names) + `"`}
	}, empty},
	{"filter by member", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: `/acme/v2/Groups?filter=members.value eq "` + pick(p, l.users) + `"`}
	}, empty},
	{"filter by manager", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: `/acme/v2/Users?filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "` + pick(p, l.users) + `"`}
	}, empty},
	{"search", func(p *rand.Rand, l loot) forged {
		return forged{method: "POST", path: "/acme/v2/.search", body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"id eq \"` + pick(p, append(l.users, l.groups...)) + `\""}`}
	}, empty},
	{"cursor", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/" + pick(p, []string{"Users", "Groups"}) + "?count=2&cursor=" + pick(p, l.cursors)}
	}, statuses(400)},
	{"cursor as it was", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Users?count=2&cursor=" + l.cursors[0]}
	}, statuses(400)},
	{"bulk", func(p *rand.Rand, l loot) forged {
		id := pick(p, l.users)
		return forged{method: "POST", path: "/acme/v2/Bulk", body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` +
			`{"method":"DELETE","path":"/Users/` + id + `"},{"method":"PATCH","path":"/Groups/` + pick(p, l.groups) + `","data":{"Operations":[{"op":"remove","path":"members"}]}},` +
			`{"method":"PATCH","path":"/Users/` + id + `","version":` + fmt.Sprintf("%q", pick(p, l.etags)) + `,"data":{"Operations":[{"op":"replace","path":"title","value":"x"}]}}]}`}
	}, nothingDone},
	{"bulk reference", func(p *rand.Rand, l loot) forged {
		return forged{method: "POST", path: "/acme/v2/Bulk", body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Groups","bulkId":"` + pick(p, l.users) +
			`","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"B","members":[{"value":"` + pick(p, l.users) + `"}]}}]}`}
	}, nothingDone},
	{"their path", func(p *rand.Rand, l loot) forged {
		return forged{method: pick(p, []string{"GET", "DELETE"}), path: "/globex/v2/Users/" + pick(p, l.users)}
	}, statuses(401)},
	{"their path, list", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/" + pick(p, []string{"globex", "globex/", "nobody"}) + "/v2/Users"}
	}, statuses(401, 404)},
	{"up from our path", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/" + pick(p, []string{"..%2f..%2fglobex%2fv2%2fUsers/", "%2e%2e/%2e%2e/globex/v2/Users/", "Users/..%2f..%2f..%2fglobex%2fv2%2fUsers%2f"}) + pick(p, l.users)}
	}, statuses(401, 404)},
	{"their host", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Users/" + pick(p, l.users), headers: []string{pick(p, []string{"Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Tenant"}) + ": globex.localhost"}}
	}, statuses(404)},
	{"their token at our path", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: "/acme/v2/Users/" + pick(p, l.users), token: pick(p, l.tokens)}
	}, statuses(401)},
	{"their token, nearly", func(p *rand.Rand, l loot) forged {
		token := pick(p, l.tokens)
		return forged{method: "GET", path: "/" + pick(p, []string{"acme", "globex"}) + "/v2/Users", token: pick(p, []string{token[1:], token[:len(token)-1], token + "0", strings.ToUpper(token)})}
	}, statuses(401)},
	{"a location of theirs", func(p *rand.Rand, l loot) forged {
		return forged{method: "GET", path: `/acme/v2/Users?filter=meta.location eq "http://localhost/globex/v2/Users/` + pick(p, l.users) + `"`}
	}, empty},
}
