package asyncio

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/internal/heap"
)

// Sleep suspends the task for d on the loop's clock: never less, and on an
// idle loop perhaps a millisecond more. With a d of zero or less it is [Yield].
// Cancelling ctx ends it early with a [CancelledError].
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return Yield(ctx)
	}
	a, err := newAwait(ctx, "Sleep")
	if err != nil {
		return err
	}
	e := a.t.scope.e
	e.timers.Push(e.after(d), &a.t.coro.timer, a.t)
	return a.park("Sleep")
}

// expire implements expirer: the sleep is over.
func (t *task) expire() { t.wake() }

func (t *task) place() *heap.Item { return &t.coro.timer }

// Yield lets every other task that is ready run once. It is asyncio's sleep(0).
func Yield(ctx context.Context) error {
	a, err := newAwait(ctx, "Yield")
	if err != nil {
		return err
	}
	a.t.yieldTurn()
	return nil
}
