package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A wait_for that raced with its result or with a cancellation lost one of them in
// asyncio, again and again: cpython gh-86296, bpo-37658, gh-87555. Here the function
// runs in the calling task, and each await in it has happened or not.

func TestWaitFor_TakesNoTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		count := countTurns(ctx)
		done := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, taskAnswer)
		before := count()
		for _, f := range []func(context.Context) (int, error){taskAnswer, done.Await} {
			if v, err := asyncio.WaitFor(ctx, 1, f); v != 42 || err != nil {
				t.Errorf("WaitFor = %v, %v, want 42", v, err)
			}
		}
		if n := count() - before; n != 0 {
			t.Errorf("it took %d turns, want none", n)
		}
		return nil
	})
}

// Awaiting does not own: asyncio's wait_for cancels the task, this one leaves it.
func TestWaitFor_ATaskGoesOnAfterTheTimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, later(time.Minute, 5, nil))
		_, err := asyncio.WaitFor(ctx, time.Second, task.Await)
		wantTimeout(t, "WaitFor", err, "asyncio: timed out after 1s")
		if task.Done() {
			t.Errorf("the task is %v", task)
		}
		v, err := asyncio.WaitFor(ctx, time.Hour, task.Await)
		if v != 5 {
			t.Errorf("WaitFor = %v, want 5", v)
		}
		return err
	})
}

// asyncio's test_wait_for_race_condition: the result comes at the very time of the
// deadline. Which of the two is first is a matter of which timer is; the future
// keeps its result in any case.
func TestWaitFor_ResultAtTheTimeOfTheDeadline(t *testing.T) {
	for _, resultFirst := range []bool{true, false} {
		onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
			f := asyncio.NewFuture[int](ctx)
			set := func() { l.CallLater(time.Second, func() { f.SetResult(3) }) }
			if resultFirst {
				set()
			}
			v, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) {
				if !resultFirst {
					set()
				}
				return f.Await(ctx)
			})
			// The callback runs in the turn after its timer, and the deadline strikes with it.
			wantTimeout(t, fmt.Sprint("resultFirst=", resultFirst), err, "asyncio: timed out after 1s")
			turns(t, ctx, 1)
			if got, err := f.Result(); v != 0 || got != 3 || err != nil {
				t.Errorf("WaitFor = %v; the future has %v, %v, want 3", v, got, err)
			}
			return nil
		})
	}
}

// What was set before the deadline struck is the result, though both are due in
// one turn.
func TestWaitFor_SetBeforeTheDeadlineStrikes(t *testing.T) {
	b := newBench()
	b.clock.Frozen = true
	err := b.Run(t.Context(), func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		asyncio.Go(ctx, func(context.Context) error {
			f.SetResult(3)
			b.clock.Advance(time.Hour) // and only now the deadline is over
			return nil
		})
		v, err := asyncio.WaitFor(ctx, time.Second, f.Await)
		if v != 3 {
			t.Errorf("WaitFor = %v, %v, want 3", v, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// cpython gh-86296, bpo-37658: the waiter is cancelled in the turn in which the
// result comes.
func TestWaitFor_CancelledInTheTurnOfTheResult(t *testing.T) {
	for _, resultFirst := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			f := asyncio.NewFuture[int](ctx)
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				v, err := asyncio.WaitFor(ctx, time.Hour, f.Await)
				wantCancelled(t, "the next await", asyncio.Yield(ctx), errBoom) // it is never lost
				return v, err
			})
			turns(t, ctx, 1)
			if resultFirst {
				f.SetResult(3)
			}
			task.Cancel(errBoom)
			if !resultFirst {
				f.SetResult(3)
			}
			v, err := task.Await(ctx)
			if resultFirst && (v != 3 || err != nil) {
				t.Errorf("WaitFor = %v, %v, want the result, which came first", v, err)
			}
			if !resultFirst {
				wantCancelled(t, "WaitFor", err, errBoom)
			}
			if v, err := f.Result(); v != 3 || err != nil {
				t.Errorf("the future has %v, %v, want 3", v, err)
			}
			return nil
		})
	}
}

// cpython gh-86296 as it was reported, by way of a task that the function awaits,
// and one that holds something for whoever gets it.
func TestWaitFor_ACancellationIsNeverHidden(t *testing.T) {
	for n := range 6 {
		s := &story{}
		run(t, func(ctx context.Context) error {
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				inner := asyncio.Spawn(ctx, taskAnswer)
				_, err := asyncio.WaitFor(ctx, 100*time.Second, inner.Await)
				s.add("%v", err == nil)
				if err := asyncio.Sleep(ctx, time.Hour); err != nil {
					return err
				}
				s.add("it went on")
				return nil
			})
			turns(t, ctx, n)
			task.Cancel(errBoom)
			_, err := task.Await(ctx)
			wantCancelled(t, fmt.Sprintf("cancelled after %d turns", n), err, errBoom)
			return nil
		})
		if n > 0 && (len(s.events) != 1 || s.events[0] != fmt.Sprint(n >= 2)) {
			t.Errorf("cancelled after %d turns: %v", n, s.events)
		}
	}
}

// bpo-32751: the wait for the condition has its lock again when WaitFor returns.
func TestWaitFor_WaitsForTheCleanup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		return c.Do(ctx, func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error { return c.Do(ctx, sleeping(time.Minute)) })
			past := took(t, ctx, func() {
				wantTimeout(t, "Cond.Wait", asyncio.Timeout(ctx, time.Second, c.Wait), "asyncio: timed out after 1s")
			})
			if past != time.Minute {
				t.Errorf("it took %v, want until the other has released the lock", past)
			}
			c.Notify(1) // panics unless this task holds the lock
			return nil
		})
	})
}

// asyncio's test_wait_for_self_cancellation: the function swallows the timeout, and
// is cancelled from outside later.
func TestWaitFor_TimeoutIsSwallowedThenCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		outer := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Second, func(inner context.Context) error {
				_ = asyncio.Sleep(inner, time.Hour)
				return asyncio.Sleep(ctx, time.Hour) // under the outer ctx, which the timeout does not reach
			})
			wantCancelled(t, "Timeout", err, errBoom)
			return err
		})
		past := took(t, ctx, func() {
			_ = asyncio.Sleep(ctx, time.Minute)
			outer.Cancel(errBoom)
			_, _ = outer.Await(ctx)
		})
		if past != time.Minute || outer.State() != asyncio.Cancelled {
			t.Errorf("the task is %v after %v", outer.State(), past)
		}
		return nil
	})
}

// A cancellation that is somebody else's result is no timeout, whether the deadline
// is over or not: asyncio's test_foreign_cancel_doesnt_timeout_if_not_expired.
func TestTimeout_ForeignCancellationIsPassedOn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		gone := asyncio.Go(ctx, sleepLong)
		gone.Cancel(errBoom)
		future := asyncio.NewFuture[int](ctx)
		future.Cancel(errSplash)
		for name, late := range map[string]bool{"in time": false, "late": true} {
			for _, c := range []struct {
				what  string
				await func(ctx context.Context) error
				cause error
			}{
				{"a task's", func(ctx context.Context) error { _, err := gone.Await(ctx); return err }, errBoom},
				{"a future's", func(ctx context.Context) error { _, err := future.Await(ctx); return err }, errSplash},
			} {
				err := asyncio.Timeout(ctx, time.Second, func(inner context.Context) error {
					if late {
						_ = sleepLong(inner)
					}
					return c.await(ctx)
				})
				wantCancelled(t, c.what+" cancellation "+name, err, c.cause)
			}
		}
		return nil
	})
}

// The loop was busy while both deadlines passed: asyncio's
// test_nested_timeouts_loop_busy.
func TestTimeout_BothStrikeWhileTheLoopIsBusy(t *testing.T) {
	for _, c := range []struct {
		outer, inner time.Duration
		innerStruck  bool
	}{{time.Second, 2 * time.Second, false}, {2 * time.Second, time.Second, true}} {
		b := newBench()
		err := b.Run(t.Context(), func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, c.outer, func(ctx context.Context) error {
				err := asyncio.Timeout(ctx, c.inner, func(ctx context.Context) error {
					b.clock.Advance(5 * time.Second)
					return sleepLong(ctx)
				})
				if errors.Is(err, asyncio.ErrTimeout) != c.innerStruck || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("outer %v, inner %v: the inner one returns %v", c.outer, c.inner, err)
				}
				return err
			})
			wantTimeout(t, "the outer one", err, "asyncio: timed out after 1s")
			return asyncio.Yield(ctx)
		})
		if err != nil || b.log.Text() != "" {
			t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
		}
	}
}

// asyncio's test_nested_timeout_in_finally: a cleanup with a timeout of its own,
// after the one around has struck.
func TestTimeout_InTheCleanupOfATimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var cleanup error
		past := took(t, ctx, func() {
			err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				defer func() { cleanup = asyncio.Timeout(context.WithoutCancel(ctx), 2*time.Second, sleepLong) }()
				return sleepLong(ctx)
			})
			wantTimeout(t, "the outer one", err, "asyncio: timed out after 1s")
		})
		wantTimeout(t, "that of the cleanup", cleanup, "asyncio: timed out after 2s")
		if past != 3*time.Second {
			t.Errorf("it took %v, want 3s", past)
		}
		return asyncio.Yield(ctx)
	})
}

// cpython gh-95289, gh-133747: a group that failed within a timeout has left no
// cancellation behind; the timeout strikes later, and says so.
func TestTimeout_StrikesAfterAGroupHasFailedInIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, 10*time.Second, func(ctx context.Context) error {
			for range 3 {
				if err := treeGroup(ctx, fail, sleepLong); err != errBoom {
					t.Errorf("Group = %v, want boom", err)
				}
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					t.Errorf("after the group an await fails: %v", err)
				}
			}
			return sleepLong(ctx)
		})
		wantTimeout(t, "Timeout", err, "asyncio: timed out after 10s")
		return asyncio.Yield(ctx)
	})
}

// cpython gh-155433: a group that was cancelled from within, and whose tasks take
// so long over it that the timeout around strikes.
func TestTimeout_StrikesWhileACancelledGroupEnds(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s := &story{}
		err := asyncio.Timeout(ctx, 500*time.Millisecond, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				asyncio.SpawnIn(g, dying(s, "worker", time.Second))
				_ = asyncio.Sleep(ctx, 100*time.Millisecond)
				g.Cancel()
				return nil
			})
		})
		wantTimeout(t, "Timeout", err, "asyncio: timed out after 500ms")
		s.want(t, "worker is gone")
		return asyncio.Yield(ctx)
	})
}

// asyncio's test_timeout_taskgroup: what the tasks say when the timeout cancels
// them is not thrown away.
func TestTimeout_AroundAGroupWhoseTasksFailWhenCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		cleanup := func(err error) func(ctx context.Context) error {
			return func(ctx context.Context) error { _ = sleepLong(ctx); return err }
		}
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			return treeGroup(ctx, sleepLong, cleanup(errBoom), cleanup(errSplash))
		})
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tboom\n\tsplash")
		err = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return treeGroup(ctx, sleepLong, sleepLong) })
		wantTimeout(t, "when they only end", err, "asyncio: timed out after 1s")
		return nil
	})
}

// asyncio's test_wait_concurrent_complete: all is done at the time of the deadline.
func TestWait_DoneAtTheTimeOfTheDeadline(t *testing.T) {
	run(t, func(ctx context.Context) error {
		w := &waiters{}
		w.add("a", asyncio.Spawn(ctx, later(time.Second, 1, nil)))
		w.add("b", asyncio.Spawn(ctx, later(15*time.Second, 2, nil)))
		turns(t, ctx, 1)
		got := ""
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) (err error) {
			got, err = w.wait(ctx, asyncio.AllDone)
			return err
		})
		wantTimeout(t, "Wait", err, "asyncio: timed out after 1s")
		if got != "a|b" && got != "|ab" { // a was woken, and has not run or has
			t.Errorf("Wait = %s", got)
		}
		_, err = w.wait(ctx, asyncio.AllDone)
		return err
	})
}
