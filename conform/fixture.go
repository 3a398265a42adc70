package conform

import (
	"slices"
	"strings"
)

// Fixtures are what several checks use: which attributes are fit for what, and
// users to look for. Each is made when the first check asks for it.
type fixtures struct {
	makes map[string]bool
	plain *attr // a text that can be set and taken away
	many  *manyAttr
	tried bool
	crowd []Object // as they were answered, in the order of their userNames
}

// A manyAttr is a multi-valued attribute of users that holds two values at once.
type manyAttr struct {
	name     string
	kinds    [2]string
	primary  bool
	displays bool
	valueOf  func(word string) string
}

var favourites = []string{"title", "nickName", "displayName", "userType", "preferredLanguage", "name.middleName", "name.honorificSuffix", "name.givenName", "name.familyName"}

// plainTexts are texts of users that can be set and need not be, favourites first.
func (p *probe) plainTexts() []attr {
	t := p.server.typeOf(userURN)
	if t == nil {
		return nil
	}
	var all []attr
	for _, x := range p.server.places(t) {
		if x.Type == "string" && !x.Required && x.Mutability == "readWrite" && (x.Returned == "default" || x.Returned == "always" || x.Returned == "") &&
			len(x.CanonicalValues) == 0 && (x.Uniqueness == "none" || x.Uniqueness == "") && !x.CaseExact && !linked(x.attr) {
			all = append(all, x.attr)
		}
	}
	rank := func(a attr) int {
		if i := slices.Index(favourites, a.String()); i >= 0 {
			return i
		}
		return len(favourites)
	}
	slices.SortStableFunc(all, func(a, b attr) int { return rank(a) - rank(b) })
	return all
}

// linked are attributes whose values must be those of something else.
func linked(a attr) bool {
	return a.name == "manager" || a.name == "locale" || a.name == "timezone" || strings.EqualFold(a.name, "country")
}

// plain is a text attribute of users that can be set and taken away. Schemas do not
// tell what backends demand, so that it is tried.
func (p *probe) plain() attr {
	p.users()
	if p.shared.plain == nil {
		all := p.plainTexts()
		if len(all) == 0 {
			p.skip("users have no text attribute that is free to be set")
		}
		chosen := p.choose(all[:min(len(all), 8)])
		if chosen == nil {
			p.skip("users have no text attribute that is free to be set and taken away")
		}
		p.shared.plain = chosen
	}
	return *p.shared.plain
}

// choose is the first attribute that can be set and taken away; or else the first
// that stays as it is, which may be the server's mistake.
func (p *probe) choose(all []attr) *attr {
	var second *attr
	for _, a := range all {
		switch fit, stays := p.erasable(a); {
		case fit:
			return &a
		case stays && second == nil:
			second = &a
		}
	}
	return second
}

// erasable tries to set an attribute and to take it away. An application may refuse
// either, or give a value of its own in its place: then it is no attribute to try
// things with.
func (p *probe) erasable(a attr) (fit, stays bool) {
	o := p.person()
	with(a, "Conform")(o)
	made := p.post(p.users(), o)
	if made.status != 201 || text(made.json["id"]) == "" || !same(a.in(made.json), "Conform") {
		return false, false
	}
	a.set(o, nil)
	gone := p.put(p.users()+"/"+text(made.json["id"]), o)
	return gone.status == 200 && empty(a.in(gone.json)), gone.status == 200 && same(a.in(gone.json), "Conform")
}

// renamable skips a check of servers whose users keep their names.
func (p *probe) renamable() {
	if a := p.server.find(userURN, "userName"); a != nil && a.Mutability != "readWrite" {
		p.skip("users keep their userName")
	}
}

// many is a multi-valued attribute of users that holds two values.
func (p *probe) many() manyAttr {
	p.users()
	if !p.shared.tried {
		p.shared.tried = true
		for _, name := range []string{"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles"} {
			if m := p.twoOf(name); m != nil {
				p.shared.many = m
				break
			}
		}
	}
	if p.shared.many == nil {
		p.skip("no attribute of users holds two values with a type")
	}
	return *p.shared.many
}

func (p *probe) twoOf(name string) *manyAttr {
	a := p.server.find(userURN, name)
	if !a.writable() || !a.sub("value").writable() || a.sub("type") == nil {
		return nil
	}
	m := &manyAttr{name: name, kinds: [2]string{kindOf(a.sub("type"), 0), kindOf(a.sub("type"), 1)}, primary: a.sub("primary").writable(), displays: a.sub("display").writable()}
	for _, kinds := range [][2]string{m.kinds, {"work", "mobile"}, {"work", "home"}} {
		m.kinds = kinds
		m.valueOf = sampleValue(name)
		o := p.person()
		o[name] = m.both("a", "b")
		made := p.post(p.users(), o)
		if made.status == 201 && len(objects(made.json[name])) == 2 {
			return m
		}
	}
	return nil
}

func sampleValue(name string) func(string) string {
	return func(word string) string {
		switch name {
		case "emails":
			return word + "@example.com"
		case "phoneNumbers":
			return "+49-30-1234-" + digits(word)
		case "photos":
			return "https://example.com/" + word
		}
		return word
	}
}

// digits is a number that stands for a word.
func digits(word string) string {
	n := uint64(0)
	for _, c := range word {
		n = n*31 + uint64(c)
	}
	s := []byte("00000000")
	for i := range s {
		s[i] = byte('0' + n%10)
		n /= 10
	}
	return string(s)
}

// of is one element.
func (m manyAttr) of(n int, word string) Object {
	return Object{"type": m.kinds[n], "value": m.valueOf(word)}
}

func (m manyAttr) both(a, b string) []any { return []any{m.of(0, a), m.of(1, b)} }

func (m manyAttr) top() attr { return attr{name: m.name} }

// pick is the path of a part of one element.
func (m manyAttr) pick(n int, sub string) string {
	s := m.name + `[type eq "` + m.kinds[n] + `"]`
	if sub != "" {
		s += "." + sub
	}
	return s
}

// has is the value of the elements of a type, "" if there is none.
func (m manyAttr) has(o Object, n int) string {
	for _, e := range objects(o[m.name]) {
		if strings.EqualFold(text(e["type"]), m.kinds[n]) {
			return text(e["value"])
		}
	}
	return ""
}

// The crowd is five users, by which queries are tried: crowdTexts are the values of
// the plain attribute, of which the last has none.
var crowdTexts = []string{"Bravo", "alpha", "Delta", "charlie"}

func (p *probe) crowd() (all []Object, scope string) {
	if p.shared.crowd == nil {
		a, word := p.plain(), p.word()
		for i := range 5 {
			o := p.person()
			swap(o, text(o["userName"]), word+"-crowd"+string(rune('a'+i)))
			if a.set(o, nil); i < len(crowdTexts) {
				with(a, crowdTexts[i])(o)
			}
			all = append(all, p.create(p.users(), o))
		}
		p.shared.crowd = all
	}
	all = p.shared.crowd
	name := text(all[0]["userName"])
	return all, `userName sw "` + name[:strings.Index(name, "-crowd")+6] + `"`
}

// swap gives a person another name, wherever it stands.
func swap(o Object, old, name string) {
	for k, v := range o {
		o[k] = swapped(v, old, name)
	}
}

func swapped(v any, old, name string) any {
	word, _, _ := strings.Cut(old, "@")
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, word, name)
	case []any:
		for i := range v {
			v[i] = swapped(v[i], old, name)
		}
	case map[string]any:
		for k := range v {
			v[k] = swapped(v[k], old, name)
		}
	}
	return v
}

// found are the ids of the crowd that a filter finds, as the letters a to e in the
// order in which they came.
func (p *probe) found(path string) string {
	all, _ := p.crowd()
	a := p.get(path).want(200)
	return letters(all, objects(a.object()["Resources"]))
}

func letters(all, got []Object) string {
	var b strings.Builder
	for _, o := range got {
		i := slices.IndexFunc(all, func(x Object) bool { return x["id"] == o["id"] })
		if i < 0 {
			b.WriteByte('?')
			continue
		}
		b.WriteByte(byte('a' + i))
	}
	return b.String()
}

// finds fails unless a filter finds just these of the crowd, in any order.
func (p *probe) finds(filter, want string) {
	_, scope := p.crowd()
	got := p.found(query(p.users(), "filter", scope+" and ("+filter+")"))
	b := []byte(got)
	slices.Sort(b)
	if string(b) != want {
		p.fail("the filter %s finds the users %q of five, want %q", filter, b, want)
	}
}

// rejects fails unless a filter is refused.
func (p *probe) rejects(filters ...string) {
	p.needs("filter")
	for _, f := range filters {
		p.get(query(p.users(), "filter", f)).refused(400, "invalidFilter")
	}
}
