package aio

import (
	"context"
	"errors"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func groups() []bugs.Bug {
	return []bugs.Bug{
		pair("gh-95289", "https://github.com/python/cpython/issues/95289",
			"a group does not take its request back if the body replaces the cancellation: later timeouts are no timeouts", groupLeavesRequest),
		pair("gh-116720", "https://github.com/python/cpython/issues/116720",
			"an inner group that fails with the outer one takes the request of both for its own", groupSwallows),
		pair("async-lru#10", "https://github.com/aio-libs/async-lru/issues/10",
			"a caller that is cancelled takes a shared computation with it, and the other callers", sharedIsCancelled),
		pair("asyncache#2", "https://github.com/hephex/asyncache/issues/2",
			"what is being computed is computed again, because only results are remembered", computedTwice),
	}
}

// A pyGroup is asyncio's TaskGroup as far as its parent's cancellation goes.
type pyGroup struct {
	parent    *request
	requested bool  // it has asked its parent to end
	err       error // of a child
	left      int   // children that run
	ended     asyncio.Event
	always    bool // takes its request back however the body has ended
	redeems   bool // asks again for others whose request was delivered with its own
}

func (g *pyGroup) start(ctx context.Context, name string, f func(ctx context.Context) error) {
	g.left++
	spawn(ctx, task{name, func(ctx context.Context) error {
		if err := f(ctx); err != nil && g.err == nil {
			g.err, g.requested = err, true
			g.parent.cancel()
		}
		if g.left--; g.left == 0 {
			g.ended.Set()
		}
		return nil
	}})
}

// leave is the end of the group, whose body has returned err.
func (g *pyGroup) leave(ctx context.Context, err error) error {
	for g.left > 0 {
		if waited := g.parent.wait(ctx, g.ended.Wait); waited != nil && err == nil {
			err = waited
		}
	}
	if g.requested && (g.always || errors.Is(err, errAsked)) {
		if g.parent.uncancel() > 0 && g.redeems {
			g.parent.due = true
		} else if g.parent.asked == 0 {
			g.parent.due = false
		}
	}
	if g.err != nil {
		return g.err
	}
	return err
}

func groupLeavesRequest(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var r request
		errClosed := errors.New("closed")
		parent := func(ctx context.Context) error {
			g := &pyGroup{parent: &r, always: fixed}
			var ready, closed asyncio.Event
			g.start(ctx, "poller", func(ctx context.Context) error { return errClosed })
			g.start(ctx, "server", func(ctx context.Context) error {
				ready.Set()
				err := yields(ctx, 3)
				closed.Set()
				return err
			})
			err := r.wait(ctx, ready.Wait)
			if err == nil {
				if err = r.wait(ctx, closed.Wait); err != nil {
					err = errClosed // says why in its own words
				}
			}
			_ = g.leave(ctx, err)
			err = timeout(ctx, &r, time.Second, true, func(ctx context.Context) error {
				return asyncio.Sleep(ctx, time.Hour)
			})
			if !errors.Is(err, asyncio.ErrTimeout) {
				return errors.New("a timeout is no timeout any more")
			}
			return nil
		}
		return together(ctx, task{"parent", parent})
	}
}

func groupSwallows(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var r request
		errFails := errors.New("fails")
		after := func(turns int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				_ = yields(ctx, turns)
				return errFails
			}
		}
		parent := func(ctx context.Context) error {
			outer := &pyGroup{parent: &r, always: true, redeems: fixed}
			inner := &pyGroup{parent: &r, always: true, redeems: fixed}
			outer.start(ctx, "outer", after(4))
			inner.start(ctx, "inner", after(1))
			var never asyncio.Event
			_ = inner.leave(ctx, r.wait(ctx, never.Wait))
			// The body can live with a failure of the inner group.
			err := r.wait(ctx, never.Wait)
			if err = outer.leave(ctx, err); !errors.Is(err, errFails) {
				return errors.New("the outer group has not failed")
			}
			return nil
		}
		return together(ctx, task{"parent", parent})
	}
}

// A cache computes a value once, for all who ask meanwhile.
type cache struct {
	running *asyncio.Task[int]
	value   int
	known   bool
	runs    int
}

func (c *cache) compute(ctx context.Context) (int, error) {
	c.runs++
	err := asyncio.Yield(ctx)
	c.value, c.known = 42, err == nil
	return c.value, err
}

func sharedIsCancelled(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c, service := &cache{}, ctx
		ask := func(ctx context.Context) error {
			if c.running == nil {
				owner := ctx
				if fixed {
					owner = service
				}
				c.running = asyncio.Spawn(owner, c.compute)
			}
			_, err := c.running.Await(ctx)
			return err
		}
		return cancelFirstAfter(ctx, 2, task{"victim", ask}, task{"other", ask})
	}
}

func computedTwice(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c := &cache{}
		ask := func(ctx context.Context) error {
			if c.known {
				return nil
			}
			if fixed {
				if c.running == nil {
					c.running = asyncio.Spawn(ctx, c.compute)
				}
				_, err := c.running.Await(ctx)
				return err
			}
			_, err := c.compute(ctx)
			return err
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return ask(ctx)
		}
		err := together(ctx, task{"first", ask}, task{"second", late})
		if err == nil && c.runs != 1 {
			err = errors.New("it was computed twice")
		}
		return err
	}
}
