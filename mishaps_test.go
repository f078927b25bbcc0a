package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestLock_ExceptionHandlerThatExitsLeavesNoTaskBehind(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("x") }, "goexit": runtime.Goexit, "return": func() {}} {
		noLeaks(t)
		b := newBench()
		b.Options.ExceptionHandler = func(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
			if ec.Message == "Lock was never released" {
				runtime.Goexit()
			}
		}
		l, _ := b.Loop()
		var task *asyncio.Task[struct{}]
		var wait error
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = b.Run(context.Background(), func(ctx context.Context) error {
				var first, second asyncio.Lock
				task = asyncio.Go(ctx, func(ctx context.Context) error {
					_ = first.Acquire(ctx)
					_ = second.Acquire(ctx)
					_ = asyncio.Yield(ctx)
					end()
					return nil
				})
				asyncio.Go(ctx, func(ctx context.Context) error { wait = first.Acquire(ctx); return nil })
				return asyncio.Sleep(ctx, time.Hour)
			})
		}()
		<-done
		_ = l
		if !task.Done() {
			t.Errorf("%s: the task is not done: %v", name, task)
		}
		if !errors.Is(wait, asyncio.ErrDeadlock) {
			t.Errorf("%s: who waits for the lock got %v", name, wait)
		}
		if got := b.log.Text(); strings.Contains(got, "did not end") {
			t.Errorf("%s: logged:\n%s", name, got)
		}
	}
}

func TestQueue_ImmediateShutdownAfterEarlyTaskDone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		for i := range 3 {
			_ = q.TryPut(i)
			q.TaskDone()
		}
		q.Shutdown(true)
		if got := panicOf(q.TaskDone); got == "no panic" {
			t.Error("TaskDone did not panic")
		}
		return asyncio.Timeout(ctx, time.Second, q.Join)
	})
}

func TestQueue_PanicOfLessLosesNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		broken := false
		q := asyncio.NewPriorityQueue(0, func(a, b int) bool {
			if broken {
				panic("less")
			}
			return a < b
		})
		for _, v := range []int{3, 1, 2} {
			_ = q.TryPut(v)
		}
		broken = true
		_ = panicOf(func() { _ = q.TryPut(0) })
		_ = panicOf(func() { _, _ = q.TryGet() })
		broken = false
		var got []int
		for q.Len() > 0 {
			v, _ := q.TryGet()
			got = append(got, v)
			if p := panicOf(q.TaskDone); p != "no panic" {
				t.Errorf("TaskDone: %s", p)
			}
		}
		if len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 3 {
			t.Errorf("came out: %v", got)
		}
		return asyncio.Timeout(ctx, time.Second, q.Join)
	})
}

func TestGather_CancelledChildIsNoValue(t *testing.T) {
	run(t, func(ctx context.Context) error {
		vs, err := asyncio.Gather(ctx,
			func(ctx context.Context) (int, error) { return 1, asyncio.Yield(ctx) },
			func(ctx context.Context) (int, error) {
				asyncio.CurrentTask(ctx).Cancel(nil)
				return 2, asyncio.Yield(ctx)
			})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Gather = %v, %v", vs, err)
		}
		return nil
	})
}

func TestFirst_AllCancelledSaysSo(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := asyncio.First(ctx, func(ctx context.Context) (int, error) {
			asyncio.CurrentTask(ctx).Cancel(nil)
			return 2, asyncio.Yield(ctx)
		})
		if err == nil || strings.Contains(err.Error(), "none was given") {
			t.Errorf("First: %v", err)
		}
		return nil
	})
}

func TestGroup_ZeroValuePanicsWithAnExplanation(t *testing.T) {
	for name, f := range map[string]func(){
		"Cancel":   (&asyncio.TaskGroup{}).Cancel,
		"SetLimit": func() { (&asyncio.TaskGroup{}).SetLimit(1) },
		"nil":      (*asyncio.TaskGroup)(nil).Cancel,
	} {
		if got := panicOf(f); !strings.Contains(got, "was not opened") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := panicOf(func() { _ = (&asyncio.Queue[int]{}).TryPut(1) }); !strings.HasPrefix(got, "asyncio: ") {
		t.Errorf("Queue: %s", got)
	}
}

func TestStartIn_StartedByAnotherTaskIsNoDeadlock(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			var l asyncio.Lock
			return l.Do(ctx, func(ctx context.Context) error {
				_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
					asyncio.Go(ctx, func(ctx context.Context) error { _ = asyncio.Sleep(ctx, 1); started(1); return nil })
					return l.Do(ctx, asyncio.Yield)
				})
				return err
			})
		})
	})
}

func TestGenerator_CloseByTheTaskThatTheBodyAwaits(t *testing.T) {
	noLeaks(t)
	b := newBench()
	_ = b.Run(t.Context(), func(ctx context.Context) error {
		var worker *asyncio.Task[struct{}]
		asyncio.Go(ctx, func(ctx context.Context) error { // keeps the loop busy
			for asyncio.Sleep(ctx, time.Second) == nil {
			}
			return nil
		})
		worker = asyncio.Go(ctx, func(ctx context.Context) error {
			g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				free := context.WithoutCancel(ctx)
				_ = asyncio.Sleep(free, 2*time.Second)
				_, err := worker.Await(free)
				return err
			})
			_ = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { _, _, err := g.Next(ctx); return err })
			_ = asyncio.Sleep(ctx, 5*time.Second)
			return g.Close(ctx)
		})
		return asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			_, err := worker.Await(ctx)
			if !errors.Is(err, asyncio.ErrDeadlock) {
				t.Errorf("worker: %v", err)
			}
			return nil
		})
	})
}

// A body that is closed in another await, and goes on to yield, is told by that
// yield; it has not been told before.
func TestGenerator_FirstYieldAfterCloseReturnsFalse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		told := 0
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			_ = asyncio.Sleep(ctx, time.Hour) // its error is not looked at
			if !yield(1) {
				told++
			}
			return nil
		})
		_ = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { _, _, err := g.Next(ctx); return err })
		if got := panicOf(func() { _ = g.Close(ctx) }); got != "no panic" || told != 1 {
			t.Errorf("Close: %.200s; yield returned false %d times, want once", got, told)
		}
		return nil
	})
}
