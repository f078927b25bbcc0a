//go:build unix

package aionet_test

import (
	"context"
	"net"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"golang.org/x/sys/unix"
)

// A process that runs out of descriptors, and has some again later. Clients wait in the
// system's queue meanwhile.
func TestFlood_OutOfDescriptors(t *testing.T) {
	const clients = 30
	reports := 0
	report := func(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
		if reports++; ec.Message != "socket.accept() out of system resource" {
			t.Errorf("reported: %s: %v", ec.Message, ec.Err)
		}
	}
	runWith(t, asyncio.LoopOptions{ExceptionHandler: report}, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fds := make([]int, clients)
		for i := range fds {
			fds[i] = rawClient(t, l.Addr())
		}
		restore := noMoreThan(t, descriptors(t)+clients/3)
		defer restore()
		ended := 0
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
				defer func() { ended++ }()
				return echo(ctx, c)
			})
		})
		for reports == 0 {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		for i, fd := range fds { // each that leaves makes room for another
			if _, err := unix.Write(fd, []byte("x\n")); err != nil {
				t.Error(err)
			}
			buf := make([]byte, 2)
			for {
				if n, err := unix.Read(fd, buf); n == 2 {
					break
				} else if err != unix.EAGAIN {
					t.Fatalf("client %d: %d, %v", i, n, err)
				}
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			_ = unix.Close(fd)
		}
		for ended < clients {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		_ = l.Close()
		_, err = task.Await(ctx)
		return err
	})
	if reports > clients {
		t.Errorf("%d reports", reports)
	}
}

// rawClient is a socket without a loop that is connected to addr.
func rawClient(t *testing.T, addr net.Addr) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	sa := &unix.SockaddrInet4{Port: addr.(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Connect(fd, sa); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return fd
}

// noMoreThan bounds the descriptors of the process.
func noMoreThan(t *testing.T, n int) (restore func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	less := before
	set(&less.Cur, n)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &less); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}
}

// A read stops at urgent data, and at a descriptor that is passed along: what comes
// behind it is there all the same.
func TestRead_StopsInTheMiddle(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		fd := rawClient(t, l.Addr())
		defer unix.Close(fd)
		server, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		for _, ready := range []bool{false, true} { // before anybody waits, and while somebody does
			got := asyncio.Spawn(ctx, func(context.Context) (string, error) { b, err := server.ReadLine(); return string(b), err })
			if ready {
				waiting(t, ctx, got)
			}
			if err := unix.Sendto(fd, []byte("one!"), unix.MSG_OOB, nil); err != nil {
				return err
			}
			if _, err := unix.Write(fd, []byte("two\n")); err != nil {
				return err
			}
			if line, err := got.Await(ctx); line != "onetwo" || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
		}
		return nil
	})
}

func TestRead_PastAPassedDescriptor(t *testing.T) {
	path := t.TempDir() + "/socket"
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "unix", path)
		if err != nil {
			return err
		}
		defer l.Close()
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
			return err
		}
		server, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		if err := unix.Sendmsg(fd, []byte("with a descriptor "), unix.UnixRights(fd), nil, 0); err != nil {
			return err
		}
		if _, err := unix.Write(fd, []byte("and without\n")); err != nil {
			return err
		}
		if line, err := server.ReadLine(); string(line) != "with a descriptor and without" || err != nil {
			t.Errorf("read %q, %v", line, err)
		}
		return nil
	})
}

// set is an assignment to what is not of one type on all systems.
func set[T int64 | uint64](to *T, n int) { *to = T(n) }
