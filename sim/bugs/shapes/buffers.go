package shapes

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func buffers() []bugs.Bug {
	return []bugs.Bug{
		pair("bounded buffer", "all are woken for one item, and do not look whether another has taken it", boundedBuffer),
		pair("circular buffer", "a producer that does not wait for room overwrites what was not read", circularBuffer),
		pair("queue", "a flag says that something was stored before it was", queueFlags),
		pair("stack", "a push stores its item and moves the top in two steps", stackPush),
		pair("token ring", "each reads its neighbour's value in one step and writes its own in another", tokenRing),
	}
}

func boundedBuffer(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var c asyncio.Cond
		items := 0
		take := func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				for items == 0 {
					if err := c.Wait(ctx); err != nil {
						return err
					}
					if !fixed {
						break
					}
				}
				if items == 0 {
					return errors.New("an item is taken from an empty buffer")
				}
				items--
				return nil
			})
		}
		put := func(ctx context.Context) error {
			for range 2 {
				err := c.Do(ctx, func(context.Context) error {
					items++
					c.NotifyAll()
					return nil
				})
				if err == nil {
					err = asyncio.Yield(ctx)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return take(ctx)
		}
		return together(ctx, task{"taker", take}, task{"late taker", late}, task{"putter", put})
	}
}

func circularBuffer(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		const size, items = 2, 4
		var ring [size]int
		written, read := 0, 0
		produce := func(ctx context.Context) error {
			for i := range items {
				for fixed && written-read == size {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				ring[written%size] = i
				written++
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		consume := func(ctx context.Context) error {
			for i := range items {
				for read == written {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				if got := ring[read%size]; got != i {
					return fmt.Errorf("item %d is read as %d", i, got)
				}
				read++
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		return together(ctx, task{"producer", produce}, task{"consumer", consume})
	}
}

func queueFlags(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var stored []int
		full := false
		enqueue := func(ctx context.Context) error {
			if fixed {
				return steps(ctx, func() { stored = append(stored, 7) }, func() { full = true })
			}
			return steps(ctx, func() { full = true }, func() { stored = append(stored, 7) })
		}
		dequeue := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			if full && len(stored) == 0 {
				return errors.New("the queue is said to be full and is empty")
			}
			return nil
		}
		return together(ctx, task{"enqueue", enqueue}, task{"dequeue", dequeue})
	}
}

func stackPush(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var stack [4]int
		top := 0
		push := func(ctx context.Context, v int) error {
			if fixed {
				stack[top], top = v, top+1
				return nil
			}
			return steps(ctx, func() { stack[top] = v }, func() { top++ })
		}
		pusher := func(v, turns int) task {
			return task{fmt.Sprint("pusher ", v), func(ctx context.Context) error {
				if err := yields(ctx, turns); err != nil {
					return err
				}
				return push(ctx, v)
			}}
		}
		err := together(ctx, pusher(1, 0), pusher(2, 2))
		if err == nil && stack[0]+stack[1] != 3 {
			err = fmt.Errorf("1 and 2 were pushed, and the stack is %v", stack[:top])
		}
		return err
	}
}

func tokenRing(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		values := [4]int{1, 0, 0, 0}
		var tasks []task
		for i := 1; i < len(values); i++ {
			tasks = append(tasks, task{fmt.Sprint("station ", i), func(ctx context.Context) error {
				if err := yields(ctx, i); err != nil {
					return err
				}
				if fixed {
					for values[i-1] != i {
						if err := asyncio.Yield(ctx); err != nil {
							return err
						}
					}
				}
				values[i] = values[i-1] + 1
				return nil
			}})
		}
		err := together(ctx, tasks...)
		if err == nil && values[3] != 4 {
			err = fmt.Errorf("the token has been counted to %v", values)
		}
		return err
	}
}
