package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Cancelling a context ends what waits under it, and nothing else.
func ExampleWithCancel() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		search, stop := asyncio.WithCancel(ctx)
		var tasks []*asyncio.Task[struct{}]
		for range 3 {
			tasks = append(tasks, asyncio.Go(search, func(ctx context.Context) error {
				return asyncio.Sleep(ctx, time.Hour)
			}))
		}
		_ = asyncio.Yield(ctx) // they begin
		stop()
		for _, task := range tasks {
			_, err := task.Await(ctx)
			fmt.Println(err)
		}
		return ctx.Err()
	}))
	fmt.Println(err)
	// Output:
	// asyncio: cancelled
	// asyncio: cancelled
	// asyncio: cancelled
	// <nil>
}

func ExampleWithCancelCause() {
	errFound := errors.New("another task has found it")
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		search, stop := asyncio.WithCancelCause(ctx)
		loop.CallSoon(func() { stop(errFound) })
		err = asyncio.Sleep(search, time.Hour)
		fmt.Println(errors.Is(err, errFound), context.Cause(search) == errFound)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// true true
	// <nil>
}

// One deadline for several steps.
func ExampleWithTimeout() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		ctx, cancel := asyncio.WithTimeout(ctx, time.Minute)
		defer cancel()
		for step := 1; ; step++ {
			if err := asyncio.Sleep(ctx, 25*time.Second); err != nil {
				return fmt.Errorf("step %d: %w", step, err)
			}
		}
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, asyncio.ErrTimeout), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// step 3: asyncio: cancelled by a deadline
	// true true
}

func ExampleWithDeadline() {
	clock := &asyncio.ManualClock{}
	closing := clock.Now().Add(18 * time.Hour)
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		ctx, cancel := asyncio.WithDeadline(ctx, closing)
		defer cancel()
		return asyncio.Sleep(ctx, 24*time.Hour)
	})
	fmt.Println(clock.Now().Format(time.TimeOnly), errors.Is(err, asyncio.ErrTimeout))
	// Output: 18:00:00 true
}

func ExampleTimeout() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Timeout(ctx, 5*time.Second, func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Hour)
		})
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, asyncio.ErrTimeout))
	// Output:
	// asyncio: timed out after 5s
	// true
}

// Of nested timeouts, the one whose deadline struck reports it. To the others
// it is an error like any other.
func ExampleTimeout_nested() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				return asyncio.Sleep(ctx, time.Hour)
			})
			fmt.Println("the cache:", err)
			return asyncio.Sleep(ctx, time.Second) // the minute is not over
		})
	})
	fmt.Println(err)
	// Output:
	// the cache: asyncio: timed out after 1s
	// <nil>
}

func ExampleWaitFor() {
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	fetch := func(ctx context.Context) (string, error) {
		return "fresh", asyncio.Sleep(ctx, 10*time.Second)
	}
	page, err := asyncio.RunWith(context.Background(), r, func(ctx context.Context) (string, error) {
		page, err := asyncio.WaitFor(ctx, time.Second, fetch)
		if errors.Is(err, asyncio.ErrTimeout) {
			return "from the cache", nil
		}
		return page, err
	})
	fmt.Println(page, err)
	// Output: from the cache <nil>
}

// Work that was begun is finished although the task is cancelled meanwhile.
func ExampleShield() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		transfer := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) {
			return asyncio.Shield(ctx, func(ctx context.Context) (string, error) {
				fmt.Println("debit Ada")
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return "", err
				}
				fmt.Println("credit Bob")
				return "receipt 7", nil
			})
		})
		_ = asyncio.Yield(ctx) // it begins
		transfer.Cancel(nil)
		fmt.Println(transfer.Await(ctx)) // the value and the cancellation
		return nil
	}))
	fmt.Println(err)
	// Output:
	// debit Ada
	// credit Bob
	// receipt 7 asyncio: cancelled
	// <nil>
}

// Cleanup that awaits must be shielded: ctx is cancelled by then.
func ExampleShield_cleanup() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				_, _ = asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error {
					err := asyncio.Sleep(ctx, time.Millisecond)
					fmt.Println("logged out:", err)
					return err
				}))
			}()
			return asyncio.Sleep(ctx, time.Hour)
		})
		return asyncio.Yield(ctx) // it begins; then Run cancels it
	}))
	fmt.Println(err)
	// Output:
	// logged out: <nil>
	// <nil>
}

// A cancellation tells who was its cause, from inside and from outside.
func ExampleCancelledError() {
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err := asyncio.Run(ctx, asyncio.Void(func(ctx context.Context) error {
		cancel(errors.New("the disk is full"))
		return asyncio.Sleep(ctx, time.Hour)
	}))
	if ce, ok := errors.AsType[*asyncio.CancelledError](err); ok {
		fmt.Println(ce)
		fmt.Println(errors.Unwrap(ce))
		fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, asyncio.ErrTimeout))
	}
	// Output:
	// asyncio: cancelled: the disk is full
	// the disk is full
	// true false
}

// On a loop on which every task waits for another one, the tasks are cancelled.
func ExampleCancelledError_deadlock() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{
		ExceptionHandler: func(_ *asyncio.Loop, ec asyncio.ExceptionContext) { fmt.Println("reported:", ec.Err) },
	}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		_, err := asyncio.NewFuture[int](ctx).Await(ctx) // nobody has it to set it
		return err
	})
	fmt.Println(errors.Is(err, asyncio.ErrDeadlock))
	// Output:
	// reported: deadlock: every task waits and nothing can wake them
	// true
}
