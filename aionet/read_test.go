package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// fed is the end of a connection in memory whose other end has written parts, each of
// which is read by itself, and then, unless it is to stay open, closed.
func fed(t *testing.T, ctx context.Context, stay bool, parts ...string) (reader *aionet.Conn, end func()) {
	t.Helper()
	client, server := connectIn(t, ctx)
	task := asyncio.Go(ctx, func(ctx context.Context) error {
		for _, p := range parts {
			if _, err := client.Write([]byte(p)); err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		if !stay {
			return client.Close()
		}
		return nil
	})
	return server, func() {
		_ = server.Close()
		_, _ = task.Await(ctx)
		_ = client.Close()
	}
}

func TestRead_Until(t *testing.T) {
	for _, c := range []struct {
		name   string
		parts  []string
		delims []string
		want   []string // what is read, until the end
		rest   string   // what comes with the end
	}{
		{"one read", []string{"a;b;"}, []string{";"}, []string{"a;", "b;"}, ""},
		{"split over reads", []string{"a\r", "\nb", "\r\n"}, []string{"\r\n"}, []string{"a\r\n", "b\r\n"}, ""},
		{"byte by byte", strings.Split("ab--c--", ""), []string{"--"}, []string{"ab--", "c--"}, ""},
		{"overlapping", []string{"---", "-"}, []string{"--"}, []string{"--", "--"}, ""},
		{"false start", []string{"aab", "aaab"}, []string{"aaab"}, []string{"aabaaab"}, ""},
		{"the first of several", []string{"a,b;c,"}, []string{";", ","}, []string{"a,", "b;", "c,"}, ""},
		{"the one that ends first", []string{"xabcd"}, []string{"abcd", "bc"}, []string{"xabc"}, "d"},
		{"of different length, split", []string{"x\r", "\n", "y;"}, []string{"\r\n", ";"}, []string{"x\r\n", "y;"}, ""},
		{"cut off", []string{"a;b"}, []string{";"}, []string{"a;"}, "b"},
		{"nothing", nil, []string{";"}, nil, ""},
		{"binary", []string{"\x00\xff\x00", "\xff"}, []string{"\xff"}, []string{"\x00\xff", "\x00\xff"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, func(ctx context.Context) error {
				server, end := fed(t, ctx, false, c.parts...)
				defer end()
				var delims [][]byte
				for _, d := range c.delims {
					delims = append(delims, []byte(d))
				}
				var got []string
				for {
					b, err := server.ReadUntil(delims...)
					if err == nil {
						got = append(got, string(b))
						continue
					}
					want := io.EOF
					if c.rest != "" {
						want = io.ErrUnexpectedEOF
					}
					if string(b) != c.rest || err != want {
						t.Errorf("at the end: %q, %v, want %q, %v", b, err, c.rest, want)
					}
					break
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("read %q, want %q", got, c.want)
				}
				return nil
			})
		})
	}
}

func TestRead_UntilAsManyBytesAsAFile(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		long := strings.Repeat("x", 200<<10)
		server, end := fed(t, ctx, false, long+"\n"+"short\n")
		defer end()
		server.SetReadLimit(1 << 20)
		for _, want := range []string{long, "short"} {
			if line, err := server.ReadLine(); string(line) != want || err != nil {
				t.Errorf("read %d bytes, %v, want %d", len(line), err, len(want))
			}
		}
		return nil
	})
}

// What is within the limit does not depend on how the bytes arrive.
func TestRead_LimitIsTheSameHoweverBytesArrive(t *testing.T) {
	for _, parts := range [][]string{{"12345678\n9"}, {"1234", "5678", "\n9"}, strings.Split("12345678\n9", "")} {
		for limit, fits := range map[int]bool{4: false, 8: false, 9: true, 10: true} {
			simulate(t, func(ctx context.Context) error {
				server, end := fed(t, ctx, false, parts...)
				defer end()
				server.SetReadLimit(limit)
				line, err := server.ReadLine()
				if fits {
					if string(line) != "12345678" || err != nil {
						t.Errorf("limit %d, parts %q: %q, %v", limit, parts, line, err)
					}
					return nil
				}
				var e *aionet.LimitError
				if !errors.As(err, &e) || e.Limit != limit || e.Buffered != len(line) || len(line) < limit {
					t.Errorf("limit %d, parts %q: %q, %v", limit, parts, line, err)
				}
				wantErr(t, err, fmt.Sprintf("with a limit of %d; consume some, or raise the limit with SetReadLimit", limit))
				server.SetReadLimit(100) // and nothing is lost
				if line, err := server.ReadLine(); string(line) != "12345678" || err != nil {
					t.Errorf("with a higher limit: %q, %v", line, err)
				}
				return nil
			})
		}
	}
}

func TestRead_PeekAndDiscard(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server, end := fed(t, ctx, false, "abc", "defg")
		defer end()
		server.SetReadLimit(6)
		peek := func(n int, want string, wantErr error) {
			t.Helper()
			b, err := server.Peek(n)
			if string(b) != want || err != wantErr {
				t.Errorf("Peek(%d): %q, %v, want %q, %v", n, b, err, want, wantErr)
			}
		}
		peek(0, "", nil)
		peek(1, "abc", nil)
		peek(3, "abc", nil)
		peek(4, "abcdefg", nil)
		peek(1, "abcdefg", nil) // again: it consumes nothing
		var e *aionet.LimitError
		if b, err := server.Peek(7); !errors.As(err, &e) || string(b) != "abcdefg" {
			t.Errorf("Peek above the limit: %q, %v", b, err)
		}
		server.Discard(0)
		server.Discard(5)
		peek(2, "fg", nil)
		peek(3, "fg", io.ErrUnexpectedEOF)
		peek(2, "fg", nil)
		server.Discard(2)
		peek(0, "", nil)
		peek(1, "", io.EOF)
		return nil
	})
}

func TestRead_WhatIsBufferedComesFirst(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server, end := fed(t, ctx, false, "GET\nbody", " and more")
		defer end()
		if line, err := server.ReadLine(); string(line) != "GET" || err != nil {
			t.Errorf("ReadLine: %q, %v", line, err)
		}
		p := make([]byte, 3)
		if n, err := server.Read(p); string(p[:n]) != "bod" || err != nil {
			t.Errorf("Read: %q, %v", p[:n], err)
		}
		if n, err := server.Read(nil); n != 0 || err != nil {
			t.Errorf("Read of nothing: %d, %v", n, err)
		}
		if all, err := io.ReadAll(server); string(all) != "y and more" || err != nil {
			t.Errorf("ReadAll: %q, %v", all, err)
		}
		return nil
	})
}

func TestRead_Lines(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\nb\r\n\n\r\nc\r\r\n", `["a" "b" "" "" "c\r"]`},
		{"last without an end", `["last without an end"]`},
		{"a\r", `["a\r"]`},
		{"", `[]`},
	} {
		simulate(t, func(ctx context.Context) error {
			server, end := fed(t, ctx, false, c.in)
			defer end()
			var lines []string
			for line, err := range server.Lines() {
				if err != nil {
					return err
				}
				lines = append(lines, string(line))
			}
			if got := fmt.Sprintf("%q", lines); got != c.want {
				t.Errorf("lines of %q: %s, want %s", c.in, got, c.want)
			}
			return nil
		})
	}
}

func TestRead_LinesYieldAnErrorOnce(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server, end := fed(t, ctx, true, "one\ntw")
		defer end()
		var got []string
		err := asyncio.Timeout(ctx, time.Minute, func(context.Context) error {
			for line, err := range server.Lines() {
				got = append(got, fmt.Sprintf("%s %t", line, err != nil))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, asyncio.ErrTimeout) || fmt.Sprint(got) != "[one false tw true]" {
			t.Errorf("lines %v, %v", got, err)
		}
		return nil
	})
}

// Each wait of a read is cancelled in turn, and then the read is made again.
func TestRead_CancellationConsumesNothing(t *testing.T) {
	const text = "HEAD\r\nbody of ten"
	reads := map[string]func(c *aionet.Conn) (string, error){
		"ReadLine":  func(c *aionet.Conn) (string, error) { b, err := c.ReadLine(); return string(b), err },
		"ReadUntil": func(c *aionet.Conn) (string, error) { b, err := c.ReadUntil([]byte("\r\nb")); return string(b), err },
		"Peek":      func(c *aionet.Conn) (string, error) { b, err := c.Peek(len(text)); return string(b), err },
	}
	for name, read := range reads {
		for after := time.Duration(0); after < 20; after++ {
			simulate(t, func(ctx context.Context) error {
				server, end := fed(t, ctx, false, strings.Split(text, "")...)
				defer end()
				err := asyncio.Timeout(ctx, after*time.Second+time.Millisecond, func(context.Context) error {
					b, err := read(server)
					if err != nil && !strings.HasPrefix(text, b) {
						t.Errorf("%s came with %q, %v", name, b, err)
					}
					if err == nil && name != "Peek" {
						return fmt.Errorf("done")
					}
					return err
				})
				if err == nil || !errors.Is(err, asyncio.ErrTimeout) {
					return nil // it was not cancelled
				}
				if all, err := io.ReadAll(server); string(all) != text || err != nil {
					t.Errorf("%s cancelled after %v: then %q, %v", name, after, all, err)
				}
				return nil
			})
		}
	}
}

func TestRead_FailsWithDataThereToo(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server, end := fed(t, ctx, true, "a\nb\nc\n")
		defer end()
		if _, err := server.Peek(6); err != nil {
			return err
		}
		inner, cancel := asyncio.WithCancel(ctx)
		cancel()
		if b, err := server.In(inner).ReadLine(); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %q, %v", b, err)
		}
		_ = server.SetReadDeadline(now(t, ctx))
		_, err := server.ReadLine()
		wantErr(t, err, "i/o timeout")
		_ = server.SetReadDeadline(time.Time{})
		if b, err := server.ReadLine(); string(b) != "a" || err != nil {
			t.Errorf("afterwards: %q, %v", b, err)
		}
		_ = server.Close()
		if b, err := server.ReadLine(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %q, %v", b, err)
		}
		return nil
	})
}

func TestRead_SlicesAreValidUntilTheNextRead(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		var others []*aionet.Conn
		server, end := fed(t, ctx, true, "first\nsecond\n")
		defer end()
		line, err := server.ReadLine()
		if err != nil {
			return err
		}
		for range 3 { // other connections take and give buffers meanwhile
			client, other := connectVia(t, ctx, "tcp", "10.1.0.1:2", &aionet.Dialer{})
			others = append(others, client, other)
			if _, err := client.Write(bytes.Repeat([]byte("z"), 100)); err != nil {
				return err
			}
			if _, err := other.Peek(100); err != nil {
				return err
			}
			client.Enqueue([]byte("more"))
			other.Discard(100)
			if _, err := io.ReadFull(other, make([]byte, 4)); err != nil {
				return err
			}
		}
		if string(line) != "first" {
			t.Errorf("the line has become %q", line)
		}
		rest, err := server.Peek(1)
		if err != nil {
			return err
		}
		_ = server.Close()
		for _, c := range others {
			c.Enqueue(bytes.Repeat([]byte("y"), 100))
			_ = c.Close()
		}
		if string(rest) != "second\n" {
			t.Errorf("after Close, what Peek has shown has become %q", rest)
		}
		return nil
	})
}

func TestRead_IdleConnectionsHoldNoBuffer(t *testing.T) {
	const n = 2000
	run := func(t *testing.T, idle func(c *aionet.Conn) error) (each uint64) {
		simulate(t, func(ctx context.Context) error {
			var all []*aionet.Conn
			before := heap()
			for range n {
				client, server := connectIn(t, ctx)
				all = append(all, client, server)
				task := asyncio.Go(ctx, func(context.Context) error { return idle(server) })
				if _, err := client.Write([]byte("line\n")); err != nil {
					return err
				}
				waiting(t, ctx, task)
			}
			each = (heap() - before) / n
			for _, c := range all {
				_ = c.Close()
			}
			return nil
		})
		return each
	}
	each := run(t, func(c *aionet.Conn) error {
		for _, err := range c.Lines() {
			if err != nil {
				return nil // closed
			}
		}
		return nil
	})
	t.Logf("%d bytes a connection in memory, both ends and the task", each)
	if each > 4096 {
		t.Errorf("%d bytes of heap for an idle connection: a buffer is held", each)
	}
}

// heap is how much of it is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
