package benchmarks

import (
	"context"
	"iter"
	"runtime"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// BenchmarkSwitch is S, the unit of the targets: one resume and one yield of a
// bare iter.Pull, which is what every switch of tasks is made of.
func BenchmarkSwitch(b *testing.B) {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		for yield(struct{}{}) {
		}
	})
	defer stop()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		next()
	}
}

// BenchmarkYield is one task that lets the others run, of which there are none.
func BenchmarkYield(b *testing.B) {
	ours(b, yields)
	inDebugMode(b, yields)
	peer(b, "goroutines", pingPong)
	peer(b, "gosched", func(b *testing.B) {
		for range b.N {
			runtime.Gosched()
		}
	})
}

func yields(b *testing.B, ctx context.Context) {
	for range b.N {
		if err := asyncio.Yield(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// pingPong is one round trip between two goroutines.
func pingPong(b *testing.B) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	defer close(ping)
	for i := range b.N {
		ping <- i
		<-pong
	}
}

// yielders is how many tasks take turns in BenchmarkYield100.
const yielders = 100

// BenchmarkYield100 is one of 100 tasks that take turns: what a turn of the
// loop costs is shared, and the tasks compete for the caches.
func BenchmarkYield100(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		tasks := make([]*asyncio.Task[struct{}], yielders)
		for i := range tasks {
			tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error {
				for n := 0; n < b.N; n += yielders {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for _, t := range tasks {
			if _, err := t.Await(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}
