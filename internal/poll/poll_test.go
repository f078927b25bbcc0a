//go:build unix

package poll_test

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/internal/poll"
	"golang.org/x/sys/unix"
)

// The tests are the same for every poller:
//
//	go test ./internal/poll
//	go test -tags asyncio_netpoll ./internal/poll

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

func open(t *testing.T) *poll.Poller {
	t.Helper()
	p, err := poll.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// pair is two connected sockets, closed with the test.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if err := poll.Prepare(fd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
	}
	return fds[0], fds[1]
}

func add(t *testing.T, p *poll.Poller, fd int, key uint64) {
	t.Helper()
	if err := p.Add(fd, key); err != nil {
		t.Fatal(err)
	}
}

// await sleeps until an event for key and direction has come, and returns all that
// came with it.
func await(t *testing.T, p *poll.Poller, key uint64, d poll.Direction) []poll.Event {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		events := slices.Clone(p.Poll())
		for _, e := range events {
			if e.Key == key && (d == poll.Read && e.Readable || d == poll.Write && e.Writable) {
				return events
			}
		}
		p.Arm(patience)
		p.Sleep()
	}
	t.Fatalf("no event for key %d, direction %d", key, d)
	return nil
}

// silent fails the test if there is an event for key and direction within a moment.
func silent(t *testing.T, p *poll.Poller, key uint64, d poll.Direction) {
	t.Helper()
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
		for _, e := range p.Poll() {
			if e.Key == key && (d == poll.Read && e.Readable || d == poll.Write && e.Writable) {
				t.Fatalf("event %+v for what is not ready", e)
			}
		}
		p.Arm(5 * time.Millisecond)
		p.Sleep()
	}
}

func write(t *testing.T, fd int, text string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

// drain reads until that would block and returns what there was.
func drain(t *testing.T, fd int) string {
	t.Helper()
	var all []byte
	for buf := make([]byte, 1<<16); ; {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EAGAIN) || n == 0 {
			return string(all)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, buf[:n]...)
	}
}

// fill writes until that would block.
func fill(t *testing.T, fd int) {
	t.Helper()
	for buf := make([]byte, 1<<16); ; {
		if _, err := unix.Write(fd, buf); errors.Is(err, unix.EAGAIN) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPoller_ReadableAgainAndAgain(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	add(t, p, a, 1<<40|7)
	for _, text := range []string{"one", "two", "three"} {
		if got := drain(t, a); got != "" {
			t.Fatalf("read %q too early", got)
		}
		p.Expect(1<<40|7, poll.Read)
		write(t, b, text)
		await(t, p, 1<<40|7, poll.Read)
		if got := drain(t, a); got != text {
			t.Errorf("read %q, want %q", got, text)
		}
	}
}

func TestPoller_WhatArrivedBeforeExpectIsTold(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	write(t, b, "early")
	add(t, p, a, 1)
	p.Expect(1, poll.Read)
	await(t, p, 1, poll.Read)
}

func TestPoller_NothingWithoutReason(t *testing.T) {
	p := open(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	p.Expect(1, poll.Read)
	silent(t, p, 1, poll.Read)
}

func TestPoller_WritableOnceThereIsRoom(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	fill(t, a)
	add(t, p, a, 1)
	p.Expect(1, poll.Write)
	silent(t, p, 1, poll.Write)
	drain(t, b)
	await(t, p, 1, poll.Write)
}

func TestPoller_TheEndMakesBothReady(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	fill(t, a)
	add(t, p, a, 1)
	p.Expect(1, poll.Read)
	p.Expect(1, poll.Write)
	silent(t, p, 1, poll.Read)
	if err := unix.Shutdown(b, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	read, wrote := false, false
	for end := time.Now().Add(patience); !(read && wrote) && time.Now().Before(end); {
		for _, e := range p.Poll() {
			read, wrote = read || e.Readable, wrote || e.Writable
		}
		p.Arm(time.Millisecond)
		p.Sleep()
	}
	if !read || !wrote {
		t.Errorf("readable %v, writable %v, want both", read, wrote)
	}
}

func TestPoller_RemoveEndsIt(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	add(t, p, a, 1)
	p.Expect(1, poll.Read)
	p.Remove(a, 1)
	write(t, b, "late")
	silent(t, p, 1, poll.Read)
	add(t, p, a, 2)
	p.Expect(2, poll.Read)
	for _, e := range await(t, p, 2, poll.Read) {
		if e.Key != 2 {
			t.Errorf("event %+v of a watch that was removed", e)
		}
	}
}

func TestPoller_RegularFilesAreRefused(t *testing.T) {
	p := open(t)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Add(int(f.Fd()), 1); !errors.Is(err, poll.ErrNotPollable) {
		t.Errorf("Add: %v, want ErrNotPollable", err)
	}
	if err := p.Add(1<<20, 1); err == nil || errors.Is(err, poll.ErrNotPollable) {
		t.Errorf("Add of a descriptor that is not open: %v", err)
	}
}

func TestPoller_SleepEndsInTime(t *testing.T) {
	p := open(t)
	for _, d := range []time.Duration{0, time.Microsecond, 3 * time.Millisecond} {
		began := time.Now()
		p.Arm(d)
		if p.Sleep() {
			t.Errorf("Sleep armed with %v: events", d)
		}
		if took := time.Since(began); took < d || took > patience {
			t.Errorf("Sleep armed with %v took %v", d, took)
		}
	}
}

func TestPoller_WakeIsNeverLost(t *testing.T) {
	p := open(t)
	rounds := 20_000
	if testing.Short() {
		rounds = 1_000
	}
	awake, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range rounds {
			<-awake
			p.Wake()
		}
	}()
	for range rounds {
		p.Arm(-1)
		awake <- struct{}{} // from here on the Wake may come at any moment
		p.Sleep()
	}
	<-done
}

func TestPoller_EventsEndASleepThatIsUnderWay(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	add(t, p, a, 1)
	var peer sync.WaitGroup
	defer peer.Wait()
	turn := make(chan struct{})
	peer.Go(func() {
		for range turn {
			_, _ = unix.Write(b, []byte("x"))
		}
	})
	defer close(turn)
	for range 500 {
		p.Expect(1, poll.Read)
		turn <- struct{}{}
		await(t, p, 1, poll.Read)
		drain(t, a)
	}
}

func TestPoller_ManyAtOnce(t *testing.T) {
	p := open(t)
	const n = 400 // more than one call returns
	ends := make([]int, n)
	for i := range ends {
		a, b := pair(t)
		add(t, p, a, uint64(i))
		p.Expect(uint64(i), poll.Read)
		ends[i] = b
	}
	for _, b := range ends {
		write(t, b, "x")
	}
	seen := map[uint64]bool{}
	for end := time.Now().Add(patience); len(seen) < n && time.Now().Before(end); {
		for _, e := range p.Poll() {
			if e.Readable {
				seen[e.Key] = true
			}
		}
		p.Arm(time.Millisecond)
		p.Sleep()
	}
	if len(seen) != n {
		t.Errorf("%d of %d were told", len(seen), n)
	}
}

func TestPoller_WatchCallsOnce(t *testing.T) {
	p := open(t)
	a, b := pair(t)
	add(t, p, a, 1)
	p.Poll() // the first edge, for writing
	p.Expect(1, poll.Read)
	called := make(chan struct{}, 10)
	p.Watch(func() { called <- struct{}{} })
	write(t, b, "x")
	select {
	case <-called:
	case <-time.After(patience):
		t.Fatal("not called")
	}
	p.Watch(func() { called <- struct{}{} })
	p.Wake()
	select {
	case <-called:
	case <-time.After(patience):
		t.Fatal("not called after a Wake")
	}
}

func TestPoller_CloseLeavesNothing(t *testing.T) {
	before, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 10 {
		p, err := poll.Open()
		if err != nil {
			t.Fatal(err)
		}
		a, b := pairToClose(t)
		add(t, p, a, 1)
		p.Expect(1, poll.Read)
		p.Expect(1, poll.Write)
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		_, _ = unix.Close(a), unix.Close(b)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines left:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

func pairToClose(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = poll.Prepare(fds[0]), poll.Prepare(fds[1])
	return fds[0], fds[1]
}

func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil && strings.Contains(err.Error(), "no such file") {
		names, err = os.ReadDir("/dev/fd")
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
