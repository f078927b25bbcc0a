package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// lockQueue is a lock that main holds and for which the named tasks wait. What
// they get is told in the story; they pass the lock on at once.
func lockQueue(t *testing.T, ctx context.Context, l *asyncio.Lock, s *story, names ...string) []*asyncio.Task[struct{}] {
	t.Helper()
	if err := l.Acquire(ctx); err != nil {
		t.Error(err)
	}
	tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
		if err := l.Acquire(ctx); err != nil {
			s.add("%s cancelled", name)
			return err
		}
		s.add("%s got it", name)
		l.Release()
		return nil
	}, names...)
	turns(t, ctx, 1)
	return tasks
}

func TestLock_CancelledWaiterLeaves(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var l asyncio.Lock
		s := &story{}
		tasks := lockQueue(t, ctx, &l, s, "a")
		loop.CallSoon(func() { tasks[0].Cancel(errBoom) })
		turns(t, ctx, 2)
		_, err := tasks[0].Result()
		wantCancelled(t, "Acquire", err, errBoom)
		s.want(t, "a cancelled")
		wantString(t, &l, "<Lock-1 locked by Task-1>")
		l.Release()
		wantString(t, &l, "<Lock-1 unlocked>")
		return nil
	})
}

func TestLock_AcquireUnderACancelledContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		now := countTurns(ctx)
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		before := now()
		wantCancelled(t, "Acquire of a free lock", l.Acquire(sub), errBoom)
		if l.Locked() || now() == before {
			t.Errorf("Locked() = %v after %d turns, want an unlocked lock and a turn given up", l.Locked(), now()-before)
		}
		return nil
	})
}

func TestLock_TimeoutOfAnAcquire(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			wantTimeout(t, "Acquire", asyncio.Timeout(ctx, time.Second, l.Acquire), "asyncio: timed out after 1s")
			return nil
		}, "a")
		err := asyncio.Sleep(ctx, time.Minute)
		wantStates(t, tasks, asyncio.Succeeded)
		wantString(t, &l, "<Lock-1 locked by Task-1>")
		l.Release()
		return err
	})
}

// A release passes over who is cancelled in the same turn before it, instead of
// waking a task that does not want the lock any more: in asyncio the others then
// waited for ever (bpo-27585).
func TestLock_CancelThenReleaseGoesToTheNext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		tasks := lockQueue(t, ctx, &l, s, "a", "b")
		tasks[0].Cancel(nil)
		wantString(t, &l, "<Lock-1 locked by Task-1 waiters=1>")
		l.Release()
		wantString(t, &l, "<Lock-1 locked by b>")
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "a", err, nil)
		_, err = tasks[1].Await(ctx)
		s.want(t, "a cancelled", "b got it")
		return err
	})
}

// The other order: the lock was granted, so Acquire succeeds although the task is
// cancelled, and nobody waits for a lock that nobody has (bpo-27585).
func TestLock_ReleaseThenCancelHasTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			if err := l.Acquire(ctx); err != nil {
				return err
			}
			defer l.Release()
			s.add("%s got it", name)
			err := asyncio.Yield(ctx)
			s.add("%s: %v", name, err)
			return err
		}, "a", "b")
		turns(t, ctx, 1)
		l.Release()
		tasks[0].Cancel(nil)
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "a", err, nil)
		_, err = tasks[1].Await(ctx)
		s.want(t, "a got it", "a: asyncio: cancelled", "b got it", "b: <nil>")
		return err
	})
}

// A woken waiter that is cancelled before it runs must not let a second one in:
// once asyncio's lock could be taken by two tasks then (bpo-32734).
func TestLock_CancelAndReleaseGrantOnce(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		called, granted := 0, 0
		keep := asyncio.NewFuture[int](ctx)
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			called++
			return l.Do(ctx, func(ctx context.Context) error {
				granted++
				_, err := keep.Await(ctx)
				return err
			})
		}, "a", "b", "c")
		turns(t, ctx, 1)
		tasks[0].Cancel(nil)
		l.Release()
		turns(t, ctx, 5)
		if called != 3 || granted != 1 {
			t.Errorf("%d tasks asked and %d got the lock, want 3 and 1", called, granted)
		}
		wantStates(t, tasks, asyncio.Cancelled, asyncio.Waiting, asyncio.Waiting)
		keep.SetResult(1)
		err := awaitEach(ctx, tasks[1:]...)
		if granted != 2 || l.Locked() {
			t.Errorf("%d got the lock, want 2; %v", granted, &l)
		}
		return err
	})
}

func TestLock_AllWaitersCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		tasks := lockQueue(t, ctx, &l, s, "a", "b", "c")
		for _, i := range []int{1, 0, 2} {
			tasks[i].Cancel(nil)
		}
		l.Release()
		if l.Locked() {
			t.Errorf("%v after all that waited were cancelled", &l)
		}
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		l.Release()
		turns(t, ctx, 1)
		s.want(t, "b cancelled", "a cancelled", "c cancelled")
		return nil
	})
}

func TestLock_CancelledInTheMiddleOfTheQueue(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		tasks := lockQueue(t, ctx, &l, s, "a", "b", "c")
		tasks[1].Cancel(nil)
		turns(t, ctx, 1)
		s.want(t, "b cancelled")
		l.Release()
		_, errA := tasks[0].Await(ctx)
		_, errC := tasks[2].Await(ctx)
		if errA != nil || errC != nil {
			t.Errorf("a: %v, c: %v", errA, errC)
		}
		s.want(t, "b cancelled", "a got it", "c got it")
		return nil
	})
}

// Every one is cancelled as soon as it is granted: each still passes the lock on.
func TestLock_ChainOfGrantedAndCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		tasks := lockQueue(t, ctx, &l, s, "a", "b", "c", "d")
		l.Release()
		for _, task := range tasks {
			task.Cancel(nil) // a has it, the others wait
		}
		for _, task := range tasks {
			_, _ = task.Await(ctx)
		}
		s.want(t, "a got it", "b cancelled", "c cancelled", "d cancelled")
		if l.Locked() {
			t.Errorf("%v at the end", &l)
		}
		return nil
	})
}

func TestLock_ShieldedAcquireIsNotCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		cleaned := false
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			err := sleepLong(ctx)
			if err := l.Acquire(context.WithoutCancel(ctx)); err != nil {
				t.Errorf("Acquire under WithoutCancel: %v", err)
			}
			cleaned = true
			l.Release()
			return err
		}, "a")
		turns(t, ctx, 1)
		tasks[0].Cancel(nil)
		turns(t, ctx, 3)
		wantStates(t, tasks, asyncio.Waiting)
		l.Release()
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "a", err, nil)
		if !cleaned {
			t.Error("the cleanup did not get the lock")
		}
		return nil
	})
}

// A standard context that governs the wait ends it as well.
func TestLock_CancelledByAStandardContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		std, cancel := context.WithCancelCause(ctx)
		tasks := namedTasks(ctx, func(_ context.Context, name string) error {
			err := l.Acquire(std)
			s.add("%s: %v", name, err)
			return nil
		}, "a", "b")
		turns(t, ctx, 1)
		cancel(errBoom)
		err := asyncio.Sleep(ctx, time.Second) // a context of Go's tells on a goroutine
		wantStates(t, tasks, asyncio.Succeeded, asyncio.Succeeded)
		s.want(t, "a: asyncio: cancelled: boom", "b: asyncio: cancelled: boom")
		wantString(t, &l, "<Lock-1 locked by Task-1>")
		l.Release()
		return err
	})
}
