package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A running server has a loop of its own, on a goroutine of the test's.
type running struct {
	t       *testing.T
	loop    *asyncio.Loop
	engine  *engine
	network string
	address string
}

// start starts a server, which ends with the test.
func start(t *testing.T, network string, l limits) *running {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "kv.sock")
	}
	r := &running{t: t, network: network}
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runner := asyncio.Runner{Options: asyncio.LoopOptions{ExceptionHandler: func(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
			t.Errorf("reported: %s: %v", ec.Message, ec.Err)
		}}}
		ended <- runner.Run(ctx, func(ctx context.Context) error {
			listener, err := aionet.Listen(ctx, network, address)
			if err == nil {
				r.address = listener.Addr().String()
				r.loop, err = asyncio.RunningLoop(ctx)
				r.engine = newEngine(clockOf(ctx), l)
			}
			if started <- err; err != nil {
				return err
			}
			return r.engine.serve(ctx, listener)
		})
	}()
	if err := <-started; err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the server ended with %v", err)
		}
		if err := r.engine.leftovers(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *running) dial() *remote { r.t.Helper(); return dial(r.t, r.network, r.address) }

// look calls f on the server's loop.
func (r *running) look(f func(e *engine)) {
	r.t.Helper()
	_, err := asyncio.Submit(r.loop, func(context.Context) (struct{}, error) {
		f(r.engine)
		return struct{}{}, nil
	}).Wait(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
}

// until waits until a condition holds that clients bring about.
func (r *running) until(what string, condition func(e *engine) bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		ok := false
		if r.look(func(e *engine) { ok = condition(e) }); ok {
			return
		}
	}
	r.t.Fatalf("in vain: %s", what)
}

// leftovers is an error if clients that are gone have left something.
func (e *engine) leftovers() error {
	if e.stats.clients != 0 || e.stats.blocked != 0 || len(e.channels) != 0 || len(e.patterns) != 0 {
		return fmt.Errorf("left: %d clients, %d blocked, %d channels, %d patterns", e.stats.clients, e.stats.blocked, len(e.channels), len(e.patterns))
	}
	for _, d := range e.dbs {
		if len(d.watchers) != 0 || len(d.waiters) != 0 {
			return fmt.Errorf("left in database %d: %d watched keys, waiters for %d lists", d.number, len(d.watchers), len(d.waiters))
		}
	}
	return nil
}

func (c *remote) want(line, reply string) {
	c.t.Helper()
	if got := show(c.do(strings.Fields(line)...)); got != reply {
		c.t.Errorf("%s: %s, want %s", line, got, reply)
	}
}

func (c *remote) wantNext(reply string) {
	c.t.Helper()
	if got := show(c.receive()); got != reply {
		c.t.Errorf("received %s, want %s", got, reply)
	}
}
