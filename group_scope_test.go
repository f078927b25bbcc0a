package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestGroupScope_WithoutCancelKeepsTheOutsideOut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *asyncio.Task[int]
		parent := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Group(context.WithoutCancel(ctx), func(ctx context.Context, g *asyncio.TaskGroup) error {
				task = asyncio.SpawnIn(g, groupValue(time.Minute, 7))
				return asyncio.Sleep(ctx, time.Second)
			})
			return errors.Join(err, asyncio.Yield(ctx))
		})
		_ = asyncio.Yield(ctx)
		parent.Cancel(errBoom)
		_, err := parent.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		if v, err := task.Result(); v != 7 || err != nil {
			t.Errorf("the task returned %d, %v", v, err)
		}
		return nil
	})
}

func TestGroupScope_WithoutCancelStillFailsAndCancelsItself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for want, f := range map[error]func(ctx context.Context, g *asyncio.TaskGroup) error{
			errBoom: func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(fail); return nil },
			nil:     func(ctx context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return sleepLong(ctx) },
		} {
			err := asyncio.Group(context.WithoutCancel(ctx), func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(sleepLong)
				return f(ctx, g)
			})
			if err != want {
				t.Errorf("Group returned %v, want %v", err, want)
			}
		}
		return nil
	})
}

func TestGroupScope_InsideShield(t *testing.T) {
	run(t, func(ctx context.Context) error {
		scope := groupCancelledLater(ctx, time.Second)
		v, err := asyncio.Shield(scope, func(ctx context.Context) (int, error) {
			var task *asyncio.Task[int]
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				task = asyncio.SpawnIn(g, groupValue(time.Minute, 7))
				return nil
			})
			v, taskErr := task.Result()
			return v, errors.Join(err, taskErr)
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		if v != 7 {
			t.Errorf("the task returned %d", v)
		}
		return nil
	})
}

// anyio #642: a shield in the body protects the body, not the tasks.
func TestGroupScope_ShieldInTheBodyLeavesTheTasksCancellable(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		scope, cancel := asyncio.WithCancelCause(ctx)
		err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
			groupTeller(s, g, 1)
			_, err := asyncio.Shield(ctx, func(ctx context.Context) (int, error) {
				_ = asyncio.Yield(ctx)
				cancel(errBoom)
				err := asyncio.Sleep(ctx, time.Second)
				s.add("f: %v", err)
				return 0, err
			})
			return err
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		return nil
	})
	s.want(t, "0: asyncio: cancelled: boom", "f: <nil>")
}

func TestGroupScope_TaskThatShieldsItsCleanup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		cleaned := false
		past := took(t, ctx, func() {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					cancelled := sleepLong(ctx)
					_, err := asyncio.Shield(ctx, func(ctx context.Context) (int, error) {
						return 0, asyncio.Sleep(ctx, time.Minute)
					})
					cleaned = err == cancelled
					return err
				})
				return groupError(time.Second, errBoom)(ctx)
			})
			if err != errBoom {
				t.Errorf("Group returned %v", err)
			}
		})
		if !cleaned || past != time.Minute+time.Second {
			t.Errorf("cleaned: %v, after %v", cleaned, past)
		}
		return nil
	})
}

func TestGroupScope_TimeoutAround(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inJoin := func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(sleepLong); return nil }
		inBody := func(ctx context.Context, g *asyncio.TaskGroup) error { g.Go(sleepLong); return sleepLong(ctx) }
		held := func(_ context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			g.Go(sleepLong)
			g.Go(sleepLong)
			return nil
		}
		for name, f := range map[string]func(ctx context.Context, g *asyncio.TaskGroup) error{
			"in the join": inJoin, "in the body": inBody, "with a limit": held,
		} {
			past := took(t, ctx, func() {
				wantTimeout(t, name, asyncio.Timeout(ctx, time.Second, groupIn(f)), "asyncio: timed out after 1s")
			})
			if past != time.Second {
				t.Errorf("%s: it took %v", name, past)
			}
		}
		return nil
	})
}

func TestGroupScope_TimeoutAroundKeepsTheErrorOfATask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, time.Second, groupIn(func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(sleepLong)
			g.Go(groupCleanup(time.Second, errBoom))
			return nil
		}))
		if err != errBoom {
			t.Errorf("Timeout returned %v; the cleanup has failed", err)
		}
		return nil
	})
}

// The timeout of a task is an error of the group, and not the timeout around it.
func TestGroupScope_TimeoutInATask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var sibling *asyncio.Task[struct{}]
		err := asyncio.Timeout(ctx, time.Hour, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { return asyncio.Timeout(ctx, time.Second, sleepLong) })
			sibling = g.Go(sleepLong)
			return nil
		}))
		wantTimeout(t, "Group", err, "asyncio: timed out after 1s")
		_, cancelled := sibling.Result()
		wantErr(t, cancelled, "asyncio: cancelled: Task-1-1 failed: asyncio: timed out after 1s")
		if errors.Is(cancelled, asyncio.ErrTimeout) || errors.Is(cancelled, context.DeadlineExceeded) {
			t.Error("the cancellation of the sibling matches the timeout of another")
		}
		return nil
	})
}

func TestGroupScope_TimeoutsAroundAndInside(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for inner, want := range map[time.Duration]string{
			time.Minute:     "asyncio: timed out after 1m0s",
			time.Hour:       "asyncio: timed out after 1h0m0s", // the outer one, which was there first
			100 * time.Hour: "asyncio: timed out after 1h0m0s",
		} {
			var task *asyncio.Task[struct{}]
			err := asyncio.Timeout(ctx, time.Hour, groupIn(func(_ context.Context, g *asyncio.TaskGroup) error {
				task = g.Go(func(ctx context.Context) error { return asyncio.Timeout(ctx, inner, sleepForDays) })
				return nil
			}))
			wantTimeout(t, inner.String(), err, want)
			if failed := task.State() == asyncio.Failed; failed != (inner < time.Hour) {
				t.Errorf("%v: the task is %v", inner, task.State())
			}
		}
		return nil
	})
}

func sleepForDays(ctx context.Context) error { return asyncio.Sleep(ctx, 1000*time.Hour) }

// What ends the body is no error of a group whose tasks go on.
func TestGroupScope_TimeoutInTheBody(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			task = asyncio.SpawnIn(g, groupValue(time.Minute, 7))
			_, err := asyncio.WaitFor(ctx, time.Second, task.Await)
			wantTimeout(t, "WaitFor", err, "asyncio: timed out after 1s")
			return nil
		})
		v, taskErr := task.Result()
		if v != 7 {
			t.Errorf("the task returned %d", v)
		}
		return errors.Join(err, taskErr)
	})
}

func TestGroupScope_BelowAStandardContext(t *testing.T) {
	for name, inJoin := range map[string]bool{"in the join": true, "in the body": false} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			std, cancel := context.WithCancelCause(ctx)
			l, err := asyncio.RunningLoop(ctx)
			l.CallLater(time.Second, func() { cancel(errBoom) })
			groupErr := asyncio.Group(std, func(ctx context.Context, g *asyncio.TaskGroup) error {
				groupTeller(s, g, 2)
				if inJoin {
					return nil
				}
				return sleepLong(ctx)
			})
			wantErr(t, groupErr, "asyncio: cancelled: boom")
			wantErr(t, asyncio.Yield(std), "asyncio: cancelled: boom")
			return errors.Join(err, asyncio.Yield(ctx))
		})
		if len(s.events) != 2 {
			t.Errorf("%s: happened: %v", name, s.events)
		}
	}
}

// As gh-155433, where what is outside is a context of the standard library.
func TestGroupScope_StandardContextAfterItsOwnCancel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		std, cancel := context.WithCancelCause(ctx)
		err := asyncio.Group(std, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(time.Minute, nil))
			_ = asyncio.Yield(ctx)
			g.Cancel()
			cancel(errBoom)
			return nil
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		return nil
	})
}

func TestGroupScope_StandardContextsDeriveFromIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var fromBody, fromTask context.Context
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			std, cancel := context.WithCancel(ctx)
			defer cancel()
			fromBody = context.WithValue(std, key{}, 1)
			g.Go(func(ctx context.Context) error {
				fromTask = context.WithValue(ctx, key{}, 2)
				return asyncio.Sleep(fromBody, time.Hour) // of the body, but below the same group
			})
			_ = asyncio.Yield(ctx)
			g.Cancel()
			for name, c := range map[string]context.Context{"body": fromBody, "task": fromTask} {
				if c.Err() != context.Canceled || context.Cause(c).Error() != "the group was cancelled" {
					t.Errorf("%s: the context says %v, %v", name, c.Err(), context.Cause(c))
				}
			}
			return nil
		})
		return err
	})
}

// The cancellation reaches the tasks and the context at once, not at the next turn:
// whoever looks sees it (anyio #787).
func TestGroupScope_ErrorCancelsAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			sibling := g.Go(func(context.Context) error { t.Error("the sibling ran"); return nil })
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, taskFail)
			if ctx.Err() != context.Canceled {
				t.Errorf("the context of f says %v", ctx.Err())
			}
			if sibling.Cancel(nil) {
				t.Error("the sibling was not cancelled yet")
			}
			return nil
		})
		if err != errBoom {
			t.Errorf("Group returned %v", err)
		}
		return nil
	})
}

// What takes no ctx, as the Read of a connection, obeys the group in f, and no longer
// after it.
func TestGroupScope_IsWhatOperationsWithoutAContextObey(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		task := l.Context()
		groupErr := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			if l.Context() != ctx {
				t.Errorf("in f the innermost context is %v", l.Context())
			}
			g.Go(func(ctx context.Context) error {
				if l.Context() != ctx {
					t.Errorf("in the task the innermost context is %v", l.Context())
				}
				return nil
			})
			return nil
		})
		value := groupPanicValue(func() {
			_ = asyncio.Group(ctx, func(context.Context, *asyncio.TaskGroup) error { panic(errBoom) })
		})
		if value != errBoom || l.Context() != task {
			t.Errorf("after the groups the innermost context is %v", l.Context())
		}
		return errors.Join(err, groupErr)
	})
}
