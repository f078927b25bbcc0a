package aionet_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"golang.org/x/sys/unix"
)

// vanish ends the client's side of a connection without a word to the other side, as a
// machine does that loses power: a socket that is being repaired (see tcp(7)) closes so.
func vanish(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	}); err != nil {
		t.Fatal(err)
	}
	if errors.Is(failed, unix.EPERM) {
		t.Skip("TCP_REPAIR needs CAP_NET_ADMIN, which this process has not")
	}
	if failed != nil {
		t.Fatal(failed)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// vanished is the end of a connection whose other end has vanished.
func vanished(t *testing.T, ctx context.Context, lc *aionet.ListenConfig) *aionet.Conn {
	t.Helper()
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String()) // which does not wait
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	vanish(t, peer.(*net.TCPConn))
	return c
}

func TestHalfOpen_KeepAliveFindsThePeerGone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := vanished(t, ctx, &aionet.ListenConfig{KeepAlive: time.Second})
		defer c.Close()
		_, err := c.Read(make([]byte, 1))
		wantErr(t, err, "connection reset by peer")
		return nil
	})
}

func TestHalfOpen_AWriteFindsThePeerGone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := vanished(t, ctx, &aionet.ListenConfig{KeepAlive: -1})
		defer c.Close()
		reader := asyncio.Go(ctx, func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		if err := asyncio.Timeout(ctx, 10*time.Millisecond, func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, asyncio.AllDone, reader)
			return err
		}); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("without probes nothing tells, and only a timeout ends the wait: %v", err)
		}
		if _, err := c.Write([]byte("are you there?")); err != nil {
			return err
		}
		_, err := reader.Await(ctx)
		wantErr(t, err, "connection reset by peer")
		return nil
	})
}
