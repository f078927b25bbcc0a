package main

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// No schedule makes the pool lose a slot or a connection.
func TestPool_LosesNothingUnderAnySchedule(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		var all counts
		if err := try(ctx, time.Duration(w.Draw(40))*time.Millisecond, w.Draw(4), &all); err != nil {
			return err
		}
		sim.Sometimes(ctx, all.cancelled > 0, "a request is cancelled")
		sim.Sometimes(ctx, all.timedOut > 0, "a request times out")
		return nil
	}, sim.Options{Seeds: 500})
}

// Nor does a cancellation at any moment of a request that meets others.
func TestPool_CancelledAtEveryMoment(t *testing.T) {
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		p := &pool{slots: asyncio.NewSemaphore(size)}
		send := func(ctx context.Context) error {
			return p.Do(ctx, func(ctx context.Context, c *conn) error { return c.request(ctx) })
		}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range callers - 1 {
				g.Go(send)
			}
			_ = w.Victim(ctx, send)
			return nil
		})
		if err != nil {
			return err
		}
		sim.Always(ctx, p.slots.Free() == size, "all slots are free")
		sim.Always(ctx, p.open == len(p.idle), "connections that exist are idle")
		return nil
	}, sim.Options{})
}
