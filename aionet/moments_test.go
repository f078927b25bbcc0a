package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
)

// cancelledAtEveryMoment cancels what f calls World.Victim with at each of its moments,
// of which there must be some, under several schedules, on a network with little room.
// Nothing may be lost or left: no stream or listener, no task, no goroutine.
func cancelledAtEveryMoment(t *testing.T, atLeast int, f sim.Func) {
	t.Helper()
	seeds := 10
	if testing.Short() {
		seeds = 2
	}
	runs := 0
	sim.CancelEverywhere(t, closing(func(ctx context.Context, w *sim.World) error {
		runs++
		w.Net().SetBuffers(8)
		return f(ctx, w)
	}), sim.Options{Seeds: seeds})
	if runs < atLeast*seeds {
		t.Errorf("only %d moments in %d schedules", runs, seeds)
	}
	t.Logf("%d moments in %d schedules", runs, seeds)
	if left := asynciotest.Goroutines(0); left != "" {
		t.Errorf("goroutines left behind:\n%s", left)
	}
}

// unlessCancelled is nil in place of a cancellation.
func unlessCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serverHost is a host called server on which s serves, by means of serve, from now on.
func serverHost(ctx context.Context, w *sim.World, serve func(ctx context.Context, l *aionet.Listener) error) (*sim.Host, error) {
	h := w.Host(ctx, "server", func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", ":1")
		if err != nil {
			return err
		}
		defer l.Close() // which a Serve that has never begun did not
		return unlessCancelled(serve(ctx, l))
	})
	return h, w.Settle(ctx)
}

func exchange(ctx context.Context) error { return exchangeWith(ctx, &aionet.Dialer{}, "server:1") }

// exchangeWith is what a client does with each kind of await.
func exchangeWith(ctx context.Context, d *aionet.Dialer, address string) error {
	c, err := d.Dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := asks(c, "a line")
	if err != nil {
		return err
	}
	sim.Always(ctx, answer == "a line", "the answer is the question")
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

// slowEcho is in no hurry.
func slowEcho(ctx context.Context, c *aionet.Conn) error {
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

// secretly is exchange over TLS.
func secretly(ctx context.Context) error {
	return exchangeWith(ctx, &aionet.Dialer{TLS: simulatedClientConfig()}, "server:1")
}

func TestMoments_OfAClient(t *testing.T) {
	for name, handler := range map[string]aionet.Handler{
		"the handler echoes":                        echo,
		"the handler sends much and is in no hurry": slowEcho,
	} {
		t.Run(name, func(t *testing.T) {
			cancelledAtEveryMoment(t, 20, func(ctx context.Context, w *sim.World) error {
				server := &aionet.Server{Handler: handler}
				host, err := serverHost(ctx, w, server.Serve)
				if err != nil {
					return err
				}
				return cancelledOf(ctx, w, exchange, server, host)
			})
		})
	}
}

func TestMoments_OfAClientOverTLS(t *testing.T) {
	cancelledAtEveryMoment(t, 20, func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(200)
		server := &aionet.Server{Handler: echo, TLS: serverConfig()}
		host, err := serverHost(ctx, w, server.Serve)
		if err != nil {
			return err
		}
		return cancelledOf(ctx, w, secretly, server, host)
	})
}

// cancelledOf has a client be the victim. The server serves the next all the same, and
// ends.
func cancelledOf(ctx context.Context, w *sim.World, client func(ctx context.Context) error, s *aionet.Server, host *sim.Host) error {
	if err := unlessCancelled(w.Victim(ctx, client)); err != nil {
		return fmt.Errorf("the client ended with %w", err)
	}
	if err := client(ctx); err != nil {
		return fmt.Errorf("the next client: %w", err)
	}
	return errors.Join(s.Shutdown(ctx), host.Wait(ctx))
}

// A server with clients in the middle of everything, on which a task calls Shutdown, or
// which is cancelled itself.
func TestMoments_OfAServersEnd(t *testing.T) {
	for who, atLeast := range map[string]int{"Serve": 10, "Shutdown": 2} {
		t.Run(who, func(t *testing.T) {
			cancelledAtEveryMoment(t, atLeast, func(ctx context.Context, w *sim.World) error {
				may := func(ctx context.Context, name string, f func(ctx context.Context) error) error {
					if name == who {
						return w.Victim(ctx, f)
					}
					return f(ctx)
				}
				server := &aionet.Server{Handler: reluctant, Grace: 500 * time.Millisecond, MaxConns: 3}
				host, err := serverHost(ctx, w, func(ctx context.Context, l *aionet.Listener) error {
					return may(ctx, "Serve", func(ctx context.Context) error { return server.Serve(ctx, l) })
				})
				if err != nil {
					return err
				}
				clients := crowd(ctx, "server:1")
				if err := asyncio.Sleep(ctx, 200*time.Millisecond); err != nil {
					return err
				}
				if err := unlessCancelled(may(ctx, "Shutdown", server.Shutdown)); err != nil {
					return fmt.Errorf("Shutdown: %w", err)
				}
				if err := errors.Join(server.Shutdown(ctx), host.Wait(ctx)); err != nil {
					return err
				}
				for _, c := range clients {
					_, _ = c.Await(ctx) // served, refused, reset or ended: but not left waiting
				}
				return nil
			})
		})
	}
}

// reluctant takes its time when it is to end.
func reluctant(ctx context.Context, c *aionet.Conn) error {
	if err := echo(ctx, c); err != nil {
		return asyncio.Sleep(context.WithoutCancel(ctx), 300*time.Millisecond)
	}
	return nil
}

// crowd starts clients of the addresses, of which one waits for ever.
func crowd(ctx context.Context, addresses ...string) (clients []*asyncio.Task[struct{}]) {
	for i := range 5 {
		clients = append(clients, asyncio.Go(ctx, func(ctx context.Context) error {
			address := addresses[i%len(addresses)]
			if i != 3 {
				return exchangeWith(ctx, &aionet.Dialer{}, address)
			}
			c, err := aionet.Dial(ctx, "tcp", address)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.ReadLine()
			return err
		}))
	}
	return clients
}
