package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// echoHost is a host that sends back what it gets, until the end of the run.
func echoHost(ctx context.Context, w *sim.World, serve func(ctx context.Context, l *aionet.Listener, h aionet.Handler) error) (*sim.Host, error) {
	var up asyncio.Event
	h := w.Host(ctx, "echo", func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", ":7")
		if err != nil {
			return err
		}
		up.Set()
		err = serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
			_, err := io.Copy(c, c)
			if err == nil {
				err = c.CloseWrite()
			}
			return unlessCrashed(err)
		})
		if errors.As(err, new(*asyncio.CancelledError)) {
			return nil
		}
		return unlessCrashed(err)
	})
	return h, up.Wait(ctx)
}

// unlessCrashed is err, but of a host whose sockets are gone.
func unlessCrashed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// talk sends n bytes in pieces of drawn sizes to the echo and reads them back. With an
// error, what came back must still be the beginning of what was sent.
func talk(ctx context.Context, w *sim.World, d *aionet.Dialer, n int) error {
	c, err := d.Dial(ctx, "tcp", "echo:7")
	if err != nil {
		return err
	}
	defer c.Close()
	sent := pattern(n)
	var got bytes.Buffer
	err = second(asyncio.Gather(ctx, asyncio.Void(func(ctx context.Context) error {
		for rest := sent; len(rest) > 0; {
			piece := rest[:min(len(rest), 2000-w.Draw(2000))]
			rest = rest[len(piece):]
			if err := second(c.In(ctx).Write(piece)); err != nil {
				return err
			}
		}
		return c.In(ctx).CloseWrite()
	}), asyncio.Void(func(ctx context.Context) error {
		return second(got.ReadFrom(c.In(ctx)))
	})))
	if !bytes.HasPrefix(sent, got.Bytes()) {
		return fmt.Errorf("%d bytes came back, which are not the first that were sent (%v)", got.Len(), err)
	}
	if err == nil && got.Len() != n {
		return fmt.Errorf("%d of %d bytes came back", got.Len(), n)
	}
	return err
}

// havoc is a network that does what it can.
func havoc(w *sim.World) {
	n := w.Net()
	n.SetBuffers([]int{64 << 10, 3000, 500, 100}[w.Draw(4)])
	n.SetLatency(time.Millisecond, 300*time.Millisecond)
	n.SetLoss(5)
	n.Rule(func(p sim.Packet) sim.Verdict {
		switch w.Draw(20) {
		case 18:
			return sim.Drop
		case 17:
			return sim.Duplicate
		case 16:
			return sim.Delay(time.Duration(w.Draw(5)) * time.Second)
		}
		return sim.Deliver
	})
}

// split parts the hosts again and again, for less time than connections survive. Then
// there is peace.
func split(ctx context.Context, w *sim.World) error {
	n := w.Net()
	defer func() {
		n.Heal()
		n.Rule(nil)
		n.SetLoss(0)
	}()
	for range 5 {
		if err := asyncio.Sleep(ctx, time.Duration(1+w.Draw(2000))*time.Millisecond); err != nil {
			return err
		}
		switch w.Draw(4) {
		case 0:
			n.Partition(world, nil)
		case 1:
			n.Hold(world, nil)
		case 2:
			n.PartitionOneWay(world, nil)
		case 3:
			n.Heal()
		}
	}
	return asyncio.Sleep(ctx, 2*time.Second)
}

func TestExplore_NoByteIsLost(t *testing.T) {
	campaign(t, 400, func(ctx context.Context, w *sim.World) error {
		if _, err := echoHost(ctx, w, aionet.Serve); err != nil {
			return err
		}
		havoc(w)
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { return split(ctx, w) })
			for range 2 {
				g.Go(func(ctx context.Context) error { return talk(ctx, w, &aionet.Dialer{}, 4000) })
			}
			return nil
		})
		sim.Sometimes(ctx, w.Now() > 20*time.Second, "it took long")
		if err == nil {
			err = asyncio.Sleep(ctx, time.Minute) // the server closes, too
		}
		if open := w.Net().Open(); err == nil && !slices.Equal(open, []string{"echo: tcp 0.0.0.0:7 listening"}) {
			err = fmt.Errorf("left open: %q", open)
		}
		return err
	})
}

// With a crash, what has come back is still the beginning of what was sent, and nobody
// waits for ever.
func TestExplore_ACrashLosesOnlyTheEnd(t *testing.T) {
	campaign(t, 400, func(ctx context.Context, w *sim.World) error {
		h, err := echoHost(ctx, w, aionet.Serve)
		if err != nil {
			return err
		}
		havoc(w)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				if err := asyncio.Sleep(ctx, time.Duration(w.Draw(2000))*time.Millisecond); err != nil {
					return err
				}
				w.Net().Crash(h, w.Chance(50))
				return nil
			})
			for range 2 {
				g.Go(func(ctx context.Context) error {
					err := talk(ctx, w, &aionet.Dialer{}, 4000)
					sim.Sometimes(ctx, errors.Is(err, syscall.ECONNRESET), "reset")
					sim.Sometimes(ctx, errors.Is(err, syscall.ECONNREFUSED), "refused")
					sim.Sometimes(ctx, err == nil, "all was well")
					if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE) {
						return nil
					}
					return err
				})
			}
			return nil
		})
	})
}

func TestExplore_ReadsAndWritesAreCutShort(t *testing.T) {
	campaign(t, 100, func(ctx context.Context, w *sim.World) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		client, err := w.Net().Connect(ctx, nil, l.Addr())
		if err != nil {
			return err
		}
		server, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		wrote, err := client.Write([]byte("abcd"))
		if err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		read, err := server.Read(make([]byte, 4))
		sim.Sometimes(ctx, wrote == 1, "one byte is written")
		sim.Sometimes(ctx, wrote == 2, "half is written")
		sim.Sometimes(ctx, wrote == 3, "all but one is written")
		sim.Sometimes(ctx, read < wrote, "less is read than has come")
		sim.Sometimes(ctx, read == 4, "everything")
		return err
	})
}

func TestExplore_SharedAddressesSpreadConnections(t *testing.T) {
	campaign(t, 50, func(ctx context.Context, w *sim.World) error {
		lc := &aionet.ListenConfig{ReusePort: true}
		one, err := lc.Listen(ctx, "tcp", "127.0.0.1:80")
		if err != nil {
			return err
		}
		two, err := lc.Listen(ctx, "tcp", "127.0.0.1:80")
		if err != nil {
			return err
		}
		if err := wants("a third that does not share", second(aionet.Listen(ctx, "tcp", "127.0.0.1:80")), syscall.EADDRINUSE); err != nil {
			return err
		}
		if err := second(aionet.Dial(ctx, "tcp", "127.0.0.1:80")); err != nil {
			return err
		}
		taken := func(l *aionet.Listener) bool {
			return asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return second(l.Accept(ctx)) }) == nil
		}
		first, other := taken(one), taken(two)
		if first == other {
			return fmt.Errorf("accepted by the first: %v, by the second: %v", first, other)
		}
		sim.Sometimes(ctx, first, "the first")
		sim.Sometimes(ctx, other, "the second")
		return nil
	})
}
