package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestBlocking_Results(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if v, err := asyncio.Blocking(ctx, taskAnswer); v != 42 || err != nil {
			t.Errorf("Blocking = %v, %v, want 42", v, err)
		}
		if v, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return 7, errBoom }); v != 7 || err != errBoom {
			t.Errorf("Blocking = %v, %v, want 7, boom", v, err)
		}
		if v, err := asyncio.Abandonable(ctx, taskAnswer); v != 42 || err != nil {
			t.Errorf("Abandonable = %v, %v, want 42", v, err)
		}
		return nil
	})
}

func TestBlocking_DoesNotBlockTheLoopAndTheClockWaitsForIt(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		release := make(chan struct{})
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Millisecond)
			s.add("slept")
			return err
		})
		asyncio.Go(ctx, func(context.Context) error { s.add("other task"); close(release); return nil })
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
		s.add("function returned") // in no virtual time
		return errors.Join(err, asyncio.Sleep(ctx, time.Second))
	})
	s.want(t, "other task", "function returned", "slept")
}

func TestBlocking_PanicIsCarriedOver(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for name, call := range map[string]func() (int, error){
			"Blocking":    func() (int, error) { return asyncio.Blocking(ctx, taskPanic) },
			"Abandonable": func() (int, error) { return asyncio.Abandonable(ctx, taskPanic) },
		} {
			text := panicOf(func() { _, _ = call() })
			if !strings.HasPrefix(text, "asyncio: the function asyncio_test.taskPanic panicked: kaboom\n") ||
				!strings.Contains(text, "asyncio_test.explode") {
				t.Errorf("%s panicked with %s, want the panic with its own stack", name, text)
			}
		}
		return nil
	})
}

func TestBlocking_GoexitIsCarriedOver(t *testing.T) {
	noLeaks(t)
	s, ended := &story{}, make(chan struct{})
	go func() {
		defer close(ended)
		_ = newBench().Run(t.Context(), func(ctx context.Context) error {
			defer s.add("main unwound")
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			s.add("Blocking returned %v", err)
			return err
		})
		t.Error("Run returned although its main called Goexit")
	}()
	<-ended
	s.want(t, "main unwound")
}

func TestBlocking_NeverMoreThanMaxBlocking(t *testing.T) {
	noLeaks(t)
	const limit, n = 3, 50
	var now, most, ran atomic.Int64
	full := make(chan struct{})
	b := newBench()
	b.Options.MaxBlocking = limit
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for range n {
			asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
					at := now.Add(1)
					for m := most.Load(); at > m && !most.CompareAndSwap(m, at); m = most.Load() {
					}
					if ran.Add(1) == limit {
						close(full)
					}
					<-full // the first ones meet: so many do run at a time
					runtime.Gosched()
					now.Add(-1)
					return 0, nil
				})
				return err
			})
		}
		return asyncio.Sleep(ctx, time.Second)
	})
	if err != nil || most.Load() != limit || ran.Load() != n {
		t.Errorf("Run = %v; %d functions ran, at most %d at a time, want %d and %d", err, ran.Load(), most.Load(), n, limit)
	}
}

func TestBlocking_CancelledInTheQueueNeverRuns(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.MaxBlocking = 1
	release := make(chan struct{})
	err := b.Run(t.Context(), func(ctx context.Context) error {
		runs := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
			return err
		})
		var queued []*asyncio.Task[int]
		for _, block := range []func(context.Context, func(context.Context) (int, error)) (int, error){
			asyncio.Blocking[int], asyncio.Abandonable[int],
		} {
			queued = append(queued, asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				return block(ctx, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil })
			}))
		}
		_ = asyncio.Yield(ctx)
		for _, task := range queued {
			task.Cancel(errBoom)
			_, err := task.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: boom")
		}
		close(release)
		_, err := runs.Await(ctx)
		v, after := asyncio.Blocking(ctx, taskAnswer) // there is nobody before it in the queue
		if v != 42 {
			t.Errorf("the next function returned %d", v)
		}
		return errors.Join(err, after)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBlocking_CancelledWaitsForTheFunction(t *testing.T) {
	run(t, func(ctx context.Context) error {
		release := make(chan struct{})
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			return asyncio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 7, nil })
		})
		_ = asyncio.Yield(ctx)
		task.Cancel(errBoom)
		for range 10 {
			_ = asyncio.Yield(ctx)
		}
		if task.Done() {
			t.Error("Blocking has returned while its function runs")
		}
		close(release)
		if v, err := task.Await(ctx); v != 7 || err != nil {
			t.Errorf("result is %v, %v, want the function's", v, err)
		}
		return nil
	})
}

func TestBlocking_PassesTheContextAndItsCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		type key struct{}
		task := asyncio.Spawn(context.WithValue(ctx, key{}, "value"), func(ctx context.Context) (any, error) {
			return asyncio.Blocking(ctx, func(ctx context.Context) (any, error) {
				<-ctx.Done()
				return ctx.Value(key{}), context.Cause(ctx)
			})
		})
		_ = asyncio.Yield(ctx)
		task.Cancel(errBoom)
		if v, err := task.Await(ctx); v != "value" || err != errBoom {
			t.Errorf("the function saw %v and was cancelled by %v", v, err)
		}
		return nil
	})
}

func TestBlocking_CancelledBeforehandNeverRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ctx, cancel := asyncio.WithCancel(ctx)
		cancel()
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Blocking = %v", err)
		}
		return nil
	})
}

func TestBlocking_AwaitInsidePanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		text, err := asyncio.Blocking(ctx, func(ctx context.Context) (string, error) {
			return panicOf(func() { _ = asyncio.Sleep(ctx, time.Second) }), nil
		})
		if !strings.HasPrefix(text, "asyncio: Sleep: called from a goroutine that does not run loop ") {
			t.Errorf("Sleep in a function of Blocking panics with %s", text)
		}
		return err
	})
}

func TestBlocking_RunInside(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
			return asyncio.Run(ctx, func(ctx context.Context) (int, error) {
				v, err := asyncio.Spawn(ctx, taskAnswer).Await(ctx)
				return v + 1, err
			})
		})
		if v != 43 {
			t.Errorf("the inner Run returned %d, want 43", v)
		}
		return err
	})
}

func TestAbandonable_ReturnsAtOnce(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOff
	release := make(chan struct{})
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for _, f := range []func(){func() {}, explode, runtime.Goexit} {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				return asyncio.Abandonable(ctx, func(context.Context) (int, error) { <-release; f(); return 7, errBoom })
			})
			_ = asyncio.Yield(ctx)
			task.Cancel(errBoom)
			v, err := task.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: boom")
			if v != 0 {
				t.Errorf("it returned %d", v)
			}
		}
		if got := b.log.Text(); got != "" {
			t.Errorf("logged while they run: %s", got)
		}
		close(release)
		return nil // the loop waits for the functions when it is closed
	})
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Exception in abandoned function", "kaboom", "asyncio_test.explode") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

// A worker is an Executor with one goroutine.
type worker struct {
	jobs chan func()
	ran  int
}

// Execute implements asyncio.Executor.
func (w *worker) Execute(f func()) { w.jobs <- f }

func (w *worker) work() {
	for f := range w.jobs {
		w.ran++
		f()
	}
}

func TestBlocking_CustomExecutor(t *testing.T) {
	noLeaks(t)
	w, ended := &worker{jobs: make(chan func(), 100)}, make(chan struct{})
	go func() { defer close(ended); w.work() }()
	b := newBench()
	b.Options.Executor = w
	sum := 0
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for i := range 10 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				v, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return i, nil })
				sum += v
				return err
			})
		}
		text := panicOf(func() { _, _ = asyncio.Blocking(ctx, taskPanic) }) // which the worker survives
		if !strings.Contains(text, "kaboom") {
			t.Errorf("Blocking panicked with %s", text)
		}
		return asyncio.Sleep(ctx, time.Second)
	})
	close(w.jobs)
	<-ended
	if err != nil || w.ran != 11 || sum != 45 {
		t.Errorf("Run = %v; the executor ran %d functions with sum %d, want 11 and 45", err, w.ran, sum)
	}
}
