package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A Clock is the time of a world. It stands still while anything can run and then jumps
// to the next deadline, so an hour of sleeps takes no time. A world begins at midnight
// UTC on 2000-01-01.
type Clock struct {
	w    *World
	past time.Duration

	plain bool // it shows everybody the world's time
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Now is the world's time. It implements [asyncio.LocalClock].
func (c *Clock) Now() time.Time { return epoch.Add(c.past) }

// Advance moves the world's time by d; what is due by then becomes ready to run. To
// let it run, the caller awaits something, such as [World.Settle].
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("sim: Clock.Advance(%v): time does not go back; give a duration that is not negative", d))
	}
	c.past += d
}

// Idle implements [asyncio.LocalClock].
func (c *Clock) Idle(next time.Time, _ bool, _ asyncio.Waker) bool {
	if c.w.settled() {
		return true
	}
	if next.IsZero() {
		return c.w.stuck()
	}
	c.past = max(c.past, next.Sub(epoch))
	return true
}

// Settle waits until every other task waits, for something else than this, and nothing
// is left to do at the present time. The time stands still meanwhile. Cancelling ctx
// ends the wait with an [asyncio.CancelledError].
func (w *World) Settle(ctx context.Context) error {
	quiet := asyncio.NewFuture[struct{}](ctx)
	w.settling = append(w.settling, quiet)
	_, err := quiet.Await(ctx)
	return err
}

// settled lets those go on who wait for everybody else to wait. It reports whether there
// was one.
func (w *World) settled() bool {
	waiting := w.settling
	w.settling = nil
	any := false
	for _, f := range waiting {
		if !f.Done() {
			f.SetResult(struct{}{})
			any = true
		}
	}
	return any
}
