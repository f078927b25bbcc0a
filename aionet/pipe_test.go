package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// pipe is both ends of a pipe.
func pipe(t *testing.T, ctx context.Context) (r, w *aionet.Conn) {
	t.Helper()
	rf, wf, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return newPipe(t, ctx, rf), newPipe(t, ctx, wf)
}

func newPipe(t *testing.T, ctx context.Context, f *os.File) *aionet.Conn {
	t.Helper()
	c, err := aionet.NewPipe(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPipe_BytesAndTheEnd(t *testing.T) {
	for _, how := range []string{"Close", "CloseWrite"} {
		run(t, func(ctx context.Context) error {
			r, w := pipe(t, ctx)
			reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return r.ReadLine() })
			for reading.State() != asyncio.Waiting {
				pause(t, ctx)
			}
			if got := reading.WaitingFor(); !strings.HasPrefix(got, "input from pipe ") {
				t.Errorf("waits for %q", got)
			}
			w.Enqueue([]byte("line\nre"))
			if _, err := w.Write([]byte("st")); err != nil {
				return err
			}
			if line, err := reading.Await(ctx); string(line) != "line" || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
			if how == "CloseWrite" {
				if err := w.CloseWrite(); err != nil {
					t.Errorf("CloseWrite: %v", err)
				}
				if _, err := w.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
					t.Errorf("then Write: %v", err)
				}
			} else if err := w.Close(); err != nil {
				return err
			}
			if got, err := io.ReadAll(r); string(got) != "rest" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			return errors.Join(r.Close(), w.Close())
		})
	}
}

func TestPipe_TheReaderCloses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r, w := pipe(t, ctx)
		writing := asyncio.Go(ctx, func(context.Context) error { _, err := w.Write(make([]byte, 1<<20)); return err })
		for writing.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		_ = r.Close()
		if _, err := writing.Await(ctx); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a Write that waits: %v", err)
		}
		_, err := w.Write([]byte("x"))
		for err == nil { // the fallback tells later
			pause(t, ctx)
			_, err = w.Write([]byte("x"))
		}
		if !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a later Write: %v", err)
		}
		return w.Close()
	})
}

func TestPipe_CancellationAndDeadlines(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r, w := pipe(t, ctx)
		for i, op := range []func() error{
			func() error { _, err := r.Read(make([]byte, 1)); return err },
			func() error { _, err := w.Write(make([]byte, 1<<20)); return err },
		} {
			name := []string{"Read", "Write"}[i]
			err := asyncio.Timeout(ctx, time.Millisecond, func(context.Context) error { return op() })
			if !errors.Is(err, asyncio.ErrTimeout) {
				t.Errorf("%s within a timeout: %v", name, err)
			}
			_ = errors.Join(r.SetDeadline(time.Now()), w.SetDeadline(time.Now()))
			if err := op(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s past the deadline: %v", name, err)
			}
			_ = errors.Join(r.SetDeadline(time.Time{}), w.SetDeadline(time.Time{}))
		}
		w.Abort()
		_, err := io.ReadAll(r)
		return errors.Join(err, r.Close())
	})
}

func TestPipe_WhatIsAlwaysReadyIsRefusedAndClosed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		for _, name := range []string{path, dir} {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			c, err := aionet.NewPipe(ctx, f)
			if c != nil {
				t.Error("a Conn and an error")
			}
			wantErr(t, err, "aionet: NewPipe("+name+"): a regular file or a folder is always ready; use Blocking")
			if err := f.Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file was not closed: %v", err)
			}
		}
		return nil
	})
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = aionet.NewPipe(t.Context(), f)
	if !errors.Is(err, asyncio.ErrNoLoop) {
		t.Errorf("without a loop: %v", err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was not closed: %v", err)
	}
}

// 1 GiB through a pipe: the reader and the writer, on one loop, never hold more than
// their buffers.
func TestPipe_AGigabyte(t *testing.T) {
	const size = 1 << 30
	run(t, func(ctx context.Context) error {
		r, w := pipe(t, ctx)
		highest := 0
		writing := asyncio.Go(ctx, func(context.Context) error {
			block := make([]byte, 1<<20)
			for i := range size / len(block) {
				var err error
				if i%2 == 0 {
					_, err = w.Write(block)
				} else {
					w.Enqueue(block)
					highest = max(highest, w.Unsent())
					err = w.Drain()
				}
				if err != nil {
					return err
				}
			}
			return w.Close()
		})
		var n int64
		for buf := make([]byte, 256<<10); ; {
			m, err := r.Read(buf)
			n += int64(m)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
		if n != size || highest > 2<<20 {
			t.Errorf("%d bytes, at most %d unsent", n, highest)
		}
		_, err := writing.Await(ctx)
		return errors.Join(err, r.Close())
	})
}
