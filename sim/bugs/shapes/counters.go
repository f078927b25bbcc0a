package shapes

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func counters() []bugs.Bug {
	return []bugs.Bug{
		pair("account", "a balance is read under the lock, and written under it another time", account),
		classic("airline", "more seats are sold than there are: each agent counts before it sells", airline),
	}
}

func account(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var l asyncio.Lock
		balance := 100
		book := func(amount, turns int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if err := yields(ctx, turns); err != nil {
					return err
				}
				if err := l.Acquire(ctx); err != nil {
					return err
				}
				before := balance
				if !fixed {
					l.Release()
				}
				err := asyncio.Yield(ctx)
				if !fixed {
					if failed := l.Acquire(ctx); failed != nil {
						return failed
					}
				}
				balance = before + amount
				l.Release()
				return err
			}
		}
		err := together(ctx, task{"deposit", book(50, 0)}, task{"withdraw", book(-30, 2)})
		if err == nil && balance != 120 {
			err = fmt.Errorf("the balance is %d instead of 120", balance)
		}
		return err
	}
}

func airline(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		const seats = 2
		sold := 0
		var tasks []task
		for i := range 3 {
			tasks = append(tasks, task{fmt.Sprint("agent ", i), func(ctx context.Context) error {
				if err := yields(ctx, 2*i); err != nil {
					return err
				}
				if sold == seats {
					return nil
				}
				if fixed {
					sold++
					return asyncio.Yield(ctx)
				}
				err := asyncio.Yield(ctx)
				sold++
				return err
			}})
		}
		err := together(ctx, tasks...)
		if err == nil && sold > seats {
			err = fmt.Errorf("%d of %d seats are sold", sold, seats)
		}
		return err
	}
}
