package aionet_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"golang.org/x/sys/unix"
)

// socketOf finds the descriptor of a connection by its addresses.
func socketOf(t *testing.T, c *aionet.Conn) int {
	t.Helper()
	port := func(sa unix.Sockaddr, err error) int {
		if in, ok := sa.(*unix.SockaddrInet4); ok && err == nil {
			return in.Port
		}
		return -1
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		fd, _ := strconv.Atoi(name.Name())
		if port(unix.Getsockname(fd)) == c.LocalAddr().(*net.TCPAddr).Port && port(unix.Getpeername(fd)) == c.RemoteAddr().(*net.TCPAddr).Port {
			return fd
		}
	}
	t.Fatalf("no descriptor of %v", c)
	return -1
}

// options are what the system has set: no delay, keep-alive, and seconds until the first
// probe and between probes.
func options(t *testing.T, c *aionet.Conn) (all [4]int) {
	t.Helper()
	fd := socketOf(t, c)
	for i, o := range [][2]int{{unix.IPPROTO_TCP, unix.TCP_NODELAY}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}} {
		n, err := unix.GetsockoptInt(fd, o[0], o[1])
		if err != nil {
			t.Fatal(err)
		}
		all[i] = n
	}
	return all
}

func TestOptions_OfTheSystem(t *testing.T) {
	for _, c := range []struct {
		keepAlive time.Duration
		want      [4]int
	}{
		{0, [4]int{1, 1, 15, 15}},
		{90 * time.Second, [4]int{1, 1, 90, 90}},
		{time.Millisecond, [4]int{1, 1, 1, 1}},
		{-1, [4]int{1, 0, 7200, 75}},
	} {
		run(t, func(ctx context.Context) error {
			l, err := (&aionet.ListenConfig{KeepAlive: c.keepAlive}).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			accepted := asyncio.Spawn(ctx, l.Accept)
			client, err := (&aionet.Dialer{KeepAlive: c.keepAlive}).Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			defer client.Close()
			server, err := accepted.Await(ctx)
			if err != nil {
				return err
			}
			defer server.Close()
			for who, conn := range map[string]*aionet.Conn{"client": client, "server": server} {
				got := options(t, conn)
				if c.keepAlive < 0 {
					got[2], got[3] = c.want[2], c.want[3] // the system's, and without meaning
				}
				if got != c.want {
					t.Errorf("KeepAlive %v, %s: %v, want %v", c.keepAlive, who, got, c.want)
				}
			}
			return nil
		})
	}
}

func TestOptions_Set(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		if err := client.SetNoDelay(false); err != nil {
			return err
		}
		if err := client.SetKeepAlive(42 * time.Second); err != nil {
			return err
		}
		if got, want := options(t, client), [4]int{0, 1, 42, 42}; got != want {
			t.Errorf("options %v, want %v", got, want)
		}
		if err := client.SetKeepAlive(0); err != nil {
			return err
		}
		if got := options(t, client); got[1] != 0 {
			t.Errorf("options %v, want no keep-alive", got)
		}
		_ = client.Close()
		wantErr(t, client.SetNoDelay(true), "use of closed network connection")
		return nil
	})
}
