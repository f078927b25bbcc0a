package shapes

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func conditions() []bugs.Bug {
	return []bugs.Bug{
		classic("lost wake-up", "a task sees that there is nothing, and is told of something before it waits", lostWakeUp),
		pair("sync01", "who waits for a notification comes after it", sync01),
		pair("sync02", "two wait for different things, and the one notification reaches the wrong one", sync02),
		pair("arithmetic_prog", "a sum is read when its first half was said to be ready", arithmeticProg),
		pair("lazy01", "a value is looked at before all have added to it", lazy01),
	}
}

func lostWakeUp(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		ready := false
		var changed asyncio.Event
		wait := func(ctx context.Context) error {
			for !ready {
				if !fixed {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
					changed.Clear()
				}
				if err := changed.Wait(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		tell := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			ready = true
			changed.Set()
			return nil
		}
		return together(ctx, task{"waiter", wait}, task{"teller", tell})
	}
}

func sync01(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var c asyncio.Cond
		full := false
		wait := func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				if fixed {
					return c.WaitFor(ctx, func() bool { return full })
				}
				return c.Wait(ctx)
			})
		}
		notify := func(ctx context.Context) error {
			return c.Do(ctx, func(context.Context) error {
				full = true
				c.Notify(1)
				return nil
			})
		}
		return together(ctx, task{"waiter", wait}, task{"notifier", notify})
	}
}

func sync02(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var c asyncio.Cond
		items := [2]int{}
		take := func(kind int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return c.Do(ctx, func(ctx context.Context) error {
					if err := c.WaitFor(ctx, func() bool { return items[kind] > 0 }); err != nil {
						return err
					}
					items[kind]--
					return nil
				})
			}
		}
		put := func(kind int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return c.Do(ctx, func(context.Context) error {
					items[kind]++
					if fixed {
						c.NotifyAll()
					} else {
						c.Notify(1)
					}
					return nil
				})
			}
		}
		return together(ctx, task{"takes red", take(0)}, task{"takes green", take(1)}, task{"puts red", put(0)}, task{"puts green", put(1)})
	}
}

func arithmeticProg(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		const n = 3
		sum := 0
		var ready asyncio.Event
		add := func(ctx context.Context) error {
			for i := range n {
				sum += i + 1
				if !fixed || i == n-1 {
					ready.Set()
				}
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		read := func(ctx context.Context) error {
			if err := yields(ctx, n); err != nil {
				return err
			}
			if err := ready.Wait(ctx); err != nil {
				return err
			}
			if sum != n*(n+1)/2 {
				return fmt.Errorf("the sum of 1 to %d is read as %d", n, sum)
			}
			return nil
		}
		return together(ctx, task{"adder", add}, task{"reader", read})
	}
}

func lazy01(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var l asyncio.Lock
		var added asyncio.Event
		value := 0
		add := func(n int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return l.Do(ctx, func(context.Context) error {
					if value += n; value >= 3 {
						added.Set()
					}
					return nil
				})
			}
		}
		check := func(ctx context.Context) error {
			if fixed {
				if err := added.Wait(ctx); err != nil {
					return err
				}
			} else if err := yields(ctx, 1); err != nil {
				return err
			}
			return l.Do(ctx, func(context.Context) error {
				if value < 3 {
					return errors.New("not all have added")
				}
				return nil
			})
		}
		return together(ctx, task{"adds 1", add(1)}, task{"adds 2", add(2)}, task{"checks", check})
	}
}
