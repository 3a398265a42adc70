package conform

import (
	"encoding/json"
	"slices"
	"strings"
)

var bulkChecks = []Check{
	{"B-02", Must, "A bulk request is answered 200 with a BulkResponse.", "RFC 7644 section 3.7", false, func(p *probe) {
		a := p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()})
		if !slices.Contains(texts(a.json["schemas"]), messages+"BulkResponse") {
			a.fail("schemas is %s", show(a.json["schemas"]))
		}
		a.results("201")
	}},
	{"B-03", Must, "A create in a bulk request needs a bulkId.", "RFC 7644 section 3.7", false, func(p *probe) {
		p.bulk(0, job{Method: "POST", Path: p.users(), Data: p.person()}).results("400")
	}},
	{"B-04", Must, "A create names an endpoint, everything else a resource.", "RFC 7644 section 3.7", false, func(p *probe) {
		path, o := p.user()
		a := p.bulk(0, job{Method: "POST", Path: path, BulkID: "one", Data: p.person()}, job{Method: "PUT", Path: p.users(), Data: o})
		for _, r := range objects(a.json["Operations"]) {
			if statusOf(r) < "400" {
				a.fail("an operation has the status %s", statusOf(r))
			}
		}
	}},
	{"B-05", Must, "A bulkId is used once, and comes back in the answer.", "RFC 7644 section 3.7", false, func(p *probe) {
		a := p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()})
		a.results("201")
		if got := objects(a.json["Operations"])[0]["bulkId"]; got != "one" {
			a.fail("the bulkId is %s", show(got))
		}
		p.needs("bulk")
		b := p.post("/Bulk", jobs(0, job{Method: "POST", Path: p.users(), BulkID: "two", Data: p.person()}, job{Method: "POST", Path: p.users(), BulkID: "two", Data: p.person()}))
		if b.status == 200 && !slices.ContainsFunc(objects(b.object()["Operations"]), func(r Object) bool { return statusOf(r) >= "400" }) {
			b.fail("one bulkId was accepted twice")
		}
	}},
	{"B-06", Must, "A bulkId stands for the id of what is made.", "RFC 7644 section 3.7.2", false, func(p *probe) {
		p.needs("bulk")
		g := p.team()
		if !p.canMake(p.groups(), p.team()) {
			p.skip("groups cannot be made here")
		}
		g["members"] = membersOf("bulkId:u")
		p.joined(p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "u", Data: p.person()}, job{Method: "POST", Path: p.groups(), BulkID: "g", Data: g}), 0, 1)
	}},
	{"B-07", Must, "A bulkId may be used before what it stands for.", "RFC 7644 section 3.7.1", false, func(p *probe) {
		p.needs("bulk")
		g := p.team()
		if !p.canMake(p.groups(), p.team()) {
			p.skip("groups cannot be made here")
		}
		g["members"] = membersOf("bulkId:u")
		p.joined(p.bulk(0, job{Method: "POST", Path: p.groups(), BulkID: "g", Data: g}, job{Method: "POST", Path: p.users(), BulkID: "u", Data: p.person()}), 1, 0)
	}},
	{"B-09", Must, "Operations go on after an error, until there are as many as failOnErrors says.", "RFC 7644 section 3.7.3", false, func(p *probe) {
		bad := job{Method: "DELETE", Path: p.users() + "/conform-none"}
		p.bulk(0, bad, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()}).results("404", "201")
		a := p.bulk(1, bad, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()})
		for _, r := range objects(a.json["Operations"])[1:] {
			if statusOf(r) == "201" {
				a.fail("the second operation was carried out")
			}
		}
		if len(objects(a.json["Operations"])) > 0 && statusOf(objects(a.json["Operations"])[0]) != "404" {
			a.fail("the first operation has the status %s", statusOf(objects(a.json["Operations"])[0]))
		}
	}},
	{"B-10", Must, "failOnErrors does not come back.", "RFC 7644 section 3.7", false, func(p *probe) {
		if a := p.bulk(5, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()}); a.json["failOnErrors"] != nil {
			a.fail("the answer has failOnErrors")
		}
	}},
	{"B-11", Must, "A bulk request is answered 200 also if all operations fail.", "RFC 7644 section 3.7.3", false, func(p *probe) {
		p.bulk(0, job{Method: "DELETE", Path: p.users() + "/conform-none"}).results("404")
	}},
	{"B-12", Must, "Each result has its method, its status as a text, a location unless a create failed, and an error if it failed.", "RFC 7644 section 3.7.3", false, func(p *probe) {
		a := p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()}, job{Method: "DELETE", Path: p.users() + "/conform-none"})
		a.results("201", "404")
		for i, r := range objects(a.json["Operations"]) {
			if r["method"] != []string{"POST", "DELETE"}[i] {
				a.fail("the method of operation %d is %s", i+1, show(r["method"]))
			}
			if _, ok := p.local(text(r["location"])); i == 0 && !ok {
				a.fail("operation 1 has the location %s", show(r["location"]))
			}
			if _, ok := r["status"].(string); !ok {
				a.fail("the status of operation %d is %s, want a text", i+1, show(r["status"]))
			}
			if e := object(r["response"]); i == 1 && !slices.Contains(texts(e["schemas"]), errorURN) {
				a.fail("operation 2 failed and its response is %s", show(r["response"]))
			}
		}
	}},
	{"B-13", Must, "The version of an operation is a condition.", "RFC 7644 section 3.7", false, func(p *probe) {
		p.needs("bulk", "etag")
		path, tag := p.version()
		o := p.change(path)
		delete(o, "meta")
		p.bulk(0, job{Method: "PUT", Path: path, Version: tag, Data: o}).results("412")
	}},
	{"B-14", Must, "More operations than maxOperations are refused with 413.", "RFC 7644 section 3.7.4", true, func(p *probe) {
		p.needs("bulk")
		most, _ := object(p.server.config["bulk"])["maxOperations"].(float64)
		if most == 0 || most > 20000 {
			p.skip("maxOperations is %v", most)
		}
		all := make([]job, int(most)+1)
		for i := range all {
			all[i] = job{Method: "DELETE", Path: p.users() + "/conform-none"}
		}
		p.post("/Bulk", jobs(1, all...)).refused(413)
	}},
	{"B-15", Must, "A bulk request that is none is refused with invalidSyntax.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.needs("bulk")
		for _, body := range []string{`{"schemas":["` + bulkURN + `"],"Operations":`, `{"schemas":["` + userURN + `"],"Operations":[]}`} {
			p.send("POST", "/Bulk", body, nil).refused(400, "invalidSyntax", "invalidValue")
		}
	}},
	{"B-18", Must, "PATCH in a bulk request has the body that it has by itself.", "RFC 7644 section 3.7", false, func(p *probe) {
		p.needs("bulk", "patch")
		at := p.plain()
		path, _ := p.user(with(at, "Before"))
		a := p.bulk(0, job{Method: "PATCH", Path: path, Data: patchOf([]op{{"replace", at.String(), "After"}})})
		if s := statusOf(objects(a.json["Operations"])[0]); s != "200" && s != "204" {
			a.fail("the status is %s", s)
		}
		p.get(path).want(200).is(at, "After")
	}},
	{"B-19", Must, "What refers to a create that failed fails too.", "RFC 7644 section 3.7.2", false, func(p *probe) {
		p.needs("bulk")
		bad := p.person()
		delete(bad, "userName")
		if !p.canMake(p.groups(), p.team()) {
			p.skip("groups cannot be made here")
		}
		g := p.team()
		g["members"] = membersOf("bulkId:u")
		a := p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "u", Data: bad}, job{Method: "POST", Path: p.groups(), BulkID: "g", Data: g})
		for _, r := range objects(a.json["Operations"]) {
			if statusOf(r) < "400" {
				a.fail("%s has the status %s", show(r["bulkId"]), statusOf(r))
			}
		}
	}},
	{"B-20", Must, "An operation that fails undoes no other.", "RFC 7644 section 3.7", false, func(p *probe) {
		a := p.bulk(0, job{Method: "POST", Path: p.users(), BulkID: "one", Data: p.person()}, job{Method: "DELETE", Path: p.users() + "/conform-none"})
		a.results("201", "404")
		at, _ := p.local(text(objects(a.json["Operations"])[0]["location"]))
		p.get(at).want(200)
	}},
}

// A job is an operation of a bulk request.
type job struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	BulkID  string `json:"bulkId,omitempty"`
	Version string `json:"version,omitempty"`
	Data    any    `json:"data,omitempty"`
}

func jobs(failOnErrors int, all ...job) Object {
	o := Object{"schemas": []string{bulkURN}, "Operations": all}
	if failOnErrors > 0 {
		o["failOnErrors"] = failOnErrors
	}
	return o
}

// bulk sends a bulk request, which must be answered 200 with results.
func (p *probe) bulk(failOnErrors int, all ...job) *answer {
	p.needs("bulk")
	a := p.post("/Bulk", jobs(failOnErrors, all...)).want(200)
	if len(objects(a.object()["Operations"])) == 0 {
		a.fail("there are no Operations")
	}
	return a
}

// statusOf is the status of a result. Some servers write {"code": "201"}.
func statusOf(r Object) string {
	switch s := r["status"].(type) {
	case string:
		return s
	case map[string]any:
		return text(s["code"])
	case float64:
		data, _ := json.Marshal(s)
		return string(data)
	}
	return ""
}

// results fails unless the operations have these statuses.
func (a *answer) results(want ...string) {
	var got []string
	for _, r := range objects(a.object()["Operations"]) {
		got = append(got, statusOf(r))
	}
	if !slices.Equal(got, want) {
		a.fail("the operations have the statuses %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// joined fails unless one result's group has the other's user.
func (p *probe) joined(a *answer, user, group int) {
	a.results("201", "201")
	all := objects(a.json["Operations"])
	u, _ := p.local(text(all[user]["location"]))
	g, _ := p.local(text(all[group]["location"]))
	p.members(g, idOf(u))
}
