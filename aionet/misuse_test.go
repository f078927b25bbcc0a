package aionet_test

import (
	"context"
	"sync"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func TestMisuse_Panics(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectIn(t, ctx)
		defer client.Close()
		defer server.Close()
		for want, f := range map[string]func(){
			"aionet: Conn.Discard(1): 0 bytes are buffered; discard what Peek has shown":     func() { server.Discard(1) },
			"aionet: Conn.Discard(-1): 0 bytes are buffered":                                 func() { server.Discard(-1) },
			"aionet: Conn.ReadUntil: no delimiter was given; pass at least one":              func() { _, _ = server.ReadUntil() },
			"aionet: Conn.ReadUntil: a delimiter is empty":                                   func() { _, _ = server.ReadUntil([]byte("x"), nil) },
			"aionet: Conn.SetReadLimit(0): the limit must be above zero":                     func() { server.SetReadLimit(0) },
			"aionet: Conn.SetWriteBuffer(1, 2): the low-water mark must be from 0 to the hi": func() { server.SetWriteBuffer(1, 2) },
			"aionet: Conn.SetWriteBuffer(1, -1): the low-water mark":                         func() { server.SetWriteBuffer(1, -1) },
		} {
			wantPanic(t, want, f)
		}
		return nil
	})
}

// What belongs to a loop is used there, also where it would not have to wait.
func TestMisuse_FromAForeignGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		var elsewhere sync.WaitGroup
		view := client.In(ctx)
		for name, f := range map[string]func(){
			"Read":       func() { _, _ = client.Read(make([]byte, 1)) },
			"Read view":  func() { _, _ = view.Read(make([]byte, 1)) },
			"Peek":       func() { _, _ = view.Peek(1) },
			"Write":      func() { _, _ = view.Write([]byte("x")) },
			"Writev":     func() { _, _ = view.Writev([]byte("x"), []byte("y")) },
			"Enqueue":    func() { client.Enqueue([]byte("x")) },
			"Drain":      func() { _ = client.Drain() },
			"CloseWrite": func() { _ = view.CloseWrite() },
			"Accept":     func() { _, _ = l.Accept(ctx) },
		} {
			elsewhere.Go(func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s did not panic", name)
					}
				}()
				f()
			})
		}
		_, err = asyncio.Blocking(ctx, func(context.Context) (struct{}, error) {
			elsewhere.Wait()
			return struct{}{}, nil
		})
		return err
	})
}

func TestMisuse_InACallback(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectIn(t, ctx)
		defer client.Close()
		defer server.Close()
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		called := asyncio.NewFuture[struct{}](ctx)
		loop.CallSoon(func() {
			wantPanic(t, "called from a plain callback", func() { _, _ = client.Read(make([]byte, 1)) })
			client.Enqueue([]byte("which needs no task\n"))
			called.SetResult(struct{}{})
		})
		if _, err := called.Await(ctx); err != nil {
			return err
		}
		if line, err := server.ReadLine(); string(line) != "which needs no task" || err != nil {
			t.Errorf("read %q, %v", line, err)
		}
		return nil
	})
}
