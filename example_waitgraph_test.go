package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Two tasks take two locks in opposite order. The one that would close the
// circle gets an error that says who waits for what; the other goes on.
func ExampleDeadlockError() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		var disk, network asyncio.Lock
		both := func(first, second *asyncio.Lock) func(ctx context.Context) (string, error) {
			return func(ctx context.Context) (string, error) {
				return "done", first.Do(ctx, func(ctx context.Context) error {
					if err := asyncio.Sleep(ctx, time.Second); err != nil {
						return err
					}
					return second.Do(ctx, asyncio.Yield)
				})
			}
		}
		backup := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "backup"}, both(&disk, &network))
		restore := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "restore"}, both(&network, &disk))

		_, err := restore.Await(ctx)
		fmt.Println(errors.Is(err, asyncio.ErrDeadlock))
		if deadlock, ok := errors.AsType[*asyncio.DeadlockError](err); ok {
			for _, w := range deadlock.Circle {
				fmt.Println(w.Task.Name(), "waits for", w.WaitingFor)
			}
		}
		fmt.Println(backup.Await(ctx))
		return nil
	})
	fmt.Println(err)
	// Output:
	// true
	// restore waits for <Lock-2 locked by backup>
	// backup waits for <Lock-1 locked by restore waiters=1>
	// done <nil>
	// <nil>
}

// A call graph says where a task stands, and who waits for it.
func ExampleTask_CallGraph() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		query := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "query"},
			func(ctx context.Context) (int, error) { return 12, asyncio.Sleep(ctx, time.Minute) })
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "page"}, query.Await)
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}

		graph := query.CallGraph() // fmt.Println(graph) prints all of it, with the lines
		fmt.Println(graph.Task.Name(), "waits for", graph.WaitingFor)
		fmt.Println("in", filepath.Base(graph.Stack[0].File))
		for _, up := range graph.AwaitedBy {
			fmt.Println("awaited by", up.Task.Name())
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// query waits for Sleep
	// in example_waitgraph_test.go
	// awaited by page
	// <nil>
}
