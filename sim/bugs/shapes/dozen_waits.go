package shapes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

func eventCleared(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var work asyncio.Event
		items := 0
		worker := func(ctx context.Context) error {
			for done := 0; done < 2; {
				if err := work.Wait(ctx); err != nil {
					return err
				}
				if fixed {
					work.Clear()
				}
				done += items
				items = 0
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
				if !fixed {
					work.Clear()
				}
			}
			return nil
		}
		producer := func(ctx context.Context) error {
			for range 2 {
				items++
				work.Set()
				if err := yields(ctx, 6); err != nil {
					return err
				}
			}
			return nil
		}
		return together(ctx, task{"worker", worker}, task{"producer", producer})
	}
}

func cancelAndCompletion(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		permits := asyncio.NewSemaphore(1)
		victim := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "victim"}, asyncio.Void(func(ctx context.Context) error {
			if err := permits.Acquire(ctx); err != nil {
				return err
			}
			if !fixed {
				if err := asyncio.Yield(ctx); err != nil { // nothing has happened yet, it thinks
					return err
				}
			}
			defer permits.Release()
			return asyncio.Yield(ctx)
		}))
		holder := func(ctx context.Context) error {
			return permits.Do(ctx, asyncio.Yield)
		}
		canceller := func(ctx context.Context) error {
			if err := yields(ctx, 1); err != nil {
				return err
			}
			victim.Cancel(nil)
			return nil
		}
		if err := together(ctx, task{"holder", holder}, task{"canceller", canceller}); err != nil {
			return err
		}
		if _, err := victim.Await(ctx); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if permits.Free() != 1 {
			return errors.New("the permit is lost")
		}
		return nil
	}
}

func poolHandOver(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var waiting []*asyncio.Future[struct{}]
		idle := 1
		give := func() {
			if len(waiting) == 0 {
				idle++
				return
			}
			waiting[0].SetResult(struct{}{})
			waiting = waiting[1:]
		}
		use := func(ctx context.Context) error {
			if idle == 0 {
				f := asyncio.NewFuture[struct{}](ctx)
				waiting = append(waiting, f)
				if _, err := f.Await(ctx); err != nil {
					if !f.Done() && fixed {
						f.Cancel(nil)
						waiting = nil
					} else if fixed {
						give()
					}
					return err
				}
			} else {
				idle--
			}
			defer give()
			return asyncio.Yield(ctx)
		}
		victim := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "victim"}, asyncio.Void(use))
		canceller := func(context.Context) error {
			victim.Cancel(nil)
			return nil
		}
		if err := together(ctx, task{"other", use}, task{"canceller", canceller}); err != nil {
			return err
		}
		if _, err := victim.Await(ctx); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if idle != 1 {
			return errors.New("the connection is lost")
		}
		return nil
	}
}

func missedNotify(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var c asyncio.Cond
		done := false
		wait := func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return c.Do(ctx, func(ctx context.Context) error {
				if fixed && done {
					return nil
				}
				return c.Wait(ctx)
			})
		}
		notify := func(ctx context.Context) error {
			if err := yields(ctx, 9); err != nil {
				return err
			}
			return c.Do(ctx, func(context.Context) error {
				done = true
				c.NotifyAll()
				return nil
			})
		}
		return together(ctx, task{"waiter", wait}, task{"notifier", notify})
	}
}

func timeoutAndAnswer(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		answers := asyncio.NewQueue[int](0)
		client := func(ctx context.Context) error {
			for i := range 2 {
				answer, err := asyncio.WaitFor(ctx, time.Second, answers.Get)
				for fixed && err == nil && answer < i {
					answer, err = asyncio.WaitFor(ctx, time.Second, answers.Get)
				}
				if errors.Is(err, asyncio.ErrTimeout) {
					continue
				}
				if err != nil {
					return err
				}
				if answer != i {
					return fmt.Errorf("the answer to %d is taken for that to %d", answer, i)
				}
			}
			return nil
		}
		server := func(ctx context.Context) error {
			for i := range 2 {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				if err := answers.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		}
		return together(ctx, task{"server", server}, task{"client", client})
	}
}
