package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// simulated starts a server on a host and waits until it listens.
func simulated(ctx context.Context, w *sim.World, clock func() time.Time, serve func(ctx context.Context, e *engine, l *aionet.Listener) error) (*engine, *sim.Host, error) {
	e := newEngine(clock, defaultLimits)
	h := w.Host(ctx, "kv", func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", ":6379")
		if err != nil {
			return err
		}
		defer l.Close()
		if err := serve(ctx, e, l); !errors.Is(err, context.Canceled) && !errors.Is(err, asyncio.ErrTimeout) {
			return err
		}
		return nil
	})
	return e, h, w.Settle(ctx)
}

func plainly(ctx context.Context, e *engine, l *aionet.Listener) error { return e.serve(ctx, l) }

// A caller is a client over a simulated connection, which has failed once err is set.
// After that it does nothing any more.
type caller struct {
	conn *aionet.Conn
	r    *bufio.Reader
	err  error
}

func call(ctx context.Context) (*caller, error) {
	conn, err := aionet.Dial(ctx, "tcp", "kv:6379")
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, r: bufio.NewReader(conn)}, nil
}

func (c *caller) send(args ...string) { c.write(request(args...)) }

func (c *caller) write(text string) {
	if c.err == nil {
		_, c.err = c.conn.Write([]byte(text))
	}
}

func (c *caller) receive() (reply string) {
	if c.err == nil {
		reply, c.err = readReply(c.r)
	}
	return reply
}

// ask is the reply to a line of words, as show shows it.
func (c *caller) ask(line string) string {
	c.send(strings.Fields(line)...)
	return show(c.receive())
}

// want has the caller fail if the reply to a line of words is another.
func (c *caller) want(line, reply string) {
	if got := c.ask(line); c.err == nil && got != reply {
		c.err = fmt.Errorf("%s: %s, want %s", line, got, reply)
	}
}

func (c *caller) wantNext(reply string) {
	if got := show(c.receive()); c.err == nil && got != reply {
		c.err = fmt.Errorf("received %s, want %s", got, reply)
	}
}

// A stage is a simulated server with its clients, in a world without faults.
type stage struct {
	ctx     context.Context
	w       *sim.World
	engine  *engine
	callers []*caller
	err     error // the first
}

// staged plays a scene under so many schedules. None of its clients may fail.
func staged(t *testing.T, seeds int, scene func(ctx context.Context, s *stage)) {
	t.Helper()
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		e, host, err := simulated(ctx, w, w.Clock().Now, plainly)
		if err != nil {
			return err
		}
		s := &stage{ctx: ctx, w: w, engine: e}
		scene(ctx, s)
		for _, c := range s.callers {
			s.fail(c.err)
			_ = c.conn.Close()
		}
		s.fail(asyncio.Sleep(ctx, time.Second))
		s.fail(e.leftovers())
		host.Crash()
		return s.err
	}, sim.Options{Seeds: seeds})
}

func (s *stage) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// call is a new client.
func (s *stage) call() *caller {
	c, err := call(s.ctx)
	if err != nil {
		panic(err) // in a world without faults
	}
	s.callers = append(s.callers, c)
	return c
}

// wantBlocked has the scene fail if not so many clients wait, once all was received.
func (s *stage) wantBlocked(n int) {
	s.fail(asyncio.Sleep(s.ctx, time.Second))
	if got := s.engine.stats.blocked; got != n {
		s.fail(fmt.Errorf("%d clients wait, want %d", got, n))
	}
}
