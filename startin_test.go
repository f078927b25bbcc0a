package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// groupServer is a function for StartIn that starts with the value 80 after d, and
// then runs until it is cancelled.
func groupServer(d time.Duration) func(ctx context.Context, started func(int)) error {
	return func(ctx context.Context, started func(int)) error {
		if err := asyncio.Sleep(ctx, d); err != nil {
			return err
		}
		started(80)
		return sleepLong(ctx)
	}
}

func TestStartIn_ReturnsTheValueAndLetsTheTaskGoOn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			past := took(t, ctx, func() {
				v, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
					_ = asyncio.Sleep(ctx, time.Second)
					s.add("listens")
					started(80)
					s.add("goes on")
					defer s.add("has ended")
					return sleepLong(ctx)
				})
				s.add("started with %v, %v", v, err)
			})
			if past != time.Second || g.String() != "<TaskGroup tasks=1>" {
				t.Errorf("after %v the group is %v", past, g)
			}
			g.Cancel()
			return nil
		})
	})
	s.want(t, "listens", "goes on", "started with 80, <nil>", "has ended")
}

// The task may be done before StartIn gets to return.
func TestStartIn_TaskThatEndsOnceItHasStarted(t *testing.T) {
	for name, want := range map[string]error{"succeeds": nil, "fails": errBoom} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				v, err := asyncio.StartIn(ctx, g, func(_ context.Context, started func(string)) error {
					started("ready")
					return want
				})
				if v != "ready" || err != nil {
					t.Errorf("%s: StartIn returned %q, %v", name, v, err)
				}
				return nil
			})
			if err != want {
				t.Errorf("%s: the error after started is the group's, which returned %v", name, err)
			}
			return nil
		})
	}
}

func TestStartIn_ErrorBeforeStartedIsNotTheGroups(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var other *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			other = asyncio.SpawnIn(g, groupValue(time.Minute, 7))
			v, err := asyncio.StartIn(ctx, g, func(ctx context.Context, _ func(int)) error { return groupError(time.Second, errBoom)(ctx) })
			if v != 0 || err != errBoom {
				t.Errorf("StartIn returned %d, %v", v, err)
			}
			return asyncio.Yield(ctx) // the group goes on
		})
		v, taskErr := other.Result()
		if v != 7 {
			t.Errorf("the other task returned %d", v)
		}
		return errors.Join(err, taskErr)
	})
}

func TestStartIn_ErrorOfStartInMayBecomeTheGroups(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, func(context.Context, func(int)) error { return errBoom })
			return err
		})
		if err != errBoom {
			t.Errorf("Group returned %v, want the error once", err)
		}
		return nil
	})
}

func TestStartIn_TaskThatNeverStarts(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, func(context.Context, func(int)) error { return nil })
			if err == nil || !strings.HasPrefix(err.Error(), "asyncio: StartIn: <Task finished name='Task-1-1' coro=asyncio_test.") ||
				!strings.HasSuffix(err.Error(), "> has returned without a call of started") {
				t.Errorf("StartIn returned %v", err)
			}
			return asyncio.Yield(ctx)
		})
	})
}

func TestStartIn_StartedTwice(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context) error{"at once": nothing, "later": asyncio.Yield} {
		run(t, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				v, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
					started(1)
					err := wait(ctx)
					text := panicOf(func() { started(2) })
					if !strings.HasPrefix(text, "asyncio: StartIn: <Task pending name='Task-1-1' coro=asyncio_test.") ||
						!strings.HasSuffix(text, "> calls started a second time; call it once, when it is ready") {
						t.Errorf("%s: panic is %s", name, text)
					}
					return err
				})
				if v != 1 {
					t.Errorf("%s: StartIn returned %d", name, v)
				}
				return err
			})
		})
	}
}

// started may be handed on. Once the task has ended it starts nothing, and must not
// disturb another wait of the task that called StartIn.
func TestStartIn_StartedAfterTheTaskHasEnded(t *testing.T) {
	for name, end := range map[string]error{"succeeded": nil, "failed": errBoom} {
		run(t, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				var late func(int)
				_, err := asyncio.StartIn(ctx, g, func(_ context.Context, started func(int)) error {
					late = started
					return end
				})
				if err == nil || end != nil && err != end {
					t.Errorf("%s: StartIn returned %v", name, err)
				}
				l, err := asyncio.RunningLoop(ctx)
				l.CallLater(time.Second, func() { late(1) })
				past := took(t, ctx, func() { err = errors.Join(err, asyncio.Sleep(ctx, time.Minute)) })
				if past != time.Minute {
					t.Errorf("%s: a call of started has ended the Sleep that followed, after %v", name, past)
				}
				return err
			})
		})
	}
}

func TestStartIn_StartedByAnotherTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			v, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
				g.Go(func(ctx context.Context) error {
					err := asyncio.Sleep(ctx, time.Second)
					started(7)
					return err
				})
				return asyncio.Sleep(ctx, time.Minute)
			})
			if v != 7 {
				t.Errorf("StartIn returned %d", v)
			}
			return err
		})
	})
}

func TestStartIn_StartedFromAnotherGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		groupErr := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
				_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
					want := "asyncio: started: called from a goroutine that does not run " + loopName(t, l) +
						"; from other goroutines use Loop.CallSoon or Submit"
					if got := panicOf(func() { started(1) }); got != want {
						t.Errorf("panic is %s\nwant     %s", got, want)
					}
					return 0, nil
				})
				started(2)
				return err
			})
			return err
		})
		return errors.Join(err, groupErr)
	})
}

// anyio #685, #710: the cancellation of StartIn ends its task, and neither the group
// that the task is for nor what else runs there.
func TestStartIn_CancelledWhileItStarts(t *testing.T) {
	for _, derive := range []func(ctx context.Context, d time.Duration) context.Context{groupCancelledLater, groupStdCancelledLater} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			var other *asyncio.Task[int]
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				other = asyncio.SpawnIn(g, groupValue(time.Hour, 7))
				past := took(t, ctx, func() {
					_, err := asyncio.StartIn(derive(ctx, time.Second), g, func(ctx context.Context, _ func(int)) error {
						err := groupCleanup(time.Minute, nil)(ctx)
						s.add("task ends")
						return err
					})
					s.add("StartIn: %v", err)
				})
				if past != time.Minute+time.Second {
					t.Errorf("StartIn took %v, want to wait for the cleanup", past)
				}
				return asyncio.Yield(ctx)
			})
			v, taskErr := other.Result()
			if v != 7 {
				t.Errorf("the other task returned %d", v)
			}
			return errors.Join(err, taskErr)
		})
		s.want(t, "task ends", "StartIn: asyncio: cancelled: boom")
	}
}

// groupStdCancelledLater is groupCancelledLater with a context of the standard library.
func groupStdCancelledLater(ctx context.Context, d time.Duration) context.Context {
	std, cancel := context.WithCancelCause(ctx)
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	l.CallLater(d, func() { cancel(errBoom) })
	return std
}

func TestStartIn_CancelledByTheInnerOfTwoGroups(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var other *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, runs *asyncio.TaskGroup) error {
			other = asyncio.SpawnIn(runs, groupValue(time.Minute, 7))
			return asyncio.Group(ctx, func(ctx context.Context, starts *asyncio.TaskGroup) error {
				starts.Go(groupCanceller(starts))
				_, err := asyncio.StartIn(ctx, runs, groupServer(time.Hour))
				wantErr(t, err, "asyncio: cancelled: the group was cancelled")
				return err
			})
		})
		v, taskErr := other.Result()
		if v != 7 {
			t.Errorf("the other task returned %d", v)
		}
		return errors.Join(err, taskErr)
	})
}

// When StartIn is cancelled, nobody but the group can be told of an error of the
// cleanup.
func TestStartIn_ErrorOfTheCleanupIsTheGroups(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(groupCancelledLater(ctx, time.Second), g, func(ctx context.Context, _ func(int)) error {
				return groupCleanup(time.Second, errGroupOther)(ctx)
			})
			wantErr(t, err, "asyncio: cancelled: boom")
			return nil
		})
		if err != errGroupOther {
			t.Errorf("Group returned %v", err)
		}
		return nil
	})
}

// anyio #706: a task that does not notice its cancellation before it has started is
// not to blame, and calls started for nobody.
func TestStartIn_StartedAfterTheCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var ended error
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			v, err := asyncio.StartIn(groupCancelledLater(ctx, time.Second), g, func(ctx context.Context, started func(int)) error {
				_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Minute)
				started(80)
				ended = sleepLong(ctx)
				return ended
			})
			if v != 0 || !errors.Is(err, errBoom) {
				t.Errorf("StartIn returned %d, %v", v, err)
			}
			return nil
		})
		wantCancelled(t, "the task", ended, errBoom)
		return err
	})
}

// In one turn the task is let go to its call of started, and StartIn is cancelled. Either
// the task has started and goes on, or StartIn fails and it is gone.
func TestStartIn_StartedAndCancelledInTheSameTurn(t *testing.T) {
	for name, startedFirst := range map[string]bool{"let go first": true, "cancelled first": false} {
		run(t, func(ctx context.Context) error {
			var server asyncio.AnyTask
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				scope, cancel := asyncio.WithCancelCause(ctx)
				l, err := asyncio.RunningLoop(ctx)
				event := &asyncio.Event{}
				l.CallLater(time.Second, func() {
					if startedFirst {
						event.Set()
						cancel(errBoom)
					} else {
						cancel(errBoom)
						event.Set()
					}
				})
				v, startErr := asyncio.StartIn(scope, g, func(ctx context.Context, started func(int)) error {
					server = asyncio.CurrentTask(ctx)
					err := event.Wait(ctx)
					started(80)
					return errors.Join(err, sleepLong(ctx))
				})
				if runs := !server.Done(); runs != (startErr == nil) || runs != (v == 80) {
					t.Errorf("%s: StartIn returned %d, %v, the task runs: %v", name, v, startErr, runs)
				}
				if startErr != nil {
					wantErr(t, startErr, "asyncio: cancelled: boom")
				}
				g.Cancel()
				return err
			})
		})
	}
}

// As above with a task that fails: its error is told once, by StartIn or by the group.
func TestStartIn_FailedAndCancelledInTheSameTurn(t *testing.T) {
	for name, failedFirst := range map[string]bool{"let go first": true, "cancelled first": false} {
		run(t, func(ctx context.Context) error {
			var startErr error
			groupErr := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				scope, cancel := asyncio.WithCancel(ctx)
				l, err := asyncio.RunningLoop(ctx)
				event := &asyncio.Event{}
				l.CallLater(time.Second, func() {
					if !failedFirst {
						cancel()
					}
					event.Set()
					cancel()
				})
				_, startErr = asyncio.StartIn(scope, g, func(ctx context.Context, _ func(int)) error {
					return errors.Join(event.Wait(ctx), errGroupOther)
				})
				return err
			})
			if startErr == nil || errors.Is(startErr, errGroupOther) == errors.Is(groupErr, errGroupOther) {
				t.Errorf("%s: StartIn returned %v, Group %v", name, startErr, groupErr)
			}
			return nil
		})
	}
}
