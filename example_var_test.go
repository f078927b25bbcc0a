package asyncio_test

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
)

// A variable's value reaches whatever the task calls and starts.
func ExampleVar() {
	var requestID asyncio.Var[int] // as a rule a variable of the package

	log := func(ctx context.Context, text string) {
		id, ok := requestID.Value(ctx)
		if !ok {
			fmt.Println("[-]", text)
			return
		}
		fmt.Printf("[%d] %s\n", id, text)
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		log(ctx, "listening")
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for id := 7; id < 9; id++ {
				g.Go(func(ctx context.Context) error {
					ctx = requestID.With(ctx, id)
					_, err := asyncio.Go(ctx, func(ctx context.Context) error {
						log(ctx, "queries the database")
						return nil
					}).Await(ctx)
					return err
				})
			}
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// [-] listening
	// [7] queries the database
	// [8] queries the database
	// <nil>
}

// An await that somebody puts into the stretch later panics there, instead of
// letting other tasks see half a transfer.
func ExampleNoAwait() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		ada, bob := 100, 0
		asyncio.NoAwait(ctx, func() {
			ada -= 30 // the money is nowhere now
			bob += 30
		})
		fmt.Println(ada, bob)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// 70 30
	// <nil>
}
