package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// closers are the ways to close: all of them send first what was enqueued.
var closers = map[string]func(ctx context.Context, c *aionet.Conn) error{
	"task": func(_ context.Context, c *aionet.Conn) error { return c.Close() },
	"cancelled task": func(ctx context.Context, c *aionet.Conn) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, time.Hour); err == nil {
				return errors.New("not cancelled")
			}
			return c.Close()
		})
		_ = asyncio.Yield(ctx)
		task.Cancel(nil)
		_, err := task.Await(ctx)
		return err
	},
	"callback": func(ctx context.Context, c *aionet.Conn) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err == nil {
			loop.CallSoon(func() { _ = c.Close() })
		}
		return err
	},
	"goroutine": func(ctx context.Context, c *aionet.Conn) error {
		_, err := asyncio.Blocking(ctx, func(context.Context) (struct{}, error) { return struct{}{}, c.Close() })
		return err
	},
	"view": func(ctx context.Context, c *aionet.Conn) error { return c.In(ctx).Close() },
}

func TestClose_WhatWasEnqueuedArrives(t *testing.T) {
	for name, end := range closers {
		run(t, func(ctx context.Context) error {
			client, server := connect(t, ctx)
			defer server.Close()
			want := bytes.Repeat([]byte("0123456789"), 1<<20) // more than the system buffers
			closer := asyncio.Go(ctx, func(ctx context.Context) error {
				client.Enqueue(want)
				return end(ctx, client)
			})
			if got, err := io.ReadAll(server); !bytes.Equal(got, want) || err != nil {
				t.Errorf("closed by a %s: %d bytes arrived, %v, want %d", name, len(got), err, len(want))
			}
			_, err := closer.Await(ctx)
			return err
		})
	}
}

func TestClose_APeerThatNeverReadsIsResetAfterTheLinger(t *testing.T) {
	for name, end := range closers {
		simulate(t, func(ctx context.Context) error {
			room(ctx, 10)
			client, server := connectIn(t, ctx)
			defer server.Close()
			client.Enqueue(make([]byte, 100))
			began := now(t, ctx)
			if err := end(ctx, client); err != nil {
				t.Errorf("closed by a %s: %v", name, err)
			}
			took := now(t, ctx).Sub(began)
			if waits := name != "callback" && name != "goroutine"; waits && took != 5*time.Second || !waits && took != 0 {
				t.Errorf("Close by a %s took %v", name, took)
			}
			if err := asyncio.Sleep(ctx, 6*time.Second); err != nil {
				return err
			}
			if all, err := io.ReadAll(server); len(all) > 10 || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("closed by a %s: the other side reads %d bytes, %v", name, len(all), err)
			}
			return nil
		})
	}
}

func TestClose_TwiceAndAbortMeanwhile(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 10)
		client, server := connectIn(t, ctx)
		defer server.Close()
		client.Enqueue(make([]byte, 100))
		began := now(t, ctx)
		first := asyncio.Go(ctx, func(context.Context) error { return client.Close() })
		waiting(t, ctx, first)
		if err := client.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		client.Abort()
		if _, err := first.Await(ctx); err != nil {
			t.Errorf("first Close: %v", err)
		}
		if took := now(t, ctx).Sub(began); took != 0 {
			t.Errorf("Close took %v, although Abort was called", took)
		}
		client.Abort()
		if err := client.Close(); err != nil {
			t.Errorf("third Close: %v", err)
		}
		return nil
	})
}

func TestClose_EndsAWriteInTheMiddle(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 10)
		client, server := connectIn(t, ctx)
		defer server.Close()
		writer := asyncio.Spawn(ctx, func(context.Context) (int, error) { return client.Write(make([]byte, 100)) })
		waiting(t, ctx, writer)
		client.Enqueue([]byte("cannot follow half a Write"))
		if err := client.Close(); err != nil {
			return err
		}
		if n, err := writer.Await(ctx); n != 10 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %d, %v", n, err)
		}
		if all, err := io.ReadAll(server); len(all) != 10 || err != nil {
			t.Errorf("%d bytes arrived, %v, want 10", len(all), err)
		}
		return nil
	})
}

func TestClose_PeerResetsDuringTheLinger(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 10)
		client, server := connectIn(t, ctx)
		client.Enqueue(make([]byte, 100))
		closed := asyncio.Go(ctx, func(context.Context) error { return client.Close() })
		waiting(t, ctx, closed)
		server.Abort()
		began := now(t, ctx)
		if _, err := closed.Await(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if took := now(t, ctx).Sub(began); took != 0 {
			t.Errorf("Close went on for %v", took)
		}
		return nil
	})
}

func TestAbort_ResetsAndDrops(t *testing.T) {
	for _, from := range []string{"task", "goroutine"} {
		run(t, func(ctx context.Context) error {
			client, server := connect(t, ctx)
			defer server.Close()
			client.Enqueue(make([]byte, 16<<20))
			if from == "task" {
				client.Abort()
			} else if _, err := asyncio.Blocking(ctx, func(context.Context) (struct{}, error) {
				client.Abort()
				return struct{}{}, nil
			}); err != nil {
				return err
			}
			if n, err := io.Copy(io.Discard, server); !errors.Is(err, syscall.ECONNRESET) || n == 16<<20 {
				t.Errorf("aborted by a %s: the other side reads %d bytes, %v", from, n, err)
			}
			return nil
		})
	}
}

// openInAllStates leaves connections open on which tasks do what they can.
func openInAllStates(t *testing.T, ctx context.Context, n int) (all []*aionet.Conn) {
	t.Helper()
	l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asyncio.Go(ctx, func(ctx context.Context) error { _, err := l.Accept(ctx); return err })
	for i := range n {
		client, server := connect(t, ctx)
		all = append(all, client, server)
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			switch i % 7 {
			case 0:
				_, err := client.Read(make([]byte, 1))
				return err
			case 1:
				_, err := client.ReadLine()
				return err
			case 2:
				_, err := client.Write(make([]byte, 16<<20))
				return err
			case 3:
				client.Enqueue(make([]byte, 16<<20))
				return client.Drain()
			case 4:
				_ = client.SetDeadline(time.Now().Add(time.Hour))
				return asyncio.Sleep(ctx, time.Hour)
			case 5:
				_, _ = server.Write([]byte("half a line"))
				_, err := client.ReadLine()
				return err
			default:
				_, err := aionet.Dial(ctx, "tcp", l.Addr().String()) // which nobody accepts
				if err != nil {
					return err
				}
				return asyncio.Sleep(ctx, time.Hour)
			}
		})
		waiting(t, ctx, task)
	}
	return all
}

func TestLoopClose_LeavesNothingOpen(t *testing.T) {
	var all []*aionet.Conn
	run(t, func(ctx context.Context) error {
		all = openInAllStates(t, ctx, 100)
		return nil
	})
	for _, c := range all {
		for what, f := range map[string]func() error{
			"Read":        func() error { _, err := c.Read(make([]byte, 1)); return err },
			"Peek":        func() error { _, err := c.Peek(1); return err },
			"ReadLine":    func() error { _, err := c.ReadLine(); return err },
			"Write":       func() error { _, err := c.Write([]byte("x")); return err },
			"Writev":      func() error { _, err := c.Writev([]byte("x"), []byte("y")); return err },
			"Drain":       c.Drain,
			"CloseWrite":  c.CloseWrite,
			"ReadFrom":    func() error { _, err := c.ReadFrom(bytes.NewReader([]byte("x"))); return err },
			"SetNoDelay":  func() error { return c.SetNoDelay(true) },
			"SetDeadline": func() error { return c.SetDeadline(time.Now()) },
		} {
			if err := f(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after the loop was closed: %v", what, err)
			}
		}
		c.Enqueue([]byte("dropped"))
		c.Abort()
		if err := c.Close(); err != nil {
			t.Errorf("Close after the loop was closed: %v", err)
		}
		if c.LocalAddr() == nil || c.RemoteAddr() == nil || c.String() == "" {
			t.Error("the connection has lost its name")
		}
	}
}

func TestLoopClose_WhileGoroutinesUseTheConnections(t *testing.T) {
	var others sync.WaitGroup
	runLogged(t, func(ctx context.Context) error {
		begun := make(chan struct{}, 40)
		for i, c := range openInAllStates(t, ctx, 20) {
			others.Go(func() {
				begun <- struct{}{}
				for range 100 { // some before the loop is closed, some after
					_ = c.SetDeadline(time.Now().Add(time.Minute))
					_ = c.SetReadDeadline(time.Time{})
					_ = c.RemoteAddr().String()
				}
				if i%2 == 0 {
					_ = c.Close()
				} else {
					c.Abort()
				}
			})
		}
		_, _, err := asyncio.Recv(ctx, begun)
		return err
	})
	others.Wait()
}
