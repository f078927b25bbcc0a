package aionet_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
)

// here is an address of the simulated network that the tests listen on.
const here = "10.1.0.1:1"

// simulate runs main once on a simulated network on which nothing takes time. Nothing
// may be reported, or open afterwards.
func simulate(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	sim.Run(t, closing(func(ctx context.Context, w *sim.World) error {
		w.Net().SetLatency(0, 0)
		w.Net().SetLinkLatency(nil, nil, 0, 0)
		return main(ctx)
	}))
	if left := asynciotest.Goroutines(0); left != "" {
		t.Errorf("goroutines left behind:\n%s", left)
	}
}

// closing fails the runs of f in which something is open when the loop closes.
func closing(f sim.Func) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		err = f(ctx, w)
		l.OnClose(func() { // before the network, which has registered itself earlier
			if open := w.Net().Open(); len(open) > 0 {
				w.Fail(fmt.Errorf("left open: %q", open))
			}
		})
		return err
	}
}

// room has the connections that follow hold so many bytes, at both ends together.
func room(ctx context.Context, bytes int) { sim.From(ctx).Net().SetBuffers(max(bytes/2, 1)) }

// now is the loop's time.
func now(t *testing.T, ctx context.Context) time.Time {
	t.Helper()
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l.Now()
}

// connectIn is connect in simulation.
func connectIn(t *testing.T, ctx context.Context) (client, server *aionet.Conn) {
	t.Helper()
	return connectVia(t, ctx, "tcp", here, &aionet.Dialer{})
}

// connectHosts is connectIn where the server is on another host.
func connectHosts(t *testing.T, ctx context.Context) (client, server *aionet.Conn) {
	t.Helper()
	accepted := asyncio.NewFuture[*aionet.Conn](ctx)
	sim.From(ctx).Host(ctx, "server", func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", ":1")
		if err != nil {
			return err
		}
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		accepted.SetResult(c)
		return l.Close()
	})
	pause(t, ctx)
	client = dial(t, ctx, "server:1")
	server, err := accepted.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// simulatedClientConfig is clientConfig where the time is simulated, which begins in 2000.
func simulatedClientConfig() *tls.Config {
	c := clientConfig()
	c.Time = time.Now
	return c
}
