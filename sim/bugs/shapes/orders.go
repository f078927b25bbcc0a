package shapes

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func orders() (all []bugs.Bug) {
	for _, n := range []int{3, 4, 5, 10, 20} {
		all = append(all, sized("reorder", "one task sees the first of two writes and not the second", n, reorder))
	}
	return all
}

func reorder(n int, fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		a, b := 0, 0
		tasks := []task{{"checker", func(context.Context) error {
			if (a != 0 || b != 0) && (a != 1 || b != -1) {
				return fmt.Errorf("a is %d and b is %d", a, b)
			}
			return nil
		}}}
		for i := 1; i < n; i++ {
			tasks = append(tasks, task{fmt.Sprint("setter ", i), func(ctx context.Context) error {
				if fixed {
					a, b = 1, -1
					return asyncio.Yield(ctx)
				}
				return steps(ctx, func() { a = 1 }, func() { b = -1 })
			}})
		}
		return together(ctx, tasks...)
	}
}

func stages() (all []bugs.Bug) {
	for _, n := range []int{2, 5, 10, 20} {
		all = append(all, sized("twostage", "two values are written under two locks, one after the other, and read in between", n, twostage))
	}
	return all
}

func twostage(n int, fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var one, two asyncio.Lock
		first, second := 0, 0
		reader := func(ctx context.Context) error {
			if err := one.Acquire(ctx); err != nil {
				return err
			}
			seen := first
			one.Release()
			if seen == 0 {
				return nil
			}
			return two.Do(ctx, func(context.Context) error {
				if second != seen+1 {
					return fmt.Errorf("the first stage is at %d, the second at %d", seen, second)
				}
				return nil
			})
		}
		writer := func(ctx context.Context) error {
			if err := one.Acquire(ctx); err != nil {
				return err
			}
			first = 1
			if fixed {
				second = first + 1
			}
			one.Release()
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return two.Do(ctx, func(context.Context) error {
				second = first + 1
				return nil
			})
		}
		tasks := []task{{"reader", reader}}
		for i := 1; i < n; i++ {
			tasks = append(tasks, task{fmt.Sprint("writer ", i), writer})
		}
		return together(ctx, tasks...)
	}
}
