package identity

import (
	"context"
	"fmt"
	"strconv"
	"testing"
)

func page(n int) []Link {
	links := make([]Link, n)
	for i := range links {
		links[i] = user(strconv.Itoa(1000 + i))
	}
	return links
}

// BenchmarkEnsureKnown is a page of 100 records that were seen before.
func BenchmarkEnsureKnown(b *testing.B) {
	s := open(b, Options{})
	links := page(100)
	ensure(b, s, d1, links...)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Ensure(ctx, d1, links); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResolveOne is what a GET by id costs.
func BenchmarkResolveOne(b *testing.B) {
	s := open(b, Options{})
	id := ensure(b, s, d1, page(1000)...)[500].ID
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Resolve(ctx, d1, "User", []string{id}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreate is the transaction of a POST.
func BenchmarkCreate(b *testing.B) {
	for _, safe := range []bool{false, true} {
		b.Run(fmt.Sprintf("PowerSafe=%t", safe), func(b *testing.B) {
			s := open(b, Options{PowerSafe: safe})
			ctx := context.Background()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Create(ctx, d1, user(strconv.Itoa(i)), "e"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFirstSight gives 100,000 records their ids, in pages of 1,000.
func BenchmarkFirstSight(b *testing.B) {
	ctx := context.Background()
	for b.Loop() {
		s := open(b, Options{})
		for p := range 100 {
			links := make([]Link, 1000)
			for i := range links {
				links[i] = user(fmt.Sprint(p, "-", i))
			}
			if _, err := s.Ensure(ctx, d1, links); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "links/s")
}

// BenchmarkResolveMerged is a GET by id where a tenth of 20,000 identities is
// merged into others: by an id of nobody merged, by a primary and by a secondary one.
func BenchmarkResolveMerged(b *testing.B) {
	s := open(b, Options{})
	ctx := context.Background()
	e := ensure(b, s, d1, page(20_000)...)
	for i := range 2000 {
		if _, err := s.Merge(ctx, "t", e[i].ID, []string{e[10_000+i].ID}, because); err != nil {
			b.Fatal(err)
		}
	}
	for name, id := range map[string]string{"alone": e[5000].ID, "primary": e[500].ID, "secondary": e[10_500].ID} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Resolve(ctx, d1, "User", []string{id}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
