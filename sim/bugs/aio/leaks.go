package aio

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func leaks() []bugs.Bug {
	return []bugs.Bug{
		pair("httpcore#830", "https://github.com/encode/httpcore/issues/830",
			"a request that is cancelled before it waits stays in the pool's list, and is given the next connection", requestStays),
		pair("httpcore#1093", "https://github.com/encode/httpcore/issues/1093",
			"a connection whose request is cancelled before it was made is neither idle nor closed, and keeps its slot", connectionOrphaned),
		pair("asyncpg#464", "https://github.com/MagicStack/asyncpg/issues/464",
			"a connect that is cancelled between the socket and the greeting leaves the socket open", socketLeaks),
		pair("asyncmy#156", "https://github.com/long2ice/asyncmy/issues/156",
			"a connection that is taken from the pool to be closed is lost when that is cancelled", closeStrands),
	}
}

// A slotPool assigns its connections to a list of requests.
type slotPool struct {
	max, open, idle int
	requests        []*asyncio.Future[struct{}]
	forgets         bool // a request that ends early leaves the list
	reclaims        bool // ... and what it was assigned
}

func (p *slotPool) assign() {
	for len(p.requests) > 0 && (p.idle > 0 || p.open < p.max) {
		if p.idle > 0 {
			p.idle--
		} else {
			p.open++
		}
		p.requests[0].SetResult(struct{}{})
		p.requests = p.requests[1:]
	}
}

// handle is a request. Before it waits for its connection it closes others, which takes
// a turn.
func (p *slotPool) handle(ctx context.Context) (err error) {
	r := asyncio.NewFuture[struct{}](ctx)
	p.requests = append(p.requests, r)
	defer func() {
		if err != nil {
			p.abandon(r)
		} else {
			p.idle++
		}
		p.assign()
	}()
	if err := asyncio.Yield(ctx); err != nil {
		return err
	}
	p.assign()
	if _, err := r.Await(ctx); err != nil {
		return err
	}
	return asyncio.Yield(ctx) // connects, if need be
}

func (p *slotPool) abandon(gone *asyncio.Future[struct{}]) {
	if gone.Done() {
		if p.reclaims {
			p.open--
		}
		return
	}
	if !p.forgets {
		return
	}
	for i, r := range p.requests {
		if r == gone {
			p.requests = append(p.requests[:i], p.requests[i+1:]...)
			return
		}
	}
}

func (p *slotPool) check(err error) error {
	if err == nil && (p.open != p.idle || len(p.requests) > 0) {
		err = fmt.Errorf("%d connections are open, %d are idle, %d requests wait, and nobody is there", p.open, p.idle, len(p.requests))
	}
	return err
}

func requestStays(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		p := &slotPool{max: 1, reclaims: true, forgets: fixed}
		return p.check(cancelFirst(ctx, task{"victim", p.handle}, task{"other", p.handle}))
	}
}

func connectionOrphaned(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		p := &slotPool{max: 1, forgets: true, reclaims: fixed}
		return p.check(cancelFirstAfter(ctx, 2, task{"victim", p.handle}, task{"other", p.handle}))
	}
}

func socketLeaks(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		open := 0
		connect := func(ctx context.Context) error {
			greeting := asyncio.NewFuture[struct{}](ctx)
			open++
			asyncio.Go(context.WithoutCancel(ctx), func(context.Context) error {
				greeting.SetResult(struct{}{})
				return nil
			})
			_, err := greeting.Await(ctx)
			if err != nil && fixed {
				open--
			}
			return err
		}
		victim := func(ctx context.Context) error {
			if err := connect(ctx); err != nil {
				return err
			}
			open--
			return nil
		}
		err := cancelFirstAfter(ctx, 2, task{"victim", victim})
		if err == nil && open > 0 {
			err = errors.New("a socket is open that nobody knows of")
		}
		return err
	}
}

func closeStrands(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		idle, open := []int{1, 2}, 2
		closePool := func(ctx context.Context) error {
			for len(idle) > 0 {
				c := idle[0]
				idle = idle[1:]
				if err := asyncio.Yield(ctx); err != nil { // says goodbye
					if fixed {
						idle = append(idle, c)
					}
					return err
				}
				open--
			}
			return nil
		}
		err := cancelFirstAfter(ctx, 2, task{"victim", closePool})
		if err == nil {
			err = closePool(ctx)
		}
		if err == nil && open > 0 {
			err = fmt.Errorf("the pool is closed, and %d connection is open", open)
		}
		return err
	}
}
