package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A bounded queue slows the faster side down to the slower one.
func ExampleNewQueue() {
	clock := &asyncio.ManualClock{}
	began := clock.Now()
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		frames := asyncio.NewQueue[int](1)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				for n := range 3 {
					if err := frames.Put(ctx, n); err != nil {
						return err
					}
					fmt.Println(clock.Now().Sub(began), "put", n)
				}
				return nil
			})
			for range 3 {
				if err := asyncio.Sleep(ctx, time.Second); err != nil { // draws the last one
					return err
				}
				n, err := frames.Get(ctx)
				if err != nil {
					return err
				}
				fmt.Println(clock.Now().Sub(began), "got", n)
			}
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// 0s put 0
	// 1s got 0
	// 1s put 1
	// 2s got 1
	// 2s put 2
	// 3s got 2
	// <nil>
}

// The page that was found last is looked at first: a search in depth.
func ExampleNewLifoQueue() {
	links := map[string][]string{"/": {"/a", "/b"}, "/b": {"/b/1", "/b/2"}}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		found := asyncio.NewLifoQueue[string](0)
		if err := found.Put(ctx, "/"); err != nil {
			return err
		}
		for found.Len() > 0 {
			page, err := found.Get(ctx)
			if err != nil {
				return err
			}
			fmt.Println(page)
			for _, link := range links[page] {
				if err := found.Put(ctx, link); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// /
	// /b
	// /b/2
	// /b/1
	// /a
	// <nil>
}

// The most urgent job comes first, and of equal ones that which was put first.
func ExampleNewPriorityQueue() {
	type job struct {
		urgency int
		text    string
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		jobs := asyncio.NewPriorityQueue(0, func(a, b job) bool { return a.urgency > b.urgency })
		for _, j := range []job{{1, "sweep"}, {9, "put the fire out"}, {1, "dust"}} {
			if err := jobs.Put(ctx, j); err != nil {
				return err
			}
		}
		jobs.Shutdown(false) // what is in it can still be taken
		for j, err := range jobs.All(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(j.text)
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// put the fire out
	// sweep
	// dust
	// <nil>
}

// Workers take values until the queue is shut down and empty.
func ExampleQueue_All() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		orders := asyncio.NewQueue[string](0)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, cook := range []string{"Ada", "Bob"} {
				g.Go(func(ctx context.Context) error {
					for order, err := range orders.All(ctx) {
						if err != nil {
							return err // cancelled
						}
						fmt.Println(cook, "makes", order)
						if err := asyncio.Sleep(ctx, time.Minute); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for _, order := range []string{"soup", "salad", "pie"} {
				if err := orders.Put(ctx, order); err != nil {
					return err
				}
			}
			orders.Shutdown(false) // no more orders
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// Ada makes soup
	// Bob makes salad
	// Ada makes pie
	// <nil>
}

// Join waits until all that was put is worked off, not merely taken.
func ExampleQueue_Join() {
	clock := &asyncio.ManualClock{}
	began := clock.Now()
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		letters := asyncio.NewQueue[string](0)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				for range letters.All(ctx) {
					if err := asyncio.Sleep(ctx, time.Second); err != nil { // sends it
						return err
					}
					letters.TaskDone()
				}
				return nil
			})
			for _, letter := range []string{"a", "b", "c"} {
				if err := letters.Put(ctx, letter); err != nil {
					return err
				}
			}
			if err := letters.Join(ctx); err != nil {
				return err
			}
			fmt.Println("all are sent after", clock.Now().Sub(began))
			g.Cancel()
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// all are sent after 3s
	// <nil>
}

// After Shutdown nothing can be put any more; what is there can be taken.
func ExampleQueue_Shutdown() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		q := asyncio.NewQueue[string](0)
		if err := q.Put(ctx, "the last one"); err != nil {
			return err
		}
		q.Shutdown(false)
		err := q.Put(ctx, "too late")
		fmt.Println(errors.Is(err, asyncio.ErrQueueShutDown))
		fmt.Println(q.Get(ctx))
		_, err = q.Get(ctx)
		fmt.Println(errors.Is(err, asyncio.ErrQueueShutDown))
		return nil
	}))
	fmt.Println(err)
	// Output:
	// true
	// the last one <nil>
	// true
	// <nil>
}

// Where waiting makes no sense, what finds no room is dropped.
func ExampleQueue_TryPut() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		samples := asyncio.NewQueue[int](2)
		for n := range 4 {
			if err := samples.TryPut(n); errors.Is(err, asyncio.ErrQueueFull) {
				fmt.Println("dropped", n)
			}
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// dropped 2
	// dropped 3
	// <nil>
}
