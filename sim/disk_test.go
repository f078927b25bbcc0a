package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// onDisk runs f with the disk of a host that does nothing.
func onDisk(f func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		w.Draw(2) // or there might be nothing to explore
		h := w.Host(ctx, "h", func(context.Context) error { return nil })
		return f(ctx, w, h, h.Disk())
	}
}

// create makes a durable file.
func create(ctx context.Context, d *sim.Disk, name, content string) (*sim.File, error) {
	f, err := d.Create(name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err == nil {
		err = errors.Join(f.Sync(ctx), d.SyncDir(ctx))
	}
	return f, err
}

func TestDisk_IsReadAsItWasWritten(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := d.Create("log")
		if err != nil {
			return err
		}
		write := func(n int, err2 error) { err = errors.Join(err, err2) }
		write(f.Write([]byte("hello ")))
		write(f.Write([]byte("world")))
		write(f.WriteAt([]byte("W"), 6))
		write(f.WriteAt([]byte("!"), 13))
		if got, _ := d.ReadFile("log"); string(got) != "hello World\x00\x00!" || f.Size() != 14 {
			return fmt.Errorf("it is %q, of size %d", got, f.Size())
		}
		err = errors.Join(err, f.Truncate(5), f.Truncate(7), d.Rename("log", "old"))
		part := make([]byte, 4)
		n, eof := f.ReadAt(part, 4)
		if string(part[:n]) != "o\x00\x00" || eof != io.EOF {
			return fmt.Errorf("read %q, %v", part[:n], eof)
		}
		again, err2 := d.Open("old")
		if again.Size() != 7 {
			return fmt.Errorf("opened again its size is %d", again.Size())
		}
		_, err3 := d.Create("a")
		if got := fmt.Sprint(d.List()); got != "[a old]" {
			return fmt.Errorf("the names are %s", got)
		}
		return errors.Join(err, err2, err3, d.Remove("old"), d.Remove("a"), f.Close())
	}), sim.Options{Seeds: 1})
}

func TestDisk_Errors(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := create(ctx, d, "f", "content")
		if err != nil {
			return err
		}
		_, openErr := d.Open("none")
		_, readErr := d.ReadFile("none")
		_, offsetErr := f.WriteAt([]byte("x"), -1)
		_, nameErr := d.Create("")
		h.Crash()
		_, writeErr := f.Write([]byte("x"))
		for _, c := range []struct{ err, want error }{
			{openErr, fs.ErrNotExist}, {readErr, fs.ErrNotExist}, {d.Remove("none"), fs.ErrNotExist},
			{d.Rename("none", "x"), fs.ErrNotExist}, {offsetErr, fs.ErrInvalid}, {nameErr, fs.ErrInvalid},
			{d.Rename("f", ""), fs.ErrInvalid}, {writeErr, fs.ErrClosed}, {f.Sync(ctx), fs.ErrClosed}, {f.Truncate(0), fs.ErrClosed},
		} {
			var pe *fs.PathError
			if !errors.Is(c.err, c.want) || !errors.As(c.err, &pe) {
				return fmt.Errorf("error is %v, want %w", c.err, c.want)
			}
		}
		return nil
	}), sim.Options{Seeds: 20})
}

func TestDisk_SyncedIsNeverLost(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		content := strings.Repeat("0123456789", 300)
		if err := second(create(ctx, d, "f", content)); err != nil {
			return err
		}
		h.Crash()
		got, err := d.ReadFile("f")
		if err != nil || string(got) != content {
			return fmt.Errorf("after the crash it is %d bytes: %w", len(got), err)
		}
		f, err := d.Open("f")
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte("later"), 1000)
		h.Restart()
		h.Crash()
		got, _ = d.ReadFile("f")
		if string(got[:512]) != content[:512] || string(got[1536:]) != content[1536:] || len(got) != len(content) {
			return errors.New("a write changed what it did not touch")
		}
		sim.Sometimes(ctx, string(got) == content, "the write is lost")
		sim.Sometimes(ctx, string(got[1000:1005]) == "later", "the write is kept")
		return err
	}), sim.Options{Seeds: 300})
}

func TestDisk_CrashTearsWritesAtSectors(t *testing.T) {
	const sector = 512
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := create(ctx, d, "f", "")
		if err != nil {
			return err
		}
		if _, err := f.Write(bytes.Repeat([]byte("x"), 3*sector+100)); err != nil {
			return err
		}
		h.Crash()
		got, err := d.ReadFile("f")
		if strings.Trim(string(got), "x") != "" {
			return errors.New("it has other bytes than were written")
		}
		switch len(got) {
		case 0, sector, 2 * sector, 3 * sector, 3*sector + 100:
			sim.Sometimes(ctx, true, fmt.Sprintf("%d bytes are left", len(got)))
			return err
		}
		return fmt.Errorf("%d bytes are left", len(got))
	}), sim.Options{Seeds: 500, Reach: []string{"0 bytes are left", "512 bytes are left", "1024 bytes are left", "1536 bytes are left", "1636 bytes are left"}})
}

// A sector on the disk is one that the cache has had: the later of two writes to it is
// not kept without the earlier.
func TestDisk_CrashKeepsSectorsWhole(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := create(ctx, d, "f", "")
		if err != nil {
			return err
		}
		for _, text := range []string{"one ", "two ", "three "} {
			if _, err := f.Write([]byte(text)); err != nil {
				return err
			}
		}
		h.Crash()
		got, err := d.ReadFile("f")
		sim.Sometimes(ctx, string(got) == "", "nothing is left")
		sim.Sometimes(ctx, string(got) == "one two ", "two are left")
		if !strings.HasPrefix("one two three ", string(got)) {
			return fmt.Errorf("%q is left", got)
		}
		return err
	}), sim.Options{Seeds: 300})
}

func TestDisk_NamesNeedASyncOfTheirOwn(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		_, err := create(ctx, d, "f", "old")
		if err != nil {
			return err
		}
		next, err := d.Create("f.new")
		if err != nil {
			return err
		}
		if _, err = next.Write([]byte("new")); err != nil {
			return err
		}
		if err := errors.Join(next.Sync(ctx), d.Rename("f.new", "f"), d.Remove("f")); err != nil {
			return err
		}
		h.Crash()
		got, err := d.ReadFile("f")
		state := fmt.Sprintf("%s of %v", got, d.List())
		switch state {
		case "old of [f]", "old of [f f.new]", "new of [f]", " of []":
			sim.Reachable(ctx, state)
			return nil
		}
		return fmt.Errorf("left is %s: %w", state, err)
	}), sim.Options{Seeds: 300, Reach: []string{"old of [f]", "old of [f f.new]", "new of [f]", " of []"}})
}

// Of a sync that failed nobody knows what it did, and the next, which succeeds, does
// nothing for what was written before.
func TestDisk_SyncThatFailedIsNotMadeGood(t *testing.T) {
	f := onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := d.Create("f")
		if err == nil {
			err = d.SyncDir(ctx)
		}
		for err != nil { // a directory may be synced again
			err = d.SyncDir(ctx)
		}
		if _, err := f.Write([]byte("data")); err != nil {
			return err
		}
		first := f.Sync(ctx)
		if first != nil && !errors.Is(first, syscall.EIO) {
			return first
		}
		var pe *fs.PathError
		if first != nil && !errors.As(first, &pe) {
			return fmt.Errorf("the error is %v", first)
		}
		second := f.Sync(ctx)
		if got, _ := d.ReadFile("f"); string(got) != "data" {
			return fmt.Errorf("after a sync with %v it reads %q", first, got)
		}
		h.Crash()
		got, _ := d.ReadFile("f")
		if first == nil && string(got) != "data" {
			return fmt.Errorf("synced, it is %q", got)
		}
		sim.Sometimes(ctx, first != nil && second == nil && string(got) == "", "a sync succeeded and the data is lost")
		sim.Sometimes(ctx, first != nil && second == nil && string(got) == "data", "a sync failed and the data is there")
		return nil
	})
	clean(t, f, sim.Options{Seeds: 3000, Faults: sim.FaultDisk})
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		for range 20 { // without the fault
			if err := d.SyncDir(ctx); err != nil {
				return err
			}
		}
		return nil
	}), sim.Options{Seeds: 50})
}

func TestDisk_SyncTakesTimeAndCanBeCancelled(t *testing.T) {
	clean(t, onDisk(func(ctx context.Context, w *sim.World, h *sim.Host, d *sim.Disk) error {
		f, err := create(ctx, d, "f", "")
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte("x")); err != nil {
			return err
		}
		began := w.Now()
		err = asyncio.Timeout(ctx, 10*time.Millisecond, f.Sync)
		took := w.Now() - began
		sim.Sometimes(ctx, took == time.Millisecond, "it is fast")
		sim.Sometimes(ctx, errors.Is(err, asyncio.ErrTimeout), "it is too slow")
		if errors.Is(err, asyncio.ErrTimeout) {
			h.Crash()
			got, _ := d.ReadFile("f")
			sim.Sometimes(ctx, len(got) == 0, "the cancelled sync has done nothing")
			return nil
		}
		return err
	}), sim.Options{Seeds: 300})
}
