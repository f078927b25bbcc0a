package benchmarks

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// pending is how many timers wait while BenchmarkTimer starts and cancels.
const pending = 100_000

// BenchmarkTimer is a timer that is started among 100,000 others and cancelled.
func BenchmarkTimer(b *testing.B) {
	delays := delays()
	ours(b, func(b *testing.B, ctx context.Context) {
		l := loop(b, ctx)
		for i := range pending {
			l.CallLater(delays[i], func() {})
		}
		b.ResetTimer()
		for i := range b.N {
			l.CallLater(delays[i%pending], func() {}).Cancel()
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		timers := make([]*time.Timer, pending)
		for i := range timers {
			timers[i] = time.AfterFunc(delays[i], func() {})
		}
		b.ResetTimer()
		for i := range b.N {
			time.AfterFunc(delays[i%pending], func() {}).Stop()
		}
		b.StopTimer()
		for _, t := range timers {
			t.Stop()
		}
	})
}

// delays are between one and two hours, in no order. The peers in other
// languages compute the same ones.
func delays() []time.Duration {
	all := make([]time.Duration, pending)
	x := uint32(1)
	for i := range all {
		x = x*1664525 + 1013904223
		all[i] = time.Hour + time.Duration(x%3_600_000)*time.Millisecond
	}
	return all
}

// BenchmarkTimeout is a timeout around a yield, which never strikes.
func BenchmarkTimeout(b *testing.B) {
	ours(b, func(b *testing.B, ctx context.Context) {
		for range b.N {
			if err := asyncio.Timeout(ctx, time.Hour, asyncio.Yield); err != nil {
				b.Fatal(err)
			}
		}
	})
	peer(b, "goroutines", func(b *testing.B) {
		for range b.N {
			_, cancel := context.WithTimeout(context.Background(), time.Hour)
			runtime.Gosched()
			cancel()
		}
	})
}
