package conform

import "slices"

// What operations do to attributes with several values, and to members.
var patchValueChecks = []Check{
	{"P-33", Must, "A value that becomes primary takes that from the others.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		m := p.many()
		if !m.primary {
			p.skip("%s has no primary", m.name)
		}
		list := m.both("a", "b")
		object(list[0])["primary"] = true
		path, _ := p.user(with(m.top(), list))
		if a := p.get(path).want(200); primaries(a.object()[m.name]) != 1 {
			p.skip("%s keeps no primary", m.name)
		}
		p.patch(path, op{"replace", m.pick(1, "primary"), true}).want(200, 204)
		a := p.get(path).want(200)
		for _, e := range objects(a.object()[m.name]) {
			if is := e["primary"] == true; is != (e["type"] == m.kinds[1]) {
				a.fail("%s is %s", m.name, show(a.json[m.name]))
			}
		}
	}},
	{"P-39", Must, "An add appends to what is there, and adds nothing twice.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.of(0, "a"))
		for range 2 {
			p.patch(path, op{"add", m.name, []any{m.of(1, "b")}}).want(200, 204)
			p.holds(path, m, "a", "b")
		}
	}},
	{"P-41", Should, "A single object counts as a list of one.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.of(0, "a"))
		p.patch(path, op{"add", m.name, m.of(1, "b")}).want(200, 204)
		p.holds(path, m, "a", "b")
	}},
	{"P-42", Should, "An add through a filter that finds nothing makes the element that the filter describes.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.of(0, "a"))
		p.patch(path, op{"add", m.pick(1, "value"), m.valueOf("b")}).want(200, 204)
		p.holds(path, m, "a", "b")
	}},
	{"P-44", Must, "A remove through a filter takes the elements away that it finds, and no others.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.both("a", "b")...)
		p.patch(path, op{Op: "remove", Path: m.pick(0, "")}).want(200, 204)
		p.holds(path, m, "", "b")
	}},
	{"P-45", Must, "A remove of a part through a filter takes that part away.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		m := p.many()
		if !m.displays {
			p.skip("%s has no display", m.name)
		}
		one, two := m.of(0, "a"), m.of(1, "b")
		one["display"], two["display"] = "One", "Two"
		path := p.holding(m, one, two)
		p.patch(path, op{Op: "remove", Path: m.pick(0, "display")}).want(200, 204)
		p.holds(path, m, "a", "b")
		a := p.get(path).want(200)
		for _, e := range objects(a.object()[m.name]) {
			if want := map[bool]any{true: nil, false: "Two"}[e["type"] == m.kinds[0]]; e["display"] != want {
				a.fail("%s is %s", m.name, show(a.json[m.name]))
			}
		}
	}},
	{"P-47", Must, "A remove of what is not there succeeds and changes nothing.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		p.needs("patch")
		user, _ := p.user()
		other, _ := p.user()
		path, _ := p.group(idOf(user))
		p.patch(path, op{Op: "remove", Path: `members[value eq "` + idOf(other) + `"]`}).want(200, 204)
		p.members(path, idOf(user))
	}},
	{"P-48", Should, "A remove of members with a list of values removes these and no others.", "the practice of clients", false, func(p *probe) {
		a, b, path := p.pair()
		p.patch(path, op{"remove", "members", membersOf(a)}).want(200, 204)
		p.members(path, b)
	}},
	{"P-52", Must, "A replace through a filter changes the elements that it finds, and no others.", "RFC 7644 section 3.5.2.3", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.both("a", "b")...)
		p.patch(path, op{"replace", m.pick(1, "value"), m.valueOf("c")}).want(200, 204)
		p.holds(path, m, "a", "c")
		p.patch(path, op{"replace", m.pick(0, ""), m.of(0, "d")}).want(200, 204)
		p.holds(path, m, "d", "c")
	}},
	{"P-53", Must, "A replace through a filter that finds nothing is refused with noTarget.", "RFC 7644 section 3.5.2.3", false, func(p *probe) {
		m := p.many()
		path := p.holding(m, m.of(0, "a"))
		p.patch(path, op{"replace", m.pick(1, "value"), m.valueOf("b")}).refused(400, "noTarget")
		p.holds(path, m, "a", "")
	}},
	{"P-55", Should, "An empty text takes a value away.", "the practice of clients", false, func(p *probe) {
		p.turns(p.plain(), "Before", nil, func(path string) op { return op{"replace", path, ""} })
	}},
	{"P-58", Should, "\"True\" and \"False\" are taken for booleans.", "the practice of clients", false, func(p *probe) {
		if !p.server.find(userURN, "active").writable() {
			p.skip("active cannot be written")
		}
		p.turns(top("active"), true, false, func(path string) op { return op{"Replace", path, "False"} })
	}},
	{"P-57", Should, "A value without a path may repeat the id, but not change it.", "the practice of clients", false, func(p *probe) {
		p.needs("patch")
		path, o := p.group()
		p.patch(path, op{Op: "replace", Value: Object{"id": idOf(path), "displayName": o["displayName"]}}).want(200, 204)
		p.patch(path, op{Op: "replace", Value: Object{"id": "conform-forged", "displayName": "x"}}).refused(400, "mutability")
	}},
	{"P-14", Must, "Several changes of members in one request are carried out.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		a, b, path := p.pair()
		c, _ := p.user()
		p.patch(path, op{"add", "members", membersOf(idOf(c))}, op{Op: "remove", Path: `members[value eq "` + a + `"]`}).want(200, 204)
		p.members(path, b, idOf(c))
	}},
	{"P-63", Should, "An id that nothing has is refused as a member.", "RFC 7643 section 2.3.7", false, func(p *probe) {
		a, b, path := p.pair()
		p.patch(path, op{"add", "members", membersOf("conform-none")}).refused(400, "invalidValue")
		p.members(path, a, b)
	}},
	{"P-60", Must, "The parts of a member cannot be changed in place.", "RFC 7643 section 4.2", false, func(p *probe) {
		a, b, path := p.pair()
		c, _ := p.user()
		p.patch(path, op{"replace", `members[value eq "` + a + `"].value`, idOf(c)}).refused(400, "mutability")
		p.members(path, a, b)
	}},
}

// holding is a user with these elements.
func (p *probe) holding(m manyAttr, list ...any) string {
	p.needs("patch")
	path, _ := p.user(with(m.top(), slices.Clone(list)))
	return path
}

// holds fails unless the elements of both types have these values; "" is none.
func (p *probe) holds(path string, m manyAttr, want ...string) {
	a := p.get(path).want(200)
	some := 0
	for n, w := range want {
		if w != "" {
			some++
			w = m.valueOf(w)
		}
		if got := m.has(a.object(), n); got != w {
			a.fail("the %s of type %s is %q, want %q", m.name, m.kinds[n], got, w)
		}
	}
	if n := len(objects(a.json[m.name])); n != some {
		a.fail("there are %d %s, want %d", n, m.name, some)
	}
}

// pair is a group with two members.
func (p *probe) pair() (a, b, path string) {
	p.needs("patch")
	one, _ := p.user()
	two, _ := p.user()
	path, _ = p.group(idOf(one), idOf(two))
	return idOf(one), idOf(two), path
}
