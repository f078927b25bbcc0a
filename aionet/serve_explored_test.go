package aionet_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// A server whose clients crash, stand still, are cut off and come again keeps its limit,
// serves everybody once the world is whole, and ends in time.
func TestServe_ClientsWithFaults(t *testing.T) {
	t.Run("plain", func(t *testing.T) { clientsWithFaults(t, 200, exchange, nil) })
	t.Run("TLS", func(t *testing.T) { clientsWithFaults(t, 20, secretly, serverConfig()) }) // handshakes cost
}

func clientsWithFaults(t *testing.T, seeds int, client func(ctx context.Context) error, config *tls.Config) {
	const limit, grace = 3, 5 * time.Second
	sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
		handlers := 0
		server := &aionet.Server{MaxConns: limit, Grace: grace, TLS: config, HandshakeTimeout: -1, Handler: func(ctx context.Context, c *aionet.Conn) error {
			handlers++
			defer func() { handlers-- }()
			sim.Sometimes(ctx, handlers == limit, "it is full")
			err := asyncio.Timeout(ctx, 10*time.Second, func(ctx context.Context) error { return echo(ctx, c) })
			sim.Sometimes(ctx, errors.Is(err, asyncio.ErrTimeout), "a client is too slow")
			if errors.Is(err, asyncio.ErrTimeout) {
				return nil
			}
			return err
		}}
		w.Invariant("no more connections than MaxConns", func() error {
			if handlers > limit {
				return fmt.Errorf("%d handlers run", handlers)
			}
			return nil
		})
		host, err := serverHost(ctx, w, server.Serve)
		if err != nil {
			return err
		}
		host.Spare()
		for i := range 5 {
			w.Host(ctx, fmt.Sprint("client", i), visitor(client))
		}
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		w.Quiet()
		if err := asyncio.Timeout(ctx, 10*time.Minute, client); err != nil {
			return fmt.Errorf("a client in a world that is whole: %w", err)
		}
		began := w.Now()
		if err := errors.Join(server.Shutdown(ctx), host.Wait(ctx)); err != nil {
			return err
		}
		if took := w.Now() - began; took > grace+time.Second || handlers != 0 {
			return fmt.Errorf("the end took %v, and %d handlers run", took, handlers)
		}
		return nil
	}), sim.Options{Seeds: seeds, Faults: sim.AllFaults &^ sim.FaultDisk})
}

// visitor is a client again and again, as far as that goes.
func visitor(client func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for ctx.Err() == nil {
			_ = asyncio.Timeout(ctx, 20*time.Second, client)
			_ = asyncio.Sleep(ctx, time.Second)
		}
		return nil
	}
}

// Who ends a server, how often and when, makes no difference: it ends within the grace,
// the second in which handlers are cancelled, and the time that those take against that.
func TestServerEnd_ByManyAtOnce(t *testing.T) {
	const grace = 500 * time.Millisecond
	sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(8)
		server := &aionet.Server{Handler: reluctant, Grace: grace, MaxConns: 3}
		var listeners []*aionet.Listener
		var calls []*asyncio.Task[struct{}]
		for _, port := range []string{":1", ":2"} {
			l, err := aionet.Listen(ctx, "tcp", port)
			if err != nil {
				return err
			}
			listeners = append(listeners, l)
			calls = append(calls, asyncio.Go(ctx, func(ctx context.Context) error { return server.Serve(ctx, l) }))
		}
		clients := crowd(ctx, "world:1", "world:2")
		var last time.Duration
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, end := range []func(ctx context.Context) error{
				server.Shutdown,
				func(ctx context.Context) error {
					err := asyncio.Timeout(ctx, time.Duration(w.Draw(20))*50*time.Millisecond, server.Shutdown)
					if errors.Is(err, asyncio.ErrTimeout) {
						return nil
					}
					return err
				},
				func(context.Context) error { calls[0].Cancel(nil); return nil },
				func(context.Context) error { return listeners[1].Close() },
			} {
				g.Go(func(ctx context.Context) error {
					if err := asyncio.Sleep(ctx, time.Duration(w.Draw(20))*20*time.Millisecond); err != nil {
						return err
					}
					last = max(last, w.Now())
					return end(ctx)
				})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, c := range calls {
			if _, err := c.Await(ctx); unlessCancelled(err) != nil {
				return fmt.Errorf("Serve: %w", err)
			}
			_ = listeners[i].Close() // which a Serve that has never begun did not
		}
		if took := w.Now() - last; took > grace+time.Second+300*time.Millisecond {
			return fmt.Errorf("%v after the last call it has ended", took)
		}
		for _, c := range clients {
			_, _ = c.Await(ctx)
		}
		return nil
	}), sim.Options{Seeds: 400})
}
