package sim_test

import (
	"context"
	"errors"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// lostUpdate is two tasks that read, await and write.
func lostUpdate(ctx context.Context, w *sim.World) error {
	n := 0
	add := func(ctx context.Context) error {
		before := n
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		n = before + 1
		return nil
	}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "deposit", Group: g}, asyncio.Void(add))
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "audit", Group: g}, asyncio.Void(func(ctx context.Context) error {
			for range 3 {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return add(ctx)
		}))
		return nil
	})
	if err == nil && n != 2 {
		err = errors.New("an update was lost")
	}
	return err
}

func TestExplore_FindsALostUpdate(t *testing.T) {
	r := sim.Explore(lostUpdate, sim.Options{})
	if r.Failure == nil {
		t.Fatalf("%d schedules: not found", r.Schedules)
	}
	t.Log(r.Failure)
}

func BenchmarkExplore(b *testing.B) {
	b.ReportAllocs()
	f := func(ctx context.Context, w *sim.World) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 3 {
				g.Go(func(ctx context.Context) error {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					return asyncio.Yield(ctx)
				})
			}
			return nil
		})
	}
	r := sim.Explore(f, sim.Options{Seeds: b.N, Jobs: 1})
	if r.Failure != nil {
		b.Fatal(r.Failure)
	}
	b.ReportMetric(float64(r.Schedules)/r.Elapsed.Seconds(), "schedules/s")
}

// BenchmarkExplore_Network is a run with a connection, a question and an answer.
func BenchmarkExplore_Network(b *testing.B) {
	b.ReportAllocs()
	f := func(ctx context.Context, w *sim.World) error { return greet(ctx) }
	r := sim.Explore(f, sim.Options{Seeds: b.N, Jobs: 1})
	if r.Failure != nil {
		b.Fatal(r.Failure)
	}
	b.ReportMetric(float64(r.Schedules)/r.Elapsed.Seconds(), "schedules/s")
}
