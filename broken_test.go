package asyncio_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// What a program plugs into a loop may be broken. The loop must get through.

func TestBroken_ExceptionHandlerThatExits(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	b.Options.ExceptionHandler = func(*asyncio.Loop, asyncio.ExceptionContext) { runtime.Goexit() }
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Run(context.Background(), func(ctx context.Context) error {
			panics := asyncio.Go(ctx, func(ctx context.Context) error { _ = asyncio.Yield(ctx); panic("x") })
			asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := panics.Await(ctx)
				s.add("the waiter was woken: %v", err != nil)
				return nil
			})
			return asyncio.Sleep(ctx, time.Hour)
		})
		t.Error("Run returned after a Goexit")
	}()
	<-done
	s.want(t, "the waiter was woken: true")
	if b.log.Count("did not end in the shutdown") != 0 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

func TestBroken_ExceptionHandlerThatExitsLosesNoCall(t *testing.T) {
	noLeaks(t)
	clock := &asyncio.ManualClock{}
	exits := true
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: clock, ExceptionHandler: func(*asyncio.Loop, asyncio.ExceptionContext) {
		if exits {
			exits = false
			runtime.Goexit()
		}
	}})
	called := 0
	l.CallSoon(explode)
	for range 5 {
		l.CallSoon(func() { called++ })
	}
	for range 2 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.Stop()
			_ = l.RunForever()
		}()
		<-done
	}
	if err := l.Close(); err != nil || called != 5 {
		t.Errorf("%d of 5 callbacks were called; Close: %v", called, err)
	}
}

func TestBroken_ExceptionHandlerThatAwaits(t *testing.T) {
	noLeaks(t)
	b, ran := newBench(), 0
	var ctxOfMain context.Context
	b.Options.ExceptionHandler = func(*asyncio.Loop, asyncio.ExceptionContext) { _ = asyncio.Yield(ctxOfMain) }
	err := b.Run(t.Context(), func(ctx context.Context) error {
		ctxOfMain = ctx
		asyncio.Go(ctx, func(context.Context) error { ran++; panic("x") })
		return asyncio.Sleep(ctx, time.Second)
	})
	if err != nil || ran != 1 {
		t.Errorf("err=%v, the task ran %d times, want once", err, ran)
	}
	if b.log.Count("Unhandled error in exception handler", "called from a plain callback, which cannot wait") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

type brokenChooser struct{}

func (brokenChooser) Choose(asyncio.Choice, []asyncio.Candidate) int { panic("broken chooser") }

type brokenClock struct{ *asyncio.ManualClock }

func (brokenClock) Idle(time.Time, bool, asyncio.Waker) bool { panic("broken clock") }

type exitingClock struct{ *asyncio.ManualClock }

func (exitingClock) Idle(time.Time, bool, asyncio.Waker) bool { runtime.Goexit(); return false }

type brokenExecutor struct{}

func (brokenExecutor) Execute(func()) { panic("broken executor") }

// outcomeOf says how f ended, on a goroutine of its own.
func outcomeOf(f func() error) string {
	ended := "Goexit"
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				ended = fmt.Sprint("panic: ", r)
			}
		}()
		err := f()
		ended = fmt.Sprint("error: ", err)
	}()
	<-done
	return ended
}

func TestBroken_ChooserAndClockPanicOutOfRun(t *testing.T) {
	for name, c := range map[string]struct {
		plug func(o *asyncio.LoopOptions)
		want string
	}{
		"chooser": {func(o *asyncio.LoopOptions) { o.Chooser = brokenChooser{} }, "panic: broken chooser"},
		"clock":   {func(o *asyncio.LoopOptions) { o.Clock = brokenClock{&asyncio.ManualClock{}} }, "panic: broken clock"},
		"exits":   {func(o *asyncio.LoopOptions) { o.Clock = exitingClock{&asyncio.ManualClock{}} }, "Goexit"},
	} {
		b := newBench()
		c.plug(&b.Options)
		b.Options.ShutdownTimeout = 50 * time.Millisecond
		got := outcomeOf(func() error {
			return b.Run(context.Background(), func(ctx context.Context) error {
				for range 3 {
					asyncio.Go(ctx, func(ctx context.Context) error {
						return asyncio.Sleep(context.WithoutCancel(ctx), time.Hour)
					})
				}
				return asyncio.Sleep(ctx, time.Hour)
			})
		})
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: Run ended with %.200s, want %s", name, got, c.want)
		}
	}
	leakedByTests = strings.Count(asynciotest.Dump(), "\n\n") // no clock, no way to end what waits
}

func TestBroken_ExecutorTellsTheCallerAndLosesNoSlot(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.Executor, b.Options.MaxBlocking = brokenExecutor{}, 1
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for range 3 {
			got := panicOf(func() { _, _ = asyncio.Blocking(ctx, nothingV) })
			if !strings.HasPrefix(got, "asyncio: the Executor panicked: broken executor") {
				t.Errorf("Blocking panicked with %s", got)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
