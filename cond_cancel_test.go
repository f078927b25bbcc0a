package asyncio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestCond_CancelledWaitHasTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		var raised error
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			return c.Do(ctx, func(ctx context.Context) error {
				raised = c.Wait(ctx)
				wantString(t, &c, "<Cond-1 <Lock-2 locked by a>>")
				return raised
			})
		}, "a")
		turns(t, ctx, 1)
		tasks[0].Cancel(errBoom)
		wantString(t, &c, "<Cond-1 <Lock-2 unlocked>>") // it waits no more
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "Wait", err, errBoom)
		if err != raised {
			t.Errorf("Await returned another error than Wait: %v, %v", err, raised)
		}
		return nil
	})
}

func TestCond_WaitUnderACancelledContextKeepsTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		c := asyncio.Cond{L: &l}
		return l.Do(ctx, func(ctx context.Context) error {
			sub, cancel := asyncio.WithCancelCause(ctx)
			cancel(errBoom)
			other := asyncio.Go(ctx, func(ctx context.Context) error {
				if l.TryAcquire(ctx) {
					t.Error("Wait released the lock although its context was cancelled")
				}
				return nil
			})
			wantCancelled(t, "Wait", c.Wait(sub), errBoom)
			if !other.Done() || !l.Locked() {
				t.Errorf("other task done=%v, want a turn given up with the lock held: %v", other.Done(), &l)
			}
			return nil
		})
	})
}

func TestCond_TimeoutOfAWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		return c.Do(ctx, func(ctx context.Context) error {
			wantTimeout(t, "Wait", asyncio.Timeout(ctx, time.Second, c.Wait), "asyncio: timed out after 1s")
			wantString(t, &c, "<Cond-1 <Lock-2 locked by Task-1>>")
			return nil
		})
	})
}

// A Wait that is cancelled while others hold the lock waits for it, whatever
// else happens, and has it when it returns. asyncio's could return without the
// lock, and the release that followed failed (bpo-42600).
func TestCond_CancelledAgainWhileItWaitsForTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		var cancel context.CancelCauseFunc
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			return c.Do(ctx, func(ctx context.Context) error {
				var sub context.Context
				sub, cancel = asyncio.WithCancelCause(ctx)
				defer cancel(nil)
				err := c.Wait(sub)
				s.add("%s: %v, its task: %v", name, err, ctx.Err())
				return err
			})
		}, "a")
		turns(t, ctx, 1)
		if err := c.Acquire(ctx); err != nil {
			return err
		}
		cancel(errBoom) // the wait only
		turns(t, ctx, 2)
		wantString(t, &c, "<Cond-1 <Lock-2 locked by Task-1 waiters=1>>")
		tasks[0].Cancel(errors.New("again"))
		turns(t, ctx, 3)
		s.want(t)
		wantStates(t, tasks, asyncio.Waiting)
		c.Release()
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "Wait", err, errBoom)
		s.want(t, "a: asyncio: cancelled: boom, its task: context canceled")
		wantString(t, &c, "<Cond-1 <Lock-2 unlocked>>")
		return nil
	})
}

// A task that was notified goes on with the lock and without an error, however
// often it is cancelled while it waits for the lock; its next await fails.
// bpo-32841: asyncio deadlocked on that.
func TestCond_CancelledAfterTheNotification(t *testing.T) {
	for _, settle := range []int{0, 1, 3} {
		run(t, func(ctx context.Context) error {
			var c asyncio.Cond
			s := &story{}
			tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
				return c.Do(ctx, func(ctx context.Context) error {
					s.add("Wait: %v", c.Wait(ctx))
					err := asyncio.Yield(ctx)
					s.add("Yield: %v", err)
					return err
				})
			}, "a")
			turns(t, ctx, 1)
			s.with(t, ctx, &c, func() {
				c.Notify(1)
				turns(t, ctx, settle)
				tasks[0].Cancel(errBoom)
				turns(t, ctx, 2)
				s.want(t)
			})
			wantString(t, &c, "<Cond-1 <Lock-2 locked by a>>")
			_, err := tasks[0].Await(ctx)
			wantCancelled(t, "a", err, errBoom)
			s.want(t, "Wait: <nil>", "Yield: asyncio: cancelled: boom")
			return nil
		})
	}
}

// A cancellation that comes between the notification and the release of the lock
// has no place to strike.
func TestCond_CancelAndReleaseByCallbacks(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var c asyncio.Cond
		s := &story{}
		tasks := condWaiters(ctx, &c, s, "a")
		turns(t, ctx, 1)
		if err := c.Acquire(ctx); err != nil {
			return err
		}
		c.Notify(1)
		loop.CallSoon(func() { tasks[0].Cancel(nil) })
		turns(t, ctx, 1)
		c.Release()
		_, err := tasks[0].Await(ctx)
		s.want(t, "a: <nil>")
		return err
	})
}

// A notification is not lost with a task that is cancelled at the same time,
// before it or after it, or while it waits for the lock (cpython gh-112202).
func TestCond_NotificationIsNotLost(t *testing.T) {
	for name, race := range map[string]func(c *asyncio.Cond, victim *asyncio.Task[struct{}], settle func()){
		"cancelled before": func(c *asyncio.Cond, victim *asyncio.Task[struct{}], _ func()) { victim.Cancel(nil); c.Notify(1) },
		"cancelled long before": func(c *asyncio.Cond, victim *asyncio.Task[struct{}], settle func()) {
			victim.Cancel(nil)
			settle()
			c.Notify(1)
		},
		"cancelled after": func(c *asyncio.Cond, victim *asyncio.Task[struct{}], _ func()) { c.Notify(1); victim.Cancel(nil) },
		"cancelled at the lock": func(c *asyncio.Cond, victim *asyncio.Task[struct{}], settle func()) {
			c.Notify(1)
			settle()
			victim.Cancel(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				var c asyncio.Cond
				items, stop := 0, false
				tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
					return c.Do(ctx, func(ctx context.Context) error {
						for {
							if err := c.WaitFor(ctx, func() bool { return items > 0 || stop }); err != nil || stop {
								return err
							}
							items--
						}
					})
				}, "victim", "other")
				turns(t, ctx, 1)
				s := &story{}
				s.with(t, ctx, &c, func() {
					items++
					race(&c, tasks[0], func() { turns(t, ctx, 1) })
				})
				turns(t, ctx, 5)
				if items != 0 {
					t.Error("the notification was lost: nobody took the item")
				}
				s.with(t, ctx, &c, func() { stop = true; c.NotifyAll() })
				return awaitEach(ctx, tasks[1])
			})
		})
	}
}

func TestCond_NoItemIsLeftWhoeverIsCancelled(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(60) {
		chosen(t, seededChooser(seed), func(ctx context.Context) error {
			var c asyncio.Cond
			r := rand.New(rand.NewPCG(seed, 2))
			items, taken := 0, 0
			tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
				return c.Do(ctx, func(ctx context.Context) error {
					for {
						if err := c.WaitFor(ctx, func() bool { return items > 0 }); err != nil {
							return err
						}
						items--
						taken++
						_ = asyncio.Yield(ctx)
					}
				})
			}, "a", "b", "c", "d", "survivor")
			turns(t, ctx, 1)
			s := &story{}
			for n := range 20 {
				s.with(t, ctx, &c, func() { items++; c.Notify(1) })
				turns(t, ctx, r.IntN(3))
				if n%4 == 0 {
					tasks[r.IntN(4)].Cancel(nil)
				}
			}
			turns(t, ctx, 60)
			if items != 0 || taken != 20 {
				t.Errorf("seed %d: %d items are left and %d were taken, of 20", seed, items, taken)
			}
			tasks[4].Cancel(nil)
			return nil
		})
	}
}

// The wait for the lock is a join and cannot fail. If it closes a circle, it is
// the other one's wait that does; a join that is over does not make that one.
func TestCond_CancelledWaitClosesACircle(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c, before asyncio.Cond
		var other asyncio.Lock
		asyncio.Go(ctx, func(ctx context.Context) error {
			return before.Do(ctx, func(context.Context) error { before.NotifyAll(); return nil })
		})
		if err := before.Do(ctx, before.Wait); err != nil {
			return err
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			return other.Do(ctx, func(ctx context.Context) error { return c.Do(ctx, c.Wait) })
		}, "a")
		turns(t, ctx, 1)
		err := c.Do(ctx, func(ctx context.Context) error {
			asyncio.Go(ctx, func(context.Context) error { tasks[0].Cancel(errBoom); return nil })
			return other.Acquire(ctx)
		})
		wantErr(t, err, "asyncio: deadlock: this wait would never end: Task-1 waits for <Lock-5 locked by a waiters=1>, held by a, "+
			"which waits for <Lock-4 locked by Task-1>, held by Task-1")
		_, err = tasks[0].Await(ctx)
		wantCancelled(t, "a", err, errBoom)
		return nil
	})
}

// A task that was notified and finds that the lock will never be released is
// told, and has the lock all the same: it could not release it otherwise.
func TestCond_LockIsLostWhileItWaitsForIt(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		tasks := condWaiters(ctx, &c, s, "a", "b")
		turns(t, ctx, 1)
		lost := namedTasks(ctx, func(ctx context.Context, _ string) error {
			err := c.Acquire(ctx)
			c.Notify(1)
			return err
		}, "lost")
		err := awaitEach(ctx, lost...)
		_, told := tasks[0].Await(ctx)
		if !errors.Is(told, asyncio.ErrDeadlock) {
			t.Errorf("a ended with %v, want the DeadlockError", told)
		}
		return err
	})
	if err != nil || b.log.Count("ERROR asyncio: Lock was never released") != 1 || len(b.log.Lines()) != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

// A forced unwind leaves Wait without the lock. The release that is deferred
// must not turn it into a panic about a lock that the task does not hold.
func TestCond_ForcedUnwindOfAWait(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.ShutdownTimeout = time.Second
	unwound := false
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var c asyncio.Cond
		namedTasks(ctx, func(ctx context.Context, _ string) error {
			defer func() { unwound = true }()
			return c.Do(ctx, func(ctx context.Context) error { return c.Wait(context.WithoutCancel(ctx)) })
		}, "stubborn")
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != 1 || !unwound {
		t.Errorf("Run returned %v; unwound=%v", err, unwound)
	}
	if b.log.Count("panicked") != 0 || b.log.Count("did not end in the shutdown: <Task ", "stubborn") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}
