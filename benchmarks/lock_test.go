package benchmarks

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sync/semaphore"
)

// BenchmarkLock is a lock that nobody else wants, acquired and released.
func BenchmarkLock(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		var l asyncio.Lock
		for range b.N {
			if err := l.Acquire(ctx); err != nil {
				b.Fatal(err)
			}
			l.Release()
		}
	})
	peer(b, "mutex", func(b *testing.B) {
		var mu sync.Mutex
		for range b.N {
			mu.Lock()
			//lint:ignore SA2001 the lock alone is measured
			mu.Unlock()
		}
	})
}

// BenchmarkLockHandoff is one of two tasks that takes a lock from the other, and
// keeps it over a yield, so that the other has to wait for it.
func BenchmarkLockHandoff(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		var l asyncio.Lock
		taking := func(n int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				for range n {
					if err := l.Do(ctx, asyncio.Yield); err != nil {
						return err
					}
				}
				return nil
			}
		}
		other := asyncio.Go(ctx, taking(b.N/2))
		if err := taking(b.N - b.N/2)(ctx); err != nil {
			b.Fatal(err)
		}
		if _, err := other.Await(ctx); err != nil {
			b.Fatal(err)
		}
	})
	peer(b, "mutex", func(b *testing.B) {
		var mu sync.Mutex
		taking := func(n int) {
			for range n {
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { taking(b.N / 2) })
		taking(b.N - b.N/2)
		wg.Wait()
	})
}

// BenchmarkSemaphore is a permit that is free, acquired and released.
func BenchmarkSemaphore(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		s := asyncio.NewSemaphore(10)
		for range b.N {
			if err := s.Acquire(ctx); err != nil {
				b.Fatal(err)
			}
			s.Release()
		}
	})
	peer(b, "semaphore", func(b *testing.B) {
		ctx := context.Background()
		s := semaphore.NewWeighted(10)
		for range b.N {
			if err := s.Acquire(ctx, 1); err != nil {
				b.Fatal(err)
			}
			s.Release(1)
		}
	})
	peer(b, "buffered", func(b *testing.B) {
		s := make(chan struct{}, 10)
		for range b.N {
			s <- struct{}{}
			<-s
		}
	})
}

// waiters is how many tasks BenchmarkEvent100 wakes at a time.
const waiters = 100

// BenchmarkEvent100 is one of 100 tasks that wait for an event, are woken, and
// wait for it again.
func BenchmarkEvent100(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		var v asyncio.Event
		rounds := (b.N + waiters - 1) / waiters
		tasks := make([]*asyncio.Task[struct{}], waiters)
		for i := range tasks {
			tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error {
				for range rounds {
					if err := v.Wait(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for range rounds {
			if err := asyncio.Yield(ctx); err != nil { // they wait
				b.Fatal(err)
			}
			v.Set()
			v.Clear()
		}
		for _, t := range tasks {
			if _, err := t.Await(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}
