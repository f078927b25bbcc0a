package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sys/unix"
)

func TestPipe_FIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		rf, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // does not wait for a writer
		if err != nil {
			return err
		}
		wf, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		r, w := newPipe(t, ctx, rf), newPipe(t, ctx, wf)
		if _, err := w.Write([]byte("through a FIFO")); err != nil {
			return err
		}
		wantRead(t, r, "through a FIFO")
		_ = w.Close()
		if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
			t.Errorf("then read %q, %v", rest, err)
		}
		return r.Close()
	})
}

// A socket keeps its two directions.
func TestPipe_Socketpair(t *testing.T) {
	run(t, func(ctx context.Context) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		a := newPipe(t, ctx, os.NewFile(uintptr(fds[0]), "a"))
		b := newPipe(t, ctx, os.NewFile(uintptr(fds[1]), "b"))
		if _, err := a.Write([]byte("question")); err != nil {
			return err
		}
		wantRead(t, b, "question")
		if _, err := b.Write([]byte("answer")); err != nil {
			return err
		}
		wantRead(t, a, "answer")
		return errors.Join(a.Close(), b.Close())
	})
}

// terminal is both sides of a pseudo-terminal: what is written to one is typed at the other.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := keyboard.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	failed := raw.Control(func(fd uintptr) {
		if n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err == nil {
			err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		}
	})
	if err = errors.Join(failed, err); err != nil {
		t.Fatal(err)
	}
	if screen, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return keyboard, screen
}

// A terminal gives one line a read: the next is there all the same.
func TestPipe_Terminal(t *testing.T) {
	run(t, func(ctx context.Context) error {
		kf, sf := terminal(t)
		keyboard, screen := newPipe(t, ctx, kf), newPipe(t, ctx, sf)
		if _, err := keyboard.Write([]byte("one\ntwo\nthree\n")); err != nil {
			return err
		}
		for _, want := range []string{"one\n", "two\n", "three\n"} {
			buf := make([]byte, 100)
			if n, err := screen.Read(buf); string(buf[:n]) != want || err != nil {
				t.Errorf("read %q, %v, want %q", buf[:n], err, want)
			}
		}
		if line, err := keyboard.ReadLine(); string(line) != "one" || err != nil { // the echo
			t.Errorf("the screen shows %q, %v", line, err)
		}
		keyboard.Abort()
		screen.Abort()
		return nil
	})
}

// Packets of a socket that keeps their borders are all read.
func TestPipe_Packets(t *testing.T) {
	run(t, func(ctx context.Context) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
		if err != nil {
			return err
		}
		a := newPipe(t, ctx, os.NewFile(uintptr(fds[0]), "a"))
		b := newPipe(t, ctx, os.NewFile(uintptr(fds[1]), "b"))
		for _, p := range []string{"one", "two", "three"} {
			if _, err := a.Write([]byte(p)); err != nil {
				return err
			}
		}
		reading := asyncio.Go(ctx, func(context.Context) error {
			for _, want := range []string{"one", "two", "three"} {
				buf := make([]byte, 100)
				if n, err := b.Read(buf); string(buf[:n]) != want || err != nil {
					t.Errorf("read %q, %v, want %q", buf[:n], err, want)
				}
			}
			return nil
		})
		_, err = reading.Await(ctx)
		return errors.Join(err, a.Close(), b.Close())
	})
}

// A file goes through a pipe as through a socket.
func TestPipe_OfAFile(t *testing.T) {
	content := numbered(1 << 20)
	run(t, func(ctx context.Context) error {
		f := file(t, content)
		defer f.Close()
		r, w := pipe(t, ctx)
		reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(r) })
		if n, err := io.Copy(w, f); n != int64(len(content)) || err != nil {
			t.Errorf("copied %d, %v", n, err)
		}
		_ = w.Close()
		if got, err := reading.Await(ctx); !bytes.Equal(got, content) || err != nil {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		return r.Close()
	})
}
