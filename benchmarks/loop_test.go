package benchmarks

import (
	"context"
	"log/slog"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// ours measures work as the main task of a loop. work does b.N units of its
// work; starting and closing the loop is not part of the measurement.
func ours(b *testing.B, work func(b *testing.B, ctx context.Context)) {
	b.Run("peer=ours", func(b *testing.B) { onLoop(b, asyncio.DebugOff, work) })
}

// inDebugMode is ours in debug mode.
func inDebugMode(b *testing.B, work func(b *testing.B, ctx context.Context)) {
	b.Run("peer=debug", func(b *testing.B) { onLoop(b, asyncio.DebugOn, work) })
}

func onLoop(b *testing.B, debug asyncio.DebugMode, work func(b *testing.B, ctx context.Context)) {
	r := &asyncio.Runner{Debug: debug, Options: asyncio.LoopOptions{
		Logger: slog.New(slog.DiscardHandler),
		// Work that never gives the loop up for a second is the point here.
		StallThreshold: -1,
	}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		b.ReportAllocs()
		b.ResetTimer()
		work(b, ctx)
		b.StopTimer()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// peer measures the same work done by something else of Go.
func peer(b *testing.B, name string, work func(b *testing.B)) {
	b.Run("peer="+name, func(b *testing.B) {
		b.ReportAllocs()
		work(b)
	})
}
