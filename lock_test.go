package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// namedTasks starts f once for each of the names, in their order.
func namedTasks(ctx context.Context, f func(ctx context.Context, name string) error, names ...string) []*asyncio.Task[struct{}] {
	tasks := make([]*asyncio.Task[struct{}], len(names))
	for i, name := range names {
		tasks[i] = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name},
			asyncio.Void(func(ctx context.Context) error { return f(ctx, name) }))
	}
	return tasks
}

// awaitEach awaits the tasks, one after the other.
func awaitEach[T any](ctx context.Context, tasks ...*asyncio.Task[T]) error {
	var errs []error
	for _, task := range tasks {
		_, err := task.Await(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func wantStates[T any](t *testing.T, tasks []*asyncio.Task[T], states ...asyncio.TaskState) {
	t.Helper()
	for i, task := range tasks {
		if got := task.State(); got != states[i] {
			t.Errorf("%s is %v, want %v", task.Name(), got, states[i])
		}
	}
}

func wantString(t *testing.T, x fmt.Stringer, want string) {
	t.Helper()
	if got := x.String(); got != want {
		t.Errorf("String() is %s\nwant        %s", got, want)
	}
}

// wantMisuse is wantPanic for an error that matches kind.
func wantMisuse(t *testing.T, kind error, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if err, _ := r.(error); err == nil || err.Error() != text || !errors.Is(err, kind) {
			t.Errorf("panicked with %v\nwant          %s\nwhich matches %v", r, text, kind)
		}
	}()
	f()
}

func TestLock_ZeroValueIsUnlocked(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		now := countTurns(ctx)
		before := now()
		for range 3 {
			if l.Locked() {
				t.Error("locked before Acquire")
			}
			if err := l.Acquire(ctx); err != nil {
				return err
			}
			if !l.Locked() {
				t.Error("not locked after Acquire")
			}
			l.Release()
		}
		if n := now() - before; n != 0 || l.Locked() {
			t.Errorf("an uncontended lock took %d turns; Locked() = %v", n, l.Locked())
		}
		return nil
	})
}

func TestLock_GrantsInOrderOfArrival(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			return l.Do(ctx, func(ctx context.Context) error {
				s.add("%s in", name)
				err := asyncio.Yield(ctx)
				s.add("%s out", name)
				return err
			})
		}, "a", "b", "c")
		turns(t, ctx, 2)
		s.want(t)
		l.Release()
		err := awaitEach(ctx, tasks...)
		s.want(t, "a in", "a out", "b in", "b out", "c in", "c out")
		return err
	})
}

// The order is that in which the tasks asked, also where a Chooser decides who
// runs when.
func TestLock_GrantsInOrderOfArrivalInEverySchedule(t *testing.T) {
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			var l asyncio.Lock
			asked, got := &story{}, &story{}
			if err := l.Acquire(ctx); err != nil {
				return err
			}
			tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
				for range 3 {
					asked.add("%s", name)
					if err := l.Acquire(ctx); err != nil {
						return err
					}
					got.add("%s", name)
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					l.Release()
				}
				return nil
			}, "a", "b", "c", "d")
			turns(t, ctx, 1)
			l.Release()
			err := awaitEach(ctx, tasks...)
			if len(got.events) != 12 {
				t.Errorf("%s: the lock was acquired %d times, want 12", name, len(got.events))
			}
			got.want(t, asked.events...)
			return err
		})
	}
}

// The counts are asyncio's: each hand-over takes one turn, and who asks last
// comes last, also if it is the task that has just released the lock.
func TestLock_WhoReleasesAndAsksAgainIsLast(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := &story{}
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		now := countTurns(ctx)
		var before int
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			return l.Do(ctx, func(context.Context) error {
				s.add("%s +%d", name, now()-before)
				return nil
			})
		}, "a", "b", "c")
		turns(t, ctx, 1)
		before = now()
		l.Release()
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		s.add("main +%d", now()-before)
		l.Release()
		s.want(t, "a +1", "b +2", "c +3", "main +4")
		return awaitEach(ctx, tasks...)
	})
}

func TestLock_ReleaseHandsOverAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			return l.Do(ctx, func(context.Context) error { return nil })
		}, "a")
		turns(t, ctx, 1)
		l.Release()
		wantString(t, &l, "<Lock-1 locked by a>") // who has not run yet
		if !l.Locked() || l.TryAcquire(ctx) {
			t.Error("the lock could be taken between its release and the next task's turn")
		}
		err := awaitEach(ctx, tasks...)
		wantString(t, &l, "<Lock-1 unlocked>")
		return err
	})
}

func TestLock_TryAcquire(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if !l.TryAcquire(ctx) || !l.Locked() {
			t.Error("TryAcquire of a free lock failed")
		}
		if l.TryAcquire(ctx) {
			t.Error("TryAcquire of a lock that the task holds succeeded")
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			if l.TryAcquire(ctx) {
				t.Error("TryAcquire of a lock that another task holds succeeded")
			}
			return nil
		}, "a")
		if err := awaitEach(ctx, tasks...); err != nil {
			return err
		}
		l.Release()
		cancelled, cancel := asyncio.WithCancel(ctx)
		cancel()
		if !l.TryAcquire(cancelled) { // it is no await
			t.Error("TryAcquire under a cancelled context failed")
		}
		l.Release()
		return nil
	})
}

func TestLock_DoReleasesWhateverHappens(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		locked := func() {
			if !l.Locked() {
				t.Error("Do did not acquire the lock")
			}
		}
		if err := l.Do(ctx, func(context.Context) error { locked(); return nil }); err != nil || l.Locked() {
			t.Errorf("Do = %v, Locked() = %v", err, l.Locked())
		}
		if err := l.Do(ctx, func(context.Context) error { locked(); return errBoom }); err != errBoom || l.Locked() {
			t.Errorf("Do = %v, Locked() = %v", err, l.Locked())
		}
		wantPanic(t, "kaboom", func() { _ = l.Do(ctx, func(context.Context) error { locked(); explode(); return nil }) })
		if l.Locked() {
			t.Error("a panic left the lock locked")
		}
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return l.Do(ctx, func(ctx context.Context) error { locked(); return sleepLong(ctx) })
		})
		turns(t, ctx, 1)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "Do", err, errBoom)
		if l.Locked() {
			t.Error("a cancellation left the lock locked")
		}
		wantPanic(t, "asyncio: Lock.Do: the function is nil; pass the function to call", func() { _ = l.Do(ctx, nil) })
		return nil
	})
}

func TestLock_DoReleasesWhenTheTaskGoexits(t *testing.T) {
	noLeaks(t)
	b := newBench()
	var l asyncio.Lock
	outcome := outcomeOf(func() error {
		return b.Run(t.Context(), func(ctx context.Context) error {
			return l.Do(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		})
	})
	if outcome != "Goexit" || l.Locked() || b.log.Text() != "" {
		t.Errorf("Run ended with %s, Locked() = %v, logged:\n%s", outcome, l.Locked(), b.log.Text())
	}
}

func TestLock_DoDoesNotRunWithoutTheLock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		if err := l.Acquire(ctx); err != nil {
			return err
		}
		sub, cancel := asyncio.WithTimeout(ctx, time.Second)
		defer cancel()
		tasks := namedTasks(sub, func(ctx context.Context, _ string) error {
			err := l.Do(ctx, func(context.Context) error { t.Error("Do ran the function"); return nil })
			wantErr(t, err, "asyncio: cancelled by a deadline")
			return nil
		}, "a")
		err := asyncio.Sleep(ctx, time.Minute)
		wantStates(t, tasks, asyncio.Succeeded)
		wantString(t, &l, "<Lock-1 locked by Task-1>")
		l.Release()
		return err
	})
}

func TestLock_String(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var never, l asyncio.Lock
		wantString(t, &never, "<Lock unlocked>")
		if err := errors.Join(never.Acquire(ctx), l.Acquire(ctx)); err != nil {
			return err
		}
		wantString(t, &never, "<Lock locked by Task-1>")
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error { return l.Acquire(ctx) }, "a", "b")
		turns(t, ctx, 1)
		wantString(t, &l, "<Lock-1 locked by Task-1 waiters=2>")
		if got := tasks[0].WaitingFor(); got != l.String() {
			t.Errorf("a waits for %s, want %s", got, &l)
		}
		many := make([]string, 200)
		crowd := namedTasks(ctx, func(ctx context.Context, _ string) error { return l.Acquire(ctx) }, many...)
		turns(t, ctx, 1)
		wantString(t, &l, "<Lock-1 locked by Task-1 waiters>100>")
		for _, task := range append(tasks, crowd...) {
			task.Cancel(nil)
		}
		turns(t, ctx, 1)
		wantString(t, &l, "<Lock-1 locked by Task-1>")
		l.Release()
		never.Release()
		wantString(t, &l, "<Lock-1 unlocked>")
		wantString(t, &never, "<Lock unlocked>")
		return nil
	})
}

func TestLock_HasOneHolderWhoeverIsCancelled(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(60) {
		chosen(t, seededChooser(seed), func(ctx context.Context) error {
			var l asyncio.Lock
			r := rand.New(rand.NewPCG(seed, 1))
			holders, grants := 0, 0
			work := func(ctx context.Context, _ string) error {
				for range 6 {
					if err := l.Acquire(ctx); err != nil {
						return err
					}
					if holders++; holders != 1 {
						t.Errorf("seed %d: %d tasks hold the lock", seed, holders)
					}
					for range r.IntN(3) {
						_ = asyncio.Yield(ctx) // cancelled or not, it holds the lock
					}
					grants++
					holders--
					l.Release()
				}
				return nil
			}
			tasks := namedTasks(ctx, work, "a", "b", "c", "d", "e", "f", "g", "h")
			for range 10 {
				turns(t, ctx, r.IntN(4))
				tasks[r.IntN(len(tasks))].Cancel(nil)
			}
			for _, task := range tasks {
				if _, err := task.Await(ctx); err != nil {
					wantCancelled(t, task.Name(), err, nil)
				}
			}
			if l.Locked() || grants == 0 {
				t.Errorf("seed %d: %v after %d grants", seed, &l, grants)
			}
			return nil
		})
	}
}
