package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// groupIn is a function with a group of its own, which runs f.
func groupIn(f func(ctx context.Context, g *asyncio.TaskGroup) error) func(ctx context.Context) error {
	return func(ctx context.Context) error { return asyncio.Group(ctx, f) }
}

func TestGroupNested_ErrorOfTheOuterCancelsTheInner(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			outer.Go(groupError(time.Second, errBoom))
			err := asyncio.Group(ctx, func(_ context.Context, inner *asyncio.TaskGroup) error {
				groupTeller(s, inner, 1)
				return nil
			})
			s.add("inner: %v", err)
			return err
		})
		if err != errBoom {
			t.Errorf("the outer group returned %v", err)
		}
		return nil
	})
	s.want(t, "0: asyncio: cancelled: Task-1-1 failed: boom", "inner: asyncio: cancelled: Task-1-1 failed: boom")
}

func TestGroupNested_ErrorOfTheInnerIsOneOfTheOuter(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			outer.Go(groupCleanup(time.Second, errGroupOther))
			return asyncio.Group(ctx, func(_ context.Context, inner *asyncio.TaskGroup) error {
				inner.Go(groupError(time.Second, errBoom))
				inner.Go(sleepLong)
				return nil
			})
		})
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tboom\n\tother")
		return nil
	})
}

func TestGroupNested_HandledErrorOfTheInnerLeavesTheOuterAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var outerTask *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			outerTask = asyncio.SpawnIn(outer, groupValue(time.Minute, 5))
			err := asyncio.Group(ctx, func(_ context.Context, inner *asyncio.TaskGroup) error {
				inner.Go(fail)
				return nil
			})
			if err != errBoom {
				t.Errorf("the inner group returned %v", err)
			}
			return asyncio.Sleep(ctx, time.Second)
		})
		v, taskErr := outerTask.Result()
		if v != 5 {
			t.Errorf("the task of the outer group returned %d", v)
		}
		return errors.Join(err, taskErr)
	})
}

// anyio #37: what is cancelled by the outer group must not go on after its inner
// group, as if that had ended by itself.
func TestGroupNested_CancelOfTheOuterLeavesTheTaskOfTheInner(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			task = outer.Go(func(ctx context.Context) error {
				if err := groupIn(func(ctx context.Context, _ *asyncio.TaskGroup) error { return sleepLong(ctx) })(ctx); err != nil {
					return err
				}
				t.Error("the task went on")
				return nil
			})
			_ = asyncio.Yield(ctx)
			outer.Cancel()
			return nil
		})
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v", task.State())
		}
		return err
	})
}

func TestGroupNested_CancelOfTheInnerLeavesTheOuterAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var outerTask *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			outerTask = asyncio.SpawnIn(outer, groupValue(time.Minute, 5))
			err := asyncio.Group(ctx, func(ctx context.Context, inner *asyncio.TaskGroup) error {
				inner.Go(groupCanceller(inner))
				return sleepLong(ctx)
			})
			return errors.Join(err, asyncio.Sleep(ctx, time.Second))
		})
		v, taskErr := outerTask.Result()
		if v != 5 {
			t.Errorf("the task of the outer group returned %d", v)
		}
		return errors.Join(err, taskErr)
	})
}

// cpython gh-116720: both groups fail at once. The inner one's error is handled
// where it leaves the inner group; the cancellation by the outer group is still
// there and fails the next await.
func TestGroupNested_BothFailAtOnce(t *testing.T) {
	for _, innerFirst := range []bool{true, false} {
		failing := map[bool]string{true: "Task-1-2", false: "Task-1-1"}[innerFirst]
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, outer *asyncio.TaskGroup) error {
				err := asyncio.Group(ctx, func(_ context.Context, inner *asyncio.TaskGroup) error {
					if innerFirst {
						inner.Go(groupError(time.Second, errGroupOther))
					}
					outer.Go(groupError(time.Second, errBoom))
					if !innerFirst {
						inner.Go(groupError(time.Second, errGroupOther))
					}
					return nil
				})
				if err != errGroupOther {
					t.Errorf("the inner group returned %v", err)
				}
				err = sleepLong(ctx)
				wantErr(t, err, "asyncio: cancelled: "+failing+" failed: boom")
				return err
			})
			if err != errBoom {
				t.Errorf("the outer group returned %v", err)
			}
			return asyncio.Yield(ctx)
		})
	}
}

// Each group that a cancellation passes through returns it, and none turns it
// into an error of its own.
func TestGroupNested_CancellationPassesThroughMany(t *testing.T) {
	const depth = 50
	run(t, func(ctx context.Context) error {
		returned := 0
		var nest func(ctx context.Context, n int) error
		nest = func(ctx context.Context, n int) error {
			if n == 0 {
				return sleepLong(ctx)
			}
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				if n%2 == 0 {
					return nest(ctx, n-1)
				}
				g.Go(func(ctx context.Context) error { return nest(ctx, n-1) })
				return nil
			})
			returned++
			return err
		}
		top := asyncio.Go(ctx, func(ctx context.Context) error { return nest(ctx, depth) })
		_ = asyncio.Sleep(ctx, time.Second)
		top.Cancel(errBoom)
		_, err := top.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		if returned != depth || top.State() != asyncio.Cancelled {
			t.Errorf("%d of %d groups have returned, the task is %v", returned, depth, top.State())
		}
		return nil
	})
}

func TestGroupNested_ErrorsKeepTheirShape(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := groupIn(func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(0, errors.New("x")))
			g.Go(groupCleanup(time.Second, errors.New("y")))
			return nil
		})
		scope := groupCancelledLater(ctx, time.Second)
		err := asyncio.Group(scope, func(ctx context.Context, outer *asyncio.TaskGroup) error {
			outer.Go(inner)
			outer.Go(groupCleanup(time.Minute, errBoom))
			return sleepLong(ctx)
		})
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tasyncio: 2 tasks failed:\n\t\tx\n\t\ty\n\tboom")
		return nil
	})
}

// A group that the running task opens below the context of another one is
// cancelled by that context, and joined by the task that runs.
func TestGroupNested_BelowTheContextOfAnotherTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var theirs context.Context
		other := asyncio.Go(ctx, func(ctx context.Context) error { theirs = ctx; return sleepLong(ctx) })
		_ = asyncio.Yield(ctx)
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Group(theirs, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.Go(sleepLong)
				return nil
			})
			return fmt.Errorf("%w, and on it goes: %v", err, asyncio.Yield(ctx))
		})
		_ = asyncio.Yield(ctx)
		other.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom, and on it goes: <nil>")
		return nil
	})
}
