package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Wait cancels nobody: what is pending goes on, and may be waited for again.
func ExampleWait() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		bus := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, 7*time.Minute) })
		train := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) {
			return "platform 4", asyncio.Sleep(ctx, 5*time.Minute)
		})
		done, pending, err := asyncio.Wait(ctx, asyncio.FirstDone, bus, train)
		fmt.Println(len(done), "is there,", len(pending), "is not")
		if train.Done() {
			fmt.Println(train.Result())
		}
		return err
	})
	fmt.Println(err)
	// Output:
	// 1 is there, 1 is not
	// platform 4 <nil>
	// <nil>
}

// Around Wait a timeout ends the wait, not the tasks.
func ExampleWait_timeout() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		var tasks []asyncio.Waiter
		for hours := range 3 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.Sleep(ctx, time.Duration(hours)*time.Hour)
			}))
		}
		var done, pending []asyncio.Waiter
		err := asyncio.Timeout(ctx, 90*time.Minute, func(ctx context.Context) (err error) {
			done, pending, err = asyncio.Wait(ctx, asyncio.AllDone, tasks...)
			return err
		})
		fmt.Println(len(done), len(pending), errors.Is(err, asyncio.ErrTimeout))
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2 1 true
	// <nil>
}

// Results are used as they come, not in the order in which they were asked for.
func ExampleAsCompleted() {
	render := func(tile string, d time.Duration) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { return tile, asyncio.Sleep(ctx, d) }
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		sky := asyncio.Spawn(ctx, render("sky", 3*time.Second))
		sea := asyncio.Spawn(ctx, render("sea", 1*time.Second))
		shore := asyncio.Spawn(ctx, render("shore", 2*time.Second))
		for tile, err := range asyncio.AsCompleted(ctx, sky, sea, shore) {
			if err != nil {
				return err
			}
			fmt.Println("draw the", tile)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// draw the sea
	// draw the shore
	// draw the sky
	// <nil>
}
