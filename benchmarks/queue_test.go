package benchmarks

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// BenchmarkQueueHandoff is a value that one task puts into a queue with room for
// one, and another gets: the two take turns.
func BenchmarkQueueHandoff(b *testing.B) {
	queued(b, 1)
	piped(b, "unbuffered", 0)
	piped(b, "buffered", 1)
}

// BenchmarkQueueBuffered is BenchmarkQueueHandoff with room for 128 values.
func BenchmarkQueueBuffered(b *testing.B) {
	queued(b, 128)
	piped(b, "buffered", 128)
}

func queued(b *testing.B, room int) {
	ours(b, func(b *testing.B, ctx context.Context) {
		q := asyncio.NewQueue[int](room)
		producer := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range b.N {
				if err := q.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
		for range b.N {
			if _, err := q.Get(ctx); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := producer.Await(ctx); err != nil {
			b.Fatal(err)
		}
	})
}

// piped is what queued is, of two goroutines and a channel.
func piped(b *testing.B, name string, room int) {
	peer(b, name, func(b *testing.B) {
		ch := make(chan int, room)
		go func() {
			defer close(ch)
			for i := range b.N {
				ch <- i
			}
		}()
		for range ch {
		}
	})
}

// BenchmarkQueueRoundTrip is a value that goes to another task and back, through
// two queues: each get has to wait.
func BenchmarkQueueRoundTrip(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		ping, pong := asyncio.NewQueue[int](1), asyncio.NewQueue[int](1)
		echo := asyncio.Go(ctx, func(ctx context.Context) error {
			for range b.N {
				v, err := ping.Get(ctx)
				if err != nil {
					return err
				}
				if err := pong.Put(ctx, v); err != nil {
					return err
				}
			}
			return nil
		})
		for i := range b.N {
			if err := ping.Put(ctx, i); err != nil {
				b.Fatal(err)
			}
			if _, err := pong.Get(ctx); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := echo.Await(ctx); err != nil {
			b.Fatal(err)
		}
	})
	peer(b, "unbuffered", pingPong)
}
