package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// groupOrders are the orders in which three things may happen in one turn.
var groupOrders = [][3]string{
	{"error", "outside", "Cancel"}, {"error", "Cancel", "outside"}, {"outside", "error", "Cancel"},
	{"outside", "Cancel", "error"}, {"Cancel", "error", "outside"}, {"Cancel", "outside", "error"},
}

// In one turn a task of the group is let go to its error, the group cancels itself,
// and it is cancelled from outside. If the task was let go first it fails; otherwise
// it was cancelled. The cancellation from outside is told in every order, by the group
// or by the next await.
func TestGroupRace_ErrorCancelAndCancellationFromOutside(t *testing.T) {
	for _, order := range groupOrders {
		for _, inJoin := range []bool{true, false} {
			for _, n := range []int{1, 2, 3} { // how many of them happen
				happens := order[:n]
				run(t, func(ctx context.Context) error {
					got, after := raceInGroup(ctx, happens, inJoin)
					wantGot, wantAfter := raceWant(happens)
					if got != wantGot || after != wantAfter {
						t.Errorf("%v, in the join %v: got %s, then %s\nwant %s, then %s",
							happens, inJoin, got, after, wantGot, wantAfter)
					}
					return nil
				})
			}
		}
	}
}

func raceInGroup(ctx context.Context, happens []string, inJoin bool) (got, after string) {
	scope, cancel := asyncio.WithCancelCause(ctx)
	defer cancel(nil)
	l, _ := asyncio.RunningLoop(ctx)
	err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
		event := &asyncio.Event{}
		g.Go(func(ctx context.Context) error {
			if err := event.Wait(ctx); err != nil {
				return err
			}
			return errGroupOther
		})
		happen := map[string]func(){"error": event.Set, "Cancel": g.Cancel, "outside": func() { cancel(errBoom) }}
		l.CallLater(time.Second, func() {
			for _, what := range happens {
				happen[what]()
			}
		})
		l.CallLater(time.Minute, event.Set) // if nothing else lets the task go
		if inJoin {
			return nil
		}
		return asyncio.Sleep(ctx, 2*time.Second)
	})
	return fmt.Sprint(err), fmt.Sprint(asyncio.Yield(scope))
}

func raceWant(happens []string) (got, after string) {
	got, after = "other", "<nil>"
	if happens[0] == "Cancel" {
		got = "<nil>"
	}
	for _, what := range happens {
		if what == "outside" {
			after = "asyncio: cancelled: boom"
		}
	}
	if happens[0] != "error" && after != "<nil>" {
		got = after
	}
	return got, after
}

// cpython gh-95289: f replaces or swallows the group's cancellation. Nothing of it is
// left after the group, and the error of f counts.
func TestGroupRace_CancellationThatIsReplacedInTheBody(t *testing.T) {
	for want, replace := range map[string]func(err error) error{
		"boom": func(error) error { return nil },
		"asyncio: 2 tasks failed:\n\tboom\n\tother": func(error) error { return errGroupOther },
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(fail)
				return replace(sleepLong(ctx))
			})
			wantErr(t, err, want)
			if ctx.Err() != nil {
				t.Errorf("after the group the task's context says %v", ctx.Err())
			}
			return asyncio.Sleep(ctx, time.Second)
		})
	}
}

// An error of the group and a cancellation of its task at the same time: the error is
// told by the group, the cancellation by the await after it, however the error is
// handled.
func TestGroupRace_ErrorHandledThenCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		event := &asyncio.Event{}
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					event.Set()
					_ = asyncio.Yield(ctx)
					return errBoom
				})
				return sleepLong(ctx)
			})
			if err != errBoom {
				t.Errorf("Group returned %v", err)
			}
			err = sleepLong(ctx)
			wantErr(t, err, "asyncio: cancelled: other")
			return err
		})
		if err := event.Wait(ctx); err != nil {
			return err
		}
		task.Cancel(errGroupOther)
		_, err := task.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: other")
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v", task.State())
		}
		return nil
	})
}

// cpython gh-155433: a cancellation from outside that comes after the group has
// cancelled itself, while it waits for a cleanup, must not be taken for its own.
func TestGroupRace_OutsideAfterItsOwnCancel(t *testing.T) {
	body := func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(time.Second, nil))
			err := asyncio.Sleep(ctx, 100*time.Millisecond)
			g.Cancel()
			return err
		})
	}
	run(t, func(ctx context.Context) error {
		wantTimeout(t, "Group in Timeout", asyncio.Timeout(ctx, 500*time.Millisecond, body), "asyncio: timed out after 500ms")
		task := asyncio.Go(ctx, body)
		_ = asyncio.Sleep(ctx, 500*time.Millisecond)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v", task.State())
		}
		return nil
	})
}

// anyio #1214: the deadline that the group stands under and a cancellation further out
// strike in the same turn. The deadline's is told as such, and the other one by the
// next await.
func TestGroupRace_DeadlineAndCancellationInTheSameTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Second, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(sleepLong)
				return sleepLong(ctx)
			}))
			wantTimeout(t, "Timeout", err, "asyncio: timed out after 1s")
			return asyncio.Yield(ctx)
		})
		_ = asyncio.Yield(ctx)
		l, err := asyncio.RunningLoop(ctx)
		l.CallLater(time.Second, func() { task.Cancel(errBoom) })
		_, cancelled := task.Await(ctx)
		wantErr(t, cancelled, "asyncio: cancelled: boom")
		return err
	})
}

// cpython gh-134471: a timeout that is over before it begins must not take an earlier
// cancellation for its own: the task of a cancelled group would fail.
func TestGroupRace_TimeoutOfZeroInACancelledGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			task = g.Go(func(ctx context.Context) error {
				_ = sleepLong(ctx)
				err := asyncio.Timeout(ctx, 0, func(context.Context) error { t.Error("it ran"); return nil })
				wantErr(t, err, "asyncio: cancelled: the group was cancelled")
				return err
			})
			_ = asyncio.Yield(ctx)
			g.Cancel()
			return nil
		})
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v", task.State())
		}
		return err
	})
}

// anyio #1075: a task that is notified and whose group is cancelled in the same turn
// keeps the notification, or another one gets it.
func TestGroupRace_NotificationIsNotLost(t *testing.T) {
	for want, happen := range map[string]func(c *asyncio.Cond, g *asyncio.TaskGroup){
		"inside: <nil>": func(c *asyncio.Cond, g *asyncio.TaskGroup) { c.Notify(1); g.Cancel() },
		"outside: <nil>; inside: asyncio: cancelled: the group was cancelled": func(c *asyncio.Cond, g *asyncio.TaskGroup) {
			g.Cancel()
			c.Notify(1)
		},
	} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			c := &asyncio.Cond{}
			wait := func(name string) func(ctx context.Context) error {
				return func(ctx context.Context) error {
					return c.Do(ctx, func(ctx context.Context) error {
						err := c.Wait(ctx)
						s.add("%s: %v", name, err)
						return err
					})
				}
			}
			var outside *asyncio.Task[struct{}]
			err := asyncio.Group(ctx, func(groupCtx context.Context, g *asyncio.TaskGroup) error {
				g.Go(wait("inside"))
				_ = asyncio.Yield(groupCtx)
				outside = asyncio.Go(ctx, wait("outside"))
				_ = asyncio.Yield(groupCtx)
				return c.Do(groupCtx, func(context.Context) error { happen(c, g); return nil })
			})
			turns(t, ctx, 3)
			s.want(t, want)
			outside.Cancel(nil)
			_, _ = outside.Await(ctx)
			return err
		})
	}
}

// anyio #1145: a task that is cancelled while it waits is no longer in the queue when
// the lock is released in the same step. Whoever stands behind it gets the lock, and
// who asks before it has run is not left behind it.
func TestGroupRace_CancelledWaitersLeaveTheQueue(t *testing.T) {
	for name, newDo := range map[string]func() doFunc{
		"lock":      func() doFunc { return new(asyncio.Lock).Do },
		"semaphore": func() doFunc { return asyncio.NewSemaphore(1).Do },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error { return leavingTheQueue(t, ctx, newDo(), "late") })
			run(t, func(ctx context.Context) error { return leavingTheQueue(t, ctx, newDo(), "behind", "late") })
		})
	}
}

// A doFunc is the Do of something that one task has at a time.
type doFunc func(ctx context.Context, f func(ctx context.Context) error) error

// leavingTheQueue cancels a group of tasks that wait for what do takes, gives that
// back, and wants it to go to the others, named, of which the last one comes then.
func leavingTheQueue(t *testing.T, ctx context.Context, do doFunc, others ...string) error {
	s := &story{}
	var tasks []*asyncio.Task[struct{}]
	other := func(name string) {
		tasks = append(tasks, asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, asyncio.Void(func(ctx context.Context) error {
			return do(ctx, func(context.Context) error { s.add("%s", name); return nil })
		})))
	}
	last := len(others) - 1
	err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
		err := do(ctx, func(ctx context.Context) error {
			for range 3 {
				g.Go(func(ctx context.Context) error { return do(ctx, nothing) })
			}
			turns(t, ctx, 1)
			for _, name := range others[:last] {
				other(name)
			}
			g.Cancel()
			return nil
		})
		other(others[last])
		return err
	})
	wait := func(ctx context.Context) error { return awaitEach(ctx, tasks...) }
	err = errors.Join(err, asyncio.Timeout(ctx, time.Hour, wait))
	s.want(t, others...)
	return err
}

// cpython gh-133747: a handler of the group's error that takes longer than the timeout
// around it is cancelled like any other code.
func TestGroupRace_TimeoutInTheHandlerOfTheError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, 100*time.Millisecond, func(ctx context.Context) error {
			err := groupIn(func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(fail); return nil })(ctx)
			if err != errBoom {
				t.Errorf("Group returned %v", err)
			}
			return asyncio.Sleep(ctx, time.Second)
		})
		wantTimeout(t, "Timeout", err, "asyncio: timed out after 100ms")
		return nil
	})
}

// From another goroutine the cancellation takes a turn longer; it is found by every
// await that begins after it.
func TestGroupRace_CancelledFromAnotherGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		scope, cancel := asyncio.WithCancelCause(ctx)
		err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
			running := g.Go(sleepLong)
			_, err := asyncio.Blocking(context.WithoutCancel(ctx), func(context.Context) (int, error) {
				cancel(errBoom)
				return 0, nil
			})
			late := g.Go(func(context.Context) error { t.Error("it ran"); return nil })
			_, _ = running.Await(context.WithoutCancel(ctx))
			_, _ = late.Await(context.WithoutCancel(ctx))
			return err
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		return nil
	})
}
