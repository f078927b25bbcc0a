package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// An exampleT stands for the *testing.T of a test.
type exampleT struct {
	testing.TB
	name   string
	failed bool
}

func (t *exampleT) Name() string { return t.name }
func (t *exampleT) Helper()      {}
func (t *exampleT) Log(...any)   {}

// Error tells what is the same each time.
func (t *exampleT) Error(args ...any) {
	t.failed = true
	if f, ok := args[0].(*sim.Failure); ok {
		fmt.Println(f.Kind, "under seed", f.Seed, "-", f.Err)
		if f.Cancelled != "" {
			fmt.Println(f.Cancelled)
		}
	}
}

// A test of timeouts and retries takes no time.
func ExampleRun() {
	t := &exampleT{name: "TestRetry"}
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		for range 4 {
			if err := asyncio.Sleep(ctx, 15*time.Minute); err != nil {
				return err
			}
		}
		fmt.Println(w.Now())
		return nil
	})
	// Output: 1h0m0s
}

// The till is locked while its money is counted.
func ExampleTest() {
	t := &exampleT{name: "TestTill"}
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		var lock asyncio.Lock
		money := &till{}
		add := asyncio.Void(func(ctx context.Context) error {
			return lock.Do(ctx, func(ctx context.Context) error { return money.add(ctx, 1) })
		})
		if _, err := asyncio.Gather(ctx, add, add, add); err != nil {
			return err
		}
		if money.money != 3 {
			return fmt.Errorf("there is %d in the till", money.money)
		}
		return nil
	}, sim.Options{})
	fmt.Println("failed:", t.failed)
	// Output: failed: false
}

// A permit is taken, and not given back by whoever is cancelled.
func ExampleCancelEverywhere() {
	t := &exampleT{name: "TestPermits"}
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		permits := asyncio.NewSemaphore(1)
		_ = w.Victim(ctx, func(ctx context.Context) error {
			if err := permits.Acquire(ctx); err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err // and the permit?
			}
			permits.Release()
			return nil
		})
		if !permits.TryAcquire(ctx) {
			return errors.New("the permit is lost")
		}
		return nil
	}, sim.Options{})
	// Output:
	// error under seed 0 - the permit is lost
	// cancelled at moment 1, when `Task-1` began to wait for Sleep
}

// A fuzz test is a function of its own: FuzzTill(f *testing.F).
func ExampleFuzz() {
	FuzzTill := func(f *testing.F) {
		sim.Fuzz(f, shifts, sim.Options{})
	}
	_ = FuzzTill // go test -fuzz FuzzTill
	// Output:
}

// A false assertion ends the run at once.
func ExampleAlways() {
	t := &exampleT{name: "TestAccount"}
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		balance := 10
		take := asyncio.Void(func(ctx context.Context) error {
			if balance < 10 {
				return nil
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			balance -= 10
			sim.Always(ctx, balance >= 0, "the balance is positive")
			return nil
		})
		_, err := asyncio.Gather(ctx, take, take)
		return err
	})
	// Output: assertion under seed 0 - always "the balance is positive": it does not hold
}

// What should never come to pass.
func ExampleUnreachable() {
	t := &exampleT{name: "TestBranch"}
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		if err := asyncio.Sleep(ctx, time.Second); w.Now() > 0 {
			sim.Unreachable(ctx, "time passes")
			return err
		}
		return nil
	})
	// Output: assertion under seed 0 - unreachable "time passes": it was reached
}

// fable tells a campaign who comes first.
func fable(ctx context.Context, w *sim.World) error {
	first := ""
	runner := func(name string) func(context.Context) (struct{}, error) {
		return asyncio.Void(func(context.Context) error {
			if first == "" {
				first = name
			}
			return nil
		})
	}
	_, err := asyncio.Gather(ctx, runner("hare"), runner("tortoise"))
	sim.Sometimes(ctx, first == "tortoise", "the tortoise wins")
	sim.Sometimes(ctx, first == "hedgehog", "the hedgehog wins")
	if first == "hare" {
		sim.Reachable(ctx, "the hare wins")
	}
	return err
}

// A campaign that has not seen what it should have fails.
func ExampleSometimes() {
	fmt.Println(sim.Explore(fable, sim.Options{Seeds: 100}).Failure.Err)
	// Output: sometimes "the hedgehog wins": it was never true
}

// Unlike those of Sometimes, names of Reachable are unknown until they are reached, so
// they are listed.
func ExampleReachable() {
	o := sim.Options{Seeds: 100, Reach: []string{"the hare wins", "it is a draw"}}
	fmt.Println(sim.Explore(fable, o).Failure.Err)
	// Output: "it is a draw" was never reached; sometimes "the hedgehog wins": it was never true
}

// A cache may lose what it has at any time; in simulation it does so now and then.
func ExampleBuggify() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		cache := map[string]int{"price": 10}
		if sim.Buggify(ctx) {
			clear(cache)
		}
		if _, ok := cache["price"]; !ok {
			return errors.New("no price")
		}
		return nil
	}, sim.Options{})
	fmt.Println(r.Failure.Err)
	// Output: no price
}
