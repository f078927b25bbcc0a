//go:build unix

package asyncio_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sys/unix"
)

func TestFD_TheLoopClosesWhatIsLeft(t *testing.T) {
	noLeaks(t)
	a, _ := sockets(t)
	r := openPipe(t)
	before := openDescriptors(t)
	l := asyncio.NewLoop(nil)
	var s story
	for _, fd := range []int{a, r} {
		f, err := l.Register(uintptr(fd))
		if err != nil {
			t.Fatal(err)
		}
		f.OnClose(func() { s.add("closed %v", f) })
		s.add("registered %v", f)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if len(s.events) != 4 || s.events[2] != strings.Replace(s.events[0], "registered", "closed", 1) ||
		s.events[3] != strings.Replace(s.events[1], "registered", "closed", 1) {
		t.Errorf("events %q", s.events)
	}
	// Not their number: the collector may close those of loops that other tests have dropped.
	for _, fd := range openDescriptors(t) {
		if !slices.Contains(before, fd) {
			t.Errorf("descriptor %s is left", fd)
		}
	}
	if _, err := l.Register(uintptr(a)); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("Register on a closed loop: %v", err)
	}
}

func TestFD_NoneIsRegisteredWhileTheLoopClosesThem(t *testing.T) {
	noLeaks(t)
	a, b := sockets(t)
	l := asyncio.NewLoop(nil)
	f, err := l.Register(uintptr(a))
	if err != nil {
		t.Fatal(err)
	}
	f.OnClose(func() { _, err = l.Register(uintptr(b)) })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("Register while the loop closes: %v", err)
	}
}

func openPipe(t *testing.T) int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return int(r.Fd())
}

func openDescriptors(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFD_WhatCannotBeRegistered(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, _ := sockets(t)
	runReal(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		if _, err := l.Register(f.Fd()); err == nil || !strings.Contains(err.Error(), "cannot be polled; regular files are always ready, use Blocking") {
			t.Errorf("a regular file: %v", err)
		}
		if _, err := l.Register(1 << 20); !errors.Is(err, unix.EBADF) {
			t.Errorf("no descriptor: %v", err)
		}
		register(t, ctx, a)
		return nil
	})
}

func TestFD_OnAnotherLoop(t *testing.T) {
	noLeaks(t)
	a, _ := sockets(t)
	other := asyncio.NewLoop(nil)
	defer other.Close()
	f, err := other.Register(uintptr(a))
	if err != nil {
		t.Fatal(err)
	}
	runReal(t, func(ctx context.Context) error {
		defer func() {
			if r := recover(); r == nil || !strings.Contains(r.(error).Error(), "belongs to loop") {
				t.Errorf("recovered %v", r)
			}
		}()
		return f.WaitReadable(ctx)
	})
}

func TestFD_TasksThatNeverWaitDoNotStarveIt(t *testing.T) {
	a, b := sockets(t)
	runReal(t, func(ctx context.Context) error {
		f := register(t, ctx, a)
		waiter := asyncio.Go(ctx, f.WaitReadable)
		for range 2 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				for !waiter.Done() {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		send(t, b, "x")
		_, err := waiter.Await(ctx)
		return err
	})
}

func TestFD_GoroutinesWakeALoopThatPolls(t *testing.T) {
	a, _ := sockets(t)
	for _, procs := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		runReal(t, func(ctx context.Context) error {
			register(t, ctx, a)
			for range 2_000 {
				if _, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return 1, nil }); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func TestFD_WakesTheHostOfALoop(t *testing.T) {
	noLeaks(t)
	a, b := sockets(t)
	woken := make(chan struct{}, 1)
	l := asyncio.NewLoop(&asyncio.LoopOptions{OnWake: func() { woken <- struct{}{} }})
	defer l.Close()
	f, err := l.Register(uintptr(a))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	var again func()
	again = func() { got++; receive(t, a); f.OnReadable(again) }
	f.OnReadable(again)
	for i := range 3 {
		for end := time.Now().Add(10 * time.Second); ; {
			if _, err := l.Step(); err != nil {
				t.Fatal(err)
			}
			if got > i {
				break
			}
			if i == got && len(woken) == 0 {
				send(t, b, "x")
			}
			select {
			case <-woken:
			case <-time.After(time.Until(end)):
				t.Fatal("the host was not told")
			}
		}
	}
	if got != 3 {
		t.Errorf("%d callbacks, want 3", got)
	}
}
