package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// cancelledAtEveryMoment runs a scenario again and again on virtual time, and cancels
// the task that start returns one moment later each time, until it ends before that.
// check is told how it ended. Nothing may be lost or left: no stream or listener, no
// task, no goroutine, no descriptor.
func cancelledAtEveryMoment(t *testing.T, atLeast int, start func(ctx context.Context, m *memory) *asyncio.Task[struct{}],
	check func(ctx context.Context, err error) error) {
	t.Helper()
	for moment := 0; ; moment++ {
		m := newMemory()
		m.room = 16
		m.hosts["server"] = []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.9")}
		cancelled := false
		runIn(t, m, func(ctx context.Context) error {
			victim := start(ctx, m)
			for range moment {
				if err := nextMoment(ctx, m, victim); err != nil {
					return err
				}
			}
			cancelled = victim.Cancel(nil)
			_, err := victim.Await(ctx)
			return check(ctx, err)
		})
		if t.Failed() {
			t.Fatalf("cancelled at moment %d", moment)
		}
		if !cancelled {
			if moment < atLeast {
				t.Errorf("only %d moments", moment)
			}
			t.Logf("%d moments", moment)
			return
		}
	}
}

// nextMoment waits for a turn while those change something, or else lets time go by.
func nextMoment(ctx context.Context, m *memory, victim asyncio.AnyTask) error {
	state := func() string { return fmt.Sprint(m.ops, m.open, victim.State(), victim.WaitingFor()) }
	before := state()
	for range 4 {
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		if state() != before {
			return nil
		}
	}
	return asyncio.Sleep(ctx, 100*time.Millisecond)
}

// exchange is what a client does with each kind of await.
func exchange(ctx context.Context) error {
	c, err := aionet.Dial(ctx, "tcp", "server:1")
	if err != nil {
		return err
	}
	defer c.Close()
	if answer, err := asks(c, "a line"); answer != "a line" || err != nil {
		return fmt.Errorf("answer %q, %w", answer, err)
	}
	c.SetWriteBuffer(20, 10)
	c.Enqueue([]byte("something longer that waits\n"))
	if err := c.Drain(); err != nil {
		return err
	}
	if _, err := c.ReadUntil([]byte("waits\n")); err != nil {
		return err
	}
	if _, err := c.Writev([]byte("two slices "), []byte("in a line, too long for the room\n")); err != nil {
		return err
	}
	if _, err := c.Peek(10); err != nil {
		return err
	}
	c.Discard(5)
	if _, err := c.ReadLine(); err != nil {
		return err
	}
	c.Enqueue([]byte("and half a line, more than there is room for"))
	if err := c.CloseWrite(); err != nil {
		return err
	}
	_, err = io.ReadAll(c)
	return err
}

func TestMoments_OfAClient(t *testing.T) {
	for _, name := range []string{"the handler echoes", "the handler sends much and is in no hurry"} {
		t.Run(name, func(t *testing.T) {
			handler := echo
			if name != "the handler echoes" {
				handler = func(ctx context.Context, c *aionet.Conn) error {
					for line, err := range c.Lines() {
						if err != nil {
							return err
						}
						if err := asyncio.Sleep(ctx, 300*time.Millisecond); err != nil {
							return err
						}
						if _, err := fmt.Fprintf(c, "%s\n", line); err != nil {
							return err
						}
					}
					return nil
				}
			}
			var server *aionet.Server
			var task *asyncio.Task[struct{}]
			cancelledAtEveryMoment(t, 20, func(ctx context.Context, m *memory) *asyncio.Task[struct{}] {
				server = &aionet.Server{Handler: handler}
				_, task = serving(t, ctx, server, here)
				return asyncio.Go(ctx, exchange)
			}, func(ctx context.Context, err error) error {
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("the client ended with %v", err)
				}
				other := asyncio.Go(ctx, exchange) // which the server serves all the same
				if _, err := other.Await(ctx); err != nil {
					t.Errorf("the next client: %v", err)
				}
				if err := server.Shutdown(ctx); err != nil || !task.Done() {
					t.Errorf("Shutdown: %v", err)
				}
				return nil
			})
		})
	}
}

// A server with clients in the middle of everything, on which a task calls Shutdown, or
// which is cancelled itself.
func TestMoments_OfAServersEnd(t *testing.T) {
	for _, who := range []string{"Serve", "Shutdown"} {
		t.Run(who, func(t *testing.T) {
			var server *aionet.Server
			var listener *aionet.Listener
			var task *asyncio.Task[struct{}]
			var clients []*asyncio.Task[struct{}]
			cancelledAtEveryMoment(t, 10, func(ctx context.Context, m *memory) *asyncio.Task[struct{}] {
				server = &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
					if err := echo(ctx, c); err != nil {
						return asyncio.Sleep(context.WithoutCancel(ctx), 300*time.Millisecond)
					}
					return nil
				}, Grace: 500 * time.Millisecond, MaxConns: 3}
				listener, task = serving(t, ctx, server, here)
				clients = nil
				for i := range 5 {
					clients = append(clients, asyncio.Go(ctx, func(ctx context.Context) error {
						if i == 3 {
							c, err := aionet.Dial(ctx, "tcp", "server:1")
							if err != nil {
								return err
							}
							defer c.Close()
							_, err = c.ReadLine() // for ever
							return err
						}
						return exchange(ctx)
					}))
				}
				ender := asyncio.Go(ctx, func(ctx context.Context) error {
					if err := asyncio.Sleep(ctx, 200*time.Millisecond); err != nil {
						return nil
					}
					return server.Shutdown(ctx)
				})
				if who == "Serve" {
					return task
				}
				return ender
			}, func(ctx context.Context, err error) error {
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s ended with %v", who, err)
				}
				if err := server.Shutdown(ctx); err != nil || !task.Done() {
					t.Errorf("Shutdown: %v", err)
				}
				_ = listener.Close() // which a Serve that has never begun did not
				for _, c := range clients {
					_, _ = c.Await(ctx) // served, refused, reset or ended: but not left waiting
				}
				return nil
			})
		})
	}
}
