package asyncio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// permitTasks are tasks that acquire a permit, tell the story and keep it.
func permitTasks(ctx context.Context, m *asyncio.Semaphore, s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		if err := m.Acquire(ctx); err != nil {
			return err
		}
		s.add("%s", name)
		return nil
	}, names...)
}

// taken is a semaphore of n permits, all of which main has.
func taken(t *testing.T, ctx context.Context, n int) *asyncio.Semaphore {
	t.Helper()
	m := asyncio.NewSemaphore(n)
	for range n {
		if err := m.Acquire(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestSemaphore_NeedsAPermit(t *testing.T) {
	const text = ": nobody could acquire it; give at least 1, or use an Event to signal"
	wantPanic(t, "asyncio: NewSemaphore(0)"+text, func() { asyncio.NewSemaphore(0) })
	wantPanic(t, "asyncio: NewSemaphore(-1)"+text, func() { asyncio.NewSemaphore(-1) })
}

func TestSemaphore_AcquireAndRelease(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(3)
		now := countTurns(ctx)
		before := now()
		for free := 3; free > 0; free-- {
			if m.Free() != free {
				t.Errorf("Free() = %d, want %d", m.Free(), free)
			}
			if err := m.Acquire(ctx); err != nil {
				return err
			}
		}
		for free := range 3 {
			if m.Free() != free {
				t.Errorf("Free() = %d, want %d", m.Free(), free)
			}
			m.Release()
		}
		if n := now() - before; n != 0 {
			t.Errorf("it took %d turns", n)
		}
		return nil
	})
}

func TestSemaphore_GrantsInOrderOfArrival(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(3)
		if err := errors.Join(m.Acquire(ctx), m.Acquire(ctx)); err != nil {
			return err
		}
		s := &story{}
		tasks := permitTasks(ctx, m, s, "a", "b", "c")
		turns(t, ctx, 1)
		s.want(t, "a") // there was one left
		wantString(t, m, "<Semaphore-1 free=0/3 waiters=2>")
		tasks = append(tasks, permitTasks(ctx, m, s, "d")...)
		m.Release()
		m.Release()
		if m.Free() != 0 {
			t.Errorf("Free() = %d while tasks wait", m.Free())
		}
		turns(t, ctx, 2)
		s.want(t, "a", "b", "c")
		wantString(t, m, "<Semaphore-1 free=0/3 waiters=1>")
		m.Release()
		err := awaitEach(ctx, tasks...)
		s.want(t, "a", "b", "c", "d")
		return err
	})
}

// With each release the permit changes hands: whoever asks again is behind those
// who wait. In asyncio one task could take every permit (cpython gh-90155).
func TestSemaphore_WhoReleasesAndAsksAgainIsLast(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(1)
		s := &story{}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			for i := range 2 {
				if err := m.Do(ctx, func(ctx context.Context) error {
					s.add("%s%d", name, i+1)
					return asyncio.Sleep(ctx, time.Second)
				}); err != nil {
					return err
				}
			}
			return nil
		}, "a", "b", "c")
		err := awaitEach(ctx, tasks...)
		s.want(t, "a1", "b1", "c1", "a2", "b2", "c2")
		return err
	})
}

// The same where the task that is woken releases and asks again in one step
// while others have been granted their permits and have not run (gh-90155).
func TestSemaphore_AsksAgainBetweenGrantAndRun(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := taken(t, ctx, 2)
		s := &story{}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			if err := m.Acquire(ctx); err != nil {
				return err
			}
			s.add("%s", name)
			switch name {
			case "a":
				_ = asyncio.Sleep(ctx, time.Second)
			case "b":
				m.Release()
				if err := m.Acquire(ctx); err != nil {
					return err
				}
				s.add("b again")
			}
			m.Release()
			return nil
		}, "a", "b", "c")
		turns(t, ctx, 1)
		m.Release()
		m.Release()
		err := awaitEach(ctx, tasks...)
		s.want(t, "a", "b", "c", "b again")
		if m.Free() != 2 {
			t.Errorf("%v at the end", m)
		}
		return err
	})
}

// Several releases at once wake as many tasks, and none of those is overtaken by
// a task that asks in the meantime (gh-90155).
func TestSemaphore_SeveralReleasesWakeSeveral(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := taken(t, ctx, 3)
		s := &story{}
		tasks := permitTasks(ctx, m, s, "a", "b", "c", "d")
		turns(t, ctx, 1)
		for range 3 {
			m.Release()
		}
		if m.Free() != 0 || m.TryAcquire(ctx) {
			t.Errorf("%v: a permit that was granted could be taken", m)
		}
		late := permitTasks(ctx, m, s, "late")
		turns(t, ctx, 3)
		s.want(t, "a", "b", "c")
		m.Release()
		m.Release()
		err := awaitEach(ctx, append(tasks, late...)...)
		s.want(t, "a", "b", "c", "d", "late")
		return err
	})
}

func TestSemaphore_TryAcquire(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(2)
		for i, want := range []bool{true, true, false} {
			if got := m.TryAcquire(ctx); got != want {
				t.Errorf("TryAcquire number %d = %v", i+1, got)
			}
		}
		m.Release()
		if !m.TryAcquire(ctx) {
			t.Error("TryAcquire after a release failed")
		}
		return nil
	})
}

// Who releases need not be who acquired, nor a task.
func TestSemaphore_ReleaseByAnybody(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		m := taken(t, ctx, 1)
		asyncio.Go(ctx, func(context.Context) error { m.Release(); return nil })
		if err := m.Acquire(ctx); err != nil {
			return err
		}
		loop.CallLater(time.Second, m.Release)
		if err := m.Acquire(ctx); err != nil {
			return err
		}
		go loop.CallSoon(m.Release)
		return m.Acquire(ctx)
	})
}

func TestSemaphore_TooManyReleases(t *testing.T) {
	m := asyncio.NewSemaphore(2)
	const text = " was released too many times; release it once for each time it was acquired"
	wantMisuse(t, asyncio.ErrInvalidState, "asyncio: Semaphore.Release: <Semaphore free=2/2>"+text, m.Release)
	run(t, func(ctx context.Context) error {
		err := m.Acquire(ctx)
		m.Release()
		wantMisuse(t, asyncio.ErrInvalidState, "asyncio: Semaphore.Release: <Semaphore free=2/2>"+text, m.Release)
		if m.Free() != 2 {
			t.Errorf("Free() = %d after the panic", m.Free())
		}
		return err
	})
}

func TestSemaphore_DoReleasesWhateverHappens(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(1)
		inside := func(err error) func(context.Context) error {
			return func(context.Context) error {
				if m.Free() != 0 {
					t.Error("Do runs without a permit")
				}
				return err
			}
		}
		if err := m.Do(ctx, inside(nil)); err != nil || m.Free() != 1 {
			t.Errorf("Do = %v, %v", err, m)
		}
		if err := m.Do(ctx, inside(errBoom)); err != errBoom || m.Free() != 1 {
			t.Errorf("Do = %v, %v", err, m)
		}
		wantPanic(t, "kaboom", func() { _ = m.Do(ctx, func(context.Context) error { explode(); return nil }) })
		if m.Free() != 1 {
			t.Errorf("after a panic: %v", m)
		}
		sub, cancel := asyncio.WithCancel(ctx)
		cancel()
		wantCancelled(t, "Do", m.Do(sub, func(context.Context) error { t.Error("Do ran"); return nil }), nil)
		wantPanic(t, "asyncio: Semaphore.Do: the function is nil; pass the function to call", func() { _ = m.Do(ctx, nil) })
		return nil
	})
}

func TestSemaphore_CancelledWaiterLeaves(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		m := taken(t, ctx, 1)
		tasks := permitTasks(ctx, m, &story{}, "a")
		loop.CallSoon(func() { tasks[0].Cancel(errBoom) })
		turns(t, ctx, 1)
		wantString(t, m, "<Semaphore-1 free=0/1>")
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "Acquire", err, errBoom)
		m.Release()
		wantString(t, m, "<Semaphore-1 free=1/1>")
		return nil
	})
}

// A permit is never given to a task that has been cancelled; once the waiters
// behind it were stuck then (gh-90155).
func TestSemaphore_CancelledWaitersArePassedOver(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := taken(t, ctx, 2)
		s := &story{}
		tasks := permitTasks(ctx, m, s, "a", "b", "c", "d")
		turns(t, ctx, 1)
		tasks[0].Cancel(nil)
		tasks[1].Cancel(nil)
		m.Release()
		turns(t, ctx, 2)
		s.want(t, "c")
		wantStates(t, tasks, asyncio.Cancelled, asyncio.Cancelled, asyncio.Succeeded, asyncio.Waiting)
		m.Release()
		err := awaitEach(ctx, tasks[2:]...)
		s.want(t, "c", "d")
		return err
	})
}

// A task that was granted a permit has it although it is cancelled before it
// runs, and gives it back like any other: nothing leaks (gh-90155).
func TestSemaphore_ReleaseThenCancel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := taken(t, ctx, 1)
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error { return m.Do(ctx, asyncio.Yield) }, "a", "b")
		turns(t, ctx, 1)
		m.Release()
		tasks[0].Cancel(nil)
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "a", err, nil)
		err = awaitEach(ctx, tasks[1])
		wantString(t, m, "<Semaphore-1 free=1/1>")
		return err
	})
}

// The holder releases and then cancels the only waiter, which has the permit: it
// can be acquired again in the end.
func TestSemaphore_ReleasedAndWaiterCancelledByTheHolder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(1)
		var waiter *asyncio.Task[struct{}]
		holder := asyncio.Go(ctx, func(ctx context.Context) error {
			err := m.Do(ctx, asyncio.Yield)
			waiter.Cancel(nil)
			return err
		})
		waiter = asyncio.Go(ctx, func(ctx context.Context) error { return m.Do(ctx, asyncio.Yield) })
		if _, err := waiter.Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the waiter ended with %v", err)
		}
		err := awaitEach(ctx, holder)
		return errors.Join(err, asyncio.Timeout(ctx, time.Second, m.Acquire))
	})
}

func TestSemaphore_PermitsAreNeitherLostNorMultiplied(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(60) {
		chosen(t, seededChooser(seed), func(ctx context.Context) error {
			r := rand.New(rand.NewPCG(seed, 3))
			size := 1 + r.IntN(4)
			m := asyncio.NewSemaphore(size)
			inside := 0
			tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
				for range 6 {
					if err := m.Do(ctx, func(ctx context.Context) error {
						if inside++; inside > size {
							t.Errorf("seed %d: %d tasks have a permit of %d", seed, inside, size)
						}
						for range r.IntN(3) {
							_ = asyncio.Yield(ctx)
						}
						inside--
						return nil
					}); err != nil {
						return err
					}
				}
				return nil
			}, "a", "b", "c", "d", "e", "f", "g", "h")
			for range 10 {
				turns(t, ctx, r.IntN(4))
				tasks[r.IntN(len(tasks))].Cancel(nil)
			}
			for _, task := range tasks {
				_, _ = task.Await(ctx)
			}
			if m.Free() != size || inside != 0 {
				t.Errorf("seed %d: %v at the end", seed, m)
			}
			return nil
		})
	}
}

func TestSemaphore_String(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := asyncio.NewSemaphore(2)
		wantString(t, m, "<Semaphore free=2/2>")
		if err := errors.Join(m.Acquire(ctx), m.Acquire(ctx)); err != nil {
			return err
		}
		wantString(t, m, "<Semaphore free=0/2>")
		tasks := permitTasks(ctx, m, &story{}, "a", "b")
		turns(t, ctx, 1)
		wantString(t, m, "<Semaphore-1 free=0/2 waiters=2>")
		if got := tasks[0].WaitingFor(); got != m.String() {
			t.Errorf("a waits for %s", got)
		}
		m.Release()
		m.Release()
		return awaitEach(ctx, tasks...)
	})
}
