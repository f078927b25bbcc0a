//go:build asyncio_kqueue && (darwin || freebsd || netbsd || openbsd || dragonfly)

package poll

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Name is which poller this is.
const Name = "kqueue"

// A Poller is a kqueue. Sleep blocks in it, and holds a thread meanwhile: whether
// a kqueue nests in Go's own has not been shown. A pipe wakes it.
type Poller struct {
	fd       int
	pipe     [2]int
	keys     map[int]uint64
	raw      [maxEvents]unix.Kevent_t
	n        int
	ready    [maxEvents]Event
	deadline time.Time // of the next Sleep; zero is never
}

const maxEvents = 256

// Open makes a poller. Close it.
func Open() (*Poller, error) {
	fd, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(fd)
	p := &Poller{fd: fd, keys: map[int]uint64{}}
	if err := unix.Pipe(p.pipe[:]); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("pipe", err)
	}
	for _, end := range p.pipe {
		unix.CloseOnExec(end)
		_ = unix.SetNonblock(end, true)
	}
	if err := p.change(p.pipe[0], unix.EVFILT_READ, unix.EV_ADD); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Add watches fd under key.
func (p *Poller) Add(fd int, key uint64) error {
	if err := p.change(fd, unix.EVFILT_READ, unix.EV_ADD|unix.EV_CLEAR); err != nil {
		return err
	}
	// A descriptor that cannot be written to has no write filter; reading is enough.
	_ = p.change(fd, unix.EVFILT_WRITE, unix.EV_ADD|unix.EV_CLEAR)
	p.keys[fd] = key
	return nil
}

func (p *Poller) change(fd int, filter, flags int) error {
	var k [1]unix.Kevent_t
	unix.SetKevent(&k[0], fd, filter, flags)
	_, err := unix.Kevent(p.fd, k[:], nil, nil)
	return os.NewSyscallError("kevent", err)
}

// Remove ends the watch that Add began.
func (p *Poller) Remove(fd int, _ uint64) {
	delete(p.keys, fd)
	_ = p.change(fd, unix.EVFILT_READ, unix.EV_DELETE)
	_ = p.change(fd, unix.EVFILT_WRITE, unix.EV_DELETE)
}

// Expect does nothing: edges come by themselves.
func (p *Poller) Expect(uint64, Direction) {}

// Poll returns what has become ready. The slice is valid until the next call.
func (p *Poller) Poll() []Event {
	if p.n == 0 {
		p.ask(&unix.Timespec{})
	}
	found := 0
	for _, k := range p.raw[:p.n] {
		fd := int(k.Ident)
		key, ok := p.keys[fd]
		switch {
		case fd == p.pipe[0]:
			p.emptyPipe()
		case ok:
			ends := k.Flags&unix.EV_EOF != 0
			p.ready[found] = Event{key, ends || k.Filter == unix.EVFILT_READ, ends || k.Filter == unix.EVFILT_WRITE, ends}
			found++
		}
	}
	p.n = 0
	return p.ready[:found]
}

func (p *Poller) emptyPipe() {
	var buf [64]byte
	for {
		if n, err := unix.Read(p.pipe[0], buf[:]); n <= 0 || err != nil {
			return
		}
	}
}

func (p *Poller) ask(timeout *unix.Timespec) {
	n, err := unix.Kevent(p.fd, nil, p.raw[:], timeout)
	if err != nil {
		n = 0 // EINTR; the next call tells
	}
	p.n = n
}

// Arm sets when the next Sleep ends; a negative d is never.
func (p *Poller) Arm(d time.Duration) {
	p.deadline = time.Time{}
	if d >= 0 {
		p.deadline = time.Now().Add(d)
	}
}

// Sleep waits. It reports whether there may be events for Poll.
func (p *Poller) Sleep() (events bool) {
	if p.deadline.IsZero() {
		p.ask(nil)
	} else {
		left := unix.NsecToTimespec(int64(max(time.Until(p.deadline), 0)))
		p.ask(&left)
	}
	return p.n > 0
}

// Wake ends a Sleep. It is safe to call from any goroutine.
func (p *Poller) Wake() { _, _ = unix.Write(p.pipe[1], []byte{0}) }

// Watch calls f, on a goroutine of its own, once there are events, or at the next
// Wake. It is for a loop that does not Sleep, but is stepped by a host.
func (p *Poller) Watch(f func()) {
	go func() {
		for {
			fds := [1]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
			if n, err := unix.Poll(fds[:], -1); n > 0 || err != unix.EINTR {
				break
			}
		}
		f()
	}()
}

// Close gives everything back. The descriptors stay open.
func (p *Poller) Close() error {
	_ = unix.Close(p.pipe[0])
	_ = unix.Close(p.pipe[1])
	return unix.Close(p.fd)
}
