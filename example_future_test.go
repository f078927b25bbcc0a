package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A future turns an interface of callbacks into one that can be awaited.
func ExampleNewFuture() {
	// ask is such an interface: it calls answer later.
	ask := func(loop *asyncio.Loop, question string, answer func(string)) {
		loop.CallLater(time.Millisecond, func() { answer(question + " 42") })
	}
	answer, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return "", err
		}
		f := asyncio.NewFuture[string](ctx)
		ask(loop, "six times seven?", f.SetResult)
		return f.Await(ctx)
	})
	fmt.Println(answer, err)
	// Output: six times seven? 42 <nil>
}

// Any number of tasks may await a future. They wake in order of arrival.
func ExampleFuture_Await() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		config := asyncio.NewFuture[string](ctx)
		for _, name := range []string{"web", "mail"} {
			asyncio.Go(ctx, func(ctx context.Context) error {
				text, err := config.Await(ctx)
				fmt.Println(name, "starts with", text)
				return err
			})
		}
		_ = asyncio.Yield(ctx) // both wait
		config.SetResult("port=80")
		return asyncio.Yield(ctx) // both run
	}))
	fmt.Println(err)
	// Output:
	// web starts with port=80
	// mail starts with port=80
	// <nil>
}

// From another goroutine, a future is set by way of its loop.
func ExampleFuture_SetResult() {
	sum, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return 0, err
		}
		f := asyncio.NewFuture[int](ctx)
		go func() {
			sum := 1 + 2 + 3
			loop.CallSoon(func() { f.SetResult(sum) })
		}()
		return f.Await(ctx)
	})
	fmt.Println(sum, err)
	// Output: 6 <nil>
}

func ExampleFuture_SetError() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return 0, err
		}
		reply := asyncio.NewFuture[int](ctx)
		loop.CallSoon(func() { reply.SetError(errors.New("connection lost")) })
		return reply.Await(ctx)
	})
	fmt.Println(err)
	// Output: connection lost
}

// Cancelling a future ends the wait of all who await it.
func ExampleFuture_Cancel() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return 0, err
		}
		reply := asyncio.NewFuture[int](ctx)
		loop.CallSoon(func() { reply.Cancel(errors.New("the request was withdrawn")) })
		return reply.Await(ctx)
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// asyncio: cancelled: the request was withdrawn
	// true
}

func ExampleFuture_Result() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		f := asyncio.NewFuture[string](ctx)
		_, err := f.Result()
		fmt.Println("too early:", errors.Is(err, asyncio.ErrInvalidState))
		f.SetResult("ready")
		fmt.Println(f.Result())
		return nil
	}))
	fmt.Println(err)
	// Output:
	// too early: true
	// ready <nil>
	// <nil>
}

// A result is set once: of several that race, all but one look first.
func ExampleFuture_Done() {
	winner, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		first := asyncio.NewFuture[string](ctx)
		for _, mirror := range []string{"Oslo", "Tokyo"} {
			asyncio.Go(ctx, func(ctx context.Context) error {
				if !first.Done() {
					first.SetResult(mirror)
				}
				return nil
			})
		}
		return first.Await(ctx)
	})
	fmt.Println(winner, err)
	// Output: Oslo <nil>
}

func ExampleFuture_AddDoneCallback() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		order := asyncio.NewFuture[int](ctx)
		order.AddDoneCallback(func(f *asyncio.Future[int]) {
			number, err := f.Result()
			fmt.Println("in the kitchen:", number, err)
		})
		receipt := order.AddDoneCallback(func(*asyncio.Future[int]) { fmt.Println("not printed") })
		receipt.Cancel()
		order.SetResult(12)
		return asyncio.Yield(ctx) // callbacks run in the loop's next turn
	}))
	fmt.Println(err)
	// Output:
	// in the kitchen: 12 <nil>
	// <nil>
}
