package conform

import (
	"regexp"
	"slices"
	"strings"
)

var schemaChecks = []Check{
	{"S-01", Must, "Names of attributes ignore case.", "RFC 7643 section 2.1", false, func(p *probe) {
		o := p.person()
		name := o["userName"]
		delete(o, "userName")
		o["USERNAME"] = name
		p.post(p.users(), o).want(201).is(top("userName"), name)
	}},
	{"S-06", Must, "A boolean is true or false and nothing else.", "RFC 7643 section 2.3.2", false, func(p *probe) { p.wrongValue("boolean", "yes", 1) }},
	{"S-07", Must, "An integer has no fraction.", "RFC 7643 section 2.3.4", false, func(p *probe) { p.wrongValue("integer", 1.5, "x") }},
	{"S-08", Must, "A decimal is a number.", "RFC 7643 section 2.3.3", false, func(p *probe) { p.wrongValue("decimal", "x", true) }},
	{"S-09", Must, "A dateTime has a date and a time.", "RFC 7643 section 2.3.5", false, func(p *probe) { p.wrongValue("dateTime", "2024-02-29", "yesterday") }},
	{"S-11", Must, "A binary is base64.", "RFC 7643 section 2.3.6", false, func(p *probe) { p.wrongValue("binary", "!?", 1) }},
	{"S-18", Must, "At most one value of an attribute is primary.", "RFC 7643 section 2.4", false, func(p *probe) {
		m := p.many()
		if !m.primary {
			p.skip("%s has no primary", m.name)
		}
		o := p.person()
		list := m.both("a", "b")
		object(list[0])["primary"], object(list[1])["primary"] = true, true
		o[m.name] = list
		if a := p.post(p.users(), o); a.status == 201 && primaries(a.object()[m.name]) > 1 {
			a.fail("two values of %s are primary", m.name)
		} else if a.status != 201 {
			a.refused(400)
		}
	}},
	{"S-21", Must, "null, and a list without elements, stand for no value.", "RFC 7643 section 2.5", false, func(p *probe) {
		at := p.plain()
		path, o := p.user(with(at, "Conform"))
		p.get(path).want(200).is(at, "Conform")
		if at.set(o, nil); at.sub == "" && at.urn == "" {
			o[at.name] = nil
		}
		p.put(path, o).want(200)
		p.get(path).want(200).is(at, nil)
	}},
	{"S-24", Must, "A resource names its schemas, each once, the base schema among them, and none that its type does not have.", "RFC 7643 section 3", false, func(p *probe) {
		path, _ := p.user()
		a := p.get(path).want(200)
		got := texts(a.object()["schemas"])
		allowed := []string{userURN}
		for _, e := range p.server.typeOf(userURN).SchemaExtensions {
			allowed = append(allowed, e.Schema)
		}
		for i, s := range got {
			if !slices.Contains(allowed, s) || slices.Contains(got[:i], s) {
				a.fail("schemas is %s", show(a.json["schemas"]))
			}
		}
		if !slices.Contains(got, userURN) {
			a.fail("schemas is %s, want %s in it", show(a.json["schemas"]), userURN)
		}
	}},
	{"S-25", Must, "Attributes of an extension stand in an object under the extension's URN.", "RFC 7643 section 3.3", false, func(p *probe) {
		at, v := p.extended(), p.word()
		path, _ := p.user(with(at, v))
		a := p.get(path).want(200).is(at, v)
		if a.json[at.name] != nil && p.server.find(userURN, at.name) == nil {
			a.fail("%s stands at the top too", at.name)
		}
	}},
	{"S-26", Should, "An extension's URN is among the schemas when the resource has attributes of it.", "RFC 7643 section 3.3", false, func(p *probe) {
		at := p.extended()
		path, _ := p.user(with(at, p.word()))
		a := p.get(path).want(200)
		if !slices.Contains(texts(a.object()["schemas"]), at.urn) {
			a.fail("schemas is %s, want %s in it", show(a.json["schemas"]), at.urn)
		}
	}},
	{"S-28", Must, "An attribute whose case matters keeps it.", "RFC 7643 section 7", false, func(p *probe) {
		p.needs("filter")
		path, _ := p.user()
		id := idOf(path)
		if strings.ToUpper(id) == id {
			p.skip("ids have no small letters here")
		}
		if n := p.count(`id eq "` + id + `"`); n != 1 {
			p.fail(`id eq %q finds %d users, want 1`, id, n)
		}
		if n := p.count(`id eq "` + strings.ToUpper(id) + `"`); n != 0 {
			p.fail(`id eq %q finds %d users, want none`, strings.ToUpper(id), n)
		}
	}},
	{"S-32", Must, "Ids are texts, unique over all resources, stable, and never used again.", "RFC 7643 section 3.1", false, uniqueIDs},
	{"S-33", Must, "externalId is the client's: it is kept as it came, with its case, need not be unique, and is not invented.", "RFC 7643 section 3.1", false, externalIDs},
	{"S-34", Must, "meta is the server's, and what a client sends as meta is ignored.", "RFC 7643 section 3.1", false, func(p *probe) {
		o := p.person()
		o["meta"] = Object{"created": "1999-01-01T00:00:00Z", "lastModified": "1999-01-01T00:00:00Z", "location": "https://example.com/forged", "version": `"forged"`}
		a := p.post(p.users(), o).want(201)
		for k, v := range object(a.object()["meta"]) {
			if v == object(o["meta"])[k] {
				a.fail("meta.%s is what was sent", k)
			}
		}
	}},
	{"S-35", Must, "meta has the resource type and times with a date and a time.", "RFC 7643 section 3.1", false, func(p *probe) {
		path, _ := p.user()
		a := p.get(path).want(200)
		meta := object(a.object()["meta"])
		if meta["resourceType"] != p.server.typeOf(userURN).Name {
			a.fail("meta.resourceType is %s", show(meta["resourceType"]))
		}
		for _, k := range []string{"created", "lastModified"} {
			if v, given := meta[k]; given && !dateTime.MatchString(text(v)) {
				a.fail("meta.%s is %s", k, show(v))
			}
		}
	}},
	{"S-36", Must, "meta.location is the Content-Location, and meta.version the ETag, where these are sent.", "RFC 7643 section 3.1", false, func(p *probe) {
		path, _ := p.user()
		a := p.get(path).want(200)
		meta := object(a.object()["meta"])
		for h, k := range map[string]string{"Content-Location": "location", "ETag": "version"} {
			if v := a.header.Get(h); v != "" && meta[k] != nil && v != meta[k] {
				a.fail("%s is %q, and meta.%s %s", h, v, k, show(meta[k]))
			}
		}
		if meta["location"] == nil {
			a.fail("there is no meta.location")
		}
	}},
	{"R-01", Must, "userName is unique whatever its case.", "RFC 7643 section 4.1.1", false, func(p *probe) {
		_, o := p.user()
		again := p.person()
		again["userName"] = strings.ToUpper(text(o["userName"]))
		p.post(p.users(), again).refused(409, "uniqueness")
	}},
	{"R-06", Must, "A password is never shown.", "RFC 7643 section 4.1.1", false, func(p *probe) {
		if !p.server.find(userURN, "password").writable() {
			p.skip("users have no password")
		}
		o := p.person()
		o["password"] = passphrase
		made := p.post(p.users(), o).want(201)
		path := p.users() + "/" + text(made.object()["id"])
		for _, a := range []*answer{made, p.get(path), p.get(path + "?attributes=password,userName"), p.get(query(p.users(), "attributes", "password", "count", "10"))} {
			if strings.Contains(a.text, passphrase) || strings.Contains(strings.ToLower(a.text), `"password"`) {
				a.fail("the answer has a password")
			}
		}
	}},
	{"R-11", Must, "The groups of a user are those that have it as a member, and cannot be changed through the user.", "RFC 7643 section 4.1.2", false, groupsOfUser},
	{"R-15", Must, "A group has a name.", "RFC 7643 section 4.2", false, func(p *probe) {
		at := p.groups()
		if !p.canMake(at, p.team()) {
			p.skip("groups cannot be made here")
		}
		o := p.team()
		delete(o, "displayName")
		p.post(at, o).refused(400)
	}},
	{"R-16", Must, "A member has the id of the resource as its value; members come and go.", "RFC 7643 section 4.2", false, func(p *probe) {
		user, _ := p.user()
		path, _ := p.group(idOf(user))
		p.members(path, idOf(user))
	}},
	{"R-18", Should, "The server fills in $ref and type of members, whatever the client sends for them.", "RFC 7643 section 4.2", false, func(p *probe) {
		user, _ := p.user()
		path, o := p.group()
		o["members"] = []any{Object{"value": idOf(user), "$ref": nil}}
		p.put(path, o).want(200)
		a := p.get(path).want(200)
		for _, m := range objects(a.object()["members"]) {
			if ref, given := m["$ref"]; given && !strings.HasSuffix(text(ref), "/"+idOf(user)) || m["type"] != nil && m["type"] != "User" {
				a.fail("the member is %s", show(m))
			}
		}
	}},
}

var dateTime = regexp.MustCompile(`^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$`)

func primaries(list any) int {
	n := 0
	for _, e := range objects(list) {
		if e["primary"] == true {
			n++
		}
	}
	return n
}

// wrongValue writes values that a type does not have.
func (p *probe) wrongValue(kind string, wrong ...any) {
	p.users()
	for _, x := range p.server.places(p.server.typeOf(userURN)) {
		if x.Type != kind || x.Mutability == "readOnly" {
			continue
		}
		for _, v := range wrong {
			o := p.person()
			with(x.attr, v)(o)
			p.post(p.users(), o).refused(400, "invalidValue", "invalidSyntax")
		}
		return
	}
	p.skip("users have no attribute of type %s", kind)
}

// extended is a text of an extension of users.
func (p *probe) extended() attr {
	p.users()
	for _, a := range p.plainTexts() {
		if a.urn != "" && a.sub == "" {
			return a
		}
	}
	p.skip("no extension of users has a text that is free to be set")
	return attr{}
}

// count is how many users a filter finds.
func (p *probe) count(filter string) int {
	a := p.get(query(p.users(), "filter", filter)).want(200)
	n, ok := a.object()["totalResults"].(float64)
	if !ok {
		a.fail("totalResults is %s", show(a.json["totalResults"]))
	}
	return int(n)
}

func uniqueIDs(p *probe) {
	seen := map[string]bool{}
	for range 3 {
		path, o := p.user()
		a := p.get(path).want(200)
		id, ok := a.object()["id"].(string)
		if !ok || id == "" || seen[id] || strings.Contains(strings.ToLower(id), "bulkid") || id != idOf(path) {
			a.fail("the id is %s", show(a.json["id"]))
		}
		seen[id] = true
		p.delete(path).want(204)
		again := p.create(p.users(), o)
		if seen[text(again["id"])] {
			p.fail("the id %s was used again", text(again["id"]))
		}
		seen[text(again["id"])] = true
	}
}

func externalIDs(p *probe) {
	o := p.person()
	if _, asked := o["externalId"]; !asked {
		if a := p.post(p.users(), o).want(201); a.object()["externalId"] != nil {
			a.fail("an externalId was invented: %s", show(a.json["externalId"]))
		}
	}
	first, second := p.person(), p.person()
	first["externalId"] = p.word() + "-Aa"
	second["externalId"] = first["externalId"]
	a := p.post(p.users(), first).want(201)
	if a.object()["externalId"] == nil {
		p.skip("externalId is not kept")
	}
	a.is(top("externalId"), first["externalId"])
	p.post(p.users(), second).want(201).is(top("externalId"), second["externalId"])
}

func groupsOfUser(p *probe) {
	if p.server.find(userURN, "groups") == nil {
		p.skip("users do not show groups")
	}
	user, o := p.user()
	path, _ := p.group(idOf(user))
	a := p.get(user).want(200)
	if !slices.Contains(values(a.object()["groups"], "value"), idOf(path)) {
		a.fail("groups is %s, want %s in it", show(a.json["groups"]), idOf(path))
	}
	o["groups"] = []any{}
	p.put(user, o).want(200)
	p.members(path, idOf(user))
	if p.server.supports("patch") {
		p.patch(user, op{"add", "groups", []any{Object{"value": "conform-none"}}}).refused(400, "mutability")
	}
}

// members fails unless a group has just these members.
func (p *probe) members(path string, want ...string) {
	a := p.get(path).want(200)
	slices.Sort(want)
	if got := values(a.object()["members"], "value"); !slices.Equal(got, want) {
		a.fail("the members are %q, want %q", got, want)
	}
}
