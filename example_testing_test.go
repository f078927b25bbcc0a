package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Hours of sleep take no time, and always the same course.
func ExampleManualClock() {
	clock := &asyncio.ManualClock{}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		retry := func(ctx context.Context, attempts int) error {
			for n := range attempts {
				fmt.Println("attempt at", clock.Now().Format(time.TimeOnly))
				if err := asyncio.Sleep(ctx, time.Hour<<n); err != nil {
					return err
				}
			}
			return nil
		}
		return retry(ctx, 4)
	})
	fmt.Println(err)
	// Output:
	// attempt at 00:00:00
	// attempt at 01:00:00
	// attempt at 03:00:00
	// attempt at 07:00:00
	// <nil>
}

// A frozen clock stands still until the test moves it.
func ExampleManualClock_Advance() {
	clock := &asyncio.ManualClock{Frozen: true}
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: clock})
	defer loop.Close()
	session := "open"
	loop.CallLater(30*time.Minute, func() { session = "expired" })

	for range 2 {
		clock.Advance(20 * time.Minute)
		if _, err := loop.Step(); err != nil {
			fmt.Println(err)
		}
		fmt.Println(session)
	}
	// Output:
	// open
	// expired
}

func ExampleManualClock_Now() {
	clock := &asyncio.ManualClock{}
	clock.Advance(36 * time.Hour)
	fmt.Println(clock.Now().Format(time.DateTime))
	// Output: 2000-01-02 12:00:00
}
