// Parked is a program to look at in a debugger: two tasks wait, and main stops.
package main

import (
	"context"
	"runtime"

	"github.com/asyncio-go/asyncio"
)

func main() {
	r := &asyncio.Runner{Debug: asyncio.DebugOn}
	_ = r.Run(context.Background(), func(ctx context.Context) error {
		orders := asyncio.NewQueue[int](0)
		for _, name := range []string{"cook", "waiter"} {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name}, func(ctx context.Context) (int, error) {
				return serve(ctx, orders)
			})
		}
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		runtime.Breakpoint()
		return nil
	})
}

func serve(ctx context.Context, orders *asyncio.Queue[int]) (int, error) {
	number, err := orders.Get(ctx)
	return number + 1, err
}
