package goker

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

func TestTimer_KeepsWhatItHasSent(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		g.Go(ctx, "other", step)
		step(ctx)
		timer := newTimer(ctx, time.Second)
		sleep(ctx, 2*time.Second)
		sim.Always(ctx, !timer.Stop(ctx), "it has fired")
		timer.Reset(ctx, time.Hour)
		sim.Always(ctx, timer.C.Len() == 1, "as before Go 1.23")
		sim.Always(ctx, timer.Stop(ctx), "it was started again")
	})
}

func TestTimer_StoppedInTimeSendsNothing(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		g.Go(ctx, "other", step)
		timer := newTimer(ctx, time.Second)
		sim.Always(ctx, timer.Stop(ctx), "it has not fired")
		sleep(ctx, 2*time.Second)
		sim.Always(ctx, timer.C.Len() == 0, "it was stopped")
	})
}

func TestPassedMutex_IsUnlockedByAnother(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		mu := newPassedMutex()
		locked := 0
		mu.Lock(ctx)
		for range 2 {
			g.Go(ctx, "next", func(ctx context.Context) {
				mu.Lock(ctx)
				locked++
				sim.Always(ctx, locked == 1, "alone")
				g.Go(ctx, "unlocks", func(ctx context.Context) {
					locked--
					mu.Unlock()
				})
			})
		}
		mu.Unlock()
	})
}
