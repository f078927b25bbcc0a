package asyncio_test

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
)

// pool is an Executor: two goroutines that run the functions of all loops that
// it is given to.
type pool chan func()

func newPool() pool {
	p := make(pool, 64) // LoopOptions.MaxBlocking: so Execute never blocks
	for range 2 {
		go func() {
			for f := range p {
				f()
			}
		}()
	}
	return p
}

// Execute implements asyncio.Executor.
func (p pool) Execute(f func()) { p <- f }

func ExampleExecutor() {
	p := newPool()
	defer close(p)
	r := asyncio.Runner{Options: asyncio.LoopOptions{Executor: p}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		var squares []*asyncio.Task[int]
		for n := range 4 {
			squares = append(squares, asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				return asyncio.Blocking(ctx, func(context.Context) (int, error) { return n * n, nil })
			}))
		}
		for _, task := range squares {
			square, err := task.Await(ctx)
			if err != nil {
				return err
			}
			fmt.Println(square)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 4
	// 9
	// <nil>
}
