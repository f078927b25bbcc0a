package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Tasks wait at the same time: both cups are ready after four minutes.
func ExampleSpawn() {
	brew := func(cup string, d time.Duration) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { return cup, asyncio.Sleep(ctx, d) }
	}
	clock := &asyncio.ManualClock{} // so that the example does not take them
	began := clock.Now()
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		tea := asyncio.Spawn(ctx, brew("tea", 4*time.Minute))
		coffee := asyncio.Spawn(ctx, brew("coffee", 3*time.Minute))
		for _, cup := range []*asyncio.Task[string]{tea, coffee} {
			name, err := cup.Await(ctx)
			if err != nil {
				return err
			}
			fmt.Println(name)
		}
		return nil
	})
	fmt.Println(clock.Now().Sub(began), err)
	// Output:
	// tea
	// coffee
	// 4m0s <nil>
}

// A task begins at the caller's next await.
func ExampleGo() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			fmt.Println("the task runs")
			return nil
		})
		fmt.Println("main goes on")
		_, err := task.Await(ctx)
		return err
	}))
	fmt.Println(err)
	// Output:
	// main goes on
	// the task runs
	// <nil>
}

// An eager task begins at once, and is done if it has nothing to wait for.
func ExampleSpawnWith() {
	cache := map[string]string{"gopher": "a burrowing rodent"}
	meaning, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		o := asyncio.TaskOptions{Name: "look up gopher", Eager: true}
		task := asyncio.SpawnWith(ctx, o, func(ctx context.Context) (string, error) {
			if meaning, ok := cache["gopher"]; ok {
				return meaning, nil
			}
			return "", asyncio.Sleep(ctx, time.Second) // asks a server
		})
		fmt.Printf("%s: done %t\n", task.Name(), task.Done())
		return task.Await(ctx)
	})
	fmt.Println(meaning, err)
	// Output:
	// look up gopher: done true
	// a burrowing rodent <nil>
}

// Awaiting a task returns its error.
func ExampleTask_Await() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		count := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			return 0, errors.New("no such table")
		})
		n, err := count.Await(ctx)
		if err != nil {
			return 0, fmt.Errorf("count users: %w", err)
		}
		return n, nil
	})
	fmt.Println(err)
	// Output: count users: no such table
}

// The result of a task that is done is there without an await.
func ExampleTask_Result() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 42, nil })
		_, err := task.Result()
		fmt.Println("too early:", errors.Is(err, asyncio.ErrInvalidState))
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		fmt.Println(task.Result())
		return nil
	}))
	fmt.Println(err)
	// Output:
	// too early: true
	// 42 <nil>
	// <nil>
}

// Cancelling a task ends what it waits for. Await tells how it ended.
func ExampleTask_Cancel() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		download := asyncio.Go(ctx, func(ctx context.Context) error {
			defer fmt.Println("the partial file is removed")
			return asyncio.Sleep(ctx, time.Hour)
		})
		if err := asyncio.Yield(ctx); err != nil { // it begins
			return err
		}
		download.Cancel(errors.New("the user closed the window"))
		_, err := download.Await(ctx)
		fmt.Println(err)
		fmt.Println(errors.Is(err, context.Canceled), download.State())
		return nil
	}))
	fmt.Println(err)
	// Output:
	// the partial file is removed
	// asyncio: cancelled: the user closed the window
	// true cancelled
	// <nil>
}

func ExampleTask_AddDoneCallback() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		build := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) { return "passed", nil })
		build.AddDoneCallback(func(t *asyncio.Task[string]) {
			result, err := t.Result()
			fmt.Println("notify the team:", result, err)
		})
		return asyncio.Sleep(ctx, time.Millisecond)
	}))
	fmt.Println(err)
	// Output:
	// notify the team: passed <nil>
	// <nil>
}

func ExampleTask_State() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Millisecond)
		})
		fmt.Println(task.State())
		_ = asyncio.Yield(ctx)
		fmt.Println(task.State(), "for", task.WaitingFor())
		_, err := task.Await(ctx)
		fmt.Println(task.State())
		return err
	}))
	fmt.Println(err)
	// Output:
	// ready
	// waiting for Sleep
	// succeeded
	// <nil>
}

// Done tells whether Result may be called.
func ExampleTask_Done() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) {
			return "loaded", asyncio.Sleep(ctx, time.Millisecond)
		})
		for !task.Done() {
			_ = asyncio.Yield(ctx) // a frame is drawn here
		}
		fmt.Println(task.Result())
		return nil
	}))
	fmt.Println(err)
	// Output:
	// loaded <nil>
	// <nil>
}

// A name tells who started the task: Task-1 is main, Task-1-1 its first child.
func ExampleTask_Name() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		child := asyncio.Go(ctx, func(ctx context.Context) error {
			for range 2 {
				grandchild := asyncio.Go(ctx, asyncio.Yield)
				fmt.Println(grandchild.Name())
			}
			return nil
		})
		_, err := child.Await(ctx)
		return err
	}))
	fmt.Println(err)
	// Output:
	// Task-1-1-1
	// Task-1-1-2
	// <nil>
}

// An ID is the same in every run, whatever else happens at the same time: good
// to seed a task's random numbers with.
func ExampleTask_ID() {
	run := func() (uint64, error) {
		return asyncio.Run(context.Background(), func(ctx context.Context) (uint64, error) {
			return asyncio.Go(ctx, asyncio.Yield).ID(), nil
		})
	}
	first, _ := run()
	second, _ := run()
	fmt.Println(first == second)
	// Output: true
}

func ExampleTask_WaitingFor() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		payment := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "payment"}, asyncio.Void(
			func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }))
		_ = asyncio.Yield(ctx)
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		for task := range loop.Tasks().All() {
			fmt.Printf("%s: %q\n", task.Name(), task.WaitingFor())
		}
		payment.Cancel(nil)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// Task-1: ""
	// payment: "Sleep"
	// <nil>
}

func ExampleCurrentTask() {
	log := func(ctx context.Context, text string) {
		fmt.Printf("[%s] %s\n", asyncio.CurrentTask(ctx).Name(), text)
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		log(ctx, "listening")
		o := asyncio.TaskOptions{Name: "conn 1"}
		conn := asyncio.SpawnWith(ctx, o, asyncio.Void(func(ctx context.Context) error {
			log(ctx, "hello")
			return nil
		}))
		_, err := conn.Await(ctx)
		return err
	}))
	fmt.Println(err)
	// Output:
	// [Task-1] listening
	// [conn 1] hello
	// <nil>
}

// AnyTask is for code that handles tasks of every type.
func ExampleAnyTask() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		number := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 7, nil })
		word := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) {
			return "", asyncio.Sleep(ctx, time.Hour)
		})
		_ = asyncio.Yield(ctx)
		for _, task := range []asyncio.AnyTask{number, word} {
			fmt.Println(task.Name(), task.State())
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// Task-1-1 succeeded
	// Task-1-2 waiting
	// <nil>
}
