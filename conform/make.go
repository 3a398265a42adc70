package conform

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// passphrase is the password of the users that are made.
const passphrase = "Conform-4711-passphrase"

// word is a word that nothing else has in its name.
func (r *run) word() string {
	r.number++
	return fmt.Sprintf("%s-%d", r.tag, r.number)
}

// person is a user as it can be created: with what is required, a name and an
// address if there are any, and nothing else.
func (p *probe) person() Object {
	word := p.word()
	t := p.server.typeOf(userURN)
	o := Object{"schemas": []any{userURN}, "userName": word}
	name := p.server.find(userURN, "name")
	for _, part := range []string{"givenName", "familyName"} {
		if name.writable() && name.sub(part).writable() {
			top("name."+part).set(o, "Conform "+part)
		}
	}
	if emails := p.server.find(userURN, "emails"); emails.writable() && emails.sub("value").writable() {
		o["emails"] = []any{element(emails, word+"@example.com", 0)}
	}
	if p.server.find(userURN, "active").writable() {
		o["active"] = true
	}
	if t != nil {
		p.require(o, t, word)
	}
	over(o, p.opts.User, word)
	return o
}

// team is a group as it can be created.
func (p *probe) team(members ...string) Object {
	word := p.word()
	o := Object{"schemas": []any{groupURN}, "displayName": word}
	if t := p.server.typeOf(groupURN); t != nil {
		p.require(o, t, word)
	}
	if len(members) > 0 {
		o["members"] = membersOf(members...)
	}
	over(o, p.opts.Group, word)
	return o
}

func membersOf(ids ...string) []any {
	out := []any{}
	for _, id := range ids {
		out = append(out, Object{"value": id})
	}
	return out
}

// require adds what the schemas require.
func (p *probe) require(o Object, t *resourceType, word string) {
	p.requireOf(o, p.server.schema(t.Schema), word)
	for _, e := range t.SchemaExtensions {
		in := Object{}
		if p.requireOf(in, p.server.schema(e.Schema), word); e.Required || len(in) > 0 {
			o[e.Schema] = in
			o["schemas"] = append(o["schemas"].([]any), e.Schema)
		}
	}
}

func (p *probe) requireOf(o Object, s *schema, word string) {
	if s == nil {
		return
	}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if _, there := o[a.Name]; a.Required && a.writable() && !there {
			o[a.Name] = a.example(word)
		}
	}
}

// example is some value of an attribute.
func (a *attribute) example(word string) any {
	v := a.one(word)
	if a.MultiValued {
		return []any{v}
	}
	return v
}

var samples = map[string]any{"boolean": true, "integer": 4711, "decimal": 47.25, "dateTime": "2024-02-29T10:11:12Z", "binary": "AQIDBA=="}

func (a *attribute) one(word string) any {
	switch {
	case a.Type == "complex":
		o := Object{}
		for i := range a.SubAttributes {
			s := &a.SubAttributes[i]
			if s.writable() && (s.Required || strings.EqualFold(s.Name, "value")) {
				o[s.Name] = s.example(word)
			}
		}
		return o
	case len(a.CanonicalValues) > 0:
		return a.CanonicalValues[0]
	case a.Type == "reference":
		return "https://example.com/" + word
	}
	if v, ok := samples[a.Type]; ok {
		return v
	}
	return word
}

// element is the nth element of a multi-valued attribute: each has a type of its own.
func element(a *attribute, value string, n int) Object {
	o := Object{"value": value}
	if kind := a.sub("type"); kind.writable() {
		o["type"] = kindOf(kind, n)
	}
	return o
}

func kindOf(kind *attribute, n int) string {
	if len(kind.CanonicalValues) > n {
		return kind.CanonicalValues[n]
	}
	return []string{"work", "home", "other"}[n]
}

// create makes a resource and gives it as it was answered.
func (p *probe) create(endpoint string, o Object) Object {
	a := p.post(endpoint, o).want(201)
	if text(a.object()["id"]) == "" {
		a.fail("the answer has no id")
	}
	return a.json
}

// user makes a user with more than a person has.
func (p *probe) user(more ...func(Object)) (path string, o Object) {
	at := p.users()
	o = p.person()
	for _, f := range more {
		f(o)
	}
	return at + "/" + url.PathEscape(text(p.create(at, o)["id"])), o
}

// peopled reports whether the schema says that a group must have members.
func (p *probe) peopled() bool {
	members := p.server.find(groupURN, "members")
	return members != nil && members.Required
}

// group makes a group, with a member where there must be one.
func (p *probe) group(members ...string) (path string, o Object) {
	at := p.groups()
	if !p.canMake(at, p.team()) {
		p.skip("groups cannot be made here")
	}
	if len(members) == 0 && p.peopled() {
		user, _ := p.user()
		members = []string{idOf(user)}
	}
	o = p.team(members...)
	return at + "/" + url.PathEscape(text(p.create(at, o)["id"])), o
}

// canMake reports whether resources of a kind are made at all: some servers have
// fixed groups. It is tried once.
func (p *probe) canMake(endpoint string, o Object) bool {
	if p.shared.makes == nil {
		p.shared.makes = map[string]bool{}
	}
	able, known := p.shared.makes[endpoint]
	if !known {
		a := p.post(endpoint, o)
		able = a.status != 403 && a.status != 405 && a.status != 501 && text(a.json["scimType"]) != "mutability"
		p.shared.makes[endpoint] = able
	}
	return able
}

// with sets an attribute of what is to be made.
func with(at attr, v any) func(Object) {
	return func(o Object) {
		at.set(o, v)
		if at.urn != "" && !slices.Contains(texts(o["schemas"]), at.urn) {
			o["schemas"] = append(o["schemas"].([]any), at.urn)
		}
	}
}

// idOf is the id in a path.
func idOf(path string) string {
	id, _ := url.PathUnescape(path[strings.LastIndex(path, "/")+1:])
	return id
}

// query is a path with parameters, given as name and value in turn.
func query(path string, pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	return path + "?" + strings.Join(out, "&")
}
