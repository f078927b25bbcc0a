package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// waiters are things to wait for by name, so that lists of them read well.
type waiters struct {
	names []string
	all   []asyncio.Waiter
}

func (w *waiters) add(name string, x asyncio.Waiter) {
	w.names, w.all = append(w.names, name), append(w.all, x)
}

func (w *waiters) name(list []asyncio.Waiter) string {
	text := ""
	for _, x := range list {
		text += w.names[slices.Index(w.all, x)]
	}
	return text
}

// wait is Wait, with its lists as text: those that are done, a line, the others.
func (w *waiters) wait(ctx context.Context, mode asyncio.WaitMode) (string, error) {
	done, pending, err := asyncio.Wait(ctx, mode, w.all...)
	return w.name(done) + "|" + w.name(pending), err
}

// assorted are a task that is done after 3s, b a future that has a result
// after 1s, c a task that fails after 2s, d a future that is cancelled after 1.5s,
// e a task that is cancelled at once.
func assorted(ctx context.Context) *waiters {
	w := &waiters{}
	w.add("a", asyncio.Spawn(ctx, later(3*time.Second, "a", nil)))
	b, d := asyncio.NewFuture[int](ctx), asyncio.NewFuture[error](ctx)
	w.add("b", b)
	c := asyncio.Spawn(ctx, later(2*time.Second, 1.5, errBoom))
	w.add("c", c)
	w.add("d", d)
	e := asyncio.Go(ctx, sleepLong)
	e.Cancel(nil)
	w.add("e", e)
	asyncio.Go(ctx, func(ctx context.Context) error {
		err := asyncio.Sleep(ctx, time.Second)
		b.SetResult(1)
		_ = asyncio.Sleep(ctx, time.Second/2)
		d.Cancel(nil)
		_, _ = c.Await(ctx) // somebody has to look at the error
		return err
	})
	return w
}

func TestWait_Modes(t *testing.T) {
	for _, c := range []struct {
		mode asyncio.WaitMode
		want string
		at   time.Duration
	}{
		{asyncio.FirstDone, "e|abcd", 0},
		{asyncio.FirstError, "bcde|a", 2 * time.Second},
		{asyncio.AllDone, "abcde|", 3 * time.Second},
	} {
		run(t, func(ctx context.Context) error {
			w := assorted(ctx)
			past := took(t, ctx, func() {
				if got, err := w.wait(ctx, c.mode); got != c.want || err != nil {
					t.Errorf("mode %d: Wait = %s, %v, want %s", c.mode, got, err, c.want)
				}
			})
			if past != c.at {
				t.Errorf("mode %d: it took %v, want %v", c.mode, past, c.at)
			}
			return asyncio.Sleep(ctx, 3*time.Second)
		})
	}
}

// One after another, as a server waits that handles each as it comes.
func TestWait_PendingAreWaitedForAgain(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		w := assorted(ctx)
		left := w.all
		for len(left) > 0 {
			done, pending, err := asyncio.Wait(ctx, asyncio.FirstDone, left...)
			if err != nil {
				return err
			}
			s.add("%s", w.name(done))
			left = pending
		}
		return nil
	})
	s.want(t, "e", "b", "d", "c", "a")
}

func TestWait_FirstErrorMeansNoCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		gone := asyncio.Go(ctx, sleepLong)
		future := asyncio.NewFuture[int](ctx)
		w := &waiters{}
		w.add("g", gone)
		w.add("f", future)
		w.add("n", asyncio.Spawn(ctx, later(time.Second, 1, nil)))
		turns(t, ctx, 1)
		gone.Cancel(errBoom) // even if the cause is an error
		future.Cancel(errBoom)
		past := took(t, ctx, func() {
			if got, err := w.wait(ctx, asyncio.FirstError); got != "gfn|" || err != nil {
				t.Errorf("Wait = %s, %v, want gfn|", got, err)
			}
		})
		if past != time.Second {
			t.Errorf("it took %v, want until all were done", past)
		}
		return nil
	})
}

func TestWait_FirstErrorOfAnyKind(t *testing.T) {
	for name, fail := range map[string]func(ctx context.Context) asyncio.Waiter{
		"a task's error": func(ctx context.Context) asyncio.Waiter { return asyncio.Spawn(ctx, taskFail) },
		"a future's error": func(ctx context.Context) asyncio.Waiter {
			f := asyncio.NewFuture[int](ctx)
			asyncio.Go(ctx, func(context.Context) error { f.SetError(errBoom); return nil })
			return f
		},
		"a panic": func(ctx context.Context) asyncio.Waiter { return asyncio.Spawn(ctx, taskPanic) },
		"somebody else's context.Canceled": func(ctx context.Context) asyncio.Waiter {
			return asyncio.Go(ctx, func(context.Context) error { return context.Canceled })
		},
	} {
		noLeaks(t)
		b := newBench()
		err := b.Run(t.Context(), func(ctx context.Context) error {
			w := &waiters{}
			w.add("s", asyncio.Spawn(ctx, taskNap))
			w.add("f", fail(ctx))
			if got, err := w.wait(ctx, asyncio.FirstError); got != "f|s" || err != nil {
				t.Errorf("%s: Wait = %s, %v, want f|s", name, got, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Nothing is waited for, and no turn given up, if what mode asks for is there.
func TestWait_OfWhatIsDone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		count := countTurns(ctx)
		failed := asyncio.Spawn(ctx, taskFail)
		_, _ = failed.Await(ctx)
		future := asyncio.NewFuture[string](ctx)
		future.SetResult("x")
		for _, c := range []struct {
			mode asyncio.WaitMode
			want string
		}{{asyncio.AllDone, "ft|"}, {asyncio.FirstDone, "ft|n"}, {asyncio.FirstError, "ft|n"}} {
			w := &waiters{}
			w.add("f", future)
			w.add("t", failed)
			if c.mode != asyncio.AllDone {
				w.add("n", asyncio.NewFuture[int](ctx))
			}
			before := count()
			if got, err := w.wait(ctx, c.mode); got != c.want || err != nil || count() != before {
				t.Errorf("mode %d: Wait = %s, %v after %d turns, want %s at once", c.mode, got, err, count()-before, c.want)
			}
		}
		return nil
	})
}

// Done is done, although the callbacks have not run yet: asyncio's
// test_wait_really_done.
func TestWait_ListsWhatIsDoneWhenItReturns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		w := &waiters{}
		for _, name := range []string{"x", "y", "z"} {
			f := asyncio.NewFuture[int](ctx)
			w.add(name, f)
			if name != "z" {
				asyncio.Go(ctx, func(context.Context) error { f.SetResult(1); return nil })
			}
		}
		got, err := w.wait(ctx, asyncio.FirstDone)
		if got != "xy|z" {
			t.Errorf("Wait = %s, want xy|z: y was done in the same turn", got)
		}
		return err
	})
}

func TestWait_TakesTwoTurns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		count := countTurns(ctx)
		for _, mode := range []asyncio.WaitMode{asyncio.AllDone, asyncio.FirstDone, asyncio.FirstError} {
			task := asyncio.Spawn(ctx, taskAnswer)
			before := count()
			_, _, err := asyncio.Wait(ctx, mode, task)
			if n := count() - before; n != 2 || err != nil {
				t.Errorf("mode %d: it took %d turns, want 2: one for the task, one to wake up; %v", mode, n, err)
			}
		}
		return nil
	})
}

func TestWait_Duplicates(t *testing.T) {
	run(t, func(ctx context.Context) error {
		w := &waiters{}
		a, b := asyncio.Spawn(ctx, later(time.Second, 1, nil)), asyncio.Spawn(ctx, later(2*time.Second, 2, nil))
		for _, x := range []asyncio.Waiter{a, b, a, a} {
			w.add(map[asyncio.Waiter]string{a: "a", b: "b"}[x], x)
		}
		got, err := w.wait(ctx, asyncio.FirstDone)
		if got != "aaa|b" || err != nil {
			t.Errorf("FirstDone: Wait = %s, %v, want aaa|b", got, err)
		}
		got, err = w.wait(ctx, asyncio.AllDone)
		if got != "abaa|" {
			t.Errorf("AllDone: Wait = %s, want abaa|", got)
		}
		return err
	})
}

func TestWait_ForNothingFails(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, mode := range []asyncio.WaitMode{asyncio.AllDone, asyncio.FirstDone, asyncio.FirstError} {
			done, pending, err := asyncio.Wait(ctx, mode)
			wantErr(t, err, "asyncio: Wait: there is nothing to wait for; pass at least one task or future")
			if done != nil || pending != nil {
				t.Errorf("lists are %v and %v", done, pending)
			}
		}
		return nil
	})
}

func TestWait_CancelsNobody(t *testing.T) {
	run(t, func(ctx context.Context) error {
		slow := asyncio.Spawn(ctx, later(time.Hour, 5, nil))
		_, pending, err := asyncio.Wait(ctx, asyncio.FirstDone, slow, asyncio.Spawn(ctx, taskAnswer))
		if len(pending) != 1 || slow.State() != asyncio.Waiting || err != nil {
			t.Errorf("pending %v, the slow task is %v, %v", pending, slow.State(), err)
		}
		waiting := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, asyncio.AllDone, slow)
			return err
		})
		turns(t, ctx, 1)
		waiting.Cancel(errBoom) // test_yield_wait_does_not_shield_cancel
		_, err = waiting.Await(ctx)
		wantCancelled(t, "who waits", err, errBoom)
		v, err := slow.Await(ctx)
		if v != 5 {
			t.Errorf("the slow task has %v, %v", v, err)
		}
		return err
	})
}

func TestWait_CancelledHasItsLists(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, mode := range []asyncio.WaitMode{asyncio.AllDone, asyncio.FirstError} {
			w := assorted(ctx)
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				got, err := w.wait(ctx, mode)
				if got != "be|acd" {
					t.Errorf("mode %d: Wait = %s, want be|acd", mode, got)
				}
				return err
			})
			_ = asyncio.Sleep(ctx, 1200*time.Millisecond)
			task.Cancel(errSplash)
			_, err := task.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: splash")
			_ = asyncio.Sleep(ctx, time.Minute)
		}
		return nil
	})
}

func TestWait_CancelledBeforehand(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithCancelCause(ctx)
		cancel(errSplash)
		w := &waiters{}
		w.add("s", asyncio.Spawn(ctx, taskNap))
		w.add("d", asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, taskAnswer))
		w.add("t", asyncio.Spawn(ctx, taskAnswer)) // done once the turn was given up that such an await costs
		for _, mode := range []asyncio.WaitMode{asyncio.AllDone, asyncio.FirstDone, asyncio.FirstError} {
			got, err := w.wait(c, mode)
			wantErr(t, err, "asyncio: cancelled: splash")
			if got != "dt|s" {
				t.Errorf("mode %d: Wait = %s, want dt|s", mode, got)
			}
		}
		return nil
	})
}

// asyncio's wait(timeout=): the time being over is no reason to lose the lists.
func TestWait_WithATimeout(t *testing.T) {
	for _, c := range []struct {
		mode  asyncio.WaitMode
		limit time.Duration
		want  string
		late  bool
	}{
		{asyncio.AllDone, 500 * time.Millisecond, "e|abcd", true},
		{asyncio.AllDone, 2500 * time.Millisecond, "bcde|a", true},
		{asyncio.AllDone, time.Minute, "abcde|", false},
		{asyncio.FirstError, 1700 * time.Millisecond, "bde|ac", true},
		{asyncio.FirstError, time.Minute, "bcde|a", false},
		{asyncio.FirstDone, time.Nanosecond, "e|abcd", false},
	} {
		run(t, func(ctx context.Context) error {
			w, got := assorted(ctx), ""
			err := asyncio.Timeout(ctx, c.limit, func(ctx context.Context) (err error) {
				got, err = w.wait(ctx, c.mode)
				return err
			})
			if got != c.want || errors.Is(err, asyncio.ErrTimeout) != c.late || (err != nil) != c.late {
				t.Errorf("mode %d within %v: Wait = %s, %v, want %s, late=%v", c.mode, c.limit, got, err, c.want, c.late)
			}
			return asyncio.Sleep(ctx, time.Minute)
		})
		run(t, func(ctx context.Context) error {
			sub, cancel := asyncio.WithTimeout(ctx, c.limit)
			defer cancel()
			got, err := assorted(ctx).wait(sub, c.mode)
			if got != c.want || errors.Is(err, context.DeadlineExceeded) != c.late || (err != nil) != c.late {
				t.Errorf("mode %d WithTimeout %v: Wait = %s, %v, want %s, late=%v", c.mode, c.limit, got, err, c.want, c.late)
			}
			return asyncio.Sleep(ctx, time.Minute)
		})
	}
}

func TestWait_SaysWhatIsLeft(t *testing.T) {
	run(t, func(ctx context.Context) error {
		w := assorted(ctx)
		task := asyncio.Go(ctx, func(ctx context.Context) error { _, err := w.wait(ctx, asyncio.AllDone); return err })
		got := ""
		for range 7 {
			_ = asyncio.Sleep(ctx, time.Second/2)
			got += fmt.Sprintf("[%s]", task.WaitingFor())
		}
		want := "[Wait for 4 of 5][Wait for 3 of 5][Wait for 2 of 5][Wait for 1 of 5][Wait for 1 of 5][][]"
		if got != want {
			t.Errorf("it waits for %s\nwant         %s", got, want)
		}
		return nil
	})
}
