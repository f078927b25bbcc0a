package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

const toRelease = "; the task that acquired it has to release it"

func TestLockOwner_ReleaseOfWhatNobodyHas(t *testing.T) {
	const text = "asyncio: Lock.Release: <Lock unlocked> is not acquired; release it once for each time it was acquired"
	var l asyncio.Lock
	wantMisuse(t, asyncio.ErrInvalidState, text, l.Release) // no loop is needed for that
	run(t, func(ctx context.Context) error {
		wantMisuse(t, asyncio.ErrInvalidState, text, l.Release)
		err := l.Acquire(ctx)
		l.Release()
		wantMisuse(t, asyncio.ErrInvalidState, text, l.Release)
		return err
	})
}

func TestLockOwner_ReleaseByAnotherTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		stranger := func(_ context.Context, name string) error {
			wantMisuse(t, asyncio.ErrInvalidState,
				"asyncio: Lock.Release: called by "+name+", but <Lock locked by Task-1>"+toRelease, l.Release)
			return nil
		}
		tasks := namedTasks(ctx, stranger, "a")
		eager := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "eager", Eager: true},
			asyncio.Void(func(ctx context.Context) error { return stranger(ctx, "eager") }))
		err := awaitEach(ctx, append(tasks, eager)...)
		if !l.Locked() {
			t.Error("a stranger has released the lock")
		}
		l.Release()
		return err
	})
}

func TestLockOwner_ReleaseByACallback(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		loop.CallSoon(func() {
			wantMisuse(t, asyncio.ErrInvalidState,
				"asyncio: Lock.Release: called by a callback, but <Lock locked by Task-1>"+toRelease, l.Release)
		})
		err := asyncio.Yield(ctx)
		l.Release()
		return err
	})
}

func TestLockOwner_ReleaseByAGoroutine(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			wantPanic(t, "asyncio: Lock.Release: called from a goroutine that does not run "+loopName(t, loop)+
				"; from other goroutines use Loop.CallSoon or Submit", l.Release)
			return 0, nil
		})
		if !l.Locked() {
			t.Error("a goroutine has released the lock")
		}
		l.Release()
		return err
	})
}

func TestLockOwner_ReleaseAtRest(t *testing.T) {
	noLeaks(t)
	loop := newLoop(t)
	var l asyncio.Lock
	if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
		asyncio.Go(ctx, func(ctx context.Context) error { return l.Do(ctx, sleepLong) })
		return 0, asyncio.Yield(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	wantPanic(t, "asyncio: Lock.Release: "+loopName(t, loop)+" is not running; run it with RunUntilComplete or RunForever", l.Release)
	if !l.Locked() {
		t.Error("the lock was released at rest")
	}
}

// A lock is not re-entrant; waiting for oneself is the shortest circle.
func TestLockOwner_AcquireTwice(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		err := l.Do(ctx, l.Acquire)
		wantErr(t, err, "asyncio: deadlock: this wait would never end: "+
			"Task-1 waits for <Lock-1 locked by Task-1>, held by Task-1")
		var de *asyncio.DeadlockError
		if !errors.Is(err, asyncio.ErrDeadlock) || !errors.As(err, &de) || len(de.Circle) != 1 {
			t.Errorf("%v is no DeadlockError of one task", err)
		}
		if l.Locked() {
			t.Error("the lock is locked after Do")
		}
		return nil
	})
}

func TestLockOwner_TwoLocksInOppositeOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var left, right asyncio.Lock
		s := &story{}
		both := func(name string, first, second *asyncio.Lock) func(context.Context) error {
			return func(ctx context.Context) error {
				return first.Do(ctx, func(ctx context.Context) error {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					err := second.Do(ctx, func(context.Context) error { s.add("%s has both", name); return nil })
					if errors.Is(err, asyncio.ErrDeadlock) {
						s.add("%s: %v", name, err)
						return nil
					}
					return err
				})
			}
		}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			if name == "a" {
				return both(name, &left, &right)(ctx)
			}
			return both(name, &right, &left)(ctx)
		}, "a", "b")
		err := awaitEach(ctx, tasks...)
		s.want(t, "b: asyncio: deadlock: this wait would never end: b waits for <Lock-2 locked by a>, held by a, "+
			"which waits for <Lock-1 locked by b waiters=1>, held by b", "a has both")
		return err
	})
}

// Locks are released in whatever order, and the others stay with the task.
func TestLockOwner_SeveralLocksInAnyOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
			var locks [3]asyncio.Lock
			for i := range locks {
				if err := locks[i].Acquire(ctx); err != nil {
					return err
				}
			}
			for n, i := range order {
				locks[i].Release()
				for m, j := range order {
					if locks[j].Locked() != (m > n) {
						t.Errorf("order %v: after %d releases Locked() of lock %d is %v", order, n+1, j, m <= n)
					}
				}
			}
		}
		return nil
	})
}

// lostLock runs how as a task named lost, which ends with the lock, while a and
// b wait for it, and returns what they are told.
func lostLock(t *testing.T, l *asyncio.Lock, s *story, how func(ctx context.Context) error) *bench {
	t.Helper()
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		lost := namedTasks(ctx, func(ctx context.Context, _ string) error {
			if err := l.Acquire(ctx); err != nil {
				return err
			}
			_ = asyncio.Sleep(ctx, time.Second)
			return how(ctx)
		}, "lost")
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			s.add("%s: %v", name, l.Acquire(ctx))
			return nil
		}, "a", "b")
		err := awaitEach(ctx, tasks...)
		_, _ = lost[0].Await(ctx)
		s.add("later: %v", l.Acquire(ctx))
		if !l.Locked() || l.TryAcquire(ctx) {
			t.Error("a lock whose holder has ended can be taken")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return b
}

// Nobody else can release it: who waits and who asks later is told so instead of
// waiting for ever.
func TestLockOwner_EndsWithoutReleasing(t *testing.T) {
	const told = "asyncio: deadlock: this wait would never end: "
	for name, how := range map[string]func(ctx context.Context) error{
		"returns":   func(context.Context) error { return nil },
		"fails":     func(context.Context) error { return errBoom },
		"cancelled": func(ctx context.Context) error { asyncio.CurrentTask(ctx).Cancel(nil); return asyncio.Yield(ctx) },
		"panics":    func(context.Context) error { explode(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var l asyncio.Lock
			s := &story{}
			b := lostLock(t, &l, s, how)
			s.want(t,
				"a: "+told+"a waits for <Lock-1 locked by lost waiters=2>, held by lost, which has ended",
				"b: "+told+"b waits for <Lock-1 locked by lost waiters=1>, held by lost, which has ended",
				"later: "+told+"Task-1 waits for <Lock-1 locked by lost>, held by lost, which has ended")
			if b.log.Count("ERROR asyncio: Lock was never released task=<Task ", " name='lost' ", "object=<Lock-1 locked by lost>") != 1 {
				t.Errorf("logged:\n%s", b.log.Text())
			}
		})
	}
}

func TestLockOwner_GoexitsWithoutReleasing(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	var l asyncio.Lock
	var told error
	outcome := outcomeOf(func() error {
		return b.Run(t.Context(), func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				told = l.Acquire(ctx)
				return nil
			})
			if err := l.Acquire(ctx); err != nil {
				return err
			}
			_ = asyncio.Yield(ctx)
			runtime.Goexit()
			return nil
		})
	})
	if outcome != "Goexit" || !errors.Is(told, asyncio.ErrDeadlock) || b.log.Count("ERROR asyncio: Lock was never released") != 1 {
		t.Errorf("Run ended with %s, the waiter was told %v, logged:\n%s", outcome, told, b.log.Text())
	}
}

func TestLockOwner_EveryLockOfTheTaskIsReported(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var locks [3]asyncio.Lock
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			for i := range locks {
				if err := locks[i].Acquire(ctx); err != nil {
					return err
				}
			}
			locks[1].Release()
			return nil
		}, "a")
		err := awaitEach(ctx, tasks...)
		if !locks[1].TryAcquire(ctx) {
			t.Error("the lock that was released is locked")
		}
		locks[1].Release()
		return err
	})
	if err != nil || b.log.Count("ERROR asyncio: Lock was never released") != 2 || len(b.log.Lines()) != 2 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

// A coroutine is used again: what its last task held is not the next one's.
func TestLockOwner_TheNextTaskDoesNotInherit(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var lost, other asyncio.Lock
		if err := awaitEach(ctx, asyncio.Go(ctx, lost.Acquire)); err != nil {
			return err
		}
		return awaitEach(ctx, asyncio.Go(ctx, func(ctx context.Context) error {
			return other.Do(ctx, nothing)
		}))
	})
	if err != nil || len(b.log.Lines()) != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

func TestLockOwner_HeldOnAnotherLoop(t *testing.T) {
	noLeaks(t)
	loop, other := newLoop(t), newLoop(t)
	var l asyncio.Lock
	if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
		namedTasks(ctx, func(ctx context.Context, _ string) error { return l.Do(ctx, sleepLong) }, "holder")
		return 0, asyncio.Yield(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := asyncio.RunUntilComplete(t.Context(), other, func(ctx context.Context) (int, error) {
		wantPanic(t, "asyncio: Lock.Acquire: <Lock locked by holder> is held on "+loopName(t, loop)+" but was used on "+
			loopName(t, other)+"; a lock is for the tasks of one loop", func() { _ = l.Acquire(ctx) })
		wantPanic(t, "asyncio: Lock.Release: belongs to "+loopName(t, loop)+" but was used on "+loopName(t, other)+
			"; hand values from loop to loop with CallSoon or Submit", l.Release)
		if l.TryAcquire(ctx) {
			t.Error("TryAcquire took a lock that is held on another loop")
		}
		return 0, nil
	}); err != nil {
		t.Error(err)
	}
}

// Of a lock that a task has kept to its end a later loop is told as well.
func TestLockOwner_LostOnAClosedLoop(t *testing.T) {
	var l asyncio.Lock
	lostLock(t, &l, &story{}, nothing)
	run(t, func(ctx context.Context) error {
		wantErr(t, l.Acquire(ctx), "asyncio: deadlock: this wait would never end: "+
			"Task-1 waits for <Lock-1 locked by lost>, held by lost, which has ended")
		return nil
	})
}
