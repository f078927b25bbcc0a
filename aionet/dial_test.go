package aionet_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// namesOf is a resolver that asks a name server of the test's.
func namesOf(names map[string][]netip.Addr) *aionet.Resolver {
	return &aionet.Resolver{Net: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerNames(server, names)
		return client, nil
	}}}
}

// answerNames serves queries as DNS over TCP does, each with its length before it.
func answerNames(c net.Conn, names map[string][]netip.Addr) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		answer := answerName(query, names)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func answerName(query []byte, names map[string][]netip.Addr) []byte {
	var labels []string
	at := 12
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	answer := append(slices.Clone(query[:at+5]), nil...)
	copy(answer[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	ips, known := names[strings.Join(labels, ".")]
	if !known {
		answer[3] |= 3 // there is no such name
	}
	for _, ip := range ips {
		if is4 := kind == 1; (is4 || kind == 28) && ip.Is4() == is4 {
			answer[7]++
			answer = append(answer, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 60, 0, byte(len(ip.AsSlice())))
			answer = append(answer, ip.AsSlice()...)
		}
	}
	return answer
}

func TestDial_DeadIPv6AndLiveIPv4(t *testing.T) {
	resolver := namesOf(map[string][]netip.Addr{"both.example": {netip.MustParseAddr("100::1"), netip.MustParseAddr("127.0.0.1")}})
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		d := &aionet.Dialer{Resolver: resolver, FallbackDelay: time.Millisecond}
		c, err := d.Dial(ctx, "tcp", "both.example:"+port)
		if err != nil {
			return err
		}
		if got := c.RemoteAddr().String(); got != l.Addr().String() {
			t.Errorf("connected to %s, want %s", got, l.Addr())
		}
		return c.Close()
	})
}

func TestDial_NamesThatDoNotResolve(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := (&aionet.Dialer{Resolver: namesOf(nil)}).Dial(ctx, "tcp", "nobody.example:80")
		var e *net.DNSError
		if !errors.As(err, &e) || !e.IsNotFound {
			t.Errorf("Dial: %v", err)
		}
		wantErr(t, err, "dial tcp nobody.example:80: lookup nobody.example")
		return nil
	})
}

func TestDial_SlowNamesAreCancelled(t *testing.T) {
	var asked atomic.Int32
	slow := &aionet.Resolver{Net: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		asked.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := (&aionet.Dialer{Resolver: slow}).Dial(ctx, "tcp", "slow.example:80")
			return err
		})
		waiting(t, ctx, task)
		task.Cancel(nil)
		if _, err := task.Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		_, err := asyncio.WaitFor(ctx, time.Millisecond, func(ctx context.Context) (*aionet.Conn, error) {
			return (&aionet.Dialer{Resolver: slow}).Dial(ctx, "tcp", "slow.example:80")
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("timed out: %v", err)
		}
		return nil
	})
}

func TestDial_Refused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		address := l.Addr().String()
		_ = l.Close()
		_, err = aionet.Dial(ctx, "tcp", address)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial: %v", err)
		}
		wantErr(t, err, "dial tcp "+address+": connect: connection refused")
		_, err = aionet.Dial(ctx, "unix", filepath.Join(t.TempDir(), "nobody"))
		wantErr(t, err, "nobody: connect: no such file or directory")
		return nil
	})
}

func TestDial_BadArguments(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, c := range []struct{ network, address, local, want string }{
			{"ipx", "127.0.0.1:1", "", "dial ipx 127.0.0.1:1: unknown network ipx"},
			{"tcp", "127.0.0.1", "", "missing port in address"},
			{"tcp", "127.0.0.1:nope", "", "unknown port"},
			{"tcp", "127.0.0.1:70000", "", "invalid port"},
			{"tcp6", "127.0.0.1:1", "", "no suitable address"},
			{"tcp", "127.0.0.1:1", "here", "not an ip:port"},
			{"tcp", "127.0.0.1:1", "[::1]:0", "not of the family of the local address"},
			{"unix", strings.Repeat("x", 200), "", "invalid argument"},
		} {
			_, err := (&aionet.Dialer{LocalAddr: c.local}).Dial(ctx, c.network, c.address)
			wantErr(t, err, c.want)
		}
		return nil
	})
}

func TestDial_LocalAddress(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connectVia(t, ctx, "tcp", "127.0.0.1:0", &aionet.Dialer{LocalAddr: "127.0.0.1:0"})
		if host, _, _ := net.SplitHostPort(server.RemoteAddr().String()); host != "127.0.0.1" {
			t.Errorf("the server sees %s", server.RemoteAddr())
		}
		_ = client.Close()
		return server.Close()
	})
}

func TestDial_Unix(t *testing.T) {
	dir := t.TempDir()
	run(t, func(ctx context.Context) error {
		client, server := connectVia(t, ctx, "unix", filepath.Join(dir, "server"), &aionet.Dialer{LocalAddr: filepath.Join(dir, "client")})
		defer client.Close()
		defer server.Close()
		if got := server.RemoteAddr().String(); got != filepath.Join(dir, "client") {
			t.Errorf("the server sees %q", got)
		}
		if _, err := client.Write([]byte("over a file\n")); err != nil {
			return err
		}
		if line, err := server.ReadLine(); string(line) != "over a file" || err != nil {
			t.Errorf("read %q, %v", line, err)
		}
		wantErr(t, client.SetNoDelay(true), "set unix")
		return nil
	})
}

// A server whose queue is full lets nobody in; Dial is cancelled meanwhile.
func TestDial_CancelledWhileItConnects(t *testing.T) {
	if fallback {
		t.Skip("ListenConfig.Backlog is for systems with a poller")
	}
	run(t, func(ctx context.Context) error {
		l, err := (&aionet.ListenConfig{Backlog: 1}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		for range 10 {
			c, err := asyncio.WaitFor(ctx, 50*time.Millisecond, func(ctx context.Context) (*aionet.Conn, error) {
				return aionet.Dial(ctx, "tcp", l.Addr().String())
			})
			if errors.Is(err, asyncio.ErrTimeout) {
				return nil // and run has counted the descriptors
			}
			if err != nil {
				return err
			}
			defer c.Close()
		}
		t.Error("ten connections in a queue for one")
		return nil
	})
}
