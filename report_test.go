package asyncio_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

func fail(context.Context) error { return errBoom }

// quietBench is a bench out of debug mode, whatever the environment says, for
// tests of exact reports.
func quietBench() *bench {
	b := newBench()
	b.Debug = asyncio.DebugOff
	return b
}

func TestReport_ErrorNeverRetrieved(t *testing.T) {
	for name, leave := range map[string]func(ctx context.Context){
		"task":   func(ctx context.Context) { asyncio.Go(ctx, fail) },
		"future": func(ctx context.Context) { asyncio.NewFuture[int](ctx).SetError(errBoom) },
	} {
		for _, collected := range []bool{true, false} {
			noLeaks(t)
			b := quietBench()
			inRun := -1
			err := b.Run(t.Context(), func(ctx context.Context) error {
				leave(ctx)
				for range 100 {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					if !collected {
						break
					}
					runtime.GC()
					if inRun = len(b.log.Lines()); inRun > 0 {
						break
					}
					time.Sleep(time.Millisecond) // the collector runs cleanups when it likes
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if collected && inRun != 1 {
				t.Errorf("%s: %d reports after it was collected, want 1", name, inRun)
			}
			want := "Task exception was never retrieved"
			if name == "future" {
				want = "Future exception was never retrieved"
			}
			if len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: "+want+" object=<", "exception=boom") != 1 {
				t.Errorf("%s, collected=%v: logged:\n%s", name, collected, b.log.Text())
			}
			if name == "task" && b.log.Count("name='Task-1-1' coro=asyncio_test.fail()", "created=", "report_test.go:", " by Task-1") != 1 {
				t.Errorf("the report does not say where the task was spawned and by whom:\n%s", b.log.Text())
			}
		}
	}
}

func TestReport_RetrievedErrorsAreNot(t *testing.T) {
	run(t, func(ctx context.Context) error {
		awaited := asyncio.Go(ctx, fail)
		_, _ = awaited.Await(ctx)
		asked := asyncio.Go(ctx, fail)
		_ = asyncio.Yield(ctx)
		_, _ = asked.Result()
		called := asyncio.Go(ctx, fail)
		called.AddDoneCallback(func(t *asyncio.Task[struct{}]) { _, _ = t.Result() })
		cancelled := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		_ = asyncio.Yield(ctx)
		cancelled.Cancel(errBoom)
		l, _ := asyncio.RunningLoop(ctx)
		waited := asyncio.Submit(l, func(ctx context.Context) (int, error) { return 0, errBoom })
		if _, _, err := asyncio.Recv(ctx, waited.Done()); err != nil {
			return err
		}
		_, err := waited.Wait(ctx)
		if err != errBoom {
			t.Errorf("Wait: %v", err)
		}
		f := asyncio.NewFuture[int](ctx)
		f.SetError(errBoom)
		_, _ = f.Await(ctx)
		return asyncio.Yield(ctx)
	})
}

func TestReport_PanicInATask(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(context.Context) error { explode(); return nil })
		_ = asyncio.Yield(ctx)
		if b.log.Count("ERROR asyncio: Task panicked", "<Task finished name='Task-1-1'", "kaboom", "asyncio_test.explode") != 1 {
			t.Errorf("not reported at once; logged:\n%s", b.log.Text())
		}
		_, err := task.Await(ctx)
		return err
	})
	var pe *asyncio.PanicError
	if !errors.As(err, &pe) || pe.Value != "kaboom" || !strings.Contains(string(pe.Stack), "asyncio_test.explode") {
		t.Errorf("Run returned %v, want the panic", err)
	}
	if len(b.log.Lines()) != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

func TestReport_ExceptionInCallback(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	after := false
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallSoon(explode)
		l.CallSoon(func() { after = true })
		return asyncio.Yield(ctx)
	})
	if err != nil || !after {
		t.Errorf("err=%v, the next callback ran: %v", err, after)
	}
	if b.log.Count("ERROR asyncio: Exception in callback asyncio_test.explode handle=<Handle asyncio_test.explode()>", "kaboom") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

func TestReport_ExceptionHandler(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	var got []asyncio.ExceptionContext
	var loop *asyncio.Loop
	b.Options.ExceptionHandler = func(l *asyncio.Loop, ec asyncio.ExceptionContext) {
		loop = l
		got = append(got, ec)
	}
	var task *asyncio.Task[struct{}]
	var l *asyncio.Loop
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ = asyncio.RunningLoop(ctx)
		task = asyncio.Go(ctx, func(context.Context) error { explode(); return nil })
		return asyncio.Yield(ctx)
	})
	if err != nil {
		t.Error(err)
	}
	if len(got) != 1 || got[0].Message != "Task panicked" || got[0].Task != asyncio.AnyTask(task) || loop != l {
		t.Errorf("the handler was called with %+v", got)
	}
	if text := b.log.Text(); text != "" {
		t.Errorf("logged, although there is a handler:\n%s", text)
	}
}

// brokenLog is a logger that panics.
type brokenLog struct{ *asynciotest.Log }

func (brokenLog) Handle(context.Context, slog.Record) error { panic("broken log") }

func TestReport_ThreeLayersOfProtection(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.ExceptionHandler = func(*asyncio.Loop, asyncio.ExceptionContext) { panic("broken handler") }
	main := func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallSoon(explode)
		return asyncio.Sleep(ctx, time.Hour)
	}
	if err := b.Run(t.Context(), main); err != nil {
		t.Error(err)
	}
	if b.log.Count("ERROR asyncio: Unhandled error in exception handler", "broken handler", "kaboom") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
	b.Options.Logger = slog.New(brokenLog{b.log})
	stderr := captureStderr(t, func() {
		if err := b.Run(t.Context(), main); err != nil {
			t.Error(err)
		}
	})
	if !strings.HasPrefix(stderr, "asyncio: Exception in default exception handler: broken log\nwhile it handled: asyncio: Unhandled error in exception handler\n") {
		t.Errorf("stderr: %s", stderr)
	}
}
