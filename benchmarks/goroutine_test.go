package benchmarks

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// BenchmarkBlocking is a function that does nothing, run on another goroutine.
func BenchmarkBlocking(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		for range b.N {
			if _, err := asyncio.Blocking(ctx, one); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRecv is a round trip from a task to a goroutine and back, through
// channels.
func BenchmarkRecv(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		ping, pong := make(chan int, 1), make(chan int, 1)
		go func() {
			for v := range ping {
				pong <- v
			}
		}()
		defer close(ping)
		for i := range b.N {
			ping <- i // never blocks: the buffer is empty
			if _, _, err := asyncio.Recv(ctx, pong); err != nil {
				b.Fatal(err)
			}
		}
	})
	peer(b, "goroutines", pingPong)
}
