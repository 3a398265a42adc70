package route_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/route"
	"github.com/postern/postern/scim/filter"
)

// TestKey: keys of the first place stay what they are, and no two records share one.
func TestKey(t *testing.T) {
	for key, want := range map[adapters.Key]adapters.Key{
		route.Key("", "12"): "12", route.Key("", "a|b"): "a|b", route.Key("", "|b"): `||\|b`, route.Key("away", "12"): "|away|12", route.Key("away", "a|b"): `|away|a\|b`,
	} {
		if key != want {
			t.Errorf("%q, want %q", key, want)
		}
	}
	for _, bad := range []adapters.Key{"|", "|away", "||12", "|away|a|b", `|away|\a`} {
		if place, inner, ok := route.Split(bad); ok {
			t.Errorf("%q is %q in %q", bad, inner, place)
		}
	}
	part := rapid.StringOf(rapid.SampledFrom([]rune{'a', '|', '\\', 'é', '\x00'}))
	rapid.Check(t, func(t *rapid.T) {
		place, inner := rapid.SampledFrom([]string{"", "away", "a.b-c"}).Draw(t, "place"), adapters.Key(part.Draw(t, "inner"))
		if p, k, ok := route.Split(route.Key(place, inner)); !ok || p != place || k != inner {
			t.Fatalf("%q in %q became %q in %q", inner, place, k, p)
		}
	})
}

// FuzzSplit: a key that can be taken apart is put together again as it was.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "7", "|away|7", `||\|b`, "|a|b|c", "|"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if place, inner, ok := route.Split(adapters.Key(key)); ok && route.Key(place, inner) != adapters.Key(key) {
			t.Errorf("%q became %q in %q", key, inner, place)
		}
	})
}

var people = adapters.NewShape("name", "dept", "boss", "mates", adapters.PlaceField)

// twoPlaces are a place without departments, and one with; what boss and mates hold
// are keys of their own place.
func twoPlaces() *route.Adapter {
	place := func(name string, fields ...string) adapters.Adapter {
		o := memory.Options{}
		for _, f := range fields {
			o.Fields = append(o.Fields, memory.Field{Name: f, Multi: f == "mates"})
		}
		return route.Bind(memory.New(o), map[string]string{"boss": name, "mates": name})
	}
	return route.New(people, route.Place{Adapter: place("", "name", "dept", "boss", "mates")},
		route.Place{Name: "away", Adapter: place("away", "login", "boss", "mates"), Names: map[string]string{"name": "login"}})
}

func person(place, name string, more ...any) adapters.Record {
	r := adapters.NewRecord(people, "")
	r.Set("name", name)
	r.Set(adapters.PlaceField, place)
	for i := 0; i < len(more); i += 2 {
		r.Set(more[i].(string), more[i+1])
	}
	return r
}

func create(t *testing.T, a adapters.Adapter, r adapters.Record) adapters.Key {
	t.Helper()
	made, err := a.Create(t.Context(), r, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	return made.Key
}

func eq(field, value string) filter.Expr {
	return &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(value)}
}

// TestLacks: what a place has no room for is refused there, and compared as absent.
func TestLacks(t *testing.T) {
	a := twoPlaces()
	create(t, a, person("", "ada", "dept", "X"))
	bob := create(t, a, person("away", "bob"))
	_, err := a.Create(t.Context(), person("away", "cyd", "dept", "X"), adapters.Fields{})
	if !adapters.Is(err, adapters.Invalid) || err.(*adapters.Error).Field != "dept" || err.(*adapters.Error).Told == "" {
		t.Errorf("%v", err)
	}
	if _, err := a.Create(t.Context(), person("nowhere", "cyd"), adapters.Fields{}); !adapters.Is(err, adapters.Internal) {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		what adapters.Change
		want adapters.Kind
		ok   bool
	}{
		{adapters.Change{Field: "dept", New: "Y"}, adapters.Invalid, false},
		{adapters.Change{Field: "dept"}, 0, true},
		{adapters.Change{Field: adapters.PlaceField, Old: "away", New: ""}, adapters.Unsupported, false},
	} {
		rec, err := a.Update(t.Context(), bob, adapters.Delta{Set: []adapters.Change{c.what}}, adapters.AllFields)
		if c.ok && (err != nil || rec.Get("name") != "bob") || !c.ok && !adapters.Is(err, c.want) {
			t.Errorf("%+v: %v %v", c.what, rec, err)
		}
	}
	for _, c := range []struct {
		e    filter.Expr
		want int
	}{
		{eq("dept", "X"), 1},
		{filter.Not{Term: eq("dept", "X")}, 1},
		{eq(adapters.KeyField, string(bob)), 1},
		{filter.Or{eq("dept", "X"), eq("name", "bob")}, 2},
		{&filter.Compare{Name: "dept", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("X")}, 1},
		{eq(adapters.KeyField, "|nowhere|1"), 0},
	} {
		pg, err := a.List(t.Context(), adapters.Query{Filter: c.e, Limit: 10, Total: true})
		if err != nil || len(pg.Records) != c.want || pg.Total != c.want {
			t.Errorf("%s: %d of %d, %v", filter.Print(c.e), len(pg.Records), pg.Total, err)
		}
	}
	for _, key := range []adapters.Key{"|nowhere|1", "|away", "||1"} {
		if _, err := a.Get(t.Context(), key, adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// TestBound: keys of one place are told apart from those of others.
func TestBound(t *testing.T) {
	a := twoPlaces()
	ada, bob := create(t, a, person("", "ada")), create(t, a, person("away", "bob"))
	if ada != "1" || bob != "|away|1" {
		t.Fatal(ada, bob)
	}
	if !declared(a, "boss").Bound || declared(a, "name").Bound {
		t.Error("who is bound")
	}
	cyd := create(t, a, person("away", "cyd", "boss", string(bob), "mates", []string{string(bob)}))
	rec, err := a.Get(t.Context(), cyd, adapters.AllFields)
	if err != nil || rec.Get("boss") != string(bob) || !slices.Equal(rec.Get("mates").([]string), []string{string(bob)}) || rec.Get(adapters.PlaceField) != "away" {
		t.Errorf("%v %v", rec.Values(), err)
	}
	dee := create(t, a, person("", "dee", "boss", "1"))
	for _, c := range []adapters.Delta{
		{Set: []adapters.Change{{Field: "boss", Old: string(bob), New: string(ada)}}},
		{Set: []adapters.Change{{Field: "mates", Old: []string{string(bob)}, New: []string{string(bob), string(ada)}}}},
	} {
		if _, err := a.Update(t.Context(), cyd, c, adapters.Fields{}); !adapters.Is(err, adapters.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for key, want := range map[adapters.Key]adapters.Key{ada: dee, bob: cyd} {
		pg, err := a.List(t.Context(), adapters.Query{Filter: eq("boss", string(key)), Limit: 10})
		if err != nil || len(pg.Records) != 1 || pg.Records[0].Key != want {
			t.Errorf("whose boss is %q: %v %v", key, pg.Records, err)
		}
	}
	if _, err := a.Update(t.Context(), cyd, adapters.Delta{Set: []adapters.Change{{Field: "boss", Old: string(bob)}}}, adapters.Fields{}); err != nil {
		t.Error(err)
	}
}

func declared(a *route.Adapter, field string) adapters.Field {
	c := a.Capabilities()
	f, _ := c.Field(field)
	return f
}

// TestDeep: pages far down in a merged list, by offset and by cursor.
func TestDeep(t *testing.T) {
	a := twoPlaces()
	var want []string
	for i := range 2500 {
		name := fmt.Sprintf("n%05d", i*7919%2500)
		want = append(want, name)
		create(t, a, person(map[bool]string{true: "away"}[i%3 == 0], name))
	}
	slices.Sort(want)
	by := []adapters.Sort{{Field: "name", Match: filter.Exact}}
	for _, offset := range []int{0, 999, 1000, 1001, 2450, 2499, 2600} {
		pg, err := a.List(t.Context(), adapters.Query{Sort: by, Offset: offset, Limit: 60, Total: true, Want: people.FieldSet("name")})
		from, to := min(offset, 2500), min(offset+60, 2500)
		if err != nil || pg.Total != 2500 || !slices.Equal(named(pg), want[from:to]) {
			t.Fatalf("from %d: %v, %v", offset, named(pg), err)
		}
		if pg.Next == "" {
			continue
		}
		next, err := a.List(t.Context(), adapters.Query{Sort: by, Cursor: pg.Next, Limit: 7, Want: people.FieldSet("name")})
		if err != nil || !slices.Equal(named(next), want[to:min(to+7, 2500)]) {
			t.Fatalf("after %d: %v, %v", to, named(next), err)
		}
	}
	if _, err := a.List(t.Context(), adapters.Query{Limit: 7, Cursor: cursorOf(t, a, by)}); !adapters.Is(err, adapters.Invalid) {
		t.Errorf("the cursor of another list: %v", err)
	}
}

func cursorOf(t *testing.T, a adapters.Adapter, by []adapters.Sort) string {
	t.Helper()
	pg, err := a.List(t.Context(), adapters.Query{Sort: by, Limit: 1})
	if err != nil || pg.Next == "" {
		t.Fatal(pg.Next, err)
	}
	return pg.Next
}

func named(pg adapters.Page) []string {
	var out []string
	for _, r := range pg.Records {
		out = append(out, adapters.Text(r.Get("name")))
	}
	return out
}
