package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestStartIn_PanicBeforeStarted(t *testing.T) {
	var startErr error
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		_, startErr = asyncio.StartIn(context.WithoutCancel(ctx), g, func(ctx context.Context, _ func(int)) error {
			_ = asyncio.Yield(ctx)
			explode()
			return nil
		})
		return startErr
	})
	wantPanicError(t, value, "Task-1-1")
	wantPanicError(t, startErr, "Task-1-1")
	if len(log.Lines()) != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

func TestStartIn_PanicAfterStarted(t *testing.T) {
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		v, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
			started(1)
			_ = asyncio.Yield(ctx)
			explode()
			return nil
		})
		if v != 1 {
			t.Errorf("StartIn returned %d", v)
		}
		return err
	})
	wantPanicError(t, value, "Task-1-1")
	if len(log.Lines()) != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

// The group that StartIn is called in is cancelled: by itself, by an error, from
// outside. That is the cancellation which StartIn returns, and no further error.
func TestStartIn_GroupIsCancelledWhileItStarts(t *testing.T) {
	for want, cancel := range map[string]func(g *asyncio.TaskGroup) func(ctx context.Context) error{
		"<nil>": groupCanceller,
		"boom":  func(*asyncio.TaskGroup) func(ctx context.Context) error { return groupError(time.Second, errBoom) },
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(cancel(g))
				v, err := asyncio.StartIn(ctx, g, groupServer(time.Hour))
				wantCancelled(t, "StartIn", err, nil)
				if v != 0 || g.String() != "<TaskGroup cancelling>" && want == "<nil>" {
					t.Errorf("StartIn returned %d, and left %v", v, g)
				}
				return err
			})
			if got := groupErrText(err); got != want {
				t.Errorf("Group returned %s, want %s", got, want)
			}
			return asyncio.Yield(ctx)
		})
	}
}

func groupErrText(err error) string {
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}

// Who starts a task in a group that is cancelled meanwhile is not cancelled: for it
// that is an error like any other.
func TestStartIn_GroupOfAnotherIsCancelledWhileItStarts(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var other *asyncio.TaskGroup
		holder := asyncio.Go(ctx, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
			other = g
			return sleepLong(ctx)
		}))
		_ = asyncio.Yield(ctx)
		l, err := asyncio.RunningLoop(ctx)
		l.CallLater(time.Second, other.Cancel)
		groupErr := asyncio.Group(ctx, func(ctx context.Context, _ *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, other, groupServer(time.Minute))
			wantErr(t, err, "asyncio: cancelled: the group was cancelled")
			if ctx.Err() != nil {
				t.Errorf("the context of the caller says %v", ctx.Err())
			}
			return err
		})
		wantErr(t, groupErr, "asyncio: cancelled: the group was cancelled")
		_, holderErr := holder.Await(ctx)
		return errors.Join(err, holderErr, asyncio.Yield(ctx))
	})
}

func TestStartIn_InAGroupThatIsCancelledAlready(t *testing.T) {
	never := func(context.Context, func(int)) error { t.Error("it ran"); return nil }
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Cancel()
			for name, c := range map[string]context.Context{"of the group": ctx, "of its parent": context.WithoutCancel(ctx)} {
				_, err := asyncio.StartIn(c, g, never)
				if got := groupErrText(err); got != "asyncio: cancelled: the group was cancelled" {
					t.Errorf("with the context %s: StartIn returned %s", name, got)
				}
			}
			return nil
		})
	})
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			scope, cancel := asyncio.WithCancelCause(ctx)
			cancel(errBoom)
			_, err := asyncio.StartIn(scope, g, never)
			wantErr(t, err, "asyncio: cancelled: boom")
			if g.String() != "<TaskGroup>" {
				t.Errorf("the group is %v", g)
			}
			return nil
		})
	})
}

// In a limited group StartIn waits for its turn first.
func TestStartIn_InALimitedGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			g.Go(sleepLong)
			g.Go(sleeping(time.Second))
			past := took(t, ctx, func() {
				v, err := asyncio.StartIn(ctx, g, groupServer(time.Second))
				if v != 80 || err != nil {
					t.Errorf("StartIn returned %d, %v", v, err)
				}
			})
			if past != 2*time.Second {
				t.Errorf("it took %v", past)
			}
			g.Cancel()
			return nil
		})
	})
}

func TestStartIn_CancelledWhileItsTaskIsHeld(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n := &groupCount{}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			g.Go(n.work(time.Minute))
			past := took(t, ctx, func() {
				_, err := asyncio.StartIn(groupCancelledLater(ctx, time.Second), g, func(context.Context, func(int)) error {
					t.Error("it ran")
					return nil
				})
				wantErr(t, err, "asyncio: cancelled: boom")
			})
			if past != time.Second {
				t.Errorf("StartIn took %v", past)
			}
			for range 3 { // the limit is what it was
				g.Go(n.work(time.Minute))
			}
			return nil
		})
		if n.ran != 4 || n.most != 1 {
			t.Errorf("%d of %d ran at a time", n.most, n.ran)
		}
		return err
	})
}

func TestStartIn_UnderATimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) {
				return asyncio.StartIn(ctx, g, groupServer(time.Minute))
			})
			wantTimeout(t, "WaitFor", err, "asyncio: timed out after 1s")
			v, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) {
				return asyncio.StartIn(ctx, g, groupServer(0))
			})
			_ = asyncio.Sleep(ctx, time.Minute)
			if v != 80 || g.String() != "<TaskGroup tasks=1>" { // the timeout was for the start
				t.Errorf("started with %d in %v", v, g)
			}
			g.Cancel()
			return err
		})
	})
}

// The context of the caller is for the wait; the task has that of the group.
func TestStartIn_TaskLivesBelowTheGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			scope, cancel := asyncio.WithCancel(context.WithValue(ctx, key{}, 1))
			_, err := asyncio.StartIn(scope, g, func(ctx context.Context, started func(int)) error {
				if ctx.Value(key{}) != nil {
					t.Error("the task has a value of its caller's context")
				}
				started(1)
				return asyncio.Sleep(ctx, time.Minute)
			})
			cancel()
			return err
		})
	})
}

// In reports the task stands for the function that it was given.
func TestStartIn_TaskIsNamedAfterItsFunction(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, startNamed)
			l, loopErr := asyncio.RunningLoop(ctx)
			if tree := l.Tasks().String(); !strings.Contains(tree, "Task-1-1 (asyncio_test.startNamed) waits for Sleep") {
				t.Errorf("the tasks are\n%s", tree)
			}
			g.Cancel()
			return errors.Join(err, loopErr)
		})
	})
}

func startNamed(ctx context.Context, started func(int)) error {
	started(1)
	return sleepLong(ctx)
}

func TestStartIn_SeveralAtATime(t *testing.T) {
	run(t, func(ctx context.Context) error {
		sum := 0
		past := took(t, ctx, func() {
			err := asyncio.Group(ctx, func(ctx context.Context, servers *asyncio.TaskGroup) error {
				err := asyncio.Group(ctx, func(ctx context.Context, starting *asyncio.TaskGroup) error {
					for range 10 {
						starting.Go(func(ctx context.Context) error {
							v, err := asyncio.StartIn(ctx, servers, groupServer(time.Second))
							sum += v
							return err
						})
					}
					return nil
				})
				if servers.String() != "<TaskGroup tasks=10>" {
					t.Errorf("the group is %v", servers)
				}
				servers.Cancel()
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		if sum != 800 || past != time.Second {
			t.Errorf("sum %d after %v", sum, past)
		}
		return nil
	})
}

func TestStartIn_ShutdownWhileItStarts(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, _ func(int)) error {
				err := groupCleanup(time.Second, nil)(ctx)
				s.add("task: %v", err)
				return err
			})
			s.add("StartIn: %v", err)
			return err
		}))
		turns(t, ctx, 3)
		return nil
	})
	s.want(t, "task: asyncio: cancelled: the event loop is shutting down", "StartIn: asyncio: cancelled: the event loop is shutting down")
}
