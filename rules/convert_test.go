package rules

import (
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// TestConvert: what a backend's value becomes, and what is written for it.
// "-" is no value, "!" is left out with a warning.
func TestConvert(t *testing.T) {
	instant := time.Date(2024, 2, 1, 13, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		row, path, format string
		raw               any
		read              string
		back              any // what writing the value read gives; nil: the same
	}{
		{"string", "test:text", "", "Ada", `"Ada"`, nil},
		{"string, blanks stay", "test:text", "", " a ", `" a "`, nil},
		{"string of integer", "test:text", "", int64(7), `"7"`, "7"},
		{"string of float", "test:text", "", 1234567.0, `"1234567"`, "1234567"},
		{"string of small float", "test:text", "", 0.25, `"0.25"`, "0.25"},
		{"string of bool", "test:text", "", true, `"true"`, "true"},
		{"string of bytes", "test:text", "", []byte("x"), `"x"`, "x"},
		{"string of time", "test:text", "", instant, `"2024-02-01T13:30:00Z"`, "2024-02-01T13:30:00Z"},
		{"P-55 empty string is no value", "test:text", "", "", "-", nil},
		{"nil", "test:text", "", nil, "-", nil},
		{"string of list", "test:text", "", []string{"a"}, "!", nil},

		{"boolean", "test:flag", "", true, "true", nil},
		{"boolean of 1", "test:flag", "", int64(1), "true", true},
		{"boolean of 0", "test:flag", "", int64(0), "false", false},
		{"boolean of Y", "test:flag", "", "Y", "true", true},
		{"boolean of no", "test:flag", "", "no", "false", false},
		{"boolean of t", "test:flag", "", "t", "true", true},
		{"boolean of 2", "test:flag", "", int64(2), "!", nil},
		{"boolean of text", "test:flag", "", "maybe", "!", nil},
		{"boolean of nothing", "test:flag", "", "", "-", nil},

		{"integer", "test:level", "", int64(-5), "-5", nil},
		{"integer of text", "test:level", "", "007", "7", int64(7)},
		{"integer of float", "test:level", "", 1e6, "1000000", int64(1000000)},
		{"integer of fraction", "test:level", "", 1.5, "!", nil},
		{"integer of blank", "test:level", "", " ", "!", nil},
		{"integer too long", "test:level", "", "9223372036854775808", "!", nil},

		{"decimal", "test:score", "", "1.50", "1.50", nil},
		{"decimal of float", "test:score", "", 1.5, "1.5", "1.5"},
		{"decimal of integer", "test:score", "", int64(3), "3", "3"},
		{"decimal of +1", "test:score", "", "+1", "1", "1"},
		{"decimal with exponent", "test:score", "", "1e-7", "1e-7", nil},
		{"decimal, not JSON", "test:score", "", ".5", "!", nil},
		{"decimal of hex", "test:score", "", "0x10", "!", nil},
		{"decimal NaN", "test:score", "", "NaN", "!", nil},

		{"dateTime", "test:born", "", instant, `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, zone", "test:born", "", "2024-02-01T14:30:00+01:00", `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, blank", "test:born", "", "2024-02-01 13:30:00", `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, minutes", "test:born", "", "2024-02-01 13:30", `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, day", "test:born", "", "2024-02-01", `"2024-02-01T00:00:00Z"`, instant.Truncate(24 * time.Hour)},
		{"dateTime, LDAP", "test:born", "", "20240201133000Z", `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, compact day", "test:born", "", "20240201", `"2024-02-01T00:00:00Z"`, instant.Truncate(24 * time.Hour)},
		{"dateTime of seconds", "test:born", "", int64(1706794200), `"2024-02-01T13:30:00Z"`, instant},
		{"dateTime, MySQL's never", "test:born", "", "0000-00-00 00:00:00", "-", nil},
		{"dateTime, zero", "test:born", "", time.Time{}, "-", nil},
		{"dateTime, no date", "test:born", "", "soon", "!", nil},
		{"S-09 year of five digits", "test:born", "", int64(253402300800), "!", nil},
		{"unix", "test:born", "unix", int64(1706794200), `"2024-02-01T13:30:00Z"`, nil},
		{"unix in text", "test:born", "unix", "1706794200", `"2024-02-01T13:30:00Z"`, int64(1706794200)},
		{"unix of an instant", "test:born", "unix", instant, "!", nil},
		{"unix, zero", "test:born", "unix", int64(0), `"1970-01-01T00:00:00Z"`, nil},
		{"unixMilli", "test:born", "unixMilli", int64(1706794200500), `"2024-02-01T13:30:00.5Z"`, nil},
		{"date", "test:born", "date", "2024-02-01", `"2024-02-01T00:00:00Z"`, nil},
		{"date of more", "test:born", "date", "2024-02-01 13:30:00", `"2024-02-01T13:30:00Z"`, "2024-02-01"},
		{"layout", "test:born", "02.01.2006", "01.02.2024", `"2024-02-01T00:00:00Z"`, nil},
		{"layout of digits", "test:born", "20060102", int64(20240201), `"2024-02-01T00:00:00Z"`, "20240201"},
		{"layout, another form", "test:born", "02.01.2006", "2024-02-01", "!", nil},

		{"binary of bytes", "test:cert", "", []byte{1, 2}, `"AQI="`, "AQI="},
		{"binary of text", "test:cert", "", "AQI=", `"AQI="`, nil},
		{"reference", "test:page", "", "http://x/a", `"http://x/a"`, nil},
		{"S-11 caseExact", "test:code", "", "aB", `"aB"`, nil},
	} {
		t.Run(c.row, func(t *testing.T) {
			var says []line
			if says = append(says, name("f")); c.format != "" {
				says = append(says, format(c.format))
			}
			m := compiled(t, userInput(userName(), rule(c.path, says...)))
			r := m.rules[1]
			v, err := r.read(m.record(fields{"f": c.raw}))
			got := string(scim.AppendValue(nil, r.attr, v))
			switch {
			case err != nil:
				got = "!"
			case !v.Present():
				got = "-"
			}
			if got != c.read {
				t.Fatalf("read %s, want %s (%v)", got, c.read, err)
			}
			if err != nil {
				return
			}
			res := scim.NewResource(m.Type.Layout)
			res.Set(r.attr, v)
			back, err := r.write(res, m.assign(res), keyOf, nil)
			want := c.back
			if want == nil && !adapters.NoValue(c.raw) && v.Present() {
				want = c.raw
			}
			if err != nil || !equalValues(want, back) {
				t.Errorf("written %#v, want %#v (%v)", back, want, err)
			}
		})
	}
}

func TestConvertExpressionResults(t *testing.T) {
	for _, c := range []struct{ path, expression, want string }{
		{"test:text", `3`, `"3"`},
		{"test:text", `1.5`, `"1.5"`},
		{"test:text", `""`, "-"},
		{"test:text", `nil`, "-"},
		{"test:flag", `truth("y")`, "true"},
		{"test:flag", `"no"`, "false"},
		{"test:level", `"12"`, "12"},
		{"test:level", `12.0`, "12"},
		{"test:level", `"x"`, "!"},
		{"test:born", `date("2024-02-01")`, `"2024-02-01T00:00:00Z"`},
		{"test:born", `1706794200`, `"2024-02-01T13:30:00Z"`},
		{"test:tags", `["a", nil, "b"]`, `["a","b"]`},
		{"test:tags", `split("a,b", ",")`, `["a","b"]`},
		{"test:tags", `"a"`, `["a"]`},
		{"test:tags", `[]`, "-"},
		{"test:numbers", `1..3`, `[1,2,3]`},
		{"test:pet", `{name: "Rex", age: 3}`, `{"name":"Rex","age":3}`},
		{"test:pet", `{NAME: "Rex"}`, `{"name":"Rex"}`},
		{"test:pet", `{}`, "-"},
		{"test:pet", `{colour: "red"}`, "!"},
		{"emails", `[{value: "a@x", type: "work"}, {value: nil}]`, `[{"value":"a@x","type":"work"}]`},
		{"emails", `["a@x", "b@x"]`, `[{"value":"a@x"},{"value":"b@x"}]`},
		{"emails", `"a@x"`, `[{"value":"a@x"}]`},
		{`emails[type eq "work"].value`, `"a@x"`, `"a@x"`},
		{"test:text", `record.a`, "!"}, // a list, which the type does not tell
		{"test:pet", `record.b`, "!"},
	} {
		t.Run(c.expression, func(t *testing.T) {
			m := compiled(t, userInput(userName(), rule(c.path, in(c.expression))))
			rec := adapters.NewRecord(m.shape, "k")
			rec.Set("a", []string{"x"})
			rec.Set("b", "x")
			r := m.rules[1]
			v, err := r.read(rec)
			got := string(scim.AppendValue(nil, r.attr, v))
			switch {
			case err != nil:
				got = "!"
			case !v.Present():
				got = "-"
			}
			if got != c.want {
				t.Errorf("got %s, want %s (%v)", got, c.want, err)
			}
		})
	}
}
