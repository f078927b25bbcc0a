package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func TestConn_BytesArriveBothWays(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		if _, err := client.Write([]byte("ping")); err != nil {
			return err
		}
		buf := make([]byte, 10)
		n, err := server.Read(buf)
		if string(buf[:n]) != "ping" || err != nil {
			t.Errorf("server read %q, %v", buf[:n], err)
		}
		reader := asyncio.Spawn(ctx, func(ctx context.Context) (string, error) {
			n, err := client.Read(buf)
			return string(buf[:n]), err
		})
		pause(t, ctx)
		if got, want := reader.WaitingFor(), "input from tcp "+client.RemoteAddr().String(); got != want {
			t.Errorf("waits for %q, want %q", got, want)
		}
		if _, err := server.Write([]byte("pong")); err != nil {
			return err
		}
		if got, err := reader.Await(ctx); got != "pong" || err != nil {
			t.Errorf("client read %q, %v", got, err)
		}
		if server.LocalAddr().String() != client.RemoteAddr().String() || client.LocalAddr().String() != server.RemoteAddr().String() {
			t.Errorf("addresses %v %v, %v %v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
		}
		return nil
	})
}

func TestConn_TheEndIsEOF(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		if _, err := client.Write([]byte("last")); err != nil {
			return err
		}
		if err := client.Close(); err != nil {
			return err
		}
		pause(t, ctx) // data and end are there before the first read
		got, err := io.ReadAll(server)
		if string(got) != "last" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
		return nil
	})
}

func TestConn_HalfClose(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		client.Enqueue([]byte("question"))
		if err := client.CloseWrite(); err != nil {
			return err
		}
		got, err := io.ReadAll(server)
		if string(got) != "question" || err != nil {
			t.Errorf("server read %q, %v", got, err)
		}
		if _, err := client.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		if _, err := server.Write([]byte("answer")); err != nil {
			return err
		}
		if err := server.CloseWrite(); err != nil {
			return err
		}
		got, err = io.ReadAll(client)
		if string(got) != "answer" || err != nil {
			t.Errorf("client read %q, %v", got, err)
		}
		return nil
	})
}

func TestConn_ReadsObeyTheBracket(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		err := asyncio.Timeout(ctx, time.Millisecond, func(context.Context) error {
			_, err := server.Read(make([]byte, 1))
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("within a Timeout: %v", err)
		}
		inner, cancel := asyncio.WithCancel(ctx)
		cancel()
		if _, err := server.In(inner).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("in a view that is cancelled: %v", err)
		}
		if _, err := server.In(inner).Write([]byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("written in a view that is cancelled: %v", err)
		}
		if _, err := client.Write([]byte("y")); err != nil { // nothing is lost
			return err
		}
		buf := make([]byte, 2)
		if n, err := server.Read(buf); string(buf[:n]) != "y" || err != nil {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		return nil
	})
}

func TestConn_CancellationReachesAReadAndAWrite(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		for name, op := range map[string]func(ctx context.Context) error{
			"Read":  func(context.Context) error { _, err := server.Read(make([]byte, 1)); return err },
			"Peek":  func(context.Context) error { _, err := server.Peek(1); return err },
			"Write": func(context.Context) error { _, err := server.Write(make([]byte, 64<<20)); return err },
		} {
			task := asyncio.Go(ctx, op)
			for task.State() != asyncio.Waiting {
				pause(t, ctx)
			}
			why := errors.New("because")
			task.Cancel(why)
			if _, err := task.Await(ctx); !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
}

func TestConn_Deadlines(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		read := func() error { _, err := server.Read(make([]byte, 1)); return err }
		_ = server.SetReadDeadline(time.Now().Add(time.Millisecond))
		err := read()
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("past the deadline: %v", err)
		}
		wantErr(t, err, "read tcp "+server.LocalAddr().String()+"->"+server.RemoteAddr().String()+": i/o timeout")
		_ = server.SetDeadline(time.Now().Add(-time.Second))
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a deadline in the past: %v", err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a write with a deadline in the past: %v", err)
		}
		_ = server.SetDeadline(time.Time{})
		if _, err := server.Write([]byte("x")); err != nil {
			t.Errorf("with no deadline any more: %v", err)
		}
		waiting := asyncio.Go(ctx, func(context.Context) error { return read() })
		for waiting.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		go func() { _ = server.SetReadDeadline(time.Unix(1, 0)) }() // as Go libraries cancel
		if _, err := waiting.Await(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a deadline set by a goroutine: %v", err)
		}
		return nil
	})
}

func TestConn_CloseFailsThoseWhoWait(t *testing.T) {
	for _, from := range []string{"task", "goroutine"} {
		run(t, func(ctx context.Context) error {
			client, server := connect(t, ctx)
			defer client.Close()
			reader := asyncio.Go(ctx, func(context.Context) error { _, err := server.Read(make([]byte, 1)); return err })
			writer := asyncio.Go(ctx, func(context.Context) error { _, err := server.Write(make([]byte, 64<<20)); return err })
			for reader.State() != asyncio.Waiting || writer.State() != asyncio.Waiting {
				pause(t, ctx)
			}
			if from == "task" {
				_ = server.Close()
			} else {
				go server.Close()
			}
			for _, task := range []*asyncio.Task[struct{}]{reader, writer} {
				if _, err := task.Await(ctx); !errors.Is(err, net.ErrClosed) {
					t.Errorf("closed by a %s: %v", from, err)
				}
			}
			if err := server.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
			return nil
		})
	}
}

func TestConn_ASecondReaderIsAnError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		first := asyncio.Go(ctx, func(context.Context) error { _, err := server.ReadLine(); return err })
		pause(t, ctx)
		_, err := server.Read(make([]byte, 1))
		if !errors.Is(err, aionet.ErrBusy) {
			t.Errorf("second reader: %v", err)
		}
		wantErr(t, err, "read in one task, and hand over what it reads")
		if _, err := client.Write([]byte("line\n")); err != nil {
			return err
		}
		_, err = first.Await(ctx)
		return err
	})
}

func TestConn_WritersTakeTurns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		const size = 8 << 20 // more than the system buffers
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, c := range "abc" {
				g.Go(func(context.Context) error {
					_, err := client.Write([]byte(strings.Repeat(string(c), size)))
					return err
				})
			}
			got := make([]byte, 3*size)
			if _, err := io.ReadFull(server, got); err != nil {
				return err
			}
			if want := strings.Repeat("a", size) + strings.Repeat("b", size) + strings.Repeat("c", size); string(got) != want {
				t.Error("the writes are not in one piece each, in order")
			}
			return client.Close()
		})
	})
}

func TestConn_APeerThatResets(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		reader := asyncio.Go(ctx, func(context.Context) error { _, err := server.Read(make([]byte, 1)); return err })
		pause(t, ctx)
		client.Abort()
		_, err := reader.Await(ctx)
		wantErr(t, err, "connection reset by peer")
		if _, err = server.Write([]byte("x")); err == nil {
			_, err = server.Write([]byte("x"))
		}
		wantErr(t, err, "broken pipe")
		return nil
	})
}
