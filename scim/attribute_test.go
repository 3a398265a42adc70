package scim

import "testing"

func TestKeywords(t *testing.T) { // D-14: keywords are exact camelCase; S-04
	for i, name := range typeNames {
		if got, ok := ParseType(name); !ok || got != Type(i) || got.String() != name {
			t.Errorf("S-04 %s: %v %v", name, got, ok)
		}
	}
	for i, name := range mutableNames {
		if got, ok := ParseMutable(name); !ok || got != Mutable(i) || got.String() != name {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	for i, name := range returnedNames {
		if got, ok := ParseReturned(name); !ok || got != Returned(i) || got.String() != name {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	for i, name := range uniqueNames {
		if got, ok := ParseUnique(name); !ok || got != Unique(i) || got.String() != name {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	for _, bad := range []string{"date", "String", "readwrite", ""} {
		_, isType := ParseType(bad)
		_, isMutable := ParseMutable(bad)
		if isType || isMutable {
			t.Errorf("S-04: %q is a keyword", bad)
		}
	}
}

func TestDefaultCharacteristics(t *testing.T) {
	a := Attribute{Name: "x"}
	if a.Type != TypeString || a.Required || a.CaseExact || a.Mutability != ReadWrite ||
		a.Returned != ReturnedDefault || a.Uniqueness != UniqueNone || a.MultiValued {
		t.Errorf("S-03: %+v", a)
	}
}

func TestPath(t *testing.T) {
	l := testLayout(t)
	for _, path := range []string{"userName", "name.givenName", "emails.value", extURN, extURN + ":department", extURN + ":manager.value"} {
		if got := at(t, l, path).Path(); got != path {
			t.Errorf("the path of %s is %s", path, got)
		}
	}
	if a := at(t, l, extURN+":manager.value"); a.Schema() != extURN || a.Parent().Name != "manager" || !a.Parent().Parent().IsExtension() {
		t.Errorf("schema %s, parent %v", a.Schema(), a.Parent())
	}
	if l.Meta.Schema() != "" || at(t, l, "userName").Schema() != UserSchema {
		t.Error("S-25: the common attributes belong to no schema, the others to theirs")
	}
}

func TestAttributeClone(t *testing.T) {
	l := testLayout(t)
	name := at(t, l, "name")
	c := name.Clone()
	c.Sub[0].Required = true
	if name.Sub[0].Required || c.Schema() != "" || c.Find("givenName") != nil || len(c.Sub) != len(name.Sub) {
		t.Error("a clone shares something with its original")
	}
	if _, err := NewLayout("urn:x:y", []*Attribute{c}, nil); err != nil {
		t.Errorf("a clone compiles again: %v", err)
	}
}
