package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// A timer is a time.Timer as it was before Go 1.23: what it has sent stays in C when it is
// stopped or started again.
type timer struct {
	C      *channel[time.Duration]
	handle *asyncio.Handle
	fired  bool
}

func newTimer(ctx context.Context, d time.Duration) *timer {
	t := &timer{C: makeChan[time.Duration](1)}
	t.start(ctx, d)
	return t
}

func (t *timer) start(ctx context.Context, d time.Duration) {
	t.fired = false
	t.handle = loopOf(ctx).CallLater(d, func() {
		t.fired = true
		t.C.trySend(d)
	})
}

// Stop reports whether the timer has not fired and will not.
func (t *timer) Stop(ctx context.Context) bool {
	step(ctx)
	t.handle.Cancel()
	return !t.fired
}

// Reset stops the timer and starts it again.
func (t *timer) Reset(ctx context.Context, d time.Duration) {
	t.Stop(ctx)
	t.start(ctx, d)
}

// later lets the others do all that they can first. In some schedules it does not.
func later(ctx context.Context) {
	if sim.From(ctx).Draw(2) == 0 {
		sleep(ctx, time.Second)
	}
}
