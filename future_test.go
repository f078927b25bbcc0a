package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestFuture_WakesItsWaitersInOrder(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[string](ctx)
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				v, err := f.Await(ctx)
				s.add("%d got %s", i, v)
				return err
			})
		}
		_ = asyncio.Yield(ctx)
		if f.Done() {
			t.Error("it is done before it is set")
		}
		f.SetResult("x")
		s.add("set")
		v, err := f.Await(ctx) // does not wait any more
		s.add("main got %s", v)
		_ = asyncio.Yield(ctx)
		if v, err := f.Result(); v != "x" || err != nil || !f.Done() {
			t.Errorf("Result = %q, %v", v, err)
		}
		return err
	})
	s.want(t, "set", "main got x", "0 got x", "1 got x", "2 got x")
}

func TestFuture_Error(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		f.SetError(errBoom)
		for range 2 {
			if v, err := f.Await(ctx); v != 0 || err != errBoom {
				t.Errorf("Await = %v, %v, want 0, boom", v, err)
			}
		}
		if _, err := f.Result(); err != errBoom {
			t.Errorf("Result = %v, want boom", err)
		}
		wantPanic(t, "asyncio: Future.SetError: the error is nil; use SetResult for success",
			func() { asyncio.NewFuture[int](ctx).SetError(nil) })
		return nil
	})
}

// wantPanic fails the test unless f panics with the text.
func wantPanic(t *testing.T, text string, f func()) {
	t.Helper()
	if got := panicOf(f); got != text {
		t.Errorf("panicked with %s\nwant          %s", got, text)
	}
}

func TestFuture_UnretrievedErrorIsReportedWhenTheLoopCloses(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		f.AddDoneCallback(func(*asyncio.Future[int]) {}) // which does not look at the result
		f.SetError(errBoom)
		seen := asyncio.NewFuture[int](ctx)
		seen.AddDoneCallback(func(f *asyncio.Future[int]) { _, _ = f.Result() })
		seen.SetError(errBoom)
		awaited := asyncio.NewFuture[int](ctx)
		asyncio.Go(ctx, func(ctx context.Context) error { _, _ = awaited.Await(ctx); return nil })
		_ = asyncio.Yield(ctx)
		awaited.SetError(errBoom)
		err := asyncio.Yield(ctx)
		if got := b.log.Text(); got != "" {
			t.Errorf("logged before the end: %s", got)
		}
		return err
	})
	if err != nil || len(b.log.Lines()) != 1 ||
		b.log.Count("ERROR asyncio: Future exception was never retrieved", `exception="boom" name='Future-1'`) != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestFuture_Cancel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := f.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: boom")
			if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) {
				t.Errorf("%v does not match context.Canceled and its cause", err)
			}
			return ctx.Err() // the future is cancelled, not who waits for it
		})
		_ = asyncio.Yield(ctx)
		if !f.Cancel(errBoom) || f.Cancel(errBoom) {
			t.Error("Cancel must be true once")
		}
		if _, err := f.Result(); !errors.Is(err, errBoom) {
			t.Errorf("Result = %v", err)
		}
		_, err := waiter.Await(ctx)
		return err
	})
}

func TestFuture_DoneCallbacks(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		say := func(name string) func(*asyncio.Future[int]) {
			return func(f *asyncio.Future[int]) { v, _ := f.Result(); s.add("%s %d", name, v) }
		}
		var handles []*asyncio.Handle
		for _, name := range []string{"a", "b", "c", "d"} {
			handles = append(handles, f.AddDoneCallback(say(name)))
		}
		handles[1].Cancel()
		f.SetResult(5)
		s.add("set")
		handles[2].Cancel() // scheduled already, but not run
		f.AddDoneCallback(say("late"))
		return asyncio.Yield(ctx)
	})
	s.want(t, "set", "a 5", "d 5", "late 5")
}

func TestFuture_StringsAndMisuse(t *testing.T) {
	b := newBench()
	b.Debug = asyncio.DebugOff // in debug mode a future says where it was created
	err := b.Run(t.Context(), func(ctx context.Context) error {
		f, failed, cancelled := asyncio.NewFuture[int](ctx), asyncio.NewFuture[int](ctx), asyncio.NewFuture[int](ctx)
		_, err := f.Result()
		wantErr(t, err, "asyncio: Future.Result: invalid state: the result of <Future pending name='Future-1'> is not set; await it")
		if !errors.Is(err, asyncio.ErrInvalidState) {
			t.Errorf("%v does not match ErrInvalidState", err)
		}
		f.SetResult(1)
		failed.SetError(errBoom)
		cancelled.Cancel(nil)
		const twice = " is done already; a result is set once, check Done first"
		wantPanic(t, "asyncio: Future.SetResult: <Future finished result=1 name='Future-1'>"+twice, func() { f.SetResult(2) })
		wantPanic(t, `asyncio: Future.SetError: <Future finished exception="boom" name='Future-2'>`+twice,
			func() { failed.SetError(errBoom) })
		wantPanic(t, "asyncio: Future.SetResult: <Future cancelled name='Future-3'>"+twice, func() { cancelled.SetResult(2) })
		_, err = failed.Result()
		if v, _ := f.Result(); v != 1 || err != errBoom {
			t.Errorf("after the misuse the results are %v and %v", v, err)
		}
		return nil
	})
	if err != nil || b.log.Text() != "" {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestFuture_CancelledWaiterLeavesItAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		leaves, stays := asyncio.Spawn(ctx, f.Await), asyncio.Spawn(ctx, f.Await)
		_ = asyncio.Yield(ctx)
		leaves.Cancel(errBoom)
		_, err := leaves.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		f.SetResult(1)
		v, err := stays.Await(ctx)
		if v != 1 {
			t.Errorf("the other waiter got %v, %v", v, err)
		}
		return err
	})
}

func TestFuture_SetAndCancelledInTheSameTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		before, after := asyncio.Spawn(ctx, f.Await), asyncio.Spawn(ctx, f.Await)
		_ = asyncio.Yield(ctx)
		before.Cancel(errBoom)
		f.SetResult(1)
		after.Cancel(errBoom)
		if _, err := before.Await(ctx); !errors.Is(err, errBoom) {
			t.Errorf("cancelled before it was set: %v, want the cancellation", err)
		}
		v, err := after.Await(ctx)
		if v != 1 {
			t.Errorf("set before it was cancelled: %v, %v, want 1", v, err)
		}
		return err
	})
}

func TestFuture_OfAnotherGoroutineOrLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		for name, use := range map[string]func(){
			"SetResult":       func() { f.SetResult(1) },
			"SetError":        func() { f.SetError(errBoom) },
			"Cancel":          func() { f.Cancel(nil) },
			"Done":            func() { f.Done() },
			"Result":          func() { _, _ = f.Result() },
			"AddDoneCallback": func() { f.AddDoneCallback(func(*asyncio.Future[int]) {}) },
			"Await":           func() { _, _ = f.Await(ctx) },
		} {
			stray, err := asyncio.Blocking(ctx, func(context.Context) (string, error) { return panicOf(use), nil })
			if err != nil || !strings.HasPrefix(stray, "asyncio: Future."+name+": called from a goroutine that does not run loop ") ||
				!strings.HasSuffix(stray, "; from other goroutines use Loop.CallSoon or Submit") {
				t.Errorf("%s on another goroutine panics with %s", name, stray)
			}
		}
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			return asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
				text := panicOf(func() { _, _ = f.Await(ctx) })
				if !strings.Contains(text, "belongs to loop ") || !strings.HasSuffix(text, "hand values from loop to loop with CallSoon or Submit") {
					t.Errorf("Await on another loop panics with %s", text)
				}
				return 0, nil
			})
		})
		if f.Done() {
			t.Error("the misuse has set the future")
		}
		return err
	})
}

func TestFuture_IsSetWhileTheLoopRests(t *testing.T) {
	noLeaks(t)
	l, s := newLoop(t), &story{}
	var f *asyncio.Future[int]
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		f = asyncio.NewFuture[int](ctx)
		asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
			v, err := f.Await(ctx)
			s.add("waiter got %d", v)
			return err
		})
		return 0, asyncio.Yield(ctx)
	})
	f.AddDoneCallback(func(*asyncio.Future[int]) { s.add("callback") })
	f.SetResult(3)
	if v, err := f.Result(); v != 3 || err != nil {
		t.Errorf("Result at rest = %v, %v", v, err)
	}
	_, again := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		return 0, asyncio.Sleep(ctx, time.Second)
	})
	if err := errors.Join(err, again); err != nil {
		t.Error(err)
	}
	s.want(t, "callback", "waiter got 3")
}

func TestFuture_SetWhileTheLoopRestsTellsTheHost(t *testing.T) {
	for name, set := range map[string]func(f *asyncio.Future[int]){
		"SetResult":       func(f *asyncio.Future[int]) { f.SetResult(1) },
		"Cancel":          func(f *asyncio.Future[int]) { f.Cancel(nil) },
		"AddDoneCallback": func(f *asyncio.Future[int]) { f.SetResult(1); f.AddDoneCallback(func(*asyncio.Future[int]) {}) },
	} {
		wakes := 0
		l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}, OnWake: func() { wakes++ }})
		var f *asyncio.Future[int]
		asyncio.Submit(l, func(ctx context.Context) (int, error) {
			f = asyncio.NewFuture[int](ctx)
			_, _ = f.Await(ctx)
			return 0, nil
		})
		for {
			next, err := l.Step()
			if err != nil {
				t.Fatal(err)
			}
			if next.IsZero() {
				break // the host sleeps until OnWake is called
			}
		}
		before := wakes
		set(f)
		if wakes != before+1 {
			t.Errorf("%s: the host was told %d times that there is something to run, want once", name, wakes-before)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
