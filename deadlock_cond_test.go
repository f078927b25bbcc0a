package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A condition's re-acquire of its lock is a join: it must not fail. And locks
// that nobody can release any more.

// condWaiter is a task that holds l and waits for c; it says how that went.
func condWaiter(ctx context.Context, s *story, l *asyncio.Lock, c *asyncio.Cond) *asyncio.Task[struct{}] {
	return startAs(ctx, "waiter", func(ctx context.Context) error {
		return l.Do(ctx, func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				s.add("waiter %v", c.Wait(ctx))
				return nil
			})
		})
	})
}

func TestDeadlock_NotifiedWaiterHoldsWhatTheNotifierWants(t *testing.T) {
	s := &story{}
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		var c asyncio.Cond
		waiter := condWaiter(ctx, s, &l, &c)
		notifier := startAs(ctx, "notifier", func(ctx context.Context) error {
			turns(t, ctx, 2)
			return c.Do(ctx, func(ctx context.Context) error {
				c.Notify(1)
				s.add("notifier fails")
				wantDeadlock(t, l.Acquire(ctx), "notifier waits for <Lock-3 locked by waiter>, held by waiter, "+
					"which waits for <Lock-2 locked by notifier waiters=1>, held by notifier")
				return nil
			})
		})
		return allOf(ctx, waiter, notifier)
	})
	s.want(t, "notifier fails", "waiter <nil>")
}

// The waiter is cancelled and must have its lock again, which somebody holds who
// waits for what the waiter holds: that one fails.
func TestDeadlock_CancelledWaiterMustHaveItsLockAgain(t *testing.T) {
	s := &story{}
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		var c asyncio.Cond
		waiter := condWaiter(ctx, s, &l, &c)
		other := startAs(ctx, "other", func(ctx context.Context) error {
			turns(t, ctx, 2)
			return c.Do(ctx, func(ctx context.Context) error {
				wantDeadlock(t, l.Acquire(ctx), "other waits for <Lock-3 locked by waiter waiters=1>, held by waiter, "+
					"which waits for <Lock-2 locked by other>, held by other")
				s.add("other fails")
				return nil
			})
		})
		turns(t, ctx, 5)
		s.add("cancel")
		waiter.Cancel(errBoom)
		_, err := other.Await(ctx)
		_, _ = waiter.Await(ctx)
		if l.Locked() {
			t.Errorf("%v is left", &l)
		}
		return err
	})
	s.want(t, "cancel", "other fails", "waiter asyncio: cancelled: boom")
}

// Nobody can be told of a circle in which all waits are joins. It is reported, and
// ends with the loop.
func TestDeadlock_OfJoinsAloneIsReported(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(context.Background(), func(ctx context.Context) error {
		var c asyncio.Cond
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { return c.Do(ctx, c.Wait) })
			turns(t, ctx, 1)
			_ = c.Acquire(ctx)
			c.Notify(1)
			return nil // without a Release
		})
	})
	const circle = "asyncio: deadlock: this wait would never end: Task-1 waits for <TaskGroup tasks=1>, held by Task-1-1, " +
		"which waits for <Lock-2 locked by Task-1 waiters=1>, held by Task-1"
	if b.log.Count("ERROR asyncio: Deadlock: a circle of waits that cannot fail", "exception="+circle) != 1 {
		t.Errorf("the circle was not reported:\n%s", b.log.Text())
	}
	if b.log.Count("ERROR asyncio: Deadlock: every task waits and nothing can wake them",
		"  in a circle: Task-1 → Task-1-1 → Task-1") != 1 {
		t.Errorf("the end was not reported:\n%s", b.log.Text())
	}
	var se *asyncio.ShutdownError
	if !errors.Is(err, asyncio.ErrDeadlock) || !errors.As(err, &se) || len(se.Left) != 2 {
		t.Errorf("Run = %v, want ErrDeadlock and the two that were left", err)
	}
}

func TestDeadlock_LockOfATaskThatHasEnded(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(context.Background(), func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		owner := startAs(ctx, "owner", func(ctx context.Context) error {
			_ = l.Acquire(ctx)
			return asyncio.Sleep(ctx, time.Second) // and no Release
		})
		early := startAs(ctx, "early", func(ctx context.Context) error {
			err := l.Acquire(ctx)
			wantErr(t, err, "asyncio: deadlock: this wait would never end: early waits for "+
				"<Lock-1 locked by owner waiters=1>, held by owner, which has ended")
			var de *asyncio.DeadlockError
			if !errors.As(err, &de) || len(de.Circle) != 2 || de.Circle[0].Task.Name() != "early" ||
				de.Circle[1].Task != asyncio.AnyTask(owner) || de.Circle[1].WaitingFor != "" {
				t.Errorf("the circle is %v", de)
			}
			return nil
		})
		if err := allOf(ctx, owner, early); err != nil {
			return err
		}
		for range 2 {
			err := l.Acquire(ctx)
			wantErr(t, err, "asyncio: deadlock: this wait would never end: Task-1 waits for "+
				"<Lock-1 locked by owner>, held by owner, which has ended")
			if !errors.Is(err, asyncio.ErrDeadlock) {
				t.Errorf("%v does not match ErrDeadlock", err)
			}
		}
		return nil
	})
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Lock was never released",
		"name='owner'", "object=<Lock-1 locked by owner>") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

// A cancellation in the turn in which the wait has failed changes nothing of it,
// nor the other way round.
func TestDeadlock_FailedAndCancelledInOneTurn(t *testing.T) {
	for name, cancelFirst := range map[string]bool{"cancelled first": true, "failed first": false} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 100)
			var l asyncio.Lock
			_ = l.Acquire(ctx)
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				child := g.Go(func(ctx context.Context) error {
					err := l.Acquire(ctx)
					if errors.Is(err, asyncio.ErrDeadlock) == cancelFirst {
						t.Errorf("%s: Acquire = %v", name, err)
					}
					wantCancelled(t, name+", the next await", asyncio.Yield(ctx), nil)
					return nil
				})
				turns(t, ctx, 2)
				l, err := asyncio.RunningLoop(ctx)
				if cancelFirst {
					child.Cancel(nil)
				} else {
					l.CallSoon(func() { child.Cancel(nil) }) // the join that follows at once fails the child's wait
				}
				return err
			})
			l.Release()
			return err
		})
	}
}

// Code that ignores the error is told again, and does not hang.
func TestDeadlock_IsToldAgainAndAgain(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		n := 0
		err := l.Do(ctx, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					for range 20 {
						if err := l.Acquire(ctx); errors.Is(err, asyncio.ErrDeadlock) {
							n++
						}
						_ = asyncio.Yield(ctx)
					}
					return nil
				})
				return nil
			})
		})
		if n != 20 {
			t.Errorf("%d of 20 waits have failed", n)
		}
		return err
	})
}

// The words of the error for a circle with a task in it that several things are
// waited of.
func TestDeadlock_TextNamesTheNextOfTheCircleOnly(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, taskAnswer, taskAnswer, func(ctx context.Context) (int, error) {
				err := l.Acquire(ctx)
				if !strings.HasSuffix(err.Error(), ", which waits for <Gather tasks=2>, held by Task-1-3") {
					t.Errorf("error is %v", err)
				}
				var de *asyncio.DeadlockError
				if !errors.As(err, &de) || len(de.Circle) != 2 || len(de.Circle[1].HeldBy) != 2 {
					t.Errorf("the circle is %v, want the second held by two", de)
				}
				return 0, nil
			}, later(time.Second, 0, nil))
			return err
		})
	})
}
