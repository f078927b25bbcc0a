package asyncio

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/internal/heap"
)

// WithCancel derives a scope from ctx and a function that cancels it. It is
// [context.WithCancel] for coroutines: no goroutine, no lock, and awaits under
// the returned context end when cancel is called or ctx is cancelled.
//
// WithCancel must be called on the loop of ctx; cancel may be called from any
// goroutine, and more than once. Call it when the work is done.
func WithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	s := newScope(ctx, "WithCancel")
	return s, func() { s.finish(newCancellation(context.Canceled, nil), s.close) }
}

// WithCancelCause is [WithCancel] with a cause, which the [CancelledError] of
// every await under the context unwraps to, and which [context.Cause] returns.
func WithCancelCause(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	s := newScope(ctx, "WithCancelCause")
	return s, func(cause error) { s.finish(newCancellation(context.Canceled, cause), s.close) }
}

// WithTimeout is [WithDeadline] with a deadline that is d from now. A d of zero
// or less cancels at once.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	e := loopOf(ctx, "WithTimeout")
	e.mustOwn("WithTimeout")
	return withDeadline(ctx, e, e.after(d), "WithTimeout")
}

// WithDeadline derives a scope from ctx that is cancelled when the loop's clock
// reaches t: awaits under it then fail with an error that matches [ErrTimeout]
// and [context.DeadlineExceeded]. Otherwise it is as [WithCancel].
func WithDeadline(ctx context.Context, t time.Time) (context.Context, context.CancelFunc) {
	e := loopOf(ctx, "WithDeadline")
	e.mustOwn("WithDeadline")
	return withDeadline(ctx, e, int64(t.Sub(e.epoch)), "WithDeadline")
}

func withDeadline(ctx context.Context, e *engine, when int64, fn string) (context.Context, context.CancelFunc) {
	s := &deadlineScope{}
	s.derive(e, ctx, fn)
	s.arm(when)
	s.hold()
	return &s.scope, func() { s.finish(newCancellation(context.Canceled, nil), s.close) }
}

func newScope(ctx context.Context, fn string) *scope {
	e := loopOf(ctx, fn)
	e.mustOwn(fn)
	s := &scope{}
	s.derive(e, ctx, fn)
	s.hold()
	return s
}

// hold notes that the program has got a function that cancels s, which any
// goroutine may call: nobody can prove that the loop will not be woken.
func (s *scope) hold() {
	s.held = true
	s.e.cancels++
}

// finish cancels a derived scope, from any goroutine, and has the loop take it
// off the tree with close.
func (s *scope) finish(c *cancellation, close func()) {
	s.cancel(c)
	end := func() {
		if s.held {
			s.held = false
			s.e.cancels--
			close()
		}
	}
	if s.e.owned() {
		end()
	} else {
		s.e.inject(end)
	}
}

// A deadlineScope is a scope with a deadline of its own.
type deadlineScope struct {
	scope
	timer  heap.Item
	struck *cancellation // set when this scope's deadline was what ended it
}

// arm sets the deadline, unless one above strikes earlier anyway.
func (s *deadlineScope) arm(when int64) {
	if when >= s.deadline && s.parent != nil {
		return
	}
	s.deadline = when
	if when <= s.e.now {
		s.expire()
		return
	}
	s.e.timers.Push(when, &s.timer, s)
}

// expire implements expirer.
func (s *deadlineScope) expire() {
	c := newCancellation(context.DeadlineExceeded, nil)
	if s.cancel(c) {
		s.struck = c
	}
}

// close ends the scope and its timer.
func (s *deadlineScope) close() {
	if s.timer.Queued() {
		s.e.timers.Remove(&s.timer)
	}
	s.scope.close()
}
