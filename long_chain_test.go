package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The text of a task that waits must not grow with what that waits for in turn,
// or the snapshot of a chain of n awaits takes n³ bytes of copying.
func TestTask_StringOfAChainOfAwaitsIsShort(t *testing.T) {
	run(t, func(ctx context.Context) error {
		end := asyncio.NewFuture[int](ctx)
		var descend func(ctx context.Context, depth int) error
		descend = func(ctx context.Context, depth int) error {
			if depth == 0 {
				_, err := end.Await(ctx)
				return err
			}
			_, err := asyncio.Go(ctx, func(ctx context.Context) error { return descend(ctx, depth-1) }).Await(ctx)
			return err
		}
		top := asyncio.Go(ctx, func(ctx context.Context) error { return descend(ctx, 200) })
		_ = asyncio.Sleep(ctx, time.Second)
		if n := len(top.String()); n > 1000 {
			t.Errorf("String has %d bytes", n)
		}
		if n := len(top.WaitingFor()); n > 1000 {
			t.Errorf("WaitingFor has %d bytes", n)
		}
		end.SetResult(1)
		_, err := top.Await(ctx)
		return err
	})
}

func TestDeadlock_ErrorOfALongCircleIsNotSquare(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 200
		tasks := make([]*asyncio.Task[struct{}], n)
		for i := range n {
			tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error { _, err := tasks[(i+1)%n].Await(ctx); return err })
		}
		_, err := tasks[0].Await(ctx)
		var circle *asyncio.DeadlockError
		if !errors.As(err, &circle) || len(circle.Circle) != n {
			t.Errorf("error: %.200v", err)
		} else if size := len(err.Error()); size > 1000*n {
			t.Errorf("the error has %d bytes", size)
		}
		return nil
	})
}

// Who waits for a start and who awaits it in turn must not be told for ever.
func TestStartIn_CircleHasAString(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			var starts *asyncio.Task[struct{}]
			starts = g.Go(func(ctx context.Context) error {
				_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
					_ = asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
						_, err := starts.Await(ctx)
						return err
					})
					started(1)
					return nil
				})
				return err
			})
			_ = asyncio.Sleep(ctx, time.Second)
			if n := len(starts.String()); n > 1000 {
				t.Errorf("String has %d bytes", n)
			}
			return nil
		})
	})
}
