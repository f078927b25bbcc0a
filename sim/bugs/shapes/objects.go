package shapes

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func objects() []bugs.Bug {
	return []bugs.Bug{
		pair("bluetooth driver", "a driver is stopped between a look at its state and the work", bluetooth),
		pair("stringbuffer", "a buffer shrinks between a look at its length and the copy", stringBuffer),
		pair("work stealing", "owner and thief take the same last item", workStealing),
	}
}

func bluetooth(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		pending, stopping, stopped := 1, false, false
		var drained asyncio.Event
		leave := func() {
			if pending--; pending == 0 {
				drained.Set()
			}
		}
		add := func(ctx context.Context) error {
			if stopping {
				return nil
			}
			if !fixed {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			pending++
			defer leave()
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			if stopped {
				return errors.New("a stopped driver works")
			}
			return nil
		}
		stop := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			stopping = true
			leave()
			err := drained.Wait(ctx)
			stopped = true
			return err
		}
		return together(ctx, task{"adder", add}, task{"stopper", stop})
	}
}

func stringBuffer(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		source, target := []byte("abc"), []byte(nil)
		appendAll := func(ctx context.Context) error {
			n := len(source)
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			if fixed {
				n = len(source)
			}
			target = append(target, source[:n:n]...)
			return nil
		}
		erase := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			source = source[:0:0]
			return nil
		}
		return together(ctx, task{"appender", appendAll}, task{"eraser", erase})
	}
}

func workStealing(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		head, tail, taken := 0, 2, 0
		own := func(ctx context.Context) error {
			for range 2 {
				if head == tail {
					return nil
				}
				if fixed {
					tail--
				}
				err := asyncio.Yield(ctx)
				if !fixed {
					tail--
				}
				if taken++; err != nil {
					return err
				}
			}
			return nil
		}
		steal := func(ctx context.Context) error {
			if err := yields(ctx, 3); err != nil {
				return err
			}
			if head < tail {
				head++
				taken++
			}
			return nil
		}
		err := together(ctx, task{"owner", own}, task{"thief", steal})
		if err == nil && taken != 2 {
			err = fmt.Errorf("%d of 2 items are taken", taken)
		}
		return err
	}
}
