package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// condWaiters are tasks that wait at c and tell the story when they go on, with
// the lock, which they then release.
func condWaiters(ctx context.Context, c *asyncio.Cond, s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		return c.Do(ctx, func(ctx context.Context) error {
			err := c.Wait(ctx)
			s.add("%s: %v", name, err)
			return err
		})
	}, names...)
}

// with runs f while the task holds the lock of c.
func (s *story) with(t *testing.T, ctx context.Context, c *asyncio.Cond, f func()) {
	t.Helper()
	if err := c.Do(ctx, func(context.Context) error { f(); return nil }); err != nil {
		t.Errorf("Do: %v", err)
	}
}

func TestCond_WaitReleasesTheLockAndHasItAgain(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		tasks := condWaiters(ctx, &c, s, "a", "b", "c")
		turns(t, ctx, 1)
		wantString(t, &c, "<Cond-1 <Lock-2 unlocked> waiters=3>")
		if err := c.Acquire(ctx); err != nil {
			return err
		}
		c.Notify(1)
		wantString(t, &c, "<Cond-1 <Lock-2 locked by Task-1 waiters=1> waiters=2>")
		turns(t, ctx, 3)
		s.want(t) // until the lock is released
		c.Release()
		wantString(t, &c, "<Cond-1 <Lock-2 locked by a> waiters=2>")
		turns(t, ctx, 1)
		s.want(t, "a: <nil>")
		s.with(t, ctx, &c, func() { c.Notify(2) })
		err := awaitEach(ctx, tasks...)
		s.want(t, "a: <nil>", "b: <nil>", "c: <nil>")
		wantString(t, &c, "<Cond-1 <Lock-2 unlocked>>")
		return err
	})
}

// The notified hold the lock one after another, each until it releases it.
func TestCond_NotifiedTasksTakeTurns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			return c.Do(ctx, func(ctx context.Context) error {
				err := c.Wait(ctx)
				s.add("%s in", name)
				err = errors.Join(err, asyncio.Sleep(ctx, time.Second))
				s.add("%s out", name)
				return err
			})
		}, "a", "b", "c")
		turns(t, ctx, 1)
		s.with(t, ctx, &c, c.NotifyAll)
		err := awaitEach(ctx, tasks...)
		s.want(t, "a in", "a out", "b in", "b out", "c in", "c out")
		return err
	})
}

func TestCond_NotifyWakesAsManyAsAskedFor(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		tasks := condWaiters(ctx, &c, s, "a", "b", "c", "d")
		turns(t, ctx, 1)
		notify := func(ns ...int) {
			s.with(t, ctx, &c, func() {
				for _, n := range ns {
					c.Notify(n)
				}
			})
			turns(t, ctx, 6)
		}
		notify(0, -1)
		s.want(t)
		notify(1)
		s.want(t, "a: <nil>")
		notify(1, 2048) // one and the rest
		s.want(t, "a: <nil>", "b: <nil>", "c: <nil>", "d: <nil>")
		notify(5)
		s.with(t, ctx, &c, c.NotifyAll) // nobody waits
		return awaitEach(ctx, tasks...)
	})
}

// A notification is for those who wait: one that comes before is not kept.
func TestCond_NotificationsAreNotStored(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		s.with(t, ctx, &c, c.NotifyAll)
		tasks := condWaiters(ctx, &c, s, "a")
		turns(t, ctx, 3)
		s.want(t)
		s.with(t, ctx, &c, c.NotifyAll)
		return awaitEach(ctx, tasks...)
	})
}

func TestCond_WhoWaitsAgainIsBehindTheOthers(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		s := &story{}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			return c.Do(ctx, func(ctx context.Context) error {
				for range 2 {
					if err := c.Wait(ctx); err != nil {
						return err
					}
					s.add("%s", name)
				}
				return nil
			})
		}, "a", "b")
		turns(t, ctx, 1)
		for range 4 {
			s.with(t, ctx, &c, func() { c.Notify(1) })
			turns(t, ctx, 2)
		}
		s.want(t, "a", "b", "a", "b")
		return awaitEach(ctx, tasks...)
	})
}

func TestCond_WaitForChecksAfterEachNotification(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		c := asyncio.Cond{L: &l}
		ready, checks := false, 0
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				return c.WaitFor(ctx, func() bool {
					if checks++; !l.Locked() {
						t.Error("the condition was checked without the lock")
					}
					return ready
				})
			})
		})
		turns(t, ctx, 1)
		s := &story{}
		s.with(t, ctx, &c, c.NotifyAll)
		turns(t, ctx, 2)
		if checks != 2 || task.Done() {
			t.Errorf("%d checks, done=%v; want 2 and a task that waits on", checks, task.Done())
		}
		s.with(t, ctx, &c, func() { ready = true; c.Notify(1) })
		_, err := task.Await(ctx)
		if checks != 3 {
			t.Errorf("%d checks, want 3", checks)
		}
		return err
	})
}

func TestCond_WaitForWhatIsTrueDoesNotWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		now := countTurns(ctx)
		return c.Do(ctx, func(ctx context.Context) error {
			before := now()
			err := c.WaitFor(ctx, func() bool { return true })
			if n := now() - before; n != 0 {
				t.Errorf("it took %d turns", n)
			}
			wantPanic(t, "asyncio: Cond.WaitFor: the function is nil; pass the function to call",
				func() { _ = c.WaitFor(ctx, nil) })
			return err
		})
	})
}

func TestCond_NeedsTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var c asyncio.Cond
		calls := map[string]func(){
			"Cond.Wait":   func() { _ = c.Wait(ctx) },
			"Cond.Notify": func() { c.Notify(1) },
		}
		for fn, f := range calls {
			wantMisuse(t, asyncio.ErrInvalidState,
				"asyncio: "+fn+": <Lock unlocked> is not acquired; call it while the task holds the lock, in Cond.Do", f)
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error { return c.Do(ctx, sleeping(time.Second)) }, "a")
		turns(t, ctx, 1)
		for fn, f := range calls {
			wantMisuse(t, asyncio.ErrInvalidState, "asyncio: "+fn+
				": called by Task-1, but <Lock locked by a>; call it while the task holds the lock, in Cond.Do", f)
		}
		for _, f := range []func(){
			c.NotifyAll, c.Release, func() { _ = c.WaitFor(ctx, func() bool { return false }) },
		} {
			if got := panicOf(f); !strings.Contains(got, ": called by Task-1, but <Lock locked by a>; ") {
				t.Errorf("panicked with %s", got)
			}
		}
		return awaitEach(ctx, tasks...)
	})
}

func TestCond_SeveralShareALock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		full, empty := asyncio.Cond{L: &l}, asyncio.Cond{L: &l}
		s := &story{}
		tasks := append(condWaiters(ctx, &full, s, "full"), condWaiters(ctx, &empty, s, "empty")...)
		turns(t, ctx, 1)
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		wantString(t, &empty, "<Cond-3 <Lock-2 locked by Task-1> waiters=1>")
		empty.Notify(1) // the lock is the same, however it was acquired
		empty.Release()
		turns(t, ctx, 2)
		s.want(t, "empty: <nil>")
		s.with(t, ctx, &empty, full.NotifyAll)
		err := awaitEach(ctx, tasks...)
		s.want(t, "empty: <nil>", "full: <nil>")
		if l.Locked() {
			t.Error("the lock is locked at the end")
		}
		return err
	})
}

// A bounded buffer, the textbook's use of two conditions.
func TestCond_BoundedBuffer(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			var l asyncio.Lock
			notFull, notEmpty := asyncio.Cond{L: &l}, asyncio.Cond{L: &l}
			var buffer, got []int
			transfer := func(wait, tell *asyncio.Cond, possible func() bool, do func()) func(context.Context) error {
				return func(ctx context.Context) error {
					for range 20 {
						if err := l.Do(ctx, func(ctx context.Context) error {
							if err := wait.WaitFor(ctx, possible); err != nil {
								return err
							}
							do()
							tell.Notify(1)
							return nil
						}); err != nil {
							return err
						}
					}
					return nil
				}
			}
			n := 0
			put := transfer(&notFull, &notEmpty, func() bool { return len(buffer) < 3 }, func() { n++; buffer = append(buffer, n) })
			get := transfer(&notEmpty, &notFull, func() bool { return len(buffer) > 0 },
				func() { got, buffer = append(got, buffer[0]), buffer[1:] })
			err := awaitEach(ctx, asyncio.Go(ctx, put), asyncio.Go(ctx, get), asyncio.Go(ctx, put), asyncio.Go(ctx, get))
			for i, v := range got {
				if v != i+1 {
					t.Errorf("%s: value %d came as number %d", name, v, i+1)
				}
			}
			if len(got) != 40 {
				t.Errorf("%s: %d values came, want 40", name, len(got))
			}
			return err
		})
	}
}
