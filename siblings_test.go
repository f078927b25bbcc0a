package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The tests of this file are of what packages beside this one build on.

func TestLoop_OwnedIsWhoRunsIt(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	defer l.Close()
	if l.Owned() {
		t.Error("a loop at rest is owned")
	}
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		if !l.Owned() {
			t.Error("not owned by a task")
		}
		called := asyncio.NewFuture[bool](ctx)
		l.CallSoon(func() { called.SetResult(l.Owned()) })
		if owned, err := called.Await(ctx); !owned || err != nil {
			t.Errorf("in a callback: %v, %v", owned, err)
		}
		elsewhere, err := asyncio.Blocking(ctx, func(context.Context) (bool, error) { return l.Owned(), nil })
		if elsewhere || err != nil {
			t.Errorf("on another goroutine: %v, %v", elsewhere, err)
		}
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLoop_OnCloseIsTheLastThingInReverseOrder(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	var s story
	l.OnClose(func() { s.add("first") })
	l.OnClose(func() { s.add("second"); l.OnClose(func() { s.add("registered meanwhile") }) })
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Hour)
			s.add("task ends")
			return err
		})
		return 0, asyncio.Yield(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t, "task ends", "second", "registered meanwhile", "first")
}

func TestLoop_OnCloseThatPanicsIsReported(t *testing.T) {
	noLeaks(t)
	b := newBench()
	called := false
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.OnClose(func() { called = true })
		l.OnClose(func() { panic("closing") })
		return nil
	})
	if err != nil || !called {
		t.Errorf("Run: %v; the others were called: %v", err, called)
	}
	if b.log.Count("Exception in callback", "closing") != 1 {
		t.Errorf("log:\n%s", b.log.Text())
	}
}

func TestLoop_OutsideIsWaitedForAndCallsOnTheLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		got := asyncio.NewFuture[bool](ctx)
		l.Outside(func() func() {
			owned := l.Owned()
			return func() { got.SetResult(!owned && l.Owned()) }
		})
		// No deadlock is found: something elsewhere will end this wait.
		if ok, err := got.Await(ctx); !ok || err != nil {
			t.Errorf("called where it should be: %v, %v", ok, err)
		}
		return nil
	})
}

func TestLoop_OutsideResultsOfAClosedLoopAreDropped(t *testing.T) {
	noLeaks(t)
	release, called := make(chan struct{}), false
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.Outside(func() func() {
			<-release
			return func() { called = true }
		})
		return nil
	})
	close(release)
	if err != nil || called {
		t.Errorf("Run: %v; called: %v", err, called)
	}
}

func TestLoop_ReportCallsTheExceptionHandler(t *testing.T) {
	noLeaks(t)
	b := newBench()
	var got asyncio.ExceptionContext
	b.Options.ExceptionHandler = func(_ *asyncio.Loop, ec asyncio.ExceptionContext) { got = ec }
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.Report(asyncio.ExceptionContext{Message: "Odd", Err: errBoom, Object: "a thing"})
		return nil
	})
	if err != nil || got.Message != "Odd" || !errors.Is(got.Err, errBoom) || got.Object != "a thing" {
		t.Errorf("Run: %v; handled %+v", err, got)
	}
}

func TestHandle_AgainCallsOnceMore(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		calls := 0
		h := l.CallSoon(func() { calls++ })
		if h.Again() {
			t.Error("Again of a callback that has not run yet")
		}
		for want := 1; want <= 3; want++ {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			if calls != want {
				t.Errorf("%d calls, want %d", calls, want)
			}
			if !h.Again() || h.Again() {
				t.Error("Again schedules once")
			}
		}
		if !h.Cancel() || h.Again() {
			t.Error("Again of a callback that was taken back")
		}
		timer := l.CallLater(0, func() {})
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if timer.Again() {
			t.Error("Again of a timer")
		}
		return nil
	})
}

func TestEvent_WaitAsNamesTheWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		waiter := asyncio.Go(ctx, func(ctx context.Context) error { return v.WaitAs(ctx, named("a parcel")) })
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		if got := waiter.WaitingFor(); got != "a parcel" {
			t.Errorf("waits for %q", got)
		}
		l, _ := asyncio.RunningLoop(ctx)
		if tree := l.Tasks().String(); !strings.Contains(tree, "a parcel") {
			t.Errorf("the tree does not say so:\n%s", tree)
		}
		v.Set()
		_, err := waiter.Await(ctx)
		return err
	})
}

type named string

func (n named) String() string { return string(n) }

func TestLoop_OnCloseOfAClosedLoopIsMisuse(t *testing.T) {
	l := asyncio.NewLoop(nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if text := panicOf(func() { l.OnClose(func() {}) }); !strings.Contains(text, "is closed already; register before that") {
		t.Errorf("panic is %s", text)
	}
}

func TestLoop_ContextInNoAwaitPanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		text := panicOf(func() { asyncio.NoAwait(ctx, func() { l.Context() }) })
		if !strings.HasPrefix(text, "asyncio: Loop.Context: awaits inside NoAwait (") {
			t.Errorf("panic is %s", text)
		}
		return nil
	})
}
