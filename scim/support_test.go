package scim

import "testing"

const extURN = "urn:example:params:scim:schemas:extension:2.0:User"

// testLayout has one attribute of each shape that layouts, selections and the
// encoder tell apart.
func testLayout(t testing.TB) *Layout {
	t.Helper()
	text := func(name string) *Attribute { return &Attribute{Name: name} }
	typed := func(name string, ty Type) *Attribute { return &Attribute{Name: name, Type: ty} }
	password := text("password")
	password.Mutability, password.Returned = WriteOnly, ReturnedNever
	rare := text("rare")
	rare.Returned = ReturnedRequest
	hidden := text("hidden")
	hidden.Returned = ReturnedNever
	onRequest := text("onRequest")
	onRequest.Returned = ReturnedRequest
	fixed := text("fixed")
	fixed.Returned = ReturnedAlways
	stamp := text("stamp")
	stamp.Returned = ReturnedAlways
	value := text("value")
	attrs := []*Attribute{
		text("userName"), typed("active", TypeBoolean), typed("age", TypeInteger), typed("weight", TypeDecimal), typed("born", TypeDateTime),
		{Name: "name", Type: TypeComplex, Sub: []*Attribute{text("givenName"), text("familyName"), hidden, onRequest}},
		{Name: "emails", Type: TypeComplex, MultiValued: true, Sub: []*Attribute{value, text("type"), typed("primary", TypeBoolean)}},
		{Name: "tags", MultiValued: true},
		{Name: "badge", Type: TypeComplex, Sub: []*Attribute{fixed, text("colour")}},
		{Name: "dossier", Type: TypeComplex, Returned: ReturnedRequest, Sub: []*Attribute{text("page"), stamp}},
		password, rare,
	}
	ext := Extension{Schema: extURN, Attributes: []*Attribute{
		text("department"),
		{Name: "manager", Type: TypeComplex, Sub: []*Attribute{{Name: "value", CaseExact: true}, text("displayName")}},
		{Name: "sites", Type: TypeComplex, MultiValued: true, Sub: []*Attribute{text("city")}},
	}}
	l, err := NewLayout(UserSchema, attrs, []Extension{ext})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// at resolves a name that must exist.
func at(t testing.TB, l *Layout, name string) *Attribute {
	t.Helper()
	a := l.Resolve(name)
	if a == nil {
		t.Fatalf("there is no attribute %s", name)
	}
	return a
}

func object(t testing.TB, l *Layout, name string, subs map[string]Value) Value {
	t.Helper()
	a := at(t, l, name)
	v := NewComplex(a)
	for n, to := range subs {
		v.Set(a.Find(n), to)
	}
	return v
}

// sample is a resource with a value everywhere.
func sample(t testing.TB, l *Layout) *Resource {
	t.Helper()
	r := NewResource(l)
	set := func(name string, v Value) { r.Set(at(t, l, name), v) }
	set("id", Str("1"))
	set("externalId", Str("x"))
	set("userName", Str("bjensen"))
	set("active", Bool(true))
	set("age", Int(42))
	set("weight", Decimal("61.50"))
	set("born", Str("2001-02-03T04:05:06Z"))
	set("name.givenName", Str("Barbara"))
	set("name.familyName", Str("Jensen"))
	set("name.hidden", Str("secret"))
	set("name.onRequest", Str("asked"))
	set("emails", List(
		object(t, l, "emails", map[string]Value{"value": Str("b@example.com"), "type": Str("work"), "primary": Bool(true)}),
		object(t, l, "emails", map[string]Value{"value": Str("b@example.org")})))
	set("tags", List(Str("a"), Str("b")))
	set("badge.fixed", Str("F"))
	set("badge.colour", Str("red"))
	set("dossier.page", Str("P"))
	set("dossier.stamp", Str("S"))
	set("password", Str("t1meMa$heen"))
	set("rare", Str("R"))
	set(extURN+":department", Str("Tours"))
	set(extURN+":manager.value", Str("26"))
	set(extURN+":manager.displayName", Str("John"))
	set(extURN+":sites", List(object(t, l, extURN+":sites", map[string]Value{"city": Str("Rome")})))
	set("meta.resourceType", Str("User"))
	set("meta.location", Str("https://example.com/Users/1"))
	return r
}
