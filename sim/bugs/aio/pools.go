package aio

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func pools() []bugs.Bug {
	return []bugs.Bug{
		pair("aioredis#71", "https://github.com/aio-libs-abandoned/aioredis-py/issues/71",
			"a pool makes more connections than it has room for, and waits for room", poolOverfills),
		pair("aiohttp#4936", "https://github.com/aio-libs/aiohttp/issues/4936",
			"who was woken for a free slot connects although another has taken it: more connections than the limit", connectorExceeds),
		pair("aiohttp#9670", "https://github.com/aio-libs/aiohttp/issues/9670",
			"a slot is free and requests wait, because who was woken for it has timed out", connectorForgets),
		pair("psycopg#509", "https://github.com/psycopg/psycopg/issues/509",
			"a pool gives a connection to a client that was cancelled", poolGivesToNobody),
	}
}

func poolOverfills(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		size, free := 0, asyncio.NewQueue[int](1)
		acquire := func(ctx context.Context) (int, error) {
			if size < free.Max() {
				if fixed {
					size++ // before the await, so that nobody else makes one too
				}
				if err := asyncio.Yield(ctx); err != nil { // connects
					return 0, err
				}
				if !fixed {
					size++
				}
				if err := free.Put(ctx, size); err != nil {
					return 0, err
				}
			}
			return free.Get(ctx)
		}
		use := func(ctx context.Context) error {
			c, err := acquire(ctx)
			if err != nil {
				return err
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return free.Put(ctx, c)
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return use(ctx)
		}
		return together(ctx, task{"first", use}, task{"late", late})
	}
}

// A connector opens at most a number of connections; who comes to many waits until
// woken for a slot.
type connector struct {
	free     int
	waiters  []*waiter
	rechecks bool // who was woken looks whether there still is a slot
	passesOn bool // who leaves wakes another
}

func (c *connector) connect(ctx context.Context) error {
	for first := true; c.free == 0 || first && c.rechecks && len(c.waiters) > 0; first = false {
		w := newWaiter(ctx)
		c.waiters = append(c.waiters, w)
		err := w.wait()
		c.waiters = without(c.waiters, w)
		if err != nil {
			if c.free > 0 && c.passesOn {
				c.wakeOne()
			}
			return err
		}
		if !c.rechecks {
			break
		}
	}
	c.free--
	return nil
}

func (c *connector) close() {
	c.free++
	c.wakeOne()
}

func (c *connector) wakeOne() {
	for _, w := range c.waiters {
		if w.wake() {
			return
		}
	}
}

// request is one that takes so many turns.
func (c *connector) request(turns int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := c.connect(ctx); err != nil {
			return err
		}
		defer c.close()
		if c.free < 0 {
			return errors.New("there are more connections than the limit")
		}
		return yields(ctx, turns)
	}
}

func connectorExceeds(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c := &connector{free: 1, passesOn: true, rechecks: fixed}
		late := func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return c.request(1)(ctx)
		}
		return together(ctx, task{"first", c.request(2)}, task{"second", c.request(1)}, task{"late", late})
	}
}

func connectorForgets(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		c := &connector{free: 1, rechecks: true, passesOn: fixed}
		return cancelFirst(ctx, task{"impatient", c.request(1)}, task{"slow", c.request(1)}, task{"next", c.request(1)})
	}
}

// A clientPool gives connections to its clients in the order in which they came.
type clientPool struct {
	idle    []int
	clients []*client
	returns bool // a client that leaves gives back what it was given
}

type client struct {
	*waiter
	connection int
}

func (p *clientPool) get(ctx context.Context) (int, error) {
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c, nil
	}
	c := &client{waiter: newWaiter(ctx)}
	p.clients = append(p.clients, c)
	err := c.wait()
	if err != nil && p.returns {
		p.leave(c)
	}
	return c.connection, err
}

func (p *clientPool) leave(gone *client) {
	if gone.connection != 0 {
		p.put(gone.connection)
		return
	}
	for i, c := range p.clients {
		if c == gone {
			p.clients = append(p.clients[:i], p.clients[i+1:]...)
			return
		}
	}
}

func (p *clientPool) put(connection int) {
	if len(p.clients) == 0 {
		p.idle = append(p.idle, connection)
		return
	}
	first := p.clients[0]
	p.clients = p.clients[1:]
	first.connection = connection
	if !first.f.Done() { // but perhaps cancelled
		first.f.SetResult(struct{}{})
	}
}

func poolGivesToNobody(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		p := &clientPool{idle: []int{1}, returns: fixed}
		use := func(ctx context.Context) error {
			c, err := p.get(ctx)
			if err != nil {
				return err
			}
			defer p.put(c)
			return asyncio.Yield(ctx)
		}
		err := cancelFirst(ctx, task{"victim", use}, task{"other", use})
		if err == nil && len(p.idle) != 1 {
			err = fmt.Errorf("%d of 1 connection is idle, and nobody uses one", len(p.idle))
		}
		return err
	}
}
