package steps

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
)

// A spared call notes what is read of its answers.
type spared struct {
	NoCall
	keep Keep
}

func (s *spared) Spare(k Keep) { s.keep = k }

// TestKeep says what is read of an answer's body, and when all of it is.
func TestKeep(t *testing.T) {
	var c Compiler
	e := func(text string) *Expr {
		return c.Expr(Text{Value: text}, Roots{"body", "item", "status", "steps"})
	}
	fields := Keep{"id": nil, "login": nil, "address": {"city": nil}, "address.city": nil}
	with := func(k Keep, names ...string) Keep {
		out := Keep{}
		for name, inner := range k {
			out[name] = inner
		}
		for _, n := range names {
			out[n] = nil
		}
		return out
	}
	for _, x := range []struct {
		what string
		step Step
		read string // of login
		want Keep
	}{
		{"the whole body is the record", Step{Record: e("body")}, "", fields},
		{"a part of it", Step{Record: e("body.data.user")}, "", Keep{"data": {"user": fields}}},
		{"a list, its total and what is next", Step{Records: e(`body["users"]`), Paging: Paging{Total: e("body.meta.total"), Next: e("body.next")}}, "",
			Keep{"users": fields, "meta": nil, "next": nil}},
		{"rules look at it", Step{Record: e("body.user"), Fails: []Fail{{When: e("status == 400 && body.error.code == 7")}}}, "", Keep{"user": fields, "error": nil}},
		{"the record is named by another", Step{Record: e("body.user"), Key: e("body.user.nr")}, "", Keep{"user": nil}},
		{"what is let", Step{Record: e("body.user"), Let: map[string]*Expr{"x": e("body?.token")}}, "", Keep{"user": fields, "token": nil}},
		{"a field is read by an expression", Step{Record: e("body")}, "item.names[0] ?? body.none", with(fields, "names", "none")},
		{"one that names the whole record", Step{Record: e("body")}, "len(item)", nil},
		{"a rule that names the whole body", Step{Record: e("body.user"), Fails: []Fail{{When: e("len(body) == 0")}}}, "", nil},
		{"a name that is worked out", Step{Record: e("body.user"), Fails: []Fail{{When: e(`body["err" + "or"] != nil`)}}}, "", nil},
		{"a record that is worked out", Step{Record: e("body.users[0]")}, "", nil},
		{"or chosen", Step{Records: e("body.users ?? []")}, "", nil},
		{"no record", Step{Key: e("body.id")}, "", nil},
	} {
		t.Run(x.what, func(t *testing.T) {
			call := &spared{}
			x.step.Call = call
			o := Options{Fields: []string{"login", "address.city"}, Key: []string{"id"}, Get: Operation{&x.step}}
			if x.read != "" {
				o.Read = map[string]*Expr{"login": e(x.read)}
			}
			New(o)
			if !reflect.DeepEqual(call.keep, x.want) {
				t.Errorf("got  %v\nwant %v", call.keep, x.want)
			}
		})
	}
	two := &spared{}
	New(Options{Fields: []string{"login"}, Key: []string{"id"}, Get: Operation{{Call: two, Record: e("body")}, {Call: two, Record: e("body")}}})
	if two.keep != nil || len(c.Problems) > 0 {
		t.Error(two.keep, c.Problems)
	}
}

// Do implements Call.
func (s *spared) Do(context.Context, Scope) (Answer, error) { return Answer{}, nil }

// TestReadSome: what is kept is read as ReadJSON reads it, and nothing else; what is
// passed over must be JSON, too.
func TestReadSome(t *testing.T) {
	const text = `{"a":{"b":1,"c":[{"d":"x","e":{"f":2}},7,null]},"g":[1,2],"a2":{"b":3},"g":{"h":true}}`
	for _, x := range []struct {
		keep Keep
		want string
	}{
		{nil, `{"a":{"b":1,"c":[{"d":"x","e":{"f":2}},7,null]},"g":{"h":true},"a2":{"b":3}}`},
		{Keep{}, `{}`},
		{Keep{"a": {"c": {"d": nil}}}, `{"a":{"c":[{"d":"x"},7,null]}}`},
		{Keep{"a": {"b": {"deeper": nil}}, "g": nil}, `{"a":{"b":1},"g":{"h":true}}`},
	} {
		got, err := ReadSome([]byte(text), x.keep)
		out, _ := json.Marshal(got)
		want, _ := ReadJSON([]byte(x.want))
		expected, _ := json.Marshal(want)
		if err != nil || string(out) != string(expected) {
			t.Errorf("%v: got %s (%v), want %s", x.keep, out, err, expected)
		}
	}
	for _, text := range []string{`{"a":1,"b":[1,}`, `{"b":"`, `{"b":{"c"}}`, `{"a":1} x`} {
		if v, err := ReadSome([]byte(text), Keep{"a": nil}); err == nil {
			t.Errorf("%s is %v", text, v)
		}
	}
}
