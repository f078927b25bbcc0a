package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// startAs starts f as a task of that name.
func startAs(ctx context.Context, name string, f func(ctx context.Context) error) *asyncio.Task[struct{}] {
	return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name}, asyncio.Void(f))
}

// busyFor keeps the loop busy for so many turns.
func busyFor(ctx context.Context, n int) {
	asyncio.Go(ctx, func(ctx context.Context) error {
		for range n {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// allOf awaits tasks of which all must succeed.
func allOf(ctx context.Context, tasks ...*asyncio.Task[struct{}]) error {
	var errs []error
	for _, task := range tasks {
		_, err := task.Await(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// calmly is run without debug mode, for whole texts that must not say where things
// were created.
func calmly(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	noLeaks(t)
	b := quietBench()
	if err := b.Run(context.Background(), main); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := b.log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

// wantDeadlock checks that err is a DeadlockError of that text, and that each of
// its circle waits for what the next one holds.
func wantDeadlock(t *testing.T, err error, text string) {
	t.Helper()
	var de *asyncio.DeadlockError
	if !errors.As(err, &de) || !errors.Is(err, asyncio.ErrDeadlock) || errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want a DeadlockError", err)
		return
	}
	wantErr(t, err, "asyncio: deadlock: this wait would never end: "+text)
	for i, w := range de.Circle {
		if w.State != asyncio.Waiting {
			t.Errorf("%v stands in a circle of waits", w)
			continue
		}
		next, held := de.Circle[(i+1)%len(de.Circle)].Task, false
		for _, holder := range w.HeldBy {
			held = held || holder == next
		}
		if !held || w.WaitingFor == "" {
			t.Errorf("%v, which is not for %s", w, next.Name())
		}
	}
}

// isCircle reports whether err is a wait's that would have closed a circle, for
// which one may try again; the end of a loop that stands still is no such thing.
func isCircle(err error) bool {
	var de *asyncio.DeadlockError
	return errors.As(err, &de)
}

// twoLocks has a task hold first for a moment, then want second, and pass on how
// that went.
func twoLocks(first, second *asyncio.Lock, told func(err error)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		return first.Do(ctx, func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			err := second.Acquire(ctx)
			told(err)
			if err == nil {
				second.Release()
			}
			return nil
		})
	}
}

func TestDeadlock_TwoLocksInOppositeOrder(t *testing.T) {
	for _, busy := range []int{0, 100} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, busy)
			s := &story{}
			var l1, l2 asyncio.Lock
			a := startAs(ctx, "a", twoLocks(&l1, &l2, func(err error) { s.add("a %v", err) }))
			b := startAs(ctx, "b", twoLocks(&l2, &l1, func(err error) {
				s.add("b fails")
				wantDeadlock(t, err, "b waits for <Lock-2 locked by a>, held by a, "+
					"which waits for <Lock-1 locked by b waiters=1>, held by b")
			}))
			err := allOf(ctx, a, b)
			s.want(t, "b fails", "a <nil>") // who closes the circle gives up, the other one goes on
			if l1.Locked() || l2.Locked() {
				t.Errorf("left are %v and %v", &l1, &l2)
			}
			return err
		})
	}
}

func TestDeadlock_TheCircleIsTold(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l1, l2 asyncio.Lock
		var told error
		a := startAs(ctx, "a", func(ctx context.Context) error {
			return l1.Do(ctx, func(ctx context.Context) error {
				_ = asyncio.Yield(ctx)
				return l2.Do(ctx, nothing)
			})
		})
		b := startAs(ctx, "b", func(ctx context.Context) error {
			_ = l2.Acquire(ctx)
			_ = asyncio.Sleep(ctx, 3*time.Second)
			told = l1.Acquire(ctx)
			l2.Release()
			return nil
		})
		err := allOf(ctx, a, b)
		var de *asyncio.DeadlockError
		if !errors.As(told, &de) || len(de.Circle) != 2 {
			t.Fatalf("error is %v, want a circle of two", told)
		}
		for i, want := range []struct {
			task, holder asyncio.AnyTask
			on           string
			waiting      time.Duration
		}{
			{b, a, "<Lock-2 locked by a>", 0},
			{a, b, "<Lock-1 locked by b waiters=1>", 3 * time.Second},
		} {
			got := de.Circle[i]
			if got.Task != want.task || got.State != asyncio.Waiting || got.WaitingFor != want.on ||
				got.Waiting != want.waiting || len(got.HeldBy) != 1 || got.HeldBy[0] != want.holder {
				t.Errorf("circle[%d] is %v for %v, want %v", i, got, got.Waiting, want)
			}
		}
		return err
	})
}

func TestDeadlock_OfManyLocks(t *testing.T) {
	for _, n := range []int{3, 50} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 1000)
			locks, failed := make([]asyncio.Lock, n), 0
			var tasks []*asyncio.Task[struct{}]
			for i := range n {
				tasks = append(tasks, startAs(ctx, fmt.Sprint("t", i), twoLocks(&locks[i], &locks[(i+1)%n], func(err error) {
					if err == nil {
						return
					}
					failed++
					if n == 3 {
						wantDeadlock(t, err, "t2 waits for <Lock-3 locked by t0>, held by t0, "+
							"which waits for <Lock-1 locked by t1 waiters=1>, held by t1, "+
							"which waits for <Lock-2 locked by t2 waiters=1>, held by t2")
					}
					var de *asyncio.DeadlockError
					if errors.As(err, &de); len(de.Circle) != n {
						t.Errorf("a circle of %d, want %d", len(de.Circle), n)
					}
				})))
			}
			err := allOf(ctx, tasks...)
			if failed != 1 {
				t.Errorf("%d of %d failed, want one", failed, n)
			}
			return err
		})
	}
}

func TestDeadlock_LockTwiceByOneTask(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			const text = "Task-1 waits for <Lock-1 locked by Task-1>, held by Task-1"
			wantDeadlock(t, l.Acquire(ctx), text)
			wantDeadlock(t, l.Do(ctx, func(context.Context) error { t.Error("it ran"); return nil }), text)
			wantDeadlock(t, l.Acquire(context.WithoutCancel(ctx)), text)
			if l.TryAcquire(ctx) || !l.Locked() {
				t.Error("the lock was acquired a second time, or lost")
			}
			return asyncio.Yield(ctx)
		})
	})
}

func TestDeadlock_TasksThatAwaitEachOther(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		tasks := make([]*asyncio.Task[struct{}], 3)
		for i := range tasks {
			tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := tasks[(i+1)%3].Await(ctx)
				if i < 2 {
					return err
				}
				var de *asyncio.DeadlockError
				if !errors.As(err, &de) || len(de.Circle) != 3 {
					t.Errorf("error is %v, want a circle of three", err)
					return err
				}
				const coro = "asyncio_test.TestDeadlock_TasksThatAwaitEachOther.func1.1"
				if got, want := de.Circle[2].String(), "Task-1-3 ("+coro+") waits for <Task pending name='Task-1-4' coro="+
					coro+"()>, held by Task-1-4"; got != want {
					t.Errorf("the last of the circle is %s\nwant %s", got, want)
				}
				return nil
			})
		}
		return allOf(ctx, tasks...)
	})
}

// The failure of the one that closed the circle is an ordinary error: the others
// get it from the task that they await.
func TestDeadlock_PassesOnAsAnError(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var a, b *asyncio.Task[struct{}]
		a = asyncio.Go(ctx, func(ctx context.Context) error { _, err := b.Await(ctx); return err })
		b = asyncio.Go(ctx, func(ctx context.Context) error { _, err := a.Await(ctx); return err })
		_, err := a.Await(ctx)
		if !errors.Is(err, asyncio.ErrDeadlock) || a.State() != asyncio.Failed || b.State() != asyncio.Failed {
			t.Errorf("a is %v with %v, b is %v, want failed with the deadlock", a.State(), err, b.State())
		}
		return asyncio.Yield(ctx) // nobody was cancelled
	})
}

func TestDeadlock_VictimGivesUpAndTriesAgain(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l1, l2 asyncio.Lock
		s := &story{}
		both := func(name string, first, second *asyncio.Lock) *asyncio.Task[struct{}] {
			return startAs(ctx, name, func(ctx context.Context) error {
				for {
					err := first.Do(ctx, func(ctx context.Context) error {
						_ = asyncio.Yield(ctx)
						return second.Do(ctx, func(context.Context) error { s.add("%s has both", name); return nil })
					})
					if !isCircle(err) {
						return err
					}
					s.add("%s again", name)
				}
			})
		}
		err := allOf(ctx, both("a", &l1, &l2), both("b", &l2, &l1))
		s.want(t, "b again", "a has both", "b has both")
		return err
	})
}

func TestDeadlock_WaitsWithTimeoutsFailAtOnce(t *testing.T) {
	for name, acquire := range map[string]func(ctx context.Context, l *asyncio.Lock) error{
		"Timeout": func(ctx context.Context, l *asyncio.Lock) error {
			return asyncio.Timeout(ctx, time.Second, l.Acquire)
		},
		"WithTimeout": func(ctx context.Context, l *asyncio.Lock) error {
			ctx, cancel := asyncio.WithTimeout(ctx, time.Second)
			defer cancel()
			return l.Acquire(ctx)
		},
		"a standard context": func(ctx context.Context, l *asyncio.Lock) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return l.Acquire(ctx)
		},
		"Shield": func(ctx context.Context, l *asyncio.Lock) error {
			_, err := asyncio.Shield(ctx, asyncio.Void(l.Acquire))
			return err
		},
	} {
		calmly(t, func(ctx context.Context) error {
			var l1, l2 asyncio.Lock
			failed := 0
			locks := func(first, second *asyncio.Lock) *asyncio.Task[struct{}] {
				return asyncio.Go(ctx, func(ctx context.Context) error {
					return first.Do(ctx, func(ctx context.Context) error {
						_ = asyncio.Yield(ctx)
						err := acquire(ctx, second)
						if errors.Is(err, asyncio.ErrDeadlock) && !errors.Is(err, asyncio.ErrTimeout) {
							failed++
							return nil
						}
						if err == nil {
							second.Release()
						}
						return err
					})
				})
			}
			past := took(t, ctx, func() {
				if err := allOf(ctx, locks(&l1, &l2), locks(&l2, &l1)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			if failed != 1 || past != 0 {
				t.Errorf("%s: %d failed after %v, want one at once", name, failed, past)
			}
			return nil
		})
	}
}
