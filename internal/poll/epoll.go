//go:build linux && !asyncio_netpoll

package poll

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Name is which poller this is.
const Name = "epoll"

// A Poller is an epoll instance. Sleep does not block in it: the descriptor of
// the instance is itself registered in Go's netpoller, which parks the goroutine
// until the instance has events.
type Poller struct {
	fd    int
	file  *os.File // fd, in Go's netpoller
	conn  syscall.RawConn
	look  func(fd uintptr) bool // asks, for conn.Read; made once
	armed atomic.Bool           // the deadline is not what it is for ever: it was set, or moved by Wake
	raw   [maxEvents]unix.EpollEvent
	n     int // what is in raw and was not returned yet
	ready [maxEvents]Event
}

// maxEvents is how many events Poll returns at most; the others stay where they are.
const maxEvents = 256

// edges is what every descriptor is watched for, once and for all.
const edges = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&(1<<32-1)

// Open makes a poller. Close it.
func Open() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or NewFile keeps it out of the netpoller
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &Poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, err
	}
	p.look = func(uintptr) bool { return p.ask() }
	return p, nil
}

// Add watches fd under key.
func (p *Poller) Add(fd int, key uint64) error {
	ev := unix.EpollEvent{Events: edges, Fd: int32(uint32(key)), Pad: int32(uint32(key >> 32))}
	switch err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &ev); err {
	case nil:
		return nil
	case unix.EPERM:
		return ErrNotPollable
	default:
		return os.NewSyscallError("epoll_ctl", err)
	}
}

// Remove ends the watch that Add began.
func (p *Poller) Remove(fd int, _ uint64) {
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) // it fails if the owner was too early, and then nothing is left
}

// Expect does nothing: edges come by themselves.
func (p *Poller) Expect(uint64, Direction) {}

// Poll returns what has become ready. The slice is valid until the next call.
func (p *Poller) Poll() []Event {
	if p.n == 0 {
		p.ask()
	}
	n := p.n
	p.n = 0
	for i := range p.raw[:n] {
		raw := &p.raw[i]
		const ends = unix.EPOLLHUP | unix.EPOLLERR
		const odd = unix.EPOLLRDHUP | unix.EPOLLPRI // a read stops at urgent data, too
		p.ready[i] = Event{
			Key:      uint64(uint32(raw.Fd)) | uint64(uint32(raw.Pad))<<32,
			Readable: raw.Events&(unix.EPOLLIN|odd|ends) != 0,
			Writable: raw.Events&(unix.EPOLLOUT|ends) != 0,
			HungUp:   raw.Events&(odd|ends) != 0,
		}
	}
	return p.ready[:n]
}

// ask takes events from the kernel, without waiting, and reports whether there
// are any. The call does not block, so the scheduler need not know of it.
func (p *Poller) ask() bool {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.raw[0])), maxEvents, 0, 0, 0)
	if errno != 0 {
		n = 0 // EINTR; the next call tells
	}
	p.n = int(n)
	return p.n > 0
}

// Arm sets when the next Sleep ends; a negative d is never.
func (p *Poller) Arm(d time.Duration) {
	if d >= 0 {
		p.setDeadline(time.Now().Add(d))
	} else if p.armed.Load() {
		p.armed.Store(false)
		_ = p.file.SetReadDeadline(time.Time{})
	}
}

// setDeadline may run beside Arm, for a Wake that comes late. The mark is set last: a
// deadline that has passed and is not marked would end every Sleep from then on.
func (p *Poller) setDeadline(t time.Time) {
	_ = p.file.SetReadDeadline(t)
	p.armed.Store(true)
}

// Sleep waits. It reports whether there are events for Poll, which need not be asked
// for then.
func (p *Poller) Sleep() (events bool) { return p.conn.Read(p.look) == nil }

// Wake ends a Sleep. It is safe to call from any goroutine.
func (p *Poller) Wake() { p.setDeadline(longAgo) }

var longAgo = time.Unix(1, 0)

// Watch calls f, on a goroutine of its own, once there are events, or at the next
// Wake or Arm. It is for a loop that does not Sleep, but is stepped by a host.
func (p *Poller) Watch(f func()) {
	p.Arm(-1)
	go func() {
		_ = p.conn.Read(func(fd uintptr) bool { return isReady(int(fd), unix.POLLIN) })
		f()
	}()
}

// Close gives the instance back. The descriptors stay open.
func (p *Poller) Close() error { return p.file.Close() }
