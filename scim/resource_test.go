package scim

import (
	"errors"
	"fmt"
	"testing"
)

func TestSetMakesAndRemovesParents(t *testing.T) {
	l := testLayout(t)
	r := NewResource(l)
	value := at(t, l, extURN+":manager.value")
	r.Set(value, Value{}) // must not make parents
	if r.Get(l.Extensions[0]).Present() {
		t.Error("assigning nothing made a parent")
	}
	r.Set(value, Str("26"))
	if got := r.Get(value).String(); got != "26" {
		t.Errorf("got %q", got)
	}
	if n := len(r.Get(l.Schemas).Elems()); n != 2 {
		t.Errorf("S-26, P-34: %d schemas with the extension", n)
	}
	r.Set(value, Value{})
	if r.Get(l.Extensions[0]).Present() || len(r.Get(l.Schemas).Elems()) != 1 {
		t.Error("S-26: the extension is still there")
	}
}

func TestCloneIsIndependent(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	c := r.Clone()
	if !r.Equal(c) {
		t.Fatal("a clone differs")
	}
	c.Set(at(t, l, "name.givenName"), Str("Babs"))
	c.Set(at(t, l, extURN+":manager.value"), Str("27"))
	if r.Get(at(t, l, "name.givenName")).String() != "Barbara" || r.Get(at(t, l, extURN+":manager.value")).String() != "26" {
		t.Error("Set on the clone changed the original")
	}
	if r.Equal(c) || r.Equal(NewResource(testLayout(t))) {
		t.Error("different resources are equal")
	}
	if r.ID() != "1" || r.Layout() != l {
		t.Error("ID or Layout")
	}
}

func TestGetInMultiValued(t *testing.T) {
	l := testLayout(t)
	if sample(t, l).Get(at(t, l, "emails.value")).Present() {
		t.Error("a sub-attribute of a multi-valued attribute has no single value")
	}
}

func TestPut(t *testing.T) {
	l := testLayout(t)
	set, put := NewResource(l), NewResource(l)
	for name, v := range map[string]Value{"userName": Str("a"), "name.givenName": Str("b"), "name.familyName": Str("c"),
		extURN + ":manager.value": Str("26"), "age": {}} {
		set.Set(at(t, l, name), v)
		put.Put(at(t, l, name), v)
	}
	if !set.Equal(put) {
		t.Error("Put builds something else than Set")
	}
	put.Put(at(t, l, "userName"), Value{})
	if !set.Equal(put) {
		t.Error("an absent value changed something")
	}
}

func TestErrors(t *testing.T) {
	e := Bad(InvalidValue, "%s is wrong", "x")
	if e.Error() != "400 invalidValue: x is wrong" || Errorf(404, "", "gone").Error() != "404: gone" {
		t.Errorf("%v", e)
	}
	cause := errors.New("cause")
	e.Err = cause
	p := Prefix("Operations[1]", fmt.Errorf("wrapped: %w", e))
	var got *Error
	if !errors.As(p, &got) || got.Detail != "Operations[1]: x is wrong" || e.Detail != "x is wrong" || !errors.Is(p, cause) {
		t.Errorf("%#v", p)
	}
	if Prefix("x", cause) != cause {
		t.Error("another error did not pass unchanged")
	}
}
