package main

import (
	"context"
	"errors"
	"math"
	"net"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// serve lets the clients of all listeners use the engine, until ctx is cancelled.
func (e *engine) serve(ctx context.Context, listeners ...*aionet.Listener) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(e.keepSweeping)
		for _, l := range listeners {
			g.Go(func(ctx context.Context) error { return aionet.Serve(ctx, l, e.converse) })
		}
		return nil
	})
}

// keepSweeping removes keys as they expire, so many at a time that nobody has to
// wait for long.
func (e *engine) keepSweeping(ctx context.Context) error {
	for {
		e.earlier.Clear()
		removed, idle := e.sweep(200)
		var err error
		switch {
		case removed > 0:
			err = asyncio.Yield(ctx)
		case idle < 0:
			err = e.earlier.Wait(ctx)
		default:
			err = asyncio.Timeout(ctx, idle, e.earlier.Wait)
		}
		if err != nil && !errors.Is(err, asyncio.ErrTimeout) {
			return err
		}
	}
}

// converse is the task of a connection. It executes what has arrived, all of it in
// one step, and then waits for more.
func (e *engine) converse(ctx context.Context, conn *aionet.Conn) error {
	s := e.open(conn)
	defer s.close()
	conn.SetReadLimit(e.request)
	for need := 1; ; {
		received, err := conn.Peek(need)
		if err != nil {
			return s.ended(conn, err)
		}
		n, incomplete := s.consume(received)
		if need = 1; incomplete {
			need += len(received) - n
		}
		conn.Discard(n)
		s.flush(conn)
		switch {
		case s.waiting != nil:
			err = s.wait(ctx, conn)
		case s.closing:
			return nil
		default:
			err = conn.Drain()
		}
		if err != nil {
			return s.ended(conn, err)
		}
	}
}

// flush sends the replies so far, which are in the buffer of all. If they are too
// long, none is right any more.
func (s *session) flush(conn *aionet.Conn) {
	if s.out.over {
		conn.Abort()
	} else {
		conn.Enqueue(s.out.buf)
	}
	s.out.over = false
	if s.out.buf = s.out.buf[:0]; cap(s.out.buf) > 4*maxReplies {
		s.out.buf = nil // that was an exception
	}
}

// ended is what there is to say about the end of a connection.
func (s *session) ended(conn *aionet.Conn, err error) error {
	if _, ok := errors.AsType[*aionet.LimitError](err); ok {
		s.out.error("ERR Protocol error: too big request")
		s.flush(conn)
		return nil
	}
	if errors.Is(err, net.ErrClosed) {
		return nil // by ourselves
	}
	return err
}

// wait waits until the session is served, its time is over, or the client is gone.
// For that it waits for input; whoever serves the session cancels it.
func (s *session) wait(ctx context.Context, conn *aionet.Conn) error {
	w := s.waiting
	timeout := w.timeout
	if timeout == 0 {
		timeout = math.MaxInt64
	}
	scope, cancel := asyncio.WithTimeout(ctx, timeout)
	defer cancel()
	w.wake = cancel
	err := watch(scope, conn.In(scope))
	gone := ctx.Err() != nil || !errors.Is(err, scope.Err())
	s.finish(w, gone)
	s.flush(conn)
	if gone {
		return err
	}
	return nil
}

// watch returns when the connection ends or ctx does. What the client sends
// meanwhile stays in the buffer, but there is an end to it: of a client that does
// not wait for its reply it is learned only afterwards that it is gone.
func watch(ctx context.Context, conn *aionet.Conn) error {
	for n := 1; n <= maxLine; {
		received, err := conn.Peek(n)
		if err != nil {
			return err
		}
		n = len(received) + 1
	}
	return asyncio.Sleep(ctx, math.MaxInt64)
}

// clockOf is the clock of the loop that a task runs on.
func clockOf(ctx context.Context) func() time.Time {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	return loop.Now
}
