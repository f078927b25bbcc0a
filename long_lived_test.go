package asyncio_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// What lives as long as the program must not grow with what was begun on it and
// taken back.
func TestLongLived_NothingGathers(t *testing.T) {
	const rounds, limit = 20_000, 200 << 10
	for _, c := range []struct {
		name string
		once func(ctx context.Context, g *asyncio.TaskGroup, busy *asyncio.Task[struct{}])
	}{
		{"tasks held back and cancelled", func(ctx context.Context, g *asyncio.TaskGroup, _ *asyncio.Task[struct{}]) {
			g.Go(asyncio.Yield).Cancel(nil)
			_ = asyncio.Yield(ctx)
		}},
		{"callbacks taken back", func(_ context.Context, _ *asyncio.TaskGroup, busy *asyncio.Task[struct{}]) {
			busy.AddDoneCallback(func(*asyncio.Task[struct{}]) {}).Cancel()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					g.SetLimit(1)
					busy := g.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
					for range rounds {
						c.once(ctx, g, busy)
					}
					before := liveHeap()
					for range rounds {
						c.once(ctx, g, busy)
					}
					if grown := liveHeap() - before; grown > limit {
						t.Errorf("%d rounds hold %d KiB", rounds, grown>>10)
					}
					g.Cancel()
					return nil
				})
			})
		})
	}
}
