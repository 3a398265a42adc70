package conform

import (
	"slices"
	"strings"
)

var selectChecks = []Check{
	{"A-02", Must, "attributes shows what it names, and what is always shown.", "RFC 7644 section 3.9", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Conform"))
		p.get(path+"?attributes="+at.String()).want(200).is(at, "Conform").is(top("userName"), nil).is(top("id"), idOf(path))
		p.get(path+"?attributes=userName").want(200).is(at, nil).is(top("userName"), o["userName"])
	}},
	{"A-03", Must, "excludedAttributes leaves out what it names, but not what is always shown.", "RFC 7644 section 3.9", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Conform"))
		p.get(path+"?excludedAttributes="+at.String()).want(200).is(at, nil).is(top("userName"), o["userName"])
		p.get(path+"?excludedAttributes=id").want(200).is(top("id"), idOf(path)).is(at, "Conform")
	}},
	{"A-04", Should, "attributes and excludedAttributes together are refused.", "RFC 7644 section 3.9", false, func(p *probe) {
		path, _ := p.user()
		p.get(path + "?attributes=userName&excludedAttributes=name").refused(400)
	}},
	{"A-05", Must, "Several names are separated by commas; they ignore case and may have the URN of their schema.", "RFC 7644 section 3.10", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Conform"))
		p.get(path+"?attributes=USERNAME,"+strings.ToUpper(at.String())).want(200).is(at, "Conform").is(top("userName"), o["userName"])
		p.get(path+"?attributes="+userURN+":userName").want(200).is(top("userName"), o["userName"]).is(at, nil)
	}},
	{"A-06", Must, "Attributes are selected in every answer with a resource.", "RFC 7644 section 3.9", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Conform"))
		p.send("PUT", path+"?attributes=userName", o, nil).want(200).is(at, nil).is(top("userName"), o["userName"])
		if p.needs("filter"); true {
			a := p.get(query(p.users(), "filter", `userName eq "`+text(o["userName"])+`"`, "attributes", "userName")).want(200)
			for _, r := range objects(a.object()["Resources"]) {
				if at.in(r) != nil || r["userName"] == nil {
					a.fail("a user in the list is %s", show(r))
				}
			}
		}
	}},
	{"A-08", Should, "Names that no schema has are ignored.", "RFC 7644 section 3.9", false, func(p *probe) {
		path, o := p.user()
		p.get(path+"?attributes=userName,conformUnknown").want(200).is(top("userName"), o["userName"])
		p.get(path+"?excludedAttributes=conformUnknown").want(200).is(top("userName"), o["userName"])
	}},
	{"A-09", Should, "Groups can be read and found without their members.", "the practice of clients", false, func(p *probe) {
		user, _ := p.user()
		path, _ := p.group(idOf(user))
		p.get(path+"?excludedAttributes=members").want(200).is(top("members"), nil).is(top("id"), idOf(path))
		p.members(path, idOf(user))
	}},
	{"A-10", Should, "schemas is always shown.", "RFC 7643 section 3", false, func(p *probe) {
		path, _ := p.user()
		for _, q := range []string{"?attributes=userName", "?excludedAttributes=schemas"} {
			if a := p.get(path + q).want(200); !slices.Contains(texts(a.object()["schemas"]), userURN) {
				a.fail("schemas is %s", show(a.json["schemas"]))
			}
		}
	}},
}

var searchChecks = []Check{
	{"Q-01", Must, "A search by POST is a query, and makes nothing.", "RFC 7644 section 3.4.3", true, func(p *probe) {
		a := p.searching(Object{"filter": `userName eq "` + p.word() + `"`}).want(200)
		if a.object()["totalResults"] != 0.0 || a.header.Get("Location") != "" && a.json["id"] != nil {
			a.fail("totalResults is %s", show(a.json["totalResults"]))
		}
	}},
	{"Q-02", Must, "A search by POST means what the same query by GET means.", "RFC 7644 section 3.4.3", false, func(p *probe) {
		p.needs("filter")
		all, scope := p.crowd()
		a := p.searching(Object{"filter": scope, "startIndex": 2, "count": 2, "attributes": []string{"userName"}}).want(200)
		b := p.get(query(p.users(), "filter", scope, "startIndex", "2", "count", "2", "attributes", "userName")).want(200)
		if got, want := letters(all, objects(a.object()["Resources"])), letters(all, objects(b.object()["Resources"])); got != want || len(got) != 2 {
			a.fail("found are %s, by GET %s", got, want)
		}
		for _, o := range objects(a.json["Resources"]) {
			if p.plain().in(o) != nil || o["userName"] == nil {
				a.fail("a user is %s", show(o))
			}
		}
	}},
	{"Q-03", Must, "A search is answered 200 with a ListResponse.", "RFC 7644 section 3.4.3", true, func(p *probe) {
		a := p.searching(Object{"count": 1}).want(200)
		if !slices.Contains(texts(a.object()["schemas"]), listURN) {
			a.fail("schemas is %s", show(a.json["schemas"]))
		}
	}},
	{"Q-04", Must, "A search without the schema of searches is refused with invalidSyntax.", "RFC 7644 section 3.4.3", true, func(p *probe) {
		_ = p.searching(Object{"count": 1}).want(200)
		p.post(p.users()+"/.search", Object{"schemas": []string{userURN}, "count": 1}).refused(400, "invalidSyntax", "invalidValue")
		p.post(p.users()+"/.search", `{"schemas":`).refused(400, "invalidSyntax")
	}},
}

// searching sends a search, where there is one.
func (p *probe) searching(body Object) *answer {
	body["schemas"] = []string{searchURN}
	a := p.post(p.users()+"/.search", body)
	if a.status == 501 {
		p.skip("searches by POST are not supported")
	}
	return a
}

var versionChecks = []Check{
	{"V-01", Must, "Who supports versions sends an ETag.", "RFC 7644 section 3.14", false, func(p *probe) {
		_, tag := p.version()
		if !strings.HasSuffix(tag, `"`) || !strings.HasPrefix(tag, `"`) && !strings.HasPrefix(tag, `W/"`) {
			p.fail("the ETag is %q", tag)
		}
	}},
	{"V-02", Must, "The version changes when the resource does.", "RFC 7644 section 3.14", false, func(p *probe) {
		path, tag := p.version()
		p.change(path)
		if now := p.get(path).want(200).header.Get("ETag"); now == tag {
			p.fail("the ETag is %s as before", tag)
		}
	}},
	{"V-03", Must, "A write on the condition of an old version is refused with 412 and does nothing.", "RFC 7644 section 3.14", false, func(p *probe) {
		path, old := p.version()
		now := p.change(path)
		o := p.person()
		o["userName"] = now["userName"]
		p.send("PUT", path, o, headers{"If-Match": old}).refused(412)
		p.send("DELETE", path, nil, headers{"If-Match": old}).refused(412)
		p.get(path).want(200).is(p.plain(), "Changed")
	}},
	{"V-04", Must, "A write on the condition of the present version, or of any, is carried out.", "RFC 9110 section 13.1.1", false, func(p *probe) {
		path, tag := p.version()
		p.send("PUT", path, p.again(path), headers{"If-Match": tag}).want(200)
		p.send("PUT", path, p.again(path), headers{"If-Match": "*"}).want(200)
	}},
	{"V-05", Must, "A GET of a version that the client has is answered 304.", "RFC 7644 section 3.14", false, func(p *probe) {
		path, tag := p.version()
		if a := p.send("GET", path, nil, headers{"If-None-Match": tag}).want(304); a.text != "" {
			a.fail("there is a body")
		}
		p.change(path)
		p.send("GET", path, nil, headers{"If-None-Match": tag}).want(200)
	}},
	{"V-06", Must, "Conditions may list several versions.", "RFC 9110 section 13.1.1", false, func(p *probe) {
		path, tag := p.version()
		p.send("GET", path, nil, headers{"If-None-Match": `"conform", ` + tag}).want(304)
		p.send("PUT", path, p.again(path), headers{"If-Match": `"conform", ` + tag}).want(200)
	}},
	{"V-07", Should, "The version does not depend on which attributes are shown.", "RFC 7644 section 3.14", false, func(p *probe) {
		path, tag := p.version()
		if a := p.get(path + "?attributes=userName").want(200); a.header.Get("ETag") != "" && a.header.Get("ETag") != tag {
			a.fail("the ETag is %s, without attributes %s", a.header.Get("ETag"), tag)
		}
	}},
	{"V-09", Must, "Nobody has to give a condition.", "RFC 9110 section 13.1", false, func(p *probe) {
		path, o := p.user()
		p.put(path, o).want(200)
		p.delete(path).want(204)
	}},
}

// version is a user and its ETag.
func (p *probe) version() (path, tag string) {
	p.needs("etag")
	path, _ = p.user()
	a := p.get(path).want(200)
	if tag = a.header.Get("ETag"); tag == "" {
		a.fail("there is no ETag")
	}
	return path, tag
}

// again is a user as it was read, fit to be sent.
func (p *probe) again(path string) Object {
	o := clone(p.get(path).want(200).object())
	delete(o, "meta")
	delete(o, "groups")
	if p.server.find(userURN, "password") != nil {
		delete(o, "password")
	}
	return o
}

// change gives a user another value.
func (p *probe) change(path string) Object {
	o := p.again(path)
	with(p.plain(), "Changed")(o)
	return p.put(path, o).want(200).object()
}
