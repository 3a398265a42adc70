package conform

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	configURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	schemaURN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

var discoveryChecks = []Check{
	{"D-01", Must, "ServiceProviderConfig is one object that says what is supported, in the form of its schema.", "RFC 7643 section 5", true, providerShape},
	{"D-02", Must, "What ServiceProviderConfig says is supported is there.", "RFC 7643 section 5", false, providerTruth},
	{"D-03", Must, "Every authentication scheme has a type that is defined, a name and a description.", "RFC 7643 section 5", true, schemes},
	{"D-04", Should, "ServiceProviderConfig can be read without a credential.", "RFC 7643 section 5", true, func(p *probe) {
		p.send("GET", "/ServiceProviderConfig", nil, headers{"Authorization": ""}).want(200)
	}},
	{"D-05", Must, "Schemas lists every schema, and each can be asked for by its URN.", "RFC 7644 section 4", true, func(p *probe) { eachListed(p, "/Schemas") }},
	{"D-06", Must, "ResourceTypes lists every resource type, and each can be asked for by its id.", "RFC 7644 section 4", true, func(p *probe) { eachListed(p, "/ResourceTypes") }},
	{"D-07", Should, "A filter on a discovery endpoint is forbidden, and paging is ignored there.", "RFC 7644 section 4", true, func(p *probe) {
		for _, at := range []string{"/Schemas", "/ResourceTypes"} {
			p.get(query(at, "filter", `name eq "User"`)).want(403)
			all, some := p.get(at).want(200), p.get(query(at, "count", "1", "startIndex", "2")).want(200)
			if len(objects(all.json["Resources"])) != len(objects(some.json["Resources"])) {
				some.fail("%d are listed, without parameters %d", len(objects(some.json["Resources"])), len(objects(all.json["Resources"])))
			}
		}
	}},
	{"D-08", Must, "Message URNs are no schemas of resources and are not listed.", "RFC 7644 section 3.1", true, func(p *probe) {
		for _, s := range listed(p, "/Schemas") {
			if strings.Contains(strings.ToLower(text(s["id"])), ":api:messages:") {
				p.fail("/Schemas lists the message %s", text(s["id"]))
			}
		}
	}},
	{"D-09", Must, "The schemas that resource types name are listed in Schemas.", "RFC 7643 section 6", true, func(p *probe) {
		ids := values(p.get("/Schemas").want(200).json["Resources"], "id")
		for _, t := range listed(p, "/ResourceTypes") {
			for _, urn := range append(values(t["schemaExtensions"], "schema"), text(t["schema"])) {
				if !slices.Contains(ids, urn) {
					p.fail("the resource type %s has the schema %q, which /Schemas does not list", text(t["name"]), urn)
				}
			}
		}
	}},
	{"D-10", Must, "A resource type has a name, an endpoint and a schema; its extensions are a list, each with schema and required.", "RFC 7643 section 6", true, typeShape},
	{"D-11", Should, "A resource type has an id, the same as its name; names and endpoints are unique.", "RFC 7643 section 6", true, typeNames},
	{"D-12", Must, "A schema has schemas, meta.resourceType and meta.location.", "RFC 7643 section 7", true, func(p *probe) {
		for _, s := range listed(p, "/Schemas") {
			meta := object(s["meta"])
			if !slices.Contains(texts(s["schemas"]), schemaURN) || meta["resourceType"] != "Schema" || !strings.HasSuffix(text(meta["location"]), text(s["id"])) {
				p.fail("the schema %s has schemas %s and meta %s", text(s["id"]), show(s["schemas"]), show(s["meta"]))
			}
		}
	}},
	{"D-13", Must, "An attribute's definition has a name, a type that exists, and characteristics by their keywords.", "RFC 7643 section 7", true, func(p *probe) {
		eachAttribute(p, wellDefined)
	}},
	{"D-14", Should, "Complex attributes have no uniqueness but none, and definitions no null.", "RFC 7643 section 7", true, func(p *probe) {
		eachAttribute(p, func(at string, a Object) string {
			for k, v := range a {
				if v == nil {
					return fmt.Sprintf("%s has null as %s", at, k)
				}
			}
			if a["type"] == "complex" && a["uniqueness"] != nil && a["uniqueness"] != "none" {
				return fmt.Sprintf("%s is complex and has the uniqueness %s", at, show(a["uniqueness"]))
			}
			return ""
		})
	}},
	{"D-15", Should, "If id or meta are listed in a schema, then with the characteristics that they have.", "RFC 7643 section 3.1", true, func(p *probe) {
		for _, s := range p.server.schemas {
			for _, a := range s.Attributes {
				if n := strings.ToLower(a.Name); (n == "id" || n == "meta") && a.Mutability != "readOnly" {
					p.fail("%s in %s has the mutability %q, want readOnly", a.Name, s.ID, a.Mutability)
				}
			}
		}
	}},
	{"D-17", Must, "The discovery endpoints cannot be written to.", "RFC 7643 section 6", true, func(p *probe) {
		for _, at := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig"} {
			if a := p.post(at, Object{"schemas": []string{schemaURN}, "id": "urn:example:conform", "name": "Conform", "attributes": []any{}}); a.status < 400 {
				a.fail("status %d for a write", a.status)
			}
		}
	}},
	{"D-19", Should, "Every attribute that a resource has is defined in Schemas.", "RFC 7643 section 7", false, allDefined},
	{"D-20", Must, "A schema or resource type that does not exist is not found.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.get("/Schemas/urn:example:conform:none").refused(404)
		p.get("/ResourceTypes/ConformNone").refused(404)
	}},
}

// listed is the content of a discovery endpoint.
func listed(p *probe, at string) []Object {
	a := p.get(at).want(200)
	list := objects(a.object()["Resources"])
	if !slices.Contains(texts(a.json["schemas"]), listURN) || len(list) == 0 {
		a.fail("no ListResponse with Resources")
	}
	return list
}

func providerShape(p *probe) {
	a := p.get("/ServiceProviderConfig").want(200)
	if !slices.Contains(texts(a.object()["schemas"]), configURN) {
		a.fail("schemas is %s, want %s", show(a.json["schemas"]), configURN)
	}
	for _, f := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		if _, ok := object(a.json[f])["supported"].(bool); !ok {
			a.fail("%s has no boolean supported", f)
		}
	}
	for f, n := range map[string]string{"bulk": "maxOperations maxPayloadSize", "filter": "maxResults"} {
		for _, name := range strings.Fields(n) {
			if _, ok := object(a.json[f])[name].(float64); !ok {
				a.fail("%s has no integer %s", f, name)
			}
		}
	}
	if _, ok := a.json["authenticationSchemes"].([]any); !ok {
		a.fail("authenticationSchemes is no list")
	}
}

// providerTruth asks for each thing that is supported, in a way that shows only
// whether it is there.
func providerTruth(p *probe) {
	path, o := p.user()
	missing := func(what string, a *answer) {
		if a.status == 501 || a.status == 405 || a.status == 404 {
			a.fail("status %d, though %s is supported", a.status, what)
		}
	}
	if p.server.supports("patch") {
		missing("patch", p.patch(path, op{"replace", "userName", o["userName"]}))
	}
	if p.server.supports("bulk") {
		missing("bulk", p.post("/Bulk", Object{"schemas": []string{bulkURN}, "Operations": []any{}}))
	}
	if p.server.supports("filter") {
		p.get(query(p.users(), "filter", `userName eq "`+text(o["userName"])+`"`)).want(200)
	}
	if p.server.supports("sort") {
		p.get(query(p.users(), "sortBy", "userName", "count", "1")).want(200)
	}
	if a := p.get(path); p.server.supports("etag") && a.header.Get("ETag") == "" {
		a.fail("there is no ETag, though etag is supported")
	}
}

func schemes(p *probe) {
	a := p.get("/ServiceProviderConfig").want(200)
	for _, s := range objects(a.object()["authenticationSchemes"]) {
		if !slices.Contains([]string{"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}, text(s["type"])) || text(s["name"]) == "" || text(s["description"]) == "" {
			a.fail("the authentication scheme %s lacks a type, a name or a description", show(s))
		}
	}
}

// eachListed asks for every item of a list by itself.
func eachListed(p *probe, at string) {
	all := listed(p, at)
	if total := p.get(at).json["totalResults"]; total != float64(len(all)) {
		p.fail("%s: totalResults is %s, and %d are listed", at, show(total), len(all))
	}
	for _, o := range all {
		id := text(o["id"])
		if at == "/ResourceTypes" && id == "" {
			id = text(o["name"])
		}
		one := p.get(at + "/" + url.PathEscape(id)).want(200)
		if one.object()["id"] != o["id"] || one.json["Resources"] != nil {
			one.fail("this is not the one that the list holds")
		}
	}
}

func typeShape(p *probe) {
	for _, t := range listed(p, "/ResourceTypes") {
		if text(t["name"]) == "" || !strings.Contains(text(t["endpoint"]), "/") || text(t["schema"]) == "" {
			p.fail("the resource type %s lacks a name, an endpoint or a schema", show(t))
		}
		if t["schemaExtensions"] == nil {
			continue
		}
		if _, ok := t["schemaExtensions"].([]any); !ok {
			p.fail("schemaExtensions of %s is no list", text(t["name"]))
		}
		for _, e := range objects(t["schemaExtensions"]) {
			if _, ok := e["required"].(bool); !ok || text(e["schema"]) == "" {
				p.fail("the extension %s of %s lacks schema or required", show(e), text(t["name"]))
			}
		}
	}
}

func typeNames(p *probe) {
	seen := map[string]bool{}
	for _, t := range listed(p, "/ResourceTypes") {
		if t["id"] != t["name"] {
			p.fail("the resource type %s has the id %s", show(t["name"]), show(t["id"]))
		}
		for _, k := range []string{text(t["name"]), text(t["endpoint"])} {
			if seen[k] {
				p.fail("%s is used twice", k)
			}
			seen[k] = true
		}
	}
}

// eachAttribute asks what is wrong with each definition.
func eachAttribute(p *probe, wrong func(at string, a Object) string) {
	var walk func(at string, list any)
	walk = func(at string, list any) {
		for _, a := range objects(list) {
			name := at + text(a["name"])
			if w := wrong(name, a); w != "" {
				p.fail("%s", w)
			}
			walk(name+".", a["subAttributes"])
		}
	}
	for _, s := range listed(p, "/Schemas") {
		walk(text(s["id"])+":", s["attributes"])
	}
}

var keywords = map[string][]string{
	"type":       {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"},
	"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
	"returned":   {"always", "never", "default", "request"},
	"uniqueness": {"none", "server", "global"},
}

var attributeName = regexp.MustCompile(`^\$?[A-Za-z][A-Za-z0-9$_-]*$`)

func wellDefined(at string, a Object) string {
	if !attributeName.MatchString(text(a["name"])) {
		return fmt.Sprintf("%s: the name %s is none", at, show(a["name"]))
	}
	for k, words := range keywords {
		v := a[k]
		if v == nil && (k == "uniqueness" || a["type"] == "complex" && k != "type") {
			continue
		}
		if !slices.Contains(words, text(v)) {
			return fmt.Sprintf("%s: %s is %s, which is no keyword", at, k, show(v))
		}
	}
	if _, ok := a["multiValued"].(bool); !ok {
		return fmt.Sprintf("%s: multiValued is %s", at, show(a["multiValued"]))
	}
	if a["type"] == "complex" && len(objects(a["subAttributes"])) == 0 {
		return fmt.Sprintf("%s is complex and has no subAttributes", at)
	}
	return ""
}

// allDefined looks for what a user has in the schemas.
func allDefined(p *probe) {
	path, _ := p.user()
	o := p.get(path).want(200).object()
	for name, v := range o {
		switch {
		case slices.Contains([]string{"id", "externalId", "meta", "schemas"}, name):
		case strings.HasPrefix(name, "urn:"):
			for part := range object(v) {
				if p.server.find(name, part) == nil {
					p.fail("the user has %s of %s, which Schemas does not define", part, name)
				}
			}
		case p.server.find(userURN, name) == nil:
			p.fail("the user has %s, which Schemas does not define", name)
		}
	}
}
