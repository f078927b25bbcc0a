package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// persistent dials until the server listens.
func persistent(ctx context.Context, host string) (*aionet.Conn, error) {
	for {
		c, err := aionet.Dial(ctx, "tcp", host+":7")
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return c, err
		}
		if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func TestHost_CrashResetsItsConnections(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "server", func(ctx context.Context) error { return answering(ctx, parrot) })
		c, err := persistent(ctx, "server")
		if err != nil {
			return err
		}
		defer c.Abort()
		h.Crash()
		err = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := c.In(ctx).ReadLine()
			return err
		})
		sim.Sometimes(ctx, errors.Is(err, syscall.ECONNRESET), "a reader is told at once")
		sim.Sometimes(ctx, errors.Is(err, asyncio.ErrTimeout), "a reader is not told")
		if err == nil || errors.Is(err, io.EOF) {
			return fmt.Errorf("the read of a crashed host ends with %v", err)
		}
		if _, err := ask(ctx, "server", "hello"); err == nil {
			return errors.New("a host that is down answers")
		}
		h.Restart()
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		answer, err := ask(ctx, "server", "hello") // its port is free again
		if answer != "hello" {
			return fmt.Errorf("the host that was started again answers %q: %w", answer, err)
		}
		return nil
	}, sim.Options{Seeds: 200})
}

func TestHost_PausedPacketsWait(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "server", func(ctx context.Context) error { return answering(ctx, parrot) })
		c, err := persistent(ctx, "server")
		if err != nil {
			return err
		}
		defer c.Abort()
		for range w.Draw(5) {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		h.Pause()
		if _, err := c.Write([]byte("hello\n")); err != nil {
			return err
		}
		err = asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			_, err := c.In(ctx).Peek(1)
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			return fmt.Errorf("the paused host sends: %w", err)
		}
		h.Resume()
		began := w.Now()
		line, err := c.ReadLine()
		if string(line) != "hello" || w.Now()-began > time.Second {
			return fmt.Errorf("the host that goes on answers %q after %v: %w", line, w.Now()-began, err)
		}
		return nil
	}, sim.Options{Seeds: 200})
}

// A clock that goes wrong does not make what a host sends arrive late, or out of order.
func TestClock_DriftLeavesTheNetworkAlone(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		var h *sim.Host
		h = w.Host(ctx, "client", func(ctx context.Context) error {
			c, err := persistent(ctx, "server")
			if err != nil {
				return err
			}
			defer c.Close()
			for i := range 10 {
				w.Clock().Drift(h, (w.Draw(3)-1)*500_000)
				if _, err := fmt.Fprintf(c, "%d %d\n", i, w.Now()); err != nil {
					return err
				}
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		server := w.Host(ctx, "server", func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", ":7")
			if err != nil {
				return err
			}
			defer l.Close()
			c, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			next := 0
			for line, err := range c.Lines() {
				if err != nil {
					return err
				}
				var i int
				var sent time.Duration
				_, err := fmt.Sscan(string(line), &i, &sent)
				if took := w.Now() - sent; err != nil || i != next || took < time.Millisecond || took > 10*time.Millisecond {
					return fmt.Errorf("received %q after %v, want line %d: %w", line, took, next, err)
				}
				next++
			}
			return nil
		})
		return errors.Join(h.Wait(ctx), server.Wait(ctx))
	}, sim.Options{Seeds: 200})
}

// A client may crash while its word that it has heard of the consent is under way. The
// server has a connection then, and learns from it that nobody is there.
func TestHost_CrashOfAClientThatConnects(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		conns := 0
		_, its := stay(ctx, w, "server")
		l, err := aionet.Listen(its, "tcp", ":7")
		if err != nil {
			return err
		}
		server := asyncio.Go(its, func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(_ context.Context, c *aionet.Conn) error {
				conns++
				defer func() { conns-- }()
				_, err := c.Peek(1)
				return err
			})
		})
		h := w.Host(ctx, "client", func(ctx context.Context) error {
			c, err := persistent(ctx, "server")
			if err != nil {
				return err
			}
			defer c.Abort()
			return asyncio.Sleep(ctx, 24*time.Hour)
		})
		if err := asyncio.Sleep(ctx, time.Duration(w.Draw(30))*time.Millisecond); err != nil {
			return err
		}
		h.Crash()
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		if conns != 0 {
			return fmt.Errorf("an hour after the crash, %d connections are served", conns)
		}
		server.Cancel(nil)
		_, _ = server.Await(ctx)
		return nil
	}, sim.Options{Seeds: 300})
}
