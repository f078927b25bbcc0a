package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// file is a file with the given content, open for reading and writing.
func file(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)
	}
	return b
}

// offset is where f would go on reading.
func offset(t *testing.T, f *os.File) int64 {
	t.Helper()
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSendfile_IsUsed(t *testing.T) {
	if !aionet.SendsFiles {
		t.Log("this system does not send files without copying")
	}
	content := numbered(3 << 20)
	run(t, func(ctx context.Context) error {
		for name, copyTo := range map[string]func(c *aionet.Conn, f *os.File) (int64, error){
			"io.Copy":       func(c *aionet.Conn, f *os.File) (int64, error) { return io.Copy(c, f) },
			"io.CopyN":      func(c *aionet.Conn, f *os.File) (int64, error) { return io.CopyN(c, f, int64(len(content))) },
			"ReadFrom":      func(c *aionet.Conn, f *os.File) (int64, error) { return c.ReadFrom(f) },
			"LimitedReader": func(c *aionet.Conn, f *os.File) (int64, error) { return io.Copy(c, io.LimitReader(f, 1<<40)) },
		} {
			f := file(t, content)
			defer f.Close()
			client, server := connect(t, ctx)
			sent := aionet.CountSent(client)
			reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(server) })
			n, err := copyTo(client, f)
			if n != int64(len(content)) || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
			if aionet.SendsFiles && *sent != n {
				t.Errorf("%s: %d of %d bytes were sent without copying", name, *sent, n)
			}
			if at := offset(t, f); at != n {
				t.Errorf("%s: the file is at %d", name, at)
			}
			_ = client.Close()
			if got, err := reading.Await(ctx); !bytes.Equal(got, content) || err != nil {
				t.Errorf("%s: received %d bytes, %v", name, len(got), err)
			}
			_ = server.Close()
		}
		return nil
	})
}

// Whatever is copied, and over what: the same bytes, the same rest, as with io.Copy to
// anything else.
func TestSendfile_IsIOCopy(t *testing.T) {
	for _, over := range []string{"tcp", "TLS"} {
		run(t, func(ctx context.Context) error {
			for _, test := range []struct {
				name   string
				from   int64
				reader func(f *os.File) io.Reader
				want   string
				at     int64 // -1: as it happens
			}{
				{"a file", 0, func(f *os.File) io.Reader { return f }, "0123456789", 10},
				{"from an offset", 4, func(f *os.File) io.Reader { return f }, "456789", 10},
				{"at the end", 10, func(f *os.File) io.Reader { return f }, "", 10},
				{"a limit", 2, func(f *os.File) io.Reader { return io.LimitReader(f, 3) }, "234", 5},
				{"a limit of nothing", 2, func(f *os.File) io.Reader { return io.LimitReader(f, 0) }, "", 2},
				{"a negative limit", 2, func(f *os.File) io.Reader { return io.LimitReader(f, -5) }, "", 2},
				{"a limit beyond the end", 2, func(f *os.File) io.Reader { return io.LimitReader(f, 100) }, "23456789", 10},
				{"a section", 0, func(f *os.File) io.Reader { return io.NewSectionReader(f, 3, 4) }, "3456", 0},
				{"no file", 0, func(*os.File) io.Reader { return strings.NewReader("text") }, "text", 0},
				{"a limit of no file", 0, func(*os.File) io.Reader { return io.LimitReader(strings.NewReader("text"), 2) }, "te", 0},
				{"several", 8, func(f *os.File) io.Reader { return io.MultiReader(strings.NewReader("head "), f) }, "head 89", 10},
			} {
				f := file(t, []byte("0123456789"))
				defer f.Close()
				if _, err := f.Seek(test.from, io.SeekStart); err != nil {
					return err
				}
				client, server := connect(t, ctx)
				if over == "TLS" {
					secured(t, ctx, client, server, clientConfig(), serverConfig())
				}
				r := test.reader(f)
				client.Enqueue([]byte("["))
				n, err := io.Copy(client, r)
				if n != int64(len(test.want)) || err != nil {
					t.Errorf("%s, %s: %d, %v", over, test.name, n, err)
				}
				if l, ok := r.(*io.LimitedReader); ok && over == "tcp" && strings.HasPrefix(test.name, "a limit beyond") && l.N != 100-n {
					t.Errorf("%s, %s: %d left", over, test.name, l.N)
				}
				if at := offset(t, f); at != test.at {
					t.Errorf("%s, %s: the file is at %d, want %d", over, test.name, at, test.at)
				}
				client.Enqueue([]byte("]"))
				_ = client.Close()
				if got, err := io.ReadAll(server); string(got) != "["+test.want+"]" || err != nil {
					t.Errorf("%s, %s: received %q, %v", over, test.name, got, err)
				}
				_ = server.Close()
			}
			return nil
		})
	}
}

// A slow peer: the copy waits, and a cancellation ends it with an exact count.
func TestSendfile_CancelledMidway(t *testing.T) {
	content := numbered(32 << 20)
	run(t, func(ctx context.Context) error {
		f := file(t, content)
		defer f.Close()
		client, server := connect(t, ctx)
		copying := asyncio.Spawn(ctx, func(context.Context) (int64, error) { return client.ReadFrom(f) })
		for copying.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		if got := copying.WaitingFor(); !strings.HasPrefix(got, "room to write to ") {
			t.Errorf("waits for %q", got)
		}
		copying.Cancel(nil)
		n, err := copying.Await(ctx)
		if !errors.Is(err, context.Canceled) || n <= 0 || n >= int64(len(content)) {
			t.Errorf("cancelled: %d, %v", n, err)
		}
		if at := offset(t, f); aionet.SendsFiles && at != n {
			t.Errorf("the file is at %d, and %d bytes were sent", at, n)
		}
		if _, err := f.Seek(n, io.SeekStart); err != nil { // where it goes on
			return err
		}
		reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(server) })
		if m, err := io.Copy(client, f); m+n != int64(len(content)) || err != nil {
			t.Errorf("the rest: %d, %v", m, err)
		}
		_ = client.Close()
		if got, err := reading.Await(ctx); !bytes.Equal(got, content) || err != nil {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
		return server.Close()
	})
}

// A file that is cut while it is sent ends where it ends.
func TestSendfile_AFileThatShrinks(t *testing.T) {
	const size = 32 << 20
	run(t, func(ctx context.Context) error {
		f := file(t, make([]byte, size))
		defer f.Close()
		client, server := connect(t, ctx)
		copying := asyncio.Spawn(ctx, func(context.Context) (int64, error) { return io.Copy(client, f) })
		for copying.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		reading := asyncio.Spawn(ctx, func(context.Context) (int64, error) { return io.Copy(io.Discard, server) })
		n, err := copying.Await(ctx)
		if n <= 0 || n >= size || err != nil {
			t.Errorf("copied %d, %v", n, err)
		}
		_ = client.Close()
		if got, err := reading.Await(ctx); got != n || err != nil {
			t.Errorf("received %d, %v, of %d", got, err, n)
		}
		return server.Close()
	})
}

func TestSendfile_Errors(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		f := file(t, []byte("text"))
		_ = f.Close()
		if _, err := io.Copy(client, f); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a file that is closed: %v", err)
		}
		if _, err := client.Write([]byte("still usable")); err != nil {
			return err
		}
		wantRead(t, server, "still usable")
		_ = server.Close()
		f = file(t, make([]byte, 64<<20))
		defer f.Close()
		_, err := io.Copy(client, f)
		wantErr(t, err, client.RemoteAddr().String())
		return client.Close()
	})
}
