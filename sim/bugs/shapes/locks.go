package shapes

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func locks() []bugs.Bug {
	return []bugs.Bug{
		sized("wronglock", "one task guards a value with another lock than the rest", 1, wrongLock),
		sized("wronglock", "one task guards a value with another lock than the rest", 3, wrongLock),
		pair("deadlock01", "two tasks take two locks in different orders", deadlock01),
		pair("carter01", "the first in and the last out of two crowds share a lock, and wait for it with their door locked", carter01),
		pair("phase01", "a task takes a lock again before it has given up the next one", phase01),
	}
}

func wrongLock(n int, fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var right, wrong asyncio.Lock
		value := 0
		add := func(l *asyncio.Lock) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return l.Do(ctx, func(ctx context.Context) error {
					before := value
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					if value = before + 1; l == &right {
						return nil
					}
					return asyncio.Yield(ctx)
				})
			}
		}
		odd := &wrong
		if fixed {
			odd = &right
		}
		tasks := []task{{"odd", func(ctx context.Context) error {
			if err := yields(ctx, 2*n); err != nil {
				return err
			}
			return add(odd)(ctx)
		}}}
		for i := range n {
			tasks = append(tasks, task{fmt.Sprint("even ", i), add(&right)})
		}
		err := together(ctx, tasks...)
		if err == nil && value != n+1 {
			err = fmt.Errorf("%d tasks have counted to %d", n+1, value)
		}
		return err
	}
}

// both takes two locks, with a yield in between, and calls f.
func both(ctx context.Context, a, b *asyncio.Lock, f func()) error {
	return a.Do(ctx, func(ctx context.Context) error {
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		return b.Do(ctx, func(context.Context) error {
			f()
			return nil
		})
	})
}

func deadlock01(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var a, b asyncio.Lock
		first := func(ctx context.Context) error { return both(ctx, &a, &b, func() {}) }
		second := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			if fixed {
				return both(ctx, &a, &b, func() {})
			}
			return both(ctx, &b, &a, func() {})
		}
		return together(ctx, task{"first", first}, task{"second", second})
	}
}

// A crowd shares a room: the first of it to come takes the room, the last gives it back.
type crowd struct {
	door asyncio.Lock
	in   int
}

func carter01(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		room := asyncio.NewSemaphore(1)
		var red, green crowd
		visit := func(mine, other *crowd) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				err := mine.door.Do(ctx, func(ctx context.Context) error {
					if mine.in++; mine.in == 1 {
						return room.Acquire(ctx)
					}
					return nil
				})
				if err != nil {
					return err
				}
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
				leave := &mine.door
				if !fixed {
					leave = &other.door // which somebody holds who waits for the room
				}
				return leave.Do(ctx, func(context.Context) error {
					if mine.in--; mine.in == 0 {
						room.Release()
					}
					return nil
				})
			}
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return visit(&green, &red)(ctx)
		}
		return together(ctx, task{"red", visit(&red, &green)}, task{"green", late})
	}
}

func phase01(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var x, y asyncio.Lock
		phases := 0
		work := func(ctx context.Context) error {
			if err := both(ctx, &x, &y, func() { phases++ }); err != nil {
				return err
			}
			if fixed {
				return both(ctx, &x, &y, func() { phases++ })
			}
			return both(ctx, &y, &x, func() { phases++ })
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 3); err != nil {
				return err
			}
			return work(ctx)
		}
		err := together(ctx, task{"first", work}, task{"second", late})
		if err == nil && phases != 4 {
			err = errors.New("a phase is missing")
		}
		return err
	}
}

func philosophers() (all []bugs.Bug) {
	for n := 2; n <= 7; n++ {
		all = append(all, sized("philosophers", "each has taken the fork on one side, and waits for the other", n, dine))
	}
	return all
}

// dine has all philosophers but the first think for a turn.
func dine(n int, fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		forks := make([]asyncio.Lock, n)
		var tasks []task
		for i := range n {
			left, right := &forks[i], &forks[(i+1)%n]
			if fixed && i == n-1 {
				left, right = right, left
			}
			tasks = append(tasks, task{fmt.Sprint("philosopher ", i), func(ctx context.Context) error {
				if err := yields(ctx, min(i, 1)); err != nil {
					return err
				}
				return both(ctx, left, right, func() {})
			}})
		}
		return together(ctx, tasks...)
	}
}
