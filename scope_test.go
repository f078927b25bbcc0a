package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncio-go/asyncio"
)

// sleepLong waits an hour under its ctx, whatever that is.
func sleepLong(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }

// turns lets everybody else run n times.
func turns(t *testing.T, ctx context.Context, n int) {
	t.Helper()
	for range n {
		if err := asyncio.Yield(ctx); err != nil {
			t.Errorf("Yield: %v", err)
		}
	}
}

// wantCancelled fails unless err is a cancellation that cause explains.
func wantCancelled(t *testing.T, what string, err, cause error) {
	t.Helper()
	var ce *asyncio.CancelledError
	if !errors.As(err, &ce) || !errors.Is(err, context.Canceled) || errors.Is(err, asyncio.ErrTimeout) {
		t.Errorf("%s: error is %v, want a cancellation", what, err)
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("%s: error is %v, want one caused by %v", what, err, cause)
	}
}

func TestCancel_FailsEveryAwaitFromThenOn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		done := asyncio.Spawn(ctx, func(context.Context) (int, error) { return 1, nil })
		turns(t, ctx, 1)
		full := make(chan int, 1)
		full <- 7
		c, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		never := func(context.Context) (int, error) {
			t.Error("a function ran under a cancelled context")
			return 0, nil
		}
		first := asyncio.Yield(c)
		wantErr(t, first, "asyncio: cancelled: boom")
		for name, await := range map[string]func() error{
			"Yield":           func() error { return asyncio.Yield(c) },
			"Sleep":           func() error { return asyncio.Sleep(c, time.Hour) },
			"Sleep(0)":        func() error { return asyncio.Sleep(c, 0) },
			"Future.Await":    func() error { _, err := asyncio.NewFuture[int](c).Await(c); return err },
			"of a done task":  func() error { _, err := done.Await(c); return err },
			"of a new task":   func() error { _, err := asyncio.Spawn(c, never).Await(ctx); return err },
			"Blocking":        func() error { _, err := asyncio.Blocking(c, never); return err },
			"Abandonable":     func() error { _, err := asyncio.Abandonable(c, never); return err },
			"Recv":            func() error { _, _, err := asyncio.Recv(c, full); return err },
			"below WithValue": func() error { return asyncio.Yield(context.WithValue(c, scopeTestKey{}, 1)) },
			"below WithCancel": func() error {
				below, stop := asyncio.WithCancel(c)
				defer stop()
				return asyncio.Yield(below)
			},
			"in a bracket": func() error { return asyncio.Timeout(c, time.Hour, asyncio.Yield) },
		} {
			if err := await(); err != first { // one cancellation, one error
				t.Errorf("%s: %v, want the same error as every other await", name, err)
			}
		}
		if len(full) != 1 {
			t.Error("a cancelled Recv took the value")
		}
		return nil
	})
}

type scopeTestKey struct{}

func TestCancel_RefusedAwaitsGiveUpATurn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithCancel(ctx)
		cancel()
		stubborn := asyncio.Go(ctx, func(context.Context) error {
			for i := range 3 {
				s.add("stubborn %d", i)
				_ = asyncio.Sleep(c, time.Hour) // an error ignored, as in many a worker loop
				_ = asyncio.Timeout(c, 0, asyncio.Yield)
			}
			return nil
		})
		for i := range 6 {
			turns(t, ctx, 1)
			s.add("other %d", i)
		}
		_, err := stubborn.Await(ctx)
		return err
	})
	s.want(t, "stubborn 0", "other 0", "other 1", "stubborn 1", "other 2", "other 3", "stubborn 2", "other 4", "other 5")
}

func TestCancel_BeforeTheFirstStepNeverRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		never := func(ctx context.Context) error {
			t.Error("the task ran")
			return nil
		}
		c, cancel := asyncio.WithCancelCause(ctx)
		std, stop := context.WithCancelCause(ctx)
		under := asyncio.Go(c, never)
		direct := asyncio.Go(ctx, never)
		if !direct.Cancel(errBoom) || direct.Cancel(nil) {
			t.Error("Cancel does not report the first cancellation, or reports the second")
		}
		cancel(errBoom)
		stop(errBoom)
		for name, task := range map[string]*asyncio.Task[struct{}]{
			"cancelled itself":  direct,
			"its ctx cancelled": under,
			"born cancelled":    asyncio.Go(c, never),
			"born under std":    asyncio.Go(std, never),
		} {
			_, err := task.Await(ctx)
			wantCancelled(t, name, err, errBoom)
			if task.State() != asyncio.Cancelled {
				t.Errorf("%s: the task is %v", name, task.State())
			}
		}
		return nil
	})
}

// The cancellation of a standard context is obeyed at once, also by what is
// below it: by the next await, and instead of the first step.
func TestCancel_OfAStandardContextIsObeyedAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for range 200 { // a matter of luck, if it is left to a goroutine
			std, stop := context.WithCancel(ctx)
			below, cancel := asyncio.WithCancel(std)
			defer cancel()
			task := asyncio.Go(std, func(context.Context) error {
				t.Error("the task ran although its context was cancelled before")
				return nil
			})
			stop()
			wantCancelled(t, "an await below", asyncio.Yield(below), nil)
			_, err := task.Await(ctx)
			if wantCancelled(t, "the task", err, nil); t.Failed() {
				break
			}
		}
		return nil
	})
}

type detailedCause struct{ code int }

func (e *detailedCause) Error() string { return fmt.Sprintf("code %d", e.code) }

func TestCancel_FirstCauseWinsAndIsFound(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var inside error
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			err := sleepLong(ctx)
			inside = context.Cause(ctx)
			return fmt.Errorf("worker: %w", err)
		})
		turns(t, ctx, 1)
		cause := &detailedCause{42}
		if !task.Cancel(fmt.Errorf("reload: %w", cause)) || task.Cancel(errBoom) {
			t.Error("Cancel = false, or true the second time")
		}
		_, err := task.Await(ctx)
		wantErr(t, err, "worker: asyncio: cancelled: reload: code 42")
		var found *detailedCause
		if !errors.As(err, &found) || found != cause || errors.Is(err, errBoom) || !errors.Is(inside, cause) {
			t.Errorf("error %v, Cause %v, want the first cause", err, inside)
		}
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v, want cancelled", task.State())
		}
		wantErr(t, errors.Unwrap(errors.Unwrap(err)), "reload: code 42")
		return nil
	})
}

func TestCancel_AResultAfterwardsIsTheResult(t *testing.T) {
	run(t, func(ctx context.Context) error {
		other := asyncio.Go(ctx, sleepLong)
		for name, end := range map[string]func(context.Context) (int, error){
			"a value":  func(ctx context.Context) (int, error) { _ = sleepLong(ctx); return 5, nil },
			"an error": func(ctx context.Context) (int, error) { _ = sleepLong(ctx); return 0, errBoom },
			// Somebody else's cancellation is an error like any other.
			"another's cancellation": func(ctx context.Context) (int, error) {
				other.Cancel(errBoom)
				_ = sleepLong(ctx)
				_, err := other.Result()
				return 0, err
			},
		} {
			task := asyncio.Spawn(ctx, end)
			turns(t, ctx, 1)
			task.Cancel(nil)
			v, err := task.Await(ctx)
			want := asyncio.Failed
			if name == "a value" {
				want = asyncio.Succeeded
			}
			if task.State() != want || (v == 5) != (err == nil) {
				t.Errorf("%s after a cancellation: %v, %v, %v", name, v, err, task.State())
			}
		}
		return nil
	})
}

func TestCancel_OrderIsOrderOfCreation(t *testing.T) {
	const n = 3000
	var order []int
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithCancel(ctx)
		var groups []context.Context
		for range 7 {
			g, stop := asyncio.WithCancel(c)
			defer stop()
			groups = append(groups, g)
		}
		for i := range n {
			wait := func(ctx context.Context) error {
				err := sleepLong(ctx)
				order = append(order, i)
				return err
			}
			parent := groups[(n-i)%len(groups)] // the order of scopes is another one
			asyncio.Go(parent, func(ctx context.Context) error {
				switch i % 5 { // brackets are younger than all the tasks
				case 0:
					return asyncio.Timeout(ctx, 2*time.Hour, wait)
				case 1:
					return asyncio.Timeout(ctx, 2*time.Hour, func(ctx context.Context) error {
						return asyncio.Timeout(ctx, 3*time.Hour, wait)
					})
				case 2:
					below, stop := asyncio.WithCancel(ctx)
					defer stop()
					return wait(below)
				case 3:
					return wait(c) // captured: it waits above its own scope
				}
				return wait(ctx)
			})
		}
		turns(t, ctx, 1)
		cancel()
		turns(t, ctx, 2)
		return nil
	})
	if len(order) != n || !slices.IsSorted(order) {
		t.Errorf("%d of %d tasks were cancelled; in order of creation: %v", len(order), n, slices.IsSorted(order))
	}
}

// Whatever comes first has happened; the other has not.
func TestCancel_InTheTurnOfCompletion(t *testing.T) {
	run(t, func(ctx context.Context) error {
		// Both are due at the same time: the sleeper's timer is the older one.
		sleeper := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Second)
			sleeper.Cancel(nil)
			return err
		})
		if _, err := sleeper.Await(ctx); err != nil {
			t.Errorf("a sleep that was over when it was cancelled: %v", err)
		}
		c, cancel := asyncio.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := asyncio.Sleep(c, time.Second); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("a sleep that was cancelled when it was due: %v", err)
		}

		f := asyncio.NewFuture[int](ctx)
		task := asyncio.Spawn(ctx, f.Await)
		turns(t, ctx, 1)
		f.SetResult(3)
		task.Cancel(nil)
		if v, err := task.Await(ctx); v != 3 || err != nil {
			t.Errorf("a future that was set, then its waiter cancelled: %v, %v", v, err)
		}

		f = asyncio.NewFuture[int](ctx)
		inner := asyncio.Spawn(ctx, f.Await)
		outer := asyncio.Spawn(ctx, inner.Await)
		turns(t, ctx, 1)
		f.SetResult(4)
		turns(t, ctx, 1) // inner has ended and woken outer, which has not run
		if inner.Cancel(nil) || !outer.Cancel(nil) {
			t.Error("Cancel = true for a task that is done, or false for one that is not")
		}
		if v, err := outer.Await(ctx); v != 4 || err != nil {
			t.Errorf("a task that was done, then its waiter cancelled: %v, %v", v, err)
		}
		return nil
	})
}

func TestAwait_DoesNotOwn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 5, sleepLong(ctx) })
		for _, await := range []func(context.Context) (int, error){task.Await, asyncio.NewFuture[int](ctx).Await} {
			impatient := asyncio.Spawn(ctx, await)
			turns(t, ctx, 1)
			impatient.Cancel(nil)
			_, err := impatient.Await(ctx)
			wantCancelled(t, "who awaits", err, nil)
		}
		if v, err := task.Await(ctx); v != 5 || err != nil {
			t.Errorf("a task whose waiter was cancelled = %v, %v, want 5", v, err)
		}
		return nil
	})
}

func TestWithCancel_FromOtherGoroutines(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 200
		never := asyncio.NewFuture[int](ctx)
		var tasks []*asyncio.Task[int]
		var wg sync.WaitGroup
		for range n {
			c, cancel := asyncio.WithCancelCause(ctx)
			for range 2 {
				tasks = append(tasks, asyncio.Spawn(c, func(ctx context.Context) (int, error) {
					return asyncio.Spawn(ctx, never.Await).Await(ctx) // what lies below is reached too
				}))
			}
			for range 2 {
				wg.Go(func() { cancel(errBoom); cancel(nil) })
			}
		}
		for _, task := range tasks {
			_, err := task.Await(ctx)
			if wantCancelled(t, "a task", err, errBoom); t.Failed() {
				break
			}
		}
		wg.Wait()
		return nil
	})
}

// cancel may be called from any goroutine, so who waits for that is not
// deadlocked.
func TestWithCancel_OnAnotherGoroutineIsNoDeadlock(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		err := b.Run(context.Background(), func(ctx context.Context) error {
			c, cancel := asyncio.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(errBoom) }) // in a bubble: once the loop has nothing to do
			_, err := asyncio.NewFuture[int](c).Await(c)
			return err
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		if got := b.log.Text(); got != "" {
			t.Errorf("logged:\n%s", strings.SplitN(got, "\n", 2)[0])
		}
	})
}

func TestBlocking_IsNoCancellationPointOnceItRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		began, told := make(chan struct{}), make(chan struct{})
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			return asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
				close(began)
				<-ctx.Done() // the function is told, and decides
				close(told)
				return 9, nil
			})
		})
		if _, _, err := asyncio.Recv(ctx, began); err != nil {
			return err
		}
		task.Cancel(nil)
		_, _, err := asyncio.Recv(ctx, told)
		if v, err := task.Await(ctx); v != 9 || err != nil {
			t.Errorf("Blocking = %v, %v, want what the function returned", v, err)
		}
		return err
	})
}
