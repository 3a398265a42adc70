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
	somewhen = []string{"2024-02-01T13:30:00Z", "2024-02-01 13:30:00", "2024-02-01T14:30:00+01:00", "2024-02-01", "20240201133000Z", "2024-02-01T13:30:00",
		"2024-02-01T13:30:00.5Z", "2024-02-01T13:30:00.1234567891Z", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00", "01.02.2024", "2016-12-31T23:59:60Z",
		"2024-02-01T24:00:00Z", "soon", "1706794200", "1706794200000", "10000-01-01T00:00:00Z", "0000-05-01T00:00:00Z", "9999-12-31T23:59:59.9999Z"}
	rawTexts = []string{"a", "A", "b", "bob", "Ann", "ann", "w", "h", "r w", "r,w", "a;b", "a; B ;", " a ", " ", "ä", "Ä", "a\u0308", "straße", "STRASSE", "\u212a", "k",
		"x%y_", "D", "F", "L", "X", "1", "0", "true", "T", "yes", "Y", "no", "2", "007", "+1", "1.0", "1e2", "-5", "9007199254740993", "0x10", ".5", "abc\xffd",
		"in", "work", "Ｋ", "３", "id-k2", "k2", ",", ";;", "A1,b2", "9223372036854775808", "123456789012345678901234567890", "[a b]"}
)

// drawRaw draws what a backend's field may hold, fitting or not.
func drawRaw(t *rapid.T, field string) any {
	if strings.HasPrefix(field, relationPrefix) {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k1", "k2", "k3", "hidden1"}), 0, 3, rapid.ID).Draw(t, field)
	}
	kind := rapid.IntRange(0, 15).Draw(t, "kind of "+field)
	switch field {
	case "boss", "boss2":
		return rapid.SampledFrom([]any{nil, "", "k1", "k2", int64(7), "hidden1"}).Draw(t, field)
	case "status", "nick", "phone_kind", "land":
		kind = min(kind, 11)
	case "created", "changed", "born", "since", "tick", "day":
		kind += 6
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return ""
	case 12:
		return rapid.SampledFrom([]int64{0, 1, 2, -5, 1706794200, 1706794200000, 253402300800, -62135596800, -62135596799, 9007199254740993}).Draw(t, field)
	case 13:
		return rapid.SampledFrom([]float64{0, 1, 1.5, 1000000, 1e22, -2.25, 1e-7}).Draw(t, field)
	case 14:
		return rapid.Bool().Draw(t, field)
	case 15:
		return []byte(rapid.SampledFrom(rawTexts).Draw(t, field))
	case 16:
		return time.Date(2024, 2, 1, 13, 30, 0, rapid.SampledFrom([]int{0, 500000000, 1}).Draw(t, "ns"), time.FixedZone("", 3600))
	case 17:
		return time.Time{}
	case 18, 19, 20, 21:
		return rapid.SampledFrom(somewhen).Draw(t, field)
	}
	return rapid.SampledFrom(rawTexts).Draw(t, field)
}

// literals that say something about the values above, by the way they compare.
func drawLiteral(t *rapid.T, m filter.Match) filter.Value {
	switch m {
	case filter.Boolean:
		return filter.BoolValue(rapid.Bool().Draw(t, "bool"))
	case filter.Integer, filter.Decimal:
		return rapid.SampledFrom([]filter.Value{filter.IntValue(0), filter.IntValue(1), filter.IntValue(-5), filter.IntValue(100), filter.IntValue(1000000),
			filter.IntValue(9007199254740993), filter.NumberValue("1.5"), filter.NumberValue("0.5"), filter.NumberValue("1e300")}).Draw(t, "number")
	case filter.DateTime:
		return filter.StringValue(rapid.SampledFrom([]string{"2024-02-01T13:30:00Z", "2024-02-01T13:30:00.5Z", "2024-02-01T00:00:00Z", "1970-01-01T00:00:01Z",
			"2024-02-01T13:30:00.123456789Z", "2024-02-01T13:30:00.1234567891Z", "0000-05-01T00:00:00Z", "9999-12-31T23:59:59.9999Z", "0001-01-01T00:00:00Z",
			"1969-12-31T23:59:55Z", "2017-01-01T00:00:00Z", "2024-02-02T00:00:00Z"}).Draw(t, "instant"))
	}
	return filter.StringValue(rapid.SampledFrom(append([]string{"", "id-k1", "id-k2", "id-k3", "id-hidden1", "id-7", "nobody", "ext", "User", "reader", "writer", "DE", "fr", "home",
		"other", scim.UserSchema, scim.EnterpriseUserSchema, testURN, "http://x/Users/id-k2", "direct", "YQ==", "k", "a", "Doe"}, rawTexts...)).Draw(t, "text"))
}

// drawFilter draws a bound filter. Leaves that binding refuses become pr.
func drawFilter(t *rapid.T, m *Mapping, depth int, inside *scim.Attribute) filter.Expr {
	kinds := 9
	if depth == 0 {
		kinds = 4
	}
	terms := func() []filter.Expr {
		out := make([]filter.Expr, rapid.IntRange(2, 3).Draw(t, "terms"))
		for i := range out {
			out[i] = drawFilter(t, m, depth-1, inside)
		}
		return out
	}
	switch kind := rapid.IntRange(0, kinds-1).Draw(t, "kind"); {
	case kind == 4 || kind == 5:
		return filter.Not{Term: drawFilter(t, m, depth-1, inside)}
	case kind == 6:
		return filter.And(terms())
	case kind == 7:
		return filter.Or(terms())
	case kind == 8 && inside == nil:
		a := rapid.SampledFrom(withElements(m)).Draw(t, "element")
		return &filter.Element{Name: a.Path(), Ref: a, Where: drawFilter(t, m, depth-1, a)}
	}
	return drawLeaf(t, m, inside)
}

func drawLeaf(t *rapid.T, m *Mapping, inside *scim.Attribute) filter.Expr {
	attrs := searchable(m.Type.Layout.Attributes())
	if inside != nil {
		attrs = inside.Sub
		if inside.Type != scim.TypeComplex {
			attrs = []*scim.Attribute{inside}
		}
	}
	a := rapid.SampledFrom(attrs).Draw(t, "attribute")
	c := &filter.Compare{Name: a.Path(), Op: filter.Op(rapid.IntRange(int(filter.Eq), int(filter.Pr)).Draw(t, "op"))}
	compared := a
	if v := a.Find("value"); a.Type == scim.TypeComplex && v != nil {
		compared = v
	}
	if c.Op != filter.Pr && rapid.IntRange(0, 7).Draw(t, "null") > 0 {
		c.Value = drawLiteral(t, matchOf(compared))
	}
	bind := func() (filter.Expr, error) {
		if inside != nil {
			c.Name = a.Name
			if inside.Type != scim.TypeComplex {
				c.Name = "value"
			}
			return schema.BindElement(inside, c, schema.BindOptions{})
		}
		return schema.Bind(m.Type.Layout, c, schema.BindOptions{})
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

func withElements(m *Mapping) []*scim.Attribute {
	return slices.DeleteFunc(searchable(m.Type.Layout.Attributes()), func(a *scim.Attribute) bool {
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
	for name, variant := range variants {
		t.Run(name, func(t *testing.T) {
			m := compiled(t, userInput(variant(richRules())...))
			rapid.Check(t, func(t *rapid.T) { checkPush(t, m) })
		})
	}
}

func checkPush(t *rapid.T, m *Mapping) {
	bind(m, drawRestriction(t))
	e := drawFilter(t, m, 3, nil)
	pushed, rest := m.Push(e, testLookup)
	if err := m.caps.Check(adapters.Query{Filter: pushed}); err != nil {
		t.Fatalf("%s: pushed %s: %v", filter.Print(e), filter.Print(pushed), err)
	}
	named := fieldsOf(m, e, pushed)
	for range 4 {
		rec := adapters.NewRecord(m.shape, rapid.SampledFrom([]adapters.Key{"k1", "k2", "k3"}).Draw(t, "key"))
		for i, n := range m.shape.Names() {
			if slices.Contains(named, n) {
				rec.SetAt(i, drawRaw(t, n))
			}
		}
		res := m.dressed(rec)
		want := filter.Matches(e, schema.Subject(res))
		got := filter.Matches(pushed, rec.Subject()) && filter.Matches(rest, schema.Subject(res))
		if want != got {
			t.Fatalf("%s is %v of %v, which is\n%v\nbut pushed %q AND rest %q is %v", filter.Print(e), want, shown(res), values(rec),
				filter.Print(pushed), filter.Print(rest), got)
		}
	}
}

// fieldsOf are the fields that have to do with a filter: the others are left
// without a value, so that what is drawn matters.
func fieldsOf(m *Mapping, es ...filter.Expr) []string {
	var names []string
	for _, e := range es {
		filter.Walk(e, func(n filter.Expr) bool {
			var a *scim.Attribute
			switch n := n.(type) {
			case *filter.Compare:
				if a = attribute(n); a == nil {
					names = append(names, n.Name)
				}
			case *filter.Element:
				a, _ = n.Ref.(*scim.Attribute)
			}
			for _, r := range m.rules {
				if a != nil && (top(a) == r.Top() || a == m.Type.Layout.Schemas) {
					names = append(names, r.reads...)
				}
			}
			return true
		})
	}
	return names
}
