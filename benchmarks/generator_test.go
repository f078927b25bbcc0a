package benchmarks

import (
	"context"
	"iter"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// BenchmarkGenerator is one value of an asynchronous generator that never waits.
func BenchmarkGenerator(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		g := asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
			count(yield)
			return nil
		})
		for range b.N {
			if _, ok, err := g.Next(ctx); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
		b.StopTimer()
		if err := g.Close(ctx); err != nil {
			b.Fatal(err)
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		next, stop := iter.Pull(count)
		defer stop()
		for range b.N {
			if _, ok := next(); !ok {
				b.Fatal("the iterator has ended")
			}
		}
	})
}

// count is all numbers.
func count(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}
