package conform

import (
	"slices"
	"strconv"
)

var createChecks = []Check{
	{"C-01", Must, "A create is answered 201 with the resource as it is stored.", "RFC 7644 section 3.3", false, func(p *probe) {
		o := p.person()
		a := p.post(p.users(), o).want(201).is(top("userName"), o["userName"])
		p.get(p.users()+"/"+text(a.json["id"])).want(200).is(top("userName"), o["userName"]).is(top("id"), a.json["id"])
	}},
	{"C-02", Must, "What clients cannot write is ignored in a create.", "RFC 7644 section 3.3", false, func(p *probe) {
		o := p.person()
		o["id"] = "conform-forged"
		o["groups"] = []any{Object{"value": "conform-forged"}}
		a := p.post(p.users(), o).want(201)
		if a.object()["id"] == "conform-forged" || slices.Contains(values(a.json["groups"], "value"), "conform-forged") {
			a.fail("what was sent is shown")
		}
	}},
	{"C-05", Must, "A create that another resource stands in the way of is refused with 409 and uniqueness.", "RFC 7644 section 3.3", false, func(p *probe) {
		_, o := p.user()
		p.post(p.users(), o).refused(409, "uniqueness")
	}},
	{"C-06", Must, "meta.resourceType is that of the endpoint, whatever was sent.", "RFC 7644 section 3.3.1", false, func(p *probe) {
		o := p.person()
		o["meta"] = Object{"resourceType": "Group"}
		a := p.post(p.users(), o).want(201)
		if got := object(a.object()["meta"])["resourceType"]; got != p.server.typeOf(userURN).Name {
			a.fail("meta.resourceType is %s", show(got))
		}
	}},
	{"C-07", Must, "A create without a required value is refused with invalidValue.", "RFC 7644 section 3.12", false, func(p *probe) {
		for _, empty := range []any{nil, ""} {
			o := p.person()
			if delete(o, "userName"); empty != nil {
				o["userName"] = empty
			}
			p.post(p.users(), o).refused(400, "invalidValue")
		}
	}},
	{"C-08", Must, "A create without schemas is refused with invalidSyntax or invalidValue.", "RFC 7643 section 3", false, func(p *probe) {
		for _, s := range []any{nil, []any{}} {
			o := p.person()
			if o["schemas"] = s; s == nil {
				delete(o, "schemas")
			}
			p.post(p.users(), o).refused(400, "invalidSyntax", "invalidValue")
		}
	}},
	{"C-09", Should, "A deleted resource stands in nobody's way.", "RFC 7644 section 3.6", false, func(p *probe) {
		path, o := p.user()
		p.delete(path).want(204)
		p.post(p.users(), o).want(201)
	}},
	{"C-11", Must, "The answer to a create shows what attributes asks for.", "RFC 7644 section 3.9", false, func(p *probe) {
		at := p.plain()
		o := p.person()
		with(at, "Conform")(o)
		a := p.post(p.users()+"?attributes=userName", o).want(201).is(top("userName"), o["userName"]).is(at, nil)
		if text(a.json["id"]) == "" {
			a.fail("there is no id")
		}
	}},
	{"C-12", Must, "The answer to a create has an ETag, where versions are supported.", "RFC 7644 section 3.14", false, func(p *probe) {
		p.needs("etag")
		if a := p.post(p.users(), p.person()).want(201); a.header.Get("ETag") == "" {
			a.fail("there is no ETag")
		}
	}},
	{"C-17", Should, "A group can be made without members, in both ways to say that.", "RFC 7643 section 4.2", false, func(p *probe) {
		at := p.groups()
		if !p.canMake(at, p.team()) {
			p.skip("groups cannot be made here")
		}
		if p.peopled() {
			p.skip("the schema says that a group must have members")
		}
		o := p.team()
		o["members"] = []any{}
		for _, g := range []Object{o, p.team()} {
			p.post(at, g).want(201).is(top("displayName"), g["displayName"])
		}
	}},
}

var readChecks = []Check{
	{"G-01", Must, "A resource is read by its id, and an id that nothing has is not found.", "RFC 7644 section 3.4.1", false, func(p *probe) {
		path, o := p.user()
		p.get(path).want(200).is(top("id"), idOf(path)).is(top("userName"), o["userName"])
		p.get(p.users() + "/conform-none").refused(404)
	}},
	{"G-02", Must, "A list is a ListResponse with totalResults and Resources.", "RFC 7644 section 3.4.2", false, func(p *probe) {
		_, _ = p.user()
		a := p.get(p.users() + "?count=1").want(200)
		if n, ok := a.object()["totalResults"].(float64); !ok || n < 1 || !slices.Contains(texts(a.json["schemas"]), listURN) || len(objects(a.json["Resources"])) != 1 {
			a.fail("no ListResponse with one resource")
		}
	}},
	{"G-03", Must, "A query that finds nothing is answered 200 with totalResults 0.", "RFC 7644 section 3.4.2", true, func(p *probe) {
		p.needs("filter")
		a := p.get(query(p.users(), "filter", `userName eq "`+p.word()+`"`)).want(200)
		if a.object()["totalResults"] != 0.0 || len(objects(a.json["Resources"])) != 0 {
			a.fail("totalResults is %s", show(a.json["totalResults"]))
		}
	}},
	{"G-04", Should, "A list always has Resources, startIndex and itemsPerPage, and its numbers are integers.", "RFC 7644 section 3.4.2", true, func(p *probe) {
		p.needs("filter")
		a := p.get(query(p.users(), "filter", `userName eq "`+p.word()+`"`)).want(200)
		if _, ok := a.object()["Resources"].([]any); !ok {
			a.fail("Resources is %s", show(a.json["Resources"]))
		}
		for _, k := range []string{"totalResults", "startIndex", "itemsPerPage"} {
			if n, ok := a.json[k].(float64); !ok || n != float64(int(n)) {
				a.fail("%s is %s", k, show(a.json[k]))
			}
		}
	}},
	{"G-09", Should, "A user that is not active can still be read and found.", "RFC 7643 section 4.1.1", false, func(p *probe) {
		if !p.server.find(userURN, "active").writable() {
			p.skip("active cannot be written")
		}
		path, o := p.user()
		o["active"] = false
		p.put(path, o).want(200)
		p.get(path).want(200).is(top("active"), false)
		if p.needs("filter"); p.count(`userName eq "`+text(o["userName"])+`"`) != 1 {
			p.fail("the user is not found any more")
		}
	}},
	{"G-10", Should, "The same query gives the same order.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		p.needs("filter")
		_, scope := p.crowd()
		at := query(p.users(), "filter", scope)
		if first, second := p.found(at), p.found(at); first != second {
			p.fail("the order was %s and then %s", first, second)
		}
	}},
	{"G-12", Must, "Every resource in a list has its id and its schemas.", "RFC 7643 section 3.1", false, func(p *probe) {
		_, _ = p.user()
		a := p.get(p.users() + "?count=5").want(200)
		for _, o := range objects(a.object()["Resources"]) {
			if text(o["id"]) == "" || len(texts(o["schemas"])) == 0 {
				a.fail("a resource without id or schemas: %s", show(o))
			}
		}
	}},
	{"G-13", Must, "What was deleted is found no more.", "RFC 7644 section 3.6", false, func(p *probe) {
		p.needs("filter")
		path, o := p.user()
		f := `userName eq "` + text(o["userName"]) + `"`
		if n := p.count(f); n != 1 {
			p.fail("%s finds %d users, want 1", f, n)
		}
		p.delete(path).want(204)
		if n := p.count(f); n != 0 {
			p.fail("after deletion %s finds %d users", f, n)
		}
	}},
	{"M-01", Should, "/Me is carried out, leads to the resource, or is refused with 501.", "RFC 7644 section 3.11", true, func(p *probe) {
		p.get("/Me").want(200, 308, 307, 501, 404)
	}},
}

var replaceChecks = []Check{
	{"U-02", Must, "A PUT makes nothing.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		p.put(p.users()+"/conform-none", p.person()).refused(404)
	}},
	{"U-03", Must, "A PUT replaces the values that it gives.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Before"))
		at.set(o, "After")
		p.put(path, o).want(200)
		p.get(path).want(200).is(at, "After")
	}},
	{"U-04", Should, "What a PUT leaves out is taken away.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Before"))
		p.get(path).want(200).is(at, "Before")
		at.set(o, nil)
		p.put(path, o).want(200)
		p.get(path).want(200).is(at, nil)
	}},
	{"U-05", Should, "A PUT that changes what can be given only once is refused with mutability.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		p.users()
		for _, x := range p.server.places(p.server.typeOf(userURN)) {
			if x.Mutability == "immutable" && x.Type == "string" {
				path, o := p.user(with(x.attr, p.word()))
				x.set(o, p.word())
				p.put(path, o).refused(400, "mutability")
				return
			}
		}
		p.skip("users have no immutable text")
	}},
	{"U-06", Must, "What clients cannot write is ignored in a PUT, another id too.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		path, o := p.user()
		o["id"] = "conform-forged"
		o["meta"] = Object{"created": "1999-01-01T00:00:00Z"}
		p.put(path, o).want(200)
		a := p.get(path).want(200).is(top("id"), idOf(path))
		if object(a.json["meta"])["created"] == "1999-01-01T00:00:00Z" {
			a.fail("meta.created is what was sent")
		}
	}},
	{"U-07", Must, "A PUT without a required value is refused with invalidValue.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		path, o := p.user()
		delete(o, "userName")
		p.put(path, o).refused(400, "invalidValue")
	}},
	{"U-08", Must, "A PUT is answered 200 with the whole resource.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		path, o := p.user()
		p.put(path, o).want(200).is(top("id"), idOf(path)).is(top("userName"), o["userName"])
	}},
	{"U-11", Should, "A PUT that changes nothing does not change lastModified and version.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		path, o := p.user()
		before := p.get(path).want(200)
		p.put(path, o).want(200)
		unchanged(before, p.get(path).want(200))
	}},
	{"U-12", Must, "A PUT that takes another's name is refused with 409 and uniqueness.", "RFC 7644 section 3.12", false, func(p *probe) {
		p.renamable()
		_, other := p.user()
		path, o := p.user()
		o["userName"] = other["userName"]
		p.put(path, o).refused(409, "uniqueness")
	}},
	{"U-13", Must, "A PUT of a group replaces its members.", "RFC 7644 section 3.5.1", false, func(p *probe) {
		a, _ := p.user()
		b, _ := p.user()
		path, o := p.group(idOf(a))
		p.members(path, idOf(a))
		o["members"] = membersOf(idOf(b))
		p.put(path, o).want(200)
		p.members(path, idOf(b))
	}},
}

// unchanged fails if the version or the time of the last change moved.
func unchanged(before, after *answer) {
	for _, k := range []string{"lastModified", "version"} {
		if b, a := object(before.object()["meta"])[k], object(after.object()["meta"])[k]; b != a {
			after.fail("meta.%s was %s and is %s", k, show(b), show(a))
		}
	}
}

var deleteChecks = []Check{
	{"X-01", Must, "A DELETE is answered 204 without a body.", "RFC 7644 section 3.6", false, func(p *probe) {
		path, _ := p.user()
		if a := p.delete(path).want(204); a.text != "" {
			a.fail("there is a body")
		}
	}},
	{"X-02", Must, "What was deleted is not found, by any method.", "RFC 7644 section 3.6", false, func(p *probe) {
		path, o := p.user()
		p.delete(path).want(204)
		p.get(path).refused(404)
		p.put(path, o).refused(404)
		p.delete(path).refused(404)
		if p.server.supports("patch") {
			p.patch(path, op{"replace", "userName", o["userName"]}).refused(404)
		}
	}},
	{"X-05", Must, "A DELETE is no deactivation: the user is in no list.", "RFC 7644 section 3.6", false, func(p *probe) {
		path, _ := p.user()
		p.delete(path).want(204)
		for start := 1; start < 2000; {
			a := p.get(query(p.users(), "startIndex", strconv.Itoa(start), "count", "100")).want(200)
			list := objects(a.object()["Resources"])
			if slices.Contains(values(a.json["Resources"], "id"), idOf(path)) {
				a.fail("the user is listed")
			}
			if start += len(list); len(list) == 0 {
				return
			}
		}
	}},
	{"X-07", Should, "A user that was deleted is no member any more.", "RFC 7644 section 3.6", false, func(p *probe) {
		a, _ := p.user()
		b, _ := p.user()
		path, _ := p.group(idOf(a), idOf(b))
		p.members(path, idOf(a), idOf(b))
		p.delete(a).want(204)
		p.members(path, idOf(b))
	}},
}
