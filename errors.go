package asyncio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Errors that tell what state a loop, a runner, a future or a generator was
// in. Match them with [errors.Is]; the text around them names the object.
var (
	// ErrNestedRun: Run was called on a goroutine that a loop is running on.
	ErrNestedRun = errors.New("asyncio.Run cannot be called from a running event loop")
	// ErrLoopRunning: the loop runs already, or would have to stand still.
	ErrLoopRunning = errors.New("this event loop is already running")
	// ErrLoopClosed: the loop was closed and runs nothing any more.
	ErrLoopClosed = errors.New("event loop is closed")
	// ErrLoopStopped: Stop ended the loop before main was done.
	ErrLoopStopped = errors.New("event loop stopped before main completed")
	// ErrRunnerClosed: Close was called on the runner.
	ErrRunnerClosed = errors.New("runner is closed")
	// ErrNoLoop: the context belongs to no event loop.
	ErrNoLoop = errors.New("no running event loop")
	// ErrInvalidState: a result was asked for too early or set twice.
	ErrInvalidState = errors.New("invalid state")
	// ErrGeneratorBusy: Next was called while another Next waits.
	ErrGeneratorBusy = errors.New("asynchronous generator is already running")
	// ErrQueueEmpty: TryGet found no value.
	ErrQueueEmpty = errors.New("asyncio: the queue is empty")
	// ErrQueueFull: TryPut found no room.
	ErrQueueFull = errors.New("asyncio: the queue is full")
	// ErrQueueShutDown: Shutdown was called on the queue.
	ErrQueueShutDown = errors.New("asyncio: the queue is shut down")
	// ErrBrokenBarrier: Abort or Reset was called on the barrier.
	ErrBrokenBarrier = errors.New("broken barrier")
	// ErrDeadlock is the cause of the cancellation that ends a loop on which
	// every task waits and nothing is left that could wake one. A
	// [DeadlockError] matches it too.
	ErrDeadlock = errors.New("deadlock: every task waits and nothing can wake them")
	// ErrTimeout: a deadline struck. It matches [context.DeadlineExceeded].
	ErrTimeout error = timeoutError{}
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "asyncio: timed out" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// errShutdown is the cause with which a closing loop cancels what is left.
var errShutdown error = &misuseError{"the event loop is shutting down", ErrLoopClosed}

// A CancelledError is what an await returns when its context is cancelled. It
// matches [context.Canceled] or, when a deadline struck, [ErrTimeout] and
// [context.DeadlineExceeded]; [errors.Is] and [errors.As] reach the cause.
type CancelledError struct {
	err   error // context.Canceled or context.DeadlineExceeded
	cause error // never nil; err when nobody gave one
	// foreign: it came from a context that is no scope, which every wait has to
	// ask anew: such errors have no identity, and are the same if they say so.
	foreign bool
}

func (e *CancelledError) Error() string {
	switch {
	case e.err == context.DeadlineExceeded:
		return "asyncio: cancelled by a deadline" + e.because()
	default:
		return "asyncio: cancelled" + e.because()
	}
}

func (e *CancelledError) because() string {
	if e.cause == e.err {
		return ""
	}
	return ": " + errText(e.cause)
}

// Is reports whether target is the context error or timeout that e stands for.
func (e *CancelledError) Is(target error) bool {
	return target == e.err || target == ErrTimeout && e.err == context.DeadlineExceeded
}

// Unwrap is the cause of the cancellation.
func (e *CancelledError) Unwrap() error { return e.cause }

// A PanicError is a panic that left a task's function, with the stack it had.
// Awaiting the task returns it; out of main it leaves [Run] as a panic.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // the stack of the task when it panicked
	where string // the task, generator or function that panicked
	told  bool   // it has been reported; those to whom it is passed on report it no more
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("asyncio: %s panicked: %v\n\n%s", cmp.Or(e.where, "a function"), e.Value, e.Stack)
}

// Unwrap is the panic's value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A GroupError is the errors of several tasks that ran together, two or more, in
// the order in which they ended. A single error is returned as it is.
type GroupError struct{ Errs []error }

func (e *GroupError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "asyncio: %d tasks failed:", len(e.Errs))
	for _, err := range e.Errs {
		b.WriteString("\n\t" + strings.ReplaceAll(errText(err), "\n", "\n\t"))
	}
	return b.String()
}

// errText is the text of an error of the program, also of one whose Error method
// panics, as that of a nil pointer in an error does.
func errText(err error) string { return fmt.Sprint(err) }

// Unwrap returns the errors.
func (e *GroupError) Unwrap() []error { return e.Errs }

// A ShutdownError names what did not end within the shutdown timeout, one
// line each: tasks that had to be unwound by force and functions that still run.
type ShutdownError struct{ Left []string }

func (e *ShutdownError) Error() string {
	return fmt.Sprintf("asyncio: %d did not end in the shutdown:\n\t%s", len(e.Left), strings.Join(e.Left, "\n\t"))
}

// A SignalError is the cause with which [Main] cancels main.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "received signal: " + e.Signal.String() }

// A misuseError is the value of a panic over an error in the program: what was
// called, what is wrong with that, and what to do instead.
type misuseError struct {
	text string
	kind error // the sentinel it matches, or nil
}

func (e *misuseError) Error() string { return e.text }
func (e *misuseError) Unwrap() error { return e.kind }

func misuse(kind error, format string, args ...any) *misuseError {
	return &misuseError{"asyncio: " + fmt.Sprintf(format, args...), kind}
}
