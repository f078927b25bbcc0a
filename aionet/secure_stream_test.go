package aionet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// watchMutexes fails the test if any task is ever suspended while it holds a mutex of
// crypto/tls that a Write takes: it looks in every turn of the loop, so between any two
// steps of a task at least once. It returns what ends it.
func watchMutexes(t *testing.T, ctx context.Context, conns ...*aionet.Conn) (stop func()) {
	t.Helper()
	watcher := asyncio.Go(ctx, func(ctx context.Context) error {
		for {
			for _, c := range conns {
				for i, mu := range aionet.WriteMutexes(c) {
					if !mu.TryLock() {
						t.Errorf("%v: a task is suspended with mutex %d", c, i)
						return nil
					}
					mu.Unlock()
				}
			}
			if asyncio.Yield(ctx) != nil {
				return nil
			}
		}
	})
	return func() {
		watcher.Cancel(nil)
		_, _ = watcher.Await(ctx)
	}
}

// send writes n pseudo-random bytes in pieces of all sizes, in all ways, and returns
// their sum.
func send(c *aionet.Conn, n int, seed uint64) (uint32, error) {
	r := rand.New(rand.NewPCG(seed, 0))
	block := make([]byte, 256<<10)
	for i := range block {
		block[i] = byte(r.Uint32())
	}
	sum := crc32.NewIEEE()
	for n > 0 {
		from := r.IntN(len(block))
		p := block[from:min(len(block), from+n)]
		var err error
		switch _, _ = sum.Write(p); r.IntN(3) {
		case 0:
			_, err = c.Write(p)
		case 1:
			_, err = c.Writev(p[:len(p)/2], p[len(p)/2:])
		default:
			c.Enqueue(p)
			err = c.Drain()
		}
		if err != nil {
			return 0, err
		}
		n -= len(p)
	}
	return sum.Sum32(), c.CloseWrite()
}

func receive(c *aionet.Conn) (n int64, sum uint32, err error) {
	h := crc32.NewIEEE()
	n, err = io.Copy(h, c)
	return n, h.Sum32(), err
}

func TestTLS_ReaderAndWriterAtOnce(t *testing.T) {
	const size = 100 << 20
	run(t, func(ctx context.Context) error {
		client, server := connectTLS(t, ctx)
		defer watchMutexes(t, ctx, client, server)()
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i, way := range [][2]*aionet.Conn{{client, server}, {server, client}} {
				var sent uint32
				sending := asyncio.SpawnIn(g, func(ctx context.Context) (any, error) {
					var err error
					sent, err = send(way[0].In(ctx), size, uint64(i))
					return nil, err
				})
				g.Go(func(ctx context.Context) error {
					n, got, err := receive(way[1].In(ctx))
					if err != nil {
						return err
					}
					if _, err := sending.Await(ctx); err != nil {
						return err
					}
					if n != size || got != sent {
						t.Errorf("way %d: %d bytes of %d, sum %x, want %x", i, n, size, got, sent)
					}
					return nil
				})
			}
			return nil
		})
		return errors.Join(err, client.Close(), server.Close())
	})
}

// The reader is cancelled, or too late, again and again while the records trickle in.
func TestTLS_AReadThatEndsLeavesTheConnectionUsable(t *testing.T) {
	const text = "not a byte may be lost"
	for _, how := range []string{"cancelled", "late"} {
		run(t, func(ctx context.Context) error {
			client, server, up, down := wires(t, ctx)
			back := asyncio.Go(ctx, func(context.Context) error { return down.all() })
			started := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
			forth := asyncio.Go(ctx, func(context.Context) error {
				for range 3 { // the hello, a message for old middleboxes, and the end of the handshake
					if _, err := up.record(whole); err != nil {
						return err
					}
				}
				return nil
			})
			if err := server.AcceptTLS(serverConfig()); err != nil {
				return err
			}
			for _, task := range []*asyncio.Task[struct{}]{started, forth} {
				if _, err := task.Await(ctx); err != nil {
					return err
				}
			}
			for i := range len(text) {
				if _, err := client.Write([]byte{text[i]}); err != nil {
					return err
				}
			}
			_ = client.Close()
			var got []byte
			buf := make([]byte, 100)
			ends := 0
			for ended := false; !ended; {
				reading := asyncio.Spawn(ctx, func(context.Context) (int, error) { return server.Read(buf) })
				for reading.State() != asyncio.Waiting && !reading.Done() {
					pause(t, ctx)
				}
				if how == "late" {
					_ = server.SetReadDeadline(time.Now())
				} else {
					reading.Cancel(nil)
				}
				n, err := reading.Await(ctx)
				got = append(got, buf[:n]...)
				switch {
				case err == io.EOF:
					ended = true
				case err == nil: // there was something
				case how == "late" && !errors.Is(err, os.ErrDeadlineExceeded),
					how == "cancelled" && !errors.Is(err, context.Canceled):
					t.Fatalf("%s: %v", how, err)
				default:
					ends++
					if err := up.pass(1); err == io.EOF {
						_ = up.to.Close()
					} else if err != nil {
						return err
					}
				}
				_ = server.SetReadDeadline(time.Time{})
			}
			if ends < 20*len(text) {
				t.Errorf("%s: only %d times", how, ends)
			}
			if string(got) != text {
				t.Errorf("%s: read %q", how, got)
			}
			_, _ = server.Close(), down.from.Close()
			_, _ = back.Await(ctx)
			return nil
		})
	}
}

func TestTLS_HalfClose(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connectTLS(t, ctx)
		client.Enqueue([]byte("question"))
		if err := client.CloseWrite(); err != nil {
			return err
		}
		if _, err := client.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after CloseWrite: %v", err)
		}
		client.Enqueue([]byte("dropped"))
		if got, err := io.ReadAll(server); string(got) != "question" || err != nil {
			t.Errorf("the server has read %q, %v", got, err)
		}
		if _, err := server.Write([]byte("answer")); err != nil {
			return err
		}
		if err := server.Close(); err != nil {
			return err
		}
		if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
			t.Errorf("the client has read %q, %v", got, err)
		}
		return client.Close()
	})
}

// records of what c sends in plain TLS 1.2, which shows their types.
func sentRecords(t *testing.T, ctx context.Context, end func(*aionet.Conn)) (types []byte) {
	t.Helper()
	client, server, up, down := wires(t, ctx)
	back := asyncio.Go(ctx, func(context.Context) error { return down.all() })
	forth := asyncio.Go(ctx, func(context.Context) error {
		for {
			r, err := up.record(whole)
			if err != nil {
				_ = up.to.Close()
				return nil
			}
			types = append(types, r[0])
		}
	})
	cc := clientConfig()
	cc.MaxVersion = tls.VersionTLS12
	secured(t, ctx, client, server, cc, serverConfig())
	types = nil
	end(client)
	_, err := io.ReadAll(server)
	if err != nil {
		t.Errorf("the server: %v", err)
	}
	_ = server.Close()
	for _, task := range []*asyncio.Task[struct{}]{forth, back} {
		_, _ = task.Await(ctx)
	}
	_, _ = down.from.Close(), down.to.Close()
	return types
}

func TestTLS_CloseSaysSo(t *testing.T) {
	const data, alert = 23, 21
	run(t, func(ctx context.Context) error {
		for name, end := range map[string]func(*aionet.Conn){
			"Close":               func(c *aionet.Conn) { c.Enqueue([]byte("x")); _ = c.Close() },
			"CloseWrite":          func(c *aionet.Conn) { c.Enqueue([]byte("x")); _ = c.CloseWrite(); _ = c.Close() },
			"Close by a callback": func(c *aionet.Conn) { c.Enqueue([]byte("x")); asyncioClose(ctx, c) },
			"Close by a goroutine": func(c *aionet.Conn) {
				c.Enqueue([]byte("x"))
				go c.Close()
			},
		} {
			if got := sentRecords(t, ctx, end); !bytes.Equal(got, []byte{data, alert}) {
				t.Errorf("%s: records of the types %v, want %v", name, got, []byte{data, alert})
			}
		}
		return nil
	})
}

func asyncioClose(ctx context.Context, c *aionet.Conn) {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	l.CallSoon(func() { _ = c.Close() })
}

// As crypto/tls has it: an end at the border of a record is one, any other is not.
func TestTLS_AnEndWithoutCloseNotify(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for cut, want := range map[int]error{whole: nil, 10: io.ErrUnexpectedEOF} {
			client, server, up, down := wires(t, ctx)
			back := asyncio.Go(ctx, func(context.Context) error { return down.all() })
			forth := asyncio.Go(ctx, func(context.Context) error {
				for i := 0; ; i++ {
					n := whole
					if i == 4 { // the second of the application's
						n = cut
					}
					if _, err := up.record(n); err != nil || i == 4 {
						return errors.Join(err, up.to.Close())
					}
				}
			})
			secured(t, ctx, client, server, clientConfig(), serverConfig())
			for _, s := range []string{"first", "second"} {
				if _, err := client.Write([]byte(s)); err != nil {
					return err
				}
			}
			if _, err := forth.Await(ctx); err != nil {
				return err
			}
			got, err := io.ReadAll(server)
			if !errors.Is(err, want) || want == nil && string(got) != "firstsecond" || want != nil && string(got) != "first" {
				t.Errorf("cut at %d: read %q, %v", cut, got, err)
			}
			for _, c := range []*aionet.Conn{client, server, up.from, down.from} {
				c.Abort()
			}
			_, _ = back.Await(ctx)
		}
		return nil
	})
}

// A Write is cut into records, with a drain between: what a peer does not read stays
// with the writer.
func TestTLS_AWriterNeverFillsTheBuffer(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connectTLS(t, ctx)
		defer server.Close()
		client.SetWriteBuffer(32<<10, 8<<10)
		highest := 0
		writing := asyncio.Spawn(ctx, func(context.Context) (int, error) { return client.Write(make([]byte, 64<<20)) })
		for writing.State() != asyncio.Waiting || client.Unsent() <= 8<<10 {
			highest = max(highest, client.Unsent())
			pause(t, ctx)
		}
		highest = max(highest, client.Unsent())
		if highest > 32<<10+17<<10 {
			t.Errorf("%d bytes were in the buffer", highest)
		}
		_ = client.SetWriteDeadline(time.Now())
		n, err := writing.Await(ctx)
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
			t.Errorf("Write: %d, %v", n, err)
		}
		_ = client.SetWriteDeadline(time.Time{})
		closing := asyncio.Go(ctx, func(context.Context) error { return client.CloseWrite() })
		if got, err := io.Copy(io.Discard, server); got != int64(n) || err != nil { // exactly what Write said
			t.Errorf("the server has read %d, %v, of %d", got, err, n)
		}
		if _, err := closing.Await(ctx); err != nil {
			return err
		}
		return client.Close()
	})
}

// A CloseWrite that was cancelled before everything was sent has not happened.
func TestTLS_CloseWriteIsCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connectTLS(t, ctx)
		sent := make([]byte, 16<<20)
		client.Enqueue(sent)
		closing := asyncio.Go(ctx, func(context.Context) error { return client.CloseWrite() })
		for closing.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		closing.Cancel(nil)
		if _, err := closing.Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("CloseWrite: %v", err)
		}
		reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(server) })
		if _, err := client.Write([]byte("and more")); err != nil {
			t.Errorf("Write: %v", err)
		}
		_ = client.Close()
		if got, err := reading.Await(ctx); !bytes.Equal(got, append(sent, "and more"...)) || err != nil {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
		return server.Close()
	})
}
