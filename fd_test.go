//go:build unix

package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sys/unix"
)

// sockets is two connected sockets, closed with the test.
func sockets(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// register is Register on the loop of ctx, for a test.
func register(t *testing.T, ctx context.Context, fd int) *asyncio.FD {
	t.Helper()
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Register(uintptr(fd))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func send(t *testing.T, fd int, text string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func receive(t *testing.T, fd int) string {
	t.Helper()
	buf := make([]byte, 100)
	n, err := unix.Read(fd, buf)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(buf[:n])
}

// runReal is run on the machine's clock, for what descriptors do.
func runReal(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	noLeaks(t)
	b := newBench()
	b.Options.Clock = nil
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := b.Run(ctx, main); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := b.log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

func TestFD_WaitReadable(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		var s story
		reader := asyncio.Go(ctx, func(ctx context.Context) error {
			for range 3 {
				if err := f.WaitReadable(ctx); err != nil {
					return err
				}
				s.add("read %s", receive(t, a))
			}
			return nil
		})
		for _, text := range []string{"one", "two", "three"} {
			for reader.State() != asyncio.Waiting {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			if got, want := reader.WaitingFor(), f.String()+" to be readable"; got != want {
				t.Errorf("WaitingFor = %q, want %q", got, want)
			}
			s.add("send")
			send(t, b, text)
			for n := len(s.events); len(s.events) == n; {
				if err := asyncio.Sleep(ctx, time.Microsecond); err != nil {
					return err
				}
			}
		}
		_, err := reader.Await(ctx)
		s.want(t, "send", "read one", "send", "read two", "send", "read three")
		return err
	})
}

func TestFD_WaitReadableIsLevelTriggered(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		send(t, b, "xy")
		for range 2 { // only one byte each is taken, and nothing new comes
			if err := f.WaitReadable(ctx); err != nil {
				return err
			}
			if n, err := unix.Read(a, make([]byte, 1)); n != 1 || err != nil {
				t.Errorf("read: %d, %v", n, err)
			}
		}
		err := asyncio.Timeout(ctx, time.Millisecond, f.WaitReadable)
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("with nothing left: %v, want a timeout", err)
		}
		return nil
	})
}

func TestFD_WaitWritable(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		if err := f.WaitWritable(ctx); err != nil {
			return err
		}
		for {
			if _, err := unix.Write(a, make([]byte, 1<<16)); err != nil {
				break
			}
		}
		writer := asyncio.Go(ctx, f.WaitWritable)
		if err := asyncio.Timeout(ctx, time.Millisecond, f.WaitWritable); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("with no room: %v, want a timeout", err)
		}
		for {
			if n, err := unix.Read(b, make([]byte, 1<<16)); n < 1<<16 || err != nil {
				break
			}
		}
		_, err := writer.Await(ctx)
		return err
	})
}

func TestFD_SeveralTasksWaitForOne(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 3 {
				g.Go(f.WaitReadable)
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			send(t, b, "x")
			return nil
		})
	})
}

func TestFD_CallbacksAreCalledOnce(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		var got asyncio.Event
		calls, replaced := 0, 0
		f.OnReadable(func() { replaced++ })
		f.OnReadable(func() { calls++; got.Set() })
		send(t, b, "x")
		if err := got.Wait(ctx); err != nil {
			return err
		}
		receive(t, a)
		send(t, b, "y")
		if err := f.WaitReadable(ctx); err != nil {
			return err
		}
		if calls != 1 || replaced != 0 {
			t.Errorf("%d calls, %d of what was replaced, want 1 and 0", calls, replaced)
		}
		return nil
	})
}

func TestFD_AnEdgeThatNobodyWaitedForIsKept(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		other := register(t, ctx, b)
		send(t, b, "x")
		send(t, a, "y")
		if err := other.WaitReadable(ctx); err != nil { // the loop has looked at a, too
			return err
		}
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		var got asyncio.Event
		f.OnReadable(got.Set)
		return got.Wait(ctx)
	})
}

func TestFD_ACallbackThatPanicsIsReported(t *testing.T) {
	noLeaks(t)
	a, b := sockets(t)
	bench := newBench()
	bench.Options.Clock = nil
	err := bench.Run(t.Context(), func(ctx context.Context) error {
		f := register(t, ctx, a)
		f.OnReadable(func() { panic("callback") })
		send(t, b, "x")
		for bench.log.Text() == "" {
			if err := asyncio.Sleep(ctx, time.Microsecond); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n := bench.log.Count("Exception in callback", "TestFD_ACallbackThatPanicsIsReported", "a callback panicked: callback"); n != 1 {
		t.Errorf("log:\n%s", bench.log.Text())
	}
}

func TestFD_CloseFailsWaitersAndTellsTheOwner(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		ended, called := 0, 0
		f.OnClose(func() { ended++ })
		f.OnWritable(nil)
		f.OnReadable(func() { called++ })
		waiter := asyncio.Go(ctx, f.WaitReadable)
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		f.Close()
		f.Close()
		if _, err := waiter.Await(ctx); !errors.Is(err, asyncio.ErrFDClosed) ||
			err.Error() != "asyncio: FD.Close: the descriptor is no longer registered: "+f.String() {
			t.Errorf("waiter: %v", err)
		}
		if err := f.WaitReadable(ctx); !errors.Is(err, asyncio.ErrFDClosed) {
			t.Errorf("WaitReadable after Close: %v", err)
		}
		f.OnReadable(func() { called++ })
		send(t, b, "x")
		if err := register(t, ctx, a).WaitReadable(ctx); err != nil { // the number is free again
			return err
		}
		if ended != 1 || called != 0 {
			t.Errorf("OnClose called %d times, OnReadable %d times, want 1 and 0", ended, called)
		}
		return nil
	})
}
