package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The wait of StartIn is over when f has ended; a call of started that comes
// later must not end another wait of the caller.
func TestStartIn_LateStartedWakesNobody(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			var late func(int)
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
				late = started
				return errBoom
			})
			if !errors.Is(err, errBoom) {
				t.Errorf("StartIn: %v", err)
			}
			var lock asyncio.Lock
			g.Go(func(ctx context.Context) error {
				return lock.Do(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
			})
			g.Go(func(ctx context.Context) error { _ = asyncio.Sleep(ctx, time.Second); late(1); return nil })
			_ = asyncio.Yield(ctx)
			_ = asyncio.Yield(ctx)
			l, _ := asyncio.RunningLoop(ctx)
			before := l.Now()
			if err := lock.Acquire(ctx); err != nil {
				return err
			}
			if got := l.Now().Sub(before); got != time.Hour {
				t.Errorf("Acquire returned after %v, while another task holds the lock", got)
			}
			if got := panicOf(lock.Release); got != "no panic" {
				t.Errorf("Release: %s", got)
			}
			return nil
		})
	})
}

// Cancelled first, started second, in one turn: the start did not happen.
func TestStartIn_CancelledBeforeStartedInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			sub, cancel := asyncio.WithCancel(ctx)
			ready := asyncio.NewFuture[int](ctx)
			ended := false
			g.Go(func(ctx context.Context) error {
				_ = asyncio.Sleep(ctx, time.Second)
				ready.SetResult(1)
				cancel() // the caller is interrupted now; the task runs before it does
				return nil
			})
			v, err := asyncio.StartIn(sub, g, func(ctx context.Context, started func(int)) error {
				defer func() { ended = true }()
				_, _ = ready.Await(ctx)
				started(1)
				return asyncio.Sleep(ctx, time.Hour)
			})
			if err != nil && !ended {
				t.Errorf("StartIn = %d, %v, and the task goes on", v, err)
			}
			return nil
		})
	})
}

// Cancelled first, failed second, in one turn: somebody must be told of the failure.
func TestStartIn_ErrorInTheTurnOfTheCancellationIsNotLost(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var startErr error
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			sub, cancel := asyncio.WithCancel(ctx)
			ready := asyncio.NewFuture[int](ctx)
			g.Go(func(ctx context.Context) error {
				_ = asyncio.Sleep(ctx, time.Second)
				ready.SetResult(1)
				cancel()
				return nil
			})
			_, startErr = asyncio.StartIn(sub, g, func(ctx context.Context, started func(int)) error {
				_, _ = ready.Await(ctx)
				return errBoom
			})
			return nil
		})
		if !errors.Is(err, errBoom) && !errors.Is(startErr, errBoom) {
			t.Errorf("the error is lost: Group: %v, StartIn: %v", err, startErr)
		}
		return nil
	})
}
