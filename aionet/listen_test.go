package aionet_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func TestListen_TheAddressIsFreeAtOnceAfterwards(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		address := server.LocalAddr().String()
		_, err := aionet.Listen(ctx, "tcp", client.LocalAddr().String())
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("an address in use: %v", err)
		}
		wantErr(t, err, "listen tcp "+client.LocalAddr().String()+": bind: address already in use")
		_ = server.Close() // the side that closes first keeps the port for a minute
		_ = client.Close()
		l, err := aionet.Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return l.Close()
	})
}

func TestListen_ReusePort(t *testing.T) {
	run(t, func(ctx context.Context) error {
		shared := &aionet.ListenConfig{ReusePort: true}
		a, err := shared.Listen(ctx, "tcp", "127.0.0.1:0")
		if fallback {
			wantErr(t, err, "not on this system's fallback network")
			return nil
		}
		if err != nil {
			return err
		}
		b, err := shared.Listen(ctx, "tcp", a.Addr().String())
		if err != nil {
			return err
		}
		took := map[*aionet.Listener]int{}
		for _, l := range []*aionet.Listener{a, b} {
			asyncio.Go(ctx, func(ctx context.Context) error {
				for {
					c, err := l.Accept(ctx)
					if err != nil {
						return nil // closed
					}
					took[l]++
					_ = c.Close()
				}
			})
		}
		for range 64 {
			c, err := aionet.Dial(ctx, "tcp", a.Addr().String())
			if err != nil {
				return err
			}
			if _, err := c.Peek(1); err == nil {
				t.Error("nobody sends anything")
			}
			_ = c.Close()
		}
		if took[a] == 0 || took[b] == 0 || took[a]+took[b] != 64 {
			t.Errorf("the two took %d and %d of 64", took[a], took[b])
		}
		_ = a.Close()
		return b.Close()
	})
}

func TestListen_BadArguments(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, c := range []struct{ network, address, want string }{
			{"udp", "127.0.0.1:0", "listen udp 127.0.0.1:0: unknown network udp"},
			{"tcp", "127.0.0.1", "missing port in address"},
			{"tcp", "192.0.2.1:0", "cannot assign requested address"},
			{"tcp6", "127.0.0.1:0", "no suitable address"},
			{"unix", filepath.Join(t.TempDir(), "no", "folder"), "no such file or directory"},
		} {
			_, err := aionet.Listen(ctx, c.network, c.address)
			wantErr(t, err, c.want)
		}
		return nil
	})
}

func TestListen_OnAName(t *testing.T) {
	n := &scripted{hosts: map[string][]netip.Addr{"me": {netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.1")}}}
	n.runQuietly(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "me:7")
		if err != nil {
			return err
		}
		if got := l.Addr().String(); got != "10.0.0.1:7" {
			t.Errorf("listens on %s", got)
		}
		return l.Close()
	})
}

func TestListen_UnixFiles(t *testing.T) {
	dir := t.TempDir()
	exists := func(name string) bool { _, err := os.Lstat(filepath.Join(dir, name)); return err == nil }
	listen := func(ctx context.Context, name string) *aionet.Listener {
		t.Helper()
		l, err := aionet.Listen(ctx, "unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	run(t, func(ctx context.Context) error {
		l := listen(ctx, "closed")
		if !exists("closed") {
			t.Error("there is no file")
		}
		if _, err := aionet.Listen(ctx, "unix", filepath.Join(dir, "closed")); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("while another listens: %v", err)
		}
		if _, err := aionet.Dial(ctx, "unix", filepath.Join(dir, "closed")); err != nil {
			t.Errorf("and that goes on: %v", err)
		}
		_ = l.Close()
		if exists("closed") {
			t.Error("the file is there after Close")
		}

		left, err := net.Listen("unix", filepath.Join(dir, "stale"))
		if err != nil {
			return err
		}
		left.(*net.UnixListener).SetUnlinkOnClose(false)
		_ = left.Close() // as a process that dies
		_ = listen(ctx, "stale").Close()

		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o600); err != nil {
			return err
		}
		if _, err := aionet.Listen(ctx, "unix", filepath.Join(dir, "file")); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("in the place of a file: %v", err)
		}
		if !exists("file") {
			t.Error("a file that is no socket was removed")
		}

		l = listen(ctx, "replaced")
		if err := os.Remove(filepath.Join(dir, "replaced")); err != nil {
			return err
		}
		other := listen(ctx, "replaced")
		_ = l.Close()
		if !exists("replaced") {
			t.Error("the file of another was removed")
		}
		_ = other.Close()

		listen(ctx, "left open") // to the end of the loop
		return nil
	})
	names, err := fs.Glob(os.DirFS(dir), "*")
	if err != nil || len(names) != 1 || names[0] != "file" {
		t.Errorf("files left: %v, %v", names, err)
	}
}

func TestAccept_SeveralTasksTakeOneEach(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		var tasks []*asyncio.Task[*aionet.Conn]
		for range 3 {
			tasks = append(tasks, asyncio.Spawn(ctx, l.Accept))
		}
		waiting(t, ctx, tasks[0], tasks[1], tasks[2])
		tasks[1].Cancel(nil)
		if _, err := tasks[1].Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for range 2 {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
		}
		for _, task := range []*asyncio.Task[*aionet.Conn]{tasks[0], tasks[2]} {
			c, err := task.Await(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
		}
		return l.Close()
	})
}

func TestAccept_CancelledTakesNoConnection(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		client, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer client.Close()
		inner, cancel := asyncio.WithCancel(ctx)
		cancel()
		if _, err := l.Accept(inner); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		server, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		if server.RemoteAddr().String() != client.LocalAddr().String() {
			t.Errorf("took %v, want %v", server.RemoteAddr(), client.LocalAddr())
		}
		_ = server.Close()
		return l.Close()
	})
}

func TestAccept_ManyAtOnceLetOthersRun(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", here)
		if err != nil {
			return err
		}
		var clients []*aionet.Conn
		for range 200 {
			c, err := aionet.Dial(ctx, "tcp", here)
			if err != nil {
				return err
			}
			clients = append(clients, c)
		}
		turns := 0
		counter := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := asyncio.Yield(ctx); err != nil {
					return nil
				}
				turns++
			}
		})
		for range clients {
			c, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			_ = c.Close()
		}
		if turns < 2 {
			t.Errorf("another task had %d turns while 200 connections were accepted", turns)
		}
		counter.Cancel(nil)
		for _, c := range clients {
			_ = c.Close()
		}
		return l.Close()
	})
}

func TestAccept_Closed(t *testing.T) {
	for _, from := range []string{"task", "goroutine"} {
		run(t, func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			task := asyncio.Spawn(ctx, l.Accept)
			waiting(t, ctx, task)
			if got, want := task.WaitingFor(), "connections to tcp "+l.Addr().String(); got != want {
				t.Errorf("waits for %q, want %q", got, want)
			}
			if from == "task" {
				_ = l.Close()
			} else {
				go l.Close()
			}
			_, err = task.Await(ctx)
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed by a %s: %v", from, err)
			}
			wantErr(t, err, "accept tcp "+l.Addr().String()+": use of closed network connection")
			if _, err := l.Accept(ctx); !errors.Is(err, net.ErrClosed) {
				t.Errorf("afterwards: %v", err)
			}
			return l.Close()
		})
	}
}

func TestAccept_AfterTheLoopWasClosed(t *testing.T) {
	var l *aionet.Listener
	run(t, func(ctx context.Context) (err error) {
		l, err = aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		return err
	})
	if _, err := l.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
