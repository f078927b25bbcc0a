package asyncio_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio"
)

// What Wait leaves behind in what it waited for: nothing.

func TestWait_LeavesErrorsToWhoeverAwaits(t *testing.T) {
	for _, awaited := range []bool{false, true} {
		noLeaks(t)
		b := newBench()
		err := b.Run(t.Context(), func(ctx context.Context) error {
			task, future := asyncio.Spawn(ctx, taskFail), asyncio.NewFuture[int](ctx)
			asyncio.Go(ctx, func(context.Context) error { future.SetError(errSplash); return nil })
			for _, mode := range []asyncio.WaitMode{asyncio.FirstError, asyncio.AllDone} {
				if _, _, err := asyncio.Wait(ctx, mode, task, future); err != nil {
					return err
				}
			}
			if awaited {
				_, err := task.Await(ctx)
				_, err2 := future.Result()
				if err != errBoom || err2 != errSplash {
					t.Errorf("the errors are %v and %v", err, err2)
				}
			}
			return nil
		})
		want := 1
		if awaited {
			want = 0
		}
		if err != nil || len(b.log.Lines()) != 2*want ||
			b.log.Count("Task exception was never retrieved", "boom") != want ||
			b.log.Count("Future exception was never retrieved", "splash") != want {
			t.Errorf("awaited=%v: Run = %v, logged:\n%s", awaited, err, b.log.Text())
		}
	}
}

// Which task or future ends a wait, and which stands for as long as the program.
func untilShortIsDone(ctx context.Context, wait func(long *asyncio.Task[int], short *asyncio.Task[int])) (weak.Pointer[asyncio.Task[int]], *asyncio.Task[int]) {
	long := asyncio.Spawn(ctx, taskNap)
	short := asyncio.Spawn(ctx, taskAnswer)
	wait(long, short)
	return weak.Make(short), long
}

func collected(w weak.Pointer[asyncio.Task[int]]) bool {
	for range 10 {
		runtime.GC()
		if w.Value() == nil {
			return true
		}
	}
	return false
}

// A task that is waited for together with others again and again, such as one
// that tells a server to stop, must not remember them.
func TestWait_ALongLivedTaskHoldsNothingOfThoseWaits(t *testing.T) {
	for name, wait := range map[string]func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]){
		"FirstDone": func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]) {
			if _, pending, err := asyncio.Wait(ctx, asyncio.FirstDone, long, short); len(pending) != 1 || err != nil {
				t.Errorf("Wait: %d pending, %v", len(pending), err)
			}
		},
		"AllDone in a Timeout": func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]) {
			wantTimeout(t, "Wait", asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				_, _, err := asyncio.Wait(ctx, asyncio.AllDone, short, long)
				return err
			}), "asyncio: timed out after 1s")
		},
		"AsCompleted that is left": func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]) {
			for v, err := range asyncio.AsCompleted(ctx, long, short) {
				if v != 42 || err != nil {
					t.Errorf("AsCompleted: %v, %v", v, err)
				}
				break
			}
		},
		"AsCompleted that is left by a panic": func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]) {
			got := panicOf(func() {
				for range asyncio.AsCompleted(ctx, long, short) {
					panic("kaboom")
				}
			})
			if got != "kaboom" {
				t.Errorf("panic is %s", got)
			}
		},
		"AsCompleted that is cancelled": func(t *testing.T, ctx context.Context, long, short *asyncio.Task[int]) {
			wantTimeout(t, "AsCompleted", asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				var last error
				for _, err := range asyncio.AsCompleted(ctx, short, long) {
					last = err
				}
				return last
			}), "asyncio: timed out after 1s")
		},
	} {
		run(t, func(ctx context.Context) error {
			short, long := untilShortIsDone(ctx, func(long, short *asyncio.Task[int]) { wait(t, ctx, long, short) })
			if !collected(short) {
				t.Errorf("%s: the long-lived task holds the short one", name)
			}
			if by := long.CallGraph().AwaitedBy; len(by) != 0 {
				t.Errorf("%s: the long-lived task is awaited by %v", name, by[0])
			}
			return nil
		})
	}
}

// One that was cancelled in the turn of its wake-up, or unwound by force, leaves
// no watcher either.
func TestWait_ForcedUnwindLeavesNoWatcher(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.ShutdownTimeout = time.Second
	s := &story{}
	_ = b.Run(t.Context(), func(ctx context.Context) error {
		target := asyncio.NewFuture[int](ctx)
		immortal := context.WithoutCancel(ctx)
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				_ = asyncio.Yield(immortal)
				target.SetResult(1) // with a watcher left this would wake somebody who is gone
				s.add("set")
			}()
			_, _, err := asyncio.Wait(immortal, asyncio.AllDone, target)
			return err
		})
		return asyncio.Yield(ctx)
	})
	s.want(t, "set")
	if n := b.log.Count("did not end in the shutdown"); n != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

func TestWait_ManyWaitForOne(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s, f := &story{}, asyncio.NewFuture[int](ctx)
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				_, _, err := asyncio.Wait(ctx, asyncio.AllDone, f)
				s.add("%d", i)
				return err
			})
		}
		asyncio.Go(ctx, func(ctx context.Context) error { _, err := f.Await(ctx); s.add("await"); return err })
		turns(t, ctx, 1)
		f.SetResult(1)
		turns(t, ctx, 1)
		s.want(t, "0", "1", "2", "await")
		return nil
	})
}

// Happened or not: what came first counts, within one turn too.
func TestWait_DoneAndCancelledInOneTurn(t *testing.T) {
	for _, doneFirst := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			f := asyncio.NewFuture[int](ctx)
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				done, _, err := asyncio.Wait(ctx, asyncio.AllDone, f)
				if len(done) != 1 || (err == nil) != doneFirst {
					t.Errorf("doneFirst=%v: %d done, %v", doneFirst, len(done), err)
				}
				return asyncio.Yield(ctx)
			})
			turns(t, ctx, 1)
			if doneFirst {
				f.SetResult(1)
			}
			task.Cancel(errBoom)
			if !doneFirst {
				f.SetResult(1)
			}
			_, err := task.Await(ctx)
			wantCancelled(t, "the task", err, errBoom)
			return nil
		})
	}
}

func TestWait_Misuse(t *testing.T) {
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var self *asyncio.Task[struct{}]
		self = asyncio.Go(ctx, func(ctx context.Context) error {
			f := asyncio.NewFuture[int](ctx)
			for _, mode := range []asyncio.WaitMode{asyncio.AllDone, asyncio.FirstDone, asyncio.FirstError} {
				wantPanic(t, "asyncio: Wait: <Task pending name='Task-1-1' coro=asyncio_test.TestWait_Misuse.func1.1()> "+
					"cannot await itself; it would wait for ever", func() { _, _, _ = asyncio.Wait(ctx, mode, f, self) })
			}
			var none context.Context
			wantPanic(t, "asyncio: Wait: the context is nil; pass the ctx that your coroutine was given",
				func() { _, _, _ = asyncio.Wait(none, asyncio.AllDone, f) })
			wantPanic(t, "asyncio: Wait: no running event loop in this context; pass the ctx that your coroutine was given, "+
				"or enter a loop with asyncio.Run(ctx, main)",
				func() { _, _, _ = asyncio.Wait(context.Background(), asyncio.AllDone, f) })
			asyncio.NoAwait(ctx, func() {
				got := panicOf(func() { _, _, _ = asyncio.Wait(ctx, asyncio.AllDone, f) })
				if !strings.HasPrefix(got, "asyncio: Wait: awaits inside NoAwait (") {
					t.Errorf("in NoAwait the panic is %s", got)
				}
			})
			stray, err := asyncio.Blocking(ctx, func(context.Context) (string, error) {
				return panicOf(func() { _, _, _ = asyncio.Wait(ctx, asyncio.AllDone, f) }), nil
			})
			if !strings.HasPrefix(stray, "asyncio: Wait: called from a goroutine that does not run loop ") {
				t.Errorf("on another goroutine the panic is %s", stray)
			}
			return err
		})
		_, err := self.Await(ctx)
		return err
	})
	if err != nil || b.log.Text() != "" {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestWait_ForNil(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, taskNap)
		wantPanic(t, "asyncio: Wait: one of the tasks and futures is nil; pass those that there are",
			func() { _, _, _ = asyncio.Wait(ctx, asyncio.FirstDone, task, nil) })
		wantPanic(t, "asyncio: AsCompleted: one of the tasks is nil; pass those that there are",
			func() { drain(&story{}, asyncio.AsCompleted(ctx, task, nil)) })
		if by := task.CallGraph().AwaitedBy; len(by) != 0 {
			t.Errorf("the misuse has left %v behind", by[0])
		}
		return nil
	})
}

func TestWait_OnAnotherLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task, future := asyncio.Spawn(ctx, taskNap), asyncio.NewFuture[int](ctx)
		turns(t, ctx, 1)
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			return asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
				for what, use := range map[string]func(){
					"a task":      func() { _, _, _ = asyncio.Wait(ctx, asyncio.FirstDone, task) },
					"a future":    func() { _, _, _ = asyncio.Wait(ctx, asyncio.AllDone, asyncio.Spawn(ctx, taskAnswer), future) },
					"AsCompleted": func() { asyncio.AsCompleted(ctx, task)(func(int, error) bool { return true }) },
				} {
					got := panicOf(use)
					if !strings.HasPrefix(got, "asyncio: Wait: <") && !strings.HasPrefix(got, "asyncio: AsCompleted: <") ||
						!strings.Contains(got, "belongs to loop ") {
						t.Errorf("%s: panic is %s", what, got)
					}
				}
				return 0, nil
			})
		})
		if by := task.CallGraph().AwaitedBy; len(by) != 0 {
			t.Errorf("the misuse has left %v behind", by[0])
		}
		return err
	})
}
