package asyncio

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Timeout runs f and cancels it when it takes longer than d: the ctx that f
// receives, and operations in f that take none, then fail at every await. If f
// returns that failure, Timeout returns an error that matches [ErrTimeout] and
// [context.DeadlineExceeded]; a result that f returns nevertheless is kept.
//
// Which timeout struck is known by identity: a cancellation from outside is
// never turned into a timeout, and of nested timeouts only the one whose own
// deadline struck returns ErrTimeout: through the others passes a
// [CancelledError] that matches DeadlineExceeded. With a d of zero or less f is
// not started.
//
// Timeout waits for f, however long that takes after the deadline.
func Timeout(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	mustFunc(f != nil, "Timeout")
	_, err := within(ctx, d, Void(f), "Timeout")
	return err
}

// WaitFor is [Timeout] for a function with a value.
func WaitFor[T any](ctx context.Context, d time.Duration, f func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(f != nil, "WaitFor")
	return within(ctx, d, f, "WaitFor")
}

func within[T any](ctx context.Context, d time.Duration, f func(context.Context) (T, error), fn string) (T, error) {
	t := runningTask(ctx, fn)
	e := t.scope.e
	if d <= 0 {
		var zero T
		if _, err := newAwait(ctx, fn); err != nil {
			return zero, err // cancelled before: that is no timeout
		}
		return zero, fmt.Errorf("%w: %s(%v) was over before the function was started; give a duration above zero",
			ErrTimeout, fn, d)
	}
	s := &derivedScope{}
	s.derive(e, ctx, fn)
	s.arm(e.after(d))
	outer := t.enterBracket(&s.scope)
	defer t.leaveBracket(s.close, outer)
	v, err := f(&s.scope)
	switch c := s.state.Load(); {
	case err == nil || c == nil || !c.caused(err):
	case c == s.struck:
		err = timedOut(d, err)
	case c.err == context.DeadlineExceeded:
		err = &passedOn{err}
	}
	return v, err
}

// passedOn is the error of a deadline further out, as it leaves a timeout. It
// is what it was, but does not match ErrTimeout: a loop that tries again after
// each timeout of its own would never end.
type passedOn struct{ err error }

func (p *passedOn) Error() string        { return p.err.Error() }
func (p *passedOn) Is(target error) bool { return target != ErrTimeout && errors.Is(p.err, target) }
func (p *passedOn) As(target any) bool   { return errors.As(p.err, target) }

// timedOut is the error of a timeout in whose place f returned err.
func timedOut(d time.Duration, err error) error {
	if p, ok := err.(*passedOn); ok {
		err = p.err // out of a timeout within
	}
	if _, plain := err.(*CancelledError); plain || err == context.DeadlineExceeded {
		return fmt.Errorf("%w after %v", ErrTimeout, d)
	}
	return fmt.Errorf("%w after %v: %w", ErrTimeout, d, err) // there is more to it
}

// enterBracket makes s what operations without a ctx obey in t, and returns
// what was before.
func (t *task) enterBracket(s *scope) (outer *scope) {
	outer, t.coro.bracket = t.coro.bracket, s
	return outer
}

// leaveBracket ends the bracket's scope with its close.
func (t *task) leaveBracket(close func(), outer *scope) {
	close()
	t.coro.bracket = outer
}

// caused reports whether err is this cancellation: an await's error, or the
// bare context error that code returns which looks at ctx.Err itself.
func (c *cancellation) caused(err error) bool {
	switch x := err.(type) {
	case *CancelledError:
		return x == &c.CancelledError || x.foreign && x.err == c.err && sameError(x.cause, c.cause)
	case *passedOn:
		return c.caused(x.err)
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return c.caused(inner)
		}
	case interface{ Unwrap() []error }: // there may be an error among them that must not be lost
		for _, inner := range x.Unwrap() {
			if !c.caused(inner) {
				return false
			}
		}
		return len(x.Unwrap()) > 0
	}
	// An ErrTimeout without one is the report of another timeout, within.
	return errors.Is(err, c.err) && !errors.Is(err, ErrTimeout)
}

// Void adapts a function that returns only an error to where a function with a
// value is wanted.
func Void(f func(ctx context.Context) error) func(context.Context) (struct{}, error) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) }
}

func mustFunc(ok bool, fn string) {
	if !ok {
		panic(misuse(nil, "%s: the function is nil; pass the function to call", fn))
	}
}
