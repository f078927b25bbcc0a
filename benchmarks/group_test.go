package benchmarks

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sync/errgroup"
)

// BenchmarkGather1000 is one of 1,000 functions that return at once, gathered.
func BenchmarkGather1000(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		fs := make([]func(context.Context) (int, error), crowd)
		for i := range fs {
			fs[i] = one
		}
		b.ResetTimer()
		for n := 0; n < b.N; n += crowd {
			if _, err := asyncio.Gather(ctx, fs...); err != nil {
				b.Fatal(err)
			}
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		for n := 0; n < b.N; n += crowd {
			results := make([]int, crowd)
			var wg sync.WaitGroup
			for i := range results {
				wg.Go(func() { results[i] = 1 })
			}
			wg.Wait()
		}
	})
	peer(b, "errgroup", func(b *testing.B) {
		for n := 0; n < b.N; n += crowd {
			results := make([]int, crowd)
			g, ctx := errgroup.WithContext(context.Background())
			for i := range results {
				g.Go(func() (err error) {
					results[i], err = one(ctx)
					return err
				})
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGroup1000 is one of 1,000 tasks of a group, which return at once.
func BenchmarkGroup1000(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		for n := 0; n < b.N; n += crowd {
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				for range crowd {
					g.Go(nothing)
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	peer(b, "errgroup", func(b *testing.B) {
		for n := 0; n < b.N; n += crowd {
			g, ctx := errgroup.WithContext(context.Background())
			for range crowd {
				g.Go(func() error { return nothing(ctx) })
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func nothing(context.Context) error { return nil }

// sleepers is how many tasks BenchmarkCancel100k cancels at a time.
const sleepers = 100_000

// BenchmarkCancel100k is one of 100,000 sleeping tasks of a group that are
// cancelled and awaited. Starting them is not part of it, and neither is the
// garbage that this leaves.
func BenchmarkCancel100k(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		b.StopTimer()
		for crowd := range crowds(b.N, sleepers) {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				for range crowd {
					g.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				}
				if err := asyncio.Yield(ctx); err != nil { // they fall asleep
					return err
				}
				runtime.GC()
				b.StartTimer()
				g.Cancel()
				return nil
			})
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		b.StopTimer()
		for crowd := range crowds(b.N, sleepers) {
			ctx, cancel := context.WithCancel(context.Background())
			var started, ended sync.WaitGroup
			started.Add(crowd)
			for range crowd {
				ended.Go(func() {
					started.Done()
					select {
					case <-ctx.Done():
					case <-time.After(time.Hour):
					}
				})
			}
			started.Wait()
			runtime.GC()
			b.StartTimer()
			cancel()
			ended.Wait()
			b.StopTimer()
		}
	})
}

// crowds yields numbers of at most size, n in sum.
func crowds(n, size int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for ; n > 0 && yield(min(n, size)); n -= size {
		}
	}
}
