package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The cancellation of a standard context takes a goroutine to arrive at the loop. An
// await that begins after it fails all the same, however far below and wherever the
// scope has moved in the meantime.

// underStd runs f below a standard context, with the function that cancels that.
func underStd(t *testing.T, f func(ctx context.Context, cancel func()) error) {
	t.Helper()
	noLeaks(t)
	std, cancel := context.WithCancelCause(context.Background())
	b := newBench()
	err := b.Run(std, func(ctx context.Context) error { return f(ctx, func() { cancel(errBoom) }) })
	cancel(nil)
	wantCancelled(t, "Run", err, errBoom)
	if got := b.log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

func TestOnItsWay_SeenFarBelow(t *testing.T) {
	const depth = 3000
	underStd(t, func(ctx context.Context, cancel func()) error {
		failed := 0
		var nest func(ctx context.Context, n int) error
		nest = func(ctx context.Context, n int) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				if n == 0 {
					cancel()
				} else {
					g.Go(func(ctx context.Context) error { return nest(ctx, n-1) })
				}
				err := asyncio.Yield(ctx)
				if n == 0 {
					wantCancelled(t, "the await after it", err, errBoom)
				}
				if err == nil {
					err = sleepLong(ctx)
				}
				failed++
				return err
			})
		}
		err := nest(ctx, depth)
		if failed != depth+1 {
			t.Errorf("%d awaits failed, want %d", failed, depth+1)
		}
		return err
	})
}

// A task that has ended leaves what it started to the scope above or, where that is a
// standard context, to that.
func TestOnItsWay_SeenWhereScopesHaveMoved(t *testing.T) {
	for name, stays := range map[string][]bool{
		"all above have ended":     {false, false, false},
		"the outermost has ended":  {false, true, true},
		"the one between":          {true, false, true},
		"the innermost":            {true, true, false},
		"the two outermost":        {false, false, true},
		"only the outermost stays": {true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				std, cancel := context.WithCancelCause(ctx)
				looked := 0
				last := func(ctx context.Context) error {
					return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
						turns(t, ctx, len(stays)) // those above have ended
						fresh := g.Go(func(context.Context) error { t.Error("it ran"); return nil })
						cancel(errBoom)
						err := asyncio.Yield(ctx)
						wantCancelled(t, "the await after it", err, errBoom)
						_, freshErr := fresh.Await(context.WithoutCancel(ctx))
						wantCancelled(t, "a task that had not begun", freshErr, errBoom)
						looked++
						return err
					})
				}
				var start func(ctx context.Context, stays []bool)
				start = func(ctx context.Context, stays []bool) {
					if len(stays) == 0 {
						asyncio.Go(ctx, last)
						return
					}
					asyncio.Go(ctx, func(ctx context.Context) error {
						start(ctx, stays[1:])
						if stays[0] {
							return sleepLong(ctx)
						}
						return nil
					})
				}
				start(std, stays)
				err := asyncio.Sleep(ctx, time.Minute)
				if looked != 1 {
					t.Errorf("the last task looked %d times", looked)
				}
				return err
			})
		})
	}
}
