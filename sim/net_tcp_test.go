package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// connected runs a behaviour of a connection everywhere.
func connected(t *testing.T, behaviour func(ctx context.Context, v venue, client, server *aionet.Conn) error) {
	t.Helper()
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.pair(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		return behaviour(ctx, v, client, server)
	})
}

func TestStream_DataComesBeforeTheEnd(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(client, "one"); err != nil {
			return err
		}
		if err := write(client, "two"); err != nil {
			return err
		}
		if err := client.Close(); err != nil {
			return err
		}
		return wantsAll(server, "onetwo", io.EOF)
	})
}

func TestStream_IsClosedByHalves(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(client, "question"); err != nil {
			return err
		}
		if err := client.CloseWrite(); err != nil {
			return err
		}
		if err := wantsAll(server, "question", io.EOF); err != nil {
			return err
		}
		if err := write(server, "answer"); err != nil {
			return err
		}
		if err := server.CloseWrite(); err != nil {
			return err
		}
		return wantsAll(client, "answer", io.EOF)
	})
}

func TestStream_AbortResetsTheOtherSide(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		server.Abort()
		_, err := client.Read(make([]byte, 10))
		if err := wants("the first read", err, syscall.ECONNRESET); err != nil {
			return err
		}
		_, err = client.Read(make([]byte, 10))
		if err := wants("the second read", err, io.EOF); err != nil {
			return err
		}
		return wants("a write", write(client, "x"), syscall.EPIPE)
	})
}

func TestStream_AResetIsToldToWhoeverComesFirst(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		server.Abort()
		if err := wants("a write", writeUntilError(ctx, client), syscall.ECONNRESET); err != nil {
			return err
		}
		_, err := client.Read(make([]byte, 10))
		return wants("a read after it", err, io.EOF)
	})
}

func TestStream_WhatCameBeforeAResetCanBeRead(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(server, "last words"); err != nil {
			return err
		}
		if _, err := client.Peek(1); err != nil { // they have come
			return err
		}
		server.Abort()
		return wantsAll(client, "last words", syscall.ECONNRESET)
	})
}

func TestStream_AWriteToAClosedPeerBreaksThePipe(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(server, "bye"); err != nil {
			return err
		}
		if err := server.Close(); err != nil {
			return err
		}
		if err := wantsAll(client, "bye", io.EOF); err != nil {
			return err
		}
		if err := wants("writes", writeUntilError(ctx, client), syscall.EPIPE); err != nil {
			return err
		}
		_, err := client.Read(make([]byte, 10))
		return wants("a read after it", err, io.EOF)
	})
}

func TestStream_WhatThePeerSentCanBeReadAfterTheRefusal(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(server, "bye"); err != nil {
			return err
		}
		if err := server.Close(); err != nil {
			return err
		}
		if b, err := client.Peek(3); err != nil {
			return fmt.Errorf("%q: %w", b, err)
		}
		if err := writeUntilError(ctx, client); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			return err // which of them depends on whether the end has come already
		}
		return wantsAll(client, "bye", io.EOF)
	})
}

func TestStream_CloseWithUnreadDataResets(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		if err := write(client, "unread"); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 50*time.Millisecond); err != nil { // until all of it is there
			return err
		}
		if err := server.Close(); err != nil {
			return err
		}
		_, err := client.Read(make([]byte, 10))
		return wants("a read", err, syscall.ECONNRESET)
	})
}

func TestStream_AWriterWaitsForAReader(t *testing.T) {
	connected(t, func(ctx context.Context, v venue, client, server *aionet.Conn) error {
		sent := pattern(v.much)
		written := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			n, err := client.Write(sent)
			if err == nil {
				err = client.CloseWrite()
			}
			return n, err
		})
		if err := waits(ctx, written); err != nil {
			return err
		}
		got, err := io.ReadAll(server)
		if err != nil {
			return err
		}
		if string(got) != string(sent) {
			return fmt.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(sent))
		}
		n, err := written.Await(ctx)
		if n != len(sent) {
			return fmt.Errorf("Write: %d of %d", n, len(sent))
		}
		return err
	})
}

// pattern is n bytes of which each tells its place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestConnect_IsRefusedWhereNobodyListens(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		l, err := v.listen(new(aionet.ListenConfig))
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
		_, err = aionet.Dial(v.client, "tcp", v.address(l))
		return wants("Dial", err, syscall.ECONNREFUSED)
	})
}

func TestListen_AnAddressServesOne(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		client, server, err := v.pair(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		address := server.LocalAddr().String() // of a listener that is closed, with a connection that is not
		again, err := aionet.Listen(v.server, "tcp", address)
		if err != nil {
			return fmt.Errorf("again: %w", err)
		}
		defer again.Close()
		_, err = aionet.Listen(v.server, "tcp", address)
		if err := wants("twice", err, syscall.EADDRINUSE); err != nil {
			return err
		}
		_, err = aionet.Listen(v.server, "tcp", fmt.Sprintf(":%d", again.Addr().(*net.TCPAddr).Port))
		if err := wants("everywhere", err, syscall.EADDRINUSE); err != nil {
			return err
		}
		_, err = aionet.Listen(v.server, "tcp", "192.0.2.1:0")
		return wants("elsewhere", err, syscall.EADDRNOTAVAIL)
	})
}

func TestListen_TheBacklogIsFinite(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		l, err := v.listen(&aionet.ListenConfig{Backlog: 1})
		if err != nil {
			return err
		}
		defer l.Close()
		for range 2 { // Linux lets one more wait than it was told
			c, err := aionet.Dial(v.client, "tcp", v.address(l))
			if err != nil {
				return err
			}
			defer c.Close()
			if err := asyncio.Sleep(ctx, 20*time.Millisecond); err != nil { // for the last packet of the handshake
				return err
			}
		}
		third := asyncio.Spawn(v.client, func(ctx context.Context) (*aionet.Conn, error) {
			return aionet.Dial(ctx, "tcp", v.address(l))
		})
		if err := waits(ctx, third); err != nil {
			return err
		}
		for range 3 { // the third asks again after a second
			c, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
		}
		c, err := third.Await(ctx)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

func TestListen_CloseResetsWhatWasNotAccepted(t *testing.T) {
	venues(t, func(ctx context.Context, v venue) error {
		l, err := v.listen(new(aionet.ListenConfig))
		if err != nil {
			return err
		}
		c, err := aionet.Dial(v.client, "tcp", v.address(l))
		if err != nil {
			return err
		}
		defer c.Close()
		if err := l.Close(); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 10))
		return wants("a read", err, syscall.ECONNRESET)
	})
}

// Without latency everything arrives, too, and at the time at which it was sent: also what
// has to wait for room.
func TestStream_WithoutLatency(t *testing.T) {
	explored(t, 200, func(ctx context.Context, w *sim.World) error {
		w.Net().SetLinkLatency(nil, nil, 0, 0)
		w.Net().SetBuffers(1)
		client, server, err := (venue{client: ctx, server: ctx, host: "127.0.0.1"}).pair(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		began := w.Now()
		writer := asyncio.Go(ctx, func(context.Context) error {
			return errors.Join(write(client, "ten bytes!"), client.Close())
		})
		if err := wantsAll(server, "ten bytes!", io.EOF); err != nil {
			return err
		}
		if took := w.Now() - began; took != 0 {
			return fmt.Errorf("it took %v", took)
		}
		_, err = writer.Await(ctx)
		return err
	})
}
