package main

import (
	"context"
	"errors"
	"io"
	"math"
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
		e.earlier.Clear()
	}
}

// turns is how many times a client is served before others have to have had their
// turn: one that sends without a pause never makes its task wait.
const turns = 16

// converse is the task of a connection. It executes what has arrived, all of it in
// one step, and then waits for more.
func (e *engine) converse(ctx context.Context, conn *aionet.Conn) error {
	s := e.open(conn)
	defer s.close()
	conn.SetReadLimit(e.request)
	need := 1
	for turn := 1; ; turn++ {
		received, err := conn.Peek(need)
		if err != nil {
			return s.refuse(conn, err)
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
		case conn.Unsent() > maxReplies:
			err = conn.Drain()
		case turn%turns == 0:
			err = asyncio.Yield(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// flush sends the replies so far, which are in the buffer of all.
func (s *session) flush(conn *aionet.Conn) {
	conn.Enqueue(s.out.buf)
	if s.out.buf = s.out.buf[:0]; cap(s.out.buf) > 4*maxReplies {
		s.out.buf = nil // that was an exception
	}
}

// refuse says why nothing more is read, if it is the client's fault.
func (s *session) refuse(conn *aionet.Conn, err error) error {
	var limit *aionet.LimitError
	if errors.As(err, &limit) {
		s.out.error("ERR Protocol error: too big request")
		s.flush(conn)
		return nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// wait waits until the session is served, its time is over, or the client is gone.
// It waits for the client: whoever serves the session cancels that.
func (s *session) wait(ctx context.Context, conn *aionet.Conn) error {
	w := s.waiting
	timeout := w.timeout
	if timeout == 0 {
		timeout = math.MaxInt64
	}
	scope, cancel := asyncio.WithTimeout(ctx, timeout)
	defer cancel()
	w.wake = cancel
	err := s.watchPeer(conn.In(scope))
	gone := scope.Err() == nil || ctx.Err() != nil
	s.finish(w, gone)
	s.flush(conn)
	if gone {
		return err
	}
	return nil
}

// watchPeer returns when the connection ends or conn's scope is cancelled. What the
// client sends meanwhile stays in the buffer.
func (s *session) watchPeer(conn *aionet.Conn) error {
	for n := 1; ; {
		received, err := conn.Peek(n)
		if err != nil {
			return err
		}
		n = len(received) + 1
	}
}

// A clock of the loop is that of its keys.
func clockOf(ctx context.Context) func() time.Time {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err) // a task has one
	}
	return loop.Now
}
