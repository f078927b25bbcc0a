package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// A venue is where a behaviour is shown: on the system's sockets, and in simulation
// between sockets of one host and of two. What holds on all of them, the simulation has
// not invented.
type venue struct {
	client, server context.Context // of the hosts
	host           string          // under which the client finds the server
	much           int             // bytes that no buffers on the way have room for
}

// venues runs a behaviour everywhere.
func venues(t *testing.T, behaviour func(ctx context.Context, v venue) error) {
	t.Run("system", func(t *testing.T) {
		_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
			return asyncio.Timeout(ctx, 30*time.Second, func(ctx context.Context) error {
				return behaviour(ctx, venue{ctx, ctx, "127.0.0.1", 64 << 20})
			})
		}))
		if err != nil {
			t.Error(err)
		}
	})
	const some = 1 << 20
	t.Run("one host", func(t *testing.T) {
		explored(t, 60, func(ctx context.Context, w *sim.World) error {
			return behaviour(ctx, venue{ctx, ctx, "127.0.0.1", some})
		})
	})
	t.Run("two hosts", func(t *testing.T) {
		explored(t, 60, func(ctx context.Context, w *sim.World) error {
			_, server := stay(ctx, w, "server")
			return behaviour(ctx, venue{ctx, server, "server", some})
		})
	})
}

// explored runs f under so many schedules, and wants it to leave nothing open.
func explored(t *testing.T, seeds int, f sim.Func) {
	t.Helper()
	campaign(t, seeds, func(ctx context.Context, w *sim.World) error {
		if err := f(ctx, w); err != nil {
			return err
		}
		if open := w.Net().Open(); len(open) > 0 {
			return fmt.Errorf("left open: %q", open)
		}
		return nil
	})
}

// campaign is explored for what may be left open.
func campaign(t *testing.T, seeds int, f sim.Func) {
	t.Helper()
	r := sim.Explore(f, sim.Options{Seeds: seeds})
	if r.Failure != nil && r.Failure.Kind != sim.KindEmpty {
		t.Error(r.Failure)
	}
}

// stay is a new host that does nothing, and the ctx of its task: for sockets of it that
// the test opens itself.
func stay(ctx context.Context, w *sim.World, name string) (*sim.Host, context.Context) {
	ready := asyncio.NewFuture[context.Context](ctx)
	h := w.Host(ctx, name, func(ctx context.Context) error {
		ready.SetResult(ctx)
		_ = new(asyncio.Event).Wait(ctx)
		return nil
	})
	its, err := ready.Await(ctx)
	if err != nil {
		panic(err)
	}
	return h, its
}

// pair is both ends of a new connection.
func (v venue) pair(ctx context.Context) (client, server *aionet.Conn, err error) {
	l, err := v.listen(new(aionet.ListenConfig))
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	accepted := asyncio.Spawn(ctx, l.Accept)
	if client, err = aionet.Dial(v.client, "tcp", v.address(l)); err != nil {
		return nil, nil, err
	}
	server, err = accepted.Await(ctx)
	return client, server, err
}

func (v venue) listen(lc *aionet.ListenConfig) (*aionet.Listener, error) {
	return lc.Listen(v.server, "tcp", v.host+":0")
}

// address is where the client finds the listener.
func (v venue) address(l *aionet.Listener) string {
	return fmt.Sprintf("%s:%d", v.host, l.Addr().(*net.TCPAddr).Port)
}

// wants is an error unless err matches.
func wants(what string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: %v, want %v", what, err, want)
	}
	return nil
}

// wantsAll is an error unless the stream has exactly the text, and then ends so.
func wantsAll(c *aionet.Conn, text string, end error) error {
	b, err := io.ReadAll(c)
	if err == nil {
		err = io.EOF
	}
	if string(b) != text {
		return fmt.Errorf("read %q and %v, want %q", b, err, text)
	}
	return wants("at the end", err, end)
}

// writeUntilError writes until the other side's refusal has come back.
func writeUntilError(ctx context.Context, c *aionet.Conn) error {
	for {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil { // there is nothing that would tell
			return err
		}
	}
}

// waits is an error if the task does not come to wait.
func waits(ctx context.Context, task asyncio.AnyTask) error {
	for range 20 { // it may wait several times before it does for good
		for task.State() != asyncio.Waiting {
			if task.Done() {
				return fmt.Errorf("%s has ended without waiting", task.Name())
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// write writes a text.
func write(c *aionet.Conn, text string) error {
	_, err := io.WriteString(c, text)
	return err
}
