package asyncio_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// newLoop is a loop on a manual clock that the test closes.
func newLoop(t *testing.T) *asyncio.Loop {
	t.Helper()
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

func TestLoop_RunUntilCompleteKeepsOtherTasks(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	var task *asyncio.Task[int]
	first, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (string, error) {
		task = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 5, asyncio.Sleep(ctx, time.Hour) })
		return "first", nil
	})
	if first != "first" || err != nil || task.Done() {
		t.Errorf("first run = %q, %v; task done=%v", first, err, task.Done())
	}
	second, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) { return task.Await(ctx) })
	if second != 5 || err != nil {
		t.Errorf("second run = %v, %v, want 5", second, err)
	}
	if v, err := task.Result(); v != 5 || err != nil {
		t.Errorf("Result at rest = %v, %v, want 5", v, err)
	}
}

func TestLoop_StopEndsTheRunAfterTheTurn(t *testing.T) {
	noLeaks(t)
	l, s := newLoop(t), &story{}
	l.CallSoon(func() {
		s.add("one")
		l.Stop()
		l.CallSoon(func() { s.add("next turn") })
	})
	l.CallSoon(func() { s.add("two") })
	if err := l.RunForever(); err != nil {
		t.Fatal(err)
	}
	s.want(t, "one", "two")
	l.Stop() // before a run: it is a single turn
	if err := l.RunForever(); err != nil {
		t.Fatal(err)
	}
	s.want(t, "one", "two", "next turn")
}

func TestLoop_StoppedBeforeCompletion(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		l.Stop()
		return 0, asyncio.Sleep(ctx, time.Hour)
	})
	if !errors.Is(err, asyncio.ErrLoopStopped) || !strings.HasPrefix(err.Error(),
		"asyncio: RunUntilComplete: event loop stopped before main completed: loop ") ||
		!strings.HasSuffix(err.Error(), " was stopped while Task-1 was pending") {
		t.Errorf("error is %v", err)
	}
	if tasks := slices.Collect(l.Tasks().All()); len(tasks) != 1 || tasks[0].Name() != "Task-1" {
		t.Errorf("tasks are %v, want main", tasks)
	}
}

func TestLoop_StopFromAnotherGoroutine(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	running := make(chan struct{})
	l.CallSoon(func() { close(running) })
	go func() {
		<-running
		l.Stop()
	}()
	if err := l.RunForever(); err != nil {
		t.Error(err)
	}
}

func TestLoop_States(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	want := func(running, closed bool) {
		t.Helper()
		if l.Running() != running || l.Closed() != closed {
			t.Errorf("Running=%v Closed=%v, want %v %v", l.Running(), l.Closed(), running, closed)
		}
	}
	want(false, false)
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		want(true, false)
		name := loopName(t, l)
		wantErr(t, l.Close(), "asyncio: Close: cannot close a running event loop: this event loop is already running: "+
			name+"; Stop it first, and close it when its run has returned")
		wantErr(t, l.RunForever(), "asyncio: RunForever: this event loop is already running: "+name+"; await in its tasks instead")
		done := make(chan error)
		go func() { done <- l.RunForever() }()
		wantErr(t, <-done, "asyncio: RunForever: this event loop is already running: "+
			name+", on another goroutine; reach it with CallSoon or Submit")
		other := asyncio.NewLoop(nil)
		defer other.Close()
		err := other.RunForever()
		wantErr(t, err, "asyncio: RunForever: cannot run "+loopName(t, other)+" while "+name+
			" is running on this goroutine: asyncio.Run cannot be called from a running event loop; run it on a goroutine of its own")
		if !errors.Is(err, asyncio.ErrNestedRun) {
			t.Errorf("%v does not match ErrNestedRun", err)
		}
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
	want(false, false)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	want(false, true)
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	wantErr(t, l.RunForever(), "asyncio: RunForever: event loop is closed: "+loopName(t, l)+"; make a new one")
}

// loopName is the loop as messages name it.
func loopName(t *testing.T, l *asyncio.Loop) string {
	t.Helper()
	_, text, _ := strings.Cut(l.String(), "<Loop ")
	number, _, _ := strings.Cut(text, " ")
	_, created, _ := strings.Cut(text, "created at ")
	return "loop " + number + " (created at " + strings.TrimSuffix(created, ">") + ")"
}

func TestLoop_String(t *testing.T) {
	l := asyncio.NewLoop(&asyncio.LoopOptions{Debug: asyncio.DebugOff})
	defer l.Close()
	text := l.String()
	if !strings.HasPrefix(text, "<Loop ") || !strings.Contains(text, " running=false closed=false debug=false created at ") ||
		!strings.Contains(text, "/loop_test.go:") {
		t.Errorf("String() = %s", text)
	}
}

func TestLoop_CallSoonOnAClosedLoop(t *testing.T) {
	log := &asynciotest.Log{}
	l := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(log)})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want := loopName(t, l) + " is closed; the callback asyncio_test.TestLoop_CallSoonOnAClosedLoop.func1 will not run"
	h := l.CallSoon(func() { t.Error("called") })
	wantErr(t, h.Err(), "asyncio: "+want)
	if !h.Cancelled() || !errors.Is(h.Err(), asyncio.ErrLoopClosed) {
		t.Errorf("cancelled=%v, err=%v", h.Cancelled(), h.Err())
	}
	if log.Count("ERROR asyncio: CallSoon: "+want) != 1 {
		t.Errorf("logged: %s", log.Text())
	}
	if h := l.CallLater(time.Hour, func() {}); !errors.Is(h.Err(), asyncio.ErrLoopClosed) {
		t.Errorf("CallLater: %v", h.Err())
	}
	if h := l.CallAt(time.Now(), func() {}); !errors.Is(h.Err(), asyncio.ErrLoopClosed) {
		t.Errorf("CallAt: %v", h.Err())
	}
	_, err := asyncio.Submit(l, func(context.Context) (int, error) { return 0, nil }).Wait(t.Context())
	if !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("Submit: %v", err)
	}
}

func TestLoop_UnclosedIsReportedOnce(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, l *asyncio.Loop){
		"idle": func(t *testing.T, l *asyncio.Loop) {},
		"with parked tasks": func(t *testing.T, l *asyncio.Loop) {
			_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
				asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				asyncio.Go(ctx, func(ctx context.Context) error { return nil })
				return 0, asyncio.Yield(ctx)
			})
			if err != nil {
				t.Error(err)
			}
		},
	} {
		log := &asynciotest.Log{}
		text := func() string {
			l := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(log)})
			leave(t, l)
			return loopName(t, l)
		}()
		for range 100 {
			runtime.GC()
			if len(log.Lines()) > 0 {
				break
			}
			time.Sleep(time.Millisecond) // the collector runs cleanups when it likes
		}
		want := "WARN asyncio: unclosed event " + text + "; call Close when you are done with it"
		if got := log.Text(); got != want {
			t.Errorf("%s: logged %q, want %q", name, got, want)
		}
	}
	// What was parked on the dropped loop stays for ever.
	leakedByTests = strings.Count(asynciotest.Dump(), "\n\n")
}

func TestLoop_StepDrivesTheLoopFromAHost(t *testing.T) {
	noLeaks(t)
	clock := &asyncio.ManualClock{Frozen: true}
	wakes := 0
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: clock, OnWake: func() { wakes++ }})
	defer l.Close()
	s := &story{}
	job := asyncio.Submit(l, func(ctx context.Context) (int, error) {
		s.add("began")
		err := asyncio.Sleep(ctx, time.Minute)
		s.add("slept")
		return 1, err
	})
	if wakes != 1 {
		t.Errorf("OnWake was called %d times for the first call, want 1", wakes)
	}
	l.CallSoon(func() { s.add("called") })
	if wakes != 1 {
		t.Errorf("OnWake was called %d times before the host stepped, want 1", wakes)
	}
	step := func() time.Time {
		t.Helper()
		next, err := l.Step()
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	if next := step(); !next.Equal(clock.Now().Add(time.Minute)) {
		t.Errorf("next step is wanted at %v, want the sleep's end", next)
	}
	s.want(t, "began", "called")
	clock.Advance(time.Minute)
	for range 3 {
		step()
	}
	if next := step(); !next.IsZero() {
		t.Errorf("with nothing left, the next step is wanted at %v", next)
	}
	s.want(t, "began", "called", "slept")
	if v, err := job.Wait(t.Context()); v != 1 || err != nil {
		t.Errorf("the job returned %v, %v", v, err)
	}
	l.CallSoon(func() { l.CallSoon(func() {}) })
	if wakes != 2 {
		t.Errorf("OnWake was called %d times, want 2", wakes)
	}
	if next := step(); next.IsZero() || next.After(clock.Now()) {
		t.Errorf("with something ready, the next step is wanted at %v, want now", next)
	}
	step()
}

func TestLoop_WrongLoop(t *testing.T) {
	noLeaks(t)
	a, b := newLoop(t), newLoop(t)
	var task *asyncio.Task[int]
	var future *asyncio.Future[int]
	var gen *asyncio.Generator[int]
	var ctxA context.Context
	_, err := asyncio.RunUntilComplete(t.Context(), a, func(ctx context.Context) (int, error) {
		ctxA = ctx
		task = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 0, asyncio.Sleep(ctx, time.Hour) })
		future = asyncio.NewFuture[int](ctx)
		gen = asyncio.Generate(ctx, func(context.Context, func(int) bool) error { return nil })
		return 0, asyncio.Yield(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	nameA, nameB := loopName(t, a), loopName(t, b)
	_, err = asyncio.RunUntilComplete(t.Context(), b, func(ctx context.Context) (int, error) {
		for what, f := range map[string]func(){
			"asyncio: Task.Await: " + task.String() + " belongs to " + nameA + " but was awaited on " + nameB +
				"; hand values from loop to loop with CallSoon or Submit": func() { _, _ = task.Await(ctx) },
			"asyncio: Future.Await: " + future.String() + " belongs to " + nameA + " but was awaited on " + nameB +
				"; hand values from loop to loop with CallSoon or Submit": func() { _, _ = future.Await(ctx) },
			"asyncio: Sleep: belongs to " + nameA + " but was used on " + nameB +
				"; hand values from loop to loop with CallSoon or Submit": func() { _ = asyncio.Sleep(ctxA, time.Hour) },
			"asyncio: Generator.Next: " + gen.String() + " belongs to " + nameA + " but was used on " + nameB +
				"; hand values from loop to loop with CallSoon or Submit": func() { _, _, _ = gen.Next(ctx) },
		} {
			if got := panicOf(f); got != what {
				t.Errorf("panic is %s\nwant     %s", got, what)
			}
		}
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
}
