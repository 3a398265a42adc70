package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// richRules map attributes in every way that a filter can meet.
func richRules() []Spec {
	return []Spec{
		rule("userName", name("login")),
		rule("externalId", name("ext")),
		rule("name.givenName", name("first")),
		rule("name.familyName", name("last"), fallback("Doe")),
		rule("name.formatted", in(`words(record.first, record.last)`)),
		rule("nickName", name("nick"), table("a", "Ann", "b", "bob", "c", "Ann")),
		rule("userType", in(`record.status == "A" ? "in" : "out"`)),
		rule("title", name("title"), in(`value`), out(`value`)),
		rule("preferredLanguage", name("lang"), out(`lower(value)`)),
		rule("password", name("pw")),
		rule("active", name("status"), table("A", "true", "L", "false", "X", "false")),
		rule(`emails[type eq "work"].value`, name("mail")),
		rule(`emails[type eq "work"].display`, name("mail_note")),
		rule(`emails[type eq "Home"].value`, name("mail2")),
		rule(`emails[type eq "other" and primary eq true].value`, name("mail3")),
		rule(`emails[type eq "other" and primary eq true].display`, in(`record.first`)),
		rule(`phoneNumbers.value`, name("phone")),
		rule(`phoneNumbers.type`, name("phone_kind"), table("w", "work", "h", "home")),
		rule(`phoneNumbers.primary`, name("phone_first")),
		rule(`addresses[type eq "work"].locality`, name("city")),
		rule(`addresses[type eq "work"].country`, name("land"), table("D", "DE", "F", "FR")),
		rule(`ims`, name("ims"), split(",")),
		rule(`roles`, name("roles"), split(" "), table("r", "reader", "w", "writer")),
		rule(`entitlements`, in(`record.nick == nil ? [] : [{value: record.nick, type: "x"}, {value: record.first}]`)),
		rule(`groups`, join("member", "user", "grp"), refers("Group")),
		rule("enterprise:department", name("dept")),
		rule("enterprise:manager.value", name("boss"), refers("User")),
		rule("enterprise:manager.displayName", in(`record.boss`)),
		rule("test:text", name("text")),
		rule("test:code", name("code")),
		rule("test:flag", name("flag")),
		rule("test:level", name("level")),
		rule("test:score", name("score")),
		rule("test:born", name("born")),
		rule("test:since", name("since"), format("unix")),
		rule("test:tick", name("tick"), format("unixMilli")),
		rule("test:day", name("day"), format("02.01.2006")),
		rule("test:cert", name("cert")),
		rule("test:page", name("page")),
		rule("test:tags", name("tags"), split(";")),
		rule("test:numbers", name("numbers"), split(",")),
		rule("photos", rows(rule("value", name("url")), rule("type", name("kind"), table("w", "work", "h", "home", "W", "work")), rule("primary", name("main")), rule("display", name("note")))),
		rule("test:pet.name", name("pet")),
		rule("test:pet.age", name("pet_age")),
		rule("test:boss", name("boss2"), refers("User")),
		rule("meta.created", name("created")),
		rule("meta.lastModified", name("changed")),
	}
}

// dressed adds what provision adds to a resource that was read.
func (m *Mapping) dressed(rec adapters.Record) *scim.Resource {
	res, _ := m.read(rec)
	l := res.Layout()
	res.Put(l.ID, scim.Str("id-"+string(rec.Key)))
	if !m.MapsExternalID() && rec.Key == "k1" {
		res.Put(l.ExternalID, scim.Str("ext"))
	}
	res.Put(m.typeName, scim.Str(m.Type.Name))
	res.Put(l.Meta.Find("location"), scim.Str("http://x"+m.Type.Endpoint+"/id-"+string(rec.Key)))
	if !res.Get(m.modified).Present() {
		res.Put(m.modified, res.Get(m.created))
	}
	return res
}

var (
	texts = []string{"a", "A", "b", "bob", "Ann", " a ", " ", "ä", "Ä", "a\u0308", "straße", "STRASSE", "\u212a", "k", "x%y_", "abc\xffd", "Ｋ", "true", "7", "work", "home"}
	dates = []any{"2024-02-01T13:30:00Z", "2024-02-01 13:30:00", "2024-02-01T14:30:00+01:00", "2024-02-01", "20240201133000Z", "2024-02-01T13:30:00",
		"2024-02-01T13:30:00.5Z", "2024-02-01T13:30:00.1234567891Z", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00", "01.02.2024", "2016-12-31T23:59:60Z",
		"2024-02-01T24:00:00Z", "soon", "10000-01-01T00:00:00Z", "0000-05-01T00:00:00Z", "9999-12-31T23:59:59.9999Z", int64(1706794200),
		time.Date(2024, 2, 1, 13, 30, 0, 0, time.FixedZone("", 3600)), time.Date(2024, 2, 1, 13, 30, 0, 1, time.UTC), time.Time{},
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	unixes = []any{int64(1706794200), "1706794200", int64(1706794201), int64(1706794200500), int64(1706794200000), int64(0), int64(-5), int64(253402300799),
		int64(253402300800), int64(-62135596800), int64(-62135596799), int64(253402300799999), int64(253402300800000), " 5", "soon", 1.5, 5.0, time.Unix(5, 0)}
	numbers = []any{int64(1), "1", "+1", "007", " 7", 1.0, 1.5, "1.50", "1e2", 1e6, 1e22, ".5", "0x10", int64(-5), "-0", "9007199254740993", int64(9007199254740993),
		"9223372036854775808", "123456789012345678901234567890", "x", true, 1e-7}

	// pools are what the fields may hold: what fits, and what does not.
	pools = map[string][]any{
		"boss": {"k1", "k2", int64(7), "hidden1"}, "boss2": {"k1", "k2", "hidden1"},
		"status": {"A", "L", "X", "a", "?", int64(1)}, "nick": {"a", "b", "c", "A", "d"}, "phone_kind": {"w", "h", "x"}, "land": {"D", "F", "X"},
		"flag": {true, false, "1", "y", "no", "maybe", int64(0), int64(2), 1.0, "TRUE", "tRUE"}, "phone_first": {true, int64(0), "Y", "?"},
		"level": numbers, "pet_age": numbers, "score": numbers, "since": unixes, "tick": unixes, "created": slices.Concat(dates, unixes), "changed": slices.Concat(dates, unixes), "born": dates, "day": dates,
		"ims": {"a", "a,b", "A , b,", ",", " ", "ä,x", int64(5)}, "tags": {"a;B", "a", ";;", " b ;a"}, "roles": {"r", "r w", "w x", "x", "R"},
		"numbers": {"1,2", "1,x", "x", int64(3), "007"}, "cert": {[]byte("abc"), "YWJj", []byte("YWJj"), "x"}, "page": {"http://x/a", "HTTP://X/A"},
		"mail": {"a@x", "A@X", "b@x"}, "mail2": {"a@x", "b@x", "B@X"}, "mail3": {"a@x", "c@x"},
	}
)

// drawRaw draws what a backend's field may hold.
func drawRaw(t *rapid.T, field string) any {
	if field == photoField {
		return drawRows(t)
	}
	if strings.HasPrefix(field, relationPrefix) {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k1", "k2", "k3", "hidden1"}), 0, 3, rapid.ID).Draw(t, field)
	}
	switch rapid.IntRange(0, 11).Draw(t, "kind of "+field) {
	case 0, 1:
		return nil
	case 2:
		return ""
	case 3:
		return rapid.SampledFrom([]any{[]byte("a"), []byte{}, true, int64(7), 1.5, "garbage"}).Draw(t, field)
	}
	if pool := pools[field]; pool != nil {
		return rapid.SampledFrom(pool).Draw(t, field)
	}
	return rapid.SampledFrom(texts).Draw(t, field)
}

const photoField = relationPrefix + "photos"

// drawRows draws the elements of a field that has parts.
func drawRows(t *rapid.T) any {
	shape := adapters.NewShape("url", "kind", "main", "note")
	var out []adapters.Record
	for range rapid.IntRange(0, 3).Draw(t, "rows") {
		r := adapters.NewRecord(shape, "")
		for i, f := range [][]any{{nil, "http://x/a", "a", "B"}, {nil, "w", "h", "W", "x"}, {nil, true, "Y", int64(0), "?"}, {nil, "", "Ann", "ann"}} {
			r.SetAt(i, rapid.SampledFrom(f).Draw(t, "part"))
		}
		out = append(out, r)
	}
	return out
}

// A setting is what a check is about: some rules, and records of their fields.
type setting struct {
	m         *Mapping
	attrs     []*scim.Attribute // top-level
	records   []adapters.Record
	resources []*scim.Resource
}

func drawSetting(t *rapid.T, m *Mapping) setting {
	s := setting{m: m, attrs: []*scim.Attribute{m.Type.Layout.ID, m.Type.Layout.Schemas, m.Type.Layout.ExternalID}}
	chosen := rapid.SliceOfN(rapid.SampledFrom(m.rules), 1, 3).Draw(t, "rules")
	if rapid.Bool().Draw(t, "only one") {
		s.attrs, chosen = nil, chosen[:1]
	}
	var names []string
	for _, c := range chosen {
		s.attrs = append(s.attrs, c.Top())
		for _, r := range m.rules {
			if r.Top() == c.Top() {
				names = append(names, r.reads...)
			}
		}
	}
	for range 4 {
		rec := adapters.NewRecord(m.shape, rapid.SampledFrom([]adapters.Key{"k1", "k2", "k3"}).Draw(t, "key"))
		for i, n := range m.shape.Names() {
			if slices.Contains(names, n) {
				rec.SetAt(i, drawRaw(t, n))
			}
		}
		s.records, s.resources = append(s.records, rec), append(s.resources, m.dressed(rec))
	}
	return s
}

// literal draws a value to compare with: often one that is there, or nearly.
func (s setting) literal(t *rapid.T, a *scim.Attribute) filter.Value {
	var there []filter.Value
	for _, res := range s.resources {
		schema.Subject(res).Values(&filter.Compare{Ref: a}, func(v filter.Value) bool {
			there = append(there, v)
			return true
		})
	}
	if len(there) == 0 || rapid.IntRange(0, 3).Draw(t, "another") == 0 {
		return otherLiteral(t, matchOf(a))
	}
	v := rapid.SampledFrom(there).Draw(t, "value")
	if v.Kind != filter.String || matchOf(a) == filter.DateTime {
		return v
	}
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		v.Str = strings.ToUpper(v.Str)
	case 1:
		v.Str = v.Str[:len(v.Str)/2]
	case 2:
		v.Str = v.Str[len(v.Str)/2:]
	}
	return v
}

func otherLiteral(t *rapid.T, m filter.Match) filter.Value {
	switch m {
	case filter.Boolean:
		return filter.BoolValue(rapid.Bool().Draw(t, "bool"))
	case filter.Integer, filter.Decimal:
		return rapid.SampledFrom([]filter.Value{filter.IntValue(0), filter.IntValue(1), filter.IntValue(7), filter.IntValue(100), filter.IntValue(1000000),
			filter.IntValue(9007199254740993), filter.NumberValue("1.5"), filter.NumberValue("0.5"), filter.NumberValue("1e300")}).Draw(t, "number")
	case filter.DateTime:
		return filter.StringValue(rapid.SampledFrom([]string{"2024-02-01T13:30:00Z", "2024-02-01T13:30:00.5Z", "2024-02-01T13:30:00.123456789Z",
			"2024-02-01T13:30:00.1234567891Z", "0000-05-01T00:00:00Z", "9999-12-31T23:59:59.9999Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:55.25Z"}).Draw(t, "instant"))
	}
	return filter.StringValue(rapid.SampledFrom(append([]string{"", "id-k1", "id-k2", "id-hidden1", "nobody", "ext", "User", "writer", scim.UserSchema,
		scim.EnterpriseUserSchema, testURN, "http://x/Users/id-k2", "YWJj"}, texts...)).Draw(t, "text"))
}

// filter draws a bound filter. Leaves that binding refuses become pr.
func (s setting) filter(t *rapid.T, depth int, inside *scim.Attribute) filter.Expr {
	kinds := 9
	if depth == 0 {
		kinds = 4
	}
	terms := func() []filter.Expr {
		out := make([]filter.Expr, rapid.IntRange(2, 3).Draw(t, "terms"))
		for i := range out {
			out[i] = s.filter(t, depth-1, inside)
		}
		return out
	}
	switch kind := rapid.IntRange(0, kinds-1).Draw(t, "kind"); {
	case kind == 4:
		return filter.Not{Term: s.filter(t, depth-1, inside)}
	case kind == 5:
		return filter.And(terms())
	case kind == 6:
		return filter.Or(terms())
	case kind > 6 && inside == nil:
		if as := withElements(s.attrs); len(as) > 0 {
			a := rapid.SampledFrom(as).Draw(t, "element")
			return &filter.Element{Name: a.Path(), Ref: a, Where: s.filter(t, depth-1, a)}
		}
	}
	return s.leaf(t, inside)
}

func (s setting) leaf(t *rapid.T, inside *scim.Attribute) filter.Expr {
	attrs := searchable(s.attrs)
	if inside != nil {
		attrs = inside.Sub
		if inside.Type != scim.TypeComplex {
			attrs = []*scim.Attribute{inside}
		}
	}
	if len(attrs) == 0 {
		attrs = []*scim.Attribute{s.m.Type.Layout.ID}
	}
	a := rapid.SampledFrom(attrs).Draw(t, "attribute")
	c := &filter.Compare{Name: a.Path(), Op: filter.Op(rapid.IntRange(int(filter.Eq), int(filter.Pr)).Draw(t, "op"))}
	compared := a
	if v := a.Find("value"); a.Type == scim.TypeComplex && v != nil {
		compared = v
	}
	if c.Op != filter.Pr && rapid.IntRange(0, 7).Draw(t, "null") > 0 {
		c.Value = s.literal(t, compared)
	}
	bind := func() (filter.Expr, error) {
		if inside != nil {
			c.Name = a.Name
			if inside.Type != scim.TypeComplex {
				c.Name = "value"
			}
			return schema.BindElement(inside, c, schema.BindOptions{})
		}
		return schema.Bind(s.m.Type.Layout, c, schema.BindOptions{})
	}
	e, err := bind()
	if err != nil {
		c.Op, c.Value = filter.Pr, filter.Value{}
		if e, err = bind(); err != nil {
			t.Fatalf("%s: %v", filter.Print(c), err)
		}
	}
	return e
}

// searchable lists all attributes of any depth that filters may name.
func searchable(as []*scim.Attribute) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range as {
		if a.Returned == scim.ReturnedNever || a.Mutability == scim.WriteOnly {
			continue
		}
		out = append(out, a)
		out = append(out, searchable(a.Sub)...)
	}
	return out
}

func withElements(as []*scim.Attribute) []*scim.Attribute {
	return slices.DeleteFunc(searchable(as), func(a *scim.Attribute) bool {
		return a.IsExtension() || !a.MultiValued && a.Type != scim.TypeComplex
	})
}

// drawRestriction takes some capabilities away.
func drawRestriction(t *rapid.T) func(*adapters.Capabilities) {
	switch rapid.IntRange(0, 5).Draw(t, "capabilities") {
	case 0:
		return memory.OnlyEq
	case 1:
		return memory.NoFilters
	case 2:
		or, not := rapid.Bool().Draw(t, "or"), rapid.Bool().Draw(t, "not")
		ops := filter.Ops(rapid.IntRange(0, int(filter.AllOps)).Draw(t, "ops"))
		return func(c *adapters.Capabilities) {
			c.Or, c.Not = or, not
			for _, f := range append(c.Fields, c.Key) {
				for match := range f.Filter {
					f.Filter[match] &= ops
				}
			}
		}
	}
	return func(*adapters.Capabilities) {}
}

// F-34: what is pushed, asked of records, AND what remains, asked of resources,
// is the whole filter, asked of resources; and no more is pushed than the
// backend declares.
func TestPushIsExact(t *testing.T) {
	variants := map[string]func([]Spec) []Spec{
		"everything": func(s []Spec) []Spec { return s },
		"externalId in the table, no lastModified": func(s []Spec) []Spec {
			return slices.DeleteFunc(s, func(s Spec) bool { return s.Path.Value == "externalId" || s.Path.Value == "meta.lastModified" })
		},
		"no created": func(s []Spec) []Spec {
			return slices.DeleteFunc(s, func(s Spec) bool { return s.Path.Value == "meta.created" })
		},
		"unix": func(s []Spec) []Spec {
			for i := range s {
				if strings.HasPrefix(s[i].Path.Value, "meta.") {
					s[i].Format.Value = "unix"
				}
			}
			return s
		},
	}
	for name, prefixes := range map[string][]string{ // the same rules, few at a time
		"dates":      {"meta", "test:born", "test:since", "test:tick", "test:day"},
		"elements":   {"emails", "phoneNumbers", "addresses"},
		"lists":      {"ims", "roles", "test:tags", "test:numbers"},
		"references": {"enterprise", "groups", "test:boss"},
	} {
		variants["only "+name] = only(prefixes, variants["everything"])
		variants["only "+name+", unix"] = only(prefixes, variants["unix"])
	}
	for name, variant := range variants {
		t.Run(name, func(t *testing.T) {
			m := compiled(t, userInput(variant(richRules())...))
			rapid.Check(t, func(t *rapid.T) { checkPush(t, m) })
		})
	}
}

func only(prefixes []string, variant func([]Spec) []Spec) func([]Spec) []Spec {
	return func(all []Spec) []Spec {
		return slices.DeleteFunc(variant(all), func(s Spec) bool {
			return s.Path.Value != "userName" && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s.Path.Value, p) })
		})
	}
}

func checkPush(t *rapid.T, m *Mapping) {
	bind(m, drawRestriction(t))
	s := drawSetting(t, m)
	e := s.filter(t, 3, nil)
	pushed, rest := m.Push(e, testLookup)
	if err := m.caps.Check(adapters.Query{Filter: pushed}); err != nil {
		t.Fatalf("%s: pushed %s: %v", filter.Print(e), filter.Print(pushed), err)
	}
	for i, rec := range s.records {
		res := s.resources[i]
		want := filter.Matches(e, schema.Subject(res))
		got := filter.Matches(pushed, rec.Subject()) && filter.Matches(rest, schema.Subject(res))
		if want != got {
			t.Fatalf("%s is %v of %v, which is\n%v\nbut pushed %q AND rest %q is %v", filter.Print(e), want, shown(res), values(rec),
				printed(pushed), printed(rest), got)
		}
	}
}
