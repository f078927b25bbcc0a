package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/asyncio-go/asyncio"
)

func ExampleRun() {
	answer, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return 0, err
		}
		return 42, nil
	})
	fmt.Println(answer, err)
	// Output: 42 <nil>
}

// When main returns, Run cancels the tasks that are left and awaits them.
func ExampleRun_shutdown() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer fmt.Println("the heart stops")
			for {
				if err := asyncio.Sleep(ctx, time.Hour); err != nil {
					return err
				}
				fmt.Println("beat")
			}
		})
		return "", asyncio.Yield(ctx) // the task begins
	})
	fmt.Println("Run has returned:", err)
	// Output:
	// the heart stops
	// Run has returned: <nil>
}

// Inside a loop, a coroutine is called directly instead.
func ExampleRun_nested() {
	greet := func(ctx context.Context) (string, error) { return "hello", asyncio.Yield(ctx) }

	greeting, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		_, err := asyncio.Run(ctx, greet)
		fmt.Println("refused:", errors.Is(err, asyncio.ErrNestedRun))
		return greet(ctx)
	})
	fmt.Println(greeting, err)
	// Output:
	// refused: true
	// hello <nil>
}

func ExampleMain() {
	// In a program, this is all of func main.
	asyncio.Main(func(ctx context.Context) error {
		err := asyncio.Sleep(ctx, time.Hour) // until Ctrl-C
		return fmt.Errorf("served until: %w", err)
	})
}

// Main cancels the program with a SignalError as the cause.
func ExampleSignalError() {
	ctx, interrupt := context.WithCancelCause(context.Background())
	interrupt(&asyncio.SignalError{Signal: os.Interrupt}) // as Main does

	_, err := asyncio.Run(ctx, asyncio.Void(func(ctx context.Context) error {
		return asyncio.Sleep(ctx, time.Hour)
	}))
	if se, ok := errors.AsType[*asyncio.SignalError](err); ok {
		fmt.Println(se, errors.Is(err, context.Canceled))
	}
	// Output: received signal: interrupt true
}

func ExampleVoid() {
	greet := func(ctx context.Context) error {
		fmt.Println("hello")
		return asyncio.Yield(ctx)
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(greet))
	fmt.Println(err)
	// Output:
	// hello
	// <nil>
}

func ExampleSleep() {
	clock := &asyncio.ManualClock{} // the night takes no time
	began := clock.Now()
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Sleep(ctx, 8*time.Hour)
	})
	fmt.Println(clock.Now().Sub(began), err)
	// Output: 8h0m0s <nil>
}

// Tasks that never wait take turns by yielding.
func ExampleYield() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		count := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				for n := range 2 {
					fmt.Println(name, n)
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			}
		}
		asyncio.Go(ctx, count("ping"))
		_, err := asyncio.Go(ctx, count("pong")).Await(ctx)
		return err
	}))
	fmt.Println(err)
	// Output:
	// ping 0
	// pong 0
	// ping 1
	// pong 1
	// <nil>
}

func ExampleRunWith() {
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	slept, err := asyncio.RunWith(context.Background(), r, func(ctx context.Context) (time.Duration, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return 0, err
		}
		began := loop.Now()
		err = asyncio.Sleep(ctx, 8*time.Hour) // takes no time on this clock
		return loop.Now().Sub(began), err
	})
	fmt.Println(slept, err)
	// Output: 8h0m0s <nil>
}

// A Runner may be used again: each run has a loop of its own.
func ExampleRunner_Run() {
	var r asyncio.Runner
	for _, name := range []string{"first", "second"} {
		err := r.Run(context.Background(), func(ctx context.Context) error {
			fmt.Println(name, asyncio.CurrentTask(ctx).Name())
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// first Task-1
	// second Task-1
}

// The loop of the next run can be used before it begins.
func ExampleRunner_Loop() {
	var r asyncio.Runner
	loop, err := r.Loop()
	if err != nil {
		fmt.Println(err)
		return
	}
	loop.CallSoon(func() { fmt.Println("called first") })
	err = r.Run(context.Background(), func(ctx context.Context) error {
		fmt.Println("main")
		return nil
	})
	fmt.Println(err)
	// Output:
	// called first
	// main
	// <nil>
}

func ExampleRunner_Close() {
	var r asyncio.Runner
	fmt.Println(r.Close())
	err := r.Run(context.Background(), func(ctx context.Context) error { return nil })
	fmt.Println(errors.Is(err, asyncio.ErrRunnerClosed))
	// Output:
	// <nil>
	// true
}

func ExampleDebugMode() {
	r := asyncio.Runner{Debug: asyncio.DebugOn} // or set ASYNCIODEBUG=1
	err := r.Run(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		fmt.Println("debug:", loop.Debug())
		return err
	})
	fmt.Println(err)
	// Output:
	// debug: true
	// <nil>
}

// Debug mode reports to Logger what blocks the loop longer than SlowThreshold.
func ExampleLoopOptions() {
	onlyLevel := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.LevelKey {
			return a
		}
		return slog.Attr{} // times and stacks differ from run to run
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{
		Debug:          asyncio.DebugOn,
		Logger:         slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: onlyLevel})),
		SlowThreshold:  20 * time.Millisecond,
		StallThreshold: -1, // says nothing before it is over
	}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		time.Sleep(50 * time.Millisecond) // blocks: asyncio.Sleep would not
		return nil
	})
	fmt.Println(err)
	// Output:
	// level=WARN
	// <nil>
}

// What ignores its cancellation is ended by force after the shutdown timeout.
func ExampleShutdownError() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{
		ShutdownTimeout: 10 * time.Millisecond,
		Logger:          slog.New(slog.DiscardHandler), // it is reported there too
	}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				_ = asyncio.Sleep(ctx, time.Millisecond) // ignores the error
			}
		})
		return asyncio.Yield(ctx)
	})
	if se, ok := errors.AsType[*asyncio.ShutdownError](err); ok {
		fmt.Println(len(se.Left), "left behind")
	}
	// Output: 1 left behind
}

// A panic of a task is an error to those who await it.
func ExamplePanicError() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Logger: slog.New(slog.DiscardHandler)}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			panic("no such user")
		})
		_, err := task.Await(ctx)
		if pe, ok := errors.AsType[*asyncio.PanicError](err); ok {
			fmt.Println("panicked:", pe.Value)
			fmt.Println("with a stack:", len(pe.Stack) > 0)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// panicked: no such user
	// with a stack: true
	// <nil>
}

// An exception handler hears of errors that nobody else can be told.
func ExampleExceptionContext() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{
		ExceptionHandler: func(l *asyncio.Loop, ec asyncio.ExceptionContext) {
			fmt.Printf("%s: %v\n", ec.Message, ec.Err)
		},
	}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			return errors.New("the mail server is down")
		})
		return asyncio.Yield(ctx) // nobody awaits the task
	})
	fmt.Println(err)
	// Output:
	// Task exception was never retrieved: the mail server is down
	// <nil>
}
