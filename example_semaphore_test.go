package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A service that allows two requests at a time is asked five times.
func ExampleNewSemaphore() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		slots := asyncio.NewSemaphore(2)
		now, most := 0, 0
		ask := func(ctx context.Context) error {
			return slots.Do(ctx, func(ctx context.Context) error {
				now++
				most = max(most, now)
				defer func() { now-- }()
				return asyncio.Sleep(ctx, time.Second)
			})
		}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 5 {
				g.Go(ask)
			}
			return nil
		})
		fmt.Println("at most", most, "at a time,", slots.Free(), "slots free again")
		return err
	})
	fmt.Println(err)
	// Output:
	// at most 2 at a time, 2 slots free again
	// <nil>
}

// A server that is busy says so instead of letting clients wait.
func ExampleSemaphore_TryAcquire() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		workers := asyncio.NewSemaphore(1)
		handle := func(ctx context.Context) (string, error) {
			if !workers.TryAcquire(ctx) {
				return "503 busy", nil
			}
			defer workers.Release()
			return "200 OK", asyncio.Sleep(ctx, time.Second)
		}
		answers, err := asyncio.Gather(ctx, handle, handle)
		fmt.Println(answers)
		return err
	})
	fmt.Println(err)
	// Output:
	// [200 OK 503 busy]
	// <nil>
}

// Players begin a round when all of them are ready, round after round.
func ExampleNewBarrier() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		barrier := asyncio.NewBarrier(3)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for player := range 3 {
				g.Go(func(ctx context.Context) error {
					for round := 1; round <= 2; round++ {
						err := asyncio.Sleep(ctx, time.Duration(player)*time.Second) // loads the map
						if err != nil {
							return err
						}
						order, err := barrier.Wait(ctx)
						if err != nil {
							return err
						}
						if order == 0 { // one of them does it for all
							fmt.Println("round", round, "begins")
						}
					}
					return nil
				})
			}
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// round 1 begins
	// round 2 begins
	// <nil>
}

// Who cannot go on breaks the barrier, so that the others do not wait for ever.
func ExampleBarrier_Abort() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		barrier := asyncio.NewBarrier(2)
		waiter := asyncio.Spawn(ctx, barrier.Wait)
		if err := asyncio.Yield(ctx); err != nil { // it waits
			return err
		}
		barrier.Abort()
		_, err := waiter.Await(ctx)
		fmt.Println(err)
		fmt.Println(errors.Is(err, asyncio.ErrBrokenBarrier))
		return nil
	}))
	fmt.Println(err)
	// Output:
	// asyncio: Barrier.Wait: broken barrier: the barrier was aborted
	// true
	// <nil>
}
