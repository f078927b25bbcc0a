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
	s := derive(ctx, "WithCancel")
	return &s.scope, func() { s.finish(nil) }
}

// WithCancelCause is [WithCancel] with a cause, which the [CancelledError] of
// every await under the context unwraps to, and which [context.Cause] returns.
func WithCancelCause(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	s := derive(ctx, "WithCancelCause")
	return &s.scope, s.finish
}

// WithTimeout is [WithDeadline] with a deadline that is d from now. A d of zero
// or less cancels at once.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	s := derive(ctx, "WithTimeout")
	s.arm(s.e.after(d))
	return &s.scope, func() { s.finish(nil) }
}

// WithDeadline derives a scope from ctx that is cancelled when the loop's clock
// reaches t: awaits under it then fail with an error that matches [ErrTimeout]
// and [context.DeadlineExceeded]. Otherwise it is as [WithCancel].
func WithDeadline(ctx context.Context, t time.Time) (context.Context, context.CancelFunc) {
	s := derive(ctx, "WithDeadline")
	s.e.readClock()
	s.arm(s.e.moment(t))
	return &s.scope, func() { s.finish(nil) }
}

// A derivedScope is a scope with an end, and perhaps a deadline, of its own.
type derivedScope struct {
	scope
	timer  heap.Item
	struck *cancellation // set when this scope's deadline was what ended it
	// held: the program has a function that cancels the scope, which any
	// goroutine may call; so nobody can prove that the loop stands still.
	held bool
}

// derive makes a scope that the program ends with finish.
func derive(ctx context.Context, fn string) *derivedScope {
	e := loopOf(ctx, fn)
	e.mustOwn(fn)
	s := &derivedScope{held: true}
	s.derive(e, ctx, fn)
	e.cancels++
	return s
}

// finish cancels the scope, from any goroutine, and has the loop take it off
// the tree.
func (s *derivedScope) finish(cause error) {
	s.cancel(newCancellation(context.Canceled, cause))
	if s.e.owned() {
		s.release()
	} else {
		s.e.inject(s.release)
	}
}

func (s *derivedScope) release() {
	if s.held {
		s.held = false
		s.e.cancels--
		s.close()
	}
}

// arm sets the deadline. The clock has just been read.
func (s *derivedScope) arm(when int64) {
	s.deadline = min(s.deadline, when)
	if when <= s.e.now {
		s.expire()
		return
	}
	s.e.timers.Push(when, &s.timer, s)
}

// expire implements expirer.
func (s *derivedScope) expire() {
	c := newCancellation(context.DeadlineExceeded, nil)
	if s.cancel(c) {
		s.struck = c
	}
}

func (s *derivedScope) place() *heap.Item { return &s.timer }

// close ends the scope and its timer.
func (s *derivedScope) close() {
	if s.timer.Queued() {
		s.e.timers.Remove(&s.timer)
	}
	s.scope.close()
}
