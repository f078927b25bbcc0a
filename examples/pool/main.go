// Pool sends requests over few connections, and cancels some of them at every
// possible moment: while they wait for a connection, while it is made, while it
// is in use. Whenever that is, no slot of the pool and no connection is lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

const (
	size     = 2 // connections
	callers  = 6
	connect  = 5 * time.Millisecond
	answer   = 10 * time.Millisecond
	patience = 28 * time.Millisecond // of a caller
)

func main() {
	var all counts
	runs := 0
	for at := range 40 { // all requests have ended by then
		for turn := range 4 { // several things happen in one millisecond
			r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
			err := r.Run(context.Background(), func(ctx context.Context) error {
				return try(ctx, time.Duration(at)*time.Millisecond, turn, &all)
			})
			if err != nil {
				log.Fatalf("cancelled after %d ms and %d turns: %v", at, turn, err)
			}
			runs++
		}
	}
	fmt.Printf("%d runs: %d requests answered, %d cancelled, %d timed out\n", runs, all.answered, all.cancelled, all.timedOut)
	fmt.Println("no slot and no connection was lost")
}

// A pool lends connections, size at a time.
type pool struct {
	slots *asyncio.Semaphore
	idle  []*conn
	open  int // connections that exist, for the check
}

// Do runs f with a connection. The slot is held by a bracket around all that can
// fail or be cancelled; so there is no moment at which it has an owner who could
// be gone. What goes wrong elsewhere is that a slot is handed over: the pool
// makes a connection for a request that waits, and the request, cancelled in that
// very moment, never comes to fetch it.
func (p *pool) Do(ctx context.Context, f func(ctx context.Context, c *conn) error) error {
	return p.slots.Do(ctx, func(ctx context.Context) error {
		c, err := p.conn(ctx)
		if err != nil {
			return err
		}
		if err := f(ctx, c); err != nil {
			c.close() // left in the middle: the next one would get the rest of it
			return err
		}
		p.idle = append(p.idle, c)
		return nil
	})
}

// conn is an idle connection or else a new one.
func (p *pool) conn(ctx context.Context) (*conn, error) {
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c, nil
	}
	c := &conn{p}
	p.open++
	if err := asyncio.Sleep(ctx, connect); err != nil {
		c.close() // half open is open too
		return nil, err
	}
	return c, nil
}

type conn struct{ pool *pool }

func (c *conn) close() { c.pool.open-- }

func (c *conn) request(ctx context.Context) error { return asyncio.Sleep(ctx, answer) }

// try sends requests and cancels every second one at the given moment. Then it
// looks whether the pool is as good as new.
func try(ctx context.Context, at time.Duration, turn int, all *counts) error {
	p := &pool{slots: asyncio.NewSemaphore(size)}
	send := func(ctx context.Context) error {
		return asyncio.Timeout(ctx, patience, func(ctx context.Context) error {
			return p.Do(ctx, func(ctx context.Context, c *conn) error { return c.request(ctx) })
		})
	}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		var requests []*asyncio.Task[struct{}]
		for range callers {
			requests = append(requests, g.Go(func(ctx context.Context) error { return all.count(send(ctx)) }))
		}
		if err := asyncio.Sleep(ctx, at); err != nil {
			return err
		}
		for range turn {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		for i := 0; i < callers; i += 2 {
			requests[i].Cancel(nil)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if free := p.slots.Free(); free != size || p.open != len(p.idle) {
		return fmt.Errorf("%d of %d slots are free, %d connections open, %d of them idle", free, size, p.open, len(p.idle))
	}
	_, err = asyncio.Gather(ctx, asyncio.Void(send), asyncio.Void(send))
	return err
}

// counts is how the requests ended.
type counts struct{ answered, cancelled, timedOut int }

// count returns what is neither of these.
func (n *counts) count(err error) error {
	switch {
	case err == nil:
		n.answered++
	case errors.Is(err, asyncio.ErrTimeout):
		n.timedOut++
	case errors.Is(err, context.Canceled):
		n.cancelled++
	default:
		return err
	}
	return nil
}
