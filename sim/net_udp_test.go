package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// sockets are a socket of the server, and one of the client that speaks to it alone.
func (v venue) sockets(ctx context.Context) (client, server *aionet.PacketConn, err error) {
	if server, err = aionet.ListenPacket(v.server, "udp", v.host+":0"); err != nil {
		return nil, nil, err
	}
	address := fmt.Sprintf("%s:%d", v.host, server.LocalAddr().(*net.UDPAddr).Port)
	client, err = aionet.DialPacket(v.client, "udp", address)
	return client, server, err
}

func TestDatagram_GoesThereAndBack(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.sockets(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		for _, text := range []string{"one", "", "three, which is longer"} {
			if err := second(client.Write([]byte(text))); err != nil {
				return err
			}
		}
		buf := make([]byte, 8)
		for _, want := range []string{"one", "", "three, w"} { // what does not fit is lost
			n, from, err := server.ReadFrom(buf)
			if err != nil || string(buf[:n]) != want || from.String() != client.LocalAddr().String() {
				return fmt.Errorf("received %q of %v and %v, want %q of %v", buf[:n], from, err, want, client.LocalAddr())
			}
		}
		if _, err := server.WriteTo([]byte("back"), client.LocalAddr()); err != nil {
			return err
		}
		n, err := client.Read(buf)
		if string(buf[:n]) != "back" {
			return fmt.Errorf("received %q and %v", buf[:n], err)
		}
		return nil
	})
}

func second[T any](_ T, err error) error { return err }

func TestDatagram_ToNobodyIsRefused(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.sockets(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		nobody := server.LocalAddr()
		if err := server.Close(); err != nil {
			return err
		}
		if _, err := client.Write([]byte("x")); err != nil {
			return err
		}
		_, err = client.Read(make([]byte, 8))
		if err := wants("a read", err, syscall.ECONNREFUSED); err != nil {
			return err
		}
		any, err := aionet.ListenPacket(v.client, "udp", ":0") // which is not told
		if err != nil {
			return err
		}
		defer any.Close()
		for range 2 {
			if _, err := any.WriteTo([]byte("x"), nobody); err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestDatagram_OfOthersIsNotReceived(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.sockets(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		other, err := aionet.ListenPacket(v.server, "udp", v.host+":0")
		if err != nil {
			return err
		}
		defer other.Close()
		if _, err := other.WriteTo([]byte("other"), client.LocalAddr()); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		if _, err := server.WriteTo([]byte("server"), client.LocalAddr()); err != nil {
			return err
		}
		buf := make([]byte, 8)
		n, err := client.Read(buf)
		if string(buf[:n]) != "server" {
			return fmt.Errorf("received %q and %v", buf[:n], err)
		}
		return nil
	})
}

func TestDatagram_HasALargestSize(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.sockets(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		if _, err := client.Write(make([]byte, 65508)); !errors.Is(err, syscall.EMSGSIZE) {
			return fmt.Errorf("65508 bytes: %v", err)
		}
		if _, err := client.Write(make([]byte, 65507)); err != nil {
			return err
		}
		n, err := server.Read(make([]byte, 70000))
		if n != 65507 {
			return fmt.Errorf("received %d bytes and %v", n, err)
		}
		return nil
	})
}

func TestDatagram_AddressesServeOne(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.sockets(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		_, err = aionet.ListenPacket(v.server, "udp", server.LocalAddr().String())
		return wants("twice", err, syscall.EADDRINUSE)
	})
}

// onOneHost runs a behaviour of Unix sockets on the system's and in simulation.
func onOneHost(t *testing.T, behaviour func(ctx context.Context, path string) error) {
	t.Run("system", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "socket")
		if _, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error { return behaviour(ctx, path) })); err != nil {
			t.Error(err)
		}
	})
	t.Run("simulated", func(t *testing.T) {
		explored(t, 60, func(ctx context.Context, w *sim.World) error { return behaviour(ctx, "/run/socket") })
	})
}

func TestUnix_StreamsWork(t *testing.T) {
	onOneHost(t, func(ctx context.Context, path string) error {
		_, err := aionet.Dial(ctx, "unix", path)
		if err := wants("Dial", err, syscall.ENOENT); err != nil {
			return err
		}
		l, err := aionet.Listen(ctx, "unix", path)
		if err != nil {
			return err
		}
		defer l.Close()
		client, err := aionet.Dial(ctx, "unix", path)
		if err != nil {
			return err
		}
		defer client.Close()
		server, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		_, err = aionet.Listen(ctx, "unix", path)
		if err := wants("Listen twice", err, syscall.EADDRINUSE); err != nil {
			return err
		}
		if got := client.RemoteAddr().String() + " " + server.LocalAddr().String(); got != path+" "+path {
			return fmt.Errorf("addresses %s", got)
		}
		if err := write(client, "hello"); err != nil {
			return err
		}
		if err := client.CloseWrite(); err != nil {
			return err
		}
		return wantsAll(server, "hello", io.EOF)
	})
}

func TestUnix_DatagramsWaitForRoom(t *testing.T) {
	onOneHost(t, func(ctx context.Context, path string) error {
		server, err := aionet.ListenPacket(ctx, "unixgram", path)
		if err != nil {
			return err
		}
		defer server.Close()
		client, err := aionet.DialPacket(ctx, "unixgram", path)
		if err != nil {
			return err
		}
		defer client.Close()
		const many = 2000
		sent := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range many {
				if _, err := client.Write([]byte(strings.Repeat("x", i%100))); err != nil {
					return err
				}
			}
			return nil
		})
		if err := waits(ctx, sent); err != nil {
			return err
		}
		buf := make([]byte, 100)
		for i := range many {
			if n, err := server.Read(buf); n != i%100 {
				return fmt.Errorf("datagram %d has %d bytes, %v", i, n, err)
			}
		}
		_, err = sent.Await(ctx)
		return err
	})
}
