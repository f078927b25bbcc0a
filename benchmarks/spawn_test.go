package benchmarks

import (
	"context"
	"sync"
	"testing"

	"github.com/asyncio-go/asyncio"
)

func one(context.Context) (int, error) { return 1, nil }

// BenchmarkSpawnAwait is a task that is started and awaited at once.
func BenchmarkSpawnAwait(b *testing.B) {
	ours(b, spawnsAndAwaits)
	inDebugMode(b, spawnsAndAwaits)
	peer(b, "goroutines", func(b *testing.B) {
		done := make(chan int)
		for range b.N {
			go func() { done <- 1 }()
			<-done
		}
	})
}

func spawnsAndAwaits(b *testing.B, ctx context.Context) {
	for range b.N {
		if _, err := asyncio.Spawn(ctx, one).Await(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// crowd is how many tasks BenchmarkSpawn1000 and those of groups start before
// they await them.
const crowd = 1000

// BenchmarkSpawn1000 is one of 1,000 tasks that are started and then awaited.
func BenchmarkSpawn1000(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		tasks := make([]*asyncio.Task[int], crowd)
		for n := 0; n < b.N; n += crowd {
			for i := range tasks {
				tasks[i] = asyncio.Spawn(ctx, one)
			}
			for _, t := range tasks {
				if _, err := t.Await(ctx); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		results := make([]int, crowd)
		for n := 0; n < b.N; n += crowd {
			var wg sync.WaitGroup
			for i := range results {
				wg.Go(func() { results[i] = 1 })
			}
			wg.Wait()
		}
	})
}
