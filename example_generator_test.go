package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A generator may await between its values.
func ExampleGenerate() {
	pages := func(ctx context.Context, yield func(string) bool) error {
		for n := 1; n <= 3; n++ {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil { // fetches one
				return err
			}
			if !yield(fmt.Sprint("page ", n)) {
				return nil // nobody wants more
			}
		}
		return nil
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		for page, err := range asyncio.Generate(ctx, pages).All(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(page)
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// page 1
	// page 2
	// page 3
	// <nil>
}

// After the last value, Next returns the error of the generator's function.
func ExampleGenerator_Next() {
	readings := func(ctx context.Context, yield func(int) bool) error {
		for _, celsius := range []int{19, 21} {
			if !yield(celsius) {
				return nil
			}
		}
		return errors.New("the sensor is gone")
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		g := asyncio.Generate(ctx, readings)
		for {
			celsius, ok, err := g.Next(ctx)
			if err != nil || !ok {
				return err
			}
			fmt.Println(celsius)
		}
	}))
	fmt.Println(err)
	// Output:
	// 19
	// 21
	// the sensor is gone
}

// Next may be given up: no value is lost, the next call returns it.
func ExampleGenerator_Next_timeout() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	mail := func(ctx context.Context, yield func(string) bool) error {
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		yield("a letter")
		return nil
	}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		g := asyncio.Generate(ctx, mail)
		defer g.Close(ctx)
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, _, err := g.Next(ctx)
			return err
		})
		fmt.Println(err)
		fmt.Println(g.Next(ctx))
		return nil
	})
	fmt.Println(err)
	// Output:
	// asyncio: timed out after 1s
	// a letter true <nil>
	// <nil>
}

// Breaking out of the loop closes the generator.
func ExampleGenerator_All() {
	count := func(ctx context.Context, yield func(int) bool) error {
		defer fmt.Println("closed")
		for n := 0; yield(n); n++ {
		}
		return nil
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		for n, err := range asyncio.Generate(ctx, count).All(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(n)
			if n == 2 {
				break
			}
		}
		fmt.Println("goes on")
		return nil
	}))
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 2
	// closed
	// goes on
	// <nil>
}

// Close lets the generator clean up, for which it may await.
func ExampleGenerator_Close() {
	rows := func(ctx context.Context, yield func(string) bool) error {
		fmt.Println("connected")
		defer func() {
			err := asyncio.Sleep(ctx, time.Millisecond) // says good-bye
			fmt.Println("disconnected:", err)
		}()
		for n := 1; yield(fmt.Sprint("row ", n)); n++ {
		}
		return nil
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		g := asyncio.Generate(ctx, rows)
		row, _, err := g.Next(ctx)
		if err != nil {
			return err
		}
		fmt.Println(row)
		return g.Close(ctx)
	}))
	fmt.Println(err)
	// Output:
	// connected
	// row 1
	// disconnected: <nil>
	// <nil>
}
