package aionet_test

import (
	"context"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// What would not have to wait panics, too, as everywhere.
func TestNoAwait_EveryOperationPanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		packets, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer packets.Close()
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		if _, err := client.Write([]byte("there is something to read\n")); err != nil {
			return err
		}
		if _, err := server.Peek(1); err != nil {
			return err
		}
		for name, operation := range map[string]func(){
			"Read":       func() { _, _ = server.Read(make([]byte, 1)) },
			"Peek":       func() { _, _ = server.Peek(1) },
			"ReadLine":   func() { _, _ = server.ReadLine() },
			"Write":      func() { _, _ = server.Write([]byte("x")) },
			"Writev":     func() { _, _ = server.Writev([]byte("x")) },
			"Drain":      func() { _ = server.Drain() },
			"CloseWrite": func() { _ = server.CloseWrite() },
			"In":         func() { _, _ = server.In(ctx).Read(make([]byte, 1)) },
			"ReadFrom":   func() { _, _, _ = packets.ReadFrom(make([]byte, 1)) },
			"WriteTo":    func() { _, _ = packets.WriteTo([]byte("x"), packets.LocalAddr()) },
			"Accept":     func() { _, _ = l.Accept(ctx) },
		} {
			if text := panicInNoAwait(ctx, operation); !strings.Contains(text, "awaits inside NoAwait (") {
				t.Errorf("%s: %q, want a panic", name, text)
			}
		}
		asyncio.NoAwait(ctx, func() { server.Enqueue([]byte("no await")) })
		line, err := server.ReadLine() // the connection is as it was
		if string(line) != "there is something to read" {
			t.Errorf("read %q", line)
		}
		return err
	})
}

func panicInNoAwait(ctx context.Context, f func()) (text string) {
	defer func() {
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
	}()
	asyncio.NoAwait(ctx, f)
	return "no panic"
}
