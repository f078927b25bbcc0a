//go:build unix && (!linux || asyncio_netpoll) && !(asyncio_kqueue && (darwin || freebsd || netbsd || openbsd || dragonfly))

package poll

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Name is which poller this is.
const Name = "netpoll"

// A Poller leaves everything to Go's own netpoller, which can only wait on a
// goroutine, for one direction of one descriptor: each Expect costs one.
type Poller struct {
	watched map[uint64]*watched
	ready   []Event
	alarm   *time.Timer

	mu     sync.Mutex
	events []Event
	wake   chan struct{} // holds a token after a Wake or an event
	waits  sync.WaitGroup
}

// watched is a descriptor under Go's netpoller: a duplicate, because an os.File
// closes what it is given.
type watched struct {
	file     *os.File
	conn     syscall.RawConn
	expected [2]bool // guarded by Poller.mu
}

// Open makes a poller. Close it.
func Open() (*Poller, error) {
	alarm := time.NewTimer(time.Hour)
	alarm.Stop()
	return &Poller{watched: map[uint64]*watched{}, alarm: alarm, wake: make(chan struct{}, 1)}, nil
}

// Add watches fd under key.
func (p *Poller) Add(fd int, key uint64) error {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	w := &watched{file: os.NewFile(uintptr(own), "polled")}
	if err := w.file.SetDeadline(time.Time{}); err != nil {
		_ = w.file.Close()
		return ErrNotPollable
	}
	if w.conn, err = w.file.SyscallConn(); err != nil {
		_ = w.file.Close()
		return err
	}
	p.watched[key] = w
	return nil
}

// Remove ends the watch that Add began.
func (p *Poller) Remove(_ int, key uint64) {
	if w := p.watched[key]; w != nil {
		delete(p.watched, key)
		_ = w.file.Close() // which ends the waits
	}
}

// Expect asks for one event, once the descriptor is ready for d.
func (p *Poller) Expect(key uint64, d Direction) {
	w := p.watched[key]
	if w == nil {
		return
	}
	p.mu.Lock()
	already := w.expected[d]
	w.expected[d] = true
	p.mu.Unlock()
	if already {
		return
	}
	p.waits.Add(1)
	go func() {
		defer p.waits.Done()
		if w.wait(d) == nil {
			p.tell(w, Event{Key: key, Readable: d == Read, Writable: d == Write}, d)
		}
	}()
}

func (w *watched) wait(d Direction) error {
	if d == Write {
		return w.conn.Write(func(fd uintptr) bool { return Ready(int(fd), Write) })
	}
	return w.conn.Read(func(fd uintptr) bool { return Ready(int(fd), Read) })
}

func (p *Poller) tell(w *watched, e Event, d Direction) {
	p.mu.Lock()
	w.expected[d] = false
	p.events = append(p.events, e)
	p.mu.Unlock()
	p.Wake()
}

// Poll returns what has become ready. The slice is valid until the next call.
func (p *Poller) Poll() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready, p.events = p.events, p.ready[:0]
	return p.ready
}

// Arm sets when the next Sleep ends; a negative d is never.
func (p *Poller) Arm(d time.Duration) {
	p.alarm.Stop()
	if d >= 0 {
		p.alarm.Reset(d)
	}
}

// Sleep waits. It reports whether there may be events for Poll.
func (p *Poller) Sleep() (events bool) {
	select {
	case <-p.wake:
		return true
	case <-p.alarm.C:
		return false
	}
}

// Wake ends a Sleep. It is safe to call from any goroutine.
func (p *Poller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Watch calls f, on a goroutine of its own, once there are events, or at the next
// Wake or Arm. It is for a loop that does not Sleep, but is stepped by a host.
func (p *Poller) Watch(f func()) {
	go func() {
		<-p.wake
		f()
	}()
}

// Close gives everything back. The descriptors stay open.
func (p *Poller) Close() error {
	keys := make([]uint64, 0, len(p.watched))
	for key := range p.watched {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		p.Remove(0, key)
	}
	p.waits.Wait()
	p.Wake()
	return nil
}
