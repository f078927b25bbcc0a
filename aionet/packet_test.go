package aionet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func listenPacket(t *testing.T, ctx context.Context, network, address string) *aionet.PacketConn {
	t.Helper()
	c, err := aionet.ListenPacket(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dialPacket(t *testing.T, ctx context.Context, network, address string) *aionet.PacketConn {
	t.Helper()
	c, err := aionet.DialPacket(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPacket_AnswersWhoeverAsks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, test := range []struct{ network, listen, dial string }{
			{"udp", "127.0.0.1:0", "127.0.0.1"}, {"udp4", "127.0.0.1:0", "127.0.0.1"}, {"udp6", "[::1]:0", "::1"},
			{"udp", ":0", "127.0.0.1"}, {"udp", ":0", "::1"}, {"udp", "", "127.0.0.1"}, {"udp", "localhost:0", "localhost"},
		} {
			server := listenPacket(t, ctx, test.network, test.listen)
			_, port, err := net.SplitHostPort(server.LocalAddr().String())
			if err != nil {
				return err
			}
			client := dialPacket(t, ctx, test.network, net.JoinHostPort(test.dial, port))
			if client.LocalAddr().Network() != "udp" || server.LocalAddr().Network() != "udp" {
				t.Errorf("%v: local addresses %T and %T", test, client.LocalAddr(), server.LocalAddr())
			}
			if client.RemoteAddr() == nil || server.RemoteAddr() != nil {
				t.Errorf("%v: remote addresses %v and %v", test, client.RemoteAddr(), server.RemoteAddr())
			}
			if n, err := client.Write([]byte("question")); n != 8 || err != nil {
				t.Errorf("%v: Write: %d, %v", test, n, err)
			}
			buf := make([]byte, 100)
			n, from, err := server.ReadFrom(buf)
			if string(buf[:n]) != "question" || err != nil || from.String() != client.LocalAddr().String() || from.Network() != "udp" {
				t.Errorf("%v: read %q from %v, %v; want it from %v", test, buf[:n], from, err, client.LocalAddr())
			}
			if n, err := server.WriteTo([]byte("answer"), from); n != 6 || err != nil {
				t.Errorf("%v: WriteTo: %d, %v", test, n, err)
			}
			if n, err = client.Read(buf); string(buf[:n]) != "answer" || err != nil {
				t.Errorf("%v: read %q, %v", test, buf[:n], err)
			}
			_, _ = client.Close(), server.Close()
		}
		return nil
	})
}

func TestPacket_Borders(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		client := dialPacket(t, ctx, "udp", server.LocalAddr().String())
		for _, p := range []string{"one", "", "a long one", "four"} {
			if n, err := client.Write([]byte(p)); n != len(p) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		buf := make([]byte, 6)
		for _, want := range []string{"one", "", "a long", "four"} { // each alone, and cut off
			if n, err := server.Read(buf); string(buf[:n]) != want || err != nil {
				t.Errorf("read %q, %v, want %q", buf[:n], err, want)
			}
		}
		_, err := client.Write(make([]byte, 70_000))
		wantErr(t, err, "message too long")
		return errors.Join(client.Close(), server.Close())
	})
}

func TestPacket_Misuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		client := dialPacket(t, ctx, "udp", server.LocalAddr().String())
		_, err := client.WriteTo([]byte("x"), server.LocalAddr())
		if !errors.Is(err, net.ErrWriteToConnected) {
			t.Errorf("WriteTo of a socket that was dialled: %v", err)
		}
		if _, err := server.Write([]byte("x")); err == nil {
			t.Error("Write of a socket that was not dialled succeeded")
		}
		for _, test := range []struct{ network, address, text string }{
			{"udp", "127.0.0.1", "listen udp 127.0.0.1: address 127.0.0.1: missing port in address"},
			{"tcp", "127.0.0.1:0", "listen tcp 127.0.0.1:0: unknown network tcp"},
			{"udp", server.LocalAddr().String(), "address already in use"},
		} {
			c, err := aionet.ListenPacket(ctx, test.network, test.address)
			wantErr(t, err, test.text)
			if c != nil {
				t.Errorf("%v: a socket and an error", test)
			}
		}
		_, err = aionet.DialPacket(ctx, "udp", "")
		wantErr(t, err, "missing port in address")
		return errors.Join(client.Close(), server.Close())
	})
}

// The system says that nobody listens, and the socket is usable after that.
func TestPacket_Refused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		address := server.LocalAddr().String()
		_ = server.Close()
		client := dialPacket(t, ctx, "udp", address)
		defer client.Close()
		for range 2 {
			if _, err := client.Write([]byte("anybody?")); err != nil {
				return err
			}
			_, err := client.Read(make([]byte, 10))
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("Read: %v", err)
			}
			wantErr(t, err, "read udp "+client.LocalAddr().String()+"->"+address)
		}
		server = listenPacket(t, ctx, "udp", address)
		defer server.Close()
		if _, err := client.Write([]byte("anybody?")); err != nil {
			return err
		}
		buf := make([]byte, 10)
		if n, err := server.Read(buf); string(buf[:n]) != "anybody?" || err != nil {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		return nil
	})
}

func TestPacket_UnixSockets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "server")
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "unixgram", path)
		client := listenPacket(t, ctx, "unixgram", filepath.Join(dir, "client"))
		if _, err := client.WriteTo([]byte("question"), server.LocalAddr()); err != nil {
			return err
		}
		buf := make([]byte, 10)
		n, from, err := server.ReadFrom(buf)
		if string(buf[:n]) != "question" || err != nil || from.String() != client.LocalAddr().String() || from.Network() != "unixgram" {
			t.Errorf("read %q from %v, %v", buf[:n], from, err)
		}
		if _, err := server.WriteTo([]byte("answer"), from); err != nil {
			return err
		}
		if n, err := client.Read(buf); string(buf[:n]) != "answer" || err != nil {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		nameless := dialPacket(t, ctx, "unixgram", path)
		var reading *asyncio.Task[struct{}]
		for i := range 100 { // more than the queue takes: it waits for the reader
			if i == 5 {
				reading = asyncio.Go(ctx, func(context.Context) error {
					for range 100 {
						if n, err := server.Read(buf); n != 1 || err != nil {
							t.Errorf("read %q, %v", buf[:n], err)
						}
					}
					return server.Close()
				})
			}
			if _, err := nameless.Write([]byte{byte(i)}); err != nil {
				return err
			}
		}
		_, err = reading.Await(ctx)
		return errors.Join(err, nameless.Close(), client.Close())
	})
	if left, err := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 || err != nil {
		t.Errorf("files left: %v, %v", left, err)
	}
}

func TestPacket_TheFileOfADeadProcessIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	dead, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close() // which leaves the file
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		first := listenPacket(t, ctx, "unixgram", path)
		if _, err := aionet.ListenPacket(ctx, "unixgram", path); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second socket on a file in use: %v", err)
		}
		return first.Close()
	})
}

func TestPacket_CancellationAndDeadlines(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		client := dialPacket(t, ctx, "udp", server.LocalAddr().String())
		read := func(ctx context.Context) error { _, err := server.In(ctx).Read(make([]byte, 1)); return err }
		reading := asyncio.Go(ctx, read)
		for reading.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		if got, want := reading.WaitingFor(), "<PacketConn "+server.LocalAddr().String()+">"; got != want {
			t.Errorf("waits for %q, want %q", got, want)
		}
		if err := read(ctx); !errors.Is(err, aionet.ErrBusy) {
			t.Errorf("a second reader: %v", err)
		}
		why := errors.New("because")
		reading.Cancel(why)
		if _, err := reading.Await(ctx); !errors.Is(err, why) {
			t.Errorf("cancelled: %v", err)
		}
		if err := asyncio.Timeout(ctx, time.Millisecond, read); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("within a timeout: %v", err)
		}
		_ = server.SetReadDeadline(time.Now().Add(time.Millisecond))
		if err := read(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("past the deadline: %v", err)
		}
		_ = server.SetDeadline(time.Time{})
		_ = client.SetWriteDeadline(time.Now())
		if _, err := client.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("written past the deadline: %v", err)
		}
		_ = client.SetDeadline(time.Time{})
		if _, err := client.Write([]byte("y")); err != nil {
			return err
		}
		if err := read(ctx); err != nil {
			t.Errorf("after all that: %v", err)
		}
		return errors.Join(client.Close(), server.Close())
	})
}

func TestPacket_ClosedByAGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		reading := asyncio.Go(ctx, func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		pause(t, ctx)
		go c.Close()
		if _, err := reading.Await(ctx); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		if _, err := c.WriteTo([]byte("x"), c.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("WriteTo: %v", err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Hour)) // and no timer is left
		return c.Close()
	})
}

// Whoever gets an answer to each datagram before the next loses none on the loopback.
func TestPacket_TenThousand(t *testing.T) {
	const count, peers = 10_000, 10
	run(t, func(ctx context.Context) error {
		server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		echoing := asyncio.Go(ctx, func(context.Context) error {
			buf := make([]byte, 1500)
			for {
				n, from, err := server.ReadFrom(buf)
				if errors.Is(err, net.ErrClosed) {
					return nil
				}
				if err == nil {
					_, err = server.WriteTo(buf[:n], from)
				}
				if err != nil {
					return err
				}
			}
		})
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for p := range peers {
				g.Go(func(ctx context.Context) error {
					c := dialPacket(t, ctx, "udp", server.LocalAddr().String()).In(ctx)
					sent, got := bytes.Repeat([]byte{byte(p)}, 1000), make([]byte, 1500)
					for i := range count / peers {
						binary.BigEndian.PutUint32(sent, uint32(i))
						if _, err := c.Write(sent); err != nil {
							return err
						}
						if n, err := c.Read(got); !bytes.Equal(got[:n], sent) || err != nil {
							t.Errorf("peer %d, datagram %d: %d bytes, %v", p, i, n, err)
							return err
						}
					}
					return c.Close()
				})
			}
			return nil
		})
		_ = server.Close()
		_, failed := echoing.Await(ctx)
		return errors.Join(err, failed)
	})
}

// The deadline of a scope is on the loop's clock, which means nothing to the system.
func TestPacket_OnAnotherClock(t *testing.T) {
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		return asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error {
			server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
			c := dialPacket(t, ctx, "udp", server.LocalAddr().String())
			if !strings.HasPrefix(c.String(), "<PacketConn 127.0.0.1:") {
				t.Errorf("it is called %v", c)
			}
			return errors.Join(c.Close(), server.Close())
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// What is open when the loop closes is closed with it, and leaves no file.
func TestPacket_LeftToTheLoop(t *testing.T) {
	dir := t.TempDir()
	run(t, func(ctx context.Context) error {
		c := listenPacket(t, ctx, "udp", "127.0.0.1:0")
		dialPacket(t, ctx, "udp", c.LocalAddr().String())
		listenPacket(t, ctx, "unixgram", filepath.Join(dir, "socket"))
		pipe(t, ctx)
		connectTLS(t, ctx)
		return nil
	})
	if left, err := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 || err != nil {
		t.Errorf("files left: %v, %v", left, err)
	}
}
