package benchmarks

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// callBatch is how many callbacks are scheduled before the loop runs them, in
// BenchmarkCallSoon; the await that lets it is shared by them.
const callBatch = 100

// BenchmarkCallSoon is a callback that is scheduled and run.
func BenchmarkCallSoon(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		l := loop(b, ctx)
		calls := 0
		call := func() { calls++ }
		for n := 0; n < b.N; n += callBatch {
			for range callBatch {
				l.CallSoon(call)
			}
			if err := asyncio.Yield(ctx); err != nil {
				b.Fatal(err)
			}
		}
		if calls < b.N {
			b.Fatalf("%d of %d callbacks ran", calls, b.N)
		}
	})
}

func loop(b *testing.B, ctx context.Context) *asyncio.Loop {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return l
}
