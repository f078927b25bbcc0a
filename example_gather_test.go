package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The prices are asked for at the same time and come in the order of the shops.
func ExampleGather() {
	price := func(euros int, after time.Duration) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) { return euros, asyncio.Sleep(ctx, after) }
	}
	clock := &asyncio.ManualClock{}
	began := clock.Now()
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	prices, err := asyncio.RunWith(context.Background(), r, func(ctx context.Context) ([]int, error) {
		return asyncio.Gather(ctx,
			price(19, 3*time.Second),
			price(24, 1*time.Second),
			price(17, 2*time.Second))
	})
	fmt.Println(prices, err, clock.Now().Sub(began))
	// Output: [19 24 17] <nil> 3s
}

// The first failure cancels the others.
func ExampleGather_failure() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) ([]string, error) {
		return asyncio.Gather(ctx,
			func(ctx context.Context) (string, error) {
				err := asyncio.Sleep(ctx, time.Hour)
				fmt.Println(err)
				return "", err
			},
			func(ctx context.Context) (string, error) { return "", errors.New("the shop is closed") })
	})
	fmt.Println(err)
	// Output:
	// asyncio: cancelled: Task-1-2 failed: the shop is closed
	// the shop is closed
}

// Where each result counts for itself, a failure does not cancel the others.
func ExampleSettle() {
	ping := func(host string) func(context.Context) (time.Duration, error) {
		return func(ctx context.Context) (time.Duration, error) {
			if host == "db" {
				return 0, errors.New("no route to host")
			}
			return 20 * time.Millisecond, asyncio.Yield(ctx)
		}
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		hosts := []string{"web", "db", "mail"}
		for i, r := range asyncio.Settle(ctx, ping(hosts[0]), ping(hosts[1]), ping(hosts[2])) {
			fmt.Println(hosts[i], r.Value, r.Err)
		}
		return ctx.Err()
	}))
	fmt.Println(err)
	// Output:
	// web 20ms <nil>
	// db 0s no route to host
	// mail 20ms <nil>
	// <nil>
}

// The fastest mirror that has the file wins; the slower ones are cancelled.
func ExampleFirst() {
	fetch := func(mirror string, after time.Duration, has bool) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			if err := asyncio.Sleep(ctx, after); err != nil {
				fmt.Println(mirror, "is given up")
				return "", err
			}
			if !has {
				return "", errors.New(mirror + ": not found")
			}
			return "the file of " + mirror, nil
		}
	}
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	file, err := asyncio.RunWith(context.Background(), r, func(ctx context.Context) (string, error) {
		return asyncio.First(ctx,
			fetch("Lisbon", 1*time.Second, false),
			fetch("Oslo", 2*time.Second, true),
			fetch("Prague", 3*time.Second, true))
	})
	fmt.Println(file, err)
	// Output:
	// Prague is given up
	// the file of Oslo <nil>
}
