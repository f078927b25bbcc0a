package sim_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// greet connects a client and a server in a task of their own and says hello.
func greet(ctx context.Context) error {
	l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	accepted := asyncio.Spawn(ctx, l.Accept)
	client, err := aionet.Dial(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer client.Close()
	server, err := accepted.Await(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	client.Enqueue([]byte("hello"))
	_, err = server.Peek(5)
	return err
}

func TestDeterminism_TheCollectorChangesNothing(t *testing.T) {
	runs := atomic.Int64{}
	where := sim.Strays(func(ctx context.Context, w *sim.World) error {
		if err := greet(ctx); err != nil {
			return err
		}
		for range 100 { // what the loop has forgotten is overwritten
			if err := asyncio.Sleep(ctx, 1); err != nil {
				return err
			}
		}
		if runs.Add(1)%2 == 0 {
			runtime.GC() // nothing of the network is in use: only the loop remembers it
			runtime.GC()
		}
		return greet(ctx)
	}, 20)
	if where != "" {
		t.Error(where)
	}
}

func TestDeterminism_HavocCanBeRepeated(t *testing.T) {
	where := sim.Strays(func(ctx context.Context, w *sim.World) error {
		if _, err := echoHost(ctx, w, aionet.Serve); err != nil {
			return err
		}
		havoc(w)
		return talk(ctx, w, &aionet.Dialer{}, 4000)
	}, 100)
	if where != "" {
		t.Error(where)
	}
}
