package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

var albums asyncio.Lock

func importAlbum(ctx context.Context) error {
	return albums.Do(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Minute) })
}

func importAll(ctx context.Context) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(importAlbum)
		g.Go(importAlbum)
		return nil
	})
}

// The tasks of a loop, each below the one whose cancellation would reach it,
// with what they wait for and who holds that.
func ExampleTaskTree() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		job := asyncio.Go(ctx, importAll)
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		fmt.Println(loop.Tasks())
		_, err = job.Await(ctx)
		return err
	})
	fmt.Println(err)
	// Output:
	// Task-1 (asyncio_test.ExampleTaskTree.func1) is running
	// └── Task-1-1 (asyncio_test.importAll) waits for <TaskGroup tasks=2>, held by Task-1-1-1, Task-1-1-2
	//     ├── Task-1-1-1 (asyncio_test.importAlbum) waits for Sleep
	//     └── Task-1-1-2 (asyncio_test.importAlbum) waits for <Lock-1 locked by Task-1-1-1 waiters=1>, held by Task-1-1-1
	// <nil>
}
