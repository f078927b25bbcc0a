package sim_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

func TestNetwork_OpenNamesWhatIsLeft(t *testing.T) {
	explored(t, 20, func(ctx context.Context, w *sim.World) error {
		_, its := stay(ctx, w, "server")
		l, err := aionet.Listen(its, "tcp", ":80")
		if err != nil {
			return err
		}
		c, err := aionet.Dial(ctx, "tcp", "server:80")
		if err != nil {
			return err
		}
		p, err := aionet.ListenPacket(ctx, "udp", ":53")
		if err != nil {
			return err
		}
		u, err := aionet.Listen(its, "unix", "/run/socket")
		if err != nil {
			return err
		}
		got := w.Net().Open()
		want := []string{
			"server: tcp 0.0.0.0:80 listening",
			"server: unix /run/socket listening",
			"world: tcp 10.1.0.1:32768 -> 10.0.0.1:80",
			"world: udp 0.0.0.0:53",
		}
		if !slices.Equal(got, want) {
			return errors.New("open: " + strings.Join(got, ", "))
		}
		return errors.Join(l.Close(), c.Close(), p.Close(), u.Close())
	})
}

func TestNetwork_EndsWithTheRun(t *testing.T) {
	var left aionet.Stream
	var network *sim.Network
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		network = w.Net()
		_, its := stay(ctx, w, "server")
		_, server, err := (venue{ctx, its, "server", 0}).pair(ctx)
		if err != nil {
			return err
		}
		if _, err := aionet.ListenPacket(its, "udp", ":53"); err != nil {
			return err
		}
		l, err := aionet.Listen(its, "tcp", ":80")
		if err != nil {
			return err
		}
		left, err = network.Connect(ctx, nil, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80})
		if err != nil {
			return err
		}
		asyncio.Go(ctx, func(ctx context.Context) error { return second(server.Read(make([]byte, 1))) })
		asyncio.Go(ctx, func(ctx context.Context) error { return second(aionet.Dial(ctx, "tcp", "10.9.9.9:1")) })
		asyncio.Go(ctx, func(ctx context.Context) error { return second(l.Accept(ctx)) })
		network.Partition(world, nil)
		return second(left.Write([]byte("what stays under way")))
	}, sim.Options{Seeds: 100, Jobs: 1})
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
	if _, err := left.Write([]byte("x")); err != net.ErrClosed {
		t.Errorf("Write: %v", err)
	}
	if _, err := left.Read(make([]byte, 1)); err != net.ErrClosed {
		t.Errorf("Read: %v", err)
	}
	if err := errors.Join(left.Close(), left.Abort()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := network.Connect(t.Context(), nil, left.RemoteAddr()); err != net.ErrClosed {
		t.Errorf("Connect: %v", err)
	}
	if open := network.Open(); len(open) > 0 {
		t.Errorf("open: %q", open)
	}
}

// Two sides that both write and do not read wait for ever: that is found, and named.
func TestNetwork_ADeadlockOfWritersIsFound(t *testing.T) {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).pair(ctx)
		if err != nil {
			return err
		}
		return second(asyncio.Gather(ctx,
			func(ctx context.Context) (int, error) { return client.In(ctx).Write(make([]byte, 1<<20)) },
			func(ctx context.Context) (int, error) { return server.In(ctx).Write(make([]byte, 1<<20)) },
		))
	}, sim.Options{Seeds: 1})
	if f := r.Failure; f == nil || f.Kind != sim.KindDeadlock || strings.Count(f.Err.Error(), "waits for room to write to tcp") != 2 {
		t.Errorf("the campaign ends with %v", f)
	}
}

func TestNetwork_ACancelledConnectLeavesNothing(t *testing.T) {
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		_, its := stay(ctx, w, "server")
		l, err := aionet.Listen(its, "tcp", ":80")
		if err != nil {
			return err
		}
		err = w.Victim(ctx, func(ctx context.Context) error {
			c, err := aionet.Dial(ctx, "tcp", "server:80")
			if err != nil {
				return err
			}
			return c.Close()
		})
		if err != nil && !errors.As(err, new(*asyncio.CancelledError)) {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
		if open := w.Net().Open(); len(open) > 0 {
			return errors.New("left open: " + strings.Join(open, ", "))
		}
		return nil
	}, sim.Options{Seeds: 20})
}

func TestNetwork_MisusePanics(t *testing.T) {
	for _, test := range []struct {
		want string
		do   func(n *sim.Network)
	}{
		{"sim: Network.SetLatency(2s, 1s): give the shortest latency, which is not negative, and the longest",
			func(n *sim.Network) { n.SetLatency(2*time.Second, time.Second) }},
		{"sim: Network.SetLoss(101): it is of a hundred; give 0 to 100", func(n *sim.Network) { n.SetLoss(101) }},
		{"sim: Network.SetBuffers(0): nothing could be sent; give at least 1", func(n *sim.Network) { n.SetBuffers(0) }},
	} {
		r := sim.Explore(func(ctx context.Context, w *sim.World) error {
			test.do(w.Net())
			return nil
		}, sim.Options{Seeds: 1})
		if f := r.Failure; f == nil || f.Kind != sim.KindPanic || !strings.Contains(f.Error(), test.want) {
			t.Errorf("the campaign ends with %v, want %s", f, test.want)
		}
	}
}
