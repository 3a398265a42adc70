package rules

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/scim"
)

const enterpriseKey = `"` + scim.EnterpriseUserSchema + `"`

func TestNewRecord(t *testing.T) {
	type specs = []Spec
	for _, c := range []struct {
		name  string
		rules specs
		sent  string
		want  fields
		fails string
	}{
		{"rename", specs{rule("title", name("t")), rule("enterprise:department", name("d"))}, `{"title":"Dr.",` + enterpriseKey + `:{"department":"X"}}`,
			fields{"t": "Dr.", "d": "X"}, ""},
		{"table", specs{rule("active", name("s"), table("A", "true", "B", "true", "L", "false"))}, `{"active":true}`, fields{"s": "A"}, ""},
		{"table, without regard to case", specs{rule("title", name("t"), table("M", "Mister"))}, `{"title":"mister"}`, fields{"t": "M"}, ""},
		{"table, not in it", specs{rule("title", name("t"), table("M", "Mister", "F", "Miss", "N", "Miss"))}, `{"title":"Dr."}`, nil, "title must be one of: Mister, Miss."},
		{"out", specs{rule("title", name("t"), out(`upper(value)`), in(`value`))}, `{"title":"x"}`, fields{"t": "X"}, ""},
		{"out from elsewhere", specs{rule("displayName", name("n"), in("value"), out(`resource.userName + "/" + (resource.title ?? "-")`)), rule("title", name("t"))},
			`{"userName":"u"}`, fields{"login": "u", "n": "u/-"}, ""},
		{"out without a value", specs{rule("title", name("t"), in(`value`), out(`lower(value)`))}, `{}`, fields{}, ""},
		{"out fails", specs{rule("title", name("t"), in(`value`), out(`int(value)`))}, `{"title":"x"}`, nil, "title cannot be stored: the rule for it fails on the values given."},
		{"out into nothing", specs{rule("displayName", name("n"), in("value"), out(`resource.enterprise.manager.value ?? first(resource.emails)?.value ?? "none"`)), rule("enterprise:manager.value", name("m"), refers("User")), rule("emails.value", name("e"))},
			`{}`, fields{"n": "none"}, ""},
		{"out gives a number", specs{rule("title", name("t"), in(`value`), out(`len(value)`))}, `{"title":"x"}`, fields{"t": int64(1)}, ""},
		{"out gives a time", specs{rule("title", name("t"), in(`value`), out(`date("2024-02-01")`))}, `{"title":"x"}`, fields{"t": time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)}, ""},
		{"readOnly", specs{rule("title", name("t"), mutable("readOnly"))}, `{"title":"x"}`, fields{}, ""},
		{"in only", specs{rule("title", name("t"), in("value"))}, `{"title":"x"}`, fields{}, ""},
		{"password", specs{rule("password", name("p"))}, `{"password":"s3cret"}`, fields{"p": "s3cret"}, ""},

		{"split", specs{rule("test:tags", name("t"), split(", "))}, `{"` + testURN + `":{"tags":["a","b c"," d "]}}`, fields{"t": "a, b c, d"}, ""},
		{"split, separator in a value", specs{rule("test:tags", name("t"), split(", "))}, `{"` + testURN + `":{"tags":["a,b"]}}`, nil, `A value of ` + testURN + `:tags holds ",", which separates the values in the backend.`},
		{"split at a blank", specs{rule("test:tags", name("t"), split(" "))}, `{"` + testURN + `":{"tags":["a","b"]}}`, fields{"t": "a b"}, ""},
		{"split at a blank, one in a value", specs{rule("test:tags", name("t"), split(" "))}, `{"` + testURN + `":{"tags":["a b"]}}`, nil, "separates"},
		{"split of integers", specs{rule("test:numbers", name("t"), split(","))}, `{"` + testURN + `":{"numbers":[1,2]}}`, fields{"t": "1,2"}, ""},
		{"split into elements", specs{rule("emails", name("t"), split(";"))}, `{"emails":[{"value":"a@x"},{"value":"b@x"}]}`, fields{"t": "a@x;b@x"}, ""},
		{"split through a table", specs{rule("roles", name("t"), split(","), table("r", "reader", "w", "writer"))}, `{"roles":[{"value":"Writer"},{"value":"reader"}]}`, fields{"t": "w,r"}, ""},
		{"split through a table, not in it", specs{rule("roles", name("t"), split(","), table("r", "reader"))}, `{"roles":[{"value":"x"}]}`, nil, "roles must be one of: reader."},

		{"dateTime", specs{rule("test:born", name("b"), format("unix"))}, `{"` + testURN + `":{"born":"2024-02-01T13:30:00Z"}}`, fields{"b": int64(1706794200)}, ""},
		{"S-35 meta is the server's", specs{rule("meta.created", name("c"))}, `{}`, fields{}, ""},

		{"elements", specs{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h")), rule(`emails[type eq "home"].display`, name("hd"))},
			`{"emails":[{"type":"HOME","value":"h@x","display":"H"},{"type":"work","value":"w@x"},{"type":"work","value":"w2@x"}]}`, fields{"w": "w@x", "h": "h@x", "hd": "H"}, ""},
		{"the primary element first", specs{rule(`emails[type eq "work"].value`, name("w"))},
			`{"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x","primary":true}]}`, fields{"w": "b@x"}, ""},
		{"the primary element first, of any type", specs{rule(`emails.value`, name("w"))},
			`{"emails":[{"type":"home","value":"a@x"},{"type":"work","value":"b@x","primary":"True"},{"value":"c@x"}]}`, fields{"w": "b@x"}, ""},
		{"the first element, if none is primary", specs{rule(`emails.value`, name("w"))},
			`{"emails":[{"value":"a@x","primary":false},{"value":"b@x"}]}`, fields{"w": "a@x"}, ""},
		{"no type, one group", specs{rule(`emails[type eq "work"].value`, name("w"))}, `{"emails":[{"value":"a@x"}]}`, fields{"w": "a@x"}, ""},
		{"no type, two groups", specs{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"))}, `{"emails":[{"value":"a@x"}]}`, fields{}, ""},
		{"other type", specs{rule(`emails[type eq "work"].value`, name("w"))}, `{"emails":[{"type":"home","value":"a@x"}]}`, fields{}, ""},
		{"no element twice", specs{rule(`emails.value`, name("any")), rule(`emails[type eq "home"].value`, name("h"))},
			`{"emails":[{"type":"home","value":"h@x"},{"type":"work","value":"w@x"}]}`, fields{"h": "h@x", "any": "w@x"}, ""},

		{"reference", specs{rule("enterprise:manager.value", name("b"), refers("User"))}, `{` + enterpriseKey + `:{"manager":{"value":"id-7"}}}`, fields{"b": "7"}, ""},
		{"reference as URI", specs{rule("enterprise:manager.value", name("b"), refers("User"))}, `{` + enterpriseKey + `:{"manager":{"value":"https://y/scim/v2/Users/id-7"}}}`, fields{"b": "7"}, ""},
		{"reference to nobody", specs{rule("enterprise:manager.value", name("b"), refers("User"))}, `{` + enterpriseKey + `:{"manager":{"value":"who"}}}`, nil,
			scim.EnterpriseUserSchema + `:manager: there is no User with the id "who"; create it first.`},
		{"a plain reference", specs{rule("test:boss", name("b"), refers("User"))}, `{"` + testURN + `":{"boss":"http://x/Users/id-a%2Fb"}}`, fields{"b": "a/b"}, ""},

		{"two rules, one field", specs{rule(`emails[type eq "work"].value`, name("login"))}, `{"userName":"u","emails":[{"type":"work","value":"w@x"}]}`, fields{"login": "u"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := quick(t, c.rules...)
			rec, err := m.NewRecord(m.resource(t, c.sent), notNull, keyOf)
			checkFailure(t, err, c.fails)
			if c.want != nil && !reflect.DeepEqual(values(rec), c.want) {
				t.Errorf("got %#v, want %#v", values(rec), c.want)
			}
		})
	}
}

// checkFailure wants a SCIM error whose detail holds the text, or none.
func checkFailure(t *testing.T, err error, text string) {
	t.Helper()
	var se *scim.Error
	switch {
	case text == "" && err == nil:
	case text == "" || !errors.As(err, &se) || se.Status != 400 || !strings.Contains(se.Detail, text):
		t.Fatalf("the error is %v, want %q", err, text)
	}
}

func TestDefaults(t *testing.T) {
	rules := []Spec{rule("userType", name("ut"), fallback("Employee")), rule("active", name("s"), table("A", "true", "L", "false"), fallback("true")),
		rule("name.familyName", name("last"), fallback("Doe")), rule("name.givenName", name("first")),
		rule(`emails[type eq "work"].value`, name("mail")), rule(`emails[type eq "work"].display`, name("note"), fallback("office")),
		rule(`phoneNumbers[type eq "work"].value`, name("phone"), fallback("110")), rule("test:tags", name("tags"), split(","), fallback("new")),
		rule("test:born", name("born"), format("date"), fallback("2024-02-01"))}
	all := fields{"ut": "Employee", "s": "A", "last": "Doe", "phone": "110", "tags": "new", "born": "2024-02-01", "note": "office"}
	but := func(change fields) fields {
		out := fields{}
		for n, v := range all {
			out[n] = v
		}
		for n, v := range change {
			out[n] = v
			if v == nil {
				delete(out, n)
			}
		}
		return out
	}
	for _, c := range []struct {
		row, sent string
		nulls     []string
		want      fields
	}{
		{"C-03", `{}`, nil, all},
		{"C-03 given", `{"userType":"Guest","active":false,"name":{"familyName":"X"}}`, nil, but(fields{"ut": "Guest", "s": "L", "last": "X"})},
		{"C-04 null", `{}`, []string{"active", "userType"}, but(fields{"s": nil, "ut": nil})},
		{"C-04 null around", `{}`, []string{"name", "phoneNumbers"}, but(fields{"last": nil, "phone": nil})},
		{"C-03 part of what is given", `{"name":{"givenName":"A"},"emails":[{"type":"work","value":"a@x"}]}`, nil, but(fields{"first": "A", "mail": "a@x"})},
		{"C-03 part given", `{"emails":[{"type":"work","value":"a@x","display":"B"}]}`, nil, but(fields{"note": "B", "mail": "a@x"})},
		{"C-03 other elements given", `{"phoneNumbers":[{"type":"home","value":"1"}]}`, nil, but(fields{"phone": nil})},
	} {
		t.Run(c.row, func(t *testing.T) {
			m := quick(t, rules...)
			null := func(a *scim.Attribute) bool {
				for _, n := range c.nulls {
					if a == m.Type.Layout.Resolve(n) {
						return true
					}
				}
				return false
			}
			sent := m.resource(t, c.sent)
			before := sent.Clone()
			rec, err := m.NewRecord(sent, null, keyOf)
			if err != nil || !reflect.DeepEqual(values(rec), c.want) {
				t.Errorf("got %#v, want %#v (%v)", values(rec), c.want, err)
			}
			if !sent.Equal(before) {
				t.Error("the resource was changed")
			}
		})
	}
}

// U-04: a replacement that leaves out what has a default leaves it as it is.
func TestKeepDefaulted(t *testing.T) {
	m := quick(t, rule("active", name("a"), fallback("true")), rule("title", name("t"), fallback("Dr.")), rule("nickName", name("n")))
	before := m.resource(t, `{"active":false,"title":"x","nickName":"y"}`)
	after := m.resource(t, `{}`)
	m.KeepDefaulted(before, after, func(a *scim.Attribute) bool { return a.Name == "title" })
	if got := shown(after); got != `{"active":false}` {
		t.Error(got)
	}
}

// What expressions see of a resource: every type, parents that are absent, all of
// it.
func TestOutSees(t *testing.T) {
	sent := `{"userName":"u","emails":[{"value":"a@x","type":"work"}],"active":false,"` + testURN + `":{"level":3,"score":1.5,"tags":["p","q"],"pet":{"name":"Rex"}},` +
		enterpriseKey + `:{"department":"R&D"}}`
	for expression, want := range map[string]any{
		`resource.test.level + 1`:                                  int64(4),
		`resource.test.score * 2`:                                  3.0,
		`resource.active == false`:                                 true,
		`resource.test.tags[1]`:                                    "q",
		`resource.test.pet.name`:                                   "Rex",
		`resource.test.pet.age`:                                    nil,
		`resource.emails[0].value`:                                 "a@x",
		`resource.emails[0].display ?? "none"`:                     "none",
		`resource.name.givenName ?? "none"`:                        "none",
		`len(resource.phoneNumbers)`:                               int64(0),
		`resource["` + scim.EnterpriseUserSchema + `"].department`: "R&D",
		`resource.enterprise.manager.displayName`:                  nil,
		`string(len(keys(resource)) > 5)`:                          "true",
		`value`:                                                    "shown",
	} {
		m := quick(t, rule("displayName", name("f"), in("value"), out(expression)), rule("emails.value", name("e")), rule("emails.type", name("et")), rule("emails.display", name("ed")),
			rule("active", name("a")), rule("name.givenName", name("g")), rule("phoneNumbers.value", name("p")), rule("enterprise:department", name("d")),
			rule("enterprise:manager.displayName", name("md")), rule("test:level", name("l")), rule("test:score", name("s")), rule("test:tags", name("t"), split(",")),
			rule("test:pet.name", name("pn")), rule("test:pet.age", name("pa")))
		res := m.resource(t, sent)
		res.Set(m.Type.Layout.Find("displayName"), scim.Str("shown"))
		rec, err := m.NewRecord(res, notNull, keyOf)
		if err != nil || !reflect.DeepEqual(rec.Get("f"), want) {
			t.Errorf("%s is %#v, want %#v (%v)", expression, rec.Get("f"), want, err)
		}
	}
}

func TestConstantsAndWhen(t *testing.T) {
	input := userInput(userName(), rule("userType", name("ut")))
	input.Constants = []Constant{{Field: at(9, "kind"), Value: at(9, "person")}}
	input.When = at(9, `resource.userType == "Employee"`)
	m := compiled(t, input)
	rec, err := m.NewRecord(m.resource(t, `{"userType":"Employee"}`), notNull, keyOf)
	if err != nil || rec.Get("kind") != "person" {
		t.Errorf("%v %v", values(rec), err)
	}
	const refused = "No backend takes a User like this one: the configuration's condition for it (when) is not met."
	for _, sent := range []string{`{}`, `{"userType":"Guest"}`} {
		_, err = m.NewRecord(m.resource(t, sent), notNull, keyOf)
		checkFailure(t, err, refused)
	}
	before := m.resource(t, `{"userType":"Employee"}`)
	_, err = m.Delta(m.record(fields{"ut": "Employee"}), before, m.resource(t, `{"userType":"Guest"}`), keyOf, idOf)
	checkFailure(t, err, refused)
}

func TestUnplaced(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []Spec
		sent  string
		want  string
	}{
		{"all placed", []Spec{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"))},
			`{"emails":[{"type":"home","value":"h@x"},{"type":"work","value":"w@x"}]}`, ""},
		{"another type", []Spec{rule(`emails[type eq "work"].value`, name("w"))}, `{"emails":[{"type":"home","value":"h@x"},{"type":"work","value":"w@x"}]}`, "emails[0]"},
		{"two of a type", []Spec{rule(`emails[type eq "work"].value`, name("w"))}, `{"emails":[{"type":"work","value":"h@x"},{"type":"work","value":"w@x"}]}`, "emails[1]"},
		{"without a type", []Spec{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"))}, `{"emails":[{"value":"h@x"}]}`, "emails[0]"},
		{"one field for several", []Spec{rule("test:boss", name("x"), refers("User"))}, `{}`, ""},
		{"a list", []Spec{rule("emails", name("x"), split(","))}, `{"emails":[{"value":"h@x"},{"value":"w@x"}]}`, ""},
	} {
		m := quick(t, c.rules...)
		if got := strings.Join(m.Unplaced(m.resource(t, c.sent)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	m := compiled(t, groupInput(rule("displayName", name("title")), rule("members", name("boss"), refers("User"))))
	if got := strings.Join(m.Unplaced(m.resource(t, `{"members":[{"value":"id-1"},{"value":"id-2"}]}`)), " "); got != "members[1]" {
		t.Errorf("a field that holds one member: %q", got)
	}
}

func TestDelta(t *testing.T) {
	status := rule("active", name("s"), table("A", "true", "Z", "true", "L", "false"))
	for _, c := range []struct {
		name          string
		rules         []Spec
		held          fields
		before, after string
		want          string // "field: old -> new", in order
		fails         string
	}{
		{"nothing", []Spec{status}, fields{"s": "Z"}, `{"active":true}`, `{"active":true}`, "", ""},
		{"only what changed", []Spec{status, rule("title", name("t"))}, fields{"s": "Z", "t": "x"}, `{"active":true,"title":"x"}`, `{"active":true,"title":"y"}`, "t: x -> y", ""},
		{"a code of several", []Spec{status}, fields{"s": "L"}, `{"active":false}`, `{"active":true}`, "s: L -> A", ""},
		{"removed", []Spec{status}, fields{"s": "L"}, `{"active":false}`, `{}`, "s: L -> <nil>", ""},
		{"unknown code, untouched", []Spec{status, rule("title", name("t"))}, fields{"s": "?"}, `{}`, `{"title":"x"}`, "t: <nil> -> x", ""},
		{"unknown code, given", []Spec{status}, fields{"s": "?"}, `{}`, `{"active":false}`, "s: ? -> L", ""},
		{"loses detail, untouched", []Spec{rule("test:born", name("b"), format("date")), rule("test:text", name("t"))}, fields{"b": "2024-02-01 13:30"},
			`{"` + testURN + `":{"born":"2024-02-01T13:30:00Z"}}`, `{"` + testURN + `":{"born":"2024-02-01T13:30:00Z","text":"x"}}`, "t: <nil> -> x", ""},
		{"element changed", []Spec{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"))}, fields{"w": "w@x", "h": "h@x"},
			`{"emails":[{"type":"work","value":"w@x"},{"type":"home","value":"h@x"}]}`, `{"emails":[{"type":"home","value":"h@y"},{"type":"work","value":"w@x"}]}`, "h: h@x -> h@y", ""},
		{"element removed", []Spec{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"))}, fields{"w": "w@x", "h": "h@x"},
			`{"emails":[{"type":"work","value":"w@x"},{"type":"home","value":"h@x"}]}`, `{"emails":[{"type":"work","value":"w@x"}]}`, "h: h@x -> <nil>", ""},
		{"readOnly element", []Spec{rule(`emails[type eq "work"].value`, name("w")), rule(`emails[type eq "home"].value`, name("h"), mutable("readOnly"))}, fields{"h": "h@x"},
			`{"emails":[{"type":"home","value":"h@x"}]}`, `{"emails":[{"type":"home","value":"h@y"},{"type":"work","value":"w@x"}]}`, "w: <nil> -> w@x", ""},
		{"password", []Spec{rule("password", name("p"))}, fields{"p": "hash"}, `{}`, `{"password":"new"}`, "p: hash -> new", ""},
		{"password, not sent", []Spec{rule("password", name("p"), out(`value + "!"`)), rule("title", name("t"))}, fields{"p": "hash"}, `{}`, `{"title":"x"}`, "t: <nil> -> x", ""},
		{"out, what it names changed", []Spec{rule("displayName", name("d"), in("value"), out(`value + resource.userName`))}, fields{"login": "a", "d": "xa"},
			`{"userName":"a","displayName":"x"}`, `{"userName":"b","displayName":"x"}`, "login: a -> b, d: xa -> xb", ""},
		{"out, something else changed", []Spec{rule("displayName", name("d"), in("value"), out(`int(value)`)), rule("title", name("t"))}, fields{"d": "x"},
			`{"displayName":"x"}`, `{"displayName":"x","title":"y"}`, "t: <nil> -> y", ""},
		{"out, failed before", []Spec{rule("displayName", name("d"), in("value"), out(`int(value)`))}, fields{"d": "x"}, `{"displayName":"x"}`, `{"displayName":"5"}`, "d: x -> 5", ""},
		{"out fails", []Spec{rule("displayName", name("d"), in("value"), out(`int(value)`))}, fields{"d": "5"}, `{"displayName":"5"}`, `{"displayName":"x"}`, "", "displayName cannot be stored"},
		{"one field, the other attribute changed", []Spec{rule(`emails[type eq "work"].value`, name("login"))}, fields{"login": "a"},
			`{"userName":"a","emails":[{"type":"work","value":"a"}]}`, `{"userName":"a","emails":[{"type":"work","value":"b"}]}`, "login: a -> b", ""},
		{"one field, both changed", []Spec{rule(`emails[type eq "work"].value`, name("login"))}, fields{"login": "a"},
			`{"userName":"a","emails":[{"type":"work","value":"a"}]}`, `{"userName":"c","emails":[{"type":"work","value":"b"}]}`, "login: a -> c", ""},
		{"reference", []Spec{rule("enterprise:manager.value", name("b"), refers("User"))}, fields{"b": int64(7)},
			`{` + enterpriseKey + `:{"manager":{"value":"id-7"}}}`, `{` + enterpriseKey + `:{"manager":{"value":"id-8"}}}`, "b: 7 -> 8", ""},
		{"reference that is gone", []Spec{rule("enterprise:manager.value", name("b"), refers("User"))}, fields{"b": int64(7)},
			`{` + enterpriseKey + `:{"manager":{"value":"who"}}}`, `{` + enterpriseKey + `:{"manager":{"value":"id-8"}}}`, "b: 7 -> 8", ""},
		{"reference to nobody", []Spec{rule("enterprise:manager.value", name("b"), refers("User"))}, fields{}, `{}`, `{` + enterpriseKey + `:{"manager":{"value":"who"}}}`, "", "there is no User with the id"},
		{"list", []Spec{rule("test:tags", name("t"), split(","))}, fields{"t": "a, b"}, `{"` + testURN + `":{"tags":["a","b"]}}`, `{"` + testURN + `":{"tags":["a","b","c"]}}`, "t: a, b -> a,b,c", ""},
		{"list, parts nobody knows stay", []Spec{rule("roles", name("t"), split(","), table("r", "reader", "w", "writer"))}, fields{"t": "x,r"},
			`{"roles":[{"value":"reader"}]}`, `{"roles":[{"value":"writer"}]}`, "t: x,r -> w,x", ""},
		{"list emptied, parts nobody knows stay", []Spec{rule("roles", name("t"), split(","), table("r", "reader", "w", "writer"))}, fields{"t": "x,r"},
			`{"roles":[{"value":"reader"}]}`, `{}`, "t: x,r -> x", ""},
		{"dateTime", []Spec{rule("test:born", name("b"))}, fields{"b": "2024-02-01"}, `{"` + testURN + `":{"born":"2024-02-01T00:00:00Z"}}`, `{}`, "b: 2024-02-01 -> <nil>", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := quick(t, c.rules...)
			rec := m.record(c.held)
			d, err := m.Delta(rec, m.resource(t, c.before), m.resource(t, c.after), keyOf, idOf)
			checkFailure(t, err, c.fails)
			var got []string
			for _, s := range d.Set {
				got = append(got, s.Field+": "+strings.Join(strings.Fields(textOf(s.Old)+" -> "+textOf(s.New)), " "))
				if c.fails == "" && !reflect.DeepEqual(d.After.Get(s.Field), s.New) {
					t.Errorf("After holds %v", d.After.Get(s.Field))
				}
			}
			if text := strings.Join(got, ", "); c.fails == "" && text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if !reflect.DeepEqual(values(d.Before), values(m.record(c.held))) || len(d.Members) > 0 {
				t.Errorf("Before %v, Members %v", values(d.Before), d.Members)
			}
		})
	}
}

func textOf(v any) string {
	if v == nil {
		return "<nil>"
	}
	return text(v)
}

// S-04: /Schemas says what the rules can do.
func TestCharacteristics(t *testing.T) {
	m := compiled(t, userInput(userName(),
		rule("displayName", in(`record.a`)),
		rule("title", name("t"), out(`value`)),
		rule("nickName", name("n"), in("value"), out(`value`)),
		rule("userType", name("ut"), mutable("immutable"), required()),
		rule("locale", name("l"), mutable("writeOnly")),
		rule("timezone", name("tz"), unique("server")),
		rule(`emails[type eq "work"].value`, name("w")),
		rule(`emails[type eq "home"].value`, in(`record.h`)),
		rule(`phoneNumbers[type eq "pager"].value`, in(`record.p`)),
		rule("name", in(`{givenName: record.a}`)),
		rule("enterprise:manager.value", name("b"), refers("User")),
		rule("ims", name("i"), split(",")),
	))
	l := m.Type.Layout
	for _, c := range []struct {
		path, want string
	}{
		{"userName", "readWrite default server required"},
		{"displayName", "readOnly default none"},
		{"title", "writeOnly never none"},
		{"nickName", "readWrite default none"},
		{"userType", "immutable default none required"},
		{"locale", "writeOnly never none"},
		{"timezone", "readWrite default server"},
		{"emails", "readWrite default none"},
		{"emails.value", "readWrite default none"},
		{"emails.type", "readWrite default none"},
		{"emails.display", ""},
		{"phoneNumbers", "readOnly default none"},
		{"phoneNumbers.value", "readOnly default none"},
		{"phoneNumbers.type", "readOnly default none"},
		{"name.givenName", "readOnly default none"},
		{"ims.value", "readWrite default none"},
		{"ims.type", ""},
		{scim.EnterpriseUserSchema + ":manager.$ref", "readWrite default none"},
		{scim.EnterpriseUserSchema + ":manager.displayName", ""},
		{scim.EnterpriseUserSchema + ":department", ""},
		{"profileUrl", ""},
		{testURN, ""},
	} {
		a, got := l.Resolve(c.path), ""
		if a != nil {
			got = a.Mutability.String() + " " + a.Returned.String() + " " + a.Uniqueness.String()
			if a.Required {
				got += " required"
			}
		}
		if got != c.want {
			t.Errorf("S-04 %s is %q, want %q", c.path, got, c.want)
		}
	}
	if kinds := strings.Join(l.Resolve("phoneNumbers.type").CanonicalValues, " "); !strings.Contains(kinds, "pager") {
		t.Errorf("S-20 the kinds of phone numbers are %s", kinds)
	}
}
