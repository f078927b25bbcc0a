package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// What asyncio is known to do in the corners of a run and of its end, and what
// happens there here. docs/conformance.md has the whole list.

func TestRunner_CloseOfOneThatWasNeverUsed(t *testing.T) {
	r := &asyncio.Runner{}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := r.Run(t.Context(), nothing); !errors.Is(err, asyncio.ErrRunnerClosed) {
		t.Errorf("Run after Close: %v, want ErrRunnerClosed", err)
	}
}

func TestRun_MainHasTheValuesOfItsContext(t *testing.T) {
	type requestKey struct{}
	ctx := context.WithValue(t.Context(), requestKey{}, "r1")
	v, err := asyncio.Run(ctx, func(ctx context.Context) (any, error) {
		return asyncio.Spawn(ctx, func(ctx context.Context) (any, error) { return ctx.Value(requestKey{}), nil }).Await(ctx)
	})
	if v != "r1" || err != nil {
		t.Errorf("a task of main finds %v, %v, want r1", v, err)
	}
}

func TestRun_MainThatIsCancelledFromWithin(t *testing.T) {
	noLeaks(t)
	cancelSelf := func(ctx context.Context) { asyncio.CurrentTask(ctx).Cancel(errBoom) }
	for name, c := range map[string]struct {
		want string
		main func(ctx context.Context) error
	}{
		"by itself": {"asyncio: cancelled: boom", func(ctx context.Context) error {
			cancelSelf(ctx)
			return sleepLong(ctx)
		}},
		"by itself, and takes no notice": {"", func(ctx context.Context) error {
			cancelSelf(ctx)
			_ = sleepLong(ctx)
			return nil
		}},
		"not at all, but it awaits who was": {"asyncio: cancelled: boom", func(ctx context.Context) error {
			child := asyncio.Go(ctx, sleepLong)
			turns(t, ctx, 1)
			child.Cancel(errBoom)
			_, err := child.Await(ctx)
			return err
		}},
	} {
		got := ""
		if err := newBench().Run(t.Context(), c.main); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("main is cancelled %s: Run = %q, want %q", name, got, c.want)
		}
	}
}

func TestRun_StopInsideEndsIt(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		l.Stop()
		s.add("main: %v", sleepLong(ctx))
		return err
	})
	if !errors.Is(err, asyncio.ErrLoopStopped) || !strings.HasSuffix(err.Error(), " was stopped while Task-1 was pending") {
		t.Errorf("Run = %v, want ErrLoopStopped", err)
	}
	s.want(t, "main: asyncio: cancelled: the event loop is shutting down")
}

func TestRun_InstallsNoSignalHandler(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	_, err := asyncio.Run(t.Context(), func(ctx context.Context) (int, error) {
		interruptSelf(t)
		_, _, err := asyncio.Recv(ctx, signals)
		return 0, errors.Join(err, asyncio.Yield(ctx))
	})
	if err != nil {
		t.Errorf("the signal was the program's own, but Run returned %v", err)
	}
}

func TestMainEntry_LeavesNoHandlerBehind(t *testing.T) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	asyncio.Main(nothing)
	for range 2 { // a second one that Main heard of would end the process
		interruptSelf(t)
		<-signals
	}
}

func interruptSelf(t *testing.T) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(os.Interrupt)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Programs for a process of their own, as those of signal_test.go.
func init() {
	programs["fails in its cleanup"] = func(ctx context.Context) error {
		fmt.Println("ready")
		_ = sleepLong(ctx)
		return errBoom
	}
	programs["only yields"] = func(ctx context.Context) error {
		fmt.Println("ready")
		for {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
	}
	programs["listens too"] = func(ctx context.Context) error {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt)
		fmt.Println("ready")
		err := sleepLong(ctx)
		fmt.Println("heard", <-signals)
		return err
	}
	programs["was cancelled before"] = func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).Cancel(errBoom)
		err := asyncio.Yield(ctx)
		std, stop := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt)
		defer stop()
		fmt.Println("ready")
		_ = asyncio.Sleep(std, time.Hour)
		return err
	}
}

func TestMainEntry_StatusSaysWhatEndedMain(t *testing.T) {
	for _, c := range []struct {
		name           string
		status         int
		stdout, stderr string
	}{
		{"fails in its cleanup", 1, "ready\n", "boom\n"},
		{"only yields", 130, "ready\n", "asyncio: cancelled: received signal: interrupt\n"},
		{"was cancelled before", 1, "ready\n", "asyncio: cancelled: boom\n"},
		{"listens too", 130, "ready\nheard interrupt\n", "asyncio: cancelled: received signal: interrupt\n"},
	} {
		status, stdout, stderr := runProgram(t, c.name, os.Interrupt)
		if status != c.status || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%s: status %d, stdout %q, stderr %q\nwant status %d, stdout %q, stderr %q",
				c.name, status, stdout, stderr, c.status, c.stdout, c.stderr)
		}
	}
}

// The first cancellation is the one that counts, not the signal that follows.
func TestMainEntry_CancelledBeforeTheSignal(t *testing.T) {
	if _, _, stderr := runProgram(t, "was cancelled before", os.Interrupt); stderr != "asyncio: cancelled: boom\n" {
		t.Errorf("stderr is %q, want the cancellation that came first", stderr)
	}
}

// What leftovers need for their cleanup, they get.
func TestShutdown_WaitsForTheCleanupOfLeftovers(t *testing.T) {
	s := &story{}
	for name, cleanup := range map[string]func(ctx context.Context) error{
		"WithoutCancel": func(ctx context.Context) error { return asyncio.Sleep(context.WithoutCancel(ctx), 5*time.Second) },
		"Shield": func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error { return asyncio.Sleep(ctx, 5*time.Second) }))
			if wantCancelled(t, "Shield", err, nil); err == nil {
				return errBoom
			}
			return nil
		},
		"Blocking": func(ctx context.Context) error {
			v, err := asyncio.Blocking(context.WithoutCancel(ctx), taskAnswer)
			if v != 42 {
				t.Errorf("the function in the cleanup returned %d", v)
			}
			return err
		},
	} {
		run(t, func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() { s.add("cleaned up") }()
				_ = sleepLong(ctx) // cancelled, and nobody is told
				if err := cleanup(ctx); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				return nil
			})
			return asyncio.Yield(ctx)
		})
	}
	s.want(t, "cleaned up", "cleaned up", "cleaned up")
}

// Everything is ended, in order, whatever of it fails.
func TestShutdown_GoesOnAfterEachFailure(t *testing.T) {
	noLeaks(t)
	b, s := quietBench(), &story{}
	var reports []asyncio.ExceptionContext
	b.Options.ExceptionHandler = func(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
		s.add("%s: %v", ec.Message, ec.Err)
		reports = append(reports, ec)
	}
	var leftover *asyncio.Task[struct{}]
	var gen *asyncio.Generator[int]
	err := b.Run(t.Context(), func(ctx context.Context) error {
		gen = asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			defer s.add("the generator is closed")
			yield(1)
			return errors.New("in the generator")
		})
		_, _, nextErr := gen.Next(ctx)
		leftover = asyncio.Go(ctx, func(ctx context.Context) error {
			_ = sleepLong(ctx)
			return errors.New("in the leftover")
		})
		return errors.Join(nextErr, asyncio.Yield(ctx), errBoom)
	})
	runtime.KeepAlive(gen)
	wantErr(t, err, "boom")
	_, leftoverErr := leftover.Result()
	s.want(t, "unhandled exception during asyncio.Run shutdown: in the leftover", "the generator is closed",
		"an error occurred during closing of asynchronous generator: in the generator")
	if len(reports) != 2 {
		return
	}
	wantReport(t, reports[0], asyncio.ExceptionContext{Message: "unhandled exception during asyncio.Run shutdown",
		Err: leftoverErr, Task: leftover})
	wantReport(t, reports[1], asyncio.ExceptionContext{Message: "an error occurred during closing of asynchronous generator",
		Err: reports[1].Err, Object: gen.String()})
}

// wantReport compares all fields of a report but where its object was created,
// which must be there.
func wantReport(t *testing.T, got, want asyncio.ExceptionContext) {
	t.Helper()
	if !strings.Contains(got.Created, "conformance_test.go:") {
		t.Errorf("the report %q does not say where its object was created: %q", got.Message, got.Created)
	}
	if got.Created = ""; got != want {
		t.Errorf("report is %+v\nwant      %+v", got, want)
	}
}

func TestLoop_IsUsableAfterAPanicOfMain(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	for range 2 {
		text := panicOf(func() {
			_, _ = asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
				explode()
				return 0, nil
			})
		})
		if !strings.HasPrefix(text, "asyncio: Task-") || !strings.Contains(text, " panicked: kaboom\n") {
			t.Errorf("it panicked with %s", text)
		}
		// No Stop is left that would end this run after a turn.
		v, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) { return 5, sleepLong(ctx) })
		if v != 5 || err != nil {
			t.Errorf("the run after it = %v, %v", v, err)
		}
	}
}

func TestLoop_StepsLeaveNothingRunning(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	called := 0
	l.CallSoon(func() { called++ })
	for range 10 {
		if _, err := l.Step(); err != nil || l.Running() {
			t.Errorf("Step: %v; running after it: %v", err, l.Running())
		}
		if v, err := asyncio.Run(t.Context(), nothingV); v != 0 || err != nil {
			t.Errorf("Run between two steps = %v, %v", v, err)
		}
	}
	if called != 1 {
		t.Errorf("10 steps called it %d times", called)
	}
}

// asyncio's cancel waits until the callback has returned; here it says that it
// came too late.
func TestHandle_CancelWhileItRunsComesTooLate(t *testing.T) {
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		begun, cancelled := make(chan *asyncio.Handle, 1), make(chan bool)
		go func() {
			h := <-begun
			cancelled <- h.Cancel() || h.Cancelled()
		}()
		var h *asyncio.Handle
		h = l.CallSoon(func() {
			begun <- h
			if <-cancelled {
				t.Error("a callback was taken back while it ran")
			}
			if h.Cancel() {
				t.Error("a callback took itself back")
			}
		})
		return asyncio.Yield(ctx)
	})
}
