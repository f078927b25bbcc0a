package sim_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// A till counts its money in two steps.
type till struct{ money int }

func (t *till) add(ctx context.Context, amount int) error {
	before := t.money
	if err := asyncio.Yield(ctx); err != nil {
		return err
	}
	t.money = before + amount
	return nil
}

// shifts has one task add to the till, and another one a little later.
func shifts(ctx context.Context, w *sim.World) error {
	t := &till{}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "early", Group: g}, asyncio.Void(func(ctx context.Context) error {
			return t.add(ctx, 1)
		}))
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "late", Group: g}, asyncio.Void(func(ctx context.Context) error {
			if err := errors.Join(asyncio.Yield(ctx), asyncio.Yield(ctx)); err != nil {
				return err
			}
			return t.add(ctx, 1)
		}))
		return nil
	})
	if err == nil && t.money != 2 {
		err = fmt.Errorf("there is %d in the till", t.money)
	}
	return err
}

// An update is lost if the second task overtakes the first. Arrival in order never
// shows it.
func ExampleExplore() {
	fmt.Println(sim.Explore(shifts, sim.Options{Seeds: 1}).Failure)
	failure := sim.Explore(shifts, sim.Options{}).Failure
	fmt.Println(failure.Err)
	for _, d := range failure.Deviations {
		fmt.Println(d)
	}
	// Output:
	// <nil>
	// there is 1 in the till
	// at steps 2 to 3 `late` ran before `early`
}

// The seed alone is enough to see it again.
func ExampleFailure() {
	f := sim.Explore(shifts, sim.Options{}).Failure
	again := sim.Explore(shifts, sim.Options{Seed: f.Seed, Seeds: 1}).Failure
	fmt.Println(f.Kind, again.Hash == f.Hash)
	// Output: error true
}

// Exhaustive tries all the schedules of a small program.
func ExampleOptions() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		_, err := asyncio.Gather(ctx, asyncio.Void(asyncio.Yield), asyncio.Void(asyncio.Yield))
		return err
	}, sim.Options{Strategies: []sim.Strategy{sim.Exhaustive}, Seeds: 100_000})
	fmt.Println(r.Complete, r.Schedules, r.Failure)
	// Output: true 6 <nil>
}

// Draw is for what the world decides: 0 is what is ordinary.
func ExampleWorld_Draw() {
	slowest := time.Duration(0)
	sim.Explore(func(ctx context.Context, w *sim.World) error {
		disk := time.Duration(1+w.Draw(10)) * time.Millisecond
		if err := asyncio.Sleep(ctx, disk); err != nil {
			return err
		}
		slowest = max(slowest, w.Now())
		return nil
	}, sim.Options{Seeds: 100, Jobs: 1})
	fmt.Println(slowest)
	// Output: 10ms
}

// Settle waits until nobody else has anything to do at the present time.
func ExampleWorld_Settle() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		ticks := 0
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				ticks++
			}
		})
		for range 3 {
			if err := w.Settle(ctx); err != nil {
				return err
			}
			w.Clock().Advance(time.Second)
		}
		if err := w.Settle(ctx); err != nil {
			return err
		}
		fmt.Println(ticks, "ticks at", w.Now())
		return nil
	}, sim.Options{Seeds: 1, Jobs: 1})
	fmt.Println(r.Failure)
	// Output:
	// 3 ticks at 3s
	// 3 ticks at 3s
	// <nil>
}

// Code that the program shares with its tests finds out whether it is simulated.
func ExampleFrom() {
	now := func(ctx context.Context) string {
		if w := sim.From(ctx); w != nil {
			return w.Now().String()
		}
		return "no world"
	}
	fmt.Println(now(context.Background()))
	first := ""
	sim.Explore(func(ctx context.Context, w *sim.World) error {
		err := asyncio.Sleep(ctx, time.Hour)
		first = now(ctx)
		return err
	}, sim.Options{Seeds: 1})
	fmt.Println(first)
	// Output:
	// no world
	// 1h0m0s
}
