package asyncio

import (
	"context"
	"fmt"
	"runtime"
	"strconv"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// A Future is a result that does not exist yet: tasks await it until somebody
// sets it. It belongs to one loop; its methods must be called there, unless
// the loop does not run. From another goroutine, set it with
//
//	loop.CallSoon(func() { f.SetResult(v) })
type Future[T any] struct {
	future
	value T
}

type future struct {
	outcome
	e         *engine
	number    int64
	cancelled bool
	made      origin
}

// NewFuture makes a future on the loop of ctx.
//
//go:noinline
func NewFuture[T any](ctx context.Context) *Future[T] {
	e := loopOf(ctx, "NewFuture")
	e.mustOwn("NewFuture")
	e.futures++
	f := &Future[T]{future: future{e: e, number: e.futures}}
	if e.debug {
		f.made = origin(gid.CallerPC())
	}
	return f
}

// Await waits for the result. Cancelling the waiter leaves the future alone:
// awaiting does not own.
func (f *Future[T]) Await(ctx context.Context) (T, error) {
	if err := f.await(ctx, f.e, f, "Future.Await"); err != nil {
		var zero T
		return zero, err
	}
	return f.value, f.retrieve()
}

// SetResult sets the result and wakes who waits for it. It panics with an
// error that matches [ErrInvalidState] if the future is done already.
func (f *Future[T]) SetResult(v T) {
	f.mustBePending("Future.SetResult", f)
	f.value = v
	f.settle(nil)
	f.e.nudge()
}

// SetError sets an error in place of a result; otherwise it is as SetResult.
// An error that nobody retrieves is reported.
func (f *Future[T]) SetError(err error) {
	f.mustBePending("Future.SetError", f)
	if err == nil {
		panic(misuse(nil, "Future.SetError: the error is nil; use SetResult for success"))
	}
	waited := !f.waiters.Empty()
	f.settle(err)
	if !waited {
		fail := f.e.newFailure(&failure{
			message: "Future exception was never retrieved",
			object:  f.String(), created: f.made.String(), err: err})
		if f.e.opts.Fence == nil { // the garbage collector comes when it likes
			fail.cleanup = runtime.AddCleanup(f, (*failure).unreachable, fail)
		}
		f.aftermath().failure = fail
	}
	f.e.nudge()
}

// Cancel ends the future with a [CancelledError] of the given cause, which may
// be nil. It reports whether the future was pending.
func (f *Future[T]) Cancel(cause error) bool {
	f.e.mustNotRace("Future.Cancel")
	if f.done {
		return false
	}
	f.cancelled = true
	f.settle(&newCancellation(context.Canceled, cause).CancelledError)
	f.e.nudge()
	return true
}

// Done reports whether the future has a result, has failed or is cancelled.
func (f *Future[T]) Done() bool {
	f.e.mustNotRace("Future.Done")
	return f.done
}

// Result is the value or error of a future that is done. Before, it fails with
// an error that matches [ErrInvalidState].
func (f *Future[T]) Result() (T, error) {
	f.e.mustNotRace("Future.Result")
	if !f.done {
		var zero T
		return zero, fmt.Errorf("asyncio: Future.Result: %w: the result of %v is not set; await it", ErrInvalidState, f)
	}
	return f.value, f.retrieve()
}

// AddDoneCallback has the loop call fn(f) once f is done. Callbacks run in the
// order in which they were added; cancelling the handle takes one back.
func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) *Handle {
	f.e.mustNotRace("Future.AddDoneCallback")
	mustFunc(fn != nil, "Future.AddDoneCallback")
	h := f.e.newHandle(func() { fn(f) }, fn)
	f.addCallback(h)
	f.e.nudge()
	return h
}

// String is the future as asyncio prints one.
func (f *Future[T]) String() string {
	var text string
	switch {
	case !f.e.owned() && !f.e.atRest():
		text = "?" // another goroutine must not look
	case !f.done:
		text = "pending"
	case f.cancelled:
		text = "cancelled"
	case f.err != nil:
		text = fmt.Sprintf("finished exception=%q", f.err)
	default:
		text = "finished result=" + brief(f.value)
	}
	return "<Future " + text + " name='Future-" + strconv.FormatInt(f.number, 10) + "'" + f.made.suffix() + ">"
}

func (f *future) mustBePending(fn string, whose fmt.Stringer) {
	f.e.mustNotRace(fn)
	if f.done {
		panic(misuse(ErrInvalidState, "%s: %v is done already; a result is set once, check Done first", fn, whose))
	}
}
