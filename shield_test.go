package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestShield_RunsToItsEndThenReportsTheCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		for name, early := range map[string]bool{"cancelled before": true, "cancelled inside": false} {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				if early {
					asyncio.CurrentTask(ctx).Cancel(errBoom)
				}
				return asyncio.Shield(ctx, func(ctx context.Context) (int, error) {
					if _, ok := ctx.Deadline(); ok || ctx.Err() != nil {
						t.Errorf("%s: Err inside is %v", name, ctx.Err())
					}
					// Nested shields, timeouts and operations without a ctx work inside.
					inner, err := asyncio.Shield(ctx, func(context.Context) (int, error) { return 8, asyncio.Sleep(l.Context(), time.Minute) })
					wantTimeout(t, name, asyncio.Timeout(ctx, time.Second, sleepLong), "asyncio: timed out after 1s")
					return inner, err
				})
			})
			turns(t, ctx, 1)
			task.Cancel(errBoom)
			v, err := task.Await(ctx)
			wantCancelled(t, name, err, errBoom)
			if v != 8 || task.State() != asyncio.Cancelled {
				t.Errorf("%s: value %v, state %v, want 8, cancelled", name, v, task.State())
			}
		}
		return err
	})
}

func TestShield_KeepsTheFunctionsErrorAndReportsTimeouts(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.Shield(ctx, stubborn(time.Second, 3, nil))
		if v != 3 || err != nil {
			t.Errorf("Shield = %v, %v, want 3, nil", v, err)
		}
		c, cancel := asyncio.WithCancel(ctx)
		cancel()
		if _, err := asyncio.Shield(c, func(context.Context) (int, error) { return 0, errBoom }); err != errBoom {
			t.Errorf("Shield under a cancellation = %v, want the function's own error", err)
		}
		v, err = asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) {
			return asyncio.Shield(ctx, func(ctx context.Context) (int, error) { return 4, asyncio.Sleep(ctx, time.Minute) })
		})
		wantTimeout(t, "WaitFor of a Shield", err, "asyncio: timed out after 1s")
		if v != 4 {
			t.Errorf("value is %v, want 4", v)
		}
		return nil
	})
}
