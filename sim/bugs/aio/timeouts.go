package aio

import (
	"context"
	"errors"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func timeouts() []bugs.Bug {
	return []bugs.Bug{
		pair("gh-86296", "https://github.com/python/cpython/issues/86296",
			"wait_for returns a result, and hides the cancellation that came with it", waitForHides),
		pair("async-timeout#229", "https://github.com/aio-libs-abandoned/async-timeout/issues/229",
			"a timeout takes a cancellation of the same moment for its own", timeoutHides),
		pair("bpo-32751", "https://github.com/python/cpython/pull/7216",
			"wait_for returns while what it cancelled still runs, and uses what the caller has closed", waitForLeaves),
		pair("asyncpg#547", "https://github.com/MagicStack/asyncpg/issues/547",
			"an acquisition that is done as its caller is cancelled leaks a connection", acquireLeaks),
	}
}

func waitForHides(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var r request
		jobs := asyncio.NewQueue[int](0)
		// waitFor runs a Get in a task of its own, as wait_for did.
		waitFor := func(ctx context.Context) error {
			get := asyncio.Spawn(ctx, jobs.Get)
			err := r.wait(ctx, func(ctx context.Context) error { _, err := get.Await(ctx); return err })
			if err == nil {
				return nil
			}
			get.Cancel(nil)
			_, failed := get.Await(ctx)
			if failed == nil && !fixed {
				return nil // here is the result
			}
			return err
		}
		worker := func(ctx context.Context) error {
			for {
				if err := waitFor(ctx); err != nil {
					return nil // asked to end
				}
			}
		}
		producer := func(ctx context.Context) error { return jobs.Put(ctx, 1) }
		return together(ctx, task{"worker", worker}, task{"producer", producer}, canceller(&r, 3))
	}
}

// canceller asks r to end after so many turns.
func canceller(r *request, turns int) task {
	return task{"canceller", func(ctx context.Context) error {
		err := yields(ctx, turns)
		r.cancel()
		return err
	}}
}

// timeout runs await of the task of r for at most d.
func timeout(ctx context.Context, r *request, d time.Duration, counts bool, await func(ctx context.Context) error) error {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	expired := false
	timer := l.CallLater(d, func() {
		expired = true
		r.cancel()
	})
	defer timer.Cancel()
	err = r.wait(ctx, await)
	if !expired {
		return err
	}
	if left := r.uncancel(); left > 0 && counts {
		return err // somebody else has asked too
	}
	if errors.Is(err, errAsked) {
		return asyncio.ErrTimeout
	}
	return err
}

func timeoutHides(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var r request
		nothing := asyncio.NewFuture[struct{}](ctx)
		poller := func(ctx context.Context) error {
			for range 5 {
				err := timeout(ctx, &r, time.Second, fixed, func(ctx context.Context) error {
					_, err := nothing.Await(ctx)
					return err
				})
				if !errors.Is(err, asyncio.ErrTimeout) {
					return nil // asked to end
				}
			}
			return errors.New("it was asked to end, and goes on")
		}
		stopper := func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Second)
			if err == nil {
				err = asyncio.Yield(ctx)
			}
			r.cancel()
			return err
		}
		return together(ctx, task{"poller", poller}, task{"stopper", stopper})
	}
}

func waitForLeaves(fixed bool) sim.Func {
	client := func(ctx context.Context) error {
		open := true
		exchange := asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				if !open {
					panic("a closed connection is used")
				}
			}()
			return asyncio.Sleep(ctx, time.Minute)
		})
		err := asyncio.Sleep(ctx, time.Second)
		exchange.Cancel(nil)
		if fixed {
			_, _ = exchange.Await(ctx)
		}
		if err == nil {
			err = asyncio.Yield(ctx)
		}
		open = false
		return err
	}
	return func(ctx context.Context, _ *sim.World) error {
		return together(ctx, task{"client", client}, task{"another", client})
	}
}

func acquireLeaks(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		pool := asyncio.NewQueue[int](0)
		acquire := func(ctx context.Context) (int, error) {
			get := asyncio.Spawn(context.WithoutCancel(ctx), pool.Get)
			c, err := get.Await(ctx)
			if err == nil {
				return c, nil
			}
			get.Cancel(nil)
			if fixed {
				if c, late := get.Await(context.WithoutCancel(ctx)); late == nil {
					_ = pool.TryPut(c)
				}
			}
			return 0, err
		}
		use := func(ctx context.Context) error {
			c, err := acquire(ctx)
			if err == nil {
				err = pool.TryPut(c)
			}
			return err
		}
		if err := pool.TryPut(1); err != nil {
			return err
		}
		err := cancelFirstAfter(ctx, 2, task{"victim", use}, task{"other", use})
		if err == nil && pool.Len() != 1 {
			err = errors.New("the connection was not given back")
		}
		return err
	}
}
