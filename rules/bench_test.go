package rules

import (
	"testing"

	"github.com/postern/postern/scim"
)

// benchMapping is an ordinary user: fifteen renames, a table, two elements and a
// manager.
func benchMapping(b testing.TB) *Mapping {
	return compiled(b, userInput(rule("userName", name("login")), rule("name.givenName", name("first")), rule("name.familyName", name("last")),
		rule("displayName", name("shown")), rule("nickName", name("nick")), rule("title", name("title")), rule("userType", name("kind")),
		rule("preferredLanguage", name("lang")), rule("locale", name("locale")), rule("timezone", name("tz")), rule("profileUrl", name("url")),
		rule("enterprise:department", name("dept")), rule("enterprise:costCenter", name("cost")), rule("enterprise:employeeNumber", name("badge")),
		rule("enterprise:division", name("division")), rule("active", name("status"), table("A", "true", "L", "false")),
		rule(`emails[type eq "work"].value`, name("mail")), rule(`phoneNumbers[type eq "work"].value`, name("phone")),
		rule("enterprise:manager.value", name("boss"), refers("User"))))
}

func benchRecord() fields {
	return fields{"login": "ada", "first": "Ada", "last": "Lovelace", "shown": "Ada Lovelace", "nick": "Ada", "title": "Countess", "kind": "Employee",
		"lang": "en", "locale": "en-GB", "tz": "Europe/London", "url": "http://example.org/ada", "dept": "R&D", "cost": "4130", "badge": int64(701984),
		"division": "Engines", "status": "A", "mail": "ada@example.org", "phone": "+44 1", "boss": int64(7)}
}

func BenchmarkRead(b *testing.B) {
	m := benchMapping(b)
	rec, plan := m.record(benchRecord()), m.Plan(scim.DefaultSelection(m.Type.Layout).Needs)
	warn := func(r *Rule, err error) { b.Fatal(r.Path, err) }
	ids := []string{"2819c223-7f76-453a-919d-413861904646"}
	b.ReportAllocs()
	for b.Loop() {
		_, refs := m.Read(rec, plan, warn)
		refs[0].Fill(ids, "https://example.org/scim/v2")
	}
}

func BenchmarkReadExpression(b *testing.B) {
	m := compiled(b, userInput(userName(), rule("displayName", in(`words(record.first, record.last)`)), rule("userType", in(`record.status == "A" ? "Employee" : "Former"`))))
	rec, plan := m.record(fields{"first": "Ada", "last": "Lovelace", "status": "A"}), m.Plan(everything)
	b.ReportAllocs()
	for b.Loop() {
		m.Read(rec, plan, nil)
	}
}

func BenchmarkNewRecord(b *testing.B) {
	m := benchMapping(b)
	res, _ := m.read(m.record(benchRecord()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.NewRecord(res, notNull, keyOf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDelta(b *testing.B) {
	m := benchMapping(b)
	rec := m.record(benchRecord())
	before, _ := m.read(rec)
	after := before.Clone()
	after.Set(m.Type.Layout.Find("title"), scim.Str("Dr."))
	b.ReportAllocs()
	for b.Loop() {
		if d, err := m.Delta(rec, before, after, keyOf, idOf); err != nil || len(d.Set) != 1 {
			b.Fatal(d, err)
		}
	}
}

func BenchmarkPush(b *testing.B) {
	m := benchMapping(b)
	for name, text := range map[string]string{"userName": `userName eq "ada"`, "emails": `emails[type eq "work"].value eq "ada@example.org"`,
		"three": `active eq true and (title pr or name.familyName sw "L")`} {
		e := m.bound(b, text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Push(e, Lookup{})
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	m := benchMapping(b)
	s, err := scim.Select(m.Type.Layout, []string{"userName", "emails"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Plan(s.Needs)
	}
}

func BenchmarkScope(b *testing.B) {
	for _, scope := range []string{`record.kind != "builtin"`, `lower(record.kind) != "builtin"`} {
		input := userInput(userName())
		input.Scope = at(9, scope)
		m := compiled(b, input)
		rec := m.record(fields{"kind": "person"})
		b.Run(scope, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.InScope(rec)
			}
		})
	}
}
