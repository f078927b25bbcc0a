package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func nothing(context.Context) error                 { return nil }
func nothingV(context.Context) (int, error)         { return 0, nil }
func noItems(context.Context, func(int) bool) error { return nil }

func TestMisuse_NestedRun(t *testing.T) {
	noLeaks(t)
	want := func(l *asyncio.Loop, err error) {
		t.Helper()
		wantErr(t, err, "asyncio.Run cannot be called from a running event loop: "+loopName(t, l)+
			"; await the function directly, main(ctx), or start it with Go or Spawn")
		if !errors.Is(err, asyncio.ErrNestedRun) {
			t.Errorf("%v does not match ErrNestedRun", err)
		}
	}
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		_, err := asyncio.Run(ctx, nothingV)
		want(l, err)
		_, err = asyncio.Run(context.Background(), nothingV)
		want(l, err)
		want(l, newBench().Run(ctx, nothing))
		l.CallSoon(func() {
			_, err := asyncio.Run(context.Background(), nothingV)
			want(l, err)
		})
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}

		// On a goroutine of its own, and in Blocking, it is allowed.
		nested := func(ctx context.Context) (int, error) {
			return asyncio.Run(ctx, func(ctx context.Context) (int, error) { return 5, asyncio.Yield(ctx) })
		}
		if v, err := asyncio.Blocking(ctx, nested); v != 5 || err != nil {
			t.Errorf("Run in Blocking = %v, %v", v, err)
		}
		results := make(chan error, 1)
		go func() {
			_, err := nested(context.Background())
			results <- err
		}()
		nestedErr, _, err := asyncio.Recv(ctx, results)
		return errors.Join(nestedErr, err)
	})
}

func TestMisuse_NoLoop(t *testing.T) {
	ctx := context.Background()
	const advice = ": no running event loop in this context; pass the ctx that your coroutine was given, " +
		"or enter a loop with asyncio.Run(ctx, main)"
	for fn, f := range map[string]func(){
		"Sleep":           func() { _ = asyncio.Sleep(ctx, time.Second) },
		"Yield":           func() { _ = asyncio.Yield(ctx) },
		"Go":              func() { asyncio.Go(ctx, nothing) },
		"Spawn":           func() { asyncio.Spawn(ctx, nothingV) },
		"SpawnWith":       func() { asyncio.SpawnWith(ctx, asyncio.TaskOptions{}, nothingV) },
		"NewFuture":       func() { asyncio.NewFuture[int](ctx) },
		"Generate":        func() { asyncio.Generate(ctx, noItems) },
		"Timeout":         func() { _ = asyncio.Timeout(ctx, time.Second, nothing) },
		"WaitFor":         func() { _, _ = asyncio.WaitFor(ctx, time.Second, nothingV) },
		"Shield":          func() { _, _ = asyncio.Shield(ctx, nothingV) },
		"WithCancel":      func() { asyncio.WithCancel(ctx) },
		"WithCancelCause": func() { asyncio.WithCancelCause(ctx) },
		"WithTimeout":     func() { asyncio.WithTimeout(ctx, time.Second) },
		"WithDeadline":    func() { asyncio.WithDeadline(ctx, time.Now()) },
		"Blocking":        func() { _, _ = asyncio.Blocking(ctx, nothingV) },
		"Abandonable":     func() { _, _ = asyncio.Abandonable(ctx, nothingV) },
		"Recv":            func() { _, _, _ = asyncio.Recv(ctx, make(chan int)) },
		"Send":            func() { _ = asyncio.Send(ctx, make(chan int), 1) },
	} {
		if got, want := panicOf(f), "asyncio: "+fn+advice; got != want {
			t.Errorf("panic is %s\nwant     %s", got, want)
		}
	}
	_, err := asyncio.RunningLoop(ctx)
	wantErr(t, err, "asyncio: RunningLoop: no running event loop in this context; pass the ctx that your coroutine was given")
	if !errors.Is(err, asyncio.ErrNoLoop) {
		t.Errorf("%v does not match ErrNoLoop", err)
	}
	var none context.Context
	if got, want := panicOf(func() { _ = asyncio.Sleep(none, 1) }),
		"asyncio: Sleep: the context is nil; pass the ctx that your coroutine was given"; got != want {
		t.Errorf("panic is %s\nwant     %s", got, want)
	}
	if asyncio.CurrentTask(ctx) != nil {
		t.Error("CurrentTask without a loop is not nil")
	}
}

func TestMisuse_ForeignGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		task := asyncio.Go(ctx, nothing)
		future := asyncio.NewFuture[int](ctx)
		gen := asyncio.Generate(ctx, noItems)
		advice := ": called from a goroutine that does not run " + loopName(t, l) +
			"; from other goroutines use Loop.CallSoon or Submit"
		_, err := asyncio.Blocking(ctx, func(bctx context.Context) (int, error) {
			for fn, f := range map[string]func(){
				"Sleep":           func() { _ = asyncio.Sleep(ctx, time.Second) },
				"Yield":           func() { _ = asyncio.Yield(context.WithValue(ctx, key{}, 1)) },
				"Go":              func() { asyncio.Go(ctx, nothing) },
				"NewFuture":       func() { asyncio.NewFuture[int](ctx) },
				"Generate":        func() { asyncio.Generate(ctx, noItems) },
				"Timeout":         func() { _ = asyncio.Timeout(bctx, time.Second, nothing) },
				"Shield":          func() { _, _ = asyncio.Shield(ctx, nothingV) },
				"WithTimeout":     func() { asyncio.WithTimeout(ctx, time.Second) },
				"Blocking":        func() { _, _ = asyncio.Blocking(ctx, nothingV) },
				"Task.Await":      func() { _, _ = task.Await(ctx) },
				"Task.Cancel":     func() { task.Cancel(nil) },
				"Task.Done":       func() { task.Done() },
				"Task.State":      func() { task.State() },
				"Task.Result":     func() { _, _ = task.Result() },
				"Task.WaitingFor": func() { task.WaitingFor() },

				"Task.AddDoneCallback":   func() { task.AddDoneCallback(func(*asyncio.Task[struct{}]) {}) },
				"Future.Await":           func() { _, _ = future.Await(ctx) },
				"Future.SetResult":       func() { future.SetResult(1) },
				"Future.SetError":        func() { future.SetError(errBoom) },
				"Future.Cancel":          func() { future.Cancel(nil) },
				"Future.Done":            func() { future.Done() },
				"Future.Result":          func() { _, _ = future.Result() },
				"Future.AddDoneCallback": func() { future.AddDoneCallback(func(*asyncio.Future[int]) {}) },
				"Generator.Next":         func() { _, _, _ = gen.Next(ctx) },
				"Generator.Close":        func() { _ = gen.Close(ctx) },
				"Loop.Tasks":             func() { l.Tasks() },
				"Loop.Context":           func() { l.Context() },
			} {
				if got, want := panicOf(f), "asyncio: "+fn+advice; got != want {
					t.Errorf("panic is %s\nwant     %s", got, want)
				}
			}
			if asyncio.CurrentTask(ctx) != nil {
				t.Error("CurrentTask on another goroutine is not nil")
			}
			_, err := asyncio.RunningLoop(ctx)
			wantErr(t, err, "asyncio: RunningLoop: no running event loop on this goroutine; call it on "+
				loopName(t, l)+" and hand the result over")
			return 0, nil
		})
		return err
	})
}

type key struct{}

func TestMisuse_InACallback(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallSoon(func() {
			want := "asyncio: Sleep: called from a plain callback, which cannot wait; start a task from it with Go or Spawn"
			if got := panicOf(func() { _ = asyncio.Sleep(ctx, time.Second) }); got != want {
				t.Errorf("panic is %s\nwant     %s", got, want)
			}
			if got := panicOf(func() { l.Context() }); got != "asyncio: Loop.Context: called from a plain callback, where no task runs" {
				t.Errorf("panic is %s", got)
			}
			if asyncio.CurrentTask(ctx) != nil {
				t.Error("CurrentTask in a callback is not nil")
			}
		})
		return asyncio.Yield(ctx)
	})
}

func TestMisuse_AfterTheLoopHasClosed(t *testing.T) {
	noLeaks(t)
	var stale context.Context
	var name string
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		stale, name = ctx, loopName(t, l)
		return nil
	})
	want := "asyncio: Sleep: " + name + " is closed; nothing can run on it any more, make a new one"
	if got := panicOf(func() { _ = asyncio.Sleep(stale, time.Second) }); got != want {
		t.Errorf("panic is %s\nwant     %s", got, want)
	}
}

func TestMisuse_AtRest(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	var ctx context.Context
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(c context.Context) (int, error) { ctx = c; return 0, nil })
	if err != nil {
		t.Fatal(err)
	}
	want := "asyncio: Sleep: " + loopName(t, l) + " is not running; run it with RunUntilComplete or RunForever"
	if got := panicOf(func() { _ = asyncio.Sleep(ctx, time.Second) }); got != want {
		t.Errorf("panic is %s\nwant     %s", got, want)
	}
}

func TestMisuse_AwaitingOneself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *asyncio.Task[struct{}]
		task = asyncio.Go(ctx, func(ctx context.Context) error {
			want := "asyncio: Task.Await: " + task.String() + " cannot await itself; it would wait for ever"
			if got := panicOf(func() { _, _ = task.Await(ctx) }); got != want {
				t.Errorf("panic is %s\nwant     %s", got, want)
			}
			return nil
		})
		_, err := task.Await(ctx)
		return err
	})
}

func TestMisuse_ResultSetTwice(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		f.SetResult(1)
		is := f.String() + " is done already; a result is set once, check Done first"
		if got, want := panicOf(func() { f.SetResult(2) }), "asyncio: Future.SetResult: "+is; got != want {
			t.Errorf("panic is %s\nwant     %s", got, want)
		}
		if got, want := panicOf(func() { f.SetError(errBoom) }), "asyncio: Future.SetError: "+is; got != want {
			t.Errorf("panic is %s\nwant     %s", got, want)
		}
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, asyncio.ErrInvalidState) {
				t.Errorf("the panic %v does not match ErrInvalidState", err)
			}
		}()
		f.SetResult(3)
		return nil
	})
}

func TestMisuse_NilFunctions(t *testing.T) {
	bg := context.Background()
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		task, future := asyncio.Go(ctx, nothing), asyncio.NewFuture[int](ctx)
		for fn, f := range map[string]func(){
			"Run":                    func() { _, _ = asyncio.Run[int](bg, nil) },
			"RunWith":                func() { _, _ = asyncio.RunWith[int](bg, &asyncio.Runner{}, nil) },
			"Runner.Run":             func() { _ = (&asyncio.Runner{}).Run(bg, nil) },
			"RunUntilComplete":       func() { _, _ = asyncio.RunUntilComplete[int](bg, l, nil) },
			"Main":                   func() { asyncio.Main(nil) },
			"Go":                     func() { asyncio.Go(ctx, nil) },
			"Spawn":                  func() { asyncio.Spawn[int](ctx, nil) },
			"SpawnWith":              func() { asyncio.SpawnWith[int](ctx, asyncio.TaskOptions{}, nil) },
			"Timeout":                func() { _ = asyncio.Timeout(ctx, 1, nil) },
			"WaitFor":                func() { _, _ = asyncio.WaitFor[int](ctx, 1, nil) },
			"Shield":                 func() { _, _ = asyncio.Shield[int](ctx, nil) },
			"Generate":               func() { asyncio.Generate[int](ctx, nil) },
			"Blocking":               func() { _, _ = asyncio.Blocking[int](ctx, nil) },
			"Abandonable":            func() { _, _ = asyncio.Abandonable[int](ctx, nil) },
			"Submit":                 func() { asyncio.Submit[int](l, nil) },
			"CallSoon":               func() { l.CallSoon(nil) },
			"CallLater":              func() { l.CallLater(1, nil) },
			"CallAt":                 func() { l.CallAt(time.Time{}, nil) },
			"Task.AddDoneCallback":   func() { task.AddDoneCallback(nil) },
			"Future.AddDoneCallback": func() { future.AddDoneCallback(nil) },
		} {
			if got, want := panicOf(f), "asyncio: "+fn+": the function is nil"; !strings.HasPrefix(got, want) {
				t.Errorf("panic is %s\nwant     %s", got, want)
			}
		}
		if got := panicOf(func() { future.SetError(nil) }); got != "asyncio: Future.SetError: the error is nil; use SetResult for success" {
			t.Errorf("panic is %s", got)
		}
		return nil
	})
	var none context.Context
	if got, want := panicOf(func() { _, _ = asyncio.Run(none, nothingV) }),
		"asyncio: Run: the context is nil; pass context.Background()"; got != want {
		t.Errorf("panic is %s\nwant     %s", got, want)
	}
}

func TestMisuse_NegativeAndZeroDurations(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for d, text := range map[time.Duration]string{0: "0s", -time.Second: "-1s"} {
			err := asyncio.Timeout(ctx, d, func(context.Context) error {
				t.Error("Timeout started the function")
				return nil
			})
			wantErr(t, err, "asyncio: timed out: Timeout("+text+") was over before the function was started; give a duration above zero")
			_, err = asyncio.WaitFor(ctx, d, func(context.Context) (int, error) {
				t.Error("WaitFor started the function")
				return 0, nil
			})
			wantErr(t, err, "asyncio: timed out: WaitFor("+text+") was over before the function was started; give a duration above zero")
			if !errors.Is(err, asyncio.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is no timeout", err)
			}
			sub, cancel := asyncio.WithTimeout(ctx, d)
			wantErr(t, asyncio.Sleep(sub, time.Hour), "asyncio: cancelled by a deadline")
			cancel()
			if err := asyncio.Sleep(ctx, d); err != nil { // a turn, as in asyncio
				t.Errorf("Sleep(%v): %v", d, err)
			}
		}
		return nil
	})
	clock := &asyncio.ManualClock{}
	if got, want := panicOf(func() { clock.Advance(-1) }),
		"asyncio: ManualClock.Advance(-1ns): time does not go back; give a duration that is not negative"; got != want {
		t.Errorf("panic is %s\nwant     %s", got, want)
	}
}
