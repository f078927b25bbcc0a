package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

func TestWrite_EnqueuedTogetherLeavesTogether(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectHosts(t, ctx)
		packets := 0
		sim.From(ctx).Net().Rule(func(p sim.Packet) sim.Verdict {
			if p.Kind == sim.PacketData {
				packets++
			}
			return sim.Deliver
		})
		defer client.Close()
		defer server.Close()
		for i := range 10 {
			client.Enqueue(fmt.Appendf(nil, "reply %d;", i))
		}
		if got := client.Unsent(); got != 80 {
			t.Errorf("%d bytes unsent, want 80", got)
		}
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		if got := client.Unsent(); got != 0 || packets != 1 {
			t.Errorf("at the end of the turn %d bytes are unsent, after %d packets; want 0, after 1", got, packets)
		}
		client.Enqueue([]byte("question"))
		reader := asyncio.Go(ctx, func(context.Context) error { _, err := client.ReadLine(); return err })
		waiting(t, ctx, reader)
		if packets != 2 {
			t.Errorf("%d packets after another Enqueue and a read", packets)
		}
		b, err := server.Peek(88)
		if want := "question"; !strings.HasSuffix(string(b), want) || err != nil {
			t.Errorf("arrived: %q, %v", b, err)
		}
		_, _ = server.Write([]byte("answer\n"))
		_, err = reader.Await(ctx)
		return err
	})
}

func TestWrite_EnqueuedTogetherIsOneSegment(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer client.Close()
		defer server.Close()
		for range 100 {
			client.Enqueue([]byte("0123456789"))
		}
		if b, err := server.Peek(1); len(b) != 1000 || err != nil {
			t.Errorf("the first read has %d bytes, %v, want all 1000", len(b), err)
		}
		return nil
	})
}

func TestWrite_EnqueueAndWriteKeepTheirOrder(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 6)
		client, server := connectIn(t, ctx)
		writer := asyncio.Go(ctx, func(context.Context) error {
			client.Enqueue([]byte("a1 "))
			if _, err := client.Write([]byte("write 2 ")); err != nil {
				return err
			}
			client.Enqueue([]byte("enqueue 3 "))
			if _, err := client.Writev([]byte("writev "), []byte("4 ")); err != nil {
				return err
			}
			client.Enqueue([]byte("5 "))
			return client.Close()
		})
		waiting(t, ctx, writer)
		client.Enqueue([]byte("meanwhile ")) // the task is in its Write
		all, err := io.ReadAll(server)
		if got, want := string(all), "a1 write 2 meanwhile enqueue 3 writev 4 5 "; got != want {
			t.Errorf("arrived %q, want %q", got, want)
		}
		_ = server.Close()
		if _, e := writer.Await(ctx); e != nil {
			return e
		}
		return err
	})
}

func TestWrite_CancelledInTheMiddleTellsHowMuch(t *testing.T) {
	for name, write := range map[string]func(c *aionet.Conn, p []byte) (int, error){
		"Write": func(c *aionet.Conn, p []byte) (int, error) { return c.Write(p) },
		"Writev": func(c *aionet.Conn, p []byte) (int, error) {
			n, err := c.Writev(p[:3], p[3:4], nil, p[4:20], p[20:])
			return int(n), err
		},
	} {
		for taken := range 4 { // how often the peer reads before the cancellation
			simulate(t, func(ctx context.Context) error {
				room(ctx, 10)
				client, server := connectIn(t, ctx)
				defer server.Close()
				text := []byte(strings.Repeat("0123456789", 10))
				var n int
				writer := asyncio.Go(ctx, func(context.Context) (err error) { n, err = write(client, text); return err })
				got := make([]byte, 0, 100)
				for range taken {
					waiting(t, ctx, writer)
					more, err := server.Read(got[len(got) : len(got)+7])
					if err != nil {
						return err
					}
					got = got[:len(got)+more]
				}
				pause(t, ctx)
				writer.Cancel(nil)
				if _, err := writer.Await(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
				last := asyncio.Go(ctx, func(context.Context) error { _, _ = client.Write([]byte("|")); return client.Close() })
				rest, err := io.ReadAll(server)
				if all, want := string(got)+string(rest), string(text[:n])+"|"; all != want || n < 10 || err != nil {
					t.Errorf("%s said %d, and %q arrived, %v", name, n, all, err)
				}
				_, err = last.Await(ctx)
				return err
			})
		}
	}
}

func TestWrite_CancelledWhileItWaitsForItsTurn(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 4)
		client, server := connectIn(t, ctx)
		defer server.Close()
		var writers []*asyncio.Task[int]
		for _, c := range "abcd" {
			writers = append(writers, asyncio.Spawn(ctx, func(context.Context) (int, error) {
				return client.Write([]byte(strings.Repeat(string(c), 10)))
			}))
		}
		waiting(t, ctx, writers[0], writers[1], writers[2], writers[3])
		writers[2].Cancel(nil)
		got := make([]byte, 30)
		if _, err := io.ReadFull(server, got); err != nil {
			return err
		}
		if want := "aaaaaaaaaabbbbbbbbbbdddddddddd"; string(got) != want {
			t.Errorf("arrived %q, want %q", got, want)
		}
		for i, w := range writers {
			n, err := w.Await(ctx)
			if i == 2 && (n != 0 || !errors.Is(err, context.Canceled)) || i != 2 && (n != 10 || err != nil) {
				t.Errorf("writer %d: %d, %v", i, n, err)
			}
		}
		return client.Close()
	})
}

func TestWrite_WaterMarks(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 10)
		client, server := connectIn(t, ctx)
		client.SetWriteBuffer(100, 50)
		client.Enqueue(make([]byte, 100))
		if err := client.Drain(); err != nil {
			t.Errorf("Drain at the high-water mark: %v", err)
		}
		client.Enqueue(make([]byte, 11))
		drained := asyncio.Go(ctx, func(context.Context) error { return client.Drain() })
		waiting(t, ctx, drained)
		if got := client.Unsent(); got != 101 { // 10 have left
			t.Errorf("%d bytes unsent, want 101", got)
		}
		for read := 0; read < 40; read += 10 {
			if _, err := io.ReadFull(server, make([]byte, 10)); err != nil {
				return err
			}
			pause(t, ctx)
		}
		if drained.Done() {
			t.Errorf("Drain has returned with %d bytes unsent", client.Unsent())
		}
		if _, err := io.ReadFull(server, make([]byte, 20)); err != nil {
			return err
		}
		if _, err := drained.Await(ctx); err != nil || client.Unsent() > 50 {
			t.Errorf("Drain: %v, with %d bytes unsent", err, client.Unsent())
		}
		client.Abort()
		return server.Close()
	})
}

func TestWrite_APeerThatNeverReadsCostsTheHighWaterMark(t *testing.T) {
	for network, run := range map[string]func(t *testing.T, main func(ctx context.Context) error){"system": run, "simulated": simulate} {
		run(t, func(ctx context.Context) error {
			client, server := connect(t, ctx)
			defer client.Abort()
			defer server.Close()
			piece, most, sent := make([]byte, 10_000), 0, 0
			writer := asyncio.Go(ctx, func(ctx context.Context) error {
				for {
					client.Enqueue(piece)
					sent += len(piece)
					most = max(most, client.Unsent())
					if err := client.Drain(); err != nil {
						return err
					}
				}
			})
			for last := -1; sent != last || writer.State() != asyncio.Waiting; {
				last = sent
				pause(t, ctx)
			}
			if most > 64<<10+len(piece) {
				t.Errorf("%s: %d bytes were buffered", network, most)
			}
			writer.Cancel(nil)
			_, _ = writer.Await(ctx)
			return nil
		})
	}
}

// A Drain that begins during a Write of another task is not forgotten when that ends
// without another wait, whichever of the two looks first.
func TestWrite_DrainBesideAWrite(t *testing.T) {
	sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
		const full = 128 << 10
		room(ctx, full)
		client, server := connectIn(t, ctx)
		defer server.Close()
		client.SetWriteBuffer(20, 10)
		writer := asyncio.Go(ctx, func(context.Context) error { _, err := client.Write(make([]byte, full+100)); return err })
		waiting(t, ctx, writer)
		client.Enqueue(make([]byte, 30))
		drained := asyncio.Go(ctx, func(context.Context) error { return client.Drain() })
		waiting(t, ctx, drained)
		if _, err := io.ReadFull(server, make([]byte, full)); err != nil {
			return err
		}
		if _, err := writer.Await(ctx); err != nil {
			return err
		}
		if _, err := drained.Await(ctx); err != nil {
			return err
		}
		return client.Close()
	}), sim.Options{Seeds: 100})
}

func TestWrite_FailuresAreToldOnceAndForAll(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectIn(t, ctx)
		server.Abort()
		pause(t, ctx)
		client.Enqueue([]byte("lost"))
		pause(t, ctx)
		for range 2 {
			if err := client.Drain(); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Drain: %v", err)
			}
		}
		client.Enqueue([]byte("dropped"))
		if got := client.Unsent(); got != 0 {
			t.Errorf("%d bytes unsent", got)
		}
		if n, err := client.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Write: %d, %v", n, err)
		}
		return client.Close()
	})
}

func TestWrite_CloseWriteWaitsForWhatWasEnqueued(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 5)
		client, server := connectIn(t, ctx)
		defer server.Close()
		client.Enqueue([]byte("hello, world"))
		err := asyncio.Timeout(ctx, time.Hour, func(context.Context) error { return client.CloseWrite() })
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("CloseWrite to a peer that does not read: %v", err)
		}
		client.Enqueue([]byte("!")) // it has not happened
		ended := asyncio.Go(ctx, func(context.Context) error { return client.CloseWrite() })
		if all, err := io.ReadAll(server); string(all) != "hello, world!" || err != nil {
			t.Errorf("arrived: %q, %v", all, err)
		}
		if _, err := ended.Await(ctx); err != nil {
			return err
		}
		client.Enqueue([]byte("dropped"))
		for what, err := range map[string]error{"Drain": client.Drain(), "CloseWrite": client.CloseWrite()} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s afterwards: %v", what, err)
			}
		}
		return client.Close()
	})
}

func TestWrite_ManySlicesInOneCall(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		bufs := make([][]byte, 3000) // more than the system takes at once
		var want strings.Builder
		for i := range bufs {
			bufs[i] = fmt.Appendf(nil, "%d,", i)
			want.Write(bufs[i])
		}
		writer := asyncio.Go(ctx, func(context.Context) error {
			if n, err := client.Writev(bufs...); n != int64(want.Len()) || err != nil {
				return fmt.Errorf("Writev: %d, %w", n, err)
			}
			if string(bufs[0]) != "0," || len(bufs[2999]) != 5 {
				t.Error("Writev has changed its slices")
			}
			return client.Close()
		})
		if all, err := io.ReadAll(server); string(all) != want.String() || err != nil {
			t.Errorf("%d bytes arrived, %v, want %d", len(all), err, want.Len())
		}
		_, err := writer.Await(ctx)
		return err
	})
}
