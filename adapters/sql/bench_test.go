package sql_test

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// BenchmarkAdapter measures the operations at POSTERN_ROWS employees (1,000 if
// it is not set): look-ups must cost the same at a million.
func BenchmarkAdapter(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("POSTERN_ROWS"))
	if err != nil {
		n = 1000
	}
	s := newStaff(b, n)
	s.db = nil
	plain := s.users.Capabilities().Shape.FieldSet("login", "mail", "age", "phone", "boss_no")
	list := func(q adapters.Query) func(int) error {
		return func(i int) error {
			if q.Filter == nil && q.Limit == 2 {
				q.Filter = eq("login", "User"+strconv.Itoa(2+i*7%(n-2)), filter.Folded)
				defer func() { q.Filter = nil }()
			}
			p, err := s.users.List(ctx, q)
			if err == nil && len(p.Records) == 0 {
				return fmt.Errorf("nothing found")
			}
			return err
		}
	}
	var made atomic.Int64
	age := make(map[adapters.Key]any)
	for _, c := range []struct {
		name string
		run  func(i int) error
	}{
		{"get", func(i int) error {
			_, err := s.users.Get(ctx, adapters.Key(strconv.Itoa(2+i*7%(n-2))), plain)
			return err
		}},
		{"look-up", list(adapters.Query{Limit: 2, Want: plain})},
		{"look-up with total", list(adapters.Query{Limit: 2, Want: plain, Total: true})},
		{"look-up of many letters", list(adapters.Query{Limit: 3, Want: plain, Filter: filter.Or{
			eq("login", "user7", filter.Folded), eq("login", "klaus.kessler@sparkasse-kassel.example", filter.Folded)}})},
		{"page", list(adapters.Query{Limit: 100, Want: plain})},
		{"page with total", list(adapters.Query{Limit: 100, Want: plain, Total: true})},
		{"page with roles", list(adapters.Query{Limit: 100, Want: adapters.AllFields})},
		{"contains", list(adapters.Query{Limit: 1, Want: plain, Sort: []adapters.Sort{{Field: "mail", Match: filter.Folded}},
			Filter: &filter.Compare{Name: "mail", Match: filter.Folded, Op: filter.Co, Value: filter.StringValue("99@EX")}})},
		{"sorted page", list(adapters.Query{Limit: 100, Want: plain, Sort: []adapters.Sort{{Field: "login", Match: filter.Folded}}})},
		{"sorted page with roles", list(adapters.Query{Limit: 100, Want: adapters.AllFields, Sort: []adapters.Sort{{Field: "login", Match: filter.Folded}}})},
		{"sorted page with roles, far down", list(adapters.Query{Limit: 100, Offset: n * 3 / 4, Want: adapters.AllFields, Sort: []adapters.Sort{{Field: "login", Match: filter.Folded}}})},
		{"update", func(i int) error {
			key := adapters.Key(strconv.Itoa(2 + i%(n-2)))
			if _, ok := age[key]; !ok {
				r, err := s.users.Get(ctx, key, plain)
				if err != nil {
					return err
				}
				age[key] = r.Get("age")
			}
			next := (age[key].(int64) + 1) % 100
			_, err := s.users.Update(ctx, key, one("age", age[key], next), plain)
			age[key] = next
			return err
		}},
		{"create", func(i int) error {
			_, err := s.users.Create(ctx, record(s.users, "", map[string]any{"login": fmt.Sprint("new", made.Add(1))}), plain)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if err := c.run(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
