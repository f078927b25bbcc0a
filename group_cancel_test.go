package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// groupCancelledLater derives a scope that is cancelled with errBoom after d.
func groupCancelledLater(ctx context.Context, d time.Duration) context.Context {
	scope, cancel := asyncio.WithCancelCause(ctx)
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	l.CallLater(d, func() { cancel(errBoom) })
	return scope
}

// groupTeller starts n tasks in g that sleep until they are cancelled, and tell s.
func groupTeller(s *story, g *asyncio.TaskGroup, n int) {
	for i := range n {
		g.Go(func(ctx context.Context) error {
			err := sleepLong(ctx)
			s.add("%d: %v", i, err)
			return err
		})
	}
}

func TestGroupCancel_FromOutsideInTheBody(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		scope := groupCancelledLater(ctx, time.Second)
		err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
			groupTeller(s, g, 2)
			err := sleepLong(ctx)
			s.add("f: %v", err)
			return err
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		wantErr(t, asyncio.Yield(scope), "asyncio: cancelled: boom")
		return asyncio.Yield(ctx)
	})
	s.want(t, "f: asyncio: cancelled: boom", "0: asyncio: cancelled: boom", "1: asyncio: cancelled: boom")
}

func TestGroupCancel_FromOutsideInTheJoin(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		parent := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				groupTeller(s, g, 2)
				g.Go(groupCleanup(time.Minute, nil))
				return nil
			})
		})
		past := took(t, ctx, func() {
			_ = asyncio.Sleep(ctx, time.Second)
			parent.Cancel(errBoom)
			_, err := parent.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: boom")
		})
		if past != time.Minute+time.Second || parent.State() != asyncio.Cancelled {
			t.Errorf("after %v the parent is %v; it must wait for the cleanup", past, parent.State())
		}
		return nil
	})
	s.want(t, "0: asyncio: cancelled: boom", "1: asyncio: cancelled: boom")
}

func TestGroupCancel_OfOneTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var one *asyncio.Task[struct{}]
		var other *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			one = g.Go(sleepLong)
			_ = asyncio.Sleep(ctx, time.Second)
			one.Cancel(errBoom)
			other = asyncio.SpawnIn(g, groupValue(time.Second, 11))
			return asyncio.Yield(ctx)
		})
		v, otherErr := other.Result()
		if one.State() != asyncio.Cancelled || v != 11 {
			t.Errorf("the one is %v, the other returned %d", one.State(), v)
		}
		return errors.Join(err, otherErr)
	})
}

func TestGroupCancel_GroupLeavesWithoutAnError(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(ctx context.Context, g *asyncio.TaskGroup) error
		want string
	}{
		"f returns":              {func(_ context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return nil }, "<nil>"},
		"f awaits":               {func(ctx context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return sleepLong(ctx) }, "<nil>"},
		"f tells its context":    {func(ctx context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return ctx.Err() }, "<nil>"},
		"f fails":                {func(_ context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return errBoom }, "boom"},
		"twice":                  {func(ctx context.Context, g *asyncio.TaskGroup) error { g.Cancel(); g.Cancel(); return sleepLong(ctx) }, "<nil>"},
		"a task cancels":         {func(ctx context.Context, g *asyncio.TaskGroup) error { g.Go(groupCanceller(g)); return sleepLong(ctx) }, "<nil>"},
		"a task cancels at last": {func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(groupCanceller(g)); return nil }, "<nil>"},
		"a cleanup fails": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(time.Second, errBoom))
			_ = asyncio.Yield(ctx)
			g.Cancel()
			return nil
		}, "boom"},
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(sleepLong)
				return c.f(ctx, g)
			})
			if got := fmt.Sprint(err); got != c.want {
				t.Errorf("%s: Group returned %s, want %s", name, got, c.want)
			}
			return asyncio.Yield(ctx) // the caller is not cancelled
		})
	}
}

// groupCanceller is a task of g that cancels it.
func groupCanceller(g *asyncio.TaskGroup) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_ = asyncio.Yield(ctx)
		g.Cancel()
		return sleepLong(ctx)
	}
}

func TestGroupCancel_TellsTheCause(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			groupTeller(s, g, 1)
			_ = asyncio.Yield(ctx)
			g.Cancel()
			s.add("%v, %v", ctx.Err(), context.Cause(ctx))
			return nil
		})
	})
	s.want(t, "context canceled, the group was cancelled", "0: asyncio: cancelled: the group was cancelled")
}

func TestGroupCancel_AfterTheErrorChangesNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupError(0, errBoom))
			g.Go(groupCleanup(time.Second, errGroupOther))
			_ = sleepLong(ctx)
			g.Cancel()
			return nil
		})
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tboom\n\tother")
		return nil
	})
}

// In a cancelled group tasks are born cancelled: they never run, however they are
// started, and are no failures.
func TestGroupCancel_TasksStartedAfterItNeverRun(t *testing.T) {
	never := func(context.Context) (int, error) { t.Error("it ran"); return 0, errBoom }
	for name, cancel := range map[string]func(ctx context.Context, g *asyncio.TaskGroup){
		"by Cancel":    func(_ context.Context, g *asyncio.TaskGroup) { g.Cancel() },
		"by an error":  func(ctx context.Context, g *asyncio.TaskGroup) { g.Go(fail); _ = sleepLong(ctx) },
		"from outside": func(ctx context.Context, _ *asyncio.TaskGroup) { asyncio.CurrentTask(ctx).Cancel(errBoom) },
	} {
		run(t, func(ctx context.Context) error {
			var late []*asyncio.Task[int]
			parent := asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					cancel(ctx, g)
					late = append(late, asyncio.SpawnIn(g, never),
						asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, never))
					g.SetLimit(1)
					late = append(late, asyncio.SpawnIn(g, never), asyncio.SpawnIn(g, never))
					return nil
				})
			})
			_, err := parent.Await(ctx)
			for i, task := range late {
				if task.State() != asyncio.Cancelled {
					t.Errorf("%s: task %d is %v", name, i, task.State())
				}
			}
			switch {
			case name == "by Cancel" && err != nil, name == "by an error" && err != errBoom,
				name == "from outside" && !errors.Is(err, context.Canceled):
				t.Errorf("%s: the group returned %v", name, err)
			}
			return nil
		})
	}
}

// The body of a group that is entered cancelled runs up to its first await, and a
// group in which nobody had to be cancelled has not failed.
func TestGroupCancel_BeforeEntry(t *testing.T) {
	run(t, func(ctx context.Context) error {
		scope, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		began := false
		err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
			began = true
			g.Go(func(context.Context) error { t.Error("a task ran"); return nil })
			return asyncio.Yield(ctx)
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		if !began {
			t.Error("f did not begin")
		}
		return asyncio.Group(scope, func(context.Context, *asyncio.TaskGroup) error { return nil })
	})
}

// The end of a group is no cancellation point (anyio #1069): when all tasks have
// done what they had to, the group has, and the next await tells.
func TestGroupCancel_JoinIsNoCancellationPoint(t *testing.T) {
	run(t, func(ctx context.Context) error {
		scope := groupCancelledLater(ctx, time.Second)
		var task *asyncio.Task[int]
		err := asyncio.Group(scope, func(_ context.Context, g *asyncio.TaskGroup) error {
			task = asyncio.SpawnIn(g, stubborn(time.Minute, 7, nil))
			return nil
		})
		if v, taskErr := task.Result(); err != nil || v != 7 || taskErr != nil {
			t.Errorf("Group returned %v, the task %d, %v", err, v, taskErr)
		}
		wantErr(t, asyncio.Yield(scope), "asyncio: cancelled: boom")
		return nil
	})
}

func TestGroupCancel_IsInOrderOfCreation(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			inGroup := ctx
			for i := range 6 {
				g.Go(func(ctx context.Context) error {
					_ = asyncio.Sleep(ctx, time.Duration(6-i)*time.Millisecond) // so that they wait in another order
					if i%2 == 0 {
						ctx = inGroup
					}
					err := sleepLong(ctx)
					s.add("%d", i)
					return err
				})
			}
			_ = asyncio.Sleep(ctx, time.Second)
			asyncio.Go(ctx, func(context.Context) error { g.Cancel(); return nil })
			err := sleepLong(ctx)
			s.add("f")
			return err
		})
	})
	s.want(t, "f", "0", "1", "2", "3", "4", "5")
}

// A group ends although its tasks ignore that they are cancelled, or catch it.
func TestGroupCancel_IgnoredByATask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var ignoring, catching *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			ignoring = asyncio.SpawnIn(g, stubborn(time.Minute, 1, nil))
			catching = asyncio.SpawnIn(g, func(ctx context.Context) (int, error) {
				for range 3 { // every await fails from then on
					wantCancelled(t, "a caught await", sleepLong(ctx), nil)
				}
				return 2, nil
			})
			_ = asyncio.Sleep(ctx, time.Second)
			g.Cancel()
			return nil
		})
		a, errA := ignoring.Result()
		b, errB := catching.Result()
		if a != 1 || b != 2 {
			t.Errorf("results are %d and %d; what a task returns is its result", a, b)
		}
		return errors.Join(err, errA, errB)
	})
}

func TestGroupCancel_ErrorsAreNotSuppressed(t *testing.T) {
	for name, f := range map[string]func(ctx context.Context, g *asyncio.TaskGroup) error{
		"of tasks": func(ctx context.Context, g *asyncio.TaskGroup) error { // cpython gh-95704
			g.Go(groupCleanup(time.Second, errGroupOther))
			return sleepLong(ctx)
		},
		"of tasks in the join": func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(time.Second, errGroupOther))
			return nil
		},
		"of a task that fails during the cleanup of f": func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				_, err := stubborn(3*time.Second, 0, errGroupOther)(ctx)
				return err
			})
			return groupCleanup(time.Minute, nil)(ctx)
		},
		"of f": func(ctx context.Context, _ *asyncio.TaskGroup) error {
			_ = sleepLong(ctx)
			return errGroupOther
		},
	} {
		run(t, func(ctx context.Context) error {
			scope := groupCancelledLater(ctx, time.Second)
			err := asyncio.Group(scope, f)
			if !errors.Is(err, errGroupOther) || errors.Is(err, context.Canceled) {
				t.Errorf("%s: Group returned %v", name, err)
			}
			wantErr(t, asyncio.Yield(scope), "asyncio: cancelled: boom")
			return nil
		})
	}
}

// The cancellation that Group returns is the one from outside, with its cause, and not
// what the first task to end has made of it. What f makes of it is the caller's to say.
func TestGroupCancel_ReturnsTheCancellationFromOutside(t *testing.T) {
	bare := func(ctx context.Context) error { _ = sleepLong(ctx); return ctx.Err() }
	wrapped := func(ctx context.Context) error { return fmt.Errorf("wrapped: %w", sleepLong(ctx)) }
	for _, c := range []struct {
		task, f func(ctx context.Context) error
		want    string
	}{
		{bare, nothing, "asyncio: cancelled: boom"},
		{wrapped, nothing, "asyncio: cancelled: boom"},
		{bare, sleepLong, "asyncio: cancelled: boom"},
		{sleepLong, wrapped, "wrapped: asyncio: cancelled: boom"},
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(groupCancelledLater(ctx, time.Second), func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(c.task)
				g.Go(sleepLong)
				return c.f(ctx)
			})
			wantErr(t, err, c.want)
			return nil
		})
	}
}
