package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// When a task of a group fails the others are cancelled, and Group returns once
// all have ended.
func ExampleGroup() {
	upload := func(mirror string, d time.Duration, result error) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, d); err != nil {
				fmt.Println(mirror, "is given up")
				return err
			}
			fmt.Println(mirror, "has answered")
			return result
		}
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(upload("Lisbon", 1*time.Second, nil))
			g.Go(upload("Oslo", 2*time.Second, errors.New("Oslo: disk full")))
			g.Go(upload("Prague", 3*time.Second, nil))
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// Lisbon has answered
	// Oslo has answered
	// Prague is given up
	// Oslo: disk full
}

// Tasks may start tasks in their own group, which ends after the last of them.
func ExampleTaskGroup_Go() {
	folders := map[string][]string{
		"/":         {"/etc", "/home"},
		"/home":     {"/home/ada", "/home/bob"},
		"/home/ada": {"/home/ada/mail"},
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		found := 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			var list func(folder string)
			list = func(folder string) {
				g.Go(func(ctx context.Context) error {
					if err := asyncio.Sleep(ctx, time.Millisecond); err != nil { // reads the folder
						return err
					}
					found++ // no lock: between two awaits a task is alone
					for _, below := range folders[folder] {
						list(below)
					}
					return nil
				})
			}
			list("/")
			return nil
		})
		fmt.Println(found, "folders")
		return err
	})
	fmt.Println(err)
	// Output:
	// 6 folders
	// <nil>
}

// In a group each task may return a value of a type of its own.
func ExampleSpawnIn() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		var name *asyncio.Task[string]
		var balance *asyncio.Task[int]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			name = asyncio.SpawnIn(g, func(ctx context.Context) (string, error) { return "Ada", asyncio.Yield(ctx) })
			balance = asyncio.SpawnIn(g, func(ctx context.Context) (int, error) { return 120, asyncio.Yield(ctx) })
			return nil
		})
		if err != nil {
			return err
		}
		// All tasks of a group that has ended without an error have succeeded.
		who, _ := name.Result()
		money, _ := balance.Result()
		fmt.Printf("%s has %d\n", who, money)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// Ada has 120
	// <nil>
}

// A task that only serves the others is ended by a cancellation, which is no
// error of the group.
func ExampleTaskGroup_Cancel() {
	heartbeat := func(ctx context.Context) error {
		for {
			fmt.Println("still there")
			if err := asyncio.Sleep(ctx, time.Minute); err != nil {
				return err
			}
		}
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(heartbeat)
			if err := asyncio.Sleep(ctx, 90*time.Second); err != nil { // the work
				return err
			}
			g.Cancel()
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// still there
	// still there
	// <nil>
}

// Six downloads of a minute, two at a time, take three minutes.
func ExampleTaskGroup_SetLimit() {
	clock := &asyncio.ManualClock{}
	began := clock.Now()
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			for range 6 {
				g.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Minute) })
			}
			return nil // Go does not wait: all six were handed over at once
		})
	})
	fmt.Println(clock.Now().Sub(began), err)
	// Output: 3m0s <nil>
}

// A server is started, and used once it says that it listens.
func ExampleStartIn() {
	serve := func(ctx context.Context, listening func(addr string)) error {
		if err := asyncio.Sleep(ctx, time.Second); err != nil { // binds its port
			return err
		}
		listening("127.0.0.1:8080")
		err := asyncio.Sleep(ctx, time.Hour) // serves
		fmt.Println("the server has ended:", err)
		return err
	}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			addr, err := asyncio.StartIn(ctx, g, serve)
			if err != nil {
				return err // the port is taken, say
			}
			fmt.Println("connect to", addr)
			g.Cancel() // enough
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// connect to 127.0.0.1:8080
	// the server has ended: asyncio: cancelled: the group was cancelled
	// <nil>
}

// A group returns a single error as it is, several as a GroupError.
func ExampleGroupError() {
	errBroken := errors.New("the connection is broken")
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				if err := asyncio.Sleep(ctx, time.Hour); err != nil { // cancelled by the other's failure
					return errors.New("the rollback failed")
				}
				return nil
			})
			g.Go(func(ctx context.Context) error { return fmt.Errorf("ping: %w", errBroken) })
			return nil
		})
	}))
	fmt.Println(err)
	if several, ok := errors.AsType[*asyncio.GroupError](err); ok {
		fmt.Println("the first:", several.Errs[0])
	}
	fmt.Println(errors.Is(err, errBroken))
	// Output:
	// asyncio: 2 tasks failed:
	// 	ping: the connection is broken
	// 	the rollback failed
	// the first: ping: the connection is broken
	// true
}
