package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// Clients that come, misbehave and go, over real sockets. What counts is what is left:
// no descriptor, no goroutine, no report.
func TestFlood_ClientsThatResetAtRandom(t *testing.T) {
	const clients, atATime = 1000, 50
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		served, ended := 0, 0
		server := &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
			served++
			defer func() { ended++ }()
			err := echo(ctx, c)
			if _, long := errors.AsType[*aionet.LimitError](err); long {
				return nil // a line without an end is what some send
			}
			return err
		}}
		task := asyncio.Go(ctx, func(ctx context.Context) error { return server.Serve(ctx, l) })
		random := rand.New(rand.NewPCG(1, 2))
		err = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(atATime)
			for range clients {
				way := random.IntN(6)
				g.Go(func(ctx context.Context) error { return misbehave(ctx, l.Addr().String(), way) })
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := server.Shutdown(ctx); err != nil || !task.Done() {
			t.Errorf("Shutdown: %v", err)
		}
		// One that resets before it is accepted may never be seen.
		if served != ended || served < clients*2/3 {
			t.Errorf("%d connections were served, and %d ended", served, ended)
		}
		return nil
	})
}

// misbehave is a client that leaves in one of several ways.
func misbehave(ctx context.Context, address string, way int) error {
	c, err := aionet.Dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Abort()
	switch way {
	case 0: // at once
	case 1: // in the middle of a line
		_, _ = io.WriteString(c, "half a li")
	case 2: // with answers that nobody reads
		for range 100 {
			c.Enqueue([]byte("line\n"))
		}
		_ = asyncio.Yield(ctx)
	case 3: // in the middle of a write that the server does not take
		_ = asyncio.Timeout(ctx, time.Millisecond, func(context.Context) error {
			for {
				if _, err := c.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		})
	case 4: // after an answer
		if answer, err := asks(c, "hello"); answer != "hello" || err != nil {
			return fmt.Errorf("answer %q, %w", answer, err)
		}
	case 5: // as it should be
		if _, err := io.WriteString(c, "bye"); err != nil {
			return err
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
		if all, err := io.ReadAll(c); string(all) != "bye\n" || err != nil {
			return fmt.Errorf("answer %q, %w", all, err)
		}
	}
	return nil
}
