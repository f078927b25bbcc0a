package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

func ExampleNewLoop() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()
	greeting, err := asyncio.RunUntilComplete(context.Background(), loop,
		func(ctx context.Context) (string, error) { return "hello", asyncio.Yield(ctx) })
	fmt.Println(greeting, err)
	// Output: hello <nil>
}

// Tasks stay on the loop from one run to the next.
func ExampleRunUntilComplete() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()

	start := func(ctx context.Context) (*asyncio.Task[int], error) {
		count := func(ctx context.Context) (n int, err error) {
			for ; n < 3; n++ {
				if err := asyncio.Yield(ctx); err != nil {
					return n, err
				}
			}
			return n, nil
		}
		return asyncio.Spawn(ctx, count), nil
	}
	task, err := asyncio.RunUntilComplete(context.Background(), loop, start)
	fmt.Println(task.Done(), err)

	n, err := asyncio.RunUntilComplete(context.Background(), loop, task.Await)
	fmt.Println(n, err)
	// Output:
	// false <nil>
	// 3 <nil>
}

func ExampleLoop_CallSoon() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()
	for _, name := range []string{"first", "second"} {
		loop.CallSoon(func() { fmt.Println(name) })
	}
	loop.CallSoon(loop.Stop)
	fmt.Println(loop.RunForever())
	// Output:
	// first
	// second
	// <nil>
}

func ExampleLoop_CallLater() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	loop.CallLater(2*time.Hour, loop.Stop)
	loop.CallLater(time.Hour, func() { fmt.Println("an hour has passed") })
	fmt.Println(loop.RunForever())
	// Output:
	// an hour has passed
	// <nil>
}

func ExampleLoop_CallAt() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	noon := loop.Now().Truncate(24 * time.Hour).Add(12 * time.Hour)
	loop.CallAt(noon, func() {
		fmt.Println("lunch at", loop.Now().Format(time.Kitchen))
		loop.Stop()
	})
	fmt.Println(loop.RunForever())
	// Output:
	// lunch at 12:00PM
	// <nil>
}

// A clock that ticks every second, until it is stopped.
func ExampleLoop_RunForever() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	var tick func()
	tick = func() {
		fmt.Println(loop.Now().Format(time.TimeOnly))
		loop.CallLater(time.Second, tick)
	}
	loop.CallSoon(tick)
	loop.CallLater(2500*time.Millisecond, loop.Stop)
	fmt.Println(loop.RunForever())
	// Output:
	// 00:00:00
	// 00:00:01
	// 00:00:02
	// <nil>
}

// Stop from another goroutine ends RunForever; the loop can then be closed.
func ExampleLoop_Stop() {
	loop := asyncio.NewLoop(nil)
	go loop.Stop()
	fmt.Println(loop.RunForever())
	fmt.Println(loop.Close())
	// Output:
	// <nil>
	// <nil>
}

// If Stop ends the loop first, the main task stays on it.
func ExampleLoop_Stop_early() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()
	_, err := asyncio.RunUntilComplete(context.Background(), loop,
		func(ctx context.Context) (int, error) {
			loop.Stop()
			return 0, asyncio.Sleep(ctx, time.Hour)
		})
	fmt.Println(errors.Is(err, asyncio.ErrLoopStopped), loop.Tasks().Len())
	// Output: true 1
}

// A host that has a loop of its own steps the event loop when it wants to be.
func ExampleLoop_Step() {
	clock := &asyncio.ManualClock{Frozen: true}
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: clock})
	defer loop.Close()
	rocket := asyncio.Submit(loop, asyncio.Void(func(ctx context.Context) error {
		for n := 2; n > 0; n-- {
			fmt.Println(n)
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		fmt.Println("lift-off")
		return nil
	}))
	for {
		next, err := loop.Step()
		if err != nil || next.IsZero() {
			break // nothing is left but what OnWake would tell
		}
		clock.Advance(next.Sub(loop.Now())) // or wait until then
	}
	<-rocket.Done()
	// Output:
	// 2
	// 1
	// lift-off
}

// Close cancels the tasks that are left and awaits them.
func ExampleLoop_Close() {
	loop := asyncio.NewLoop(nil)
	_, err := asyncio.RunUntilComplete(context.Background(), loop,
		asyncio.Void(func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Hour)
				fmt.Println(err)
				return err
			})
			return asyncio.Yield(ctx)
		}))
	fmt.Println(err)
	fmt.Println(loop.Close())
	// Output:
	// <nil>
	// asyncio: cancelled: the event loop is shutting down
	// <nil>
}

func ExampleLoop_Closed() {
	loop := asyncio.NewLoop(nil)
	fmt.Println(loop.Closed())
	fmt.Println(loop.Close(), loop.Closed())
	_, err := asyncio.RunUntilComplete(context.Background(), loop, asyncio.Void(asyncio.Yield))
	fmt.Println(errors.Is(err, asyncio.ErrLoopClosed))
	// Output:
	// false
	// <nil> true
	// true
}

func ExampleLoop_Running() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()
	loop.CallSoon(func() {
		fmt.Println("in a callback:", loop.Running())
		loop.Stop()
	})
	err := loop.RunForever()
	fmt.Println("after the run:", loop.Running(), err)
	// Output:
	// in a callback: true
	// after the run: false <nil>
}

func ExampleLoop_Tasks() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		for _, name := range []string{"web", "mail"} {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name},
				asyncio.Void(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }))
		}
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		for task := range loop.Tasks().All() {
			fmt.Println(task.Name())
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// Task-1
	// web
	// mail
	// <nil>
}

func ExampleLoop_Now() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	fmt.Println(loop.Now().Format(time.DateTime)) // where a ManualClock starts
	// Output: 2000-01-01 00:00:00
}

// Code that does input and output finds there what a test gave it.
func ExampleLoop_Network() {
	type fakeNetwork struct{ latency time.Duration }
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Network: fakeNetwork{time.Second}})
	defer loop.Close()
	if n, ok := loop.Network().(fakeNetwork); ok {
		fmt.Println("a fake with a latency of", n.latency)
	}
	// Output: a fake with a latency of 1s
}

// A method that takes no ctx, such as Write, obeys the task's innermost scope.
func ExampleLoop_Context() {
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	loop, err := r.Loop()
	if err != nil {
		fmt.Println(err)
		return
	}
	write := func(text string) error { return asyncio.Sleep(loop.Context(), time.Hour) }

	err = r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Timeout(ctx, time.Second, func(context.Context) error { return write("hello") })
	})
	fmt.Println(err)
	// Output: asyncio: timed out after 1s
}

func ExampleRunningLoop() {
	_, err := asyncio.RunningLoop(context.Background())
	fmt.Println(errors.Is(err, asyncio.ErrNoLoop))

	_, err = asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		fmt.Println(loop.Running())
		return nil
	}))
	fmt.Println(err)
	// Output:
	// true
	// true
	// <nil>
}
