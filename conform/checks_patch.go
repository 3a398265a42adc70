package conform

// The envelope of PATCH, and what its operations do to single values.
var patchChecks = []Check{
	{"P-02", Must, "A PATCH without the schema of PatchOp is refused with invalidSyntax.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, _ := p.user(with(at, "Before"))
		p.send("PATCH", path, Object{"schemas": []string{userURN}, "Operations": []op{{"replace", at.String(), "After"}}}, nil).refused(400, "invalidSyntax", "invalidValue")
		p.get(path).want(200).is(at, "Before")
	}},
	{"P-03", Must, "A PATCH without operations is refused with invalidSyntax.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		path, _ := p.user()
		for _, body := range []Object{{"schemas": []string{patchURN}}, {"schemas": []string{patchURN}, "Operations": []any{}}} {
			p.send("PATCH", path, body, nil).refused(400, "invalidSyntax", "invalidValue")
		}
	}},
	{"P-04", Must, "Operations are add, remove and replace; others are refused with invalidSyntax.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		at := p.plain()
		p.refuses(at, op{"move", at.String(), "After"}, "invalidSyntax", "invalidValue")
	}},
	{"P-05", Should, "The names of operations ignore case.", "RFC 7643 section 2.1", false, func(p *probe) {
		p.turns(p.plain(), "Before", "After", func(path string) op { return op{"Replace", path, "After"} })
	}},
	{"P-06", Must, "Operations are carried out in their order, each on what the one before left.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, _ := p.user(with(at, "Before"))
		p.patch(path, op{Op: "remove", Path: at.String()}, op{"add", at.String(), "Between"}, op{"replace", at.String(), "After"}).want(200, 204)
		p.get(path).want(200).is(at, "After")
	}},
	{"P-07", Must, "A PATCH is carried out as a whole or not at all.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, _ := p.user(with(at, "Before"))
		p.patch(path, op{"replace", at.String(), "After"}, op{"replace", "id", "conform-forged"}).refused(400)
		p.get(path).want(200).is(at, "Before")
		p.patch(path, op{"replace", at.String(), "After"}, op{"replace", "conformUnknown[", "x"}).refused(400)
		p.get(path).want(200).is(at, "Before")
	}},
	{"P-09", Must, "A PATCH is answered 200 with the resource or 204 without, and 200 if attributes are asked for.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, _ := p.user()
		if a := p.patch(path, op{"replace", at.String(), "One"}).want(200, 204); a.status == 200 {
			a.is(top("id"), idOf(path)).is(at, "One")
		}
		p.send("PATCH", path+"?attributes="+at.String(), patchOf([]op{{"replace", at.String(), "Two"}}), nil).want(200).is(at, "Two").is(top("userName"), nil)
	}},
	{"P-11", Must, "A PATCH of what does not exist is not found.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.needs("patch")
		p.patch(p.users()+"/conform-none", op{"replace", "userName", "x"}).refused(404)
	}},
	{"P-12", Must, "A PATCH that changes nothing does not change lastModified and version.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, _ := p.user(with(at, "Same"))
		before := p.get(path).want(200).is(at, "Same")
		p.patch(path, op{"replace", at.String(), "Same"}).want(200, 204)
		unchanged(before, p.get(path).want(200))
	}},
	{"P-22", Must, "A remove needs a path; without one it is refused with noTarget.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		p.refuses(p.plain(), op{Op: "remove"}, "noTarget", "invalidPath")
	}},
	{"P-30", Must, "What clients cannot write is refused in a PATCH with mutability.", "RFC 7644 section 3.5.2", false, func(p *probe) {
		p.refuses(top("id"), op{"replace", "id", "conform-forged"}, "mutability")
		p.refuses(top("id"), op{"replace", "meta.created", "1999-01-01T00:00:00Z"}, "mutability")
	}},
	{"P-32", Must, "A value of the wrong type is refused with invalidValue.", "RFC 7644 section 3.12", false, func(p *probe) {
		at := p.plain()
		p.refuses(at, op{"replace", at.String(), Object{"x": 1}}, "invalidValue")
		if p.server.find(userURN, "active").writable() {
			p.refuses(top("active"), op{"replace", "active", "perhaps"}, "invalidValue")
		}
	}},
	{"P-35", Must, "An add needs a value.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		at := p.plain()
		p.refuses(at, op{Op: "add", Path: at.String()})
	}},
	{"P-37", Must, "An add to a single value sets it, whether there was one or not.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		add := func(path string) op { return op{"add", path, "After"} }
		p.turns(p.plain(), "Before", "After", add)
		p.turns(p.plain(), nil, "After", add)
	}},
	{"P-36", Must, "An add without a path adds each attribute of its value.", "RFC 7644 section 3.5.2.1", false, func(p *probe) {
		at := p.plain()
		p.turns(at, nil, "After", func(string) op { return op{Op: "add", Value: whole(at, "After")} })
	}},
	{"P-43", Must, "A remove takes the value away.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		p.turns(p.plain(), "Before", nil, func(path string) op { return op{Op: "remove", Path: path} })
	}},
	{"P-46", Must, "A required value cannot be removed: mutability.", "RFC 7644 section 3.5.2.2", false, func(p *probe) {
		p.refuses(top("userName"), op{Op: "remove", Path: "userName"}, "mutability", "invalidValue")
	}},
	{"P-49", Must, "A replace without a path replaces the attributes of its value and no others.", "RFC 7644 section 3.5.2.3", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, o := p.user(with(at, "Before"))
		p.patch(path, op{Op: "replace", Value: whole(at, "After")}).want(200, 204)
		p.get(path).want(200).is(at, "After").is(top("userName"), o["userName"])
	}},
	{"P-50", Must, "A replace sets a value, also where there was none.", "RFC 7644 section 3.5.2.3", false, func(p *probe) {
		replace := func(path string) op { return op{"replace", path, "After"} }
		p.turns(p.plain(), "Before", "After", replace)
		p.turns(p.plain(), nil, "After", replace)
	}},
	{"P-51", Must, "A replace of a complex attribute leaves the parts alone that it does not name.", "RFC 7644 section 3.5.2.3", false, func(p *probe) { p.parts("replace") }},
	{"P-38", Must, "An add to a complex attribute leaves the parts alone that it does not name.", "RFC 7644 section 3.5.2.1", false, func(p *probe) { p.parts("add") }},
	{"P-54", Must, "A value of null takes the value away; a required one stays.", "RFC 7643 section 2.5", false, func(p *probe) {
		p.needs("patch")
		at := p.plain()
		path, o := p.user(with(at, "Before"))
		null := func(path string) Object {
			return Object{"schemas": []string{patchURN}, "Operations": []any{Object{"op": "replace", "path": path, "value": nil}}}
		}
		p.send("PATCH", path, null(at.String()), nil).want(200, 204)
		p.get(path).want(200).is(at, nil)
		p.send("PATCH", path, null("userName"), nil).refused(400)
		p.get(path).want(200).is(top("userName"), o["userName"])
	}},
	{"P-61", Must, "A PATCH that takes another's name is refused with 409 and uniqueness.", "RFC 7644 section 3.12", false, func(p *probe) {
		p.needs("patch")
		p.renamable()
		_, other := p.user()
		path, o := p.user()
		p.patch(path, op{"replace", "userName", other["userName"]}).refused(409, "uniqueness")
		p.get(path).want(200).is(top("userName"), o["userName"])
	}},
	{"P-62", Must, "A password can be set by PATCH and is not shown.", "RFC 7643 section 4.1.1", false, func(p *probe) {
		p.needs("patch")
		if !p.server.find(userURN, "password").writable() {
			p.skip("users have no password")
		}
		path, _ := p.user()
		for _, a := range []*answer{p.patch(path, op{"replace", "password", passphrase}).want(200, 204), p.get(path).want(200)} {
			if object(a.json)["password"] != nil {
				a.fail("the answer has a password")
			}
		}
	}},
	{"R-22", Should, "A user can be renamed and keeps the id.", "RFC 7643 section 4.1.1", false, func(p *probe) {
		p.needs("patch")
		p.renamable()
		path, _ := p.user()
		name := p.person()["userName"]
		p.patch(path, op{"replace", "userName", name}).want(200, 204)
		p.get(path).want(200).is(top("userName"), name).is(top("id"), idOf(path))
	}},
}

// refuses fails unless an operation is refused and leaves the user as it was.
func (p *probe) refuses(at attr, o op, types ...string) {
	p.needs("patch")
	path, _ := p.user()
	before := at.in(p.get(path).want(200).object())
	p.patch(path, o).refused(400, types...)
	p.get(path).want(200).is(at, before)
}

// turns fails unless an operation turns one value into another.
func (p *probe) turns(at attr, before, after any, o func(path string) op) {
	p.needs("patch")
	path, _ := p.user(func(o Object) {
		if at.set(o, nil); before != nil {
			with(at, before)(o)
		}
	})
	p.get(path).want(200).is(at, before)
	a := p.patch(path, o(at.String())).want(200, 204)
	if a.status == 200 {
		a.is(at, after)
	}
	p.get(path).want(200).is(at, after)
}

// whole is a resource with nothing but one value.
func whole(at attr, v any) Object {
	o := Object{}
	at.set(o, v)
	return o
}

// parts changes one part of a complex attribute of users: name, if it has two.
func (p *probe) parts(kind string) {
	p.needs("patch")
	name := p.server.find(userURN, "name")
	one, other := attr{name: "name", sub: "givenName"}, attr{name: "name", sub: "familyName"}
	if !name.writable() || !name.sub(one.sub).writable() || !name.sub(other.sub).writable() {
		p.skip("users have no two parts of a name")
	}
	path, o := p.user()
	p.patch(path, op{kind, "name", Object{one.sub: "Changed"}}).want(200, 204)
	p.get(path).want(200).is(one, "Changed").is(other, other.in(o))
}
