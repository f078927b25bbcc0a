package aio

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func conditions() []bugs.Bug {
	return []bugs.Bug{
		pair("gh-112202", "https://github.com/python/cpython/issues/112202",
			"a notification is lost with the task that is cancelled as it is notified", notifyLost),
		pair("asyncio#346", "https://github.com/python/asyncio/pull/346",
			"a wait that is cancelled after the notification returns without the lock", condWithoutLock),
		pair("gh-155233", "https://github.com/python/cpython/pull/155235",
			"two tasks that pass a barrier have the same index, since a third was cancelled while it filled", barrierIndex),
	}
}

// A pyCond is asyncio's Condition.
type pyCond struct {
	asyncio.Lock
	waiters  []*waiter
	passesOn bool // who is cancelled as it was notified notifies the next
	shields  bool // the lock is acquired again whatever happens
}

// wait is called with the lock.
func (c *pyCond) wait(ctx context.Context) error {
	w := newWaiter(ctx)
	c.waiters = append(c.waiters, w)
	c.Release()
	err := w.wait()
	c.waiters = without(c.waiters, w)
	again := ctx
	if err != nil || c.shields {
		again = context.WithoutCancel(ctx)
	}
	if failed := c.Acquire(again); failed != nil {
		return failed
	}
	if err != nil && w.woken() && c.passesOn {
		c.notify()
	}
	return err
}

func (c *pyCond) notify() {
	for _, w := range c.waiters {
		if w.wake() {
			return
		}
	}
}

func notifyLost(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c, items := &pyCond{shields: true, passesOn: fixed}, 0
		consume := func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				for items == 0 {
					if err := c.wait(ctx); err != nil {
						return err
					}
				}
				c.notify() // it leaves the item to the next one
				return nil
			})
		}
		produce := func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return c.Do(ctx, func(context.Context) error {
				items++
				c.notify()
				return nil
			})
		}
		return cancelFirst(ctx, task{"victim", consume}, task{"next", consume}, task{"producer", produce})
	}
}

func condWithoutLock(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c, ready := &pyCond{passesOn: true, shields: fixed}, false
		victim := func(ctx context.Context) error {
			if err := c.Acquire(ctx); err != nil {
				return err
			}
			defer c.Release() // panics without the lock
			for !ready {
				if err := c.wait(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		notify := func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				ready = true
				c.notify()
				return asyncio.Yield(ctx)
			})
		}
		return cancelFirst(ctx, task{"victim", victim}, task{"notifier", notify})
	}
}

// A pyBarrier holds tasks until there are enough of them, and gives each an index.
type pyBarrier struct {
	parties  int
	arrived  []*waiter
	indices  []int // of those who have passed
	lateSeat bool  // an index is given on leaving, not on arrival
}

func (b *pyBarrier) wait(ctx context.Context) error {
	index := len(b.arrived)
	if index+1 == b.parties {
		for _, w := range b.arrived {
			w.wake()
		}
		b.arrived = nil
		b.pass(index)
		return nil
	}
	w := newWaiter(ctx)
	b.arrived = append(b.arrived, w)
	err := w.wait()
	if !w.woken() {
		b.arrived = without(b.arrived, w)
		return err
	}
	b.pass(index) // also if it was cancelled since
	return err
}

func (b *pyBarrier) pass(index int) {
	if b.lateSeat {
		index = len(b.indices)
	}
	b.indices = append(b.indices, index)
}

func barrierIndex(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		b := &pyBarrier{parties: 3, lateSeat: fixed}
		late := func(ctx context.Context) error { // for who is left over if the victim was in time
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			for len(b.arrived) == 1 {
				asyncio.Go(ctx, b.wait)
				if err := b.wait(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		err := cancelFirst(ctx, task{"victim", b.wait}, task{"second", b.wait}, task{"third", b.wait}, task{"fourth", b.wait},
			task{"late", late})
		if err == nil && !slices.Equal(slices.Sorted(slices.Values(b.indices[:3])), []int{0, 1, 2}) {
			err = fmt.Errorf("the indices are %v", b.indices)
		}
		return err
	}
}
