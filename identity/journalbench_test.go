package identity

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkJournal: what the journal adds to entering a record.
func BenchmarkJournal(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		s := open(b, Options{})
		for i := 0; b.Loop(); i++ {
			if _, err := s.CreateSince(b.Context(), d1, user(strconv.Itoa(i)), "x", time.Now()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("journal", func(b *testing.B) {
		s := open(b, Options{})
		for i := 0; b.Loop(); i++ {
			key := strconv.Itoa(i)
			in, err := s.Begin(b.Context(), create(key))
			if err == nil {
				_, err = s.CreateFor(b.Context(), in, key)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("alone, eight at once", func(b *testing.B) {
		s := open(b, Options{})
		b.SetParallelism(4)
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.CreateSince(b.Context(), d1, user(strconv.Itoa(int(n.Add(1)))), "x", time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("journal, eight at once", func(b *testing.B) {
		s := open(b, Options{})
		b.SetParallelism(4)
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				key := strconv.Itoa(int(n.Add(1)))
				in, err := s.Begin(b.Context(), create(key))
				if err == nil {
					_, err = s.CreateFor(b.Context(), in, key)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
