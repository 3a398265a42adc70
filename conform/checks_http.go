package conform

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const scimJSON = "application/scim+json"

var httpChecks = []Check{
	{"H-01", Must, "Every body is application/scim+json, errors too.", "RFC 7644 section 3.1", true, func(p *probe) {
		for _, a := range []*answer{p.get("/ServiceProviderConfig"), p.get("/Schemas"), p.get(p.users() + "?count=1"), p.get(p.users() + "/conform-none")} {
			if mediaType(a) != scimJSON {
				a.fail("the Content-Type is %q", a.header.Get("Content-Type"))
			}
		}
	}},
	{"H-02", Must, "application/scim+json is sent when it is accepted, with parameters too, and when nothing is said.", "RFC 7644 section 3.8", true, func(p *probe) {
		for _, accept := range []string{"", scimJSON, scimJSON + "; charset=utf-8", "*/*", "application/json;q=0.5, " + scimJSON} {
			a := p.send("GET", p.users()+"?count=1", nil, headers{"Accept": accept}).want(200)
			if mediaType(a) != scimJSON {
				a.fail("with Accept %q the Content-Type is %q", accept, a.header.Get("Content-Type"))
			}
		}
		p.send("GET", p.users()+"?count=1", nil, headers{"Accept": "application/json"}).want(200)
	}},
	{"H-03", Should, "A body may come as application/json, and with a charset.", "RFC 7644 section 8.1", false, func(p *probe) {
		for _, kind := range []string{"application/json", "application/json; charset=utf-8", scimJSON + ";charset=UTF-8"} {
			p.send("POST", p.users(), p.person(), headers{"Content-Type": kind}).want(201)
		}
	}},
	{"H-04", Should, "A body of another media type is refused with 415, an answer that cannot be given with 406.", "RFC 9110 section 15.5", false, func(p *probe) {
		p.send("POST", p.users(), "<User/>", headers{"Content-Type": "text/xml"}).want(415)
		p.send("GET", p.users()+"?count=1", nil, headers{"Accept": "text/html"}).want(406)
	}},
	{"H-07", Should, "Query parameters that are unknown are ignored.", "RFC 7644 section 3.4.2", true, func(p *probe) {
		p.get(p.users() + "?count=1&conformUnknown=1").want(200)
	}},
	{"H-09", Should, "A method that a URL does not have is refused with 405 or 501.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.send("DELETE", p.users(), nil, nil).want(405, 501)
		p.put(p.users(), Object{"schemas": []string{userURN}}).want(405, 501)
	}},
	{"H-10", Must, "A path that does not exist is answered 404 with an error of SCIM.", "RFC 7644 section 3.12", true, func(p *probe) {
		a := p.get("/ConformNothing").refused(404)
		if problem := malformed(a); problem != "" {
			a.fail("%s", problem)
		}
	}},
	{"H-11", Must, "Escapes in a URL are decoded once.", "RFC 7644 section 1.2", false, func(p *probe) {
		path, o := p.user()
		id := idOf(path)
		p.get(p.users() + "/" + fmt.Sprintf("%%%02X", id[0]) + url.PathEscape(id[1:])).want(200)
		p.get(p.users() + "/" + fmt.Sprintf("%%25%02X", id[0]) + url.PathEscape(id[1:])).want(404)
		if p.server.supports("filter") {
			list := p.get(p.users() + "?filter=" + url.QueryEscape(`userName eq "`) + strings.ReplaceAll(url.QueryEscape(text(o["userName"])), "-", "%252D") + "%22").want(200)
			if len(objects(list.json["Resources"])) != 0 {
				list.fail("%%252D was taken for a hyphen")
			}
		}
	}},
	{"H-13", Must, "The answer to a create has the Location of what was made.", "RFC 7644 section 3.3", false, func(p *probe) {
		a := p.post(p.users(), p.person()).want(201)
		if at, ok := p.local(a.header.Get("Location")); !ok || idOf(at) != text(a.object()["id"]) {
			a.fail("the Location is %q", a.header.Get("Location"))
		}
	}},
	{"H-14", Must, "meta.location is an absolute URL, and leads to the resource.", "RFC 7643 section 3.1", false, func(p *probe) {
		path, _ := p.user()
		a := p.get(path).want(200)
		at, ok := p.local(text(object(a.object()["meta"])["location"]))
		if u, err := url.Parse(text(object(a.json["meta"])["location"])); err != nil || !u.IsAbs() || !ok {
			a.fail("meta.location is %s", show(object(a.json["meta"])["location"]))
		}
		if p.get(at).want(200).json["id"] != a.json["id"] {
			p.fail("meta.location leads to another resource")
		}
	}},
	{"H-16", Must, "A body that is no JSON is refused with invalidSyntax.", "RFC 7644 section 3.12", false, func(p *probe) {
		for _, body := range []string{`{"schemas":["` + userURN + `"],"userName":`, `[]`, `"x"`} {
			p.send("POST", p.users(), body, nil).refused(400, "invalidSyntax")
		}
	}},
	{"H-20", Must, "A resource has only its id in the URL, no other key.", "RFC 7644 section 3.2", false, func(p *probe) {
		_, o := p.user()
		p.get(p.users() + "/" + url.PathEscape(text(o["userName"]))).want(404)
	}},
	{"H-22", Must, "Ids in URLs compare with case.", "RFC 7643 section 3.1", false, func(p *probe) {
		path, _ := p.user()
		id := idOf(path)
		other := strings.ToUpper(id)
		if other == id {
			other = strings.ToLower(id)
		}
		if other == id {
			p.skip("ids have no letters here")
		}
		p.get(p.users() + "/" + url.PathEscape(other)).want(404)
	}},
	{"T-02", Must, "Who has no credential is refused with 401 and told the scheme in WWW-Authenticate.", "RFC 7644 section 2", true, func(p *probe) {
		p.protected()
		a := p.send("GET", p.users()+"?count=1", nil, headers{"Authorization": ""}).want(401)
		if a.header.Get("WWW-Authenticate") == "" {
			a.fail("there is no WWW-Authenticate")
		}
	}},
	{"T-03", Must, "A wrong bearer token is challenged with error=\"invalid_token\".", "RFC 6750 section 3.1", true, func(p *probe) {
		p.protected()
		a := p.send("GET", p.users()+"?count=1", nil, headers{"Authorization": "Bearer conform-wrong"}).want(401)
		if h := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(strings.ToLower(h), "bearer") || !strings.Contains(h, "invalid_token") {
			a.fail("WWW-Authenticate is %q", h)
		}
	}},
}

// protected skips what needs a bearer token.
func (p *probe) protected() {
	if p.opts.Token == "" {
		p.skip("no token was given")
	}
}

func mediaType(a *answer) string {
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

var errorChecks = []Check{
	{"E-01", Must, "An error is an object with the schema of errors and its status as a text.", "RFC 7644 section 3.12", true, func(p *probe) {
		for _, a := range failures(p) {
			if problem := malformed(a); problem != "" {
				a.fail("%s", problem)
			}
		}
	}},
	{"E-02", Should, "An error says in words what went wrong.", "RFC 7644 section 3.12", true, func(p *probe) {
		for _, a := range failures(p) {
			if text(a.object()["detail"]) == "" {
				a.fail("there is no detail")
			}
		}
	}},
	{"E-03", Must, "The status in an error is that of the answer.", "RFC 7644 section 3.12", true, func(p *probe) {
		for _, a := range failures(p) {
			if got := fmt.Sprint(a.object()["status"]); got != fmt.Sprint(a.status) {
				a.fail("the body says %s", got)
			}
		}
	}},
	{"E-04", Must, "scimType is one of the keywords that are defined.", "RFC 7644 section 3.12", true, func(p *probe) {
		for _, a := range failures(p) {
			if t, given := a.object()["scimType"]; given && !slices.Contains(errorTypes, text(t)) {
				a.fail("the scimType is %s", show(t))
			}
		}
	}},
	{"E-09", Must, "A refusal for want of a credential is an error of SCIM too.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.protected()
		a := p.send("GET", p.users()+"?count=1", nil, headers{"Authorization": "Bearer conform-wrong"}).want(401)
		if problem := malformed(a); problem != "" {
			a.fail("%s", problem)
		}
	}},
}

var errorTypes = []string{"invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue", "invalidVers",
	"sensitive", "invalidCursor", "expiredCursor", "invalidCount"}

// failures are requests that must fail, for several reasons, and change nothing.
func failures(p *probe) []*answer {
	all := []*answer{
		p.get(p.users() + "/conform-none"),
		p.get("/ConformNothing"),
		p.get("/Schemas/urn:example:conform:none"),
		p.put(p.users()+"/conform-none", Object{"schemas": []string{userURN}, "userName": "conform-none"}),
		p.delete(p.users() + "/conform-none"),
	}
	if p.server.supports("filter") {
		all = append(all, p.get(query(p.users(), "filter", "userName zz 1")))
	}
	for _, a := range all {
		if a.status < 400 {
			a.fail("status %d, want an error", a.status)
		}
	}
	return all
}

// malformed tells what is wrong with an error's body.
func malformed(a *answer) string {
	status, ok := a.json["status"].(string)
	switch {
	case a.json == nil:
		return "the body is no JSON object"
	case !slices.Contains(texts(a.json["schemas"]), errorURN):
		return "schemas is " + show(a.json["schemas"]) + ", want " + errorURN
	case !ok || status == "":
		return "the status is " + show(a.json["status"]) + ", want a text"
	}
	return ""
}
