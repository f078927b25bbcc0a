package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// fastClock is a Clock for demonstrations: it runs faster than the machine's.
type fastClock struct {
	began time.Time
	speed time.Duration // how many times as fast
}

// Now implements asyncio.Clock.
func (c fastClock) Now() time.Time { return c.began.Add(c.speed * time.Since(c.began)) }

// Idle implements asyncio.Clock. It wakes the loop when the earliest timer is
// due; it cannot make time pass, so it returns false.
func (c fastClock) Idle(next time.Time, _ bool, w asyncio.Waker) bool {
	if !next.IsZero() {
		time.AfterFunc(next.Sub(c.Now())/c.speed, w.Wake)
	}
	return false
}

func ExampleClock() {
	clock := fastClock{began: time.Now(), speed: 100}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		for _, light := range []string{"red", "green"} {
			fmt.Println(light)
			if err := asyncio.Sleep(ctx, time.Second); err != nil { // 10 ms
				return err
			}
		}
		return nil
	})
	fmt.Println(clock.Now().Sub(clock.began) >= 2*time.Second, err)
	// Output:
	// red
	// green
	// true <nil>
}
