package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// How servers end. Each way gives handlers the grace, then cancels them, and a second
// later aborts the connections that they hold on to.
var enders = map[string]struct {
	end  func(ctx context.Context, s *aionet.Server, l *aionet.Listener, task *asyncio.Task[struct{}])
	want error // of Serve
}{
	"Shutdown": {func(ctx context.Context, s *aionet.Server, _ *aionet.Listener, _ *asyncio.Task[struct{}]) {
		_ = s.Shutdown(ctx)
	}, nil},
	"Close of the listener": {func(_ context.Context, _ *aionet.Server, l *aionet.Listener, _ *asyncio.Task[struct{}]) {
		_ = l.Close()
	}, nil},
	"cancellation": {func(_ context.Context, _ *aionet.Server, _ *aionet.Listener, task *asyncio.Task[struct{}]) {
		task.Cancel(nil)
	}, context.Canceled},
}

func TestServerEnd_HandlersHaveTheGrace(t *testing.T) {
	for name, way := range enders {
		for _, c := range []struct {
			name  string
			work  func(ctx context.Context, c *aionet.Conn) error
			takes time.Duration // from the end on
		}{
			{"ends in time", func(ctx context.Context, _ *aionet.Conn) error { return asyncio.Sleep(ctx, 3*time.Second) }, 2 * time.Second},
			{"is cancelled", func(ctx context.Context, _ *aionet.Conn) error {
				err := asyncio.Sleep(ctx, time.Hour)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled with %v", err)
				}
				wantErr(t, context.Cause(ctx), "the server has been shut down")
				return err
			}, 10 * time.Second},
			{"reads and is cancelled", echo, 10 * time.Second},
			{"ignores the cancellation and reads", func(ctx context.Context, c *aionet.Conn) error {
				_, err := c.In(context.WithoutCancel(ctx)).Peek(1)
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("aborted: %v", err)
				}
				return err
			}, 11 * time.Second},
			{"ignores it and takes its time", func(ctx context.Context, c *aionet.Conn) error {
				return asyncio.Sleep(context.WithoutCancel(ctx), 31*time.Second)
			}, 30 * time.Second},
		} {
			t.Run(name+", a handler that "+c.name, func(t *testing.T) {
				simulate(t, func(ctx context.Context) error {
					server := &aionet.Server{Grace: 10 * time.Second, Handler: c.work}
					l, task := serving(t, ctx, server, here)
					client := dial(t, ctx, here)
					defer client.Close()
					if err := asyncio.Sleep(ctx, time.Second); err != nil {
						return err
					}
					began := now(t, ctx)
					way.end(ctx, server, l, task)
					if _, err := task.Await(ctx); !errors.Is(err, way.want) || (err == nil) != (way.want == nil) {
						t.Errorf("Serve: %v, want %v", err, way.want)
					}
					if took := now(t, ctx).Sub(began); took != c.takes {
						t.Errorf("took %v, want %v", took, c.takes)
					}
					if _, err := aionet.Dial(ctx, "tcp", here); err == nil {
						t.Error("the listener is open")
					}
					if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
						t.Error("the connection is open")
					}
					return nil
				})
			})
		}
	}
}

func TestServerEnd_WithoutGraceAtOnce(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server := &aionet.Server{Handler: echo}
		_, task := serving(t, ctx, server, here)
		client := dial(t, ctx, here)
		defer client.Close()
		if _, err := asks(client, "x"); err != nil {
			return err
		}
		began := now(t, ctx)
		if err := server.Shutdown(ctx); err != nil || !task.Done() {
			t.Errorf("Shutdown: %v; Serve has returned: %v", err, task.Done())
		}
		if took := now(t, ctx).Sub(began); took != 0 {
			t.Errorf("took %v", took)
		}
		return nil
	})
}

// A server that is full waits for no place when it is to end.
func TestServerEnd_WhileItIsFull(t *testing.T) {
	for name, way := range enders {
		simulate(t, func(ctx context.Context) error {
			server := &aionet.Server{MaxConns: 1, Grace: time.Second, Handler: echo}
			l, task := serving(t, ctx, server, here)
			served, queued := dial(t, ctx, here), dial(t, ctx, here)
			if _, err := asks(served, "x"); err != nil {
				return err
			}
			began := now(t, ctx)
			way.end(ctx, server, l, task)
			_, _ = task.Await(ctx)
			if took := now(t, ctx).Sub(began); took != time.Second {
				t.Errorf("%s: took %v", name, took)
			}
			if _, err := queued.Peek(1); err == nil {
				t.Errorf("%s: who waits in the queue is left there", name)
			}
			_ = served.Close()
			return queued.Close()
		})
	}
}

func TestServerEnd_OfOneListenerOnly(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server := &aionet.Server{Handler: echo}
		l1, task1 := serving(t, ctx, server, here)
		_, task2 := serving(t, ctx, server, "10.1.0.1:2")
		c1, c2 := dial(t, ctx, here), dial(t, ctx, "10.1.0.1:2")
		defer c1.Close()
		defer c2.Close()
		for _, c := range []*aionet.Conn{c1, c2} {
			if _, err := asks(c, "x"); err != nil {
				return err
			}
		}
		_ = l1.Close()
		if _, err := task1.Await(ctx); err != nil {
			t.Errorf("Serve of the listener that was closed: %v", err)
		}
		if _, err := c1.Peek(1); err != io.EOF {
			t.Errorf("its connection: %v", err)
		}
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		if got, err := asks(c2, "and the other?"); got != "and the other?" || err != nil {
			t.Errorf("the other listener's connection: %q, %v", got, err)
		}
		if err := server.Shutdown(ctx); err != nil || !task2.Done() {
			t.Errorf("Shutdown: %v", err)
		}
		return nil
	})
}

func TestServerEnd_ShutdownCanBeLeft(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server := &aionet.Server{Grace: time.Hour, Handler: echo}
		_, task := serving(t, ctx, server, here)
		client := dial(t, ctx, here)
		defer client.Close()
		if _, err := asks(client, "x"); err != nil {
			return err
		}
		if err := asyncio.Timeout(ctx, time.Minute, server.Shutdown); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Shutdown within a minute: %v", err)
		}
		if got, err := asks(client, "y"); got != "y" || err != nil {
			t.Errorf("within the grace: %q, %v", got, err)
		}
		began := now(t, ctx)
		if err := server.Shutdown(ctx); err != nil || !task.Done() {
			t.Errorf("Shutdown again: %v", err)
		}
		if took := now(t, ctx).Sub(began); took != 59*time.Minute {
			t.Errorf("the rest of the grace took %v", took)
		}
		return nil
	})
}

func TestServerEnd_ShutdownComesFirst(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server := &aionet.Server{Handler: echo}
		l, task := serving(t, ctx, server, here)
		if err := server.Shutdown(ctx); err != nil { // before the task has begun
			return err
		}
		if _, err := task.Await(ctx); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if _, err := l.Accept(ctx); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is open: %v", err)
		}
		return nil
	})
}

// What a handler has enqueued is sent while the server ends.
func TestServerEnd_RepliesAreSent(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 10)
		server := &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
			if _, err := c.ReadLine(); err != nil {
				return err
			}
			c.Enqueue(make([]byte, 100))
			return nil
		}}
		l, task := serving(t, ctx, server, here)
		client := dial(t, ctx, here)
		defer client.Close()
		if _, err := client.Write([]byte("x\n")); err != nil {
			return err
		}
		pause(t, ctx)
		_ = l.Close()
		pause(t, ctx)
		if all, err := io.ReadAll(client); len(all) != 100 || err != nil {
			t.Errorf("%d bytes came, %v", len(all), err)
		}
		_, err := task.Await(ctx)
		return err
	})
}
