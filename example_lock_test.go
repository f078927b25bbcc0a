package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A lock makes a read, an await and a write one step for those who take it.
func ExampleLock() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		var lock asyncio.Lock // guards stock over the await in sell
		stock := 3
		sell := func(ctx context.Context) error {
			if err := lock.Acquire(ctx); err != nil {
				return err
			}
			defer lock.Release()
			seen := stock
			if err := asyncio.Sleep(ctx, time.Second); err != nil { // the customer pays
				return err
			}
			stock = seen - 1
			return nil
		}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(sell)
			g.Go(sell)
			return nil
		})
		fmt.Println("stock:", stock)
		return err
	})
	fmt.Println(err)
	// Output:
	// stock: 1
	// <nil>
}

// Do releases the lock however its function ends.
func ExampleLock_Do() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		var lock asyncio.Lock
		err := lock.Do(ctx, func(ctx context.Context) error {
			fmt.Println("locked:", lock.Locked())
			return asyncio.Yield(ctx)
		})
		fmt.Println("locked:", lock.Locked())
		return err
	}))
	fmt.Println(err)
	// Output:
	// locked: true
	// locked: false
	// <nil>
}

// A task that has something else to do does not wait.
func ExampleLock_TryAcquire() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		var saving asyncio.Lock
		autosave := func(ctx context.Context) error {
			if !saving.TryAcquire(ctx) {
				fmt.Println("is being saved already")
				return nil
			}
			defer saving.Release()
			fmt.Println("saves")
			return asyncio.Yield(ctx)
		}
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(autosave)
			g.Go(autosave)
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// saves
	// is being saved already
	// <nil>
}

// An event says that something has happened, to everybody who waits and to
// everybody who comes later.
func ExampleEvent() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(context.Background(), func(ctx context.Context) error {
		var open asyncio.Event
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, customer := range []string{"Ada", "Bob"} {
				g.Go(func(ctx context.Context) error {
					if err := open.Wait(ctx); err != nil {
						return err
					}
					fmt.Println(customer, "enters")
					return nil
				})
			}
			if err := asyncio.Sleep(ctx, time.Hour); err != nil {
				return err
			}
			fmt.Println("the shop opens")
			open.Set()
			return open.Wait(ctx) // does not wait: it is set
		})
	})
	fmt.Println(err)
	// Output:
	// the shop opens
	// Ada enters
	// Bob enters
	// <nil>
}

// What only a goroutine knows is told to the loop, and there to the event.
func ExampleEvent_Set_fromAGoroutine() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		var pressed asyncio.Event
		go loop.CallSoon(pressed.Set) // a library that calls back on its own goroutine
		if err := pressed.Wait(ctx); err != nil {
			return err
		}
		fmt.Println("the button was pressed")
		return nil
	}))
	fmt.Println(err)
	// Output:
	// the button was pressed
	// <nil>
}

// Tasks wait until what a lock protects is as they need it.
func ExampleCond() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		var kitchen asyncio.Cond // and its lock
		plates := 0
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				return kitchen.Do(ctx, func(ctx context.Context) error {
					for plates < 2 { // somebody else may have been faster
						if err := kitchen.Wait(ctx); err != nil {
							return err
						}
					}
					plates -= 2
					fmt.Println("served")
					return nil
				})
			})
			g.Go(func(ctx context.Context) error {
				for range 2 {
					err := kitchen.Do(ctx, func(ctx context.Context) error {
						plates++
						fmt.Println("plates:", plates)
						kitchen.Notify(1)
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// plates: 1
	// plates: 2
	// served
	// <nil>
}

func ExampleCond_WaitFor() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		var state asyncio.Cond
		progress := 0
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, percent := range []int{50, 100} {
				g.Go(func(ctx context.Context) error {
					return state.Do(ctx, func(ctx context.Context) error {
						err := state.WaitFor(ctx, func() bool { return progress >= percent })
						fmt.Println("at least", percent, "%:", progress)
						return err
					})
				})
			}
			for range 4 {
				err := state.Do(ctx, func(ctx context.Context) error {
					progress += 25
					state.NotifyAll()
					return asyncio.Yield(ctx)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// at least 50 %: 50
	// at least 100 %: 100
	// <nil>
}
